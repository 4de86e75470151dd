//! The way back: one event in memory.

use std::io;

use binlog::event::{Event, EventFormat, Flavour, RawEvent};
use binlog::row::{RowsEvent, RowsFlags, Table};
use codec::Reader;

use super::reverse::{ReverseError, reversed};
use super::spill::Spill;
use super::trail::{Locator, Record, Transaction, Where};
use super::{FlashbackError, Found};

/// Gives the files of the log once more, from the back to the front.
pub trait LogFiles {
    /// Reads `size` bytes at `offset` of the file with this number, in the order they were begun.
    ///
    /// # Errors
    /// If they are not there.
    fn read(&mut self, number: usize, offset: u64, size: usize) -> io::Result<&[u8]>;
}

/// A row event turned round.
#[derive(Debug)]
pub struct Undone<'a> {
    /// Its table, in the shape that it had.
    pub table: &'a Table,
    /// Number of this shape.
    pub shape: u32,
    /// Number of the table.
    pub name: u32,
    /// Whose log it comes from.
    pub flavour: Flavour,
    /// What is to be done: plain rows with whole images, the first one first.
    pub event: &'a RowsEvent<'a>,
}

/// Takes what is to be done.
pub trait Sink {
    /// Begins to take a transaction back.
    ///
    /// # Errors
    /// If that cannot be done.
    fn begin(&mut self, transaction: &Transaction) -> Result<(), FlashbackError>;

    /// Takes rows of it.
    ///
    /// # Errors
    /// If that cannot be done.
    fn rows(&mut self, rows: &Undone<'_>) -> Result<(), FlashbackError>;

    /// All of the transaction was taken back.
    ///
    /// # Errors
    /// If that cannot be done.
    fn end(&mut self) -> Result<(), FlashbackError>;
}

impl Found {
    /// Goes back from the newest transaction to the oldest. May be done more than once.
    ///
    /// # Errors
    /// If the files are not what they were, and those of the sink.
    pub fn rewind(
        &mut self,
        files: &mut dyn LogFiles,
        sink: &mut dyn Sink,
    ) -> Result<(), FlashbackError> {
        let Self {
            labels,
            formats,
            tables,
            trail,
            spill,
            ..
        } = self;
        let mut back = trail.back().map_err(FlashbackError::scratch)?;
        let mut way = Way {
            labels,
            formats,
            files,
            spill,
        };
        let mut is_open = false;
        let mut cascaded = None;
        while let Some(record) = back.next().map_err(FlashbackError::scratch)? {
            match record {
                Record::End(transaction) => {
                    if std::mem::replace(&mut is_open, true) {
                        sink.end()?;
                    }
                    sink.begin(&transaction)?;
                }
                Record::Cascaded { statement } => cascaded = Some(statement),
                Record::Rows(locator) => {
                    let table = tables.shape(locator.table);
                    let (table, name) = table.ok_or_else(|| way.lost(&locator, "no such table"))?;
                    let (mut event, flavour) = way.turned(&locator, table)?;
                    if cascaded == Some(locator.statement) {
                        event.flags = event.flags | RowsFlags::NO_FOREIGN_KEY_CHECKS;
                    }
                    sink.rows(&Undone {
                        table,
                        shape: locator.table,
                        name,
                        flavour,
                        event: &event,
                    })?;
                }
            }
        }
        if is_open {
            sink.end()?;
        }
        Ok(())
    }
}

/// Where events come from.
struct Way<'w> {
    labels: &'w [String],
    formats: &'w [EventFormat],
    files: &'w mut dyn LogFiles,
    spill: &'w mut Spill,
}

impl Way<'_> {
    /// The event at `locator` turned round.
    fn turned(
        &mut self,
        locator: &Locator,
        table: &Table,
    ) -> Result<(RowsEvent<'static>, Flavour), FlashbackError> {
        let format = self.formats.get(usize::from(locator.format)).copied();
        let format = format.ok_or_else(|| self.lost(locator, "no such layout"))?;
        let place = self.place(locator);
        let unreadable = |error: io::Error| FlashbackError::Io {
            doing: format!("reading {place} again"),
            error,
        };
        let turned = match locator.at {
            Where::File {
                number,
                offset,
                size,
            } => {
                let read = self.files.read(number as usize, offset, size as usize);
                turn_event(read.map_err(unreadable)?, format, locator, table)
            }
            Where::Spill(at) => {
                let body = self.spill.get(at).map_err(unreadable)?;
                turn_body(body, format, locator, table)
            }
        };
        let event = turned.map_err(|error| self.lost(locator, &error.to_string()))?;
        Ok((event, format.flavour))
    }

    fn place(&self, locator: &Locator) -> String {
        match locator.at {
            Where::File { number, offset, .. } => {
                let label = self.labels.get(number as usize);
                format!("{}:{offset}", label.map_or("?", String::as_str))
            }
            Where::Spill(_) => "rows in the scratch file".to_owned(),
        }
    }

    fn lost(&self, locator: &Locator, reason: &str) -> FlashbackError {
        FlashbackError::Row {
            place: self.place(locator),
            reason: reason.to_owned(),
        }
    }
}

/// Turns a whole event of a file round.
fn turn_event(
    bytes: &[u8],
    format: EventFormat,
    locator: &Locator,
    table: &Table,
) -> Result<RowsEvent<'static>, ReverseError> {
    let raw = RawEvent::parse_as(bytes, format)?;
    if raw.header.event_type != locator.event_type || raw.verify(format).is_err() {
        return Err(ReverseError::Incomplete(CHANGED));
    }
    match Event::decode(&raw, format)? {
        Event::Rows(rows) => reversed(&rows, &table.plan),
        _ => Err(ReverseError::Incomplete(CHANGED)),
    }
}

const CHANGED: &str = "the file is not what it was when it was read first";

/// Turns the body of an event round that was kept.
fn turn_body(
    body: &[u8],
    format: EventFormat,
    locator: &Locator,
    table: &Table,
) -> Result<RowsEvent<'static>, ReverseError> {
    let reader = Reader::at(body, usize::from(format.header_len));
    let rows = RowsEvent::decode(locator.event_type, reader, format)?;
    reversed(&rows, &table.plan)
}
