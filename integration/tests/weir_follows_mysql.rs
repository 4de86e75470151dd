//! `weir replica` follows a real MySQL 9.7: every column type, and sysbench with kill -9 on the way.

use std::time::Duration;

use integration::chance::{Chance, setting};
use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::sysbench::Sysbench;
use integration::wait::{self, PATIENCE};
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, RealServer, Result, Weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_arrives() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    on_source.run(&workload::load(Scope::MySql)).await?;
    let mut replica = following(&source, "").await?;
    on_source.execute("FLUSH BINARY LOGS").await?;
    on_source.run(&workload::change(Scope::MySql)).await?;
    let left = same(&mut on_source, &mut replica, &DATABASES).await?;
    assert!(left.tables() >= 10);
    replica.stop()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sysbench_arrives_whole_through_ten_kills() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    on_source.execute("CREATE DATABASE sbtest").await?;
    let kills = setting("WEIR_KILLS", 10);
    let load = Sysbench {
        script: "oltp_read_write",
        port: source.port,
        tables: 4,
        rows: 1_000,
        threads: 4,
        span: Duration::from_secs(setting("WEIR_SECONDS", 15)),
        prepared_statements: "auto",
    };
    load.prepare().await?;
    let mut replica = following(&source, "").await?;
    let running = tokio::spawn(async move { load.run().await });
    let mut chance = Chance::from_environment();
    for _ in 0..kills {
        wait::let_run(chance.millis(100, 1_200)).await;
        replica.kill()?;
        replica.launch().await?;
    }
    let figures = running.await??;
    assert!(figures.transactions > 0);
    let left = same(&mut on_source, &mut replica, &["sbtest"]).await?;
    assert_eq!(left.tables(), 4);
    Ok(())
}

/// A replica of `source` by GTID.
async fn following(source: &RealServer, more: &str) -> Result<Weir> {
    Weir::replica(
        2,
        &[
            "source-host=127.0.0.1",
            &format!("source-port={}", source.port),
            &format!("source-user={REPLICATION_USER}"),
            &format!("source-password={REPLICATION_PASSWORD}"),
            "source-auto-position=1",
            "source-connect-retry=1",
            more,
        ],
    )
    .await
}

/// Waits for the replica to execute what the source has, and compares.
async fn same(source: &mut Client, replica: &mut Weir, databases: &[&str]) -> Result<Snapshot> {
    let mut on_replica = replica.client().await?;
    let arrived = until_gtids_executed(source, &mut on_replica, PATIENCE).await;
    if let Err(failure) = arrived {
        let status = on_replica
            .column("SHOW REPLICA STATUS", "Last_Error")
            .await?;
        return Err(replica.explain(failure.during(status.unwrap_or_default())));
    }
    let left = Snapshot::take(source, databases).await?;
    let right = Snapshot::take(&mut on_replica, databases).await?;
    ensure_same("source", &left, "weir replica", &right)?;
    Ok(left)
}
