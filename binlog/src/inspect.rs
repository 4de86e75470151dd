//! Looking into a log file: every event as a line, and the whole file judged.
//!
//! For people and tools that read a file from outside; servers read it through
//! [`crate::log::LogCursor`]. Everything is decoded, down to the last row, so that a file that
//! passes here holds nothing that an applier could not read. Memory is bounded by the largest
//! event, never by the file.

pub mod filter;
pub mod measure;
pub mod stats;
mod text;
pub mod verify;

use std::collections::HashMap;

use gtid::GtidSet;

use crate::event::{ChecksumAlgorithm, Event, EventFlags, EventHeader, EventType, RawEvent};
use crate::log::{Damage, LogError, LogReader};
use crate::row::{RowPair, RowPlan, RowsKind, TableMap};
use crate::transaction::{Boundary, TransactionTracker};

pub use text::value_text;

/// One event as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Offset of its first byte.
    pub offset: u64,
    /// Its header.
    pub header: EventHeader,
    /// What is in it.
    pub info: String,
    /// Its rows as statements, if they were asked for.
    pub rows: Vec<String>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Version of the server that wrote it.
    pub server_version: String,
    /// Whether events carry a checksum.
    pub is_checksummed: bool,
    /// Bytes of the file.
    pub bytes: u64,
    /// Events, by type.
    pub events: HashMap<EventType, u64>,
    /// Whole transactions.
    pub transactions: u64,
    /// Changed rows.
    pub rows: u64,
    /// GTIDs of the whole transactions.
    pub gtids: GtidSet,
    /// GTIDs in earlier files.
    pub previous_gtids: Option<GtidSet>,
    /// Whether the file names its successor or says that the server was shut down.
    pub is_closed: bool,
    /// Whether the head says that a server is writing the file (or was, when it died).
    pub is_in_use: bool,
    /// Whether the last transaction lacks its end.
    pub ends_inside_transaction: bool,
}

/// Goes through one file.
pub struct Inspector {
    reader: LogReader,
    /// Tables of the statement that is being read, by table id.
    tables: HashMap<u64, (TableMap<'static>, RowPlan)>,
    tracker: TransactionTracker,
    summary: Summary,
}

impl Inspector {
    /// Begins at the first event of the file that `reader` was opened on.
    pub fn new(mut reader: LogReader) -> Result<Self, LogError> {
        reader.check_positions();
        let summary = Summary {
            server_version: reader.description().server_version.clone(),
            is_checksummed: reader.checksum() == ChecksumAlgorithm::Crc32,
            bytes: reader.len()?,
            ..Summary::default()
        };
        let tracker = TransactionTracker::default();
        Ok(Self {
            reader,
            tables: HashMap::new(),
            tracker,
            summary,
        })
    }

    /// Reads and checks the next event: size, checksum, position, fields, rows, and whether it may
    /// stand there. `None` behind the last. `with_rows`: also put its rows into words.
    pub fn next_line(&mut self, with_rows: bool) -> Result<Option<Line>, LogError> {
        if !self.reader.advance(None)? {
            self.summary.ends_inside_transaction = !self.tracker.is_between_units();
            return Ok(None);
        }
        let algorithm = self.reader.checksum();
        let Some((offset, raw)) = self.reader.current() else {
            return Ok(None);
        };
        let name = self.reader.name();
        let event_type = raw.header.event_type;
        let fail = |damage| LogError::corrupt(name, offset, Some(event_type), damage);
        let algorithm = match event_type {
            EventType::FORMAT_DESCRIPTION => ChecksumAlgorithm::Crc32,
            _ => algorithm,
        };
        let event =
            Event::decode(&raw, algorithm).map_err(|error| fail(Damage::Undecodable(error)))?;
        let boundary = self
            .tracker
            .feed(&raw, algorithm)
            .map_err(|error| fail(error.into()))?;
        let rows = read_rows(&mut self.tables, &event, with_rows)
            .map_err(|error| fail(Damage::Undecodable(error)))?;
        let info = text::info(&event, &self.tables);
        let header = raw.header;
        count(&mut self.summary, &raw, &event, boundary);
        self.summary.rows += rows.count;
        Ok(Some(Line {
            offset,
            header,
            info,
            rows: rows.texts,
        }))
    }

    /// What was found so far; of the whole file once [`Inspector::next_line`] gave `None`.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }
}

fn count(summary: &mut Summary, raw: &RawEvent<'_>, event: &Event<'_>, boundary: Boundary) {
    *summary.events.entry(raw.header.event_type).or_default() += 1;
    match event {
        Event::FormatDescription(_) => {
            summary.is_in_use = raw.header.flags.contains(EventFlags::IN_USE);
        }
        Event::PreviousGtids(previous) => summary.previous_gtids = Some(previous.gtids.clone()),
        _ => {}
    }
    match boundary {
        Boundary::End { gtid } => {
            summary.transactions += 1;
            if let Some(gtid) = gtid {
                summary.gtids.add(gtid);
            }
        }
        Boundary::FileEnd => summary.is_closed = true,
        Boundary::Outside | Boundary::Inside => {}
    }
}

#[derive(Default)]
struct Rows {
    count: u64,
    texts: Vec<String>,
}

/// Keeps table maps and decodes the rows that follow them.
fn read_rows(
    tables: &mut HashMap<u64, (TableMap<'static>, RowPlan)>,
    event: &Event<'_>,
    with_texts: bool,
) -> Result<Rows, codec::DecodeError> {
    let mut rows = Rows::default();
    match event {
        Event::TableMap(map) => {
            let plan = RowPlan::new(map)?;
            tables.insert(map.table_id, (map.clone().into_owned(), plan));
        }
        // A new transaction brings its own table maps.
        Event::Gtid(_) => tables.clear(),
        Event::Rows(event) => {
            let Some((map, plan)) = tables.get(&event.table_id) else {
                return Ok(rows);
            };
            let mut reader = event.read(plan)?;
            let mut pair = RowPair::default();
            while reader.next_into(&mut pair)? {
                rows.count += 1;
                if with_texts {
                    rows.texts.push(text::row(event.kind, map, &pair));
                }
            }
        }
        _ => {}
    }
    Ok(rows)
}

/// The statement that a kind of row event stands for.
const fn verb(kind: RowsKind) -> &'static str {
    match kind {
        RowsKind::Write => "INSERT",
        RowsKind::Update => "UPDATE",
        RowsKind::Delete => "DELETE",
    }
}

#[cfg(test)]
mod tests;
