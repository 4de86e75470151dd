//! sysbench on `weir primary` with a Weir replica and a MySQL 9.7 replica attached: no error that
//! MySQL would not give, and all three hold the same rows.

use std::time::Duration;

use integration::chance::{announce, setting};
use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, Start, create_account};
use integration::sysbench::Sysbench;
use integration::workload::Scope;
use integration::{Peer, RealServer, Result, Weir, binlog_tools};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_copies_are_equal_after_oltp_read_write_and_oltp_insert() -> Result {
    let mut primary = Weir::primary(1, &["sync_binlog=1", "max_binlog_size=16M"]).await?;
    let mut on_primary = primary.client().await?;
    create_account(&mut on_primary, Peer::MySql97).await?;
    let replica = Weir::replica(
        2,
        &[
            "source-host=127.0.0.1",
            &format!("source-port={}", primary.port),
            &format!("source-user={REPLICATION_USER}"),
            &format!("source-password={REPLICATION_PASSWORD}"),
            "source-auto-position=1",
            "source-connect-retry=1",
        ],
    )
    .await?;
    let mysql = RealServer::start(Peer::MySql97, 3, &["--read-only=ON"]).await?;
    mysql.follow(primary.port, &Start::AutoPosition).await?;
    on_primary.execute("CREATE DATABASE sbtest").await?;

    for script in ["oltp_read_write", "oltp_insert"] {
        for prepared_statements in ["auto", "disable"] {
            let load = Sysbench {
                script,
                port: primary.port,
                tables: 4,
                rows: 1_000,
                threads: 16,
                span: Duration::from_secs(setting("WEIR_SECONDS", 5)),
                prepared_statements,
            };
            if (script, prepared_statements) == ("oltp_read_write", "auto") {
                load.prepare()
                    .await
                    .map_err(|failure| primary.explain(failure))?;
            }
            let figures = load
                .run()
                .await
                .map_err(|failure| primary.explain(failure))?;
            announce(&format!(
                "{script} ps={prepared_statements}: {:.0} transactions/s, {} lock errors",
                figures.transactions_per_second, figures.ignored_errors
            ));
            assert!(figures.transactions > 0);
        }
    }

    let limit = Duration::from_secs(300);
    let left = Snapshot::take(&mut on_primary, &["sbtest"]).await?;
    let mut on_replica = replica.client().await?;
    let reached = until_gtids_executed(&mut on_primary, &mut on_replica, limit).await;
    reached.map_err(|failure| replica.explain(failure))?;
    let mut on_mysql = mysql.client().await?;
    mysql.ensure_replicating().await?;
    until_gtids_executed(&mut on_primary, &mut on_mysql, limit).await?;
    mysql.ensure_replicating().await?;
    for (name, client) in [
        ("weir replica", &mut on_replica),
        ("MySQL 9.7", &mut on_mysql),
    ] {
        let right = Snapshot::take(client, &["sbtest"]).await?;
        ensure_same("weir primary", &left, name, &right)?;
    }
    primary.stop()?;
    binlog_tools::read_by_all_peers(&primary.binlogs()?, Scope::WithMariaDb)
}
