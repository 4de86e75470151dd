//! Files much larger than memory may be: shown, verified and counted with less than 128 MB resident.
//!
//! `WEIR_LARGE_MIB` is the size of the file with one large transaction (nine tenths of it), 150 by
//! default. The full run needs 6 GB of disk; docs/BINLOG.md has its command and its figures.

#![allow(
    clippy::indexing_slicing,
    reason = "what is not in a JSON object is null"
)]

use std::path::Path;
use std::process::Command;

use binlog::event::EventType;
use integration::chance::{announce, setting};
use integration::failure::ensure;
use integration::large_log::{self, Filling, LargeLog};
use integration::measured::{self, Measured};
use integration::{Peer, Result, weir};
use serde_json::Value as Json;

const MIB: u64 = 1 << 20;
/// What a command may hold at most.
const RESIDENT_MAX: u64 = 128_000_000;
/// Compressed noise of this size still is more than 2 GiB.
const PAYLOAD_MIB_MAX: u64 = 2200;

fn file_mib() -> u64 {
    setting("WEIR_LARGE_MIB", 150)
}

fn payload_bytes() -> u64 {
    file_mib().min(PAYLOAD_MIB_MAX) * MIB
}

#[test]
fn a_transaction_larger_than_memory_is_read_in_bounded_memory() -> Result {
    let folder = tempfile::tempdir()?;
    let bytes = file_mib() * MIB;
    let path = folder.path().join("binlog.000001");
    let log = large_log::write_transactions(&path, bytes / 10 * 9, bytes)?;
    announce(&format!("{log:?}"));
    ensure(log.largest >= bytes / 10 * 9 - 10_000, || {
        format!("{log:?}")
    })?;
    read_all(&log)?;
    peer_reads(&log)
}

#[test]
fn a_payload_that_inflates_to_gigabytes_is_read_in_bounded_memory() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("binlog.000001");
    let log = large_log::write_payload(&path, payload_bytes(), Filling::Text)?;
    announce(&format!("{log:?}"));
    read_all(&log)?;
    peer_reads(&log)
}

#[test]
fn a_payload_of_gigabytes_is_read_in_bounded_memory() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("binlog.000001");
    let log = large_log::write_payload(&path, payload_bytes(), Filling::Noise)?;
    announce(&format!("{log:?}"));
    ensure(log.bytes >= payload_bytes() / 10 * 9, || format!("{log:?}"))?;
    read_all(&log)
}

/// Shows, verifies and counts the file.
fn read_all(log: &LargeLog) -> Result {
    let first = large_log::first_events(&log.path, 3)?;
    ensure(first.get(2) == Some(&EventType::GTID), || {
        format!("{first:?}")
    })?;
    show(log)?;
    let measured = run("verify", &[], &log.path, &mut |_| {})?;
    ensure(measured.complaints.is_empty(), || {
        measured.complaints.clone()
    })?;
    for arguments in [&["--json"][..], &["--json", "--verify"]] {
        stats(log, arguments)?;
    }
    Ok(())
}

/// One line per event, one `after` per row.
fn show(log: &LargeLog) -> Result {
    let (mut lines, mut rows) = (0, 0);
    let mut rest = Vec::new();
    run("show", &["--json"], &log.path, &mut |piece: &[u8]| {
        rest.extend_from_slice(piece);
        let whole = rest.iter().rposition(|&byte| byte == b'\n');
        let whole = whole.map_or(0, |at| at + 1);
        let text = rest.get(..whole).map(String::from_utf8_lossy);
        let text = text.unwrap_or_default();
        lines += text.matches('\n').count() as u64;
        rows += text.matches("\"after\":").count() as u64;
        rest.drain(..whole);
    })?;
    let events = log.events + log.inner_events;
    ensure(lines == events && rows == log.rows, || {
        format!("{lines} lines and {rows} rows of {log:?}")
    })
}

fn stats(log: &LargeLog, arguments: &[&str]) -> Result {
    let mut text = Vec::new();
    run("stats", arguments, &log.path, &mut |piece: &[u8]| {
        text.extend_from_slice(piece);
    })?;
    let stats: Json = serde_json::from_slice(&text)?;
    let count = |list: &str| -> u64 {
        let types = stats[list].as_object().into_iter().flatten();
        types.filter_map(|(_, of)| of["count"].as_u64()).sum()
    };
    let row_events = ["events", "payload_events"]
        .iter()
        .filter_map(|list| stats[list]["WRITE_ROWS"]["count"].as_u64())
        .sum::<u64>();
    let holds = stats["error"].is_null()
        && stats["size"] == log.bytes
        && stats["end"] == log.bytes
        && stats["crc_errors"] == Json::Array(Vec::new())
        && count("events") == log.events
        && count("payload_events") == log.inner_events
        && row_events == log.row_events;
    ensure(holds, || format!("{stats} of {log:?}"))
}

/// Runs `weir binlog`, which must succeed and stay within the bound.
fn run(
    command: &str,
    arguments: &[&str],
    path: &Path,
    consume: &mut dyn FnMut(&[u8]),
) -> Result<Measured> {
    let mut weir = Command::new(weir::binary()?);
    weir.args(["binlog", command]).args(arguments).arg(path);
    let measured = measured::run(&mut weir, consume)?;
    announce(&format!(
        "weir binlog {command} {}: {:.1} MB resident at most, {:.1} s, {} MB printed",
        arguments.join(" "),
        measured.peak_bytes as f64 / 1e6,
        measured.took.as_secs_f64(),
        measured.printed / 1_000_000,
    ));
    ensure(measured.status.success(), || {
        format!("{weir:?}: {measured:?}")
    })?;
    ensure(measured.peak_bytes < RESIDENT_MAX, || {
        format!("{weir:?}: {measured:?}")
    })?;
    Ok(measured)
}

/// MySQL's own reader takes the file too. It refuses events of more than 1 GiB.
fn peer_reads(log: &LargeLog) -> Result {
    let mut reader = Peer::MySql97.program("mysqlbinlog")?;
    reader
        .args(["--no-defaults", "--verify-binlog-checksum", "-v"])
        .arg("--base64-output=decode-rows")
        .arg(&log.path);
    let mut rows = 0;
    let mut rest = Vec::new();
    let measured = measured::run(&mut reader, &mut |piece: &[u8]| {
        rest.extend_from_slice(piece);
        let whole = rest.iter().rposition(|&byte| byte == b'\n');
        let whole = whole.map_or(0, |at| at + 1);
        let text = rest.get(..whole).map(String::from_utf8_lossy);
        let text = text.unwrap_or_default();
        rows += text.matches("### INSERT INTO `big`.`t`").count() as u64;
        rest.drain(..whole);
    })?;
    announce(&format!(
        "mysqlbinlog -v: {:.1} MB resident at most, {:.1} s",
        measured.peak_bytes as f64 / 1e6,
        measured.took.as_secs_f64(),
    ));
    ensure(measured.status.success() && rows == log.rows, || {
        format!("{rows} rows of {log:?}: {measured:?}")
    })
}
