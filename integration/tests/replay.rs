//! `weir replay`: logs brought to a server again, up to a moment, once and only once.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use integration::chance::Chance;
use integration::compare::{Snapshot, ensure_same};
use integration::failure::{Failure, ensure};
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER};
use integration::recipe::{blocks, is_to_be_filled_in, shell};
use integration::sysbench::Sysbench;
use integration::wait::{self, PATIENCE};
use integration::workload::{self, Scope};
use integration::{Client, Peer, RealServer, Result, Weir, weir};

/// What the workload and sysbench touch.
const DATABASES: [&str; 3] = ["types", "other", "sbtest"];

/// What the workload leaves out: a table without a key, rows that come with their table, a
/// transaction of many events.
const MORE: &[&str] = &[
    "CREATE TABLE other.alike (a INT, b VARCHAR(10))",
    "INSERT INTO other.alike VALUES (1, 'x'), (1, 'x'), (NULL, 'y')",
    "DELETE FROM other.alike WHERE a = 1 LIMIT 1",
    "CREATE TABLE other.copied AS SELECT * FROM other.alike",
    "INSERT INTO other.alike VALUES (2, 'z')",
    "ALTER TABLE other.alike ADD INDEX (a)",
    "INSERT INTO other.alike VALUES (3, 'z')",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_97_stands_at_any_transaction_where_a_replica_stopped_there_stands() -> Result {
    stops(Peer::MySql97, &[], 8).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_minimal_and_partial_logs_replay_as_well() -> Result {
    let options = [
        "--binlog-transaction-compression=ON",
        "--binlog-row-image=MINIMAL",
        "--binlog-row-value-options=PARTIAL_JSON",
    ];
    stops(Peer::MySql97, &options, 3).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_mariadbs_stand_where_a_replica_stopped_there_stands() -> Result {
    for peer in [Peer::MariaDb1011, Peer::MariaDb118] {
        stops(peer, &["--log-bin-compress=ON"], 4).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_either_side_lose_nothing_and_repeat_nothing() -> Result {
    for (mode, is_server_killed) in [
        ("live", false),
        ("restore", false),
        ("live", true),
        ("restore", true),
    ] {
        kills(Peer::MySql97, mode, is_server_killed).await?;
    }
    kills(Peer::MariaDb118, "restore", false).await?;
    kills(Peer::MariaDb118, "live", false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_and_a_running_primary_take_the_log_of_mysql_97() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    at_source.run(&workload::load(Scope::MySql)).await?;
    at_source.run(&workload::change(Scope::MySql)).await?;
    let files = source.binlogs()?;
    let left = Snapshot::take(&mut source.client().await?, &["types", "other"]).await?;
    let primary = Weir::primary(7, &[]).await?;
    let url = format!("mysql://root@127.0.0.1:{}", primary.port);
    let report = replay(&url, &files, &["--mode", "live", "--allow", "version"])?;
    ensure(is_complete(&report), || report.to_string())?;
    let right = Snapshot::take(&mut primary.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "primary", &right)?;
    let mut replica = Weir::replica(8, &["skip-replica-start"]).await?;
    replica.stop()?;
    let datadir = format!("datadir:{}", replica.data().display());
    let report = replay(&datadir, &files, &[])?;
    ensure(is_complete(&report), || report.to_string())?;
    replica.launch().await?;
    let right = Snapshot::take(&mut replica.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "data directory", &right)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_against_a_replay_is_said_before_anything_moves() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    at_source
        .run(&[
            "CREATE DATABASE other",
            "CREATE TABLE other.t (a INT PRIMARY KEY, b VARCHAR(9000))",
            "FLUSH BINARY LOGS",
            "INSERT INTO other.t VALUES (1, REPEAT('x', 9000))",
            "FLUSH BINARY LOGS",
            "INSERT INTO other.t VALUES (2, 'y')",
        ])
        .await?;
    let files = source.binlogs()?;
    let target = RealServer::start(Peer::MySql97, 2, &["--max-allowed-packet=4096"]).await?;
    let mut at_target = target.client().await?;
    let url = url_of(&target);
    let refused = |files: &[PathBuf], arguments: &[&str], part: &str| -> Result {
        let output = command(&url, files, arguments)?.output()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure(
            output.status.code() == Some(2) && text.contains(part),
            || format!("{:?}, without '{part}': {text}", output.status),
        )
    };
    let live = ["--mode", "live"];
    refused(files.get(1..).unwrap_or_default(), &live, "--allow gap")?;
    refused(&files, &live, "--allow packet")?;
    refused(&files, &["--mode", "restore"], "--allow writers")?;
    refused(
        &files,
        &["--mode", "live", "--stop-at", "binlog.000009:4"],
        "not in these logs",
    )?;
    let skipping = [files.first(), files.last()];
    let skipping: Vec<PathBuf> = skipping.into_iter().flatten().cloned().collect();
    refused(&skipping, &live, "a log file is missing")?;
    at_target
        .run(&["CREATE DATABASE other", "CREATE TABLE other.t (a INT)"])
        .await?;
    let later = files.get(1..).unwrap_or_default();
    refused(
        later,
        &["--mode", "live", "--allow", "gap", "--allow", "packet"],
        "--allow layout",
    )?;
    at_target.execute("DROP TABLE other.t").await?;
    refused(
        later,
        &["--mode", "live", "--allow", "gap", "--allow", "packet"],
        "other.t is not on the target",
    )?;
    at_target.execute("SET GLOBAL super_read_only = ON").await?;
    refused(&files, &live, "--allow read-only")?;
    let left = at_target.rows("SHOW DATABASES LIKE 'weir%'").await?;
    ensure(left.is_empty(), || {
        "a refused replay left a database".to_owned()
    })
}

/// A damaged log ends in front of the transaction that is damaged, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_is_replayed_up_to_the_damage_and_the_whole_one_goes_on() -> Result {
    let source = written(Peer::MySql97, &[], Scope::MySql).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let files = source.binlogs()?;
    let directory = tempfile::tempdir()?;
    let (first, second) = match files.as_slice() {
        [first, second, ..] => (first.clone(), second.clone()),
        _ => return Err(Failure::new("two log files are needed")),
    };
    let damaged = directory
        .path()
        .join(second.file_name().unwrap_or_default());
    let bytes = std::fs::read(&second)?;
    let mut flipped = bytes.clone();
    if let Some(byte) = flipped.get_mut(bytes.len() / 2) {
        *byte ^= 0x40;
    }
    let torn = bytes
        .get(..bytes.len() * 3 / 4)
        .unwrap_or_default()
        .to_vec();
    for content in [flipped, torn] {
        std::fs::write(&damaged, content)?;
        let logs = [first.clone(), damaged.clone()];
        let report = replay(&url_of(&target), &logs, &["--mode", "live"])?;
        let field = |name: &str| report.pointer(name).cloned().unwrap_or_default();
        ensure(
            !is_complete(&report)
                && field("/stopped_at/reason") == "damaged_log"
                && field("/wanted_rows") == field("/applied_rows")
                && field("/wanted_transactions") == field("/applied_transactions"),
            || report.to_string(),
        )?;
    }
    let report = replay(&url_of(&target), &files, &["--mode", "live"])?;
    ensure(is_complete(&report), || report.to_string())?;
    let left = Snapshot::take(&mut source.client().await?, &["types", "other"]).await?;
    let right = Snapshot::take(&mut target.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "target", &right)
}

/// Point in time from a dump and the logs, then the rest without the accident.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipe_for_a_point_in_time_is_followed_word_for_word() -> Result {
    let peer = Peer::MySql97;
    let source = RealServer::start(peer, 1, &[]).await?;
    let target = RealServer::start(peer, 2, &[]).await?;
    let mut at_source = source.client().await?;
    at_source
        .run(&[
            "CREATE DATABASE types",
            "CREATE DATABASE other",
            "CREATE DATABASE sbtest",
            "CREATE TABLE other.t (id INT PRIMARY KEY)",
        ])
        .await?;
    let directory = tempfile::tempdir()?;
    let dump = directory.path().join("full.sql");
    dump_to(&source, &dump)?;
    for id in 0..200 {
        at_source
            .execute(&format!("INSERT INTO other.t VALUES ({id})"))
            .await?;
    }
    let before = Snapshot::take(&mut at_source, &["other"]).await?;
    at_source.execute("DELETE FROM other.t").await?;
    let prefix = prefix(&mut at_source, peer).await?;
    let accident = format!("{prefix}{}", executed(&mut at_source, peer).await?);
    at_source
        .execute("CREATE TABLE other.later (id INT)")
        .await?;
    let files = source.binlogs()?;
    let index = files
        .first()
        .map(|file| file.with_extension("index"))
        .unwrap_or_default();
    let filled = format!(
        "DUMP={}\nLOGS={}\nHOST=127.0.0.1\nPORT={}\nSTOP={accident}\n",
        dump.display(),
        index.display(),
        target.port
    );
    let mut done = 0;
    for block in blocks("2. Point in time")? {
        if is_to_be_filled_in(&block) {
            continue;
        }
        let text = shell(directory.path(), peer, &format!("{filled}{block}"))?;
        let expected = match done {
            0 => "",
            1 => accident.as_str(),
            2 => "dry run: nothing was changed",
            _ => "applied 200 of 200 transactions, 200 of 200 rows",
        };
        ensure(text.contains(expected), || {
            format!("{block}\nsays\n{text}\nand not {expected}")
        })?;
        done += 1;
    }
    ensure(done == 4, || format!("{done} commands"))?;
    let after = Snapshot::take(&mut target.client().await?, &["other"]).await?;
    ensure_same("before the accident", &before, "restored", &after)?;
    let arguments = [
        "--mode",
        "restore",
        "--exclude-gtids",
        &accident,
        "--allow",
        "writers",
    ];
    let report = replay(&url_of(&target), &files, &arguments)?;
    ensure(is_complete(&report), || report.to_string())?;
    let kept = Snapshot::take(&mut target.client().await?, &["other"]).await?;
    ensure(kept.rows() == 200 && kept.tables() == 2, || {
        format!("{} rows in {} tables", kept.rows(), kept.tables())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipe_for_whole_logs_is_followed_word_for_word() -> Result {
    let peer = Peer::MySql97;
    let source = written(peer, &[], Scope::MySql).await?;
    let target = RealServer::start(peer, 2, &[]).await?;
    let index = source
        .binlogs()?
        .first()
        .map(|file| file.with_extension("index"));
    let filled = format!(
        "LOGS={}\nHOST=127.0.0.1\nPORT={}\n",
        index.unwrap_or_default().display(),
        target.port
    );
    let directory = tempfile::tempdir()?;
    for block in blocks("3. Replay whole logs")? {
        if !is_to_be_filled_in(&block) {
            shell(directory.path(), peer, &format!("{filled}{block}"))?;
        }
    }
    let left = Snapshot::take(&mut source.client().await?, &["types", "other"]).await?;
    let right = Snapshot::take(&mut target.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "new server", &right)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_timeline_marks_a_delete_without_where_and_nothing_else() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb1011] {
        let source = RealServer::start(peer, 1, &[]).await?;
        let mut at_source = source.client().await?;
        at_source
            .run(&[
                "CREATE DATABASE shop",
                "CREATE TABLE shop.orders (id INT PRIMARY KEY)",
            ])
            .await?;
        for id in 0..300 {
            at_source
                .execute(&format!("INSERT INTO shop.orders VALUES ({id})"))
                .await?;
        }
        at_source
            .execute("DELETE FROM shop.orders WHERE id < 3")
            .await?;
        at_source.execute("DELETE FROM shop.orders").await?;
        let mut timeline = Command::new(weir::binary()?);
        timeline
            .args(["binlog", "timeline", "--by", "day", "--json"])
            .args(source.binlogs()?);
        let shown = timeline.output()?;
        ensure(shown.status.success(), || {
            String::from_utf8_lossy(&shown.stderr).into_owned()
        })?;
        let mut marked = Vec::new();
        for line in String::from_utf8_lossy(&shown.stdout).lines() {
            let line: serde_json::Value = serde_json::from_str(line)?;
            if line.get("outlier") == Some(&true.into()) {
                marked.push((
                    line.get("kind").cloned(),
                    line.pointer("/largest/rows").cloned(),
                ));
            }
        }
        let expected = vec![(Some("delete".into()), Some(297.into()))];
        ensure(marked == expected, || format!("{peer:?}: {marked:?}"))?;
        for (arguments, lines) in [
            (["--kind", "delete", "--min-rows", "100"].as_slice(), 1),
            (&["--kind", "delete"], 2),
            (&["--min-rows", "3", "--table", "shop.orders"], 2),
            (&["--min-rows", "1", "--table", "shop.orders"], 302),
        ] {
            let mut find = Command::new(weir::binary()?);
            find.args(["binlog", "find"])
                .args(arguments)
                .args(source.binlogs()?);
            let found = find.output()?;
            let text = String::from_utf8_lossy(&found.stdout).into_owned();
            ensure(text.lines().count() == lines, || {
                format!("{arguments:?}: {text}")
            })?;
        }
    }
    Ok(())
}

/// A server that ran the workload, and stopped writing.
async fn written(peer: Peer, options: &[&str], scope: Scope) -> Result<RealServer> {
    let server = RealServer::start(peer, 1, options).await?;
    let mut client = server.client().await?;
    client.run(&workload::load(scope)).await?;
    client.execute("FLUSH BINARY LOGS").await?;
    client.run(&workload::change(scope)).await?;
    client.run(MORE).await?;
    Ok(server)
}

const fn scope_of(peer: Peer) -> Scope {
    match peer {
        Peer::MySql97 => Scope::MySql,
        Peer::MariaDb1011 | Peer::MariaDb118 => Scope::WithMariaDb,
    }
}

async fn sysbench(server: &RealServer, seconds: u64) -> Result {
    let mut client = server.client().await?;
    client
        .execute("CREATE DATABASE IF NOT EXISTS sbtest")
        .await?;
    let sysbench = Sysbench {
        script: "oltp_write_only",
        port: server.port,
        tables: 2,
        rows: 500,
        threads: 2,
        span: Duration::from_secs(seconds),
        prepared_statements: "auto",
    };
    sysbench.prepare().await?;
    sysbench.run().await.map(drop)
}

/// Replays from a dump in the middle of a workload to more and more transactions, each time beside a
/// replica of the same product that stops there.
async fn stops(peer: Peer, options: &[&str], count: usize) -> Result {
    let source = RealServer::start(peer, 1, options).await?;
    let mut at_source = source.client().await?;
    at_source.run(&workload::load(scope_of(peer))).await?;
    let (user, password) = (REPLICATION_USER, REPLICATION_PASSWORD);
    at_source
        .run(&[
            &format!("CREATE USER {user}@'%' IDENTIFIED BY '{password}'"),
            &format!("GRANT REPLICATION SLAVE ON *.* TO {user}@'%'"),
            "CREATE DATABASE sbtest",
        ])
        .await?;
    let directory = tempfile::tempdir()?;
    let dump = directory.path().join("dump.sql");
    dump_to(&source, &dump)?;
    let from = executed(&mut at_source, peer).await?;
    at_source.run(&workload::change(scope_of(peer))).await?;
    at_source.run(MORE).await?;
    sysbench(&source, 2).await?;
    let to = executed(&mut at_source, peer).await?;
    let target = RealServer::start(peer, 2, &[]).await?;
    let replica = RealServer::start(peer, 3, &[]).await?;
    load_dump(&target, &dump)?;
    load_dump(&replica, &dump)?;
    let mut at_replica = replica.client().await?;
    point_to(&mut at_replica, peer, source.port).await?;
    let files = source.binlogs()?;
    let base = dump.display().to_string();
    let mut chance = Chance::seeded(4711);
    let mut stops: Vec<u64> = (0..count)
        .map(|_| from + 1 + chance.below(to - from))
        .collect();
    stops.push(to);
    stops.sort_unstable();
    let prefix = prefix(&mut at_source, peer).await?;
    for (number, stop) in stops.iter().enumerate() {
        let gtid = format!("{prefix}{stop}");
        // The dump says where to begin; later the target does.
        let base = if number == 0 {
            vec!["--base", &base]
        } else {
            Vec::new()
        };
        let arguments = [&["--mode", "restore", "--stop-at", &gtid], base.as_slice()].concat();
        let report = replay(&url_of(&target), &files, &arguments)?;
        ensure(is_complete(&report), || format!("{gtid}: {report}"))?;
        until(&mut at_replica, peer, &prefix, *stop).await?;
        let left = Snapshot::take(&mut at_replica, &DATABASES).await?;
        let right = Snapshot::take(&mut target.client().await?, &DATABASES).await?;
        ensure_same(&format!("replica at {gtid}"), &left, "replayed", &right)?;
    }
    let left = Snapshot::take(&mut at_source, &DATABASES).await?;
    let right = Snapshot::take(&mut target.client().await?, &DATABASES).await?;
    ensure_same("source", &left, "replayed", &right)?;
    ensure(left.tables() > 12, || {
        format!("only {} tables", left.tables())
    })
}

/// Replays the whole log while one side is killed again and again.
async fn kills(peer: Peer, mode: &str, is_server_killed: bool) -> Result {
    let source = written(peer, &[], scope_of(peer)).await?;
    sysbench(&source, 2).await?;
    let files = source.binlogs()?;
    let mut target = RealServer::start(peer, 2, &[]).await?;
    let mut chance = Chance::seeded(7);
    let arguments = ["--mode", mode, "--allow", "writers", "--allow", "executed"];
    for _ in 0..8 {
        let mut running = command(&url_of(&target), &files, &arguments)?
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let ended = wait::blocking_until(chance.millis(20, 400), || Ok(running.try_wait()?))?;
        if ended.is_some() {
            break;
        }
        if is_server_killed {
            target.kill()?;
        }
        running.kill()?;
        running.wait()?;
        if is_server_killed {
            target.launch().await?;
        }
    }
    let report = replay(&url_of(&target), &files, &arguments)?;
    ensure(is_complete(&report), || format!("{mode}: {report}"))?;
    let left = Snapshot::take(&mut source.client().await?, &DATABASES).await?;
    let right = Snapshot::take(&mut target.client().await?, &DATABASES).await?;
    ensure_same("source", &left, mode, &right)?;
    if !peer.is_mariadb() {
        let executed = "SELECT @@GLOBAL.gtid_executed";
        let here = source.client().await?.value(executed).await?;
        let subset = format!("SELECT GTID_SUBSET('{}', @@GLOBAL.gtid_executed)", here);
        let has_all = target.client().await?.value(&subset).await?;
        ensure(has_all.to_string() == "1", || {
            format!("{mode}: {here:?} is not executed")
        })?;
    }
    Ok(())
}

fn url_of(server: &RealServer) -> String {
    format!("mysql://root@127.0.0.1:{}", server.port)
}

fn command(url: &str, files: &[PathBuf], arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(weir::binary()?);
    command.arg("replay").args(files);
    command
        .args(["--to", url, "--yes", "--json"])
        .args(arguments);
    command.stdin(Stdio::null());
    Ok(command)
}

fn is_complete(report: &serde_json::Value) -> bool {
    report.get("complete") == Some(&serde_json::Value::Bool(true))
}

/// Runs `weir replay` and gives its JSON.
fn replay(url: &str, files: &[PathBuf], arguments: &[&str]) -> Result<serde_json::Value> {
    let output = command(url, files, arguments)?.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|_| {
        let errors = String::from_utf8_lossy(&output.stderr);
        Failure::new(format!("weir replay gave no report: {text}{errors}"))
    })
}

fn dump_to(server: &RealServer, dump: &Path) -> Result {
    let program = match server.peer.is_mariadb() {
        true => "mariadb-dump",
        false => "mysqldump",
    };
    let mut command = server.peer.program(program)?;
    let position = match server.peer.is_mariadb() {
        true => ["--master-data=2", "--gtid"].as_slice(),
        false => ["--source-data=2"].as_slice(),
    };
    command
        .args([
            "--no-defaults",
            "--user=root",
            "--host=127.0.0.1",
            "--single-transaction",
        ])
        .arg(format!("--port={}", server.port))
        .args(position)
        .args(["--databases", "types", "other", "sbtest"])
        .stdout(std::fs::File::create(dump)?);
    let status = command.status()?;
    ensure(status.success(), || format!("the dump ended with {status}"))
}

fn load_dump(server: &RealServer, dump: &Path) -> Result {
    let mut client = server.peer.cli()?;
    client
        .args([
            "--no-defaults",
            "--binary-mode",
            "--user=root",
            "--host=127.0.0.1",
        ])
        .arg(format!("--port={}", server.port))
        .stdin(std::fs::File::open(dump)?);
    let loaded = client.output()?;
    ensure(loaded.status.success(), || {
        String::from_utf8_lossy(&loaded.stderr).into_owned()
    })?;
    if !server.peer.is_mariadb() {
        return Ok(());
    }
    // mariadb-dump leaves it to people to take the GTID over.
    let text = String::from_utf8_lossy(&std::fs::read(dump)?).into_owned();
    let line = text
        .lines()
        .find(|line| line.contains("SET GLOBAL gtid_slave_pos="));
    let statement = line.unwrap_or_default().trim_start_matches("-- ");
    let mut client = server.peer.cli()?;
    client
        .args(["--no-defaults", "--user=root", "--host=127.0.0.1"])
        .arg(format!("--port={}", server.port))
        .args(["-e", &format!("RESET MASTER; {statement}")]);
    let set = client.output()?;
    ensure(set.status.success(), || {
        String::from_utf8_lossy(&set.stderr).into_owned()
    })
}

/// The number of the last transaction.
async fn executed(client: &mut Client, peer: Peer) -> Result<u64> {
    let query = match peer.is_mariadb() {
        true => "SELECT @@GLOBAL.gtid_binlog_pos",
        false => "SELECT @@GLOBAL.gtid_executed",
    };
    let text = client.value(query).await?.to_string();
    let number = text.rsplit(['-', ':']).next().unwrap_or_default();
    number
        .parse()
        .map_err(|_| Failure::new(format!("'{text}' ends in no number")))
}

/// What stands in front of the number of a GTID.
async fn prefix(client: &mut Client, peer: Peer) -> Result<String> {
    Ok(match peer.is_mariadb() {
        true => "0-1-".to_owned(),
        false => format!("{}:", client.value("SELECT @@server_uuid").await?),
    })
}

async fn point_to(replica: &mut Client, peer: Peer, port: u16) -> Result {
    let (user, password) = (REPLICATION_USER, REPLICATION_PASSWORD);
    let statement = match peer.is_mariadb() {
        true => format!(
            "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='{user}', \
             MASTER_PASSWORD='{password}', MASTER_USE_GTID=slave_pos, MASTER_SSL_VERIFY_SERVER_CERT=0"
        ),
        false => format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, \
             SOURCE_USER='{user}', SOURCE_PASSWORD='{password}', SOURCE_AUTO_POSITION=1, \
             GET_SOURCE_PUBLIC_KEY=1"
        ),
    };
    replica.execute(&statement).await.map(drop)
}

/// Lets the replica apply up to this transaction and stop there.
async fn until(replica: &mut Client, peer: Peer, prefix: &str, stop: u64) -> Result {
    let (start, status, running) = match peer.is_mariadb() {
        true => (
            format!("START SLAVE UNTIL master_gtid_pos='{prefix}{stop}'"),
            "SHOW SLAVE STATUS",
            "Slave_SQL_Running",
        ),
        false => (
            format!("START REPLICA UNTIL SQL_AFTER_GTIDS='{prefix}1-{stop}'"),
            "SHOW REPLICA STATUS",
            "Replica_SQL_Running",
        ),
    };
    let stop_statement = match peer.is_mariadb() {
        true => "STOP SLAVE",
        false => "STOP REPLICA",
    };
    replica.execute(&start).await?;
    let limit = std::time::Instant::now() + PATIENCE;
    while replica.column(status, running).await?.as_deref() != Some("No") {
        ensure(std::time::Instant::now() < limit, || {
            format!("the replica does not reach {prefix}{stop}")
        })?;
        wait::let_run(Duration::from_millis(20)).await;
    }
    replica.execute(stop_statement).await.map(drop)
}
