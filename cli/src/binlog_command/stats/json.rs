//! The figures as one JSON object. What its members mean is told in docs/BINLOG.md.

use std::collections::BTreeMap;

use binlog::event::EventType;
use inspect::stats::{StopPlace, Tally, TransactionFigures};
use serde_json::{Map, Value, json};

use super::Report;

pub(super) fn object(report: &Report, top: usize) -> Value {
    let stats = &report.stats;
    let tables: Vec<Value> = stats
        .tables
        .by_bytes()
        .into_iter()
        .map(|((schema, table), figures)| {
            json!({
                "schema": schema,
                "table": table,
                "inserts": figures.rows.inserts,
                "updates": figures.rows.updates,
                "deletes": figures.rows.deletes,
                "row_events": figures.row_events,
                "bytes": figures.bytes,
            })
        })
        .collect();
    let mariadb: Vec<Value> = stats
        .mariadb_gtids
        .iter()
        .map(|((domain, server), (first, last, count))| {
            json!({"domain": domain, "server": server, "first": first, "last": last, "count": count})
        })
        .collect();
    let head = report.description.as_ref();
    json!({
        "file": report.file,
        "size": report.size.unwrap_or(stats.end),
        "server_version": head.map(|head| head.server_version.as_str()),
        "events": events(&stats.events),
        "crc_errors": stats.crc_errors,
        "crc_error_count": stats.crc_error_count,
        "end": stats.end,
        "error": report.error.as_ref().map(error),
        "payload_events": events(&stats.payload_events),
        "payload_bytes": stats.payloads.bytes,
        "payload_content_bytes": stats.payload_content,
        "checksummed": report.is_checksummed(),
        "in_use": stats.is_in_use,
        "closed": stats.is_closed,
        "ends_inside_transaction": stats.ends_inside_transaction,
        "first_timestamp": stats.times.map(|(first, _)| first),
        "last_timestamp": stats.times.map(|(_, last)| last),
        "transactions": stats.transactions,
        "anonymous_transactions": stats.anonymous,
        "statements": stats.statements,
        "row_events": stats.row_events,
        "rows": {
            "inserts": stats.rows.inserts,
            "updates": stats.rows.updates,
            "deletes": stats.rows.deletes,
        },
        "gtids": stats.gtids.to_string().replace('\n', ""),
        "previous_gtids": stats.previous_gtids.as_ref().map(|set| set.to_string().replace('\n', "")),
        "mariadb_gtids": mariadb,
        "tables": tables,
        "largest_transactions": transactions(stats.largest.best(), top),
        "longest_transactions": transactions(stats.longest.best(), top),
    })
}

fn events(events: &BTreeMap<EventType, Tally>) -> Map<String, Value> {
    events
        .iter()
        .map(|(event_type, tally)| {
            let tally = json!({"count": tally.count, "bytes": tally.bytes});
            (event_type.label().into_owned(), tally)
        })
        .collect()
}

fn error(place: &StopPlace) -> Value {
    json!({
        "offset": place.offset,
        "event": place.event.map(EventType::label),
        "message": place.message,
    })
}

fn transactions(figures: &[TransactionFigures], top: usize) -> Vec<Value> {
    figures
        .iter()
        .take(top)
        .map(|figures| {
            json!({
                "gtid": figures.gtid.text(),
                "offset": figures.start.offset,
                "end": figures.end,
                "bytes": figures.bytes,
                "rows": figures.rows,
                "timestamp": figures.timestamp,
                "seconds": micros_as_seconds(figures.micros),
            })
        })
        .collect()
}

/// A number with its fraction, exactly.
fn micros_as_seconds(micros: u64) -> Value {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
