//! A MariaDB replica that is told to use GTIDs, which the log has none of.

use integration::compare::{Snapshot, ensure_same};
use integration::failure::ensure;
use integration::real_replica::{Start, binlog_end, create_account};
use integration::wait::PATIENCE;
use integration::{Peer, RealServer, Result, Weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mariadb_that_is_told_to_use_gtids_falls_back_to_positions() -> Result {
    for peer in [Peer::MariaDb1011, Peer::MariaDb118] {
        let mut primary = Weir::primary(1, &["collation-server=utf8mb4_general_ci"]).await?;
        let mut source = primary.client().await?;
        create_account(&mut source, peer).await?;
        source
            .run(&[
                "CREATE DATABASE d",
                "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(9))",
                "INSERT INTO d.t VALUES (1, 'a'), (2, 'b')",
            ])
            .await?;
        let replica = RealServer::start(peer, 2, &["--read-only=ON"]).await?;
        replica.follow(primary.port, &Start::AutoPosition).await?;
        source.run(&["UPDATE d.t SET v = 'c' WHERE id = 1"]).await?;
        let (file, position) = binlog_end(&mut source).await?;
        let reached = replica.until_executed(&file, position, PATIENCE).await;
        reached.map_err(|failure| primary.explain(failure))?;
        let mut client = replica.client().await?;
        let using = client.column("SHOW SLAVE STATUS", "Using_Gtid").await?;
        ensure(using.as_deref() == Some("No"), || {
            format!("{}: {using:?}", peer.folder())
        })?;
        let left = Snapshot::take(&mut source, &["d"]).await?;
        let right = Snapshot::take(&mut client, &["d"]).await?;
        ensure_same("weir primary", &left, peer.folder(), &right)?;
        primary.stop()?;
    }
    Ok(())
}
