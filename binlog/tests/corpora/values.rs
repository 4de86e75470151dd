//! Typed values of row events against the cells of expected.json.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "each test uses its own part, and fails by panicking"
)]

use std::collections::HashMap;

use binlog::event::Event;
use binlog::limits::Limits;
use binlog::log::LogReader;
use binlog::row::{RowPair, RowsKind};
use binlog::transaction::TransactionReader;
use binlog::value::{Value, double_text, float_text, json};
use serde_json::Value as Json;

use super::rows::{Change, Image, Kind};
use super::{Case, open};

/// Every changed row of a case, in the order of the log. `is_wanted` says of which tables
/// (`schema.table`) rows are read.
pub fn changes(case: &Case, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Change<Value<'static>>> {
    let mut collected = Collected::default();
    for path in case.files() {
        let mut reader = open::transactions(&path, open::keys(case));
        collected.read(&case.label(), &mut reader, is_wanted);
    }
    collected.changes
}

/// The changed rows of logs that are read one after the other.
#[derive(Default)]
pub struct Collected {
    pub changes: Vec<Change<Value<'static>>>,
    /// Partial updates stay as they are.
    pub keeps_diffs: bool,
    documents: Documents,
    events: usize,
}

impl Collected {
    /// Reads a log to its end. `label` is for messages.
    pub fn read(
        &mut self,
        label: &str,
        reader: &mut TransactionReader<LogReader>,
        is_wanted: &dyn Fn(&str) -> bool,
    ) {
        let file = reader.stream().source().name().to_string();
        loop {
            let step = reader.next();
            let step = step.unwrap_or_else(|error| panic!("{label}: {error}"));
            let Some(step) = step else { break };
            let Event::Rows(rows) = &step.event else {
                continue;
            };
            self.events += 1;
            let table = step.table.expect("rows have a table");
            if !is_wanted(&table.full_name()) {
                continue;
            }
            let head = Change {
                file: file.clone(),
                offset: step.place.offset,
                event: self.events,
                gtid: step
                    .transaction
                    .and_then(|transaction| transaction.gtid.text()),
                kind: match rows.kind {
                    RowsKind::Write => Kind::Insert,
                    RowsKind::Update => Kind::Update,
                    RowsKind::Delete => Kind::Delete,
                },
                schema: table.map.schema.to_string(),
                table: table.map.table.to_string(),
                before: None,
                after: None,
            };
            let place = format!("{label} {file} {}", step.place.offset);
            let mut chunks = rows.chunks(&table.plan, &Limits::default()).expect(&place);
            while let Some(mut reader) = chunks.next_chunk().expect(&place) {
                let mut pair = RowPair::default();
                while reader.next_into(&mut pair).expect(&place) {
                    let mut change = head.clone();
                    change.before = (rows.kind != RowsKind::Write).then(|| own(&pair.before));
                    change.after = (rows.kind != RowsKind::Delete).then(|| own(&pair.after));
                    if !self.keeps_diffs {
                        self.documents.apply(&mut change);
                    }
                    self.changes.push(change);
                }
            }
        }
    }
}

/// How many rows of `table` decode, and the errors of the events whose rows do not.
pub fn refusals(case: &Case, table: &str) -> (usize, Vec<String>) {
    let (mut rows_read, mut errors) = (0, Vec::new());
    for path in case.files() {
        let mut reader = open::transactions(&path, open::keys(case));
        while let Some(step) = reader.next().unwrap() {
            let (Event::Rows(rows), Some(of)) = (&step.event, step.table) else {
                continue;
            };
            if of.full_name() != table {
                continue;
            }
            let mut chunks = rows.chunks(&of.plan, &Limits::default()).unwrap();
            let mut pair = RowPair::default();
            let read = chunks.next_chunk().and_then(|reader| {
                let mut reader = reader.expect("rows");
                while reader.next_into(&mut pair)? {
                    rows_read += 1;
                }
                Ok(())
            });
            if let Err(error) = read {
                errors.push(error.to_string());
            }
        }
    }
    (rows_read, errors)
}

/// The JSON documents of each row by table, key (the first column) and column: what a partial update
/// of a minimal image is applied to.
#[derive(Default)]
struct Documents(HashMap<(String, String, usize), Vec<u8>>);

impl Documents {
    /// Replaces partial updates by the documents that they make of the old ones.
    fn apply(&mut self, change: &mut Change<Value<'static>>) {
        let key =
            |image: &Option<Image<_>>| Some(format!("{:?}", image.as_ref()?.first()?.as_ref()?));
        let key = key(&change.before)
            .or(key(&change.after))
            .unwrap_or_default();
        for (column, new) in change.after.iter_mut().flatten().enumerate() {
            let place = (change.table.clone(), key.clone(), column);
            let old = match change.before.as_ref().map(|before| &before[column]) {
                Some(Some(Value::Json(old))) => Some(old.to_vec()),
                _ => self.0.get(&place).cloned(),
            };
            if let Some(Value::JsonDiffs(diffs)) = &new {
                let old = old.expect("a document before");
                *new = Some(Value::Json(json::apply_diffs(&old, diffs).unwrap().into()));
            }
            if let Some(Value::Json(new)) = new {
                self.0.insert(place, new.to_vec());
            }
        }
    }
}

fn own(row: &[Option<Value<'_>>]) -> Image<Value<'static>> {
    row.iter()
        .map(|cell| cell.clone().map(Value::into_owned))
        .collect()
}

/// Whether the type is stored as BINARY, zeros at the end cut off.
pub fn is_padded(column: &str) -> bool {
    column.starts_with("binary(") || ["inet4", "inet6", "uuid"].contains(&column)
}

/// Whether two numbers are the same text but for leading zeros, which ZEROFILL adds.
fn is_same_number(expected: &Json, text: &str) -> bool {
    let expected = expected.as_str().unwrap();
    expected == text || expected.trim_start_matches('0') == text.trim_start_matches('0')
}

/// Whether `cell` is what SELECT showed of `column`, an entry of `table_defs`.
pub fn is_same(cell: &Value<'_>, expected: &Json, column: &Json) -> bool {
    let column = column["type"].as_str().unwrap();
    let fsp = column
        .split_once('(')
        .and_then(|(_, rest)| rest.split(')').next()?.parse().ok())
        .unwrap_or(0);
    match cell {
        Value::Null => expected.is_null(),
        _ if expected.is_null() => false,
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
        // Without metadata nothing says that it is padded.
        Value::Bytes(bytes) if is_padded(column) => {
            let Some(text) = expected["hex"].as_str() else {
                return is_same_bytes(bytes, expected);
            };
            text.trim_end_matches("00").to_lowercase() == hex(bytes).trim_end_matches("00")
        }
        Value::Bytes(bytes) => is_same_bytes(bytes, expected),
        Value::Enum(number) => is_same_number(&expected["num"], &number.to_string()),
        Value::Set(bits) => is_same_number(&expected["num"], &bits.to_string()),
        Value::Bit(bits) => expected["uint"].to_string().trim_matches('"').parse() == Ok(*bits),
        Value::Json(binary) => {
            let text = json::to_text(binary).unwrap();
            match expected["json_big"].as_object() {
                Some(big) => is_big(text.as_bytes(), &big["len"], &big["sha256"]),
                None => expected["json"] == text,
            }
        }
        other => panic!("{other:?} has no comparison"),
    }
}

fn is_same_bytes(bytes: &[u8], expected: &Json) -> bool {
    if let Some(text) = expected.as_str() {
        return text.as_bytes() == bytes;
    }
    if let Some(text) = expected["hex"].as_str() {
        return text.to_lowercase() == hex(bytes);
    }
    if expected["hex_sha256"].is_string() {
        return expected["hex_sha256"] == sha256(bytes);
    }
    if expected["sha256"].is_string() {
        return is_big(bytes, &expected["len"], &expected["sha256"]);
    }
    let big = match expected["json_big"].is_object() {
        // MariaDB's JSON is text.
        true => &expected["json_big"],
        false if expected["bytes_big"].is_object() => &expected["bytes_big"],
        false => &expected["text_big"],
    };
    if let Some(text) = expected["json"].as_str() {
        return text.as_bytes() == bytes;
    }
    is_big(bytes, &big["len"], &big["sha256"])
}

/// Whether bytes are those of this length (of bytes or of characters) and hash.
pub fn is_big(bytes: &[u8], len: &Json, hash: &Json) -> bool {
    let characters = String::from_utf8_lossy(bytes).chars().count();
    (*len == bytes.len() || *len == characters) && *hash == sha256(bytes)
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex(&sha2::Sha256::digest(bytes))
}
