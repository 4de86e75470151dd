//! What a session is given: the head of a transaction, rows, statements.

use binlog::event::StatusVariables;
use binlog::row::{RowsEvent, TableMap};
use binlog::transaction::TransactionGtid;
pub use engine::apply::DdlOutcome as StatementOutcome;

/// What is known of a transaction of the source before its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnitHead {
    /// Its identifier.
    pub gtid: TransactionGtid,
    /// When it was committed first, in microseconds since 1970 UTC, where its source says so.
    pub commit_micros: Option<u64>,
    /// The server that committed it first.
    pub server_id: u32,
}

/// Row changes of one event.
#[derive(Debug, Clone, Copy)]
pub struct RowsChange<'a> {
    /// Database of the table here, which a filter may have renamed.
    pub database: &'a str,
    /// The table as the source described it.
    pub map: &'a TableMap<'static>,
    /// The rows, perhaps compressed; an update may hold changes of JSON values in place of them.
    pub rows: &'a RowsEvent<'a>,
}

/// A statement that is replicated as text: DDL.
#[derive(Debug, Clone, Copy)]
pub struct StatementChange<'a> {
    /// Default database here, which a filter may have renamed; empty for none.
    pub database: &'a str,
    /// The statement, in the charset that `status` names.
    pub sql: &'a [u8],
    /// State of the session that ran it.
    pub status: &'a StatusVariables<'a>,
    /// When it began there: microseconds since 1970 UTC.
    pub now_micros: i64,
    /// Version of the server that logged it.
    pub server_version: &'a str,
}
