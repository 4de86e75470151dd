//! Why a replica does not start.

use std::io;
use std::path::PathBuf;

use binlog::log::LogError;
use engine::error::EngineError;
use server::ServerError;
use targets::TargetError;

use crate::source_info::SourceInfoError;

/// Why a replica does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// The data directory is not opened.
    #[error(transparent)]
    Datadir(#[from] server::datadir::DatadirError),
    /// A file cannot be read or written.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An option has a value that cannot act.
    #[error("{0}")]
    Setting(String),
    /// The relay log cannot be opened.
    #[error("the relay log cannot be opened: {0}")]
    RelayLog(#[from] LogError),
    /// The log's encryption cannot be set up.
    #[error(transparent)]
    Encryption(#[from] server::encryption::EncryptionSetupError),
    /// The engine cannot be opened.
    #[error("the engine cannot be opened: {0}")]
    Engine(#[from] EngineError),
    /// The engine cannot say what is applied.
    #[error("the engine cannot say what is applied: {0}")]
    Target(#[from] TargetError),
    /// The saved source cannot be read.
    #[error(transparent)]
    SourceInfo(#[from] SourceInfoError),
    /// Clients cannot be served.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl ReplicaError {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        Self::Io {
            doing,
            path,
            source,
        }
    }
}
