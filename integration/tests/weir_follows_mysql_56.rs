//! `weir replica` follows a real MySQL 5.6, which tells transactions apart by file and position unless
//! its GTIDs are turned on: into servers, through kills, and into the embedded engine.

use std::time::{Duration, Instant};

use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same, ensure_same_checksums, replica_status};
use integration::failure::{Failure, ensure};
use integration::kills::{Killed, Parties};
use integration::metrics::metric;
use integration::process::free_port;
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::real_server::GTIDS_OF_MYSQL_56;
use integration::steady_load::{self, SteadyLoad};
use integration::wait::{self, PATIENCE};
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, RealServer, Result, Weir};

const AUTO_POSITION: &str = "source-auto-position=1";
const BEGINNING: &str = "source-log-file=binlog.000001\nsource-log-pos=4";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_arrives_once_in_another_mysql_56_through_kills() -> Result {
    let target = RealServer::start(Peer::MySql56, 2, &[]).await?;
    kills(&[], target).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_arrives_once_in_a_mysql_97_through_kills() -> Result {
    let off = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    let target = RealServer::start(Peer::MySql97, 2, &off).await?;
    kills(&["--binlog-row-image=MINIMAL"], target).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mysql_56_keeps_the_gtids_of_another_through_kills() -> Result {
    let target = RealServer::start(Peer::MySql56, 2, &GTIDS_OF_MYSQL_56).await?;
    kills(&GTIDS_OF_MYSQL_56, target).await
}

/// Kills the replica and the target under a load, which must arrive whole and once.
async fn kills(source_options: &[&str], target: RealServer) -> Result {
    let has_gtids = source_options == GTIDS_OF_MYSQL_56;
    let source = RealServer::start(Peer::MySql56, 1, source_options).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql56).await?;
    let start = match (has_gtids, target.peer) {
        (true, _) => AUTO_POSITION.to_owned(),
        (false, Peer::MySql56) => BEGINNING.to_owned(),
        // No later server takes the account's statement.
        (false, Peer::MySql97 | Peer::MariaDb1011 | Peer::MariaDb118) => {
            let [file, offset] = log_end(&mut at_source).await?;
            format!("source-log-file={file}\nsource-log-pos={offset}")
        }
    };
    let metrics = free_port()?;
    let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
    let lines = [to, format!("metrics_port={metrics}")];
    let replica = following(&source, &start, &lines).await?;
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(source.port, 2, chance.below(u64::MAX)).await?;
    let mut parties = Parties {
        source,
        target,
        replica,
    };
    // A session that is killed by KILL may stay on a MySQL 5.6, with its locks and its GTID.
    let who: &[Killed] = match parties.target.peer {
        Peer::MySql56 => &[Killed::Replica, Killed::Replica],
        Peer::MySql97 | Peer::MariaDb1011 | Peer::MariaDb118 => {
            &[Killed::Replica, Killed::Connections]
        }
    };
    let each = setting("WEIR_KILLS", 1);
    let killed = parties.kill(who, each, &mut chance).await;
    let mut committed = load.end().await?;
    killed.map_err(|failure| parties.replica.explain(failure))?;
    // A server of this age that is killed in a CREATE or an ALTER may not start again.
    let (source, client) = (parties.source.port, &mut parties.replica.client().await?);
    until_applied(&mut at_source, &parties.replica, client).await?;
    let load = SteadyLoad::go_on_with_rows(source, 2, chance.below(u64::MAX));
    let killed = parties.kill(&[Killed::Target], each, &mut chance).await;
    committed += load.end().await?;
    let Parties {
        source: _,
        target,
        replica,
    } = &parties;
    killed.map_err(|failure| replica.explain(failure))?;
    let mut at_target = target.client().await?;
    let databases = [steady_load::DATABASE];
    let mut at_replica = replica.client().await?;
    let (left, right) = (&mut at_source, &mut at_target);
    until_applied(left, replica, &mut at_replica).await?;
    let rows = Snapshot::take(left, &databases).await?;
    let arrived = Snapshot::take(right, &databases).await?;
    ensure_same("source", &rows, "target", &arrived)?;
    // Between servers whose rows are kept alike.
    let tables = match target.peer {
        Peer::MySql56 => ensure_same_checksums(left, right, &databases).await?,
        Peer::MySql97 | Peer::MariaDb1011 | Peer::MariaDb118 => 0,
    };
    let error = replica_status(&mut at_replica, "Last_SQL_Errno").await?;
    ensure(error == "0", || format!("error {error}"))?;
    let skipped = metric(metrics, "weir_transactions_skipped_total").await?;
    ensure(skipped == 0.0, || format!("{skipped} skipped"))?;
    if has_gtids {
        let gtids = "SELECT @@GLOBAL.gtid_executed";
        let (sent, kept) = (left.value(gtids).await?, right.value(gtids).await?);
        ensure(sent == kept, || format!("GTIDs {sent} and {kept}"))?;
    }
    announce(&format!(
        "mysql-5.6 into {}: {each} kills of each of {who:?} and of the target; {committed} transactions acknowledged, \
         {tables} tables equal, GTIDs kept: {has_gtids}, none skipped",
        target.peer.folder()
    ));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_of_mysql_56_arrives_in_the_engine() -> Result {
    let source = RealServer::start(Peer::MySql56, 1, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql56).await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    let replica = following(&source, BEGINNING, &[]).await?;
    at_source.execute("FLUSH BINARY LOGS").await?;
    at_source.run(&workload::change(Scope::WithMariaDb)).await?;
    same_in_engine(&mut at_source, &replica, &DATABASES).await
}

/// What a server of this age takes for granted: latin1 and its collation, which knows neither accents nor
/// blanks at the end, utf8mb4 with an older collation, timestamps that are set by themselves.
const DEFAULTS: [&str; 8] = [
    "CREATE DATABASE plain",
    "CREATE TABLE plain.t (v VARCHAR(10) UNIQUE, at TIMESTAMP)",
    "CREATE TABLE plain.u (v VARCHAR(10) UNIQUE) CHARSET utf8",
    "CREATE TABLE plain.m (v VARCHAR(10) UNIQUE) CHARSET utf8mb4",
    "CREATE DATABASE wide CHARACTER SET utf8mb4",
    "CREATE TABLE wide.t (v VARCHAR(10) UNIQUE, w VARCHAR(10) CHARACTER SET latin1)",
    "CREATE TABLE wide.s (v VARCHAR(10) CHARACTER SET utf8mb4 UNIQUE)",
    "ALTER TABLE wide.s ADD COLUMN w VARCHAR(10) CHARACTER SET utf8mb4",
];
const TABLES_OF_DEFAULTS: [&str; 5] = ["plain.t", "plain.u", "plain.m", "wide.t", "wide.s"];
/// What is new to one collation is there already to another.
const ALIKE: [&str; 10] = ["a", "A ", "ä", "ß", "ss", "s", "b\\t", "b", "ø", "o"];

/// Makes tables without collations and puts in what they take for unlike.
async fn write_defaults(source: &mut Client) -> Result {
    source.run(&DEFAULTS).await?;
    for table in TABLES_OF_DEFAULTS {
        let mut refused = 0;
        for value in ALIKE {
            let insert = format!("INSERT INTO {table} (v) VALUES ('{value}')");
            refused += u32::from(source.attempt(&insert).await?.is_err());
        }
        ensure(refused > 0, || format!("{table} takes everything"))?;
    }
    // Rows without a primary key are looked up by what is unique.
    for table in TABLES_OF_DEFAULTS {
        source
            .execute(&format!("UPDATE {table} SET v = 'á' WHERE v = 'A'"))
            .await?;
        source
            .execute(&format!("DELETE FROM {table} WHERE v = 'b'"))
            .await?;
    }
    Ok(())
}

/// How the columns are declared, in words that servers of all ages have for it.
async fn declared(client: &mut Client) -> Result<String> {
    let columns = "SELECT TABLE_NAME, COLUMN_NAME, COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT FROM \
                   information_schema.COLUMNS WHERE TABLE_SCHEMA IN ('plain', 'wide') ORDER BY \
                   TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION";
    let rows = format!("{:?}", client.rows(columns).await?);
    Ok(rows.replace("utf8mb3", "utf8"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_have_the_defaults_of_mysql_56_everywhere() -> Result {
    let source = RealServer::start(Peer::MySql56, 1, &[]).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let (mut at_source, mut at_target) = (source.client().await?, target.client().await?);
    create_account(&mut at_source, Peer::MySql56).await?;
    let [file, offset] = log_end(&mut at_source).await?;
    let start = format!("source-log-file={file}\nsource-log-pos={offset}");
    let engine = following(&source, BEGINNING, &[]).await?;
    let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
    let server = following(&source, &start, &[to, "gtid-mode=OFF".to_owned()]).await?;
    write_defaults(&mut at_source).await?;
    same_in_engine(&mut at_source, &engine, &["plain", "wide"]).await?;
    until_applied(&mut at_source, &server, &mut server.client().await?).await?;
    let left = Snapshot::take(&mut at_source, &["plain", "wide"]).await?;
    let right = Snapshot::take(&mut at_target, &["plain", "wide"]).await?;
    ensure_same("source", &left, "target", &right)?;
    let wanted = declared(&mut at_source).await?;
    for (name, client) in [
        ("engine", &mut engine.client().await?),
        ("server", &mut at_target),
    ] {
        let found = declared(client).await?;
        ensure(found == wanted, || {
            format!("{name}: {found}\nsource: {wanted}")
        })?;
    }
    Ok(())
}

async fn same_in_engine(source: &mut Client, replica: &Weir, databases: &[&str]) -> Result {
    let mut at_replica = replica.client().await?;
    until_applied(source, replica, &mut at_replica).await?;
    let left = Snapshot::take(source, databases).await?;
    let right = Snapshot::take(&mut at_replica, databases).await?;
    ensure_same("source", &left, "replica", &right)
}

/// Waits until the replica has applied the source's whole log.
async fn until_applied(source: &mut Client, replica: &Weir, client: &mut Client) -> Result {
    let end = log_end(source).await?;
    let began = Instant::now();
    loop {
        let file = replica_status(client, "Relay_Source_Log_File").await?;
        let place = [file, replica_status(client, "Exec_Source_Log_Pos").await?];
        if place == end {
            return Ok(());
        }
        let has_stopped = replica_status(client, "Replica_SQL_Running").await? != "Yes";
        if has_stopped || began.elapsed() > PATIENCE {
            let error = replica_status(client, "Last_SQL_Error").await?;
            let text = format!("it stays at {place:?} instead of {end:?}: {error}");
            return Err(replica.explain(Failure::new(text)));
        }
        wait::let_run(Duration::from_millis(20)).await;
    }
}

/// Where the source's log ends.
async fn log_end(source: &mut Client) -> Result<[String; 2]> {
    let status = source.rows("SHOW MASTER STATUS").await?;
    match status.first().map(Vec::as_slice) {
        Some([file, offset, ..]) => Ok([file.to_string(), offset.to_string()]),
        _ => Err(Failure::new("the source has no log")),
    }
}

/// A replica that starts there.
async fn following(source: &RealServer, start: &str, lines: &[String]) -> Result<Weir> {
    let port = format!("source-port={}", source.port);
    let user = format!("source-user={REPLICATION_USER}");
    let password = format!("source-password={REPLICATION_PASSWORD}");
    let mut all = vec!["source-host=127.0.0.1", &port, &user, &password];
    all.extend([start, "source-connect-retry=1"]);
    all.extend(lines.iter().map(String::as_str));
    Weir::replica(9, &all).await
}
