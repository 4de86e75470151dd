//! `APPEND_BLOCK_EVENT` and `BEGIN_LOAD_QUERY_EVENT`: a block of the file of a LOAD DATA, in
//! statement format.
//!
//! The second one carries the first block and begins the file; any number of the first follow.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/load_data_events.h.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field     |
/// |-------:|-----:|-----------|
/// |      0 |    4 | `file_id` |
/// |      4 | rest | `block`   |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileBlock<'a> {
    /// Number that all events of the file carry.
    pub file_id: u32,
    /// Bytes of the file.
    pub block: &'a [u8],
}

impl<'a> FileBlock<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let file_id = reader.u32("file id")?;
        let block = reader.rest();
        Ok(Self { file_id, block })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.file_id);
        out.put(self.block);
    }
}
