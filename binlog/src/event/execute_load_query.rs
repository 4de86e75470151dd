//! `EXECUTE_LOAD_QUERY_EVENT`: a LOAD DATA statement whose file came in the events before it.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/load_data_events.h, `Execute_load_query_event`.

use codec::{DecodeError, Reader, Write};

use super::Query;

/// A [`Query`] with more fixed fields behind the length of its status variables:
///
/// | size | field             |
/// |-----:|-------------------|
/// |    4 | `file_id`         |
/// |    4 | `file_name_start` |
/// |    4 | `file_name_end`   |
/// |    1 | `duplicates`      |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecuteLoadQuery<'a> {
    /// Number that the events with the file's bytes carry.
    pub file_id: u32,
    /// Where in the statement the clause that names the file begins, in bytes.
    pub file_name_start: u32,
    /// Where that clause ends.
    pub file_name_end: u32,
    /// What happens to rows whose key exists.
    pub duplicates: LoadDuplicates,
    /// The statement.
    pub query: Query<'a>,
}

/// What LOAD DATA does with rows whose key exists. Unknown codes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoadDuplicates(
    /// The code as written.
    pub u8,
);

impl LoadDuplicates {
    /// The statement fails.
    pub const ERROR: Self = Self(0);
    /// They are left out: IGNORE, and always with LOCAL.
    pub const IGNORE: Self = Self(1);
    /// They replace the old rows.
    pub const REPLACE: Self = Self(2);
}

impl<'a> ExecuteLoadQuery<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let head = Query::decode_head(&mut reader)?;
        Ok(Self {
            file_id: reader.u32("load file id")?,
            file_name_start: reader.u32("load file name start")?,
            file_name_end: reader.u32("load file name end")?,
            duplicates: LoadDuplicates(reader.u8("load duplicates")?),
            query: head.decode_rest(reader)?,
        })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.query.encode_with(out, |out| {
            out.put_u32(self.file_id);
            out.put_u32(self.file_name_start);
            out.put_u32(self.file_name_end);
            out.put_u8(self.duplicates.0);
        });
    }
}
