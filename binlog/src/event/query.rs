//! `QUERY_EVENT`: a statement: DDL, BEGIN, COMMIT, SAVEPOINT, XA, and DML in statement format.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/statement_events.h, `Query_event`.

mod status;

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

pub use status::{Charset, StatusVariable, StatusVariables, session_flag};

use super::EventFormat;

/// | offset | size | field                                         |
/// |-------:|-----:|-----------------------------------------------|
/// |      0 |    4 | `thread_id`                                   |
/// |      4 |    4 | `exec_time`                                   |
/// |      8 |    1 | length of `schema`                            |
/// |      9 |    2 | `error_code`                                  |
/// |     11 |    2 | length of `status`                            |
/// |     13 |      | `status`                                      |
/// |        |      | `schema`, NUL                                 |
/// |        | rest | `sql`                                         |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<'a> {
    /// Connection that ran the statement.
    pub thread_id: u32,
    /// Seconds it took.
    pub exec_time: u32,
    /// Error the statement is expected to end in; 0 for none.
    pub error_code: u16,
    /// State of the session that ran the statement.
    pub status: StatusVariables<'a>,
    /// Default schema, empty for none. UTF-8, at most 255 bytes.
    pub schema: Cow<'a, [u8]>,
    /// The statement, in the client's charset ([`Charset::client`]).
    pub sql: Cow<'a, [u8]>,
}

/// The fixed fields of a statement, read before the others.
pub(super) struct QueryHead {
    thread_id: u32,
    exec_time: u32,
    schema_len: u8,
    error_code: u16,
    status_len: u16,
}

impl<'a> Query<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        Self::decode_head(&mut reader)?.decode_rest(reader)
    }

    /// Decodes the body in a stream of `format`: before version 4 there are no status variables and
    /// no length of theirs.
    pub fn decode_as(mut reader: Reader<'a>, format: EventFormat) -> Result<Self, DecodeError> {
        if format.binlog_version >= 4 {
            return Self::decode(reader);
        }
        QueryHead::decode(&mut reader, false)?.decode_rest(reader)
    }

    pub(super) fn decode_head(reader: &mut Reader<'a>) -> Result<QueryHead, DecodeError> {
        QueryHead::decode(reader, true)
    }

    /// Appends the body. A schema name longer than 255 bytes, which MySQL cannot have, is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.encode_with(out, |_| {});
    }

    /// Appends the body as a stream of `format` has it.
    pub fn encode_as(&self, out: &mut Vec<u8>, format: EventFormat) {
        if format.binlog_version >= 4 {
            return self.encode(out);
        }
        let schema = self.encode_head(out);
        out.put_nul_terminated(schema);
        out.put(&self.sql);
    }

    /// Appends the body with more fixed fields, which `more` appends.
    pub(super) fn encode_with(&self, out: &mut Vec<u8>, more: impl FnOnce(&mut Vec<u8>)) {
        let schema = self.encode_head(out);
        let mut status = Vec::with_capacity(96);
        self.status.encode(&mut status);
        out.put_u16(u16::try_from(status.len()).unwrap_or(u16::MAX));
        more(out);
        out.put(&status);
        out.put_nul_terminated(schema);
        out.put(&self.sql);
    }

    /// Appends the fields that every version has; returns as much of the schema as can be written.
    fn encode_head(&self, out: &mut Vec<u8>) -> &[u8] {
        let schema_len = u8::try_from(self.schema.len()).unwrap_or(u8::MAX);
        out.put_u32(self.thread_id);
        out.put_u32(self.exec_time);
        out.put_u8(schema_len);
        out.put_u16(self.error_code);
        self.schema.get(..usize::from(schema_len)).unwrap_or(&[])
    }

    /// The same statement with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> Query<'static> {
        Query {
            thread_id: self.thread_id,
            exec_time: self.exec_time,
            error_code: self.error_code,
            status: self.status.into_owned(),
            schema: Cow::Owned(self.schema.into_owned()),
            sql: Cow::Owned(self.sql.into_owned()),
        }
    }
}

impl QueryHead {
    fn decode(reader: &mut Reader<'_>, has_status: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            thread_id: reader.u32("query thread id")?,
            exec_time: reader.u32("query execution time")?,
            schema_len: reader.u8("query schema length")?,
            error_code: reader.u16("query error code")?,
            status_len: if has_status {
                reader.u16("query status length")?
            } else {
                0
            },
        })
    }

    /// Decodes what follows the fixed fields.
    pub(super) fn decode_rest<'a>(self, mut reader: Reader<'a>) -> Result<Query<'a>, DecodeError> {
        let status = reader.sub(usize::from(self.status_len), "query status variables")?;
        let status = StatusVariables::decode(status)?;
        let schema = reader.bytes(usize::from(self.schema_len), "query schema")?;
        reader.u8("query schema end")?;
        Ok(Query {
            thread_id: self.thread_id,
            exec_time: self.exec_time,
            error_code: self.error_code,
            status,
            schema: Cow::Borrowed(schema),
            sql: Cow::Borrowed(reader.rest()),
        })
    }
}
