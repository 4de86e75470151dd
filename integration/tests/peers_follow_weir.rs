//! Real MySQL and MariaDB servers replicate from `weir primary`, and their tools read its binlogs.

use integration::compare::{Snapshot, ensure_same};
use integration::real_replica::{Start, binlog_end, create_account};
use integration::wait::PATIENCE;
use integration::workload::{self, DATABASES, Scope};
use integration::{Peer, RealServer, Result, Weir, binlog_tools};

/// How the replica names its start.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Gtid,
    Position,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_97_follows_by_auto_position() -> Result {
    follows(Peer::MySql97, By::Gtid).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_97_follows_by_file_and_position() -> Result {
    follows(Peer::MySql97, By::Position).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_1011_follows_by_file_and_position() -> Result {
    follows(Peer::MariaDb1011, By::Position).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_118_follows_by_file_and_position() -> Result {
    follows(Peer::MariaDb118, By::Position).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reader_accepts_every_row_metadata_and_checksum() -> Result {
    for lines in [
        ["binlog_checksum=NONE", "binlog_row_metadata=MINIMAL"],
        ["binlog_checksum=CRC32", "binlog_row_metadata=FULL"],
    ] {
        let mut primary = Weir::primary(1, &lines).await?;
        let mut client = primary.client().await?;
        client.run(&workload::load(Scope::MySql)).await?;
        client.run(&workload::change(Scope::MySql)).await?;
        // A file in use says so, which the readers rightly warn of.
        primary.stop()?;
        binlog_tools::read_by_all_peers(&primary.binlogs()?, Scope::MySql)?;
    }
    Ok(())
}

/// Half of the workload is there before the replica connects, the other half arrives while it
/// follows, with a rotation between.
async fn follows(peer: Peer, by: By) -> Result {
    let (scope, lines) = if peer.is_mariadb() {
        (
            Scope::WithMariaDb,
            vec!["collation-server=utf8mb4_general_ci"],
        )
    } else {
        (Scope::MySql, vec![])
    };
    let mut primary = Weir::primary(1, &lines).await?;
    let mut on_primary = primary.client().await?;
    create_account(&mut on_primary, peer).await?;
    let start = match by {
        By::Gtid => Start::AutoPosition,
        By::Position => {
            let (file, position) = binlog_end(&mut on_primary).await?;
            Start::Position { file, position }
        }
    };
    on_primary.run(&workload::load(scope)).await?;

    let replica = RealServer::start(peer, 2, &["--read-only=ON"]).await?;
    replica.follow(primary.port, &start).await?;
    on_primary.execute("FLUSH BINARY LOGS").await?;
    on_primary.run(&workload::change(scope)).await?;
    let (file, position) = binlog_end(&mut on_primary).await?;
    let reached = replica.until_executed(&file, position, PATIENCE).await;
    reached.map_err(|failure| primary.explain(failure))?;

    let left = Snapshot::take(&mut on_primary, &DATABASES).await?;
    let right = Snapshot::take(&mut replica.client().await?, &DATABASES).await?;
    ensure_same("weir primary", &left, peer.folder(), &right)?;
    if by == By::Gtid {
        let executed = on_primary.value("SELECT @@GLOBAL.gtid_executed").await?;
        let applied = replica
            .client()
            .await?
            .value("SELECT @@GLOBAL.gtid_executed")
            .await?;
        assert_eq!(executed, applied);
    }
    primary.stop()?;
    let binlogs = primary.binlogs()?;
    assert!(
        binlogs.len() >= 2,
        "FLUSH BINARY LOGS made a second file: {binlogs:?}"
    );
    binlog_tools::read_by_all_peers(&binlogs, scope)
}
