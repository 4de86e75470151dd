//! `weir replica` into MySQL 9.7 beside MySQL 9.7's own applier: the same log of sysbench, received
//! before the clock starts, into fresh servers with their defaults, with as many workers each, and the
//! ratios.
//!
//! `cargo bench -p integration --bench apply` runs 1, 4 and 8 workers, each with the order of commits kept
//! and not. `WEIR_TRANSACTIONS` (default 50 000) sets the size, `WEIR_WORKERS` (a list as `4,8`) the workers,
//! `WEIR_BINARY` the binary.

use std::process::Command;
use std::time::{Duration, Instant};

use integration::appliers::{LIMIT, bench, follow_by_mysql, until_received};
use integration::chance::{announce, setting};
use integration::compare::{ensure_same_checksums, until_gtids_executed};
use integration::real_replica::create_account;
use integration::sysbench::Sysbench;
use integration::{Peer, RealServer, Result, Weir};

fn main() -> Result {
    bench(run())
}

async fn run() -> Result {
    // What the log is written with does not count.
    let relaxed = ["--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0"];
    let source = RealServer::start(Peer::MySql97, 1, &relaxed).await?;
    let count = load(&source).await?;
    announce(&format!(
        "{count} transactions of sysbench oltp_write_only, 16 clients, 4 tables of 10 000 rows"
    ));
    let workers = std::env::var("WEIR_WORKERS").unwrap_or_else(|_| "1,4,8".to_owned());
    for workers in workers.split(',') {
        for order in ["ON", "OFF"] {
            let ours = seconds(&source, true, workers, order).await?;
            let theirs = seconds(&source, false, workers, order).await?;
            let rate = |seconds: f64| f64::from(u32::try_from(count).unwrap_or(0)) / seconds;
            announce(&format!(
                "  {workers} workers, replica_preserve_commit_order={order}: weir {ours:.1} s ({:.0}/s), \
                 MySQL {theirs:.1} s ({:.0}/s): {:.2} times as fast",
                rate(ours),
                rate(theirs),
                theirs / ours
            ));
        }
    }
    Ok(())
}

async fn load(source: &RealServer) -> Result<u64> {
    let wanted = setting("WEIR_TRANSACTIONS", 50_000);
    let mut client = source.client().await?;
    create_account(&mut client, Peer::MySql97).await?;
    client.execute("CREATE DATABASE sbtest").await?;
    let load = Sysbench {
        script: "oltp_write_only",
        port: source.port,
        tables: 4,
        rows: 10_000,
        threads: 16,
        span: Duration::from_secs(5),
        prepared_statements: "auto",
    };
    load.prepare().await?;
    let mut count = 0;
    while count < wanted {
        count += load.run().await?.transactions;
    }
    Ok(count)
}

/// How long everything takes that was received.
async fn seconds(source: &RealServer, is_ours: bool, workers: &str, order: &str) -> Result<f64> {
    let mut at_source = source.client().await?;
    // A server's own applier has no network between: nor has ours TLS.
    let target = RealServer::start(Peer::MySql97, 2, &["--tls-version="]).await?;
    let mut at_target = target.client().await?;
    let weir = match is_ours {
        true => Some(ours(source, &target, workers, order).await?),
        false => {
            follow_by_mysql(&mut at_target, source.port, workers, order).await?;
            None
        }
    };
    let mut steered = match &weir {
        Some(weir) => weir.client().await?,
        None => target.client().await?,
    };
    steered.execute("START REPLICA IO_THREAD").await?;
    until_received(&mut at_source, &mut steered).await?;
    // What others have written and not synced must not count against this run.
    Command::new("sync").status()?;
    let cpu = target.cpu_seconds()?;
    let began = Instant::now();
    steered.execute("START REPLICA SQL_THREAD").await?;
    until_gtids_executed(&mut at_source, &mut at_target, LIMIT).await?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = target.cpu_seconds()? - cpu;
    ensure_same_checksums(&mut at_source, &mut at_target, &["sbtest"]).await?;
    let mut said = format!("    target's CPU {cpu:.1} s");
    if let Some(mut weir) = weir {
        if let Some(process) = weir.process() {
            said.push_str(&format!(
                ", weir's {:.1} s, weir's memory at most {} MB",
                process.cpu_seconds()?,
                process.peak_bytes()? >> 20
            ));
        }
        weir.stop()?;
    }
    announce(&said);
    Ok(seconds)
}

async fn ours(
    source: &RealServer,
    target: &RealServer,
    workers: &str,
    order: &str,
) -> Result<Weir> {
    Weir::following(
        9,
        source.port,
        &[
            "skip-replica-start=ON",
            &format!("target=mysql://root@127.0.0.1:{}", target.port),
            &format!("replica-parallel-workers={workers}"),
            &format!("replica-preserve-commit-order={order}"),
        ],
    )
    .await
}
