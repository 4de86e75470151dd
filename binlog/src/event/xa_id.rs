//! Identifier of an XA transaction, as events carry it and as SQL writes it.

use std::fmt;

/// Name of an XA transaction: `X'gtrid',X'bqual',format` in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct XaId<'a> {
    /// Number of the format, 1 unless the client says otherwise.
    pub format: u32,
    /// The global part, 1 to 64 bytes.
    pub gtrid: &'a [u8],
    /// The branch, at most 64 bytes.
    pub bqual: &'a [u8],
}

impl fmt::Display for XaId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [self.gtrid, self.bqual] {
            f.write_str("X'")?;
            for byte in part {
                write!(f, "{byte:02x}")?;
            }
            f.write_str("',")?;
        }
        write!(f, "{}", self.format)
    }
}

/// The name of an XA transaction, as text that says all of it: what [`XaId`] prints.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct XaName(String);

impl XaName {
    /// The name in a statement as servers log it, `XA COMMIT X'gtrid',X'bqual',format`; `None` if it is
    /// none of theirs.
    #[must_use]
    pub fn in_statement(sql: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(sql).ok()?.trim();
        let mut words = text.splitn(3, |c: char| c.is_ascii_whitespace());
        let (xa, verb, rest) = (words.next()?, words.next()?, words.next()?);
        let verbs = ["START", "BEGIN", "END", "PREPARE", "COMMIT", "ROLLBACK"];
        if !xa.eq_ignore_ascii_case("XA") || !verbs.iter().any(|it| it.eq_ignore_ascii_case(verb)) {
            return None;
        }
        let name = rest.split_ascii_whitespace().next()?;
        let mut parts = name.split(',');
        let (gtrid, bqual) = (from_hex(parts.next()?)?, from_hex(parts.next()?)?);
        let format = parts.next()?.parse().ok()?;
        let is_whole = parts.next().is_none();
        let id = XaId {
            format,
            gtrid: &gtrid,
            bqual: &bqual,
        };
        is_whole.then(|| Self::from(id))
    }

    /// The text, which SQL reads as well.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The bytes of `X'hex'`.
fn from_hex(literal: &str) -> Option<Vec<u8>> {
    let digits = literal.strip_prefix("X'").or(literal.strip_prefix("x'"))?;
    let (pairs, []) = digits.strip_suffix('\'')?.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
    pairs.iter().map(byte).collect()
}

impl From<XaId<'_>> for XaName {
    fn from(id: XaId<'_>) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for XaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_an_event_and_in_the_statements_of_both_vendors() {
        let id = XaId {
            format: 7,
            gtrid: b"\0\xff'",
            bqual: b"",
        };
        for sql in [
            "XA START X'00ff27',X'',7",
            "XA COMMIT X'00FF27',X'',7",
            "xa rollback x'00ff27',X'',7 ",
            "XA COMMIT X'00ff27',X'',7 ONE PHASE",
        ] {
            let name = XaName::in_statement(sql.as_bytes());
            assert_eq!(name, Some(XaName::from(id)), "{sql}");
        }
        for sql in [
            "XA RECOVER",
            "XA COMMIT 'one'",
            "XA COMMIT X'0',X'',1",
            "XA COMMIT X'00',X''",
            "XA COMMIT X'00',X'',1,2",
            "COMMIT X'00',X'',1",
            "",
        ] {
            assert_eq!(XaName::in_statement(sql.as_bytes()), None, "{sql}");
        }
    }
}
