//! One reader of transactions, used by everything that needs more than single events.

use std::sync::Arc;

use codec::{DecodeError, Reader};

use super::grammar::{Machine, Mark, State};
use super::info::{TransactionGtid, TransactionInfo};
use super::symbol::Symbol;
use super::tables::{TableKnowledge, Tables};
use super::{Boundary, BoundaryError, step};
use crate::event::{
    Event, EventFormat, EventHeader, EventType, FormatDescription, RawEvent, TransactionPayload,
};
use crate::log::{Damage, LogError, LogFileName};
use crate::row::{RowsFlags, Table};
use crate::schema::{Describe, SchemaSnapshots};
use crate::stream::{EventSource, EventStream, Place, StreamEvent};

/// One event with everything that the reader knows of it.
#[derive(Debug)]
pub struct Step<'a> {
    /// The file it lies in.
    pub file: &'a LogFileName,
    /// What that file's format description says; in a relay log the source's.
    pub description: &'a FormatDescription,
    /// Where it lies.
    pub place: Place,
    /// Its bytes; of a payload event that is too large to be held only the first.
    pub raw: RawEvent<'a>,
    /// How it is laid out.
    pub format: EventFormat,
    /// Its fields.
    pub event: Event<'a>,
    /// What it means for its transaction. A payload event is inside its transaction, which the
    /// last event of the payload ends.
    pub boundary: Boundary,
    /// The table of a row event or a table map, completed by what is known of it beside the log. `None` for row events that only end a statement and have no table,
    /// and for those whose table map is missing ([`Step::order_error`] says so).
    pub table: Option<&'a Table>,
    /// False if its checksum is wrong and the source lets that pass.
    pub checksum_ok: bool,
    /// The transaction it belongs to, as far as it was read.
    pub transaction: Option<&'a TransactionInfo>,
    /// Why it may not stand where it stands; only with [`Order::Report`].
    pub order_error: Option<BoundaryError>,
}

/// What a reader does about an event that may not stand where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// It is an error.
    #[default]
    Stop,
    /// The event is given with [`Step::order_error`], and reading goes on as if no transaction had
    /// been open in front of it.
    Report,
}

/// Reads a stream transaction by transaction, one event at a time. Between two events of it nothing
/// is held but the open transaction's [`TransactionInfo`] and the tables.
#[derive(Debug)]
pub struct TransactionReader<S> {
    stream: EventStream<S>,
    order: Order,
    known: Known,
}

/// What is known behind the last event.
#[derive(Debug, Default)]
struct Known {
    machine: Machine,
    tables: Tables,
    transaction: Option<TransactionInfo>,
    /// Whether the last event was inside a payload.
    was_inner: bool,
    /// Whether the statement that the table maps belong to has ended.
    is_statement_ended: bool,
    /// What the columns are called where the log does not say.
    schemas: Option<SchemaSnapshots>,
    /// The same from elsewhere, where the snapshots do not say either.
    described: Option<Arc<dyn Describe + Send + Sync>>,
}

impl<S: EventSource> TransactionReader<S> {
    /// Reads from where `stream` stands, which must be between two transactions.
    pub fn new(stream: EventStream<S>) -> Self {
        Self {
            stream,
            order: Order::default(),
            known: Known::default(),
        }
    }

    /// Sets what is done about events that may not stand where they stand.
    pub const fn set_order(&mut self, order: Order) {
        self.order = order;
    }

    /// Takes names of columns, and what else minimal metadata leaves open, from `schemas`.
    pub fn set_schemas(&mut self, schemas: SchemaSnapshots) {
        self.known.schemas = Some(schemas);
    }

    /// Takes what neither the log nor its schemas say from `described`.
    pub fn set_described(&mut self, described: Arc<dyn Describe + Send + Sync>) {
        self.known.described = Some(described);
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
    pub const fn is_between_transactions(&self) -> bool {
        self.known.machine.state.is_between()
    }

    /// The transaction of the last event.
    #[must_use]
    pub const fn transaction(&self) -> Option<&TransactionInfo> {
        self.known.transaction.as_ref()
    }

    /// Forgets the open transaction, its tables and what is left of a payload: the source was moved
    /// to a place between two transactions.
    pub fn restart(&mut self) {
        self.known.restart();
        self.stream.skip_payload();
    }

    /// The next event; `None` when the source has none now. A source that grows may have one later:
    /// the reader goes on inside the transaction that is open.
    ///
    /// # Errors
    /// Those of the source, which come again with the next call; an event that cannot be decoded or
    /// that may not stand where it stands, or damage of a payload, behind which the next call goes
    /// on. The error names file, offset, type and the GTID of the open transaction.
    #[expect(
        clippy::should_implement_trait,
        reason = "a step borrows from the reader"
    )]
    pub fn next(&mut self) -> Result<Option<Step<'_>>, LogError> {
        let Self {
            stream,
            order,
            known,
        } = self;
        known.leave_event();
        let moved = stream.advance();
        if !moved.map_err(|error| error.in_transaction(known.gtid_text()))? {
            return Ok(None);
        }
        let Some(current) = stream.current() else {
            return Ok(None);
        };
        let (raw, format) = (current.raw, current.format);
        let file = stream.source().name();
        let fail = |known: &Known, damage| {
            corrupt(&current, file, damage).in_transaction(known.gtid_text())
        };
        let event = decode(&raw, format);
        let event = event.map_err(|error| fail(known, Damage::Undecodable(error)))?;
        let symbol = Symbol::of_event(&event, &raw.header);
        let placed = take(&mut known.machine, symbol, &current, known.was_inner);
        let (mark, mut order_error) = match placed {
            Ok(mark) => (mark, None),
            Err(error) if *order == Order::Report => {
                known.transaction = None;
                (known.machine.resume(symbol), Some(error))
            }
            Err(error) => return Err(fail(known, error.into())),
        };
        known.was_inner = current.place.inner.is_some();
        known.learn_transaction(&event, symbol, mark, &current);
        let has_table = known.learn_tables(&event, &current);
        let has_table = has_table.map_err(|error| fail(known, Damage::Undecodable(error)))?;
        if !has_table && order_error.is_none() {
            let error = BoundaryError::OutOfOrder {
                event_type: raw.header.event_type,
                place: "in front of the table map of its table",
            };
            if *order == Order::Stop {
                return Err(fail(known, error.into()));
            }
            order_error = Some(error);
        }
        let known: &Known = known;
        let table = match &event {
            Event::Rows(rows) => known.tables.get(rows.table_id),
            Event::TableMap(map) => known.tables.get(map.table_id),
            _ => None,
        };
        Ok(Some(Step {
            file,
            description: stream.source().description(),
            place: current.place,
            raw,
            format,
            event,
            boundary: known.boundary(mark),
            table,
            checksum_ok: current.checksum_ok,
            transaction: match mark {
                Mark::Inside | Mark::End => known.transaction.as_ref(),
                Mark::Outside | Mark::FileEnd => None,
            },
            order_error,
        }))
    }

    /// Makes sure of a payload whose last event ended its transaction: that nothing follows in it,
    /// and that it holds what it announced. For those who keep what the transaction did only if all
    /// of it is sound; there is nothing to do behind other events.
    ///
    /// # Errors
    /// Damage of the payload, behind which the next call of [`TransactionReader::next`] goes on.
    pub fn finish_payload(&mut self) -> Result<(), LogError> {
        let next = self.stream.peek_in_payload();
        let next = next.map_err(|error| error.in_transaction(self.known.gtid_text()))?;
        let (Some(event_type), Some(current)) = (next, self.stream.current()) else {
            return Ok(());
        };
        let place = "behind the transaction in a payload";
        let error = BoundaryError::OutOfOrder { event_type, place };
        let error = corrupt(&current, self.stream.source().name(), error.into());
        let error = error.in_transaction(self.known.gtid_text());
        self.stream.skip_payload();
        Err(error)
    }
}

impl Known {
    fn restart(&mut self) {
        self.machine.state = State::default();
        self.transaction = None;
        self.tables.end_statement();
        self.was_inner = false;
        self.is_statement_ended = false;
    }

    /// Forgets what ended with the last event.
    fn leave_event(&mut self) {
        let is_complete = self
            .transaction
            .as_ref()
            .is_some_and(|info| info.is_complete);
        if is_complete {
            self.transaction = None;
        }
        if std::mem::take(&mut self.is_statement_ended) || is_complete {
            self.tables.end_statement();
        }
    }

    fn learn_transaction(
        &mut self,
        event: &Event<'_>,
        symbol: Symbol,
        mark: Mark,
        current: &StreamEvent<'_>,
    ) {
        if !matches!(mark, Mark::Inside | Mark::End) {
            return;
        }
        if symbol.begins_anew() {
            self.transaction = None;
        }
        let info = self
            .transaction
            .get_or_insert_with(|| TransactionInfo::begin(current));
        info.learn(event, symbol, mark);
        info.is_complete = mark == Mark::End;
    }

    /// Keeps a table map; false for rows whose table map is missing.
    fn learn_tables(
        &mut self,
        event: &Event<'_>,
        current: &StreamEvent<'_>,
    ) -> Result<bool, DecodeError> {
        match event {
            Event::TableMap(map) => {
                let body = current.raw.body(current.format)?;
                let known = TableKnowledge {
                    schemas: self.schemas.as_ref(),
                    described: self
                        .described
                        .as_deref()
                        .map(|known| known as &dyn Describe),
                };
                self.tables.learn(map, body, current.place.offset, known)?;
                Ok(true)
            }
            Event::Rows(rows) => {
                self.is_statement_ended = rows.flags.contains(RowsFlags::STATEMENT_END);
                Ok(is_dummy(rows.table_id) || self.tables.get(rows.table_id).is_some())
            }
            _ => Ok(true),
        }
    }

    fn boundary(&self, mark: Mark) -> Boundary {
        match mark {
            Mark::Outside => Boundary::Outside,
            Mark::Inside => Boundary::Inside,
            Mark::End => Boundary::End {
                gtid: self
                    .transaction
                    .as_ref()
                    .map_or(TransactionGtid::None, |info| info.gtid),
            },
            Mark::FileEnd => Boundary::FileEnd,
        }
    }

    /// The GTID of the open transaction, for errors.
    fn gtid_text(&self) -> Option<String> {
        self.transaction.as_ref().and_then(|info| info.gtid.text())
    }
}

/// Moves the state on by an event. A payload event itself changes nothing, its events do; and they
/// are one transaction, whole.
fn take(
    machine: &mut Machine,
    symbol: Symbol,
    event: &StreamEvent<'_>,
    was_inner: bool,
) -> Result<Mark, BoundaryError> {
    let event_type = event.raw.header.event_type;
    let out_of_order = |place| Err(BoundaryError::OutOfOrder { event_type, place });
    if event.place.inner.is_some() {
        return match symbol {
            _ if machine.state.is_between() => out_of_order("behind the transaction in a payload"),
            Symbol::Notice
            | Symbol::Description { .. }
            | Symbol::FileEnd
            | Symbol::RelayEnd
            | Symbol::Gtid
            | Symbol::MariadbGtid { .. } => out_of_order("inside a payload"),
            _ => step(machine, symbol, event_type),
        };
    }
    if was_inner && !machine.state.is_between() {
        return out_of_order("behind a payload that lacks the end of its transaction");
    }
    if symbol == Symbol::Payload && machine.state.after(symbol).is_some() {
        return Ok(Mark::Inside);
    }
    step(machine, symbol, event_type)
}

/// Row events that only end a statement, for a table that the replica shall not have.
const fn is_dummy(table_id: u64) -> bool {
    table_id == 0x00ff_ffff
}

fn corrupt(event: &StreamEvent<'_>, file: &LogFileName, damage: Damage) -> LogError {
    let event_type = Some(event.raw.header.event_type);
    let error = LogError::corrupt(file, event.place.offset, event_type, damage);
    match event.place.inner {
        Some(inner) => error.inside(inner),
        None => error,
    }
}

/// Decodes an event; of a payload event that is not held whole the fields and what there is of the
/// payload.
fn decode<'a>(raw: &RawEvent<'a>, format: EventFormat) -> Result<Event<'a>, DecodeError> {
    let is_whole = u32::try_from(raw.bytes.len()) == Ok(raw.header.event_size);
    if is_whole || raw.header.event_type != EventType::TRANSACTION_PAYLOAD {
        return Event::decode(raw, format);
    }
    let header_len = raw.header_len(format).max(EventHeader::LEN);
    let body = raw.bytes.get(header_len..).unwrap_or_default();
    let mut reader = Reader::at(body, header_len);
    let (mut event, _) = TransactionPayload::decode_fields(&mut reader)?;
    event.payload = reader.rest().into();
    Ok(Event::TransactionPayload(event))
}
