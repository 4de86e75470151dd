//! Where transactions begin and end in a stream of events: what recovery cuts at, what a receiver
//! seals at and an applier commits at. It reads no file and keeps no event.
//!
//! ```text
//! log         = file { file }
//! file        = FORMAT_DESCRIPTION [PREVIOUS_GTIDS] { unit | other } [ROTATE | STOP]
//! unit        = [gtid] ( standalone | PAYLOAD | INCIDENT | begin { inside } end )
//! gtid        = GTID | GTID_TAGGED | ANONYMOUS_GTID | MARIADB_GTID
//! begin       = QUERY "BEGIN" | QUERY "XA START ..."
//! end         = XID | XA_PREPARE | QUERY "COMMIT" | QUERY "ROLLBACK"
//! standalone  = any other QUERY
//! ```

mod info;
mod reader;

pub use info::{TransactionGtid, TransactionInfo, TransactionKind};
pub use reader::{Step, TransactionReader};

use std::fmt;

use codec::{DecodeError, Reader};
use gtid::Gtid;

use crate::event::{
    ChecksumAlgorithm, EventFlags, EventHeader, EventType, GtidEvent, Query, RawEvent,
};

/// What an event means for the framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boundary {
    /// Belongs to no transaction (heads, heartbeats, and the like).
    Outside,
    /// Belongs to a transaction that goes on.
    Inside,
    /// Ends a transaction.
    End {
        /// Its identifier, if it has one of MySQL's.
        gtid: Option<Gtid>,
    },
    /// Ends the file.
    FileEnd,
}

/// An event that may not stand where it stands, or that hides where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundaryError {
    /// The fields that say what the event means for its transaction cannot be read.
    Undecodable(DecodeError),
    /// The event may not stand there.
    OutOfOrder {
        /// Its type.
        event_type: EventType,
        /// Where it stands, as the end of a sentence.
        place: &'static str,
    },
}

impl fmt::Display for BoundaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecodable(error) => error.fmt(f),
            Self::OutOfOrder { event_type, place } => {
                write!(f, "{} may not stand {place}", event_type.name())
            }
        }
    }
}

impl std::error::Error for BoundaryError {}

#[derive(Debug, Default)]
enum State {
    #[default]
    ExpectUnit,
    ExpectBody {
        gtid: Option<Gtid>,
    },
    InTransaction {
        gtid: Option<Gtid>,
    },
    FileEnded,
}

/// Follows the events of one file.
#[derive(Debug, Default)]
pub struct TransactionTracker {
    state: State,
    /// Commit timestamp of the last GTID event, which names the group it was written with.
    pub last_commit_timestamp: Option<u64>,
}

impl TransactionTracker {
    /// Whether the last event left no transaction open.
    pub const fn is_between_units(&self) -> bool {
        matches!(self.state, State::ExpectUnit | State::FileEnded)
    }

    /// Takes the next event.
    pub fn feed(
        &mut self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
    ) -> Result<Boundary, BoundaryError> {
        let event_type = event.header.event_type;
        let body = event.body(checksum).map_err(BoundaryError::Undecodable)?;
        match event_type {
            // In a relay log the source's next file follows its last one.
            EventType::FORMAT_DESCRIPTION if matches!(self.state, State::FileEnded) => {
                self.state = State::ExpectUnit;
                Ok(Boundary::Outside)
            }
            EventType::FORMAT_DESCRIPTION
            | EventType::PREVIOUS_GTIDS
            | EventType::MARIADB_GTID_LIST
            | EventType::BINLOG_CHECKPOINT
            | EventType::START_ENCRYPTION
            | EventType::HEARTBEAT
            | EventType::HEARTBEAT_V2 => Ok(Boundary::Outside),
            EventType::ROTATE | EventType::STOP => self.file_end(event),
            EventType::GTID | EventType::ANONYMOUS_GTID | EventType::GTID_TAGGED => {
                let decoded = decode_gtid(event_type, body).map_err(BoundaryError::Undecodable)?;
                self.last_commit_timestamp = decoded.commit_timestamps.map(|at| at.immediate);
                self.open(event_type, State::ExpectBody { gtid: decoded.gtid })
            }
            // The low bit of the flags says that one statement follows and no end of its own.
            EventType::MARIADB_GTID => {
                let standalone = body.get(12).is_some_and(|flags| flags & 1 != 0);
                let next = if standalone {
                    State::ExpectBody { gtid: None }
                } else {
                    State::InTransaction { gtid: None }
                };
                self.open(event_type, next)
            }
            EventType::QUERY | EventType::QUERY_COMPRESSED => {
                let sql = statement(event_type, body).map_err(BoundaryError::Undecodable)?;
                self.query(&sql)
            }
            EventType::XID | EventType::XA_PREPARE => match std::mem::take(&mut self.state) {
                State::InTransaction { gtid } => Ok(Boundary::End { gtid }),
                state => Err(self.refuse(state, event_type)),
            },
            EventType::TRANSACTION_PAYLOAD => match std::mem::take(&mut self.state) {
                State::ExpectBody { gtid } => Ok(Boundary::End { gtid }),
                state => Err(self.refuse(state, event_type)),
            },
            // MySQL gives the statement that it could not log a GTID, so the two are a transaction.
            EventType::INCIDENT if matches!(self.state, State::ExpectBody { .. }) => {
                match std::mem::take(&mut self.state) {
                    State::ExpectBody { gtid } => Ok(Boundary::End { gtid }),
                    state => Err(self.refuse(state, event_type)),
                }
            }
            _ => match &self.state {
                State::ExpectUnit => Ok(Boundary::Outside),
                State::ExpectBody { .. } | State::InTransaction { .. } => Ok(Boundary::Inside),
                State::FileEnded => Err(self.refuse(State::FileEnded, event_type)),
            },
        }
    }

    fn open(&mut self, event_type: EventType, next: State) -> Result<Boundary, BoundaryError> {
        match std::mem::take(&mut self.state) {
            State::ExpectUnit => {
                self.state = next;
                Ok(Boundary::Inside)
            }
            state => Err(self.refuse(state, event_type)),
        }
    }

    fn file_end(&mut self, event: &RawEvent<'_>) -> Result<Boundary, BoundaryError> {
        // A rotate that a dump thread made stands in relay logs and ends no file.
        if event.header.flags.contains(EventFlags::ARTIFICIAL) {
            return Ok(Boundary::Outside);
        }
        match std::mem::take(&mut self.state) {
            State::ExpectUnit | State::FileEnded => {
                self.state = State::FileEnded;
                Ok(Boundary::FileEnd)
            }
            state => Err(self.refuse(state, event.header.event_type)),
        }
    }

    fn query(&mut self, sql: &[u8]) -> Result<Boundary, BoundaryError> {
        let begins = is_word(sql, b"BEGIN") || has_prefix(sql, b"XA START");
        let ends = is_word(sql, b"COMMIT") || is_word(sql, b"ROLLBACK");
        match std::mem::take(&mut self.state) {
            State::ExpectUnit if begins => {
                self.state = State::InTransaction { gtid: None };
                Ok(Boundary::Inside)
            }
            State::ExpectUnit => Ok(Boundary::End { gtid: None }),
            State::ExpectBody { gtid } if begins => {
                self.state = State::InTransaction { gtid };
                Ok(Boundary::Inside)
            }
            State::ExpectBody { gtid } => Ok(Boundary::End { gtid }),
            State::InTransaction { gtid } if ends => Ok(Boundary::End { gtid }),
            State::InTransaction { gtid } if !begins => {
                self.state = State::InTransaction { gtid };
                Ok(Boundary::Inside)
            }
            state => Err(self.refuse(state, EventType::QUERY)),
        }
    }

    fn refuse(&mut self, state: State, event_type: EventType) -> BoundaryError {
        let place = match &state {
            State::ExpectUnit => "between transactions",
            State::ExpectBody { .. } => "directly after a GTID",
            State::InTransaction { .. } => "inside a transaction",
            State::FileEnded => "after the event that ends the file",
        };
        self.state = state;
        BoundaryError::OutOfOrder { event_type, place }
    }
}

/// Decodes any of MySQL's three GTID events.
pub(crate) fn decode_gtid(event_type: EventType, body: &[u8]) -> Result<GtidEvent, DecodeError> {
    let reader = Reader::at(body, EventHeader::LEN);
    if event_type == EventType::GTID_TAGGED {
        GtidEvent::decode_tagged(reader)
    } else {
        GtidEvent::decode(reader, event_type == EventType::ANONYMOUS_GTID)
    }
}

/// The SQL of a QUERY event; of a compressed one nothing but that it is neither BEGIN nor COMMIT,
/// which MariaDB never compresses.
fn statement(event_type: EventType, body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    if event_type == EventType::QUERY_COMPRESSED {
        return Ok(b"compressed".to_vec());
    }
    Ok(Query::decode(Reader::at(body, EventHeader::LEN))?
        .sql
        .into_owned())
}

fn is_word(sql: &[u8], word: &[u8]) -> bool {
    sql.trim_ascii().eq_ignore_ascii_case(word)
}

fn has_prefix(sql: &[u8], prefix: &[u8]) -> bool {
    sql.get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}
