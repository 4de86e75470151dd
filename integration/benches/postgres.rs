//! `weir replica` into PostgreSQL beside what PostgreSQL's own clients do on the same server with the same
//! durable settings: rows of one transaction beside `\copy` of the same rows into a table with the same keys,
//! and the transactions of sysbench beside sysbench itself.
//!
//! `cargo bench -p integration --bench postgres`; `WEIR_ROWS` (default 1 000 000) and `WEIR_TRANSACTIONS` (default
//! 30 000) set the sizes, `WEIR_BINARY` the binary.

use std::process::Command;
use std::time::{Duration, Instant};

use integration::appliers::{LIMIT, bench};
use integration::chance::{announce, setting};
use integration::compare::{until_gtids_executed, until_status};
use integration::failure::ensure;
use integration::postgres_rows::compare;
use integration::real_replica::{binlog_end, create_account};
use integration::sysbench::Sysbench;
use integration::{Client, Peer, Postgres, RealServer, Result, Weir};

fn main() -> Result {
    bench(run())
}

/// A source, its follower, and where the rows go.
struct Following {
    source: Client,
    source_port: u16,
    replica: Weir,
    at_replica: Client,
    target: Postgres,
}

async fn run() -> Result {
    // What the log is written with does not count.
    let relaxed = ["--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0"];
    let server = RealServer::start(Peer::MySql97, 1, &relaxed).await?;
    let target = Postgres::start(&[]).await?;
    let mut source = server.client().await?;
    create_account(&mut source, Peer::MySql97).await?;
    let replica = Weir::following(9, server.port, &[&target.target()]).await?;
    let mut following = Following {
        at_replica: replica.client().await?,
        source_port: server.port,
        source,
        replica,
        target,
    };
    rows(&mut following).await?;
    transactions(&mut following).await?;
    if let Some(process) = following.replica.process() {
        announce(&format!(
            "  weir's memory at most {} MB",
            process.peak_bytes()? >> 20
        ));
    }
    Ok(())
}

impl Following {
    /// Seconds that the applier takes for what the source did while it stood.
    async fn seconds(&mut self, work: &[&str]) -> Result<f64> {
        self.at_replica.execute("STOP REPLICA SQL_THREAD").await?;
        self.source.run(work).await?;
        self.catch_up().await
    }

    fn cpu_seconds(&mut self) -> Result<f64> {
        let process = self.replica.process();
        process.map_or(Ok(0.0), |process| process.cpu_seconds())
    }

    /// Seconds that the applier, which stands, takes for all that the source has logged.
    async fn catch_up(&mut self) -> Result<f64> {
        let (_, end) = binlog_end(&mut self.source).await?;
        until_status(
            &mut self.at_replica,
            "Read_Source_Log_Pos",
            &end.to_string(),
        )
        .await?;
        settle(&self.target)?;
        let cpu = self.cpu_seconds()?;
        let began = Instant::now();
        self.at_replica.execute("START REPLICA SQL_THREAD").await?;
        self.until_same().await?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu = self.cpu_seconds()? - cpu;
        announce(&format!("    {seconds:.1} s, weir's CPU {cpu:.1} s"));
        Ok(seconds)
    }

    async fn until_same(&mut self) -> Result {
        until_gtids_executed(&mut self.source, &mut self.at_replica, LIMIT).await
    }
}

/// What was written before must not count against the next run.
fn settle(target: &Postgres) -> Result {
    target.query("CHECKPOINT")?;
    Command::new("sync").status()?;
    Ok(())
}

/// Rows in one transaction: inserted, changed, deleted; and `\copy`. Twice: files that the first round makes
/// are there in the second.
async fn rows(following: &mut Following) -> Result {
    let rows = setting("WEIR_ROWS", 1_000_000);
    following
        .source
        .run(&[
            "CREATE DATABASE d",
            "SET SESSION cte_max_recursion_depth = 100000000",
        ])
        .await?;
    for round in 1..=2 {
        let table = format!(
            "CREATE TABLE d.bulk (id INT AUTO_INCREMENT PRIMARY KEY, n BIGINT, d DECIMAL(12,2), at DATETIME(3), \
             note VARCHAR(100), KEY (n)) COMMENT 'round {round}'"
        );
        following.source.execute(&table).await?;
        following.until_same().await?;
        round_of_rows(following, rows).await?;
        following.source.execute("DROP TABLE d.bulk").await?;
        following.until_same().await?;
    }
    Ok(())
}

async fn round_of_rows(following: &mut Following, rows: u64) -> Result {
    let fill = format!(
        "INSERT INTO d.bulk (n, d, at, note) WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r \
         WHERE i < {rows}) SELECT i, i / 7, '2024-01-01 00:00:00.125' + INTERVAL i SECOND, \
         CONCAT('note of row ', i) FROM r"
    );
    let inserted = following.seconds(&[&fill]).await?;
    let compared = compare(&mut following.source, &following.target, &["d"]).await?;
    let copied = copied(&following.target, rows)?;
    announce(&format!(
        "one transaction of {rows} rows, {compared:?} equal: weir {inserted:.1} s ({:.0} rows/s), psql \\copy \
         {copied:.1} s ({:.0} rows/s): {:.2} times as fast",
        rate(rows, inserted),
        rate(rows, copied),
        copied / inserted
    ));
    let change = "UPDATE d.bulk SET n = n + 1, note = CONCAT(note, 'x')";
    let changed = following.seconds(&[change]).await?;
    let deleted = following
        .seconds(&["DELETE FROM d.bulk WHERE id > 10"])
        .await?;
    announce(&format!(
        "  {:.0} rows/s changed, {:.0} deleted",
        rate(rows, changed),
        rate(rows, deleted)
    ));
    Ok(())
}

/// Seconds that psql takes to load the same rows into a table with the same keys.
fn copied(target: &Postgres, rows: u64) -> Result<f64> {
    let file = target.socket_directory().join("rows");
    let file = file.display();
    target.query(&format!("COPY d.bulk TO '{file}'"))?;
    target.query("CREATE TABLE d.peer (LIKE d.bulk INCLUDING ALL)")?;
    settle(target)?;
    let began = Instant::now();
    let said = target.query(&format!("\\copy d.peer FROM '{file}'"))?;
    let seconds = began.elapsed().as_secs_f64();
    ensure(said == format!("COPY {rows}"), || said.clone())?;
    target.query("DROP TABLE d.peer")?;
    Ok(seconds)
}

/// The load of sysbench, applied once it has ended; and sysbench against PostgreSQL.
async fn transactions(following: &mut Following) -> Result {
    let wanted = setting("WEIR_TRANSACTIONS", 30_000);
    following.source.execute("CREATE DATABASE sbtest").await?;
    let load = Sysbench {
        script: "oltp_write_only",
        port: following.source_port,
        tables: 4,
        rows: 10_000,
        threads: 16,
        span: Duration::from_secs(5),
        prepared_statements: "auto",
    };
    load.prepare().await?;
    following.until_same().await?;
    following
        .at_replica
        .execute("STOP REPLICA SQL_THREAD")
        .await?;
    let mut count = 0;
    while count < wanted {
        count += load.run().await?.transactions;
    }
    let seconds = following.catch_up().await?;
    let target = &following.target;
    let compared = compare(&mut following.source, target, &["sbtest"]).await?;
    let ours = rate(count, seconds);
    announce(&format!(
        "{count} transactions of sysbench oltp_write_only, 4 tables of 10 000 rows, {compared:?} equal: weir \
         {seconds:.1} s ({ours:.0}/s)"
    ));
    for threads in [1, 4] {
        let peer = Sysbench {
            port: target.port,
            threads,
            span: Duration::from_secs(10),
            ..load.clone()
        };
        if threads == 1 {
            peer.prepare_on_postgres().await?;
        }
        settle(target)?;
        let theirs = peer.run_on_postgres().await?.transactions_per_second;
        announce(&format!(
            "  sysbench with {threads} connections to the same server {theirs:.0}/s: {:.2} times as fast",
            ours / theirs
        ));
    }
    Ok(())
}

fn rate(count: u64, seconds: f64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(0)) / seconds
}
