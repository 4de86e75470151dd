//! Sources without checksums, damaged databases, logs that cannot grow.

use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::real_replica::create_account;
use integration::wait::PATIENCE;
use integration::{Client, Peer, RealServer, Result, Weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mysql_source_may_log_without_checksums_and_change_its_mind() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &["--binlog-checksum=NONE"]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    let replica = Weir::following(2, source.port, &[]).await?;
    changes_its_checksum(&mut on_source, replica, ["CRC32", "NONE"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weir_source_may_log_without_checksums() -> Result {
    let source = Weir::primary(1, &["binlog_checksum=NONE"]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    let replica = Weir::following(2, source.port, &[]).await?;
    changes_its_checksum(&mut on_source, replica, []).await
}

/// Follows through rotations, changes of the checksum and kill -9.
async fn changes_its_checksum<const N: usize>(
    source: &mut Client,
    mut replica: Weir,
    then: [&str; N],
) -> Result {
    source
        .run(&["CREATE DATABASE d", "CREATE TABLE d.t (a INT)"])
        .await?;
    source.execute("INSERT INTO d.t VALUES (1), (2)").await?;
    same(source, &mut replica).await?;
    for (number, checksum) in (10..).zip(then) {
        source
            .execute(&format!("SET GLOBAL binlog_checksum = {checksum}"))
            .await?;
        source
            .execute(&format!("INSERT INTO d.t VALUES ({number})"))
            .await?;
        same(source, &mut replica).await?;
    }
    replica.kill()?;
    source.execute("FLUSH BINARY LOGS").await?;
    source.execute("INSERT INTO d.t VALUES (3)").await?;
    replica.launch().await?;
    same(source, &mut replica).await?;
    source.execute("INSERT INTO d.t VALUES (4)").await?;
    same(source, &mut replica).await
}

async fn same(source: &mut Client, replica: &mut Weir) -> Result {
    let mut on_replica = replica.client().await?;
    if let Err(failure) = until_gtids_executed(source, &mut on_replica, PATIENCE).await {
        let status = on_replica
            .column("SHOW REPLICA STATUS", "Last_Error")
            .await?;
        return Err(replica.explain(failure.during(status.unwrap_or_default())));
    }
    let left = Snapshot::take(source, &["d"]).await?;
    let right = Snapshot::take(&mut on_replica, &["d"]).await?;
    ensure_same("source", &left, "replica", &right)
}
