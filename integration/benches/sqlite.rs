//! `weir replica` into its embedded database beside MySQL 9.7 as a replica of the same log: bytes per second
//! that each receives, rows per second of large transactions, and the transactions of sysbench, each received
//! before the clock of applying starts, both with their defaults.
//!
//! `cargo bench -p integration --bench sqlite`; `WEIR_ROWS` (default 1 000 000), `WEIR_TRANSACTIONS` (default
//! 30 000) and `WEIR_MIB` (of the log to receive, default 1024) set the sizes, `WEIR_WORKERS` (default 4) MySQL's
//! workers, `WEIR_BINARY` the binary.

use std::process::Command;
use std::time::{Duration, Instant};

use integration::appliers::{LIMIT, bench, follow_by_mysql, until_received};
use integration::chance::{announce, setting};
use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::real_replica::create_account;
use integration::sysbench::Sysbench;
use integration::{Client, Peer, RealServer, Result, Weir};

fn main() -> Result {
    bench(run())
}

/// A source and its two replicas.
struct Followed {
    server: RealServer,
    source: Client,
    weir: Weir,
    ours: Client,
    theirs: Client,
    /// Which must not end.
    _mysql: RealServer,
}

async fn run() -> Result {
    // What the log is written with does not count.
    let relaxed = ["--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0"];
    let server = RealServer::start(Peer::MySql97, 1, &relaxed).await?;
    let mut source = server.client().await?;
    create_account(&mut source, Peer::MySql97).await?;
    let weir = Weir::following(9, server.port, &["skip-replica-start=ON"]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut theirs = mysql.client().await?;
    let workers = std::env::var("WEIR_WORKERS").unwrap_or_else(|_| "4".to_owned());
    follow_by_mysql(&mut theirs, server.port, &workers, "ON").await?;
    let mut followed = Followed {
        ours: weir.client().await?,
        server,
        source,
        weir,
        theirs,
        _mysql: mysql,
    };
    received(&mut followed).await?;
    rows(&mut followed).await?;
    transactions(&mut followed, &workers).await?;
    if let Some(process) = followed.weir.process() {
        announce(&format!(
            "weir's memory at most {} MiB, its CPU {:.1} s",
            process.peak_bytes()? >> 20,
            process.cpu_seconds()?
        ));
    }
    followed.weir.stop()
}

impl Followed {
    /// Seconds that each takes for a thread of replication, one after the other: Weir's, then MySQL's.
    async fn seconds(&mut self, thread: &str) -> Result<(f64, f64)> {
        let mut taken = [0.0; 2];
        for (replica, taken) in [&mut self.ours, &mut self.theirs]
            .into_iter()
            .zip(&mut taken)
        {
            // What others have written and not synced must not count against this run.
            Command::new("sync").status()?;
            let began = Instant::now();
            replica
                .execute(&format!("START REPLICA {thread}_THREAD"))
                .await?;
            match thread {
                "IO" => until_received(&mut self.source, replica).await?,
                _ => until_gtids_executed(&mut self.source, replica, LIMIT).await?,
            }
            *taken = began.elapsed().as_secs_f64();
            replica
                .execute(&format!("STOP REPLICA {thread}_THREAD"))
                .await?;
        }
        let [ours, theirs] = taken;
        Ok((ours, theirs))
    }

    /// Has both receive and apply what the statements log. Returns the seconds of applying.
    async fn apply(&mut self, statements: &[&str]) -> Result<(f64, f64)> {
        self.source.run(statements).await?;
        self.seconds("IO").await?;
        self.seconds("SQL").await
    }

    async fn ensure_same(&mut self, database: &str) -> Result {
        let source = Snapshot::take(&mut self.source, &[database]).await?;
        let ours = Snapshot::take(&mut self.ours, &[database]).await?;
        ensure_same("source", &source, "weir", &ours)
    }
}

/// A log of many rows, received and not applied.
async fn received(followed: &mut Followed) -> Result {
    let mib = setting("WEIR_MIB", 1024);
    followed
        .source
        .run(&[
            "CREATE DATABASE wide",
            "SET SESSION cte_max_recursion_depth = 100000000",
            "CREATE TABLE wide.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(1000))",
        ])
        .await?;
    followed.apply(&[]).await?;
    for _ in 0..mib / 16 {
        let fill = "INSERT INTO wide.t (v) WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE \
                    i < 16384) SELECT REPEAT('x', 1000) FROM r";
        followed.source.execute(fill).await?;
    }
    let (ours, theirs) = followed.seconds("IO").await?;
    announce(&format!(
        "{mib} MiB received: weir {ours:.2} s ({:.0} MiB/s), MySQL {theirs:.2} s ({:.0} MiB/s): {:.2} times as fast",
        rate(mib, ours),
        rate(mib, theirs),
        theirs / ours
    ));
    let (ours, theirs) = followed.seconds("SQL").await?;
    announce(&format!(
        "  and applied, 16 MiB a transaction: weir {ours:.1} s ({:.0} MiB/s), MySQL {theirs:.1} s ({:.0} MiB/s): \
         {:.2} times as fast",
        rate(mib, ours),
        rate(mib, theirs),
        theirs / ours
    ));
    followed.apply(&["DROP DATABASE wide"]).await.map(drop)
}

/// Rows in one transaction: inserted, changed, deleted.
async fn rows(followed: &mut Followed) -> Result {
    let rows = setting("WEIR_ROWS", 1_000_000);
    let table = "CREATE TABLE d.bulk (id INT AUTO_INCREMENT PRIMARY KEY, n BIGINT, d DECIMAL(12,2), at DATETIME(3), \
                 note VARCHAR(100), KEY (n))";
    followed.apply(&["CREATE DATABASE d", table]).await?;
    let fill = format!(
        "INSERT INTO d.bulk (n, d, at, note) WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r \
         WHERE i < {rows}) SELECT i, i / 7, '2024-01-01 00:00:00.125' + INTERVAL i SECOND, \
         CONCAT('note of row ', i) FROM r"
    );
    for (what, statement) in [
        ("inserted", fill.as_str()),
        (
            "changed",
            "UPDATE d.bulk SET n = n + 1, note = CONCAT(note, 'x')",
        ),
        ("deleted", "DELETE FROM d.bulk WHERE id > 10"),
    ] {
        let (ours, theirs) = followed.apply(&[statement]).await?;
        announce(&format!(
            "one transaction of {rows} rows {what}: weir {ours:.1} s ({:.0} rows/s), MySQL {theirs:.1} s ({:.0} \
             rows/s): {:.2} times as fast",
            rate(rows, ours),
            rate(rows, theirs),
            theirs / ours
        ));
        followed.ensure_same("d").await?;
    }
    Ok(())
}

/// The load of sysbench.
async fn transactions(followed: &mut Followed, workers: &str) -> Result {
    let wanted = setting("WEIR_TRANSACTIONS", 30_000);
    let load = Sysbench {
        script: "oltp_write_only",
        port: followed.server.port,
        tables: 4,
        rows: 10_000,
        threads: 16,
        span: Duration::from_secs(5),
        prepared_statements: "auto",
    };
    followed.source.execute("CREATE DATABASE sbtest").await?;
    load.prepare().await?;
    followed.apply(&[]).await?;
    let mut count = 0;
    while count < wanted {
        count += load.run().await?.transactions;
    }
    let (ours, theirs) = followed.apply(&[]).await?;
    followed.ensure_same("sbtest").await?;
    announce(&format!(
        "{count} transactions of sysbench oltp_write_only: weir {ours:.1} s ({:.0}/s), MySQL with {workers} workers \
         {theirs:.1} s ({:.0}/s): {:.2} times as fast",
        rate(count, ours),
        rate(count, theirs),
        theirs / ours
    ));
    Ok(())
}

fn rate(count: u64, seconds: f64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(0)) / seconds
}
