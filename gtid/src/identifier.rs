//! One MySQL GTID and its parts.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use uuid::Uuid;

use crate::{ParseError, Tag};

/// Number of a transaction within its [`Tsid`], from 1 to [`Gno::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gno(NonZeroU64);

impl Gno {
    /// The first number.
    pub const MIN: Self = Self(NonZeroU64::MIN);

    /// The largest number, `2^63 - 2`, as in MySQL (one below the exclusive interval end).
    pub const MAX: u64 = i64::MAX.cast_unsigned() - 1;

    /// A transaction number; `None` outside `1..=Gno::MAX`.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) if number.get() <= Self::MAX => Some(Self(number)),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for Gno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who numbered a transaction: the server's UUID and the tag. Each has its own sequence of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tsid {
    /// UUID of the server that committed the transaction first.
    pub uuid: Uuid,
    /// The tag, [`Tag::NONE`] for untagged transactions.
    pub tag: Tag,
}

impl Tsid {
    /// The untagged identifier of `uuid`.
    #[must_use]
    pub const fn untagged(uuid: Uuid) -> Self {
        Self {
            uuid,
            tag: Tag::NONE,
        }
    }
}

impl fmt::Display for Tsid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.fmt(f)?;
        if !self.tag.is_none() {
            write!(f, ":{}", self.tag)?;
        }
        Ok(())
    }
}

/// A MySQL global transaction identifier, `uuid:number` or `uuid:tag:number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtid {
    /// Who numbered the transaction.
    pub tsid: Tsid,
    /// Its number there.
    pub gno: Gno,
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.tsid, self.gno)
    }
}

impl FromStr for Gtid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("GTID", text, "UUID:NUMBER or UUID:TAG:NUMBER");
        let mut parts = text.split(':').map(str::trim);
        let (uuid, second, third) = (parts.next(), parts.next(), parts.next());
        let (uuid, tag, gno) = match (uuid, second, third, parts.next()) {
            (Some(uuid), Some(gno), None, None) => (uuid, Tag::NONE, gno),
            (Some(uuid), Some(tag), Some(gno), None) => (uuid, tag.parse()?, gno),
            _ => return Err(error()),
        };
        let uuid = parse_uuid(uuid)?;
        let gno = parse_number(gno).and_then(Gno::new).ok_or_else(error)?;
        Ok(Self {
            tsid: Tsid { uuid, tag },
            gno,
        })
    }
}

/// Reads a UUID in one of the forms MySQL takes: with dashes, without, or with dashes in braces.
pub(crate) fn parse_uuid(text: &str) -> Result<Uuid, ParseError> {
    let error = || ParseError::new("server UUID", text, "32 hexadecimal digits");
    // Length first: the parser below also knows forms that MySQL does not.
    match text.len() {
        32 | 36 | 38 => Uuid::try_parse(text).map_err(|_| error()),
        _ => Err(error()),
    }
}

/// Reads decimal digits and nothing else; the standard parser would take a sign.
pub(crate) fn parse_number(text: &str) -> Option<u64> {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    #[test]
    fn reads_and_prints_both_forms() {
        for text in [format!("{UUID}:23"), format!("{UUID}:blue:1")] {
            assert_eq!(text.parse::<Gtid>().unwrap().to_string(), text);
        }
        let upper = format!("{}:Blue:1", UUID.to_uppercase());
        assert_eq!(
            upper.parse::<Gtid>().unwrap().to_string(),
            format!("{UUID}:blue:1")
        );
    }

    #[test]
    fn rejects_what_is_no_single_gtid() {
        for text in [
            "".to_owned(),
            UUID.to_owned(),
            format!("{UUID}:0"),
            format!("{UUID}:+1"),
            format!("{UUID}:1-2"),
            format!("{UUID}:a:1:2"),
            format!("{UUID}:9223372036854775807"),
            "urn:uuid:1".to_owned(),
        ] {
            assert!(text.parse::<Gtid>().is_err(), "{text}");
        }
        assert!(
            format!("{UUID}:9223372036854775806")
                .parse::<Gtid>()
                .is_ok()
        );
    }
}
