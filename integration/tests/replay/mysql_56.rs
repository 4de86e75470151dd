//! Logs of MySQL 5.6, which knows transactions by file and position alone unless its GTIDs are turned
//! on, into a new server of the same age.

use std::process::Stdio;
use std::time::{Duration, Instant};

use integration::chance::announce;
use integration::compare::{Snapshot, ensure_same, ensure_same_checksums, until_gtids_executed};
use integration::failure::ensure;
use integration::real_replica::create_account;
use integration::real_server::GTIDS_OF_MYSQL_56;
use integration::wait::{self, PATIENCE};
use integration::workload::{self, Scope};
use integration::{Client, Peer, RealServer, Result, Weir};

use super::run::{MORE, command, is_complete, replay, url_of};

/// Transactions behind those of the workload.
const ROUNDS: u64 = 500;

/// Rows that are one to utf8mb4_0900_ai_ci.
const ALIKE: [&str; 2] = [
    "CREATE TABLE other.alike (v VARCHAR(10) UNIQUE) CHARACTER SET utf8mb4",
    "INSERT INTO other.alike VALUES ('ß'), ('ss')",
];

/// A time that such a server sets by itself.
const STAMPED: [&str; 2] = [
    "CREATE TABLE other.stamped (id INT PRIMARY KEY, at TIMESTAMP)",
    "INSERT INTO other.stamped (id) VALUES (1)",
];

/// A row more in a table without a key each time, of which some are alike.
async fn go_on(client: &mut Client) -> Result {
    client
        .run(&[
            "CREATE TABLE other.keys_too (id INT PRIMARY KEY AUTO_INCREMENT, n INT, v VARCHAR(20), KEY (n))",
            "CREATE TABLE other.plenty (a INT, b VARCHAR(10))",
        ])
        .await?;
    for round in 0..ROUNDS {
        client
            .run(&[
                "BEGIN".to_owned(),
                format!("INSERT INTO other.plenty VALUES ({}, 'x')", round % 7),
                format!("INSERT INTO other.keys_too (n, v) VALUES ({round}, 'é{round}')"),
                format!(
                    "UPDATE other.keys_too SET n = n + 1 WHERE id % 50 = {}",
                    round % 50
                ),
                "COMMIT".to_owned(),
            ])
            .await?;
        if round.is_multiple_of(100) {
            let one = format!("DELETE FROM other.plenty WHERE a = {} LIMIT 1", round % 7);
            let table = format!("CREATE TABLE other.made_{round} (v VARCHAR(20) UNIQUE)");
            client.run(&[one, table]).await?;
        }
    }
    Ok(())
}

/// The logs of a server of these options.
async fn logs(options: &[&str]) -> Result<RealServer> {
    let source = RealServer::start(Peer::MySql56, 1, options).await?;
    let mut client = source.client().await?;
    client.run(&workload::load(Scope::WithMariaDb)).await?;
    client.execute("FLUSH BINARY LOGS").await?;
    client.run(&workload::change(Scope::WithMariaDb)).await?;
    // A server of this age has no GTID for rows that come with their table.
    let is_refused = |sql: &str| options == GTIDS_OF_MYSQL_56 && sql.contains(" AS SELECT ");
    let more: Vec<&&str> = MORE.iter().filter(|sql| !is_refused(sql)).collect();
    client.run(&more).await?;
    go_on(&mut client).await?;
    Ok(source)
}

/// Replays them into a server of these options, which has executed `own` before, with one kill.
async fn killed_and_resumed(
    source: &RealServer,
    options: &[&str],
    mode: &str,
    own: &[&str],
) -> Result {
    let files = source.binlogs()?;
    let target = RealServer::start(Peer::MySql56, 2, options).await?;
    let mut at_target = target.client().await?;
    at_target.run(own).await?;
    let arguments = ["--mode", mode, "--allow", "writers"];
    let mut running = command(&url_of(&target), &files, &arguments)?
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let began = Instant::now();
    // Until a part of the rows is there.
    let there = loop {
        let count = at_target.rows("SELECT COUNT(*) FROM other.keys_too").await;
        let count = count
            .ok()
            .and_then(|rows| rows.first()?.first()?.to_string().parse().ok());
        let count: u64 = count.unwrap_or(0);
        if count > ROUNDS / 10 || running.try_wait()?.is_some() {
            break count;
        }
        ensure(began.elapsed() < PATIENCE, || "nothing moves".to_owned())?;
        wait::let_run(Duration::from_millis(1)).await;
    };
    running.kill()?;
    running.wait()?;
    ensure(there < ROUNDS, || "it had ended".to_owned())?;
    let report = replay(&url_of(&target), &files, &arguments)?;
    ensure(is_complete(&report), || format!("{mode}: {report}"))?;
    let mut at_source = source.client().await?;
    let databases = ["types", "other"];
    let tables = ensure_same_checksums(&mut at_source, &mut at_target, &databases).await?;
    let gtids = at_source.value("SELECT @@GLOBAL.gtid_executed").await?;
    let has_all = format!("SELECT GTID_SUBSET('{gtids}', @@GLOBAL.gtid_executed)");
    let has_all = at_target.value(&has_all).await?.to_string();
    ensure(has_all == "1", || format!("{gtids} are not on the target"))?;
    if options == GTIDS_OF_MYSQL_56 {
        // Once more there is nothing left to do.
        let again = replay(&url_of(&target), &files, &arguments)?;
        let applied = again.get("applied_transactions");
        ensure(is_complete(&again) && applied == Some(&0.into()), || {
            format!("{mode}: {again}")
        })?;
    }
    announce(&format!(
        "mysql-5.6 {mode} {options:?}: killed with {there} rows of {ROUNDS}, {tables} tables equal"
    ));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_of_mysql_56_are_replayed_through_a_kill() -> Result {
    let source = logs(&[]).await?;
    killed_and_resumed(&source, &[], "live", &[]).await?;
    let source = logs(&["--binlog-row-image=MINIMAL", "--binlog-checksum=NONE"]).await?;
    killed_and_resumed(&source, &[], "restore", &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_and_a_mysql_97_take_the_log_of_mysql_56() -> Result {
    let source = RealServer::start(Peer::MySql56, 1, &[]).await?;
    let mut at_source = source.client().await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    at_source.run(&workload::change(Scope::WithMariaDb)).await?;
    at_source.run(&ALIKE).await?;
    let files = source.binlogs()?;
    let left = Snapshot::take(&mut at_source, &["types", "other"]).await?;
    let live = ["--mode", "live", "--allow", "version"];
    let server = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let report = replay(&url_of(&server), &files, &live)?;
    ensure(is_complete(&report), || report.to_string())?;
    let right = Snapshot::take(&mut server.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "server", &right)?;
    let mut replica = Weir::replica(8, &["skip-replica-start"]).await?;
    replica.stop()?;
    let datadir = format!("datadir:{}", replica.data().display());
    // The source itself gives its logs.
    let url = std::path::PathBuf::from(url_of(&source));
    let report = replay(&datadir, &[url], &[])?;
    ensure(is_complete(&report), || report.to_string())?;
    replica.launch().await?;
    let right = Snapshot::take(&mut replica.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "data directory", &right)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_primary_takes_the_log_of_mysql_56_with_gtids() -> Result {
    let source = RealServer::start(Peer::MySql56, 1, &GTIDS_OF_MYSQL_56).await?;
    let mut at_source = source.client().await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    at_source.run(&workload::change(Scope::WithMariaDb)).await?;
    at_source.run(&ALIKE).await?;
    at_source.run(&STAMPED).await?;
    let primary = Weir::primary(7, &[]).await?;
    let url = format!("mysql://root@127.0.0.1:{}", primary.port);
    let report = replay(&url, &source.binlogs()?, &["--mode", "live"])?;
    ensure(is_complete(&report), || report.to_string())?;
    let (left, mut at_primary) = (&mut at_source, primary.client().await?);
    let rows = Snapshot::take(left, &["types", "other"]).await?;
    let right = Snapshot::take(&mut at_primary, &["types", "other"]).await?;
    ensure_same("source", &rows, "primary", &right)?;
    // What the source took for granted is in the primary's own log, for those who follow it.
    create_account(&mut at_primary, Peer::MySql97).await?;
    let replica = Weir::following(8, primary.port, &[]).await?;
    let mut at_replica = replica.client().await?;
    until_gtids_executed(&mut at_primary, &mut at_replica, PATIENCE).await?;
    let wanted = columns(left).await?;
    ensure(wanted.contains("CURRENT_TIMESTAMP"), || wanted.clone())?;
    for client in [&mut at_primary, &mut at_replica] {
        let found = columns(client).await?;
        ensure(found == wanted, || format!("{found}\nand not\n{wanted}"))?;
    }
    Ok(())
}

/// A row knows the place there, and a lock of the primary keeps others out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_primary_takes_a_log_without_gtids() -> Result {
    let source = RealServer::start(Peer::MySql56, 1, &[]).await?;
    let mut at_source = source.client().await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    at_source.run(&workload::change(Scope::WithMariaDb)).await?;
    let files = source.binlogs()?;
    let primary = Weir::primary(7, &[]).await?;
    let url = format!("mysql://root@127.0.0.1:{}", primary.port);
    let mut at_primary = primary.client().await?;
    // Somebody else has the channel: two of them never apply at once.
    let lock = "SELECT GET_LOCK('weir_recovery.progress:replay', 0)";
    at_primary.value(lock).await?;
    let kept_out = command(&url, &files, &["--mode", "live"])?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let waits = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT \
                 GET_LOCK(X%'";
    wait::until("it waits for the lock", PATIENCE, || async {
        let count = primary.client().await?.value(waits).await?.to_string();
        Ok(if count == "1" { Ok(()) } else { Err(count) })
    })
    .await?;
    at_primary.execute("DO RELEASE_ALL_LOCKS()").await?;
    let ended = kept_out.wait_with_output()?;
    ensure(ended.status.success(), || ended.status.to_string())?;
    let (left, right) = (
        Snapshot::take(&mut at_source, &["types", "other"]).await?,
        Snapshot::take(&mut at_primary, &["types", "other"]).await?,
    );
    ensure_same("source", &left, "primary", &right)
}

/// Columns of [`ALIKE`] and [`STAMPED`].
async fn columns(client: &mut Client) -> Result<String> {
    let columns = "SELECT TABLE_NAME, COLUMN_NAME, COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT FROM \
                   information_schema.COLUMNS WHERE TABLE_NAME IN ('alike', 'stamped') AND \
                   TABLE_SCHEMA = 'other' ORDER BY TABLE_NAME, ORDINAL_POSITION";
    Ok(format!("{:?}", client.rows(columns).await?))
}

/// Of a CREATE TABLE that a crash interrupts, a server before 8.0 may keep the file of the definition alone.
/// What the row of a replay says then is put there by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_was_made_by_half_is_made_anew() -> Result {
    let source = RealServer::start(Peer::MySql56, 1, &[]).await?;
    let mut at_source = source.client().await?;
    at_source.execute("CREATE DATABASE other").await?;
    let place = at_source.rows("SHOW MASTER STATUS").await?;
    let place: Vec<String> = place.iter().flatten().map(ToString::to_string).collect();
    let offset = place.get(1).cloned().unwrap_or_default();
    let create = "CREATE TABLE other.t (id INT PRIMARY KEY)";
    at_source
        .run(&[create, "INSERT INTO other.t VALUES (1)"])
        .await?;
    let target = RealServer::start(Peer::MySql56, 2, &[]).await?;
    let mut client = target.client().await?;
    client
        .run(&[
            "CREATE DATABASE other",
            "CREATE TABLE other.half (id INT PRIMARY KEY)",
            "CREATE DATABASE weir_recovery",
            "CREATE TABLE weir_recovery.progress (channel VARCHAR(64) CHARACTER SET utf8 COLLATE \
             utf8_bin NOT NULL PRIMARY KEY, mysql_executed LONGTEXT CHARACTER SET ascii NOT NULL, \
             mariadb_executed TEXT CHARACTER SET ascii NOT NULL, source_file VARBINARY(1024), \
             source_offset BIGINT UNSIGNED, relay_file VARBINARY(1024), relay_offset BIGINT \
             UNSIGNED, statement LONGBLOB, shape LONGBLOB)",
            &format!(
                "INSERT INTO weir_recovery.progress VALUES ('replay', '', '', 'binlog.000001', {offset}, \
                 NULL, NULL, 'ANONYMOUS {create}', '`other`.`t` none\\n')"
            ),
        ])
        .await?;
    let files = target.data().join("other");
    std::fs::copy(files.join("half.frm"), files.join("t.frm"))?;
    client.execute("DROP TABLE other.half").await?;
    let report = replay(&url_of(&target), &source.binlogs()?, &["--mode", "live"])?;
    ensure(is_complete(&report), || report.to_string())?;
    ensure_same_checksums(&mut at_source, &mut client, &["other"]).await?;
    Ok(())
}

/// A server before 8.0 is told what it has executed only if that is nothing so far.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mysql_56_knows_the_gtids_that_were_replayed_into_it() -> Result {
    let source = logs(&GTIDS_OF_MYSQL_56).await?;
    killed_and_resumed(&source, &GTIDS_OF_MYSQL_56, "live", &[]).await?;
    killed_and_resumed(&source, &GTIDS_OF_MYSQL_56, "restore", &[]).await?;
    let own = ["CREATE DATABASE own", "CREATE TABLE own.t (id INT)"];
    killed_and_resumed(&source, &GTIDS_OF_MYSQL_56, "restore", &own).await
}
