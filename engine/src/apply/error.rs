//! Why a change from a log could not be applied.

use std::fmt;

use codec::DecodeError;

use crate::error::EngineError;
use sql::error::SqlError;

/// Why a change from a log could not be applied.
#[derive(Debug)]
pub enum ApplyError {
    /// The local row is missing (1032) or in the way (1062): the copies differ.
    Conflict {
        /// `Write_rows`, `Update_rows` or `Delete_rows`.
        event: &'static str,
        /// `database.table`.
        table: String,
        /// MySQL's error.
        error: SqlError,
    },
    /// The stored row is not the one that the log says was changed.
    BeforeImage {
        /// `database.table`.
        table: String,
        /// Name of the first column that differs.
        column: String,
    },
    /// The local table is missing (1146) or of another shape (1677).
    Incompatible {
        /// MySQL's error.
        error: SqlError,
    },
    /// A DDL statement failed or is not supported.
    Statement {
        /// MySQL's error.
        error: SqlError,
        /// Default database.
        database: String,
        /// The statement.
        sql: String,
    },
    /// The event's bytes are damaged.
    Corrupt(DecodeError),
    /// The engine failed.
    Engine(EngineError),
}

impl ApplyError {
    /// MySQL's error number, for Last_SQL_Errno.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            ApplyError::Conflict { error, .. }
            | ApplyError::Incompatible { error }
            | ApplyError::Statement { error, .. } => error.code,
            ApplyError::BeforeImage { .. } => 1032,
            // ER_REPLICA_CORRUPT_EVENT
            ApplyError::Corrupt(_) => 1610,
            ApplyError::Engine(EngineError::Sql(error)) => error.code,
            ApplyError::Engine(error) if error.is_disk_full() => 1114,
            ApplyError::Engine(_) => 1030,
        }
    }
}

impl fmt::Display for ApplyError {
    /// MySQL's texts, without the position that the applier adds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApplyError::Conflict {
                event,
                table,
                error,
            } => {
                let handler = match error.code {
                    1032 => "HA_ERR_KEY_NOT_FOUND",
                    1062 => "HA_ERR_FOUND_DUPP_KEY",
                    _ => "HA_ERR_GENERIC",
                };
                write!(
                    f,
                    "Could not execute {event} event on table {table}; {}, Error_code: {}; handler error {handler}",
                    error.message, error.code
                )
            }
            ApplyError::BeforeImage { table, column } => {
                write!(
                    f,
                    "The row of table {table} differs from the log's before image in column {column}"
                )
            }
            ApplyError::Incompatible { error } => f.write_str(&error.message),
            ApplyError::Statement {
                error,
                database,
                sql,
            } => write!(
                f,
                "Error '{}' on query. Default database: '{database}'. Query: '{sql}'",
                error.message
            ),
            ApplyError::Corrupt(error) => write!(f, "The event is damaged: {error}"),
            ApplyError::Engine(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ApplyError {}

impl From<DecodeError> for ApplyError {
    fn from(error: DecodeError) -> ApplyError {
        ApplyError::Corrupt(error)
    }
}

impl From<EngineError> for ApplyError {
    fn from(error: EngineError) -> ApplyError {
        ApplyError::Engine(error)
    }
}
