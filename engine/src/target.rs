//! The `Target` seam: where an applier puts the changes of a source.
//!
//! ```text
//! begin ( begin_transaction (rows | statement)* (end_transaction | rollback_transaction) )*
//!       ( commit | rollback )
//! ```
//! Several transactions of the source share one commit of the target, and the position that they
//! lead to is committed with them: that is what makes applying exactly once. A target knows no log,
//! no filter and no source; what it cannot take it refuses, it never approximates.

pub mod conformance;
mod sqlite;

pub use sqlite::SqliteTarget;

use std::fmt;

use binlog::event::StatusVariables;
use binlog::row::{RowsEvent, TableMap};

pub use crate::apply::DdlOutcome as StatementOutcome;
pub use crate::database::Applied as AppliedPosition;
use crate::error::EngineError;
use sql::error::SqlError;

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

/// Why a target did not take a change.
#[derive(Debug)]
#[non_exhaustive]
pub enum TargetError {
    /// The rows here are not those of the source: a row to change is missing, or one to insert is
    /// there already.
    Conflict(SqlError),
    /// The target cannot represent the change.
    Unsupported(SqlError),
    /// A statement failed.
    Sql(SqlError),
    /// The store failed.
    Engine(EngineError),
}

impl TargetError {
    /// MySQL's error number.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::Conflict(error) | Self::Unsupported(error) | Self::Sql(error) => error.code,
            // ER_RECORD_FILE_FULL
            Self::Engine(error) if error.is_disk_full() => 1114,
            // ER_GET_ERRNO: the storage engine gave an error.
            Self::Engine(_) => 1030,
        }
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(error) | Self::Unsupported(error) | Self::Sql(error) => {
                f.write_str(&error.message)
            }
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TargetError {}

impl From<EngineError> for TargetError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Sql(error) => Self::Sql(error),
            error => Self::Engine(error),
        }
    }
}

/// A store that takes the changes of a source.
pub trait Target: Send {
    /// What the last commit that survived stands for; empty for a new target.
    fn recover(&mut self) -> Result<AppliedPosition, TargetError>;

    /// Begins a commit group.
    fn begin(&mut self) -> Result<(), TargetError>;

    /// Begins a transaction of the source in the open group.
    fn begin_transaction(&mut self) -> Result<(), TargetError>;

    /// Applies the rows of one event and returns how many there were. On error the transaction has
    /// to be rolled back.
    fn rows(&mut self, change: &RowsChange<'_>) -> Result<u64, TargetError>;

    /// Executes a statement, or says that it concerns nothing that a target keeps. On error the
    /// transaction has to be rolled back.
    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError>;

    /// Keeps the transaction's changes for the group's commit.
    fn end_transaction(&mut self) -> Result<(), TargetError>;

    /// Undoes the transaction; those before it in the group stay.
    fn rollback_transaction(&mut self) -> Result<(), TargetError>;

    /// Commits the group and, in the same commit, the position it leads to.
    fn commit(&mut self, position: &AppliedPosition) -> Result<(), TargetError>;

    /// Makes every commit outlive a power loss. False when that has to wait for somebody and should
    /// be tried again later. No group may be open.
    fn make_durable(&mut self) -> Result<bool, TargetError> {
        Ok(true)
    }

    /// Undoes the group.
    fn rollback(&mut self) -> Result<(), TargetError>;

    /// Commits `position` alone: RESET REPLICA and the like. No group may be open.
    fn set_position(&mut self, position: &AppliedPosition) -> Result<(), TargetError> {
        self.begin()?;
        self.commit(position)
    }
}
