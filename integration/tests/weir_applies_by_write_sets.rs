//! Several workers where no clock of the source says what may run beside each other: the rows that
//! transactions touch decide.

use integration::chance::{Chance, announce, setting};
use integration::compare::{ensure_same_checksums, until_gtids_executed, until_same};
use integration::failure::ensure;
use integration::kills::{Killed, Parties};
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::real_server::GTIDS_OF_MYSQL_56;
use integration::sql::ClientOptions;
use integration::steady_load::{self, SteadyLoad};
use integration::wait::PATIENCE;
use integration::{Client, Peer, RealServer, Result, Weir};

/// Keys of every kind that a write set knows, and a table that has none.
const TABLES: [&str; 5] = [
    "CREATE DATABASE d",
    "CREATE TABLE d.owners (id INT PRIMARY KEY, name VARCHAR(20) CHARACTER SET latin1, UNIQUE KEY (name)) \
     ENGINE = InnoDB",
    "CREATE TABLE d.things (id INT PRIMARY KEY, owner INT, code VARCHAR(10) CHARACTER SET utf8mb4 COLLATE \
     utf8mb4_unicode_ci, v DECIMAL(10, 2), UNIQUE KEY (code(4)), UNIQUE KEY (v, owner), FOREIGN KEY (owner) \
     REFERENCES d.owners (id)) ENGINE = InnoDB",
    "CREATE TABLE d.parts (id INT PRIMARY KEY, thing INT, FOREIGN KEY (thing) REFERENCES d.things (id) \
     ON DELETE CASCADE ON UPDATE SET NULL) ENGINE = InnoDB",
    "CREATE TABLE d.alike (a INT, b VARCHAR(10)) ENGINE = InnoDB",
];

/// Transactions of a client that mind no error.
const STATEMENTS: u64 = 600;

/// Texts that collations call equal, and others.
const NAMES: [&str; 8] = ["a", "A", "á", "a ", "b", "ß", "ss", "c"];

fn statement(chance: &mut Chance) -> String {
    let (id, other, v) = (chance.below(40), chance.below(8), chance.below(50));
    let at = usize::try_from(chance.below(8)).unwrap_or(0);
    let name = NAMES.get(at).copied().unwrap_or_default();
    match chance.below(14) {
        0 => format!("INSERT INTO d.owners VALUES ({other}, '{name}{v}')"),
        1 => format!("UPDATE d.owners SET name = '{name}' WHERE id = {other}"),
        2 => format!("UPDATE d.owners SET name = NULL WHERE id = {other}"),
        3 => format!("DELETE FROM d.owners WHERE id = {other}"),
        4 | 5 => format!("INSERT INTO d.things VALUES ({id}, {other}, '{name}{v}', {v}.5)"),
        6 => format!("UPDATE d.things SET code = '{name}' WHERE id = {id}"),
        7 => format!("UPDATE d.things SET v = {v}, owner = NULL WHERE id = {id}"),
        8 => format!("UPDATE d.things SET id = {v} WHERE id = {id}"),
        9 => format!("DELETE FROM d.things WHERE id = {id}"),
        10 | 11 => format!("INSERT INTO d.parts VALUES ({v}, {id})"),
        12 => format!("DELETE FROM d.parts WHERE id = {v}"),
        _ => format!("INSERT INTO d.alike VALUES ({other}, '{name}')"),
    }
}

/// Several clients write at once.
async fn write(port: u16, chance: &mut Chance) -> Result {
    let mut writers = Vec::new();
    for _ in 0..3 {
        let mut chance = Chance::seeded(chance.below(u64::MAX));
        writers.push(tokio::spawn(async move {
            let mut client = Client::connect(&ClientOptions::root(port)).await?;
            for _ in 0..STATEMENTS {
                // Keys are in the way of some.
                client.attempt(&statement(&mut chance)).await?.ok();
            }
            Result::Ok(())
        }));
    }
    for writer in writers {
        writer.await??;
    }
    Ok(())
}

/// Waits until `target` has executed what `source` has; how many workers were seen at work at once, as
/// performance_schema shows them to a client of its own, at most.
async fn at_once_until_executed(
    source: &mut Client,
    target: &mut Client,
    mut replica: Client,
) -> Result<u64> {
    let working = "SELECT COUNT(*) FROM performance_schema.replication_applier_status_by_worker WHERE \
                   APPLYING_TRANSACTION <> ''";
    let mut most = 0;
    let mut executed = Box::pin(until_gtids_executed(source, target, PATIENCE * 2));
    loop {
        tokio::select! {
            executed = &mut executed => return executed.map(|()| most),
            count = replica.value(working) => most = most.max(count?.to_string().parse()?),
        }
    }
}

async fn source_of_mysql_56(options: &[&str]) -> Result<RealServer> {
    let options = [&GTIDS_OF_MYSQL_56, options].concat();
    let source = RealServer::start(Peer::MySql56, 1, &options).await?;
    let mut client = source.client().await?;
    // No later server takes the account's statement.
    client.execute("SET sql_log_bin = 0").await?;
    create_account(&mut client, Peer::MySql56).await?;
    Ok(source)
}

/// A backlog of a source is applied by several workers, and leaves what the source has.
async fn backlog(source: RealServer, lines: &str) -> Result {
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut chance = Chance::from_environment();
    let (mut at_source, mut at_target) = (source.client().await?, target.client().await?);
    at_source.run(&TABLES).await?;
    let replica = following(&source, &target, lines).await?;
    let mut at_replica = replica.client().await?;
    until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
    at_replica.execute("STOP REPLICA SQL_THREAD").await?;
    write(source.port, &mut chance).await?;
    at_replica.execute("START REPLICA SQL_THREAD").await?;
    let (left, right) = (&mut at_source, &mut at_target);
    let most = at_once_until_executed(left, right, replica.client().await?).await;
    let most = most.map_err(|failure| replica.explain(failure))?;
    until_same("source", left, "target", right, &["d"], PATIENCE).await?;
    ensure(most > 1, || format!("{most} workers at once"))?;
    announce(&format!("{lines}: {most} workers at once"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_without_a_clock_keeps_several_workers_busy() -> Result {
    backlog(source_of_mysql_56(&[]).await?, "").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minimal_images_without_a_clock_leave_what_the_source_has() -> Result {
    let source = source_of_mysql_56(&["--binlog-row-image=MINIMAL"]).await?;
    backlog(source, "replica-preserve-commit-order=OFF").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_without_a_clock_arrives_whole_through_kills() -> Result {
    let source = source_of_mysql_56(&[]).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let replica = following(&source, &target, "").await?;
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(source.port, 3, chance.below(u64::MAX)).await?;
    let mut parties = Parties {
        source,
        target,
        replica,
    };
    let each = setting("WEIR_KILLS", 2);
    let who = [Killed::Replica, Killed::Target, Killed::Connections];
    let killed = parties.kill(&who, each, &mut chance).await;
    let committed = load.end().await?;
    killed.map_err(|failure| parties.replica.explain(failure))?;
    let mut at_source = parties.source.client().await?;
    let mut at_target = parties.target.client().await?;
    let (left, right) = (&mut at_source, &mut at_target);
    let patience = PATIENCE * u32::try_from(each)?.max(1);
    let executed = until_gtids_executed(left, right, patience).await;
    executed.map_err(|failure| parties.replica.explain(failure))?;
    let databases = [steady_load::DATABASE];
    until_same("source", left, "target", right, &databases, PATIENCE).await?;
    let tables = ensure_same_checksums(left, right, &databases).await?;
    announce(&format!(
        "{each} kills of each of {who:?}: {committed} transactions acknowledged, {tables} tables equal"
    ));
    Ok(())
}

/// What its source thought of as two tables is one here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_that_become_one_are_applied_by_several_workers() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let (mut at_source, mut at_target) = (source.client().await?, target.client().await?);
    create_account(&mut at_source, Peer::MySql97).await?;
    for database in ["a", "b"] {
        let made = [
            format!("CREATE DATABASE {database}"),
            format!("CREATE TABLE {database}.t (id INT PRIMARY KEY, v VARCHAR(10))"),
        ];
        at_source.run(&made).await?;
    }
    let made = [
        "SET sql_log_bin = 0",
        "CREATE DATABASE x",
        "CREATE TABLE x.t (id INT PRIMARY KEY, v VARCHAR(10))",
    ];
    at_target.run(&made).await?;
    let rules = "replicate-rewrite-db=a->x\nreplicate-rewrite-db=b->x";
    let replica = following(&source, &target, rules).await?;
    let mut at_replica = replica.client().await?;
    at_replica.execute("STOP REPLICA SQL_THREAD").await?;
    for id in 0..500 {
        let rows = [
            format!("INSERT INTO a.t VALUES ({id}, 'a')"),
            format!("DELETE FROM a.t WHERE id = {id}"),
            format!("INSERT INTO b.t VALUES ({id}, 'b')"),
        ];
        at_source.run(&rows).await?;
    }
    at_replica.execute("START REPLICA SQL_THREAD").await?;
    let (left, right) = (&mut at_source, &mut at_target);
    let most = at_once_until_executed(left, right, replica.client().await?).await;
    let most = most.map_err(|failure| replica.explain(failure))?;
    let sql = "SELECT COUNT(*) FROM x.t WHERE v = 'b'";
    let rows = at_target.value(sql).await?.to_string();
    ensure(rows == "500", || format!("{rows} rows"))?;
    ensure(most > 1, || format!("{most} workers at once"))?;
    announce(&format!("two databases in one: {most} workers at once"));
    Ok(())
}

/// A replica of `source` by GTID whose rows go to `target`, with four workers.
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
            "replica-parallel-workers=4",
            &format!("target=mysql://root@127.0.0.1:{}", target.port),
            more,
        ],
    )
    .await
}
