//! Binlogs that real servers wrote, against the rows that the same servers printed.
//!
//! Every event must decode and encode back to the same bytes, and every row image must show what
//! SELECT showed. The files lie under `tests/data/<server>/<case>`, beside what was expected.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use binlog::event::{
    ChecksumAlgorithm, Event, EventHeader, EventType, FIRST_EVENT_OFFSET, FormatDescription, MAGIC,
    RawEvent, write_event,
};
use binlog::row::{RowPlan, RowsEncoder, RowsEvent, RowsFlags, RowsKind, RowsVersion, TableMap};
use binlog::transaction::{Boundary, TransactionTracker};
use binlog::value::json::{self, JsonValue};
use binlog::value::{Value, double_text, float_text};
use codec::Reader;
use serde_json::Value as Json;

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let entries = |dir: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let mut cases: Vec<_> = entries(&root)
        .iter()
        .flat_map(|server| entries(server))
        .collect();
    cases.sort();
    assert!(cases.len() > 40);
    cases
}

fn binlogs(case: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = fs::read_dir(case)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_stem().is_some_and(|stem| stem == "binlog"))
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Every event of a file with its offset and the checksum algorithm that holds for it.
fn events(file: &[u8]) -> Vec<(u64, RawEvent<'_>, ChecksumAlgorithm)> {
    assert_eq!(file[..4], MAGIC);
    let mut events = Vec::new();
    let mut algorithm = ChecksumAlgorithm::None;
    let mut offset = usize::try_from(FIRST_EVENT_OFFSET).unwrap();
    while offset < file.len() {
        let header = EventHeader::decode(&file[offset..]).unwrap();
        let end = offset + usize::try_from(header.event_size).unwrap();
        let raw = RawEvent::parse(&file[offset..end]).unwrap();
        if header.event_type == EventType::FORMAT_DESCRIPTION {
            algorithm = FormatDescription::decode(raw.bytes).unwrap().checksum;
        }
        events.push((offset as u64, raw, algorithm));
        offset = end;
    }
    events
}

#[test]
fn every_event_encodes_back_to_its_bytes() {
    for case in cases() {
        // MariaDB counts other columns as text and does not write every position.
        let is_mysql = !case.to_str().unwrap().contains("mariadb");
        for file in binlogs(&case) {
            for (offset, raw, algorithm) in events(&file) {
                let place = format!("{} {offset} {:?}", case.display(), raw.header.event_type);
                raw.verify(algorithm).expect(&place);
                let event = Event::decode(&raw, algorithm).expect(&place);
                assert_eq!(event.event_type(), raw.header.event_type, "{place}");
                let mut out = Vec::new();
                let encode = |body: &mut Vec<u8>| event.encode(body);
                let end = write_event(&mut out, &raw.header, offset, algorithm, encode);
                if is_mysql {
                    assert_eq!(out, raw.bytes, "{place}");
                    assert_eq!(end, offset + raw.bytes.len() as u64);
                }
                let again = RawEvent::parse(&out).unwrap();
                assert_eq!(Event::decode(&again, algorithm).unwrap(), event, "{place}");
            }
        }
    }
}

#[test]
fn every_log_follows_the_grammar_of_transactions() {
    for case in cases() {
        for file in binlogs(&case) {
            let mut machine = TransactionTracker::default();
            for (offset, raw, algorithm) in events(&file) {
                machine.feed(&raw, algorithm).unwrap_or_else(|error| {
                    panic!("{} at {offset}: {error}", case.display());
                });
            }
            assert!(machine.is_between_units(), "{}", case.display());
        }
    }
}

#[test]
fn transaction_lengths_are_those_of_their_events() {
    for case in cases() {
        for file in binlogs(&case) {
            let mut machine = TransactionTracker::default();
            let mut open: Option<(u64, binlog::event::GtidEvent)> = None;
            for (offset, raw, algorithm) in events(&file) {
                if let Event::Gtid(gtid) = Event::decode(&raw, algorithm).unwrap() {
                    open = Some((offset, gtid));
                }
                if let Boundary::End { .. } = machine.feed(&raw, algorithm).unwrap()
                    && let Some((start, mut gtid)) = open.take()
                    && let Some(length) = gtid.transaction_length
                {
                    let end = offset + raw.bytes.len() as u64;
                    assert_eq!(length, end - start, "{}", case.display());
                    gtid.fit_transaction_length(length - gtid.event_len(algorithm), algorithm);
                    assert_eq!(gtid.transaction_length, Some(length));
                }
            }
        }
    }
}

/// One changed row as the log has it.
struct Change {
    kind: RowsKind,
    schema: String,
    table: String,
    before: Vec<Option<Value<'static>>>,
    after: Vec<Option<Value<'static>>>,
    is_taken: bool,
}

/// Changes of a file by the offset of the row event that carries them.
fn changes(file: &[u8]) -> Vec<(u64, Change)> {
    let mut maps: HashMap<u64, TableMap<'static>> = HashMap::new();
    let mut changes = Vec::new();
    for (offset, raw, algorithm) in events(file) {
        match Event::decode(&raw, algorithm).unwrap() {
            Event::TableMap(map) => {
                maps.insert(map.table_id, map.into_owned());
            }
            Event::Rows(rows) => {
                let map = &maps[&rows.table_id];
                let plan = RowPlan::new(map).unwrap();
                for pair in rows.read(&plan).unwrap() {
                    let pair = pair.unwrap();
                    let own = |row: Vec<Option<Value<'_>>>| {
                        row.into_iter()
                            .map(|cell| cell.map(Value::into_owned))
                            .collect()
                    };
                    changes.push((
                        offset,
                        Change {
                            kind: rows.kind,
                            schema: map.schema.to_string(),
                            table: map.table.to_string(),
                            before: own(pair.before),
                            after: own(pair.after),
                            is_taken: false,
                        },
                    ));
                }
            }
            _ => {}
        }
    }
    changes
}

#[test]
fn rows_show_what_select_showed() {
    let mut compared = 0;
    for case in cases() {
        let name = case.display().to_string();
        let expected = fs::read_to_string(case.join("expected.json")).unwrap();
        let expected: Json = serde_json::from_str(&expected).unwrap();
        // Compressed transactions and partial JSON updates are kept as bytes; of a REPLACE, what was
        // expected shows only the net effect.
        if ["compression", "partial_json", "row_image"]
            .iter()
            .any(|case| name.contains(case))
        {
            continue;
        }
        let mut changes: Vec<_> = binlogs(&case)
            .iter()
            .flat_map(|file| changes(file))
            .collect();
        for transaction in expected["transactions"].as_array().unwrap() {
            if transaction["row_events"] == 0 {
                continue;
            }
            for change in transaction["changes"].as_array().unwrap() {
                if change["logged"] == false {
                    continue;
                }
                let columns = &expected["table_defs"][change["columns"].as_u64().unwrap() as usize];
                for row in change["rows"].as_array().unwrap() {
                    let found = changes
                        .iter_mut()
                        .map(|(_, found)| found)
                        .find(|found| is_same(found, change, row, columns));
                    match found {
                        Some(found) => found.is_taken = true,
                        None => panic!("{name}: no event has {row} of {}", change["table"]),
                    }
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 400, "only {compared} rows were compared");
}

fn is_same(found: &Change, change: &Json, row: &Json, columns: &Json) -> bool {
    let kind = match change["type"].as_str().unwrap() {
        "insert" => RowsKind::Write,
        "update" => RowsKind::Update,
        _ => RowsKind::Delete,
    };
    let same_image = |cells: &[Option<Value<'_>>], expected: &Json| {
        let Some(expected) = expected.as_array() else {
            return cells.is_empty();
        };
        cells.len() >= expected.len()
            && cells
                .iter()
                .zip(expected)
                .enumerate()
                .all(|(index, (cell, expected))| {
                    // A minimal image does not have every column.
                    cell.as_ref()
                        .is_none_or(|cell| is_same_cell(cell, expected, &columns[index]["type"]))
                })
    };
    !found.is_taken
        && found.kind == kind
        && found.schema == change["schema"]
        && found.table == change["table"]
        && same_image(&found.before, &row["before"])
        && same_image(&found.after, &row["after"])
}

/// Whether two numbers are the same text but for leading zeros, which ZEROFILL adds.
fn is_same_number(expected: &Json, text: &str) -> bool {
    expected.as_str().unwrap().trim_start_matches('0') == text.trim_start_matches('0')
}

fn is_same_cell(cell: &Value<'_>, expected: &Json, column: &Json) -> bool {
    let column = column.as_str().unwrap();
    let fsp = column
        .split_once('(')
        .and_then(|(_, rest)| rest.trim_end_matches(')').parse().ok())
        .unwrap_or(0);
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let big = |kind: &str| expected[kind]["len"].as_u64();
    match cell {
        Value::Null => expected.is_null(),
        Value::Int(number) if column.contains("unsigned") => {
            // Without metadata the log does not say so.
            let bits = match column.split(['(', ' ']).next().unwrap() {
                "tinyint" => 8,
                "smallint" => 16,
                "mediumint" => 24,
                "int" => 32,
                _ => 64,
            };
            let unsigned = number.cast_unsigned() & (u64::MAX >> (64 - bits));
            is_same_number(expected, &unsigned.to_string())
        }
        Value::Int(number) => is_same_number(expected, &number.to_string()),
        Value::UInt(number) => is_same_number(expected, &number.to_string()),
        Value::Float(number) => {
            expected["double"].as_str().unwrap().parse() == Ok(f64::from(*number))
                && (column != "float" || expected["text"] == float_text(*number))
        }
        Value::Double(number) => {
            *expected == double_text(*number)
                || column.contains('(') && expected.as_str().unwrap().parse() == Ok(*number)
        }
        Value::Decimal(number) => is_same_number(expected, &number.to_string()),
        Value::Year(year) => *expected == format!("{year:04}"),
        Value::Date(date) => *expected == date.text(),
        Value::Time(time) => *expected == time.text(fsp),
        Value::DateTime(value) => *expected == value.text(fsp),
        Value::Timestamp(value) => *expected == value.text_utc(fsp),
        Value::Bytes(bytes) => {
            if let Some(text) = expected.as_str() {
                return text.as_bytes() == bytes.as_ref();
            }
            if let Some(text) = expected["hex"].as_str() {
                return text.to_lowercase() == hex(bytes);
            }
            expected["hex_sha256"].is_string()
                || expected["len"] == bytes.len()
                || big("bytes_big").or(big("text_big")) == Some(bytes.len() as u64)
        }
        Value::Enum(number) => is_same_number(&expected["num"], &number.to_string()),
        Value::Set(bits) => is_same_number(&expected["num"], &bits.to_string()),
        Value::Bit(bits) => expected["uint"].to_string().trim_matches('"').parse() == Ok(*bits),
        Value::JsonDiffs(_) => panic!("this case has no partial updates"),
        Value::Json(binary) => {
            let text = json::to_text(binary).unwrap();
            let tree = json::decode(binary).unwrap();
            let again = json::encode(&tree).unwrap();
            // A decimal keeps the precision it was computed with, which its value does not show.
            if !binary.is_empty() && !has_decimal(&tree) {
                assert_eq!(hex(&again), hex(binary), "{text}");
            }
            assert_eq!(json::decode(&again).unwrap(), tree);
            expected["json"] == text || big("json_big") == Some(text.len() as u64)
        }
    }
}

fn has_decimal(tree: &JsonValue) -> bool {
    match tree {
        JsonValue::Decimal(_) => true,
        JsonValue::Array(items) => items.iter().any(has_decimal),
        JsonValue::Object(members) => members.iter().any(|(_, value)| has_decimal(value)),
        _ => false,
    }
}

#[test]
fn rows_encode_back_to_their_bytes() {
    for case in cases() {
        for file in binlogs(&case) {
            let mut maps: HashMap<u64, TableMap<'static>> = HashMap::new();
            for (offset, raw, algorithm) in events(&file) {
                match Event::decode(&raw, algorithm).unwrap() {
                    Event::TableMap(map) => {
                        maps.insert(map.table_id, map.into_owned());
                    }
                    // 5.6 sets the unused bits of the NULL bitmap.
                    Event::Rows(rows)
                        if rows.version == RowsVersion::V2
                            && rows.extra.is_empty()
                            && !rows.is_partial
                            && case.to_str().unwrap().contains("mysql-9.7") =>
                    {
                        let map = &maps[&rows.table_id];
                        let plan = RowPlan::new(map).unwrap();
                        let mut encoder = RowsEncoder::new(rows.kind, map, rows.flags).unwrap();
                        let mut is_full = true;
                        for pair in rows.read(&plan).unwrap() {
                            let pair = pair.unwrap();
                            let all = |row: Vec<Option<Value<'static>>>| row.into_iter().collect();
                            let own = |row: Vec<Option<Value<'_>>>| {
                                row.into_iter()
                                    .map(|cell| cell.map(Value::into_owned))
                                    .collect()
                            };
                            let (before, after): (Option<Vec<_>>, Option<Vec<_>>) =
                                (all(own(pair.before)), all(own(pair.after)));
                            let (Some(before), Some(after)) = (before, after) else {
                                is_full = false;
                                break;
                            };
                            let split = encoder.push(&before, &after).unwrap();
                            assert_eq!(split, None, "{} {offset}", case.display());
                        }
                        if is_full {
                            let ends = rows.flags.contains(RowsFlags::STATEMENT_END);
                            let body = encoder.finish(ends).unwrap();
                            let body = Reader::at(&body, EventHeader::LEN);
                            let again =
                                RowsEvent::decode(raw.header.event_type, body, algorithm).unwrap();
                            assert_eq!(again.flags, rows.flags);
                            assert_eq!(again.rows, rows.rows, "{} {offset}", case.display());
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn damaged_events_are_decoded_or_refused() {
    // A simple deterministic generator: the test must fail the same way twice.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for case in cases() {
        for file in binlogs(&case) {
            let mut plan = None;
            for (_, raw, algorithm) in events(&file) {
                if let Ok(Event::TableMap(map)) = Event::decode(&raw, algorithm) {
                    plan = RowPlan::new(&map).ok();
                }
                for _ in 0..20 {
                    let mut bytes = raw.bytes.to_vec();
                    for _ in 0..=random(3) {
                        let at = 19 + random(bytes.len() - 19);
                        bytes[at] = [0, 0xff, 0xfe, 0x80, random(256) as u8][random(5)];
                    }
                    let event = RawEvent {
                        header: raw.header,
                        bytes: &bytes,
                    };
                    let Ok(event) = Event::decode(&event, algorithm) else {
                        continue;
                    };
                    if let (Event::Rows(rows), Some(plan)) = (&event, &plan)
                        && let Ok(rows) = rows.read(plan)
                    {
                        for pair in rows.map_while(Result::ok) {
                            for cell in pair.before.iter().chain(&pair.after).flatten() {
                                if let Value::Json(binary) = cell {
                                    let _ = json::to_text(binary);
                                }
                            }
                        }
                    }
                    if let Event::TableMap(map) = &event {
                        let _ = RowPlan::new(map);
                    }
                    event.encode(&mut Vec::new());
                }
            }
        }
    }
}
