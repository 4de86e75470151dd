//! MariaDB's identifiers: `domain-server-sequence`, and positions that hold one per domain.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use codec::{DecodeError, Reader, Write};

use crate::ParseError;
use crate::identifier::parse_number;

/// A MariaDB global transaction identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MariaGtid {
    /// Replication domain; transactions of different domains are independent.
    pub domain: u32,
    /// Server that committed the transaction first.
    pub server: u32,
    /// Number within the domain.
    pub sequence: u64,
}

impl MariaGtid {
    /// Bytes of the binary form.
    pub const LEN: usize = 16;

    /// Reads the binary form, as in GTID_LIST: domain u32, server u32, sequence u64.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut after = reader.clone();
        let gtid = Self {
            domain: after.u32("GTID domain")?,
            server: after.u32("GTID server")?,
            sequence: after.u64("GTID sequence number")?,
        };
        *reader = after;
        Ok(gtid)
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.domain);
        out.put_u32(self.server);
        out.put_u64(self.sequence);
    }
}

impl fmt::Display for MariaGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server, self.sequence)
    }
}

impl FromStr for MariaGtid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("MariaDB GTID", text, "DOMAIN-SERVER-SEQUENCE");
        let small = |text| parse_number(text).and_then(|number| u32::try_from(number).ok());
        let mut parts = text.trim().split('-');
        let (Some(domain), Some(server), Some(sequence), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(error());
        };
        Ok(Self {
            domain: small(domain).ok_or_else(error)?,
            server: small(server).ok_or_else(error)?,
            sequence: parse_number(sequence).ok_or_else(error)?,
        })
    }
}

/// Where a MariaDB replica stands: the last transaction of each domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MariaPosition {
    last: BTreeMap<u32, MariaGtid>,
}

impl MariaPosition {
    /// Whether no domain has a transaction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// The last transaction of `domain`.
    #[must_use]
    pub fn get(&self, domain: u32) -> Option<MariaGtid> {
        self.last.get(&domain).copied()
    }

    /// Moves the transaction's domain to it and returns the previous one.
    pub fn set(&mut self, gtid: MariaGtid) -> Option<MariaGtid> {
        self.last.insert(gtid.domain, gtid)
    }

    /// The last transaction of every domain, by domain.
    pub fn iter(&self) -> impl Iterator<Item = MariaGtid> + '_ {
        self.last.values().copied()
    }
}

impl FromIterator<MariaGtid> for MariaPosition {
    /// Of several transactions of a domain the last one counts, as in GTID_LIST.
    fn from_iter<I: IntoIterator<Item = MariaGtid>>(gtids: I) -> Self {
        let last = gtids.into_iter().map(|gtid| (gtid.domain, gtid)).collect();
        Self { last }
    }
}

impl fmt::Display for MariaPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, gtid) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{gtid}")?;
        }
        Ok(())
    }
}

impl FromStr for MariaPosition {
    type Err = ParseError;

    /// Reads a comma-separated list with at most one transaction per domain.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut position = Self::default();
        if text.trim().is_empty() {
            return Ok(position);
        }
        for part in text.split(',') {
            if position.set(part.parse()?).is_some() {
                return Err(ParseError::new(
                    "MariaDB GTID position",
                    text,
                    "at most one GTID per domain",
                ));
            }
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_position_lists_in_domain_order() {
        let position: MariaPosition = " 1-1-7, 0-1-5".parse().unwrap();
        assert_eq!(position.to_string(), "0-1-5,1-1-7");
        assert_eq!("".parse::<MariaPosition>().unwrap().to_string(), "");
    }

    #[test]
    fn the_binary_form_is_that_of_gtid_list() {
        let gtid: MariaGtid = "4294967295-88-9223372036854775806".parse().unwrap();
        let mut bytes = Vec::new();
        gtid.encode(&mut bytes);
        assert_eq!(
            bytes,
            b"\xff\xff\xff\xff\x58\0\0\0\xfe\xff\xff\xff\xff\xff\xff\x7f"
        );
        assert_eq!(MariaGtid::decode(&mut Reader::new(&bytes)), Ok(gtid));
        for len in 0..MariaGtid::LEN {
            assert!(MariaGtid::decode(&mut Reader::new(&bytes[..len])).is_err());
        }
    }

    #[test]
    fn the_last_transaction_of_a_domain_is_its_position() {
        let gtids = ["0-1-5", "1-1-9", "0-2-4"].map(|text| text.parse::<MariaGtid>().unwrap());
        assert_eq!(MariaPosition::from_iter(gtids).to_string(), "0-2-4,1-1-9");
    }

    #[test]
    fn rejects_bad_lists() {
        for text in [
            "0-1",
            "0-1-2-3",
            "0-1-5,0-2-6",
            "0--1-5",
            "x",
            "0-1-5,",
            "4294967296-1-1",
        ] {
            assert!(text.parse::<MariaPosition>().is_err(), "{text}");
        }
    }
}
