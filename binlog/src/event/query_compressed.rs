//! `QUERY_COMPRESSED_EVENT` (MariaDB): a [`Query`] whose statement is compressed.
//!
//! Spec: mariadb-server 11.8, sql/log_event.h, `Query_compressed_log_event`.

use std::borrow::Cow;

use codec::{DecodeError, Reader};

use super::Query;
use crate::limits::Limits;
use crate::row::compressed::CompressedRecord;

/// A [`Query`] with a compressed record in place of its statement:
///
/// | size | field                                                        |
/// |-----:|--------------------------------------------------------------|
/// |    1 | 0x80, algorithm in bits 4 to 6 (0: zlib), `n` in the low bits |
/// |    n | bytes of the statement, highest byte first                   |
/// | rest | the compressed statement                                     |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryCompressed<'a> {
    /// Everything else; [`Query::sql`] is the compressed record.
    pub query: Query<'a>,
    /// Where the record begins in the event, for errors.
    record_offset: usize,
}

impl<'a> QueryCompressed<'a> {
    /// Decodes the body; the record stays compressed.
    pub fn decode(reader: Reader<'a>) -> Result<Self, DecodeError> {
        let end = reader.offset().saturating_add(reader.remaining());
        let query = Query::decode(reader)?;
        Ok(Self {
            record_offset: end.saturating_sub(query.sql.len()),
            query,
        })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.query.encode(out);
    }

    /// The statement with its text inflated. Fails for a damaged record, and for a text larger than
    /// [`Limits::inflated_max`].
    pub fn inflate(&self, limits: &Limits) -> Result<Query<'static>, DecodeError> {
        let offset = self.record_offset;
        let record = CompressedRecord::parse(Reader::at(&self.query.sql, offset))?;
        let sql = record.inflate(limits)?;
        let query = Query {
            sql: Cow::Owned(sql),
            ..self.query.clone()
        };
        Ok(query.into_owned())
    }
}
