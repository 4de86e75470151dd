//! What a session is given: the head of a transaction, rows, statements.

use std::fs::File;

use binlog::event::{Event, EventFormat, EventHeader, Flavour, FormatDescription, Query, RawEvent};
use binlog::limits::Limits;
use binlog::row::{RowPair, RowPlan, RowsEvent, TableMap};
use binlog::transaction::{StatementKind, TransactionGtid};
use codec::DecodeError;
pub use engine::apply::DdlOutcome as StatementOutcome;
use engine::apply::Resolved;

/// What is known of a transaction of the source before its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnitHead {
    /// Its identifier.
    pub gtid: TransactionGtid,
    /// When it was committed first, in microseconds since 1970 UTC, where its source says so.
    pub commit_micros: Option<u64>,
    /// The server that committed it first.
    pub server_id: u32,
}

/// What the log says of an event beside its content.
#[derive(Debug, Clone, Copy)]
pub struct Logged<'a> {
    /// Its header.
    pub header: EventHeader,
    /// How events of its file look.
    pub format: EventFormat,
    /// The description that its file begins with.
    pub description: &'a FormatDescription,
}

/// Row changes of one event.
#[derive(Debug, Clone, Copy)]
pub struct RowsChange<'a> {
    /// Database of the table here, which a filter may have renamed.
    pub database: &'a str,
    /// The table as the source described it.
    pub map: &'a TableMap<'static>,
    /// The rows, perhaps compressed; an update may hold changes of JSON values in place of them.
    pub rows: &'a RowsEvent<'a>,
    /// The event.
    pub logged: Logged<'a>,
}

impl RowsChange<'_> {
    /// How many rows it changes; each of them can be decoded.
    ///
    /// # Errors
    /// When one cannot.
    pub fn count(&self) -> Result<u64, DecodeError> {
        let plan = RowPlan::new(self.map)?;
        let limits = Limits::default();
        let mut chunks = self.rows.chunks(&plan, &limits)?;
        let mut pair = RowPair::default();
        let mut count = 0_u64;
        while let Some(mut reader) = chunks.next_chunk()? {
            let mut row = pair.recycled();
            while reader.next_into(&mut row)? {
                count = count.saturating_add(1);
            }
            pair = row.recycled();
        }
        Ok(count)
    }
}

/// What a statement needs beside its session: the events in front of it that set ids, seeds and user
/// variables.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    events: Vec<(Vec<u8>, EventFormat)>,
    bytes: usize,
}

impl Variables {
    /// Bytes of events that are held for one statement.
    const BYTES_MAX: usize = 64 << 20;

    /// Adds an event. False, and nothing added, when they are too many to be held.
    #[must_use]
    pub fn add(&mut self, event: &RawEvent<'_>, format: EventFormat) -> bool {
        let bytes = self.bytes.saturating_add(event.bytes.len());
        let fits = bytes <= Self::BYTES_MAX;
        if fits {
            self.bytes = bytes;
            self.events.push((event.bytes.to_vec(), format));
        }
        fits
    }

    /// The events, in their order.
    ///
    /// # Errors
    /// When one cannot be decoded.
    pub fn events(&self) -> impl Iterator<Item = Result<(Event<'_>, Flavour), DecodeError>> {
        self.events.iter().map(|(bytes, format)| {
            let event = Event::decode(&RawEvent::parse(bytes)?, *format)?;
            Ok((event, format.flavour))
        })
    }
}

/// What became of the rows of one event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowsOutcome {
    /// How many were applied.
    pub applied: u64,
    /// What those are that concern nothing that the target keeps, if there were some: to be counted
    /// and named.
    pub not_kept: Option<&'static str>,
    /// Those that did not fit, and what the rules made of them: to be logged and counted.
    pub resolved: Vec<Resolved>,
}

impl RowsOutcome {
    /// All were applied, so many.
    #[must_use]
    pub const fn all(applied: u64) -> Self {
        Self {
            applied,
            not_kept: None,
            resolved: Vec::new(),
        }
    }
}

/// The file of a LOAD DATA, which a log in statement format has in front of the statement.
#[derive(Debug, Clone, Copy)]
pub struct LoadedFile<'a> {
    /// All of it.
    pub content: &'a File,
    /// From where to where in the statement the clause that names it goes, in bytes.
    pub name: (u32, u32),
    /// What becomes of rows whose key exists, as logged.
    pub duplicates: u8,
}

/// A statement that is replicated as text.
#[derive(Debug, Clone, Copy)]
pub struct StatementChange<'a> {
    /// Default database here, which a filter may have renamed; empty for none.
    pub database: &'a str,
    /// The statement, in the charset that its session names, and that session.
    pub query: &'a Query<'a>,
    /// What it needs beside its session.
    pub variables: &'a Variables,
    /// The file that it loads.
    pub file: Option<LoadedFile<'a>>,
    /// What kind of statement it is.
    pub kind: StatementKind,
    /// The event.
    pub logged: Logged<'a>,
}

impl StatementChange<'_> {
    /// When it began on its source: microseconds since 1970 UTC.
    #[must_use]
    pub fn now_micros(&self) -> i64 {
        let micros = i64::from(self.query.status.microseconds().unwrap_or(0));
        i64::from(self.logged.header.timestamp) * 1_000_000 + micros
    }
}
