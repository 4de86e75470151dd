//! Why a primary does not start or stops.

use std::io;
use std::path::PathBuf;

use binlog::log::{LogError, LogPosition};
use engine::error::EngineError;

/// A failure of the node itself; clients get [`sql::error::SqlError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrimaryError {
    /// The data directory is not opened.
    #[error(transparent)]
    Datadir(#[from] server::datadir::DatadirError),
    /// The machine refused a file operation.
    #[error("{doing} {}: {source}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
    /// The binary log is damaged or cannot be written.
    #[error("binary log: {0}")]
    Log(#[from] LogError),
    /// The engine is damaged or cannot be written.
    #[error("engine: {0}")]
    Engine(#[from] EngineError),
    /// Engine and log do not belong together.
    #[error(
        "the engine stands at {engine}, but {found}; the log was cut or belongs to another data \
         directory, and rolling forward from it would not give what was committed"
    )]
    Diverged {
        /// The engine's own position.
        engine: String,
        /// What the log says about that place.
        found: String,
    },
    /// A transaction of the log cannot be applied to the engine.
    #[error("rolling the engine forward, transaction {transaction} that begins at {at}: {reason}")]
    RollForward {
        /// Where the transaction begins.
        at: LogPosition,
        /// Its GTID, or `ANONYMOUS`.
        transaction: String,
        /// Why not.
        reason: String,
        /// Whether that is a full disk.
        is_disk_full: bool,
    },
    /// The disk is too full to bring the engine to the end of the log; without that what was
    /// acknowledged could not be read.
    #[error(
        "no space left to recover: about {} MiB must be free in {}, more if the last transactions \
         were larger; nothing is lost, start again when there is room ({source})",
        .bytes >> 20,
        .directory.display()
    )]
    NoRoom {
        /// How much is needed, about.
        bytes: u64,
        /// Where.
        directory: PathBuf,
        /// What found no room.
        source: Box<PrimaryError>,
    },
    /// The log's encryption cannot be set up.
    #[error(transparent)]
    Encryption(#[from] server::encryption::EncryptionSetupError),
    /// A setting does not fit.
    #[error("{0}")]
    Setting(String),
    /// The face shown to clients failed.
    #[error("{0}")]
    Server(String),
}

impl PrimaryError {
    /// Whether the cause is a full disk.
    pub(crate) fn is_disk_full(&self) -> bool {
        match self {
            Self::Engine(error) => error.is_disk_full(),
            Self::Log(error) => error.is_no_space(),
            Self::Io { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::RollForward { is_disk_full, .. } => *is_disk_full,
            Self::NoRoom { .. } => true,
            Self::Datadir(_)
            | Self::Diverged { .. }
            | Self::Encryption(_)
            | Self::Setting(_)
            | Self::Server(_) => false,
        }
    }

    /// An I/O error.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.into(),
            source,
        }
    }
}
