//! `XID_EVENT`: commits a transaction.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field |
/// |-------:|-----:|-------|
/// |      0 |    8 | `xid` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Xid {
    /// The source's own number of the transaction; it means nothing elsewhere.
    pub xid: u64,
}

impl Xid {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let xid = reader.u64("xid")?;
        reader.finish("xid event")?;
        Ok(Self { xid })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.xid);
    }
}
