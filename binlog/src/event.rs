//! Events: the units of a binlog. One file per event type, each with its layout table.
//!
//! Decoding needs the checksum algorithm of the stream (from its format description) and nothing
//! else; rows are decoded by [`crate::row`], which needs the table map too. Unknown event types keep
//! their bytes. Framing (header, size, position, checksum) is in [`write_event`] and [`RawEvent`].
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event; MySQL Internals, "Binary Log".

pub mod checksum;
mod format;
mod format_description;
mod frame;
mod gtid_event;
mod header;
mod heartbeat;
mod incident;
mod kind;
mod previous_gtids;
mod query;
mod rotate;
mod rows_query;
#[cfg(test)]
mod tests;
mod xid;

use codec::{DecodeError, Reader, Write};

pub use checksum::ChecksumAlgorithm;
pub use format::{EventFormat, Flavour};
pub use format_description::FormatDescription;
pub use frame::{EventError, RawEvent, write_event};
pub use gtid_event::{CommitTimestamps, GtidEvent, LogicalClock, ServerVersions};
pub use header::{EventFlags, EventHeader};
pub use heartbeat::Heartbeat;
pub use incident::Incident;
pub use kind::EventType;
pub use previous_gtids::PreviousGtids;
pub use query::{Charset, Query, StatusVariable, StatusVariables};
pub use rotate::Rotate;
pub use rows_query::RowsQuery;
pub use xid::Xid;

use crate::row::{RowsEvent, TableMap};

/// First bytes of a plain binlog or relay log file.
pub const MAGIC: [u8; 4] = *b"\xfebin";

/// Offset of the first event of a file, just behind [`MAGIC`].
pub const FIRST_EVENT_OFFSET: u64 = 4;

/// The body of one event, decoded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// First event of a file and of a dump: what the following events look like.
    FormatDescription(FormatDescription),
    /// Second event of a file: every GTID in earlier files.
    PreviousGtids(PreviousGtids),
    /// Begins a transaction; types 33, 34 and 42.
    Gtid(GtidEvent),
    /// A statement.
    Query(Query<'a>),
    /// Describes the table of the row events that follow.
    TableMap(TableMap<'a>),
    /// Changed rows of one table; types 23-25 and 30-32.
    Rows(RowsEvent<'a>),
    /// Commits a transaction.
    Xid(Xid),
    /// Names the next file.
    Rotate(Rotate<'a>),
    /// The server was shut down cleanly.
    Stop,
    /// The source is alive and has nothing to send; types 27 and 41, only on the wire.
    Heartbeat(Heartbeat<'a>),
    /// Text of the statement whose rows follow.
    RowsQuery(RowsQuery<'a>),
    /// Something happened on the source that the log does not describe.
    Incident(Incident<'a>),
    /// Any other event, its body kept as it is.
    Other {
        /// Its type, known or not.
        event_type: EventType,
        /// Everything between header and checksum.
        body: &'a [u8],
    },
}

impl<'a> Event<'a> {
    /// Decodes the body of `raw`, whose stream has `format`; a [`ChecksumAlgorithm`] alone stands
    /// for today's MySQL format.
    ///
    /// The checksum is not verified here; see [`RawEvent::verify`]. Offsets in errors count from the
    /// start of the event.
    pub fn decode(raw: &RawEvent<'a>, format: impl Into<EventFormat>) -> Result<Self, DecodeError> {
        let format = format.into();
        let body = raw.body(format)?;
        let reader = Reader::at(body, raw.header_len(format));
        Ok(match raw.header.event_type {
            EventType::FORMAT_DESCRIPTION => {
                Self::FormatDescription(FormatDescription::decode(raw.bytes)?)
            }
            EventType::PREVIOUS_GTIDS => Self::PreviousGtids(PreviousGtids::decode(reader)?),
            EventType::GTID | EventType::ANONYMOUS_GTID => Self::Gtid(GtidEvent::decode(
                reader,
                raw.header.event_type == EventType::ANONYMOUS_GTID,
            )?),
            EventType::GTID_TAGGED => Self::Gtid(GtidEvent::decode_tagged(reader)?),
            EventType::QUERY => Self::Query(Query::decode(reader)?),
            EventType::TABLE_MAP => Self::TableMap(TableMap::decode(reader, format)?),
            kind if RowsEvent::is_rows(kind) => {
                Self::Rows(RowsEvent::decode(kind, reader, format)?)
            }
            EventType::XID => Self::Xid(Xid::decode(reader)?),
            EventType::ROTATE => Self::Rotate(Rotate::decode(reader)?),
            EventType::STOP => Self::Stop,
            EventType::HEARTBEAT => Self::Heartbeat(Heartbeat::decode(reader, raw.header)),
            EventType::HEARTBEAT_V2 => Self::Heartbeat(Heartbeat::decode_v2(reader)?),
            EventType::ROWS_QUERY => Self::RowsQuery(RowsQuery::decode(reader)?),
            EventType::INCIDENT => Self::Incident(Incident::decode(reader)?),
            event_type => Self::Other { event_type, body },
        })
    }

    /// The event type that this body belongs to.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::FormatDescription(_) => EventType::FORMAT_DESCRIPTION,
            Self::PreviousGtids(_) => EventType::PREVIOUS_GTIDS,
            Self::Gtid(gtid) => gtid.event_type(),
            Self::Query(_) => EventType::QUERY,
            Self::TableMap(_) => EventType::TABLE_MAP,
            Self::Rows(rows) => rows.event_type(),
            Self::Xid(_) => EventType::XID,
            Self::Rotate(_) => EventType::ROTATE,
            Self::Stop => EventType::STOP,
            Self::Heartbeat(heartbeat) => heartbeat.event_type(),
            Self::RowsQuery(_) => EventType::ROWS_QUERY,
            Self::Incident(_) => EventType::INCIDENT,
            Self::Other { event_type, .. } => *event_type,
        }
    }

    /// Appends the body, without header and checksum.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::FormatDescription(event) => event.encode(out),
            Self::PreviousGtids(event) => event.encode(out),
            Self::Gtid(event) => event.encode(out),
            Self::Query(event) => event.encode(out),
            Self::TableMap(event) => event.encode(out),
            Self::Rows(event) => event.encode(out),
            Self::Xid(event) => event.encode(out),
            Self::Rotate(event) => event.encode(out),
            Self::Stop => {}
            Self::Heartbeat(event) => event.encode(out),
            Self::RowsQuery(event) => event.encode(out),
            Self::Incident(event) => event.encode(out),
            Self::Other { body, .. } => out.put(body),
        }
    }
}
