//! `weir flashback` in figures: a million rows, a transaction of gigabytes, and beside
//! `mariadb-binlog --flashback` on the same log.
//!
//! `cargo bench -p integration --bench flashback` runs all; `-- rows`, `-- large` or `-- beside` one of
//! them. `WEIR_ROWS` (default 1 000 000) and `WEIR_GIB` (default 5) set the sizes, `WEIR_BINARY` the
//! binary.

use std::path::Path;
use std::process::{Command, Stdio};

use integration::appliers::bench;
use integration::binlog_tools;
use integration::chance::{announce, setting};
use integration::failure::ensure;
use integration::measured::{self, Measured};
use integration::{Client, Peer, RealServer, Result, large_log, weir};

fn main() -> Result {
    bench(run())
}

async fn run() -> Result {
    let wanted = std::env::args()
        .nth(1)
        .filter(|argument| !argument.starts_with("--"));
    let is_wanted = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    if is_wanted("large") {
        large()?;
    }
    if is_wanted("rows") {
        rows().await?;
    }
    if is_wanted("beside") {
        beside().await?;
    }
    Ok(())
}

/// A transaction of gigabytes, plain and as a compressed payload.
fn large() -> Result {
    let bytes = setting("WEIR_GIB", 5) << 30;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("binlog.000001");
    let log = large_log::write_transactions(&path, bytes, bytes)?;
    flashed("a plain transaction", &log, directory.path())?;
    std::fs::remove_file(&path)?;
    let log = large_log::write_payload(&path, bytes, large_log::Filling::Text)?;
    flashed("a compressed transaction", &log, directory.path())
}

fn flashed(what: &str, log: &large_log::LargeLog, directory: &Path) -> Result {
    let out = directory.join("undo.binlog");
    let mut command = Command::new(weir::binary()?);
    command
        .args(["flashback", "--start", "binlog.000001:4", "--output"])
        .arg(&out)
        .arg("--tmpdir")
        .arg(directory)
        .arg(&log.path);
    let done = measured(&mut command)?;
    announce(&format!(
        "{what}: {} rows, {} bytes of log: {}",
        log.rows,
        log.bytes,
        figures(&done)
    ));
    std::fs::remove_file(&out)?;
    Ok(())
}

/// A DELETE without WHERE and an UPDATE of every row on MySQL 9.7, taken back on the server.
async fn rows() -> Result {
    let options = ["--max-allowed-packet=64M"];
    let server = RealServer::start(Peer::MySql97, 1, &options).await?;
    let mut client = server.client().await?;
    let count = fill(&mut client).await?;
    for (what, statement) in [
        ("DELETE", "DELETE FROM shop.t"),
        ("UPDATE", "UPDATE shop.t SET v = CONCAT('changed ', n)"),
    ] {
        let before = client.answer("CHECKSUM TABLE shop.t").await?;
        client.run(&["FLUSH BINARY LOGS", statement]).await?;
        let log = server.binlogs()?.pop().unwrap_or_default();
        let mut command = Command::new(weir::binary()?);
        let name = log.file_name().unwrap_or_default().to_string_lossy();
        command
            .args(["flashback", "--yes", "--start", &format!("{name}:4")])
            .args([
                "--apply",
                &format!("mysql://root@127.0.0.1:{}", server.port),
            ])
            .arg(&log);
        let done = measured(&mut command)?;
        let after = client.answer("CHECKSUM TABLE shop.t").await?;
        ensure(before == after, || format!("{before}, then {after}"))?;
        announce(&format!(
            "{what} of {count} rows taken back on MySQL 9.7: {}",
            figures(&done)
        ));
    }
    Ok(())
}

async fn fill(client: &mut Client) -> Result<u64> {
    let count = setting("WEIR_ROWS", 1_000_000);
    client
        .run(&[
            "CREATE DATABASE shop",
            "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT, v VARCHAR(60), d DATETIME, \
             x DECIMAL(12,2)) DEFAULT CHARSET utf8mb4",
        ])
        .await?;
    let mut next = 0;
    while next < count {
        let end = (next + 5000).min(count);
        let values: Vec<String> = (next..end)
            .map(|id| format!("({id},{id},'row number {id}','2026-11-21 05:00:00',{id}.25)"))
            .collect();
        client
            .execute(&format!("INSERT INTO shop.t VALUES {}", values.join(",")))
            .await?;
        next = end;
    }
    Ok(count)
}

/// The same log of MariaDB by both.
async fn beside() -> Result {
    let options = ["--binlog-row-metadata=FULL"];
    let server = RealServer::start(Peer::MariaDb118, 1, &options).await?;
    let mut client = server.client().await?;
    let count = fill(&mut client).await?;
    client
        .run(&["FLUSH BINARY LOGS", "DELETE FROM shop.t"])
        .await?;
    let log = server.binlogs()?.pop().unwrap_or_default();
    let directory = tempfile::tempdir()?;
    let mut vendor = binlog_tools::reader(Peer::MariaDb118)?;
    vendor.arg("--flashback").arg(&log);
    let done = measured(&mut vendor)?;
    announce(&format!(
        "mariadb-binlog --flashback, {count} rows: {}",
        figures(&done)
    ));
    for ending in ["binlog", "sql"] {
        let out = directory.path().join(format!("undo.{ending}"));
        let name = log.file_name().unwrap_or_default().to_string_lossy();
        let mut command = Command::new(weir::binary()?);
        command
            .args(["flashback", "--start", &format!("{name}:4"), "--output"])
            .arg(&out)
            .arg(&log);
        let done = measured(&mut command)?;
        announce(&format!(
            "weir flashback --output .{ending}, {count} rows: {}",
            figures(&done)
        ));
    }
    Ok(())
}

fn measured(command: &mut Command) -> Result<Measured> {
    command.stdin(Stdio::null());
    let done = measured::run(command, &mut |_| {})?;
    ensure(done.status.success(), || done.complaints.clone())?;
    Ok(done)
}

fn figures(done: &Measured) -> String {
    format!(
        "{:.1} s, at most {} MiB",
        done.took.as_secs_f64(),
        done.peak_bytes >> 20
    )
}
