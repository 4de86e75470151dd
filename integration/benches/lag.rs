//! How far `weir replica` is behind at half of the load that the source can take, and MySQL 9.7 as a replica of the
//! same source under the same load in turn, both into MySQL 9.7 with as many workers: milliseconds from the end of a
//! commit on the source until its row is seen behind the replica, as p50, p99 and the most.
//!
//! `cargo bench -p integration --bench lag`; `WEIR_SECONDS` (default 30) is the length, `WEIR_WORKERS` (default
//! 4) the workers, `WEIR_RATE` the transactions per second instead of half of what a first run makes,
//! `WEIR_BINARY` the binary. With `WEIR_INTO=sqlite` Weir's end is its embedded database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use integration::appliers::{LIMIT, bench, follow_by_mysql};
use integration::chance::{announce, setting};
use integration::compare::until_gtids_executed;
use integration::failure::ensure;
use integration::real_replica::create_account;
use integration::sysbench::Sysbench;
use integration::wait::let_run;
use integration::{Client, Peer, RealServer, Result, Weir};

/// Between two rows whose way is watched.
const PERIOD: Duration = Duration::from_millis(50);

fn main() -> Result {
    bench(run())
}

async fn run() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    at_source
        .run(&[
            "CREATE DATABASE sbtest",
            "CREATE DATABASE probe",
            "CREATE TABLE probe.t (id INT PRIMARY KEY)",
        ])
        .await?;
    let span = Duration::from_secs(setting("WEIR_SECONDS", 30));
    let load = Sysbench {
        script: "oltp_write_only",
        port: source.port,
        tables: 4,
        rows: 10_000,
        threads: 8,
        span: Duration::from_secs(5),
        prepared_statements: "auto",
    };
    load.prepare().await?;
    let most = load.run().await?.transactions_per_second;
    let workers = std::env::var("WEIR_WORKERS").unwrap_or_else(|_| "4".to_owned());
    let into_sqlite = std::env::var("WEIR_INTO").is_ok_and(|into| into == "sqlite");

    let half = u32::try_from(setting("WEIR_RATE", halved(most)))?;
    announce(&format!(
        "{half} transactions/s of sysbench oltp_write_only, of {most:.0} that the source alone makes, {workers} workers"
    ));
    let load = Sysbench { span, ..load };
    let target = RealServer::start(Peer::MySql97, 2, &["--tls-version="]).await?;
    let into = format!("target=mysql://root@127.0.0.1:{}", target.port);
    let count = format!("replica-parallel-workers={workers}");
    let lines = match into_sqlite {
        true => vec![],
        false => vec![into.as_str(), count.as_str()],
    };
    let mut weir = Weir::following(9, source.port, &lines).await?;
    let (behind, name) = match into_sqlite {
        true => (weir.client().await?, "its embedded database"),
        false => (target.client().await?, "MySQL"),
    };
    let said = watch(&mut at_source, behind, &load, half).await?;
    announce(&format!("  MySQL -> weir -> {name}: {said}"));
    weir.stop()?;
    let mysql = RealServer::start(Peer::MySql97, 3, &[]).await?;
    let mut behind = mysql.client().await?;
    follow_by_mysql(&mut behind, source.port, &workers, "ON").await?;
    behind.execute("START REPLICA").await?;
    let said = watch(&mut at_source, behind, &load, half).await?;
    announce(&format!("  MySQL -> MySQL: {said}"));
    Ok(())
}

/// Half of it, in whole transactions.
fn halved(most: f64) -> u64 {
    // A rate of sysbench is far below what a number of 32 bits holds.
    let whole = Duration::from_secs_f64(most / 2.0);
    whole.as_secs()
}

/// Watches rows on their way while the load runs.
async fn watch(
    source: &mut Client,
    mut behind: Client,
    load: &Sysbench,
    rate: u32,
) -> Result<String> {
    source.execute("TRUNCATE probe.t").await?;
    until_gtids_executed(source, &mut behind, LIMIT).await?;
    let has_ended = Arc::new(AtomicBool::new(false));
    let seeing = tokio::spawn(seen(behind, has_ended.clone()));
    let (span, load) = (load.span, load.clone());
    let running = tokio::spawn(async move { load.run_at(rate).await });
    let mut committed = Vec::new();
    let mut period = tokio::time::interval(PERIOD);
    let began = Instant::now();
    while began.elapsed() < span {
        period.tick().await;
        let id = committed.len();
        source
            .execute(&format!("INSERT INTO probe.t VALUES ({id})"))
            .await?;
        committed.push(Instant::now());
    }
    has_ended.store(true, Ordering::Release);
    let mut seen = seeing.await??;
    ensure(seen.len() <= committed.len(), || {
        "rows of nobody".to_owned()
    })?;
    // What was not there when the load ended came later than that.
    seen.resize(committed.len(), Instant::now());
    let made = running.await??.transactions_per_second;
    Ok(format!(
        "{}; {} rows watched, {made:.0} transactions/s made",
        said(&committed, &seen),
        committed.len()
    ))
}

/// When each row is seen, until the load has ended.
async fn seen(mut client: Client, has_ended: Arc<AtomicBool>) -> Result<Vec<Instant>> {
    let mut moments = Vec::new();
    while !has_ended.load(Ordering::Acquire) {
        let count = client.value("SELECT COUNT(*) FROM probe.t").await?;
        let count: usize = count.to_string().parse().unwrap_or(0);
        let now = Instant::now();
        moments.resize(count.max(moments.len()), now);
        let_run(Duration::from_micros(500)).await;
    }
    Ok(moments)
}

fn said(committed: &[Instant], seen: &[Instant]) -> String {
    let mut lags: Vec<Duration> = committed
        .iter()
        .zip(seen)
        .map(|(committed, seen)| seen.saturating_duration_since(*committed))
        .collect();
    lags.sort();
    let at = |hundredths: usize| {
        let index = lags.len().saturating_sub(1) * hundredths / 100;
        lags.get(index).copied().unwrap_or_default().as_secs_f64() * 1000.0
    };
    format!(
        "p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms",
        at(50),
        at(99),
        at(100)
    )
}
