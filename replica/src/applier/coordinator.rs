//! The coordinator: turns the events of the relay log into work, one event at a time.
//!
//! It knows where transactions begin and end, which of them are applied already, what the filter
//! takes out, and what cannot be applied. It holds no event: a transaction of any size streams
//! through it, for the relay log is where it waits. Anything it does not know stops it.

use std::sync::Arc;

use binlog::event::{
    ChecksumAlgorithm, Event, EventFlags, EventHeader, EventType, FormatDescription, GtidEvent,
    Query, RawEvent,
};
use binlog::log::LogPosition;
use binlog::row::RowsEvent;
use binlog::transaction::{Boundary, TransactionTracker};
use config::ReplicationFilter;
use engine::target::{RowsChange, StatementChange};
use gtid::Gtid;

use super::error::{ApplierError, Place, Reason};
use super::filter::admits_statement;
use super::statement::StatementKind;
use super::status::ApplierStatus;
use super::tables::Tables;
use super::worker::Worker;
use crate::relay_log::SourceCoordinates;

/// Where an event of the relay log lies.
#[derive(Debug, Clone)]
pub(super) struct Span {
    /// Where it begins.
    pub(super) start: LogPosition,
    /// Where the next event begins.
    pub(super) end: LogPosition,
}

pub(super) struct Coordinator {
    pub(super) worker: Worker,
    filter: Arc<ReplicationFilter>,
    status: Arc<ApplierStatus>,
    tracker: TransactionTracker,
    tables: Tables,
    /// Version of the server whose events are read.
    server_version: String,
    /// Place in the source's log behind the last event.
    source: Option<SourceCoordinates>,
    open: Open,
}

/// The transaction that is read.
#[derive(Debug, Clone, Default)]
struct Open {
    gtid: Option<Gtid>,
    /// Commit on the source, µs since 1970.
    commit_micros: Option<u64>,
    /// Whether it was applied before and is passed over.
    is_applied: bool,
    /// Whether an event of it was seen.
    has_begun: bool,
}

impl Coordinator {
    pub(super) fn new(
        worker: Worker,
        filter: Arc<ReplicationFilter>,
        status: Arc<ApplierStatus>,
    ) -> Self {
        Self {
            source: worker.progress().source.clone(),
            worker,
            filter,
            status,
            tracker: TransactionTracker::default(),
            tables: Tables::default(),
            server_version: String::new(),
            open: Open::default(),
        }
    }

    /// Whether the last event left no transaction open.
    pub(super) fn is_between_transactions(&self) -> bool {
        !self.open.has_begun
    }

    /// Takes the next event. True when it ended a transaction.
    ///
    /// On error the transaction has to be abandoned; nothing of the event was applied.
    pub(super) fn handle(
        &mut self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
        span: &Span,
    ) -> Result<bool, ApplierError> {
        self.take(event, checksum, span)
            .map_err(|failed| self.placed(failed, event, span))
    }

    fn take(
        &mut self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
        span: &Span,
    ) -> Result<bool, Failed> {
        let header = &event.header;
        if header.flags.contains(EventFlags::RELAY_LOG) {
            // This replica's own: head and rotate of the relay log.
            self.pass(span);
            return Ok(false);
        }
        let boundary = self.tracker.feed(event, checksum)?;
        self.source = match &self.source {
            Some(source) => Some(source.after(event, checksum)),
            None => SourceCoordinates::named_by_rotate(event, checksum)
                .filter(|_| header.event_type == EventType::ROTATE),
        };
        match boundary {
            Boundary::Outside | Boundary::FileEnd => {
                self.outside(event, checksum)?;
                self.pass(span);
                return Ok(false);
            }
            Boundary::Inside | Boundary::End { .. } => {}
        }
        self.begin(header);
        self.worker.count_bytes(event.bytes.len());
        self.inside(event, checksum)?;
        if matches!(boundary, Boundary::Inside) {
            return Ok(false);
        }
        self.end(span)?;
        Ok(true)
    }

    /// Moves the position over an event between transactions.
    fn pass(&mut self, span: &Span) {
        if self.is_between_transactions() {
            self.worker.move_to(self.source.clone(), span.end.clone());
        }
    }

    fn begin(&mut self, header: &EventHeader) {
        if !std::mem::replace(&mut self.open.has_begun, true) {
            self.status.update(|state| {
                state.has_caught_up = false;
                state.last_timestamp = header.timestamp;
            });
        }
    }

    fn end(&mut self, span: &Span) -> Result<(), Failed> {
        let open = std::mem::take(&mut self.open);
        let (source, relay) = (self.source.clone(), span.end.clone());
        if open.is_applied {
            self.worker.move_to(source, relay);
        } else {
            let micros = open.commit_micros;
            self.worker
                .end_transaction(open.gtid, micros, source, relay)?;
        }
        Ok(())
    }

    fn outside(&mut self, event: &RawEvent<'_>, checksum: ChecksumAlgorithm) -> Result<(), Failed> {
        match event.header.event_type {
            EventType::FORMAT_DESCRIPTION => {
                let description = FormatDescription::decode(event.bytes)?;
                self.server_version = description.server_version;
                self.tables.clear();
            }
            EventType::INCIDENT => self.incident(event, checksum)?,
            EventType::ROTATE
            | EventType::STOP
            | EventType::PREVIOUS_GTIDS
            | EventType::HEARTBEAT
            | EventType::HEARTBEAT_V2
            | EventType::MARIADB_GTID_LIST
            | EventType::BINLOG_CHECKPOINT => {}
            kind => refuse_unless_ignorable(event, kind)?,
        }
        Ok(())
    }

    fn inside(&mut self, event: &RawEvent<'_>, checksum: ChecksumAlgorithm) -> Result<(), Failed> {
        let kind = event.header.event_type;
        if kind.is_gtid() {
            return self.gtid(event, checksum);
        }
        if self.open.is_applied {
            return Ok(());
        }
        match kind {
            EventType::QUERY => self.query(event, checksum),
            EventType::TABLE_MAP => {
                let body = event.body(checksum)?;
                self.tables.learn(body, EventHeader::LEN, &self.filter)?;
                Ok(())
            }
            kind if RowsEvent::is_rows(kind) => self.rows(event, checksum),
            EventType::XID | EventType::ROWS_QUERY | EventType::ANNOTATE_ROWS => Ok(()),
            EventType::INCIDENT => self.incident(event, checksum),
            kind => refuse_unless_ignorable(event, kind),
        }
    }

    fn gtid(&mut self, event: &RawEvent<'_>, checksum: ChecksumAlgorithm) -> Result<(), Failed> {
        let Event::Gtid(GtidEvent {
            gtid,
            commit_timestamps,
            ..
        }) = Event::decode(event, checksum)?
        else {
            let what = format!("A {} event", event.header.event_type);
            return Err(Reason::Unsupported { what }.into());
        };
        let executed = &self.worker.progress().gtid_executed;
        self.open.is_applied = gtid.is_some_and(|gtid| executed.contains(&gtid));
        self.open.gtid = gtid;
        self.open.commit_micros = commit_timestamps.map(|times| times.original);
        if !self.open.is_applied {
            let micros = self.open.commit_micros;
            self.status.update(|state| {
                state.oldest_open_micros = state.oldest_open_micros.or(micros);
            });
        }
        Ok(())
    }

    fn query(&mut self, event: &RawEvent<'_>, checksum: ChecksumAlgorithm) -> Result<(), Failed> {
        let Event::Query(query) = Event::decode(event, checksum)? else {
            return Ok(());
        };
        match StatementKind::of(&query.sql) {
            StatementKind::Begin | StatementKind::Commit | StatementKind::Savepoint => Ok(()),
            // The rows in front of it were of tables that cannot roll back there.
            StatementKind::Rollback | StatementKind::Refused => {
                let what = format!("The statement '{}'", shown(&query.sql));
                Err(Reason::Unsupported { what }.into())
            }
            StatementKind::Other => self.statement(event, &query),
        }
    }

    fn statement(&mut self, event: &RawEvent<'_>, query: &Query<'_>) -> Result<(), Failed> {
        let schema = String::from_utf8_lossy(&query.schema);
        if !admits_statement(&self.filter, &schema, &query.sql, query.status.sql_mode()) {
            self.worker.skip();
            return Ok(());
        }
        let database = self.filter.rewrite(&schema);
        let micros = i64::from(query.status.microseconds().unwrap_or(0));
        let change = StatementChange {
            database: &database,
            sql: &query.sql,
            status: &query.status,
            now_micros: i64::from(event.header.timestamp) * 1_000_000 + micros,
            server_version: &self.server_version,
        };
        Ok(self.worker.statement(&change)?)
    }

    fn rows(&mut self, event: &RawEvent<'_>, checksum: ChecksumAlgorithm) -> Result<(), Failed> {
        let Event::Rows(rows) = Event::decode(event, checksum)? else {
            return Ok(());
        };
        let table_id = rows.table_id;
        let Some(table) = self.tables.get(table_id) else {
            return Err(Reason::UnknownTable { table_id }.into());
        };
        if !table.is_admitted {
            self.worker.skip();
            return Ok(());
        }
        let change = RowsChange {
            database: &table.database,
            map: &table.map,
            rows: &rows,
        };
        let applied = self.worker.rows(&change);
        applied.map_err(|error| Failed {
            reason: error.into(),
            table: Some(table.name()),
        })
    }

    fn incident(
        &mut self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
    ) -> Result<(), Failed> {
        let message = match Event::decode(event, checksum)? {
            Event::Incident(incident) => shown(incident.message),
            _ => String::new(),
        };
        Err(Reason::Incident { message }.into())
    }

    /// Forgets the transaction that could not be applied, or whose rest is not wanted now.
    pub(super) fn abandon_transaction(&mut self) -> Result<(), ApplierError> {
        self.open = Open::default();
        self.worker
            .abandon_transaction()
            .map_err(|error| self.at_end(error.into()))
    }

    /// An error of the group rather than of one event.
    pub(super) fn at_end(&self, reason: Reason) -> ApplierError {
        let progress = self.worker.progress();
        let place = Place {
            relay: progress.relay.clone(),
            source: progress.source.clone(),
            ..Place::default()
        };
        ApplierError::new(place, reason)
    }

    fn placed(&self, failed: Failed, event: &RawEvent<'_>, span: &Span) -> ApplierError {
        let Failed { reason, table } = failed;
        let place = Place {
            relay: Some(span.start.clone()),
            source: self.source.clone(),
            event_type: Some(event.header.event_type),
            gtid: self.open.gtid,
            table,
        };
        ApplierError::new(place, reason)
    }
}

/// A failure whose place is known but for the table.
struct Failed {
    reason: Reason,
    table: Option<String>,
}

impl<R: Into<Reason>> From<R> for Failed {
    fn from(reason: R) -> Self {
        Self {
            reason: reason.into(),
            table: None,
        }
    }
}

/// An event of a kind that the applier does not know may be passed over only if its source says so.
fn refuse_unless_ignorable(event: &RawEvent<'_>, kind: EventType) -> Result<(), Failed> {
    if event.header.flags.contains(EventFlags::IGNORABLE) {
        return Ok(());
    }
    let what = match kind {
        EventType::INTVAR
        | EventType::RAND
        | EventType::USER_VAR
        | EventType::BEGIN_LOAD_QUERY
        | EventType::EXECUTE_LOAD_QUERY
        | EventType::APPEND_BLOCK => {
            format!("A {kind} event (statement-based logging; the source needs binlog_format=ROW)")
        }
        EventType::TRANSACTION_PAYLOAD => {
            format!("A {kind} event (set binlog_transaction_compression=OFF on the source)")
        }
        kind => format!("A {kind} event"),
    };
    Err(Reason::Unsupported { what }.into())
}

/// Text of the source for a message, cut to a readable length.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(1024).collect()
}
