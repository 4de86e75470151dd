//! `EXEC_LOAD_EVENT` and `DELETE_FILE_EVENT`: the end of the file of a LOAD DATA: it is loaded (the
//! first, up to MySQL 4.1), or forgotten because the statement failed.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/load_data_events.h, `Delete_file_event`.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field     |
/// |-------:|-----:|-----------|
/// |      0 |    4 | `file_id` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileEnd {
    /// Number that all events of the file carry.
    pub file_id: u32,
}

impl FileEnd {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let file_id = reader.u32("file id")?;
        reader.finish("file event")?;
        Ok(Self { file_id })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.file_id);
    }
}
