//! The harness against real servers alone: the workload is MySQL's, and the comparison can fail.

use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::real_replica::{Start, create_account};
use integration::wait::PATIENCE;
use integration::workload::{self, DATABASES, Scope};
use integration::{Peer, RealServer, Result, binlog_tools};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_replica_equals_its_real_source_after_the_workload() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let replica = RealServer::start(Peer::MySql97, 2, &["--read-only=ON"]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    replica.follow(source.port, &Start::AutoPosition).await?;
    on_source.run(&workload::load(Scope::MySql)).await?;
    let loaded = Snapshot::take(&mut on_source, &DATABASES).await?;
    on_source.run(&workload::change(Scope::MySql)).await?;

    let mut on_replica = replica.client().await?;
    until_gtids_executed(&mut on_source, &mut on_replica, PATIENCE).await?;
    replica.ensure_replicating().await?;
    let left = Snapshot::take(&mut on_source, &DATABASES).await?;
    let right = Snapshot::take(&mut on_replica, &DATABASES).await?;
    ensure_same("source", &left, "replica", &right)?;
    assert!(left.tables() >= 11, "{} tables", left.tables());
    assert!(
        ensure_same("loaded", &loaded, "changed", &right).is_err(),
        "the changes are seen"
    );
    binlog_tools::list(Peer::MySql97, &source.binlogs()?, true)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_mariadbs_accept_the_workload_without_mysql_types() -> Result {
    for peer in [Peer::MariaDb1011, Peer::MariaDb118] {
        let server = RealServer::start(peer, 1, &[]).await?;
        let mut client = server.client().await?;
        client.run(&workload::load(Scope::WithMariaDb)).await?;
        client.run(&workload::change(Scope::WithMariaDb)).await?;
        let snapshot = Snapshot::take(&mut client, &DATABASES).await?;
        assert!(snapshot.rows() > 200, "{} rows", snapshot.rows());
    }
    Ok(())
}
