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
