//! Dumps of the real mysqldump 9.7 and mariadb-dump: from Weir into MySQL 9.7 and Weir, from MySQL 9.7
//! into Weir, with their GTIDs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use integration::compare::{Snapshot, ensure_same, until_gtids_executed, until_same};
use integration::failure::ensure;
use integration::real_replica::{Start, create_account};
use integration::sql::{Cell, ClientOptions};
use integration::wait::PATIENCE;
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, RealServer, Result, Weir};

const ALL: [&str; 5] = [
    "--all-databases",
    "--single-transaction",
    "--source-data=2",
    "--triggers",
    "--hex-blob",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysqldump_writes_all_of_a_primary_and_mysql_and_weir_load_it() -> Result {
    let source = Weir::primary(1, &[]).await?;
    let mut at_source = source.client().await?;
    fill(&mut at_source).await?;
    let folder = tempfile::tempdir()?;
    let dump = mysqldump(source.port, &ALL, folder.path())?;
    let rows = Snapshot::take(&mut at_source, &DATABASES).await?;
    ensure(rows.tables() > 5, || {
        format!("only {} tables", rows.tables())
    })?;

    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    load(Peer::MySql97, mysql.port, &dump, &[])?;
    let mut at_mysql = mysql.client().await?;
    let loaded = Snapshot::take(&mut at_mysql, &DATABASES).await?;
    ensure_same("weir", &rows, "mysql", &loaded)?;
    same_gtids(&mut at_source, &mut at_mysql).await?;

    let mut target = Weir::primary(3, &[]).await?;
    load(Peer::MySql97, target.port, &dump, &[])?;
    let mut at_target = target.client().await?;
    let loaded = Snapshot::take(&mut at_target, &DATABASES).await?;
    ensure_same("weir", &rows, "weir that loaded", &loaded)?;
    same_gtids(&mut at_source, &mut at_target).await?;

    // What no log has survives a crash, and so does what the log says of it.
    at_target
        .run(&["CREATE DATABASE after", "CREATE TABLE after.t (a INT)"])
        .await?;
    let executed = at_target.value("SELECT @@GLOBAL.gtid_executed").await?;
    target.kill()?;
    target.launch().await?;
    let mut at_target = target.client().await?;
    let kept = Snapshot::take(&mut at_target, &DATABASES).await?;
    ensure_same("before the crash", &loaded, "after it", &kept)?;
    let again = at_target.value("SELECT @@GLOBAL.gtid_executed").await?;
    ensure(again == executed, || {
        format!("{again:?} after {executed:?}")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_mysql_loads_into_a_primary_that_a_replica_follows() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    fill(&mut at_source).await?;
    let folder = tempfile::tempdir()?;
    let mut options = ALL.to_vec();
    options.splice(0..1, ["--databases"].into_iter().chain(DATABASES));
    let dump = mysqldump(source.port, &options, folder.path())?;

    let target = Weir::primary(2, &[]).await?;
    let mut at_target = target.client().await?;
    create_account(&mut at_target, Peer::MySql97).await?;
    let replica = RealServer::start(Peer::MySql97, 3, &["--log-replica-updates=ON"]).await?;
    replica.follow(target.port, &Start::AutoPosition).await?;
    load(Peer::MySql97, target.port, &dump, &[])?;
    let rows = Snapshot::take(&mut at_source, &DATABASES).await?;
    let loaded = Snapshot::take(&mut at_target, &DATABASES).await?;
    ensure_same("mysql", &rows, "weir", &loaded)?;
    same_gtids(&mut at_source, &mut at_target).await?;
    let purged = at_target.value("SELECT @@GLOBAL.gtid_purged").await?;
    let executed = at_target.value("SELECT @@GLOBAL.gtid_executed").await?;
    ensure(purged == executed, || {
        format!("purged {purged:?}, executed {executed:?}")
    })?;

    // As behind a MySQL that loads a dump, the replica has none of it and goes on with what follows.
    at_target
        .run(&[
            "CREATE DATABASE after",
            "CREATE TABLE after.t (a INT PRIMARY KEY)",
        ])
        .await?;
    at_target
        .execute("INSERT INTO after.t VALUES (1), (2)")
        .await?;
    let mut at_replica = replica.client().await?;
    until_same(
        "weir",
        &mut at_target,
        "replica",
        &mut at_replica,
        &["after"],
        PATIENCE,
    )
    .await?;
    replica.ensure_replicating().await?;

    // One that begins now lacks what was purged, and is told so.
    let late = RealServer::start(Peer::MySql97, 4, &[]).await?;
    late.follow(target.port, &Start::AutoPosition).await?;
    let refused = integration::wait::until("the late replica is refused", PATIENCE, || async {
        let mut client = late.client().await?;
        let number = client
            .column("SHOW REPLICA STATUS", "Last_IO_Errno")
            .await?;
        Ok::<_, integration::Failure>(match number.as_deref() {
            Some("0") | None => Err("no error yet"),
            Some(number) => Ok(number.to_owned()),
        })
    })
    .await?;
    ensure(refused == "13114", || format!("Last_IO_Errno {refused}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_all_of_mysql_loads_but_for_its_system_schema() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    fill(&mut at_source).await?;
    let folder = tempfile::tempdir()?;
    let dump = mysqldump(source.port, &ALL, folder.path())?;
    let target = Weir::primary(2, &[]).await?;
    let refused = load(Peer::MySql97, target.port, &dump, &[]);
    let text = refused.err().map(|failure| failure.to_string());
    ensure(
        text.as_ref()
            .is_some_and(|text| text.contains("Access to system schema 'mysql' is rejected")),
        || format!("{text:?}"),
    )?;
    let target = Weir::primary(3, &[]).await?;
    load(Peer::MySql97, target.port, &dump, &["--force"])?;
    let mut at_target = target.client().await?;
    let rows = Snapshot::take(&mut at_source, &DATABASES).await?;
    let loaded = Snapshot::take(&mut at_target, &DATABASES).await?;
    ensure_same("mysql", &rows, "weir", &loaded)?;
    same_gtids(&mut at_source, &mut at_target).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_dump_reads_a_primary_and_a_primary_loads_what_it_writes() -> Result {
    let source = Weir::primary(1, &["collation-server=utf8mb4_general_ci"]).await?;
    let mut at_source = source.client().await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    let folder = tempfile::tempdir()?;
    let dump = folder.path().join("dump.sql");
    let mut program = Peer::MariaDb118.program("mariadb-dump")?;
    program.args([
        "--no-defaults",
        "--user=root",
        "--host=127.0.0.1",
        "--skip-ssl",
    ]);
    program.args(["--single-transaction", "--hex-blob", "--databases"]);
    program
        .args(DATABASES)
        .arg(format!("--port={}", source.port));
    write_to(&mut program, &dump)?;
    let rows = Snapshot::take(&mut at_source, &DATABASES).await?;
    let target = Weir::primary(2, &[]).await?;
    load(Peer::MariaDb118, target.port, &dump, &["--skip-ssl"])?;
    let loaded = Snapshot::take(&mut target.client().await?, &DATABASES).await?;
    ensure_same("weir", &rows, "loaded", &loaded)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_no_log_has_are_seen_by_no_replica_and_survive_kill_9() -> Result {
    let mut primary = Weir::primary(1, &[]).await?;
    let mut client = primary.client().await?;
    create_account(&mut client, Peer::MySql97).await?;
    let replica = RealServer::start(Peer::MySql97, 2, &[]).await?;
    replica.follow(primary.port, &Start::AutoPosition).await?;
    client
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (a INT PRIMARY KEY)",
            "SET sql_log_bin = 0",
            "INSERT INTO d.t VALUES (1)",
            "BEGIN",
            "INSERT INTO d.t VALUES (2)",
            "COMMIT",
            "CREATE TABLE d.hidden (a INT)",
            "SET sql_log_bin = 1",
            "INSERT INTO d.t VALUES (3)",
        ])
        .await?;
    let mut at_replica = replica.client().await?;
    until_gtids_executed(&mut client, &mut at_replica, PATIENCE).await?;
    let seen = at_replica.rows("SELECT a FROM d.t ORDER BY a").await?;
    ensure(seen.len() == 1, || format!("the replica has {seen:?}"))?;
    primary.kill()?;
    primary.launch().await?;
    let mut client = primary.client().await?;
    let kept = client.rows("SELECT a FROM d.t ORDER BY a").await?;
    ensure(kept.len() == 3, || format!("the primary has {kept:?}"))?;
    client.execute("SELECT * FROM d.hidden").await?;
    client.execute("DROP USER IF EXISTS plain").await?;
    client
        .run(&["CREATE USER plain", "GRANT ALL ON d.* TO plain"])
        .await?;
    let mut options = ClientOptions::root(primary.port);
    "plain".clone_into(&mut options.user);
    let mut plain = Client::connect(&options).await?;
    for statement in [
        "SET sql_log_bin = 0",
        "SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'",
        "SET GLOBAL gtid_purged = '+aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'",
        "SET pseudo_replica_mode = 1",
        "BINLOG 'AAAA'",
    ] {
        let answer = plain.attempt(statement).await?;
        ensure(
            answer.as_ref().is_err_and(|error| error.code == 1227),
            || format!("{statement}: {answer:?}"),
        )?;
    }
    Ok(())
}

/// The workload, and a table with rows that are alike.
async fn fill(client: &mut Client) -> Result {
    client.run(&workload::load(Scope::MySql)).await?;
    client.run(&workload::change(Scope::MySql)).await
}

async fn same_gtids(left: &mut Client, right: &mut Client) -> Result {
    let query = "SELECT @@GLOBAL.gtid_executed";
    let (left, right): (Cell, Cell) = (left.value(query).await?, right.value(query).await?);
    ensure(left == right, || format!("{left:?} and {right:?}"))
}

/// Runs the real mysqldump 9.7 against `port`.
fn mysqldump(port: u16, options: &[&str], folder: &Path) -> Result<PathBuf> {
    let dump = folder.join("dump.sql");
    let mut program = Peer::MySql97.program("mysqldump")?;
    program.args(["--no-defaults", "--user=root", "--host=127.0.0.1"]);
    program.arg(format!("--port={port}")).args(options);
    write_to(&mut program, &dump)?;
    Ok(dump)
}

fn write_to(program: &mut Command, file: &Path) -> Result {
    let output = program
        .stdout(std::fs::File::create(file)?)
        .stderr(Stdio::piped())
        .output()?;
    ensure(output.status.success(), || {
        String::from_utf8_lossy(&output.stderr).into_owned()
    })
}

/// Feeds a file to the command line client.
fn load(peer: Peer, port: u16, dump: &Path, options: &[&str]) -> Result {
    let mut client = peer.cli()?;
    client.args(["--no-defaults", "--user=root", "--host=127.0.0.1"]);
    client.arg(format!("--port={port}"));
    client.args(options);
    let output = client
        .stdin(std::fs::File::open(dump)?)
        .stderr(Stdio::piped())
        .output()?;
    ensure(
        output.status.success() || options.contains(&"--force"),
        || String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
