//! Why a target did not take a change, by who must act.

use std::fmt;

use engine::apply::ApplyError;
use engine::error::EngineError;
use sql::error::SqlError;

/// Why a target did not take a change. Each holds MySQL's number and a sentence.
#[derive(Debug)]
#[non_exhaustive]
pub enum TargetError {
    /// The rows here are not those of the source: a row to change is missing, or one to insert is
    /// there already. Whoever answers for the data has to look.
    Conflict(SqlError),
    /// A statement failed here that succeeded on the source.
    Statement(SqlError),
    /// The target cannot represent the change. It has to be filtered out, or another target taken.
    Unsupported(SqlError),
    /// What stood in the way passes: a lock, a full disk, a lost connection. Nothing was kept; the
    /// same may be tried again.
    Retry(SqlError),
    /// The connection was lost while a commit ran: only the target knows whether it took place, so
    /// that [`crate::Store::recover`] has to be asked.
    CommitUnknown(SqlError),
    /// The target is not set up for this: a privilege, a setting.
    Config(SqlError),
    /// What the target holds cannot be what it was given, or the applier broke its rules.
    Corrupt(SqlError),
}

impl TargetError {
    /// The number and the text.
    #[must_use]
    pub const fn sql(&self) -> &SqlError {
        match self {
            Self::Conflict(error)
            | Self::Statement(error)
            | Self::Unsupported(error)
            | Self::Retry(error)
            | Self::CommitUnknown(error)
            | Self::Config(error)
            | Self::Corrupt(error) => error,
        }
    }

    /// MySQL's error number.
    #[must_use]
    pub const fn code(&self) -> u16 {
        self.sql().code
    }

    /// Whether the same attempt may succeed later without anybody doing anything.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Retry(_) | Self::CommitUnknown(_) => true,
            Self::Conflict(_)
            | Self::Statement(_)
            | Self::Unsupported(_)
            | Self::Config(_)
            | Self::Corrupt(_) => false,
        }
    }

    /// Whether the target could not be reached, or was lost on the way.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        // CR_CONN_HOST_ERROR, CR_SERVER_LOST; a server that goes down, has no room for a session, or is a
        // node that is not in step with its cluster.
        self.is_temporary() && matches!(self.code(), 2003 | 2013 | 1040 | 1053 | 1047)
    }

    /// Whether the target was lost in the middle of what it cannot undo: nobody knows what it has kept, and
    /// no further attempt finds out.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        // CR_SERVER_LOST
        matches!(self, Self::Config(error) if error.code == 2013)
    }

    /// A rule of the seam that was broken.
    #[must_use]
    pub fn misuse(what: &str) -> Self {
        // ER_GET_ERRNO
        Self::Corrupt(SqlError::new(1030, "HY000", what.to_owned()))
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql().message)
    }
}

impl std::error::Error for TargetError {}

impl From<EngineError> for TargetError {
    fn from(error: EngineError) -> Self {
        // ER_RECORD_FILE_FULL; ER_GET_ERRNO: the storage engine gave an error.
        let code = if error.is_disk_full() { 1114 } else { 1030 };
        let (is_passing, text) = (error.is_passing(), error.to_string());
        match error {
            EngineError::Sql(error) => Self::Statement(error),
            _ if is_passing => Self::Retry(SqlError::new(code, "HY000", text)),
            _ => Self::Corrupt(SqlError::new(code, "HY000", text)),
        }
    }
}

impl From<ApplyError> for TargetError {
    /// The whole of MySQL's text, to which the applier adds the place in the log.
    fn from(error: ApplyError) -> Self {
        let (code, text) = (error.code(), error.to_string());
        let sql = |state| SqlError::new(code, state, text);
        match error {
            ApplyError::Conflict { .. } | ApplyError::BeforeImage { .. } => {
                Self::Conflict(sql("HY000"))
            }
            ApplyError::Incompatible { error } => Self::Unsupported(error),
            ApplyError::Statement { error, .. } if error.code == 1235 => {
                Self::Unsupported(sql("42000"))
            }
            ApplyError::Statement { error, .. } => Self::Statement(sql(error.state)),
            ApplyError::Corrupt(_) => Self::Unsupported(sql("HY000")),
            ApplyError::Engine(error) => error.into(),
        }
    }
}
