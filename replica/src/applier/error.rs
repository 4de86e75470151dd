//! What stops the applier, with its place.

use std::fmt;

use binlog::event::{EventType, XaName};
use binlog::log::{Damage, LogError, LogPosition, SourceCoordinates};
use binlog::transaction::TransactionGtid;
use targets::TargetError;

/// An event that was not applied, and why.
#[derive(Debug)]
pub struct ApplierError {
    /// Where the event is.
    pub place: Box<Place>,
    /// Why it was not applied.
    pub reason: Box<Reason>,
}

/// Where an event is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Start of the event in the relay log.
    pub relay: Option<LogPosition>,
    /// Where in the decompressed content of the payload event at `relay` it is, if it is inside one.
    pub inner: Option<u64>,
    /// End of the event in the source's log; inside a payload, of the payload.
    pub source: Option<SourceCoordinates>,
    /// Its type.
    pub event_type: Option<EventType>,
    /// Its transaction.
    pub gtid: TransactionGtid,
    /// The table it changes.
    pub table: Option<String>,
}

/// Why an event was not applied.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason {
    /// The relay log cannot be read.
    RelayLog(LogError),
    /// The event is damaged, or may not stand where it stands.
    Damaged(Damage),
    /// The target's position is in no file of the relay log.
    NotInRelayLog {
        /// The position.
        position: LogPosition,
    },
    /// The statement failed, or was interrupted, on the source.
    FailedOnSource {
        /// The source's error number.
        code: u16,
        /// The statement.
        sql: String,
    },
    /// A row event for no table.
    UnknownTable {
        /// Its number.
        table_id: u64,
    },
    /// The applier does not know how to apply this.
    Unsupported {
        /// What, as the subject of a sentence.
        what: String,
    },
    /// The second half of an XA transaction whose first half is not known.
    NotPrepared {
        /// Its name.
        name: XaName,
    },
    /// What is kept of a prepared XA transaction cannot be read.
    Prepared {
        /// Its name.
        name: XaName,
        /// Why.
        error: LogError,
    },
    /// The source's log does not describe everything that happened.
    Incident {
        /// The source's words.
        message: String,
    },
    /// The target did not take it.
    Target(TargetError),
}

impl ApplierError {
    pub(super) fn new(place: Place, reason: impl Into<Reason>) -> Self {
        Self {
            place: Box::new(place),
            reason: Box::new(reason.into()),
        }
    }

    /// MySQL's error number, for `Last_SQL_Errno`.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self.reason.as_ref() {
            // ER_REPLICA_RELAY_LOG_READ_FAILURE
            Reason::RelayLog(_) | Reason::Damaged(_) | Reason::NotInRelayLog { .. } => 13121,
            // ER_ERROR_ON_SOURCE
            Reason::FailedOnSource { .. } => 3001,
            // ER_REPLICA_FATAL_ERROR
            Reason::UnknownTable { .. } | Reason::Unsupported { .. } => 13117,
            // ER_XAER_NOTA
            Reason::NotPrepared { .. } => 1397,
            Reason::Prepared { .. } => 13121,
            // ER_REPLICA_INCIDENT
            Reason::Incident { .. } => 13119,
            Reason::Target(error) => error.code(),
        }
    }

    /// Whether the same attempt may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self.reason.as_ref() {
            Reason::Target(error) => error.is_temporary(),
            // Reading needs descriptors and memory that may be there later; no room is not read.
            Reason::RelayLog(error) => matches!(error, LogError::NoSpace { .. }),
            _ => false,
        }
    }
}

impl ApplierError {
    /// Whether the target could not be reached, or was lost.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self.reason.as_ref() {
            Reason::Target(error) => error.is_unreachable(),
            _ => false,
        }
    }
}

impl fmt::Display for ApplierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.as_ref() {
            Reason::RelayLog(error) => write!(f, "Relay log read failure: {error}")?,
            Reason::Damaged(Damage::Undecodable(error)) => {
                write!(f, "The event cannot be decoded: {error}")?;
            }
            Reason::Damaged(Damage::OutOfOrder(what)) => {
                write!(f, "The relay log is out of order: {what}")?;
            }
            Reason::Damaged(damage) => write!(f, "Relay log read failure: {damage}")?,
            Reason::NotInRelayLog { position } => write!(
                f,
                "Relay log read failure: the position {position} that was applied last is not in \
                 the relay log; restart the replica, which then fetches the rest again"
            )?,
            Reason::FailedOnSource { code, sql } => write!(
                f,
                "Query partially completed on the source (error on source: {code}) and was \
                 aborted. There is a chance that your source is inconsistent at this point. \
                 Query: '{sql}'"
            )?,
            Reason::UnknownTable { table_id } => {
                write!(f, "No table map describes table {table_id} of the event")?;
            }
            Reason::Unsupported { what } => write!(f, "{what} cannot be applied")?,
            Reason::NotPrepared { name } => write!(
                f,
                "XAER_NOTA: the XA transaction {name} was not prepared here: it was prepared in \
                 front of where this replica began, or passed over; what it changed is on the \
                 source only"
            )?,
            Reason::Prepared { name, error } => write!(
                f,
                "What is kept of the prepared XA transaction {name} cannot be read: {error}"
            )?,
            Reason::Incident { message } => write!(
                f,
                "The incident LOST_EVENTS occurred on the source. Message: {message}"
            )?,
            // The target says it in MySQL's words, with table or statement.
            Reason::Target(error) => error.fmt(f)?,
        }
        self.place.fmt(f)
    }
}

impl fmt::Display for Place {
    /// Continues a sentence: `; the event's source log f, end_log_pos n, ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            let SourceCoordinates { file, offset } = source;
            write!(f, "; the event's source log {file}, end_log_pos {offset}")?;
        }
        if let Some(relay) = &self.relay {
            write!(f, "; relay log {}, position {}", relay.file, relay.offset)?;
        }
        if let Some(inner) = self.inner {
            write!(f, ", byte {inner} of the decompressed payload there")?;
        }
        if let Some(event_type) = self.event_type {
            write!(f, "; event {event_type}")?;
        }
        if let Some(gtid) = self.gtid.text() {
            write!(f, "; GTID {gtid}")?;
        }
        if let Some(table) = &self.table {
            write!(f, "; table {table}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApplierError {}

impl From<LogError> for Reason {
    fn from(error: LogError) -> Self {
        Self::RelayLog(error)
    }
}

impl From<Damage> for Reason {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl From<TargetError> for Reason {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}
