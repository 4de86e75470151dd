//! What is known of the transaction that is read.

use std::fmt;

use gtid::{Gtid, MariaGtid};

use crate::event::{CommitTimestamps, LogicalClock};
use crate::stream::Place;

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
    /// Whether its last event was seen.
    pub is_complete: bool,
}
