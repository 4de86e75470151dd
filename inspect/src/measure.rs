//! How fast a log can be read: the same file at several depths, counted and not timed.
//!
//! Every depth verifies checksums where the file has them. Whoever calls holds the watch; nothing
//! here knows a clock.

use std::hint::black_box;

use binlog::event::Event;
use binlog::limits::Limits;
use binlog::log::{Damage, LogError, LogReader};
use binlog::row::{RowPair, RowsKind};
use binlog::stream::{EventSource, EventStream};
use binlog::transaction::{Step, TransactionReader};
use binlog::value::Value;

/// How much of a file is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Depth {
    /// Headers and checksums.
    Events,
    /// Every row found, no value made.
    Scan,
    /// Every value, borrowed from the event's bytes.
    Borrowed,
    /// Every value, with bytes of its own.
    Owned,
}

impl Depth {
    /// All depths, from the shallowest.
    pub const ALL: [Self; 4] = [Self::Events, Self::Scan, Self::Borrowed, Self::Owned];

    /// What it is called in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Scan => "scan",
            Self::Borrowed => "borrowed",
            Self::Owned => "owned",
        }
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Events, inner ones included.
    pub events: u64,
    /// Changed rows.
    pub rows: u64,
    /// Row images: two of an updated row.
    pub images: u64,
}

/// Reads everything behind `reader` at this depth.
///
/// # Errors
/// As reading the file has them.
pub fn read(reader: LogReader, depth: Depth, limits: &Limits) -> Result<Counts, LogError> {
    if depth == Depth::Events {
        return read_events(reader);
    }
    let file = reader.name().clone();
    let mut reader = TransactionReader::new(EventStream::new(reader, *limits));
    let mut counts = Counts::default();
    while let Some(step) = reader.next()? {
        counts.events += 1;
        read_rows(&step, depth, limits, &mut counts).map_err(|error| {
            let event_type = Some(step.raw.header.event_type);
            LogError::corrupt(
                &file,
                step.place.offset,
                event_type,
                Damage::Undecodable(error),
            )
        })?;
    }
    Ok(counts)
}

fn read_events(mut reader: LogReader) -> Result<Counts, LogError> {
    let mut counts = Counts::default();
    while EventSource::advance(&mut reader)? {
        counts.events += 1;
        black_box(reader.current());
    }
    Ok(counts)
}

fn read_rows(
    step: &Step<'_>,
    depth: Depth,
    limits: &Limits,
    counts: &mut Counts,
) -> Result<(), codec::DecodeError> {
    let (Event::Rows(rows), Some(table)) = (&step.event, step.table) else {
        return Ok(());
    };
    let images_per_row = if rows.kind == RowsKind::Update { 2 } else { 1 };
    let before = counts.rows;
    let mut chunks = rows.chunks(&table.plan, limits)?;
    while let Some(mut chunk) = chunks.next_chunk()? {
        if depth == Depth::Scan {
            while chunk.skip_row()? {
                counts.rows += 1;
            }
            continue;
        }
        let mut pair = RowPair::default();
        while chunk.next_into(&mut pair)? {
            counts.rows += 1;
            if depth == Depth::Owned {
                own(&mut pair);
            }
            black_box(&pair);
        }
    }
    counts.images += (counts.rows - before) * images_per_row;
    Ok(())
}

/// What an owner of values pays beyond a borrower: a copy of every text and a row to keep them in.
fn own(pair: &mut RowPair<'_>) {
    for image in [&mut pair.before, &mut pair.after] {
        let owned: Vec<Option<Value<'static>>> = image
            .drain(..)
            .map(|value| value.map(Value::into_owned))
            .collect();
        black_box(&owned);
    }
}
