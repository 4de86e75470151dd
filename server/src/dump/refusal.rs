//! Why a dump is refused or ends, in MySQL's words.
//!
//! Replicas and tools act on these texts, and an operator finds them in MySQL's documentation, so
//! they are kept to the letter. Once the stream has begun MySQL adds where it was.
//!
//! Spec: mysql-server 8.4, `sql/rpl_binlog_sender.cc`; texts as MySQL 9.7 sent them.

use binlog::log::{Damage, LogError, LogPosition, MAX_EVENT_BYTES};
use gtid::GtidSet;
use protocol::ErrPacket;

/// ER_SOURCE_FATAL_ERROR_READING_BINLOG, for everything that a dump can come to.
const FATAL: u16 = 1236;
/// MySQL cuts its messages here.
const MESSAGE_BYTES_MAX: usize = 511;

/// Why a dump is refused or ends.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The position lies before the first event.
    PositionTooSmall,
    /// The position lies behind the end of the file.
    PositionTooLarge,
    /// The log has no such file.
    UnknownFile,
    /// The replica asks by GTIDs, but gtid_mode is OFF.
    GtidModeOff,
    /// The replica has transactions of this server that this server has not.
    ReplicaAhead,
    /// Transactions that the replica lacks are in no file any more.
    Purged {
        /// What the replica has.
        held: GtidSet,
        /// What it lacks and cannot get.
        missing: GtidSet,
    },
    /// The replica does not know checksums, and the log has them.
    ChecksumUnaware,
    /// The same replica connected anew.
    Replaced,
    /// MariaDB's replica asks by MariaDB's GTIDs, which this log does not have.
    MariadbPosition,
    /// The log cannot be read.
    Log(LogError),
}

/// How far a stream had come when it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The file that was asked for; empty when asked by GTIDs.
    pub(super) first_file: String,
    /// The position that was asked for.
    pub(super) first_offset: u64,
    /// Behind the last event that was read.
    pub(super) last_event: Option<LogPosition>,
}

impl Refusal {
    /// The refusal as a packet. With `progress` it says where the stream was.
    pub(super) fn packet(&self, progress: Option<&Progress>) -> ErrPacket {
        let mut message = self.to_string();
        if let Some(progress) = progress {
            let (file, offset) = match &progress.last_event {
                Some(position) => (format!("./{}", position.file), position.offset),
                None => (String::new(), 0),
            };
            message = format!(
                "{message}; the first event '{}' at {}, the last event read from '{file}' at \
                 {offset}, the last byte read from '{file}' at {offset}.",
                progress.first_file, progress.first_offset
            );
        }
        let cut = message.floor_char_boundary(MESSAGE_BYTES_MAX);
        message.truncate(cut);
        ErrPacket::new(FATAL, b"HY000", message)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Self::PositionTooSmall => {
                "Client requested source to start replication from position < 4"
            }
            Self::PositionTooLarge => {
                "Client requested source to start replication from position > file size"
            }
            Self::UnknownFile => "Could not find first log file name in binary log index file",
            Self::GtidModeOff => {
                "The replication sender thread cannot start in AUTO_POSITION mode: this server \
                 has GTID_MODE = OFF instead of ON."
            }
            Self::ReplicaAhead => {
                "Replica has more GTIDs than the source has, using the source's SERVER_UUID. This \
                 may indicate that the the last binary log file was truncated or lost, e.g., \
                 after a power failure when sync_binlog != 1. The source may have rolled back \
                 transactions that were already replicated to the replica. Replicate any \
                 transactions that source has rolled back from replica to source, and/or commit \
                 empty transactions on source to account for transactions that have been \
                 committed on source but are not included in GTID_EXECUTED."
            }
            Self::Purged { held, missing } => {
                return write!(
                    f,
                    "Cannot replicate because the source purged required binary logs. Replicate \
                     the missing transactions from elsewhere, or provision a new replica from \
                     backup. Consider increasing the source's binary log expiration period. The \
                     GTID set sent by the replica is '{held}', and the missing transactions are \
                     '{missing}'"
                );
            }
            Self::ChecksumUnaware => {
                "Replica can not handle replication events with the checksum that source is \
                 configured to log"
            }
            Self::Replaced => {
                "A replica with the same server_uuid/server_id as this replica has connected to \
                 the source"
            }
            // Differs from MySQL: it knows no such replica, and so has no words for it.
            Self::MariadbPosition => {
                "The source's binary log has no MariaDB GTIDs; use CHANGE MASTER TO \
                 MASTER_USE_GTID=no with MASTER_LOG_FILE and MASTER_LOG_POS"
            }
            Self::Log(error) => log_error(error),
        };
        f.write_str(text)
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Log(error) => Some(error),
            _ => None,
        }
    }
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        match error {
            LogError::UnknownFile { .. } | LogError::MissingFile { .. } => Self::UnknownFile,
            error => Self::Log(error),
        }
    }
}

fn log_error(error: &LogError) -> &'static str {
    let LogError::Corrupt(corrupt) = error else {
        return "I/O error reading log event";
    };
    match &corrupt.damage {
        Damage::BadChecksum => "Event crc check failed! Most likely there is event corruption.",
        Damage::Truncated { .. } => {
            "binlog truncated in the middle of event; consider out of disk space on source"
        }
        Damage::BadSize { size } if *size > MAX_EVENT_BYTES => {
            "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source"
        }
        _ => "bogus data in log event",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_in_the_stream_says_where_it_was() {
        let file = binlog::log::LogFileName::new("binlog", 3);
        let progress = Progress {
            first_file: String::new(),
            first_offset: 4,
            last_event: Some(LogPosition::new(file, 3654)),
        };
        assert_eq!(
            Refusal::Replaced.packet(Some(&progress)).message,
            "A replica with the same server_uuid/server_id as this replica has connected to the \
             source; the first event '' at 4, the last event read from './binlog.000003' at 3654, \
             the last byte read from './binlog.000003' at 3654."
        );
    }

    #[test]
    fn a_long_text_ends_where_mysql_cuts_it() {
        let message = Refusal::ReplicaAhead.packet(None).message;
        assert_eq!(message.len(), MESSAGE_BYTES_MAX);
    }
}
