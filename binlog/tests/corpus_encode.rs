//! What Weir writes itself, against what MySQL wrote: rows from their values, lengths of transactions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod corpora;

use binlog::event::{Event, EventFormat, EventHeader, GtidEvent};
use binlog::limits::Limits;
use binlog::row::{RowPair, RowsEncoder, RowsEvent, RowsFlags, RowsVersion, Table};
use binlog::transaction::Boundary;
use binlog::value::Value;
use codec::Reader;
use corpora::open;

#[test]
fn rows_encode_back_to_their_bytes() {
    let mut compared = 0;
    // 5.6 and MariaDB set the unused bits of the NULL bitmap.
    for case in corpora::cases() {
        if case.server != "mysql-9.7" {
            continue;
        }
        for path in case.files() {
            let mut reader = open::transactions(&path, open::keys(&case));
            while let Some(step) = reader.next().unwrap() {
                let (Event::Rows(rows), Some(table)) = (&step.event, step.table) else {
                    continue;
                };
                let is_ours =
                    rows.version == RowsVersion::V2 && rows.extra.is_empty() && !rows.is_partial;
                if is_ours && let Some(body) = encode(rows, table) {
                    let place = format!("{} {}", case.label(), step.place.offset);
                    let body = Reader::at(&body, EventHeader::LEN);
                    let event_type = step.raw.header.event_type;
                    let again = RowsEvent::decode(event_type, body, step.format).unwrap();
                    assert_eq!(again.flags, rows.flags, "{place}");
                    assert_eq!(again.rows, rows.rows, "{place}");
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} row events were written again");
    assert_eq!(compared, ROW_EVENTS);
}

/// Row events of MySQL 9.7 with full images in all cases, those in payloads included.
const ROW_EVENTS: usize = 1_739;

/// The body of the event from its values; `None` when an image is not full.
fn encode(rows: &RowsEvent<'_>, table: &Table) -> Option<Vec<u8>> {
    let mut encoder = RowsEncoder::new(rows.kind, &table.map, rows.flags).unwrap();
    let mut chunks = rows.chunks(&table.plan, &Limits::default()).unwrap();
    while let Some(mut reader) = chunks.next_chunk().unwrap() {
        let mut pair = RowPair::default();
        while reader.next_into(&mut pair).unwrap() {
            let full = |row: &[Option<Value<'_>>]| -> Option<Vec<Value<'static>>> {
                row.iter()
                    .map(|cell| cell.clone().map(Value::into_owned))
                    .collect()
            };
            let split = encoder
                .push(&full(&pair.before)?, &full(&pair.after)?)
                .unwrap();
            // Only an event of a single row may be larger than events are made.
            assert_eq!(split, None);
        }
    }
    encoder.finish(rows.flags.contains(RowsFlags::STATEMENT_END))
}

#[test]
fn transaction_lengths_are_those_of_their_events() {
    let mut compared = 0;
    for case in corpora::cases() {
        for path in case.files() {
            let mut reader = open::transactions(&path, open::keys(&case));
            let mut open: Option<(u64, EventFormat, GtidEvent)> = None;
            while let Some(step) = reader.next().unwrap() {
                if let Event::Gtid(gtid) = &step.event {
                    open = Some((step.place.offset, step.format, gtid.clone()));
                }
                if let Boundary::End { .. } = step.boundary
                    && let Some((start, format, mut gtid)) = open.take()
                    && let Some(length) = gtid.transaction_length
                {
                    assert_eq!(length, step.place.end - start, "{}", case.label());
                    // Events inside a payload have no checksum, the GTID in front of it does.
                    let own = gtid.event_len(format.checksum);
                    gtid.fit_transaction_length(length - own, format.checksum);
                    assert_eq!(gtid.transaction_length, Some(length));
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} lengths of transactions");
    assert_eq!(compared, LENGTHS);
}

/// Transactions that carry their length in all cases: those of MySQL 9.7.
const LENGTHS: usize = 828;
