//! What a file holds, in numbers, from one pass over it.
//!
//! Works on damaged files: everything in front of the damage is counted. Memory is bounded by the
//! number of tables and by constants, never by the file: of transactions only the largest and the
//! longest are kept.

mod tables;
mod transactions;

use std::collections::BTreeMap;

use gtid::{GtidSet, MariaGtid};

pub use tables::{TableFigures, TableName, Tables};
pub use transactions::{LongestFirst, Top, TransactionFigures};

use binlog::event::{Event, EventFlags, EventHeader, EventType};
use binlog::limits::Limits;
use binlog::log::LogError;
use binlog::row::{RowsEvent, RowsKind, Table};
use binlog::transaction::{Boundary, Step, TransactionGtid};
use transactions::Running;

/// How many events, and how many bytes they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Events.
    pub count: u64,
    /// Their bytes, headers and checksums included.
    pub bytes: u64,
}

impl Tally {
    const fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Changed rows, by what was done to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowCounts {
    /// Rows that came.
    pub inserts: u64,
    /// Rows that were changed.
    pub updates: u64,
    /// Rows that went.
    pub deletes: u64,
}

impl RowCounts {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.inserts + self.updates + self.deletes
    }

    /// Adds all of `other`.
    pub const fn add_all(&mut self, other: &Self) {
        self.inserts += other.inserts;
        self.updates += other.updates;
        self.deletes += other.deletes;
    }

    /// Adds rows of one kind.
    pub const fn add(&mut self, kind: RowsKind, rows: u64) {
        match kind {
            RowsKind::Write => self.inserts += rows,
            RowsKind::Update => self.updates += rows,
            RowsKind::Delete => self.deletes += rows,
        }
    }
}

/// What was counted.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Events of the file itself, by type.
    pub events: BTreeMap<EventType, Tally>,
    /// Events inside payloads, by type.
    pub payload_events: BTreeMap<EventType, Tally>,
    /// Offsets of events whose checksum is wrong, the first [`Stats::CRC_ERRORS_MAX`] of them.
    pub crc_errors: Vec<u64>,
    /// How many events have a wrong checksum.
    pub crc_error_count: u64,
    /// Behind the last event that was read.
    pub end: u64,
    /// Transactions that were read to their end.
    pub transactions: u64,
    /// Those of them without a GTID.
    pub anonymous: u64,
    /// Statements that are logged as such, transaction control not counted.
    pub statements: u64,
    /// Changed rows.
    pub rows: RowCounts,
    /// Row events, inside payloads too.
    pub row_events: u64,
    /// The same by table.
    pub tables: Tables,
    /// The transactions with the most bytes.
    pub largest: Top,
    /// The transactions that took the longest.
    pub longest: Top<LongestFirst>,
    /// Earliest and latest time of an event, seconds since 1970.
    pub times: Option<(u32, u32)>,
    /// MySQL GTIDs of the transactions.
    pub gtids: GtidSet,
    /// Of each MariaDB domain and server: the first and the last sequence number, and how many
    /// transactions there are between them.
    pub mariadb_gtids: BTreeMap<(u32, u32), (u64, u64, u64)>,
    /// MySQL GTIDs in earlier files, as the file says.
    pub previous_gtids: Option<GtidSet>,
    /// Last MariaDB transactions of earlier files, as the file says.
    pub gtid_list: Option<Vec<MariaGtid>>,
    /// Bytes of the compressed payload events, and of the events inside them.
    pub payloads: Tally,
    /// Bytes of the events inside payloads.
    pub payload_content: u64,
    /// Whether the head says that a server is writing the file, or was when it died.
    pub is_in_use: bool,
    /// Whether the file names its successor or says that the server was shut down.
    pub is_closed: bool,
    /// Whether the last transaction lacks its end.
    pub ends_inside_transaction: bool,
    running: Option<Running>,
}

impl Stats {
    /// How many offsets of wrong checksums are kept.
    pub const CRC_ERRORS_MAX: usize = 100_000;

    /// Counts an event. Rows are counted without reading their values.
    ///
    /// # Errors
    /// If the rows of the event cannot be told apart.
    pub fn feed(&mut self, step: &Step<'_>, limits: &Limits) -> Result<(), StopPlace> {
        let rows = match (&step.event, step.table) {
            (Event::Rows(event), Some(table)) => Some(
                count_rows(event, table, limits)
                    .map_err(|error| StopPlace::of_rows(step, &error))?,
            ),
            _ => None,
        };
        self.feed_counted(step, rows);
        Ok(())
    }

    /// Counts an event whose rows were counted; `None` if it has none.
    pub fn feed_counted(&mut self, step: &Step<'_>, rows: Option<u64>) {
        let header = &step.raw.header;
        let bytes = u64::from(header.event_size);
        if step.place.inner.is_none() {
            self.feed_file_event(step, bytes);
        } else {
            let tally = self.payload_events.entry(header.event_type).or_default();
            tally.add(bytes);
            self.payload_content = self.payload_content.saturating_add(bytes);
        }
        let artificial = header.flags.contains(EventFlags::ARTIFICIAL);
        if header.timestamp != 0 && !artificial {
            let (first, last) = self.times.unwrap_or((header.timestamp, header.timestamp));
            self.times = Some((first.min(header.timestamp), last.max(header.timestamp)));
        }
        self.feed_body(step, rows.unwrap_or(0));
        self.feed_transaction(step, rows.unwrap_or(0));
    }

    /// Counts an event of the file itself whose fields cannot be decoded. `offset` and `end` are
    /// where it lies.
    pub fn feed_undecodable(&mut self, header: &EventHeader, offset: u64, end: u64, crc_ok: bool) {
        let bytes = u64::from(header.event_size);
        self.events.entry(header.event_type).or_default().add(bytes);
        self.end = end;
        if !crc_ok {
            self.note_crc_error(offset);
        }
    }

    fn note_crc_error(&mut self, offset: u64) {
        self.crc_error_count += 1;
        if self.crc_errors.len() < Self::CRC_ERRORS_MAX {
            self.crc_errors.push(offset);
        }
    }

    /// The file ends here, or cannot be read any further.
    pub const fn finish(&mut self) {
        self.ends_inside_transaction = self.running.is_some();
    }

    fn feed_file_event(&mut self, step: &Step<'_>, bytes: u64) {
        let event_type = step.raw.header.event_type;
        self.events.entry(event_type).or_default().add(bytes);
        self.end = step.place.end;
        if !step.checksum_ok {
            self.note_crc_error(step.place.offset);
        }
        if event_type == EventType::TRANSACTION_PAYLOAD {
            self.payloads.add(bytes);
        }
    }

    fn feed_body(&mut self, step: &Step<'_>, rows: u64) {
        let bytes = u64::from(step.raw.header.event_size);
        match &step.event {
            Event::FormatDescription(_) => {
                self.is_in_use = step.raw.header.flags.contains(EventFlags::IN_USE);
            }
            Event::PreviousGtids(previous) => {
                self.previous_gtids = Some(previous.gtids.clone());
            }
            Event::GtidList(list) => self.gtid_list = Some(list.gtids.clone()),
            Event::TableMap(map) => self.tables.get(&map.schema, &map.table).add_map(bytes),
            Event::Rows(event) => {
                self.row_events += 1;
                self.rows.add(event.kind, rows);
                if let Some(table) = step.table {
                    self.tables
                        .get(&table.map.schema, &table.map.table)
                        .add_rows(event.kind, rows, bytes);
                }
            }
            Event::Query(query) if !super::filter::is_control(&query.sql) => self.statements += 1,
            Event::QueryCompressed(_) | Event::ExecuteLoadQuery(_) => self.statements += 1,
            _ => {}
        }
    }

    fn feed_transaction(&mut self, step: &Step<'_>, rows: u64) {
        if step.boundary == Boundary::FileEnd {
            self.is_closed = true;
        }
        let Some(info) = step.transaction else { return };
        let running = self.running.get_or_insert_with(|| Running::new(info));
        running.feed(step, rows);
        if !info.is_complete {
            return;
        }
        let Some(running) = self.running.take() else {
            return;
        };
        self.transactions += 1;
        match info.gtid {
            TransactionGtid::None => self.anonymous += 1,
            TransactionGtid::MySql(gtid) => {
                self.gtids.add(gtid);
            }
            TransactionGtid::MariaDb(gtid) => {
                let key = (gtid.domain, gtid.server);
                let (first, last, count) =
                    self.mariadb_gtids
                        .entry(key)
                        .or_insert((gtid.sequence, gtid.sequence, 0));
                *first = gtid.sequence.min(*first);
                *last = gtid.sequence.max(*last);
                *count += 1;
            }
        }
        let figures = running.finish(info);
        self.largest.offer(&figures);
        self.longest.offer(&figures);
    }
}

/// How many rows an event changes.
///
/// # Errors
/// If the rows cannot be told apart.
pub fn count_rows(
    event: &RowsEvent<'_>,
    table: &Table,
    limits: &Limits,
) -> Result<u64, codec::DecodeError> {
    let mut rows = 0;
    let mut chunks = event.chunks(&table.plan, limits)?;
    while let Some(mut chunk) = chunks.next_chunk()? {
        while chunk.skip_row()? {
            rows += 1;
        }
    }
    Ok(rows)
}

/// Where a file cannot be read any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopPlace {
    /// Offset of the event, or of what should be one.
    pub offset: u64,
    /// Its type, if its header could be read.
    pub event: Option<EventType>,
    /// Why, as a sentence.
    pub message: String,
}

impl StopPlace {
    /// The place that `error` names; `end` if it names none.
    #[must_use]
    pub fn of(error: &LogError, end: u64) -> Self {
        match error {
            LogError::Corrupt(corrupt) => Self {
                offset: corrupt.at.offset,
                event: corrupt.event,
                message: corrupt.damage.to_string(),
            },
            other => Self {
                offset: end,
                event: None,
                message: other.to_string(),
            },
        }
    }

    /// The place of a row event whose rows cannot be read.
    #[must_use]
    pub fn of_rows(step: &Step<'_>, error: &codec::DecodeError) -> Self {
        let table = step.table.map(Table::full_name).unwrap_or_default();
        Self {
            offset: step.place.offset,
            event: Some(step.raw.header.event_type),
            message: format!("the rows of {table} cannot be read: {error}"),
        }
    }
}
