//! Row images under table maps that are as hostile as the rows.
//!
//! | size | field                                          |
//! |-----:|------------------------------------------------|
//! |    1 | type of the row event                          |
//! |    2 | length of the table map, little-endian         |
//! |    n | body of the table map                          |
//! | rest | body of the row event                          |

use binlog::event::{ChecksumAlgorithm, EventFormat, EventType, Flavour};
use binlog::limits::Limits;
use binlog::row::{RowPair, RowPlan, RowReader, RowsEvent, TableMap};
use binlog::value::{Value, json};
use codec::{DecodeError, Reader};
use inspect::cell::{Shape, put_cell};
use inspect::put_value;

use super::Verdict;
use crate::corpus::Corpus;
use crate::made;
use crate::seeds::{self, Seed};

/// Takes a table map and a row event.
pub fn run(input: &[u8]) -> Verdict {
    Verdict::from_bool(run_inner(input).is_some())
}

fn run_inner(input: &[u8]) -> Option<()> {
    let (&event_type, rest) = input.split_first()?;
    let (len, rest) = rest.split_first_chunk::<2>()?;
    let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
    let (map, rows) = rest.split_at_checked(len)?;
    // Codes are the same in both families; optional metadata is not.
    let format = match event_type {
        23..=25 | 166.. => EventFormat::mariadb(ChecksumAlgorithm::None),
        _ => EventFormat::mysql(ChecksumAlgorithm::None),
    };
    let map = TableMap::decode(Reader::new(map), format).ok()?;
    let plan = RowPlan::new(&map).ok()?;
    let event = RowsEvent::decode(EventType(event_type), Reader::new(rows), format).ok()?;
    check(&event, &map, &plan, format.flavour).then_some(())
}

/// Reads every row of an event, and skips every row: both find the same number, or both fail.
pub fn check(event: &RowsEvent<'_>, map: &TableMap<'_>, plan: &RowPlan, flavour: Flavour) -> bool {
    let read = count(event, plan, |reader| {
        let mut pair = RowPair::default();
        let mut rows = 0;
        while reader.next_into(&mut pair)? {
            check_pair(map, flavour, &pair);
            rows += 1;
        }
        Ok(rows)
    });
    let skipped = count(event, plan, |reader| {
        let mut rows = 0;
        while reader.skip_row()? {
            rows += 1;
        }
        Ok(rows)
    });
    if let Some(read) = read {
        assert_eq!(
            skipped,
            Some(read),
            "rows that are read and rows that are skipped"
        );
    }
    read.is_some()
}

fn count(
    event: &RowsEvent<'_>,
    plan: &RowPlan,
    rows: impl Fn(&mut RowReader<'_>) -> Result<u64, DecodeError>,
) -> Option<u64> {
    let mut chunks = event.chunks(plan, &Limits::default()).ok()?;
    let mut total = 0;
    while let Some(mut reader) = chunks.next_chunk().ok()? {
        total += rows(&mut reader).ok()?;
    }
    Some(total)
}

/// Looks at every value of a row in every way that a user of the crate does.
pub fn check_pair(map: &TableMap<'_>, flavour: Flavour, pair: &RowPair<'_>) {
    for row in [&pair.before, &pair.after] {
        for (column, value) in map.columns.iter().zip(row) {
            let Some(value) = value else { continue };
            let shape = Shape::of(column, flavour);
            let (mut text, mut again) = (Vec::new(), Vec::new());
            put_value(&mut text, value, shape, column, true);
            let owned = value.clone().into_owned();
            put_value(&mut again, &owned.borrowed(), shape, column, true);
            assert_eq!(text, again, "{value:?} and its copy differ");
            let mut cell = Vec::new();
            put_cell(&mut cell, value, shape, column, None, false);
            assert!(
                std::str::from_utf8(&cell).is_ok(),
                "{cell:02x?} of {value:?}"
            );
            if let Value::Json(binary) = value {
                let _ = json::to_text(binary);
            }
        }
    }
}

/// The row events of the event seeds, and one row for each column type.
#[must_use]
pub fn seeds(corpus: &Corpus) -> Vec<Seed> {
    let mut seeds = made::row_images();
    for seed in seeds::events(corpus) {
        let seeds::Shape::Events(stream) = &seed.shape else {
            continue;
        };
        let [map, rows] = stream.events.as_slice() else {
            continue;
        };
        let trailer = if stream.has_checksums { 4 } else { 0 };
        let body = |event: &[u8]| {
            let end = event.len().saturating_sub(trailer);
            event.get(19..end).unwrap_or_default().to_vec()
        };
        let event_type = rows.get(4).copied().unwrap_or_default();
        seeds.push(Seed::bytes(
            seed.label,
            input(event_type, &body(map), &body(rows)),
        ));
    }
    seeds
}

/// An input of this target.
#[must_use]
pub fn input(event_type: u8, map: &[u8], rows: &[u8]) -> Vec<u8> {
    let mut input = vec![event_type];
    input.extend_from_slice(&u16::try_from(map.len()).unwrap_or(u16::MAX).to_le_bytes());
    input.extend_from_slice(map);
    input.extend_from_slice(rows);
    input
}
