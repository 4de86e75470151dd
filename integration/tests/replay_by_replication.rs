//! `weir replay --mode replication`: the target's own replication threads apply the selected
//! transactions, and end where `--mode live` ends.

#[allow(dead_code, reason = "shared with the tests of the other modes")]
#[path = "replay/run.rs"]
mod run;

use std::path::PathBuf;
use std::process::Stdio;

use integration::chance::announce;
use integration::compare::{Snapshot, ensure_same, ensure_same_checksums};
use integration::failure::{Failure, ensure};
use integration::wait::{self, PATIENCE};
use integration::workload::{self, Scope};
use integration::{Client, Peer, RealServer, Result, Weir};

use run::{
    DATABASES, Running, command, end_sessions, executed, is_complete, prefix, replay, scope_of,
    sysbench, url_of, written,
};

const REPLICATION: [&str; 2] = ["--mode", "replication"];
const CHOSEN: [&str; 2] = ["types", "other"];

/// Rows of `other.picked`, a transaction each.
const PICKED: u64 = 20;

/// A source with everything, and behind it a transaction for each row of `other.picked`.
async fn source(peer: Peer) -> Result<RealServer> {
    let source = written(peer, &[], scope_of(peer)).await?;
    let mut client = source.client().await?;
    client
        .execute("CREATE TABLE other.picked (id INT PRIMARY KEY)")
        .await?;
    for id in 0..PICKED {
        let insert = format!("INSERT INTO other.picked VALUES ({id})");
        client.execute(&insert).await?;
    }
    Ok(source)
}

/// How many channels a server has.
async fn channels(client: &mut Client, peer: Peer) -> Result<usize> {
    let query = match peer.is_mariadb() {
        true => "SHOW ALL SLAVES STATUS",
        false => "SHOW REPLICA STATUS",
    };
    Ok(client.rows(query).await?.len())
}

/// What a server says that it has of its source.
async fn place(client: &mut Client, peer: Peer) -> Result<String> {
    let query = match peer.is_mariadb() {
        true => "SELECT @@GLOBAL.gtid_slave_pos",
        false => "SELECT @@GLOBAL.gtid_executed",
    };
    Ok(client.value(query).await?.to_string())
}

/// A selection by replication, and the same by mode `live`, into a new server each.
async fn ends_as_live_does(peer: Peer) -> Result {
    let source = source(peer).await?;
    let mut at_source = source.client().await?;
    let last = executed(&mut at_source, peer).await?;
    let prefix = prefix(&mut at_source, peer).await?;
    let excluded = format!("{prefix}{}", last - 13);
    let stop = format!("{prefix}{}", last - 4);
    let files = source.binlogs()?;
    let mut places = Vec::new();
    let mut clients = Vec::new();
    let mut servers = Vec::new();
    for mode in ["live", "replication"] {
        let target = RealServer::start(peer, 2, &[]).await?;
        let arguments = [
            "--mode",
            mode,
            "--exclude-gtids",
            &excluded,
            "--stop-before",
            &stop,
        ];
        let report = replay(&url_of(&target), &files, &arguments)?;
        ensure(is_complete(&report), || format!("{mode}: {report}"))?;
        let mut client = target.client().await?;
        places.push(place(&mut client, peer).await?);
        let picked = client.value("SELECT COUNT(*) FROM other.picked").await?;
        let expected = (PICKED - 6).to_string();
        ensure(picked.to_string() == expected, || {
            format!("{mode}: {picked:?} rows and not {expected}")
        })?;
        let left = channels(&mut client, peer).await?;
        ensure(left == 0, || format!("{mode}: {left} channels are left"))?;
        clients.push(client);
        servers.push(target);
    }
    let [live, replicated] = clients.as_mut_slice() else {
        return Err(Failure::new("two targets"));
    };
    ensure_same_checksums(live, replicated, &CHOSEN).await?;
    ensure(places.first() == places.last(), || format!("{places:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_97_ends_where_mode_live_ends() -> Result {
    ends_as_live_does(Peer::MySql97).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_1011_ends_where_mode_live_ends() -> Result {
    ends_as_live_does(Peer::MariaDb1011).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_118_ends_where_mode_live_ends() -> Result {
    ends_as_live_does(Peer::MariaDb118).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_and_compressed_logs_are_served_in_the_clear() -> Result {
    let directory = tempfile::tempdir()?;
    let keyring = {
        let encrypted = ["binlog_encryption=ON", "keyring_file_data=keyring"];
        let primary = Weir::primary(1, &encrypted).await?;
        let keyring = directory.path().join("keyring");
        std::fs::copy(primary.data().join("keyring"), &keyring)?;
        keyring
    };
    let options = [
        "--binlog-encryption=ON",
        "--binlog-transaction-compression=ON",
    ];
    let mut mysql = RealServer::prepare(Peer::MySql97, 1, &options)?;
    mysql.use_keyring(&keyring)?;
    mysql.launch().await?;
    let own = mysql.data().with_file_name("home").join("keyring");
    served_in_the_clear(&mysql, &["--keyring", &own.display().to_string()]).await?;
    let keys = directory.path().join("keys");
    std::fs::write(&keys, format!("1;{}\n", "0123456789abcdef".repeat(4)))?;
    let key = keys.display().to_string();
    let options = [
        "--plugin-load-add=file_key_management",
        &format!("--file-key-management-filename={key}"),
        "--encrypt-binlog=ON",
        "--log-bin-compress=ON",
    ];
    let mariadb = RealServer::start(Peer::MariaDb118, 1, &options).await?;
    served_in_the_clear(&mariadb, &["--file-key", &key]).await
}

/// Replays what a server logged into one without keys.
async fn served_in_the_clear(source: &RealServer, opened_by: &[&str]) -> Result {
    let peer = source.peer;
    let mut client = source.client().await?;
    client.run(&workload::load(scope_of(peer))).await?;
    client.run(&workload::change(scope_of(peer))).await?;
    let target = RealServer::start(peer, 2, &[]).await?;
    let arguments = [&REPLICATION, opened_by].concat();
    let report = replay(&url_of(&target), &source.binlogs()?, &arguments)?;
    ensure(is_complete(&report), || report.to_string())?;
    let rows = report.get("applied_rows");
    let rows = rows.and_then(serde_json::Value::as_u64).unwrap_or(0);
    ensure(rows > 0, || report.to_string())?;
    ensure_same_checksums(&mut client, &mut target.client().await?, &CHOSEN)
        .await
        .map(drop)
}

/// The last number of a place.
fn number(place: &str) -> u64 {
    let last = place.rsplit(['-', ':']).next().unwrap_or_default();
    last.parse().unwrap_or(0)
}

/// Waits until the target has `more` transactions than it has now, unless the replay ends before.
async fn until_moved(
    running: &mut Running,
    target: &RealServer,
    before: &str,
    more: u64,
) -> Result<bool> {
    let mut client = target.client().await?;
    let limit = std::time::Instant::now() + PATIENCE;
    loop {
        if running.is_over()? {
            return Ok(false);
        }
        let now = place(&mut client, target.peer).await?;
        if number(&now) >= number(before) + more {
            return Ok(true);
        }
        ensure(std::time::Instant::now() < limit, || {
            format!("the target stays at {now}")
        })?;
        wait::let_run(std::time::Duration::from_millis(5)).await;
    }
}

/// Kills the replay when the target has its first transactions, then ends it by Ctrl-C, then ends its
/// sessions, then kills the target under it.
async fn goes_on_after_whatever_ends_it(peer: Peer) -> Result {
    let source = written(peer, &[], scope_of(peer)).await?;
    sysbench(&source, 2).await?;
    let left = Snapshot::take(&mut source.client().await?, &DATABASES).await?;
    let files = source.binlogs()?;
    let mut target = RealServer::start(peer, 2, &[]).await?;
    let url = url_of(&target);
    let start = || Running::start(&url, &files, &REPLICATION);

    let before = place(&mut target.client().await?, peer).await?;
    let mut running = start()?;
    let moved = until_moved(&mut running, &target, &before, 1).await?;
    ensure(moved, || "it ended before it was killed".to_owned())?;
    running.signal("-KILL")?;
    while !running.is_over()? {
        wait::let_run(std::time::Duration::from_millis(5)).await;
    }

    let before = place(&mut target.client().await?, peer).await?;
    let mut running = start()?;
    let moved = until_moved(&mut running, &target, &before, 300).await?;
    ensure(moved, || "it ended before Ctrl-C".to_owned())?;
    running.signal("-INT")?;
    let ended = running.end()?;
    announce(&format!("{peer:?}: {}", ended.text()));
    let reason = ended.report.pointer("/stopped_at/reason");
    let applied = ended.report.get("applied_transactions");
    let applied = applied.and_then(serde_json::Value::as_u64).unwrap_or(0);
    let is_told = ended.errors.contains("ends behind this transaction")
        && ended.errors.contains("the same command goes on");
    let is_interrupted = reason == Some(&"interrupted".into());
    ensure(
        ended.status.code() == Some(1) && is_interrupted && is_told && applied >= 300,
        || ended.text(),
    )?;
    let mut client = target.client().await?;
    let channels_left = channels(&mut client, peer).await?;
    ensure(channels_left == 0, || "a channel is left".to_owned())?;

    let before = place(&mut client, peer).await?;
    let mut running = start()?;
    let moved = until_moved(&mut running, &target, &before, 300).await?;
    let lost = end_sessions(&target).await?;
    ensure(moved && lost > 0, || "no session was ended".to_owned())?;
    let before = place(&mut target.client().await?, peer).await?;
    let moved = until_moved(&mut running, &target, &before, 300).await?;
    ensure(moved, || "it ended before the target was killed".to_owned())?;
    target.kill()?;
    target.launch().await?;
    let ended = running.end()?;
    announce(&format!("{peer:?}: {}", ended.text()));
    ensure(ended.errors.contains("tried again in"), || ended.text())?;
    // What MariaDB keeps of its place in a file may be a transaction behind.
    let is_doubtful = ended.errors.contains("started anew while it applied");
    ensure(
        peer.is_mariadb() == is_doubtful && is_doubtful != is_complete(&ended.report),
        || ended.text(),
    )?;
    if is_doubtful {
        let report = replay(&url, &files, &REPLICATION)?;
        ensure(is_complete(&report), || report.to_string())?;
    }
    let mut client = target.client().await?;
    let right = Snapshot::take(&mut client, &DATABASES).await?;
    ensure_same("source", &left, "target", &right)?;
    let channels = channels(&mut client, peer).await?;
    let kept = target.data().join("master-weir_replay.info");
    ensure(channels == 0 && !kept.exists(), || {
        format!("{channels} channels are left")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_into_mysql_97_that_is_broken_off_goes_on_and_repeats_nothing() -> Result {
    goes_on_after_whatever_ends_it(Peer::MySql97).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_into_mariadb_118_that_is_broken_off_goes_on_and_repeats_nothing() -> Result {
    goes_on_after_whatever_ends_it(Peer::MariaDb118).await
}

/// A short log and an empty target.
async fn short(peer: Peer, server_id: u32) -> Result<(RealServer, RealServer, Vec<PathBuf>)> {
    let source = RealServer::start(peer, 1, &[]).await?;
    let mut client = source.client().await?;
    client.run(&workload::load(Scope::MySql)).await?;
    client
        .run(&[
            "CREATE DATABASE shop",
            "CREATE TABLE shop.t (id INT PRIMARY KEY)",
            "INSERT INTO shop.t VALUES (1)",
            "INSERT INTO shop.t VALUES (2)",
            "INSERT INTO shop.t VALUES (3)",
        ])
        .await?;
    let target = RealServer::start(peer, server_id, &[]).await?;
    let files = source.binlogs()?;
    Ok((source, target, files))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_the_target_is_told_with_its_gtid_and_mending_it_lets_it_go_on() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let (source, target, files) = short(peer, 2).await?;
        let mut at_source = source.client().await?;
        let last = executed(&mut at_source, peer).await?;
        let prefix = prefix(&mut at_source, peer).await?;
        let failing = format!("{prefix}{}", last - 1);
        let mut arguments = REPLICATION.to_vec();
        arguments.extend(["--stop-before", &failing]);
        let report = replay(&url_of(&target), &files, &arguments)?;
        ensure(is_complete(&report), || report.to_string())?;
        let mut client = target.client().await?;
        let unlogged = "SET @@session.sql_log_bin = 0";
        client
            .run(&[unlogged, "INSERT INTO shop.t VALUES (2)"])
            .await?;
        let report = replay(&url_of(&target), &files, &REPLICATION)?;
        let error = report.get("error").map(ToString::to_string);
        let error = error.unwrap_or_default();
        announce(&format!("{peer:?}: {error}"));
        let is_told = error.contains(&failing) && error.contains("1062");
        ensure(is_told && !is_complete(&report), || report.to_string())?;
        let applied = report.get("applied_transactions").cloned();
        ensure(applied == Some(0.into()), || report.to_string())?;
        let left = channels(&mut client, peer).await?;
        ensure(left == 1, || format!("{peer:?}: {left} channels are left"))?;
        client.execute("DELETE FROM shop.t WHERE id = 2").await?;
        let report = replay(&url_of(&target), &files, &REPLICATION)?;
        ensure(is_complete(&report), || report.to_string())?;
        let databases = ["types", "other", "shop"];
        ensure_same_checksums(&mut at_source, &mut client, &databases).await?;
        let left = channels(&mut client, peer).await?;
        ensure(left == 0, || format!("{peer:?}: {left} channels are left"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_target_would_pass_over_in_silence_is_refused() -> Result {
    let peer = Peer::MySql97;
    let (_source, target, files) = short(peer, 1).await?;
    let mut client = target.client().await?;
    let refuses = |arguments: &[&str], expected: &str| -> Result {
        let mut all = REPLICATION.to_vec();
        all.extend(arguments);
        let output = command(&url_of(&target), &files, &all)?.output()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_refused = output.status.code() == Some(2) && told.contains(expected);
        ensure(is_refused, || {
            format!("{arguments:?}: {}: {told}", output.status)
        })
    };
    refuses(&[], "passes over transactions of server_id 1")?;
    refuses(&["--table", "shop.t"], "--table with --mode replication")?;
    client.execute("SET GLOBAL server_id = 7").await?;
    client
        .execute("SET GLOBAL replica_exec_mode = 'IDEMPOTENT'")
        .await?;
    refuses(&[], "replica_exec_mode is IDEMPOTENT")?;
    client
        .execute("SET GLOBAL replica_exec_mode = 'STRICT'")
        .await?;
    client
        .execute("CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = (shop)")
        .await?;
    refuses(&[], "replication filters of its own")?;
    client
        .execute("CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = ()")
        .await?;
    client
        .execute(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1, \
             SOURCE_USER='somebody' FOR CHANNEL 'weir_replay'",
        )
        .await?;
    refuses(&[], "a channel weir_replay that is not of this program")?;
    let executed = client.value("SELECT @@GLOBAL.gtid_executed").await?;
    ensure(executed.to_string().is_empty(), || {
        format!("{executed:?} moved")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_97_keeps_the_password_neither_in_its_general_log_nor_in_its_tables() -> Result {
    let peer = Peer::MySql97;
    let (_source, target, files) = short(peer, 2).await?;
    let mut client = target.client().await?;
    client
        .run(&[
            "SET GLOBAL log_output = 'TABLE'",
            "SET GLOBAL general_log = ON",
        ])
        .await?;
    let elsewhere = ["--serve-on", "127.0.0.2:0"];
    let mut running = command(&url_of(&target), &files, &REPLICATION)?
        .args(elsewhere)
        .stdout(Stdio::null())
        .spawn()?;
    let mut kept = Vec::new();
    let ended = loop {
        let query = "SELECT User_password FROM mysql.slave_master_info";
        kept.extend(client.rows(query).await?);
        if let Some(ended) = running.try_wait()? {
            break ended;
        }
    };
    ensure(ended.success(), || ended.to_string())?;
    let is_empty = kept
        .iter()
        .flatten()
        .all(|cell| cell.to_string().is_empty());
    ensure(!kept.is_empty() && is_empty, || format!("{kept:?}"))?;
    let logged = client
        .rows("SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log")
        .await?;
    let logged: Vec<String> = logged.iter().flatten().map(ToString::to_string).collect();
    let host = "SOURCE_HOST='127.0.0.2'";
    ensure(logged.iter().any(|text| text.contains(host)), || {
        format!("--serve-on is not where the target looks: {logged:?}")
    })?;
    let start = logged.iter().find(|text| text.starts_with("START REPLICA"));
    ensure(start.is_some_and(|text| text.contains("<secret>")), || {
        format!("{start:?}")
    })
}
