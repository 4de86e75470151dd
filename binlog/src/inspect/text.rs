//! Events, rows and values in words. Not SQL: names and values are shown so that a person can
//! recognise them, not so that a server could run them.

use std::collections::HashMap;
use std::fmt::Write;

use super::verb;
use crate::event::Event;
use crate::row::{Column, RowPair, RowPlan, RowsKind, TableMap};
use crate::value::{Value, double_text, float_text, json};

/// Of a statement or another long text, at most this many characters are shown.
const TEXT_MAX: usize = 500;

/// What is in an event, on one line.
pub(super) fn info(
    event: &Event<'_>,
    tables: &HashMap<u64, (TableMap<'static>, RowPlan)>,
) -> String {
    match event {
        Event::FormatDescription(description) => {
            format!(
                "server {}, checksum {:?}",
                description.server_version, description.checksum
            )
        }
        Event::PreviousGtids(previous) => previous.gtids.to_string().replace('\n', " "),
        Event::Gtid(gtid) => {
            let mut text = gtid
                .gtid
                .as_ref()
                .map_or("ANONYMOUS".to_owned(), ToString::to_string);
            if let Some(clock) = gtid.logical_clock {
                let (last, number) = (clock.last_committed, clock.sequence_number);
                let _ = write!(text, " last_committed={last} sequence_number={number}");
            }
            if let Some(length) = gtid.transaction_length {
                let _ = write!(text, " transaction_length={length}");
            }
            text
        }
        Event::Query(query) => {
            let schema = String::from_utf8_lossy(&query.schema);
            let schema = if schema.is_empty() {
                String::new()
            } else {
                format!("use `{schema}`; ")
            };
            format!("{schema}{}", shown(&query.sql))
        }
        Event::TableMap(map) => {
            format!("table_id {} ({}.{})", map.table_id, map.schema, map.table)
        }
        Event::Rows(rows) => {
            let table = tables.get(&rows.table_id).map_or_else(
                || "unknown table".to_owned(),
                |(map, _)| format!("{}.{}", map.schema, map.table),
            );
            format!("{} table_id {} ({table})", verb(rows.kind), rows.table_id)
        }
        Event::Xid(xid) => format!("COMMIT xid={}", xid.xid),
        Event::Rotate(rotate) => format!("{}:{}", rotate.file, rotate.position),
        Event::Stop => String::new(),
        Event::Heartbeat(beat) => {
            format!("{}:{}", String::from_utf8_lossy(&beat.file), beat.position)
        }
        Event::RowsQuery(query) => shown(query.sql),
        Event::Incident(incident) => {
            format!(
                "incident {}: {}",
                incident.incident,
                shown(incident.message)
            )
        }
        Event::Other { body, .. } => format!("{} bytes, kept as they are", body.len()),
        other => shown(format!("{other:?}").as_bytes()),
    }
}

/// A changed row: `UPDATE db.table SET @1=.. WHERE @1=..`, columns by name where it was logged.
pub(super) fn row(kind: RowsKind, map: &TableMap<'_>, pair: &RowPair<'_>) -> String {
    let before = image(map, &pair.before);
    let after = image(map, &pair.after);
    let (verb, schema, table) = (verb(kind), &map.schema, &map.table);
    match kind {
        RowsKind::Write => format!("{verb} {schema}.{table} SET {after}"),
        RowsKind::Update => format!("{verb} {schema}.{table} SET {after} WHERE {before}"),
        RowsKind::Delete => format!("{verb} {schema}.{table} WHERE {before}"),
    }
}

fn image(map: &TableMap<'_>, row: &[Option<Value<'_>>]) -> String {
    let cells = row
        .iter()
        .zip(&map.columns)
        .enumerate()
        .filter_map(|(index, (value, column))| {
            let name = match &column.name {
                Some(name) => name.to_string(),
                None => format!("@{}", index + 1),
            };
            Some(format!("{name}={}", member_text(value.as_ref()?, column)))
        });
    cells.collect::<Vec<_>>().join(" ")
}

/// ENUM and SET by their members where these were logged, other values as they are.
fn member_text(value: &Value<'_>, column: &Column<'_>) -> String {
    let member = |index: u64| {
        let index = usize::try_from(index).ok()?;
        Some(String::from_utf8_lossy(column.members.as_ref()?.get(index)?).into_owned())
    };
    match value {
        Value::Enum(number) => match number.checked_sub(1).and_then(|index| member(index.into())) {
            Some(name) => format!("'{name}'"),
            None => number.to_string(),
        },
        Value::Set(bits) if column.members.is_some() => {
            let names = (0..64)
                .filter(|bit| bits & (1 << bit) != 0)
                .filter_map(member);
            format!("'{}'", names.collect::<Vec<_>>().join(","))
        }
        _ => value_text(value),
    }
}

/// A value without regard to its column. Text that is not UTF-8 is shown in hexadecimal, moments
/// with six fractional digits and in UTC.
#[must_use]
pub fn value_text(value: &Value<'_>) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) | Value::Set(number) => number.to_string(),
        Value::Float(number) => float_text(*number),
        Value::Double(number) => double_text(*number),
        Value::Decimal(number) => number.to_string(),
        Value::Year(year) => year.to_string(),
        Value::Date(date) => format!("'{}'", date.text()),
        Value::Time(time) => format!("'{}'", time.text(6)),
        Value::DateTime(moment) => format!("'{}'", moment.text(6)),
        Value::Timestamp(moment) => format!("'{}'", moment.text_utc(6)),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') => {
                format!("'{}'", text.escape_debug())
            }
            _ => hexadecimal(bytes),
        },
        Value::Enum(number) => number.to_string(),
        Value::Bit(bits) => format!("b'{bits:b}'"),
        Value::JsonDiffs(bytes) => format!("diffs {}", hexadecimal(bytes)),
        Value::Json(bytes) if bytes.is_empty() => "'null'".to_owned(),
        Value::Json(bytes) => match json::to_text(bytes) {
            Ok(text) => format!("'{text}'"),
            Err(_) => hexadecimal(bytes),
        },
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::from("0x");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A statement on one line, cut where it is long.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(TEXT_MAX)
        .collect();
    if line.len() < text.len() {
        line.push_str(" ...");
    }
    line
}
