//! What a session is given: the head of a transaction, rows, statements.

use binlog::event::{EventFormat, EventHeader, FormatDescription, Query};
use binlog::row::{RowsEvent, TableMap};
use binlog::transaction::{StatementKind, TransactionGtid};
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

/// What the log says of an event beside its content.
#[derive(Debug, Clone, Copy)]
pub struct Logged<'a> {
    /// Its header.
    pub header: EventHeader,
    /// How events of its file look.
    pub format: EventFormat,
    /// The description that its file begins with.
    pub description: &'a FormatDescription,
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
    /// The event.
    pub logged: Logged<'a>,
}

/// A statement that is replicated as text.
#[derive(Debug, Clone, Copy)]
pub struct StatementChange<'a> {
    /// Default database here, which a filter may have renamed; empty for none.
    pub database: &'a str,
    /// The statement, in the charset that its session names, and that session.
    pub query: &'a Query<'a>,
    /// What kind of statement it is.
    pub kind: StatementKind,
    /// The event.
    pub logged: Logged<'a>,
}

impl StatementChange<'_> {
    /// When it began on its source: microseconds since 1970 UTC.
    #[must_use]
    pub fn now_micros(&self) -> i64 {
        let micros = i64::from(self.query.status.microseconds().unwrap_or(0));
        i64::from(self.logged.header.timestamp) * 1_000_000 + micros
    }
}
