//! `EngineError`: the store itself failed.
//!
//! A statement that meets one answers with MySQL's storage engine error (1030, or 1114 when the
//! disk is full), so that clients see a number they know; the operator sees the cause.

use std::fmt;

use sql::error::SqlError;

/// A failure of the store, by who must act.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// SQLite refused or failed an operation.
    Sqlite {
        /// What was being done, for instance `commit`.
        doing: &'static str,
        /// SQLite's own error.
        source: rusqlite::Error,
    },
    /// The machine refused a file operation of the store's own.
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the machine said.
        source: std::io::Error,
    },
    /// The file's content contradicts itself or was written by something else.
    Corrupt {
        /// What was found, with table and column ids.
        found: String,
    },
    /// The linked SQLite or the file's schema is of a version this build cannot use.
    Version {
        /// What has the version.
        what: &'static str,
        /// The version found.
        found: i64,
        /// The version needed.
        needed: i64,
    },
    /// A call out of order, for instance `commit_group` without `begin_group`.
    Misuse {
        /// The call and what it needs.
        what: &'static str,
    },
    /// A statement of the engine's own failed with an answer for a client.
    Sql(SqlError),
}

impl EngineError {
    /// Whether the same attempt may succeed later without anybody changing anything but the room on
    /// the disk: a full disk, a locked file, no memory, a failed read or write.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        let EngineError::Sqlite { source, .. } = self else {
            return false;
        };
        matches!(
            source.sqlite_error_code(),
            Some(
                rusqlite::ErrorCode::DiskFull
                    | rusqlite::ErrorCode::DatabaseBusy
                    | rusqlite::ErrorCode::DatabaseLocked
                    | rusqlite::ErrorCode::OutOfMemory
                    | rusqlite::ErrorCode::SystemIoFailure
                    | rusqlite::ErrorCode::CannotOpen
            )
        )
    }

    /// Whether the cause is a full disk: the store can go on when there is room.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            EngineError::Sqlite { source, .. } => is_disk_full(source),
            EngineError::Io { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}

fn is_disk_full(error: &rusqlite::Error) -> bool {
    let index_of_wal = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
    let extended = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
        || extended == Some(index_of_wal)
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Sqlite { doing, source } => {
                write!(f, "the engine's database failed to {doing}: {source}")
            }
            EngineError::Io { doing, source } => write!(f, "{doing}: {source}"),
            EngineError::Corrupt { found } => {
                write!(f, "the engine's database is damaged: {found}")
            }
            EngineError::Version {
                what,
                found,
                needed,
            } => {
                write!(f, "{what} has version {found}, this build needs {needed}")
            }
            EngineError::Misuse { what } => write!(f, "engine called out of order: {what}"),
            EngineError::Sql(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EngineError::Sqlite { source, .. } => Some(source),
            EngineError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<SqlError> for EngineError {
    fn from(error: SqlError) -> EngineError {
        EngineError::Sql(error)
    }
}

impl From<EngineError> for SqlError {
    fn from(error: EngineError) -> SqlError {
        if error.is_disk_full() {
            return SqlError::record_file_full("weir");
        }
        match error {
            EngineError::Sql(error) => error,
            other => SqlError::storage_engine(other),
        }
    }
}

/// SQLite's refusal of a statement without the statement, which may be long and is not the client's.
fn without_text(source: rusqlite::Error) -> rusqlite::Error {
    match source {
        rusqlite::Error::SqlInputError { error, msg, .. } => {
            rusqlite::Error::SqliteFailure(error, Some(msg))
        }
        other => other,
    }
}

/// Whether SQLite refused a statement's text for its depth: what MySQL calls a stack overrun.
fn is_too_deep(source: &rusqlite::Error) -> bool {
    let text = source.to_string();
    [
        "Expression tree is too large",
        "parser stack overflow",
        "too many terms in compound SELECT",
        "Recursion limit",
    ]
    .iter()
    .any(|known| text.contains(known))
}

/// The answer to a statement inside which SQLite failed in a way that no MySQL error describes
/// better.
pub(crate) fn sqlite_failed(source: rusqlite::Error) -> SqlError {
    if is_too_deep(&source) {
        return too_deep();
    }
    EngineError::Sqlite {
        doing: "run a statement",
        source: without_text(source),
    }
    .into()
}

/// The answer to a query that SQLite refused or ended.
pub(crate) fn query_failed(source: &rusqlite::Error) -> SqlError {
    match source {
        source if is_too_deep(source) => too_deep(),
        rusqlite::Error::SqlInputError { msg, .. } => SqlError::storage_engine(msg),
        source => SqlError::storage_engine(source),
    }
}

fn too_deep() -> SqlError {
    SqlError::new(
        1436,
        "HY000",
        "Thread stack overrun: the statement is nested too deeply",
    )
}
