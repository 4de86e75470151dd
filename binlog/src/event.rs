//! Events: the units of a binlog. One file per event type, each with its layout table.
//!
//! Decoding needs the [`EventFormat`] of the stream (from its format description) and nothing else; rows are decoded by [`crate::row`], which needs the table map too. Unknown event types keep
//! their bytes. Framing (header, size, position, checksum) is in [`write_event`] and [`RawEvent`].
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event; MySQL Internals, "Binary Log".

mod annotate_rows;
mod binlog_checkpoint;
pub mod checksum;
mod execute_load_query;
mod file_block;
mod file_end;
mod format;
mod format_description;
mod frame;
mod gtid_event;
mod gtid_list;
mod header;
mod heartbeat;
mod ignorable;
mod incident;
mod int_var;
mod kind;
mod load;
mod mariadb_gtid;
mod partial_row_data;
mod previous_gtids;
mod query;
mod query_compressed;
mod rand;
mod rotate;
mod rows_query;
mod source_position;
mod start_encryption;
mod start_v3;
#[cfg(test)]
mod tests;
mod transaction_context;
mod transaction_payload;
mod user_var;
mod view_change;
mod xa_id;
mod xa_prepare;
mod xid;

use codec::{DecodeError, Reader, Write};

pub use annotate_rows::AnnotateRows;
pub use binlog_checkpoint::BinlogCheckpoint;
pub use checksum::ChecksumAlgorithm;
pub use execute_load_query::{ExecuteLoadQuery, LoadDuplicates};
pub use file_block::FileBlock;
pub use file_end::FileEnd;
pub use format::{EventFormat, Flavour};
pub use format_description::FormatDescription;
pub use frame::{EventError, RawEvent, write_event};
pub use gtid_event::{CommitTimestamps, GtidEvent, LogicalClock, ServerVersions};
pub use gtid_list::GtidList;
pub use header::{EventFlags, EventHeader};
pub use heartbeat::Heartbeat;
pub use ignorable::Ignorable;
pub use incident::Incident;
pub use int_var::{IntVar, IntVarKind};
pub use kind::EventType;
pub use load::{Delimiters, FirstBlock, Load};
pub use mariadb_gtid::{MariadbGtidEvent, MariadbGtidExtra, MariadbGtidFlags};
pub use partial_row_data::PartialRowData;
pub use previous_gtids::PreviousGtids;
pub use query::{Charset, Query, StatusVariable, StatusVariables, session_flag};
pub use query_compressed::QueryCompressed;
pub use rand::Rand;
pub use rotate::Rotate;
pub use rows_query::RowsQuery;
pub use source_position::SourcePosition;
pub use start_encryption::StartEncryption;
pub use start_v3::StartV3;
pub use transaction_context::{ContextItems, TransactionContext};
pub use transaction_payload::{PayloadCompression, TransactionPayload};
pub use user_var::{UserVar, UserVarDecoded, UserVarType, UserVarValue};
pub use view_change::{CertificationInfo, ViewChange};
pub use xa_id::{XaId, XaName};
pub use xa_prepare::XaPrepare;
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
    /// First event of a file older than format descriptions.
    StartV3(StartV3),
    /// An integer variable of the next statement.
    IntVar(IntVar),
    /// The seeds of RAND() in the next statement.
    Rand(Rand),
    /// A user variable of the next statement.
    UserVar(UserVar<'a>),
    /// LOAD DATA of MySQL 3.23 to 4.1; types 6, 8 and 12.
    Load(Load<'a>),
    /// From which source a relay log of MySQL 3.23 continues.
    SourcePosition(SourcePosition<'a>),
    /// The next block of a file to load.
    AppendBlock(FileBlock<'a>),
    /// The first block of a file to load.
    BeginLoadQuery(FileBlock<'a>),
    /// Loads the file of a CREATE_FILE.
    ExecLoad(FileEnd),
    /// Forgets a file to load.
    DeleteFile(FileEnd),
    /// A LOAD DATA statement.
    ExecuteLoadQuery(ExecuteLoadQuery<'a>),
    /// Nothing that a reader must know.
    Ignorable(Ignorable<'a>),
    /// What group replication certifies a transaction by.
    TransactionContext(TransactionContext<'a>),
    /// The members of a group changed.
    ViewChange(ViewChange<'a>),
    /// Ends the first half of an XA transaction.
    XaPrepare(XaPrepare<'a>),
    /// The events of a transaction, compressed.
    TransactionPayload(TransactionPayload<'a>),
    /// Text of the statement whose rows follow (MariaDB).
    AnnotateRows(AnnotateRows<'a>),
    /// The oldest file that crash recovery needs (MariaDB).
    BinlogCheckpoint(BinlogCheckpoint<'a>),
    /// Begins a transaction (MariaDB).
    MariadbGtid(MariadbGtidEvent<'a>),
    /// The last transaction of every domain and server in earlier files (MariaDB).
    GtidList(GtidList<'a>),
    /// Everything behind it is encrypted (MariaDB).
    StartEncryption(StartEncryption),
    /// A statement, compressed (MariaDB).
    QueryCompressed(QueryCompressed<'a>),
    /// A piece of a row event (MariaDB).
    PartialRowData(PartialRowData<'a>),
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
            EventType::GTID => Self::Gtid(GtidEvent::decode(reader, false)?),
            EventType::ANONYMOUS_GTID => Self::Gtid(GtidEvent::decode(reader, true)?),
            EventType::GTID_TAGGED => Self::Gtid(GtidEvent::decode_tagged(reader)?),
            EventType::QUERY => Self::Query(Query::decode_as(reader, format)?),
            EventType::TABLE_MAP => Self::TableMap(TableMap::decode(reader, format)?),
            kind if RowsEvent::is_rows(kind) => {
                Self::Rows(RowsEvent::decode(kind, reader, format)?)
            }
            EventType::XID => Self::Xid(Xid::decode(reader)?),
            // In format 1 it has no position and cannot be told from other bytes.
            EventType::ROTATE if format.binlog_version > 1 => Self::Rotate(Rotate::decode(reader)?),
            EventType::STOP if body.is_empty() => Self::Stop,
            EventType::HEARTBEAT => Self::Heartbeat(Heartbeat::decode(reader, raw.header)),
            EventType::HEARTBEAT_V2 => Self::Heartbeat(Heartbeat::decode_v2(reader)?),
            EventType::ROWS_QUERY => Self::RowsQuery(RowsQuery::decode(reader)?),
            EventType::INCIDENT => Self::Incident(Incident::decode(reader)?),
            EventType::XA_PREPARE => Self::XaPrepare(XaPrepare::decode(reader)?),
            EventType::TRANSACTION_PAYLOAD => {
                Self::TransactionPayload(TransactionPayload::decode(reader)?)
            }
            EventType::TRANSACTION_CONTEXT => {
                Self::TransactionContext(TransactionContext::decode(reader)?)
            }
            EventType::VIEW_CHANGE => Self::ViewChange(ViewChange::decode(reader)?),
            EventType::IGNORABLE => Self::Ignorable(Ignorable::decode(reader)),
            kind if kind.is_mariadb() => Self::decode_mariadb(raw.header, reader)?,
            kind => Self::decode_statement(kind, reader)?,
        })
    }

    /// Decodes events of statement format and of old servers.
    fn decode_statement(kind: EventType, mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match kind {
            EventType::INTVAR => Self::IntVar(IntVar::decode(reader)?),
            EventType::RAND => Self::Rand(Rand::decode(reader)?),
            EventType::USER_VAR => Self::UserVar(UserVar::decode(reader)?),
            EventType::BEGIN_LOAD_QUERY => Self::BeginLoadQuery(FileBlock::decode(reader)?),
            EventType::APPEND_BLOCK => Self::AppendBlock(FileBlock::decode(reader)?),
            EventType::EXECUTE_LOAD_QUERY => {
                Self::ExecuteLoadQuery(ExecuteLoadQuery::decode(reader)?)
            }
            EventType::DELETE_FILE => Self::DeleteFile(FileEnd::decode(reader)?),
            EventType::EXEC_LOAD => Self::ExecLoad(FileEnd::decode(reader)?),
            EventType::LOAD | EventType::NEW_LOAD | EventType::CREATE_FILE => {
                Self::Load(Load::decode(kind, reader)?)
            }
            EventType::SOURCE_POSITION => Self::SourcePosition(SourcePosition::decode(reader)?),
            EventType::START_V3 => Self::StartV3(StartV3::decode(reader)?),
            event_type => Self::Other {
                event_type,
                body: reader.rest(),
            },
        })
    }

    /// Decodes events that only MariaDB writes.
    fn decode_mariadb(header: EventHeader, mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match header.event_type {
            EventType::MARIADB_GTID => {
                Self::MariadbGtid(MariadbGtidEvent::decode(reader, header.server_id)?)
            }
            EventType::ANNOTATE_ROWS => Self::AnnotateRows(AnnotateRows::decode(reader)),
            EventType::QUERY_COMPRESSED => Self::QueryCompressed(QueryCompressed::decode(reader)?),
            EventType::MARIADB_GTID_LIST => Self::GtidList(GtidList::decode(reader)?),
            EventType::BINLOG_CHECKPOINT => {
                Self::BinlogCheckpoint(BinlogCheckpoint::decode(reader)?)
            }
            EventType::START_ENCRYPTION => Self::StartEncryption(StartEncryption::decode(reader)?),
            EventType::PARTIAL_ROW_DATA => Self::PartialRowData(PartialRowData::decode(reader)?),
            event_type => Self::Other {
                event_type,
                body: reader.rest(),
            },
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
            Self::StartV3(_) => EventType::START_V3,
            Self::IntVar(_) => EventType::INTVAR,
            Self::Rand(_) => EventType::RAND,
            Self::UserVar(_) => EventType::USER_VAR,
            Self::Load(load) => load.event_type(),
            Self::SourcePosition(_) => EventType::SOURCE_POSITION,
            Self::AppendBlock(_) => EventType::APPEND_BLOCK,
            Self::BeginLoadQuery(_) => EventType::BEGIN_LOAD_QUERY,
            Self::ExecLoad(_) => EventType::EXEC_LOAD,
            Self::DeleteFile(_) => EventType::DELETE_FILE,
            Self::ExecuteLoadQuery(_) => EventType::EXECUTE_LOAD_QUERY,
            Self::Ignorable(_) => EventType::IGNORABLE,
            Self::TransactionContext(_) => EventType::TRANSACTION_CONTEXT,
            Self::ViewChange(_) => EventType::VIEW_CHANGE,
            Self::XaPrepare(_) => EventType::XA_PREPARE,
            Self::TransactionPayload(_) => EventType::TRANSACTION_PAYLOAD,
            Self::AnnotateRows(_) => EventType::ANNOTATE_ROWS,
            Self::BinlogCheckpoint(_) => EventType::BINLOG_CHECKPOINT,
            Self::MariadbGtid(_) => EventType::MARIADB_GTID,
            Self::GtidList(_) => EventType::MARIADB_GTID_LIST,
            Self::StartEncryption(_) => EventType::START_ENCRYPTION,
            Self::QueryCompressed(_) => EventType::QUERY_COMPRESSED,
            Self::PartialRowData(_) => EventType::PARTIAL_ROW_DATA,
            Self::Other { event_type, .. } => *event_type,
        }
    }

    /// Appends the body, without header and checksum, as a stream of `format` has it.
    pub fn encode_as(&self, out: &mut Vec<u8>, format: impl Into<EventFormat>) {
        match self {
            Self::Query(event) => event.encode_as(out, format.into()),
            other => other.encode(out),
        }
    }

    /// Appends the body, without header and checksum, in today's format.
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
            Self::StartV3(event) => event.encode(out),
            Self::IntVar(event) => event.encode(out),
            Self::Rand(event) => event.encode(out),
            Self::UserVar(event) => event.encode(out),
            Self::Load(event) => event.encode(out),
            Self::SourcePosition(event) => event.encode(out),
            Self::AppendBlock(event) | Self::BeginLoadQuery(event) => event.encode(out),
            Self::ExecLoad(event) | Self::DeleteFile(event) => event.encode(out),
            Self::ExecuteLoadQuery(event) => event.encode(out),
            Self::Ignorable(event) => event.encode(out),
            Self::TransactionContext(event) => event.encode(out),
            Self::ViewChange(event) => event.encode(out),
            Self::XaPrepare(event) => event.encode(out),
            Self::TransactionPayload(event) => event.encode(out),
            Self::AnnotateRows(event) => event.encode(out),
            Self::BinlogCheckpoint(event) => event.encode(out),
            Self::MariadbGtid(event) => event.encode(out),
            Self::GtidList(event) => event.encode(out),
            Self::StartEncryption(event) => event.encode(out),
            Self::QueryCompressed(event) => event.encode(out),
            Self::PartialRowData(event) => event.encode(out),
            Self::Other { body, .. } => out.put(body),
        }
    }
}
