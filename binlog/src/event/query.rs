//! `QUERY_EVENT`: a statement: DDL, BEGIN, COMMIT, SAVEPOINT, XA, and DML in statement format.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/statement_events.h, `Query_event`.

mod status;

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

pub use status::{Charset, StatusVariable, StatusVariables};

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

impl<'a> Query<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let thread_id = reader.u32("query thread id")?;
        let exec_time = reader.u32("query execution time")?;
        let schema_len = reader.u8("query schema length")?;
        let error_code = reader.u16("query error code")?;
        let status_len = reader.u16("query status length")?;
        let status = reader.sub(usize::from(status_len), "query status variables")?;
        let status = StatusVariables::decode(status)?;
        let schema = reader.bytes(usize::from(schema_len), "query schema")?;
        reader.u8("query schema end")?;
        let sql = reader.rest();
        Ok(Self {
            thread_id,
            exec_time,
            error_code,
            status,
            schema: Cow::Borrowed(schema),
            sql: Cow::Borrowed(sql),
        })
    }

    /// Appends the body. A schema name longer than 255 bytes, which MySQL cannot have, is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let schema_len = u8::try_from(self.schema.len()).unwrap_or(u8::MAX);
        let mut status = Vec::with_capacity(96);
        self.status.encode(&mut status);
        out.put_u32(self.thread_id);
        out.put_u32(self.exec_time);
        out.put_u8(schema_len);
        out.put_u16(self.error_code);
        out.put_u16(u16::try_from(status.len()).unwrap_or(u16::MAX));
        out.put(&status);
        let schema = self.schema.get(..usize::from(schema_len));
        out.put_nul_terminated(schema.unwrap_or(&[]));
        out.put(&self.sql);
    }

    /// Whether the statement begins, byte for byte, a transaction's events: `BEGIN`.
    #[must_use]
    pub fn is_begin(&self) -> bool {
        self.sql.as_ref() == b"BEGIN"
    }

    /// Whether the statement is the one that ends a transaction without XID: `COMMIT`.
    #[must_use]
    pub fn is_commit(&self) -> bool {
        self.sql.as_ref() == b"COMMIT"
    }
}
