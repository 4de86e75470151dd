//! What is known of the transaction that is read.

use std::fmt;

use gtid::{Gtid, MariaGtid};

use super::grammar::Mark;
use super::symbol::{Statement, Symbol};
use crate::event::{CommitTimestamps, Event, LogicalClock, MariadbGtidFlags};
use crate::stream::{Place, StreamEvent};

/// The identifier of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TransactionGtid {
    /// It has none: the file's server knew no GTIDs, or the transaction is anonymous.
    #[default]
    None,
    /// MySQL's.
    MySql(Gtid),
    /// MariaDB's.
    MariaDb(MariaGtid),
}

impl TransactionGtid {
    /// The identifier of the transaction that `event` begins; none if it is no GTID event.
    pub(super) fn begun_by(event: &Event<'_>) -> Self {
        match event {
            Event::Gtid(begun) => begun.gtid.map_or(Self::None, Self::MySql),
            Event::MariadbGtid(begun) => Self::MariaDb(begun.gtid),
            _ => Self::None,
        }
    }

    /// The identifier if it is one of MySQL's.
    #[must_use]
    pub const fn mysql(&self) -> Option<Gtid> {
        match self {
            Self::MySql(gtid) => Some(*gtid),
            Self::None | Self::MariaDb(_) => None,
        }
    }

    /// The identifier if it is one of MariaDB's.
    #[must_use]
    pub const fn mariadb(&self) -> Option<MariaGtid> {
        match self {
            Self::MariaDb(gtid) => Some(*gtid),
            Self::None | Self::MySql(_) => None,
        }
    }

    /// The identifier as its server writes it; `None` if there is none.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::MySql(gtid) => Some(gtid.to_string()),
            Self::MariaDb(gtid) => Some(gtid.to_string()),
        }
    }
}

impl fmt::Display for TransactionGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("ANONYMOUS"),
            Self::MySql(gtid) => gtid.fmt(f),
            Self::MariaDb(gtid) => gtid.fmt(f),
        }
    }
}

/// What a transaction does, as far as its events have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TransactionKind {
    /// Nothing of it was seen but its GTID.
    #[default]
    Begun,
    /// Changes of rows, or statements that change data, between a begin and an end.
    Dml,
    /// One statement that commits by itself: DDL, an account statement, an autocommitted statement
    /// of an old server.
    Ddl,
    /// CREATE TABLE .. SELECT as one transaction: a statement and rows.
    CreateSelect,
    /// The first phase of an XA transaction.
    XaPrepare,
    /// An XA transaction that committed in one phase.
    XaOnePhase,
    /// The second phase of an XA transaction.
    XaCommit,
    /// The end of an XA transaction that was prepared and is given up.
    XaRollback,
    /// The source could not log what happened.
    Incident,
}

impl TransactionKind {
    /// What people call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Begun => "not ended",
            Self::Dml => "changes of rows",
            Self::Ddl => "a statement",
            Self::CreateSelect => "CREATE TABLE .. SELECT",
            Self::XaPrepare => "XA PREPARE",
            Self::XaOnePhase => "XA COMMIT in one phase",
            Self::XaCommit => "XA COMMIT",
            Self::XaRollback => "XA ROLLBACK",
            Self::Incident => "an incident",
        }
    }
}

/// One transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionInfo {
    /// Its identifier.
    pub gtid: TransactionGtid,
    /// What it does.
    pub kind: TransactionKind,
    /// Where its first event lies.
    pub start: Place,
    /// Start of its first statement, in seconds since 1970.
    pub timestamp: u32,
    /// The server that wrote it first.
    pub server_id: u32,
    /// When it was committed; MySQL since 8.0.
    pub commit_timestamps: Option<CommitTimestamps>,
    /// What it depends on; MySQL since 5.7.
    pub logical_clock: Option<LogicalClock>,
    /// Announced bytes of all its events in the file it was written to; MySQL since 8.0.
    pub transaction_length: Option<u64>,
    /// Flags of MariaDB's GTID event.
    pub mariadb_flags: Option<MariadbGtidFlags>,
    /// Number that MariaDB's transactions committed together share.
    pub commit_id: Option<u64>,
    /// Whether its last event was seen.
    pub is_complete: bool,
}

impl TransactionInfo {
    /// A transaction whose first event is `event`.
    pub(super) const fn begin(event: &StreamEvent<'_>) -> Self {
        Self {
            gtid: TransactionGtid::None,
            kind: TransactionKind::Begun,
            start: event.place,
            timestamp: event.raw.header.timestamp,
            server_id: event.raw.header.server_id,
            commit_timestamps: None,
            logical_clock: None,
            transaction_length: None,
            mariadb_flags: None,
            commit_id: None,
            is_complete: false,
        }
    }

    /// Takes from an event what it says about the transaction.
    pub(super) fn learn(&mut self, event: &Event<'_>, symbol: Symbol, mark: Mark) {
        match event {
            Event::Gtid(gtid) => {
                self.gtid = TransactionGtid::begun_by(event);
                self.commit_timestamps = gtid.commit_timestamps;
                self.logical_clock = gtid.logical_clock;
                self.transaction_length = gtid.transaction_length;
            }
            Event::MariadbGtid(gtid) => {
                self.gtid = TransactionGtid::begun_by(event);
                self.mariadb_flags = Some(gtid.flags);
                self.commit_id = gtid.commit_id;
            }
            _ => {}
        }
        self.kind = self.kind_after(symbol, mark);
    }

    fn has_flag(&self, flag: MariadbGtidFlags) -> bool {
        self.mariadb_flags.is_some_and(|flags| flags.contains(flag))
    }

    fn kind_after(&self, symbol: Symbol, mark: Mark) -> TransactionKind {
        let is_single = mark == Mark::End && self.kind == TransactionKind::Begun;
        match symbol {
            Symbol::Incident => TransactionKind::Incident,
            Symbol::XaPrepare { is_one_phase: true } => TransactionKind::XaOnePhase,
            Symbol::XaPrepare { .. } | Symbol::Statement(Statement::XaStart) => {
                TransactionKind::XaPrepare
            }
            Symbol::MariadbGtid { .. } if self.has_flag(MariadbGtidFlags::PREPARED_XA) => {
                TransactionKind::XaPrepare
            }
            Symbol::Statement(Statement::XaCommit) => TransactionKind::XaCommit,
            Symbol::Statement(Statement::XaRollback) => TransactionKind::XaRollback,
            Symbol::Statement(Statement::CreateSelect) => TransactionKind::CreateSelect,
            Symbol::Statement(Statement::Ddl) if is_single => TransactionKind::Ddl,
            // A compressed statement is not looked into: its GTID says what it is.
            Symbol::Statement(Statement::Dml)
                if is_single && self.has_flag(MariadbGtidFlags::DDL) =>
            {
                TransactionKind::Ddl
            }
            Symbol::Statement(Statement::Ddl) if self.has_flag(MariadbGtidFlags::DDL) => {
                TransactionKind::CreateSelect
            }
            Symbol::Statement(
                Statement::Dml | Statement::Ddl | Statement::Savepoint | Statement::RollbackTo,
            )
            | Symbol::Rows { .. }
            | Symbol::Xid
                if self.kind == TransactionKind::Begun =>
            {
                TransactionKind::Dml
            }
            _ => self.kind,
        }
    }
}
