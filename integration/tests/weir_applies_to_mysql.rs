//! `weir replica` with a real server as its target: rows as the source logged them, each transaction
//! once, whoever is killed.

use std::time::Duration;

use integration::chance::{Chance, setting};
use integration::compare::{Snapshot, ensure_same, until_gtids_executed, until_same};
use integration::failure::ensure;
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::sysbench::Sysbench;
use integration::wait::{self, PATIENCE};
use integration::workload::{self, DATABASES, Scope};
use integration::{Peer, RealServer, Result, Weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_arrives_under_its_gtid() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    at_source.run(&workload::load(Scope::MySql)).await?;
    let mut replica = following(&source, &target, "").await?;
    at_source.execute("FLUSH BINARY LOGS").await?;
    at_source.run(&workload::change(Scope::MySql)).await?;
    let mut at_target = target.client().await?;
    if let Err(failure) = until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await {
        let mut at_replica = replica.client().await?;
        let error = at_replica
            .column("SHOW REPLICA STATUS", "Last_SQL_Error")
            .await?;
        return Err(failure.during(error.unwrap_or_default()));
    }
    let left = Snapshot::take(&mut at_source, &DATABASES).await?;
    let right = Snapshot::take(&mut at_target, &DATABASES).await?;
    ensure_same("source", &left, "target", &right)?;
    let mut at_replica = replica.client().await?;
    until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await?;
    replica.stop()
}

/// Without GTIDs on the target a row of it says what is applied, in the commit that applies it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_without_gtids_keeps_the_place_in_a_row() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let off = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    let target = RealServer::start(Peer::MySql97, 2, &off).await?;
    kills(source, target, &[Killed::Replica, Killed::Target]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sysbench_arrives_whole_through_kills_of_each_side() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    kills(
        source,
        target,
        &[Killed::Replica, Killed::Target, Killed::Connection],
    )
    .await
}

#[derive(Debug, Clone, Copy)]
enum Killed {
    /// The process of Weir.
    Replica,
    /// The server that rows go to.
    Target,
    /// The applier's connections to it.
    Connection,
}

async fn kills(source: RealServer, mut target: RealServer, who: &[Killed]) -> Result {
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    at_source
        .run(&[
            "CREATE DATABASE sbtest",
            "CREATE TABLE sbtest.alike (a INT, b VARCHAR(10))",
        ])
        .await?;
    let load = Sysbench {
        script: "oltp_write_only",
        port: source.port,
        tables: 2,
        rows: 500,
        threads: 2,
        span: Duration::from_secs(setting("WEIR_SECONDS", 8)),
        prepared_statements: "auto",
    };
    load.prepare().await?;
    let mut replica = following(&source, &target, "").await?;
    let running = tokio::spawn(async move { load.run().await });
    let mut chance = Chance::from_environment();
    for round in 0..setting("WEIR_KILLS", 6) {
        // Rows without a key would be there twice without anybody noticing.
        at_source
            .execute(&format!(
                "INSERT INTO sbtest.alike VALUES ({}, 'x')",
                round % 2
            ))
            .await?;
        wait::let_run(chance.millis(100, 900)).await;
        let turn = usize::try_from(round)?;
        match who.get(turn % who.len()) {
            Some(Killed::Replica) => {
                replica.kill()?;
                replica.launch().await?;
            }
            Some(Killed::Target) => {
                target.kill()?;
                wait::let_run(chance.millis(10, 300)).await;
                target.launch().await?;
            }
            Some(Killed::Connection) => {
                let mut at_target = target.client().await?;
                let ids = "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() \
                           AND USER = 'root'";
                for row in at_target.rows(ids).await? {
                    let id = row.first().map(ToString::to_string).unwrap_or_default();
                    // It may have ended by itself.
                    at_target.attempt(&format!("KILL {id}")).await?.ok();
                }
            }
            None => {}
        }
    }
    let figures = running.await??;
    ensure(figures.transactions > 0, || "no load".to_owned())?;
    let mut at_replica = replica.client().await?;
    until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await?;
    let mut at_target = target.client().await?;
    let (left, right) = (&mut at_source, &mut at_target);
    until_same("source", left, "target", right, &["sbtest"], PATIENCE).await?;
    let status = at_replica
        .column("SHOW REPLICA STATUS", "Last_SQL_Errno")
        .await?;
    ensure(status.as_deref() == Some("0"), || format!("{status:?}"))
}

/// A replica of `source` by GTID whose rows go to `target`.
async fn following(source: &RealServer, target: &RealServer, more: &str) -> Result<Weir> {
    Weir::replica(
        9,
        &[
            "source-host=127.0.0.1",
            &format!("source-port={}", source.port),
            &format!("source-user={REPLICATION_USER}"),
            &format!("source-password={REPLICATION_PASSWORD}"),
            "source-auto-position=1",
            "source-connect-retry=1",
            &format!("target=mysql://root@127.0.0.1:{}", target.port),
            more,
        ],
    )
    .await
}
