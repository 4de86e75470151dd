//! Why receiving failed, in MySQL's numbers and an operator's words.

use std::time::Duration;

use binlog::log::LogError;
use binlog::transaction::Executed;
use protocol::ErrPacket;

use super::core::StreamError;

/// Why the receiver lost its stream or could not begin one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiverError {
    /// No source is configured.
    #[error(
        "no replication source is configured; set source-host or run CHANGE REPLICATION SOURCE TO"
    )]
    NoSource,
    /// The connection could not be made.
    #[error("Error connecting to source '{user}@{address}'. Message: {source}")]
    Connect {
        /// As whom.
        user: String,
        /// Host and port.
        address: String,
        /// What went wrong.
        source: protocol::Error,
    },
    /// The source refused something that was asked of it before the dump.
    #[error("the source refused to {asked}: {refusal}")]
    Setup {
        /// What was asked.
        asked: &'static str,
        /// Its answer.
        refusal: ErrPacket,
    },
    /// The source refused or ended the dump.
    #[error("Got fatal error {} from source when reading data from binary log: '{}'", .0.code, .0.message)]
    Dump(ErrPacket),
    /// The connection broke.
    #[error("lost connection to the source: {0}")]
    Lost(protocol::Error),
    /// The source ended the stream.
    #[error("the source ended the stream of events")]
    Ended,
    /// Nothing came, not even a heartbeat.
    #[error("the source sent nothing, not even a heartbeat, for {seconds} s (replica_net_timeout)")]
    Silent {
        /// `replica_net_timeout`.
        seconds: u64,
    },
    /// The source took the connection and then answered nothing.
    #[error("the source did not answer for {seconds} s (replica_net_timeout)")]
    Unanswered {
        /// `replica_net_timeout`.
        seconds: u64,
    },
    /// The source lost transactions that it had sent: its log was reset.
    #[error(
        "the source no longer has transactions that it sent ({lacking}): its binary log was reset, and nothing more would arrive"
    )]
    Reset {
        /// The transactions.
        lacking: Executed,
    },
    /// What came cannot be taken.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// Source and replica have one server id.
    #[error(
        "The replica I/O thread stops because source and replica have equal MySQL server ids ({server_id}); these ids must be different for replication to work."
    )]
    EqualServerIds {
        /// The id.
        server_id: u32,
    },
    /// Source and replica have one UUID: one data directory is a copy of the other's.
    #[error(
        "The replica I/O thread stops because source and replica have equal MySQL server UUIDs ({uuid}); these UUIDs must be different for replication to work."
    )]
    EqualUuids {
        /// The UUID.
        uuid: String,
    },
    /// Auto-position against a source without GTIDs.
    #[error(
        "The replica I/O thread stops because the source has @@GLOBAL.GTID_MODE = {found} and this replica asks for SOURCE_AUTO_POSITION = 1."
    )]
    GtidMode {
        /// The source's mode.
        found: String,
    },
    /// The source is a MariaDB server without GTIDs.
    #[error(
        "the source is {version}, which has no GTIDs, and this replica asks for SOURCE_AUTO_POSITION = 1"
    )]
    NoMariadbGtids {
        /// The version it reports.
        version: String,
    },
    /// The file position cannot be asked for: the protocol has 32 bits for it.
    #[error(
        "position {offset} in {file} is beyond 4 GiB; a dump by file and position cannot begin there, use SOURCE_AUTO_POSITION=1"
    )]
    BeyondProtocol {
        /// The source's file.
        file: String,
        /// The position in bytes.
        offset: u64,
    },
    /// A TLS file of the settings cannot be read.
    #[error("cannot read {path}: {source}")]
    TlsFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The relay log could not take what came.
    #[error("relay log: {0}")]
    RelayLog(#[from] LogError),
}

impl ReceiverError {
    /// The beginning of a sentence that says what happened to the receiver.
    #[must_use]
    pub const fn what_happened(&self) -> &'static str {
        match self {
            Self::Connect {
                source: protocol::Error::Refused(_) | protocol::Error::Auth(_),
                ..
            } => "the receiver was not let in by its source",
            Self::Connect { .. } => "the receiver cannot reach its source",
            Self::Reset { .. } => "the receiver follows a log that is gone",
            Self::Setup { .. } | Self::Dump(_) => "the receiver was refused by its source",
            Self::Lost(_) | Self::Ended | Self::Silent { .. } | Self::Unanswered { .. } => {
                "the receiver lost its source"
            }
            Self::Stream(_) => "the receiver got what it cannot take",
            Self::RelayLog(_) => "the receiver cannot write its relay log",
            Self::NoSource
            | Self::EqualServerIds { .. }
            | Self::EqualUuids { .. }
            | Self::GtidMode { .. }
            | Self::NoMariadbGtids { .. }
            | Self::BeyondProtocol { .. }
            | Self::TlsFile { .. } => "the receiver cannot follow its source",
        }
    }

    /// Whether it ends when somebody makes room, however long that takes.
    #[must_use]
    pub const fn waits_for_room(&self) -> bool {
        matches!(self, Self::RelayLog(LogError::NoSpace { .. }))
    }

    /// The text for `Last_IO_Error` while attempts go on; connecting is told in MySQL's words.
    #[must_use]
    pub fn with_attempt(&self, failed: u32, retry_count: u32, pause: Duration) -> String {
        let seconds = pause.as_secs_f64();
        match self {
            Self::Connect {
                user,
                address,
                source,
            } => format!(
                "Error connecting to source '{user}@{address}'. This was attempt \
                 {failed}/{retry_count}, with a delay of {seconds} seconds between attempts. \
                 Message: {source}"
            ),
            error => format!("{error}; attempt {failed}, the next one in {seconds} s"),
        }
    }

    /// Whether another attempt may succeed without anyone doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Lost(_)
            | Self::Ended
            | Self::Silent { .. }
            | Self::Unanswered { .. }
            | Self::Reset { .. } => true,
            Self::Stream(StreamError::Damaged { .. } | StreamError::Heartbeat { .. }) => true,
            Self::RelayLog(error) => matches!(error, LogError::NoSpace { .. }),
            Self::Setup { refusal, .. } | Self::Dump(refusal) => is_shutdown(refusal.code),
            _ => false,
        }
    }

    /// `Last_IO_Errno`.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::Connect { source, .. } => match source {
                protocol::Error::Refused(refusal) => refusal.code,
                protocol::Error::Tls(_) => 2026,
                protocol::Error::Auth(_) => 2061,
                // CR_COMPRESSION_WRONGLY_CONFIGURED
                protocol::Error::NoCommonCompression(_) => 2066,
                protocol::Error::Io(error) if is_unknown_host(error) => 2005,
                protocol::Error::Io(_) => 2003,
                _ => 2013,
            },
            Self::Lost(protocol::Error::Refused(refusal)) => refusal.code,
            Self::Lost(_) | Self::Ended | Self::Silent { .. } | Self::Unanswered { .. } => 2013,
            Self::Stream(StreamError::Damaged { .. }) => 1744,
            Self::Stream(StreamError::GtidMode { .. }) => 1593,
            // ER_GTID_STRICT_OUT_OF_ORDER
            Self::Stream(StreamError::OutOfOrder { .. }) => 1950,
            // ER_REPLICA_HEARTBEAT_FAILURE
            Self::Stream(StreamError::Heartbeat { .. }) => 1623,
            Self::Stream(_) => 1595,
            Self::RelayLog(_) => 1595,
            Self::Dump(refusal) => refusal.code,
            // ER_SOURCE_FATAL_ERROR_READING_BINLOG
            Self::Reset { .. } => 1236,
            Self::Setup { refusal, .. } => refusal.code,
            Self::NoSource => 1200,
            _ => 13117,
        }
    }
}

/// The source is going away: ER_SERVER_SHUTDOWN and its kin, and a dump killed by a newer one of
/// this same replica is not.
const fn is_shutdown(code: u16) -> bool {
    matches!(
        code,
        1040 | 1053 | 1077 | 1079 | 1152 | 1158 | 1159 | 1160 | 1161 | 3169
    )
}

/// Name resolution fails without an error number of the system, a refused connection with one.
fn is_unknown_host(error: &std::io::Error) -> bool {
    error.raw_os_error().is_none() && error.kind() != std::io::ErrorKind::TimedOut
}
