//! `ROWS_QUERY_EVENT`: text of the statement whose rows follow, when the source is told to log it.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field                                           |
/// |-------:|-----:|-------------------------------------------------|
/// |      0 |    1 | low byte of the length, to be ignored           |
/// |      1 | rest | `sql`                                           |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsQuery<'a> {
    /// The statement, in the client's charset.
    pub sql: &'a [u8],
}

impl<'a> RowsQuery<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        reader.u8("rows query length")?;
        let sql = reader.rest();
        Ok(Self { sql })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let [low, ..] = self.sql.len().to_le_bytes();
        out.put_u8(low);
        out.put(self.sql);
    }
}
