//! `BINLOG_CHECKPOINT_EVENT` (MariaDB): the oldest file that crash recovery still needs.
//!
//! Spec: mariadb-server 11.8, sql/log_event.h, `Binlog_checkpoint_log_event`.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field            |
/// |-------:|-----:|------------------|
/// |      0 |    4 | length of `file` |
/// |      4 |    n | `file`           |
/// |        | rest | `rest`           |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinlogCheckpoint<'a> {
    /// Base name of the file.
    pub file: &'a [u8],
    /// What follows; nothing from any server seen.
    pub rest: &'a [u8],
}

impl<'a> BinlogCheckpoint<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let len = reader.u32("checkpoint file name length")?;
        let file = reader.bytes_u64(u64::from(len), "checkpoint file name")?;
        let rest = reader.rest();
        Ok(Self { file, rest })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(u32::try_from(self.file.len()).unwrap_or(u32::MAX));
        out.put(self.file);
        out.put(self.rest);
    }
}
