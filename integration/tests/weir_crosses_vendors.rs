//! `weir replica` between servers of two vendors: rows, definitions and positions of one in the other,
//! through kills of everybody.

use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same, until_gtids_executed, until_same};
use integration::failure::ensure;
use integration::kills::{Killed, Parties};
use integration::mariadb;
use integration::real_replica::create_account;
use integration::steady_load::{self, SteadyLoad};
use integration::wait::{self, PATIENCE};
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, RealServer, Result, Weir};

/// Source, target, and what the target is started with.
const PAIRS: [(Peer, Peer, &[&str]); 4] = [
    (Peer::MariaDb118, Peer::MySql97, &[]),
    (
        Peer::MariaDb1011,
        Peer::MySql97,
        &["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"],
    ),
    (Peer::MySql97, Peer::MariaDb118, &[]),
    (Peer::MySql97, Peer::MariaDb1011, &[]),
];

/// What only one vendor's fleet has for itself, and what both have.
const OF_ITS_FLEET: [&str; 8] = [
    "CREATE USER someone@'%' IDENTIFIED BY 'Some 1 secret'",
    "GRANT SELECT ON *.* TO someone@'%'",
    "CREATE ROLE reader",
    "GRANT reader TO someone@'%'",
    "DROP USER someone@'%'",
    "DROP ROLE reader",
    "CREATE VIEW other.seen AS SELECT 1 AS one",
    "FLUSH PRIVILEGES",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_arrives_at_the_other_vendor() -> Result {
    for (from, to, options) in PAIRS {
        let source = RealServer::start(from, 1, &[]).await?;
        let target = RealServer::start(to, 2, options).await?;
        let mut at_source = source.client().await?;
        account(&mut at_source, from).await?;
        at_source.run(&workload::load(Scope::WithMariaDb)).await?;
        let mut replica = following(&source, &target).await?;
        at_source.execute("FLUSH BINARY LOGS").await?;
        at_source.run(&workload::change(Scope::WithMariaDb)).await?;
        replica.stop()?;
        at_source.run(&OF_ITS_FLEET).await?;
        at_source.execute("CREATE DATABASE last").await?;
        replica.launch().await?;
        until_executed(&mut at_source, &replica, from).await?;
        let mut at_target = target.client().await?;
        let left = Snapshot::take(&mut at_source, &DATABASES).await?;
        let right = Snapshot::take(&mut at_target, &DATABASES).await?;
        let names = (from.folder(), to.folder());
        ensure_same(names.0, &left, names.1, &right).map_err(|failure| replica.explain(failure))?;
        let mut at_replica = replica.client().await?;
        let not_kept = at_replica
            .column("SHOW STATUS LIKE 'Weir_not_kept'", "Value")
            .await?;
        let not_kept = not_kept.unwrap_or_default();
        ensure(not_kept.contains("CREATE USER"), || not_kept.clone())?;
        replica.stop()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_arrives_whole_at_the_other_vendor_through_kills_of_each_side() -> Result {
    for (from, to, options) in [PAIRS[0], PAIRS[2]] {
        let source = RealServer::start(from, 1, &[]).await?;
        let target = RealServer::start(to, 2, options).await?;
        account(&mut source.client().await?, from).await?;
        let replica = following(&source, &target).await?;
        let mut chance = Chance::from_environment();
        let load = SteadyLoad::start(source.port, 4, chance.below(u64::MAX)).await?;
        let mut parties = Parties {
            source,
            target,
            replica,
        };
        let each = setting("WEIR_KILLS", 2);
        let killed = parties.kill(&Killed::ALL, each, &mut chance).await;
        let committed = load.end().await?;
        killed.map_err(|failure| parties.replica.explain(failure))?;
        let Parties {
            source,
            target,
            replica,
        } = &parties;
        let (mut at_source, mut at_target) = (source.client().await?, target.client().await?);
        until_executed(&mut at_source, replica, from).await?;
        let (left, right) = (&mut at_source, &mut at_target);
        let same = until_same(
            "source",
            left,
            "target",
            right,
            &[steady_load::DATABASE],
            PATIENCE,
        );
        same.await.map_err(|failure| replica.explain(failure))?;
        announce(&format!(
            "{} into {}: {each} kills of each of source, target, replica and connections; \
             {committed} transactions acknowledged, equal",
            from.folder(),
            to.folder()
        ));
    }
    Ok(())
}

/// A type that the other vendor does not have stops in front of its rows, by name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_other_vendor_does_not_have_stops_by_name() -> Result {
    for (from, to, statements, words) in [
        (
            Peer::MySql97,
            Peer::MariaDb118,
            [
                "SET @a = 1",
                "CREATE TABLE d.j (a INT PRIMARY KEY, j JSON)",
                "INSERT INTO d.j VALUES (1, '[1]')",
            ],
            "Column 2 of table 'd.j' is of type JSON",
        ),
        (
            Peer::MariaDb118,
            Peer::MySql97,
            [
                "SET @a = 1",
                "CREATE TABLE d.u (a INT PRIMARY KEY, u UUID)",
                "INSERT INTO d.u VALUES (1, UUID())",
            ],
            "CREATE TABLE d.u",
        ),
        (
            Peer::MariaDb118,
            Peer::MySql97,
            [
                "CREATE TABLE d.s (a INT PRIMARY KEY)",
                "SET binlog_format = 'STATEMENT'",
                "INSERT INTO d.s VALUES (1)",
            ],
            "A statement of another vendor's server",
        ),
    ] {
        let source = RealServer::start(from, 1, &[]).await?;
        let target = RealServer::start(to, 2, &[]).await?;
        let mut at_source = source.client().await?;
        account(&mut at_source, from).await?;
        at_source.execute("CREATE DATABASE d").await?;
        let replica = following(&source, &target).await?;
        at_source.run(&statements).await?;
        let error = wait::until("the error is told", PATIENCE, || async {
            let mut client = replica.client().await?;
            let told = client
                .column("SHOW REPLICA STATUS", "Last_SQL_Error")
                .await?;
            Ok(told.filter(|text| !text.is_empty()).ok_or("nothing"))
        })
        .await?;
        ensure(error.contains(words), || error)?;
    }
    Ok(())
}

async fn account(source: &mut Client, peer: Peer) -> Result {
    match peer {
        Peer::MariaDb1011 | Peer::MariaDb118 => mariadb::create_account(source).await,
        _ => create_account(source, peer).await,
    }
}

async fn following(source: &RealServer, target: &RealServer) -> Result<Weir> {
    let target = format!("target=mysql://root@127.0.0.1:{}", target.port);
    Weir::following(9, source.port, &[&target]).await
}

/// Waits until the replica has executed what the source has. A target of another vendor has GTIDs of its
/// own beside.
async fn until_executed(source: &mut Client, replica: &Weir, peer: Peer) -> Result {
    let mut at_replica = replica.client().await?;
    if !matches!(peer, Peer::MariaDb1011 | Peer::MariaDb118) {
        let executed = until_gtids_executed(source, &mut at_replica, PATIENCE).await;
        return executed
            .map(drop)
            .map_err(|failure| replica.explain(failure));
    }
    let last = source.value("SELECT @@GLOBAL.gtid_binlog_pos").await?;
    let last = last.to_string();
    let executed = wait::until("the last transaction is executed", PATIENCE, || async {
        let mut client = replica.client().await?;
        let executed = client
            .column("SHOW REPLICA STATUS", "Executed_Gtid_Set")
            .await?
            .unwrap_or_default();
        let is_there = executed.split(',').any(|gtid| gtid.trim() == last);
        Ok(is_there.then_some(()).ok_or(executed))
    });
    executed.await.map_err(|failure| replica.explain(failure))
}
