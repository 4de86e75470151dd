//! How fast rows reach a PostgreSQL: many in one transaction, and the transactions of sysbench. The figures
//! are printed; what is checked is that every row is there. `WEIR_ROWS` and `WEIR_SECONDS` make it longer.

use std::time::{Duration, Instant};

use integration::chance::{announce, setting};
use integration::compare::{until_gtids_executed, until_status};
use integration::postgres_rows::until_equal;
use integration::real_replica::{
    REPLICATION_PASSWORD, REPLICATION_USER, binlog_end, create_account,
};
use integration::sysbench::Sysbench;
use integration::{Client, Peer, Postgres, RealServer, Result, Weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_in_bulk_and_transactions_of_sysbench_arrive() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let target = Postgres::start(&[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let replica = Weir::replica(
        9,
        &[
            "source-host=127.0.0.1",
            &format!("source-port={}", source.port),
            &format!("source-user={REPLICATION_USER}"),
            &format!("source-password={REPLICATION_PASSWORD}"),
            "source-auto-position=1",
            &target.target(),
        ],
    )
    .await?;
    let mut at_replica = replica.client().await?;
    let rows = setting("WEIR_ROWS", 200_000);
    let took = bulk(&mut at_source, &mut at_replica, rows).await?;
    let inserted = rate(rows, took);
    let sql = "UPDATE d.bulk SET n = n + 1, note = CONCAT(note, 'x')";
    let updated = rate(rows, timed(&mut at_source, &mut at_replica, &[sql]).await?);
    let deleted = timed(
        &mut at_source,
        &mut at_replica,
        &["DELETE FROM d.bulk WHERE id > 10"],
    );
    let deleted = rate(rows, deleted.await?);
    announce(&format!(
        "one transaction each of {rows} rows: {inserted} rows/s inserted, {updated} updated, {deleted} deleted"
    ));
    let transactions = sysbench(source.port, &mut at_source, &mut at_replica).await?;
    let compared = until_equal(&mut at_source, &target, &["d", "sbtest"]).await?;
    announce(&format!("{transactions}; {compared:?} equal"));
    Ok(())
}

async fn bulk(source: &mut Client, replica: &mut Client, rows: u64) -> Result<Duration> {
    source
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.bulk (id INT AUTO_INCREMENT PRIMARY KEY, n BIGINT, d DECIMAL(12,2), at \
             DATETIME(3), note VARCHAR(100), KEY (n))",
            "SET SESSION cte_max_recursion_depth = 100000000",
        ])
        .await?;
    until_gtids_executed(source, replica, Duration::from_secs(60)).await?;
    let fill = format!(
        "INSERT INTO d.bulk (n, d, at, note) WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r \
         WHERE i < {rows}) SELECT i, i / 7, '2024-01-01 00:00:00.125' + INTERVAL i SECOND, \
         CONCAT('note of row ', i) FROM r"
    );
    timed(source, replica, &[&fill]).await
}

/// How long the replica takes for what the source did while its applier stood.
async fn timed(source: &mut Client, replica: &mut Client, work: &[&str]) -> Result<Duration> {
    replica.execute("STOP REPLICA SQL_THREAD").await?;
    source.run(work).await?;
    catch_up(source, replica).await
}

/// How long the replica's applier, which stands, takes for what was received.
async fn catch_up(source: &mut Client, replica: &mut Client) -> Result<Duration> {
    let (_, end) = binlog_end(source).await?;
    until_status(replica, "Read_Source_Log_Pos", &end.to_string()).await?;
    let began = Instant::now();
    replica.execute("START REPLICA SQL_THREAD").await?;
    until_gtids_executed(source, replica, Duration::from_secs(600)).await?;
    Ok(began.elapsed())
}

/// The load of sysbench, applied once it has ended.
async fn sysbench(port: u16, source: &mut Client, replica: &mut Client) -> Result<String> {
    source.execute("CREATE DATABASE sbtest").await?;
    let sysbench = Sysbench {
        script: "oltp_write_only",
        port,
        tables: 4,
        rows: 10_000,
        threads: 4,
        span: Duration::from_secs(setting("WEIR_SECONDS", 5)),
        prepared_statements: "auto",
    };
    sysbench.prepare().await?;
    until_gtids_executed(source, replica, Duration::from_secs(600)).await?;
    replica.execute("STOP REPLICA SQL_THREAD").await?;
    let figures = sysbench.run().await?;
    let took = catch_up(source, replica).await?;
    Ok(format!(
        "sysbench oltp_write_only: {} transactions/s applied, {:.0} executed by the source",
        rate(figures.transactions, took),
        figures.transactions_per_second
    ))
}

fn rate(count: u64, took: Duration) -> u128 {
    u128::from(count) * 1000 / took.as_millis().max(1)
}
