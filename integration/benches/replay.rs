//! `weir replay` beside `mysqlbinlog | mysql`: the same logs of MySQL 9.7 into fresh servers of the same
//! version with their defaults, one after the other, and the ratios.
//!
//! `cargo bench -p integration --bench replay` runs both logs; `-- sysbench` or `-- large` one of them.
//! `WEIR_TRANSACTIONS` (default 100 000) and `WEIR_ROWS` (default 1 000 000) set the sizes,
//! `WEIR_PARALLEL` the connections of a restore, `WEIR_BINARY` the binary.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use integration::appliers::bench;
use integration::chance::{announce, setting};
use integration::compare::ensure_same_checksums;
use integration::failure::ensure;
use integration::sysbench::Sysbench;
use integration::{Client, Peer, RealServer, Result, binlog_tools, weir};

/// `mysqlbinlog` makes one statement of all rows that a statement of the source changed.
const PACKETS: &str = "--max-allowed-packet=1G";

fn main() -> Result {
    bench(run())
}

async fn run() -> Result {
    let wanted = std::env::args()
        .nth(1)
        .filter(|argument| !argument.starts_with("--"));
    let is_wanted = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    // What the logs are written with does not count.
    let relaxed = [
        PACKETS,
        "--sync-binlog=0",
        "--innodb-flush-log-at-trx-commit=0",
    ];
    if is_wanted("sysbench") {
        let source = RealServer::start(Peer::MySql97, 1, &relaxed).await?;
        let count = small(&source).await?;
        beside(
            &source,
            "sbtest",
            &format!("{count} transactions of sysbench oltp_write_only"),
        )
        .await?;
    }
    if is_wanted("large") {
        let source = RealServer::start(Peer::MySql97, 1, &relaxed).await?;
        let rows = large(&mut source.client().await?).await?;
        let what = format!("{rows} rows inserted, all updated, half deleted");
        beside(&source, "shop", &what).await?;
    }
    Ok(())
}

/// As many small transactions as asked for.
async fn small(source: &RealServer) -> Result<u64> {
    let wanted = setting("WEIR_TRANSACTIONS", 100_000);
    let mut client = source.client().await?;
    client.execute("CREATE DATABASE sbtest").await?;
    let load = Sysbench {
        script: "oltp_write_only",
        port: source.port,
        tables: 4,
        rows: 10_000,
        threads: 4,
        span: Duration::from_secs(10),
        prepared_statements: "auto",
    };
    load.prepare().await?;
    let mut count = 0;
    while count < wanted {
        count += load.run().await?.transactions;
    }
    Ok(count)
}

/// Row events as large as they get, in transactions of up to all rows.
async fn large(client: &mut Client) -> Result<u64> {
    let count = setting("WEIR_ROWS", 1_000_000);
    client
        .run(&[
            "CREATE DATABASE shop",
            "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT, v VARCHAR(60), d DATETIME, \
             x DECIMAL(12,2))",
        ])
        .await?;
    let mut next = 0;
    while next < count {
        let end = (next + 5000).min(count);
        let values: Vec<String> = (next..end)
            .map(|id| format!("({id},{id},'row number {id}','2026-11-21 05:00:00',{id}.25)"))
            .collect();
        let sql = format!("INSERT INTO shop.t VALUES {}", values.join(","));
        client.execute(&sql).await?;
        next = end;
    }
    client
        .run(&[
            "UPDATE shop.t SET v = CONCAT('changed ', n)",
            "DELETE FROM shop.t WHERE id % 2 = 0",
        ])
        .await?;
    Ok(count)
}

/// The logs of `source` by each way into a fresh server.
async fn beside(source: &RealServer, database: &str, what: &str) -> Result {
    let mut at_source = source.client().await?;
    at_source.execute("FLUSH BINARY LOGS").await?;
    let mut files = source.binlogs()?;
    files.pop();
    let bytes: u64 = files
        .iter()
        .filter_map(|file| std::fs::metadata(file).ok())
        .map(|metadata| metadata.len())
        .sum();
    announce(&format!("{what}: {} files, {bytes} bytes", files.len()));
    let mut took = Vec::new();
    for way in ["restore", "live", "mysqlbinlog | mysql"] {
        let target = RealServer::start(Peer::MySql97, 2, &[PACKETS]).await?;
        let mut at_target = target.client().await?;
        if took.is_empty() {
            announce(&format!("the target: {}", settings(&mut at_target).await?));
        }
        // What others have written and not synced must not count against this way.
        Command::new("sync").status()?;
        let cpu = target.cpu_seconds()?;
        let began = Instant::now();
        match way {
            "mysqlbinlog | mysql" => piped(&files, target.port)?,
            mode => replayed(&files, target.port, mode)?,
        }
        let seconds = began.elapsed().as_secs_f64();
        let cpu = target.cpu_seconds()? - cpu;
        ensure_same_checksums(&mut at_source, &mut at_target, &[database]).await?;
        announce(&format!(
            "  {way}: {seconds:.1} s, {cpu:.1} s of the target's CPU"
        ));
        took.push((way, seconds));
    }
    let Some((_, theirs)) = took.pop() else {
        return Ok(());
    };
    for (way, ours) in took {
        announce(&format!(
            "  {way} is {:.1} times as fast as the pipe",
            theirs / ours
        ));
    }
    Ok(())
}

async fn settings(client: &mut Client) -> Result<String> {
    let mut text = Vec::new();
    for name in [
        "version",
        "sync_binlog",
        "innodb_flush_log_at_trx_commit",
        "innodb_buffer_pool_size",
        "innodb_redo_log_capacity",
        "gtid_mode",
    ] {
        let value = client.value(&format!("SELECT @@GLOBAL.{name}")).await?;
        text.push(format!("{name}={value}"));
    }
    Ok(text.join(" "))
}

fn replayed(files: &[PathBuf], port: u16, mode: &str) -> Result {
    let ended = Command::new(weir::binary()?)
        .arg("replay")
        .args(files)
        .args(["--to", &format!("mysql://root@127.0.0.1:{port}")])
        .args(["--mode", mode, "--yes", "--allow", "writers"])
        .args(parallel(mode))
        .output()?;
    ensure(ended.status.success(), || {
        String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned()
    })
}

/// Over how many connections, if somebody asked for another number than the default.
fn parallel(mode: &str) -> Vec<String> {
    match std::env::var("WEIR_PARALLEL") {
        Ok(lanes) if mode == "restore" => vec!["--parallel".to_owned(), lanes],
        _ => Vec::new(),
    }
}

fn piped(files: &[PathBuf], port: u16) -> Result {
    let mut reader = binlog_tools::reader(Peer::MySql97)?;
    let mut read = reader
        .args(files)
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    let stdout = read.stdout.take();
    let mut client = Peer::MySql97.cli()?;
    client.args(["--host=127.0.0.1", "--user=root", PACKETS]);
    client.arg(format!("--port={port}"));
    if let Some(stdout) = stdout {
        client.stdin(stdout);
    }
    let ended = client.output()?;
    // Were the reading end kept open, a reader whose client has failed would wait for ever.
    drop(client);
    let is_read = read.wait()?.success();
    ensure(ended.status.success() && is_read, || {
        String::from_utf8_lossy(&ended.stderr).into_owned()
    })
}
