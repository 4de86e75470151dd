//! `ROWS_QUERY_EVENT`: text of the statement whose rows follow, when the source is told to log it.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field                                           |
/// |-------:|-----:|-------------------------------------------------|
/// |      0 |    1 | `length_byte`                                   |
/// |      1 | rest | `sql`                                           |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsQuery<'a> {
    /// Once the length of the text; servers write what they like, readers ignore it.
    pub length_byte: u8,
    /// The statement, in the client's charset.
    pub sql: &'a [u8],
}

impl<'a> RowsQuery<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let length_byte = reader.u8("rows query length")?;
        let sql = reader.rest();
        Ok(Self { length_byte, sql })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.length_byte);
        out.put(self.sql);
    }
}
