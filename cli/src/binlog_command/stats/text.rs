//! The figures for people.

use std::fmt::Write as _;

use binlog::event::{Flavour, FormatDescription};
use binlog::transaction::TransactionKind;
use inspect::stats::{Stats, StopPlace, TransactionFigures};

use super::Report;
use crate::binlog_command::words::{Align, Grid, bytes, count, duration, timestamp};

/// Everything worth knowing of one file, without a line end behind it.
pub(super) fn report(report: &Report, top: usize) -> String {
    let mut text = format!("{}\n", report.file);
    head(&mut text, report);
    if !report.stats.events.is_empty() {
        events(&mut text, &report.stats);
    }
    if !report.stats.tables.is_empty() {
        tables(&mut text, &report.stats, top);
    }
    let stats = &report.stats;
    transactions(&mut text, "Largest transactions", stats.largest.best(), top);
    transactions(&mut text, "Longest transactions", stats.longest.best(), top);
    text.truncate(text.trim_end().len());
    text
}

fn head(text: &mut String, report: &Report) {
    let stats = &report.stats;
    let mut facts = Grid::new([Align::Left, Align::Left]);
    let mut fact = |name: &str, value: String| facts.row([format!("  {name}"), value]);
    if let Some(description) = &report.description {
        fact("Server", server(description, report));
    }
    let size = report.size.unwrap_or(stats.end);
    let total: u64 = stats.events.values().map(|tally| tally.count).sum();
    fact(
        "Size",
        format!(
            "{} ({} bytes), {} events",
            bytes(size),
            count(size),
            count(total)
        ),
    );
    if let Some((first, last)) = stats.times {
        let span = duration(u64::from(last - first) * 1_000_000);
        fact(
            "Time",
            format!("{} to {} ({span})", timestamp(first), timestamp(last)),
        );
    }
    fact("Transactions", transaction_counts(stats));
    let rows = &stats.rows;
    fact(
        "Rows",
        format!(
            "{} ({} inserted, {} updated, {} deleted) in {} row events",
            count(rows.total()),
            count(rows.inserts),
            count(rows.updates),
            count(rows.deletes),
            count(stats.row_events)
        ),
    );
    if let Some(previous) = stats.previous_gtids.as_ref().filter(|set| !set.is_empty()) {
        fact("GTIDs before", previous.to_string().replace('\n', " "));
    }
    if !stats.gtids.is_empty() {
        fact("GTIDs", stats.gtids.to_string().replace('\n', " "));
    }
    for ((domain, server), (first, last, transactions)) in &stats.mariadb_gtids {
        let run = format!(
            "{domain}-{server}-{first} to {last} ({} transactions)",
            count(*transactions)
        );
        fact("GTIDs", run);
    }
    if stats.payloads.count > 0 {
        fact("Compression", compression(stats));
    }
    if stats.crc_error_count > 0 {
        let first = stats.crc_errors.first().copied().unwrap_or_default();
        let errors = count(stats.crc_error_count);
        fact(
            "Checksums",
            format!("{errors} wrong, the first at offset {first}"),
        );
    }
    if let Some(error) = &report.error {
        fact("Error", stop(error));
    }
    text.push_str(&facts.to_string());
}

fn stop(place: &StopPlace) -> String {
    let event = place
        .event
        .map(|event| format!(", event {}", event.label()));
    format!(
        "at offset {}{}: {}",
        place.offset,
        event.unwrap_or_default(),
        place.message
    )
}

fn server(description: &FormatDescription, report: &Report) -> String {
    let flavour = match description.format().flavour {
        Flavour::MySql => "MySQL",
        Flavour::MariaDb => "MariaDB",
    };
    let mut text = format!("{flavour} {}", description.server_version);
    if flavour == "MariaDB" {
        text.clone_from(&description.server_version);
    }
    text.push_str(if report.is_checksummed() {
        ", checksums CRC32"
    } else {
        ", no checksums"
    });
    if report.stats.is_in_use {
        text.push_str(", in use");
    } else if !report.stats.is_closed {
        text.push_str(", not closed");
    }
    text
}

fn transaction_counts(stats: &Stats) -> String {
    let mut text = count(stats.transactions);
    if stats.anonymous > 0 {
        let _ = write!(text, ", {} without GTID", count(stats.anonymous));
    }
    if stats.statements > 0 {
        let _ = write!(text, ", {} statements", count(stats.statements));
    }
    if stats.ends_inside_transaction {
        text.push_str(", the last one is not whole");
    }
    text
}

fn compression(stats: &Stats) -> String {
    format!(
        "{} payloads, {} hold {} ({})",
        count(stats.payloads.count),
        bytes(stats.payloads.bytes),
        bytes(stats.payload_content),
        ratio(stats.payload_content, stats.payloads.bytes)
    )
}

/// How many times larger, with one digit.
fn ratio(large: u64, small: u64) -> String {
    let tenths = large.saturating_mul(10) / small.max(1);
    format!("{}.{} : 1", tenths / 10, tenths % 10)
}

fn events(text: &mut String, stats: &Stats) {
    let mut grid = Grid::new([Align::Left, Align::Right, Align::Right, Align::Right]);
    grid.row(["\n  Events", "count", "size", "share"].map(str::to_owned));
    let total: u64 = stats.events.values().map(|tally| tally.bytes).sum();
    let mut by_bytes: Vec<_> = stats.events.iter().collect();
    by_bytes.sort_by(|a, b| b.1.bytes.cmp(&a.1.bytes).then(a.0.cmp(b.0)));
    for (event_type, tally) in by_bytes {
        grid.row([
            format!("  {}", event_type.label()),
            count(tally.count),
            bytes(tally.bytes),
            share(tally.bytes, total),
        ]);
    }
    let mut inner: Vec<_> = stats.payload_events.iter().collect();
    inner.sort_by(|a, b| b.1.bytes.cmp(&a.1.bytes).then(a.0.cmp(b.0)));
    for (event_type, tally) in inner {
        grid.row([
            format!("  in payloads: {}", event_type.label()),
            count(tally.count),
            bytes(tally.bytes),
            String::new(),
        ]);
    }
    text.push_str(&grid.to_string());
}

fn share(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    format!("{}.{}%", tenths / 10, tenths % 10)
}

fn tables(text: &mut String, stats: &Stats, top: usize) {
    let tables = stats.tables.by_bytes();
    let mut grid = Grid::new([
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
    ]);
    grid.row(["\n  Tables", "inserted", "updated", "deleted", "size"].map(str::to_owned));
    for ((schema, table), figures) in tables.iter().take(top) {
        grid.row([
            format!("  {schema}.{table}"),
            count(figures.rows.inserts),
            count(figures.rows.updates),
            count(figures.rows.deletes),
            bytes(figures.bytes),
        ]);
    }
    text.push_str(&grid.to_string());
    if let Some(rest) = tables.len().checked_sub(top).filter(|&rest| rest > 0) {
        let _ = writeln!(text, "  and {rest} more");
    }
}

fn transactions(text: &mut String, title: &str, best: &[TransactionFigures], top: usize) {
    if best.is_empty() || top == 0 {
        return;
    }
    let mut grid = Grid::new([
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Left,
    ]);
    grid.row([
        format!("\n  {title}"),
        "size".to_owned(),
        "rows".to_owned(),
        "time".to_owned(),
        "at offset, GTID".to_owned(),
    ]);
    for figures in best.iter().take(top) {
        let kind = match figures.kind {
            TransactionKind::Ddl => ", a statement",
            TransactionKind::XaPrepare | TransactionKind::XaOnePhase => ", XA",
            _ => "",
        };
        grid.row([
            format!("  {}", timestamp(figures.timestamp)),
            bytes(figures.bytes),
            count(figures.rows),
            duration(figures.micros),
            format!("{} {}{kind}", figures.start.offset, figures.gtid),
        ]);
    }
    text.push_str(&grid.to_string());
}
