//! Weir beside its peers in one run on the same machine: what counts is the ratio.
//!
//! `cargo bench -p integration` runs sysbench oltp_insert with 64 clients and `sync_binlog=1` on Weir,
//! MySQL 9.7 and MariaDB 10.11, and decodes one binlog with Weir and with `mysqlbinlog -v`; with
//! `-- insert` or `-- decode` only one of the two. `WEIR_SECONDS` sets the length of each run.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use binlog::event::Event;
use binlog::log::{LogFileName, LogReader, OsStorage};
use binlog::row::{RowPair, RowPlan};
use integration::appliers::bench;
use integration::chance::{announce, setting};
use integration::failure::{Failure, ensure};
use integration::sysbench::Sysbench;
use integration::{Peer, RealServer, Result, Weir};

fn main() -> Result {
    bench(run())
}

async fn run() -> Result {
    let wanted = std::env::args()
        .nth(1)
        .filter(|argument| !argument.starts_with("--"));
    if wanted.as_deref() != Some("insert") {
        decode().await?;
    }
    if wanted.as_deref() != Some("decode") {
        inserts().await?;
    }
    Ok(())
}

async fn inserts() -> Result {
    let weir = Weir::primary(1, &["sync_binlog=1"]).await?;
    let weir_rate = insert(weir.port, weir.client().await?).await?;
    drop(weir);
    for (peer, durable) in [
        (
            Peer::MySql97,
            ["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"],
        ),
        (
            Peer::MariaDb1011,
            ["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"],
        ),
    ] {
        let server = RealServer::start(peer, 1, &durable).await?;
        let rate = insert(server.port, server.client().await?).await?;
        announce(&format!(
            "oltp_insert, 64 clients, sync_binlog=1: weir {weir_rate:.0}/s, {} {rate:.0}/s, \
             ratio {:.2}",
            peer.folder(),
            weir_rate / rate
        ));
    }
    Ok(())
}

async fn insert(port: u16, mut client: integration::Client) -> Result<f64> {
    client.execute("CREATE DATABASE sbtest").await?;
    let load = Sysbench {
        script: "oltp_insert",
        port,
        tables: 4,
        rows: 1_000,
        threads: 64,
        span: Duration::from_secs(setting("WEIR_SECONDS", 15)),
        prepared_statements: "auto",
    };
    load.prepare().await?;
    Ok(load.run().await?.transactions_per_second)
}

/// A binlog of sysbench rows that MySQL 9.7 wrote, read by `mysqlbinlog -v` and by Weir's codec:
/// checksums verified, every value of every row decoded, the text or the values thrown away.
async fn decode() -> Result {
    let mut server = RealServer::start(Peer::MySql97, 1, &[]).await?;
    server
        .client()
        .await?
        .execute("CREATE DATABASE sbtest")
        .await?;
    let load = Sysbench {
        script: "oltp_insert",
        port: server.port,
        tables: 4,
        rows: u32::try_from(setting("WEIR_ROWS", 100_000))?,
        threads: 4,
        span: Duration::from_secs(1),
        prepared_statements: "auto",
    };
    load.prepare().await?;
    server.stop()?;
    let mut best = [f64::MAX; 2];
    let mut megabytes = 0.0;
    let mut rows = 0;
    for _ in 0..3 {
        let mut spans = [0.0; 2];
        megabytes = 0.0;
        rows = 0;
        for file in server.binlogs()? {
            megabytes += std::fs::metadata(&file)?.len() as f64 / 1e6;
            let begin = Instant::now();
            let mut reader = Peer::MySql97.program("mysqlbinlog")?;
            reader.args(["--no-defaults", "--verify-binlog-checksum", "-v"]);
            reader.arg("--base64-output=decode-rows").arg(&file);
            let status = reader.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
            ensure(status.success(), || format!("{reader:?}: {status}"))?;
            spans[0] += begin.elapsed().as_secs_f64();
            let begin = Instant::now();
            rows += decode_file(&file)?;
            spans[1] += begin.elapsed().as_secs_f64();
        }
        best = [best[0].min(spans[0]), best[1].min(spans[1])];
    }
    let [theirs, ours] = best.map(|span| megabytes / span);
    announce(&format!(
        "decode of {megabytes:.0} MB with {rows} rows: mysqlbinlog -v {theirs:.0} MB/s, weir \
         {ours:.0} MB/s, ratio {:.1}",
        ours / theirs
    ));
    Ok(())
}

fn decode_file(path: &Path) -> Result<usize> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let name = LogFileName::parse(name).ok_or_else(|| Failure::new("not a log's name"))?;
    let mut reader = LogReader::open(&OsStorage::new(folder), &name)?;
    let mut plans: HashMap<u64, RowPlan> = HashMap::new();
    let mut rows = 0;
    while reader.advance(None)? {
        let algorithm = reader.checksum();
        let Some((_, raw)) = reader.current() else {
            break;
        };
        match Event::decode(&raw, algorithm)? {
            Event::TableMap(map) => {
                plans.insert(map.table_id, RowPlan::new(&map)?);
            }
            Event::Rows(event) => {
                let plan = plans
                    .get(&event.table_id)
                    .ok_or_else(|| Failure::new("no table map"))?;
                let mut values = event.read(plan)?;
                let mut pair = RowPair::default();
                while values.next_into(&mut pair)? {
                    rows += 1;
                    std::hint::black_box(&pair);
                }
            }
            _ => {}
        }
    }
    Ok(rows)
}
