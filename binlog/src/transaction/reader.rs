//! One reader of transactions, used by everything that needs more than single events.

use std::collections::HashMap;

use codec::{DecodeError, Reader};

use super::info::{TransactionGtid, TransactionInfo, TransactionKind};
use super::{Boundary, TransactionTracker};
use crate::event::{Event, EventFormat, EventType, RawEvent, TransactionPayload};
use crate::log::{Damage, LogError};
use crate::row::{RowsFlags, Table};
use crate::schema::SchemaSnapshots;
use crate::stream::{EventSource, EventStream, Place, StreamEvent};

/// One event with everything that the reader knows of it.
#[derive(Debug)]
pub struct Step<'a> {
    /// Where it lies.
    pub place: Place,
    /// Its bytes; of a payload event that is too large to be held only the first.
    pub raw: RawEvent<'a>,
    /// How it is laid out.
    pub format: EventFormat,
    /// Its fields.
    pub event: Event<'a>,
    /// What it means for its transaction.
    pub boundary: Boundary,
    /// The table of a row event.
    pub table: Option<&'a Table>,
    /// False if its checksum is wrong and the source lets that pass.
    pub checksum_ok: bool,
    /// The transaction it belongs to.
    pub transaction: Option<&'a TransactionInfo>,
}

/// Reads a stream transaction by transaction, one event at a time.
#[derive(Debug)]
pub struct TransactionReader<S> {
    stream: EventStream<S>,
    tracker: TransactionTracker,
    tables: HashMap<u64, Table>,
    transaction: Option<TransactionInfo>,
    /// Whether the statement that the table maps belong to has ended.
    is_statement_ended: bool,
    /// What the columns are called where the log does not say.
    schemas: Option<SchemaSnapshots>,
}

impl<S: EventSource> TransactionReader<S> {
    /// Reads from where `stream` stands, which must be between two transactions.
    pub fn new(stream: EventStream<S>) -> Self {
        Self {
            stream,
            tracker: TransactionTracker::default(),
            tables: HashMap::new(),
            transaction: None,
            is_statement_ended: false,
            schemas: None,
        }
    }

    /// Takes names of columns, and what else minimal metadata leaves open, from `schemas`.
    pub fn set_schemas(&mut self, schemas: SchemaSnapshots) {
        self.schemas = Some(schemas);
    }

    /// What is read.
    pub const fn stream(&self) -> &EventStream<S> {
        &self.stream
    }

    /// The source, for instance to set how far it may be read.
    pub fn source_mut(&mut self) -> &mut S {
        self.stream.source_mut()
    }

    /// Whether the last event left no transaction open.
    #[must_use]
    pub fn is_between_transactions(&self) -> bool {
        self.transaction
            .as_ref()
            .is_none_or(|info| info.is_complete)
    }

    /// The transaction of the last event.
    #[must_use]
    pub const fn transaction(&self) -> Option<&TransactionInfo> {
        self.transaction.as_ref()
    }

    /// The next event; `None` when the source has none now. A source that grows may have one later:
    /// the reader goes on inside the transaction that is open.
    ///
    /// # Errors
    /// Those of the source; an event that cannot be decoded or that may not stand where it stands.
    /// The error names file, offset, type and the GTID of the open transaction. The reader cannot
    /// be used after an error.
    #[expect(
        clippy::should_implement_trait,
        reason = "a step borrows from the reader"
    )]
    pub fn next(&mut self) -> Result<Option<Step<'_>>, LogError> {
        if self.is_between_transactions() {
            self.transaction = None;
        }
        let moved = self.stream.advance();
        if !moved.map_err(|error| error.in_transaction(self.gtid_text()))? {
            return Ok(None);
        }
        if std::mem::take(&mut self.is_statement_ended) {
            self.tables.clear();
        }
        let Some(current) = self.stream.current() else {
            return Ok(None);
        };
        let StreamEvent {
            place, raw, format, ..
        } = current;
        let gtid = self.transaction.as_ref().and_then(|info| info.gtid.text());
        let file = self.stream.source().name();
        let fail = |damage| {
            let error = LogError::corrupt(file, place.offset, Some(raw.header.event_type), damage);
            let error = match place.inner {
                Some(inner) => error.inside(inner),
                None => error,
            };
            error.in_transaction(gtid.clone())
        };
        let undecodable = |error| fail(Damage::Undecodable(error));
        let is_payload = raw.header.event_type == EventType::TRANSACTION_PAYLOAD;
        let event = decode(&raw, format).map_err(undecodable)?;
        let boundary = if is_payload {
            Boundary::Inside
        } else {
            let fed = self.tracker.feed(&raw, format.checksum);
            fed.map_err(|error| fail(error.into()))?
        };
        match &event {
            Event::TableMap(map) => {
                let known = self.schemas.as_ref();
                let snapshot = known.and_then(|known| known.find(map, place.offset));
                let table = Table::described(map.clone(), snapshot).map_err(undecodable)?;
                self.tables.insert(map.table_id, table);
            }
            Event::Rows(rows) if rows.flags.contains(RowsFlags::STATEMENT_END) => {
                self.is_statement_ended = true;
            }
            _ => {}
        }
        if matches!(boundary, Boundary::Inside | Boundary::End { .. }) {
            let info = self.transaction.get_or_insert_with(|| begin(&current));
            learn(info, &event, &raw);
            info.is_complete = matches!(boundary, Boundary::End { .. });
        }
        let table = match &event {
            Event::Rows(rows) => self.tables.get(&rows.table_id),
            _ => None,
        };
        Ok(Some(Step {
            place,
            raw,
            format,
            event,
            boundary,
            table,
            checksum_ok: current.checksum_ok,
            transaction: self.transaction.as_ref(),
        }))
    }

    fn gtid_text(&self) -> Option<String> {
        self.transaction.as_ref().and_then(|info| info.gtid.text())
    }
}

/// Decodes an event; of a payload event that is not held whole the fields and what there is of the
/// payload.
fn decode<'a>(raw: &RawEvent<'a>, format: EventFormat) -> Result<Event<'a>, DecodeError> {
    let is_whole = u32::try_from(raw.bytes.len()) == Ok(raw.header.event_size);
    if is_whole || raw.header.event_type != EventType::TRANSACTION_PAYLOAD {
        return Event::decode(raw, format);
    }
    let header_len = raw.header_len(format);
    let body = raw.bytes.get(header_len..).unwrap_or_default();
    let mut reader = Reader::at(body, header_len);
    let (mut event, _) = TransactionPayload::decode_fields(&mut reader)?;
    event.payload = reader.rest().into();
    Ok(Event::TransactionPayload(event))
}

fn begin(event: &StreamEvent<'_>) -> TransactionInfo {
    TransactionInfo {
        gtid: TransactionGtid::None,
        kind: TransactionKind::Begun,
        start: event.place,
        timestamp: event.raw.header.timestamp,
        server_id: event.raw.header.server_id,
        commit_timestamps: None,
        logical_clock: None,
        transaction_length: None,
        is_complete: false,
    }
}

fn learn(info: &mut TransactionInfo, event: &Event<'_>, raw: &RawEvent<'_>) {
    match event {
        Event::Gtid(gtid) => {
            info.gtid = gtid
                .gtid
                .map_or(TransactionGtid::None, TransactionGtid::MySql);
            info.commit_timestamps = gtid.commit_timestamps;
            info.logical_clock = gtid.logical_clock;
            info.transaction_length = gtid.transaction_length;
        }
        Event::Rows(_) | Event::Xid(_) => info.kind = TransactionKind::Dml,
        Event::Incident(_) => info.kind = TransactionKind::Incident,
        _ if raw.header.event_type == EventType::XA_PREPARE => {
            info.kind = TransactionKind::XaPrepare;
        }
        _ => {}
    }
}
