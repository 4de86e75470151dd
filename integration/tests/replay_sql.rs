//! `weir binlog show --sql | mysql`: a log replayed into an empty server gives the same tables.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::failure::ensure;
use integration::real_replica::{Start, create_account};
use integration::sysbench::Sysbench;
use integration::wait::PATIENCE;
use integration::workload::{self, Scope};
use integration::{Peer, RealServer, Result, Weir, weir};

/// What the workload and sysbench touch, and what this test adds.
const DATABASES: [&str; 4] = ["types", "other", "sbtest", "more"];

/// What the workload leaves out: transactions that are more than rows, statements in the log,
/// generated columns, triggers, foreign keys, and names and text that look like SQL.
const MORE: &[&str] = &[
    "CREATE DATABASE more",
    "USE more",
    "CREATE TABLE parent (id INT PRIMARY KEY, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))",
    "CREATE TABLE child (id INT PRIMARY KEY, parent INT, twice INT AS (id * 2) STORED,
       FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)",
    "INSERT INTO parent (id) VALUES (1), (2)",
    "INSERT INTO child (id, parent) VALUES (1, 1), (2, 1), (3, 2)",
    "DELETE FROM parent WHERE id = 1",
    "CREATE TABLE log (n INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(50))",
    "CREATE TABLE `we``ird\n# name` (`a;\n-- b` VARCHAR(100))",
    "INSERT INTO `we``ird\n# name` VALUES ('/*!*/;'), ('it''s\\n\\\\ \"x\"'), ('DELIMITER ;')",
    "CREATE TABLE copied AS SELECT * FROM log",
    "XA START 'two', 'phases', 7",
    "INSERT INTO log (what) VALUES ('xa')",
    "XA END 'two', 'phases', 7",
    "XA PREPARE 'two', 'phases', 7",
    "XA COMMIT 'two', 'phases', 7",
    "SET time_zone = '+05:00', sql_mode = 'ANSI_QUOTES'",
    "ALTER TABLE log ADD COLUMN \"made\" TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00'",
    "SET time_zone = DEFAULT, sql_mode = DEFAULT",
    "CREATE PROCEDURE p() BEGIN SELECT ';'; SELECT \"/*!*/;\"; END",
];

/// Rows as statements would fire it again.
const TRIGGER: &[&str] = &[
    "CREATE TRIGGER note AFTER UPDATE ON child FOR EACH ROW INSERT INTO log (what) VALUES ('update')",
    "UPDATE child SET id = 30 WHERE id = 3",
];

/// Statements that the log keeps as statements.
const AS_STATEMENTS: &[&str] = &[
    "SET SESSION binlog_format = STATEMENT",
    "SET @who = 'ümlaut ''quoted''', @number = -42, @real = 1.5e0",
    "INSERT INTO log (what) VALUES (@who), (@number), (@real), (CONCAT('r', FLOOR(RAND() * 1000)))",
    "INSERT INTO log (what) VALUES (LAST_INSERT_ID()), (UNIX_TIMESTAMP())",
    "CREATE TEMPORARY TABLE passing (a INT)",
    "INSERT INTO passing VALUES (5)",
    "INSERT INTO log (what) SELECT a FROM passing",
    "DROP TEMPORARY TABLE passing",
    "SET SESSION binlog_format = ROW",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_97_replays_its_own_log() -> Result {
    let source = written(Peer::MySql97, &[], TRIGGER).await?;
    replayed(&source, &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_97_replays_compressed_and_minimal_logs() -> Result {
    let options = [
        "--binlog-transaction-compression=ON",
        "--binlog-row-image=MINIMAL",
        "--binlog-row-value-options=PARTIAL_JSON",
    ];
    let source = written(Peer::MySql97, &options, TRIGGER).await?;
    replayed(&source, &["--rows", "--skip-gtids"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_mariadbs_replay_their_own_logs() -> Result {
    for peer in [Peer::MariaDb1011, Peer::MariaDb118] {
        let source = written(peer, &["--log-bin-compress=ON"], TRIGGER).await?;
        replayed(&source, &[]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_as_statements_give_the_same_tables() -> Result {
    let options = ["--binlog-row-metadata=FULL"];
    let source = written(Peer::MySql97, &options, &[]).await?;
    let arguments = ["--sql=statements", "--generated-column=more.child.twice"];
    replayed(&source, &arguments).await
}

/// The log of a primary, replayed into another, gives the same rows under the same GTIDs, on the target
/// and on a MySQL 9.7 that follows it; so does what mysqlbinlog makes of the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_replays_its_own_log_and_a_replica_follows() -> Result {
    let source = Weir::primary(1, &[]).await?;
    let mut at_source = source.client().await?;
    at_source.run(&workload::load(Scope::MySql)).await?;
    at_source.execute("FLUSH BINARY LOGS").await?;
    at_source.run(&workload::change(Scope::MySql)).await?;
    at_source.run(GTIDS).await?;
    let left = Snapshot::take(&mut at_source, &DATABASES).await?;
    let executed = at_source.value(EXECUTED).await?;
    let files = source.binlogs()?;
    for reader in ["weir", "mysqlbinlog"] {
        let mut target = Weir::primary(2, &[]).await?;
        let mut at_target = target.client().await?;
        create_account(&mut at_target, Peer::MySql97).await?;
        let replica = RealServer::start(Peer::MySql97, 3, &[]).await?;
        replica.follow(target.port, &Start::AutoPosition).await?;
        let mut show = match reader {
            "weir" => {
                let mut show = Command::new(weir::binary()?);
                show.args(["binlog", "show", "--sql"]);
                show
            }
            _ => Peer::MySql97.program("mysqlbinlog")?,
        };
        show.args(&files);
        pipe_to(show, Peer::MySql97, target.port)?;
        let right = Snapshot::take(&mut at_target, &DATABASES).await?;
        ensure_same("source", &left, reader, &right)?;
        let replayed = at_target.value(EXECUTED).await?;
        ensure(replayed == executed, || {
            format!("{reader}: {replayed:?}, not {executed:?}")
        })?;
        let mut at_replica = replica.client().await?;
        until_gtids_executed(&mut at_target, &mut at_replica, PATIENCE).await?;
        let followed = Snapshot::take(&mut at_replica, &DATABASES).await?;
        ensure_same("source", &left, "replica", &followed)?;
        // Replayed a second time everything is skipped; a crash changes nothing.
        target.kill()?;
        target.launch().await?;
        let mut again = Command::new(weir::binary()?);
        again.args(["binlog", "show", "--sql"]).args(&files);
        pipe_to(again, Peer::MySql97, target.port)?;
        let mut at_target = target.client().await?;
        let right = Snapshot::take(&mut at_target, &DATABASES).await?;
        ensure_same("source", &left, "replayed twice", &right)?;
        let replayed = at_target.value(EXECUTED).await?;
        ensure(replayed == executed, || {
            format!("twice: {replayed:?}, not {executed:?}")
        })?;
    }
    Ok(())
}

const EXECUTED: &str = "SELECT @@GLOBAL.gtid_executed";

/// A transaction of another server, and an empty one.
const GTIDS: &[&str] = &[
    "SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:7'",
    "CREATE DATABASE more",
    "SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:9'",
    "BEGIN",
    "COMMIT",
    "SET gtid_next = AUTOMATIC",
    "CREATE TABLE more.alike (a INT, b VARCHAR(10))",
    "INSERT INTO more.alike VALUES (1, 'x'), (1, 'x'), (NULL, 'y')",
    "DELETE FROM more.alike WHERE a = 1 LIMIT 1",
];

/// What MySQL 9.7 and a primary answer is the same, word for word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gtid_next_and_its_errors_are_mysqls() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let (mut on_weir, mut on_mysql) = (weir.client().await?, mysql.client().await?);
    let mut wrong = Vec::new();
    for statement in GTID_NEXT.lines().filter(|line| !line.is_empty()) {
        // Deprecation warnings are not given.
        let expected = without_warnings(&on_mysql.answer(statement).await?);
        let seen = without_warnings(&on_weir.answer(statement).await?);
        if seen != expected {
            wrong.push(format!("{statement}\n  MySQL: {expected}\n  Weir:  {seen}"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

fn without_warnings(answer: &str) -> String {
    let (head, rest) = answer.split_once("warnings ").unwrap_or((answer, ""));
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{head}{rest}")
}

/// What a MySQL before 8.0 takes for granted, its log does not say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mysql_97_gets_tables_as_a_mysql_56_made_them() -> Result {
    let source = RealServer::start(Peer::MySql56, 1, &[]).await?;
    let mut at_source = source.client().await?;
    at_source
        .run(&[
            "CREATE DATABASE more CHARACTER SET utf8mb4",
            "CREATE TABLE more.t (v VARCHAR(10) UNIQUE, at TIMESTAMP) CHARACTER SET utf8mb4",
            "INSERT INTO more.t (v) VALUES ('ß'), ('ss')",
            "CREATE TABLE more.u (v VARCHAR(10) UNIQUE)",
            "INSERT INTO more.u VALUES ('ß'), ('ss')",
        ])
        .await?;
    let off = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    let target = RealServer::start(Peer::MySql97, 2, &off).await?;
    pipe(&source.binlogs()?, &[], &target)?;
    let mut at_target = target.client().await?;
    let left = Snapshot::take(&mut at_source, &["more"]).await?;
    let right = Snapshot::take(&mut at_target, &["more"]).await?;
    ensure_same("source", &left, "replayed", &right)?;
    let columns = "SELECT TABLE_NAME, COLUMN_NAME, COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT \
                   FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'more' \
                   ORDER BY TABLE_NAME, ORDINAL_POSITION";
    let (wanted, found) = (
        at_source.rows(columns).await?,
        at_target.rows(columns).await?,
    );
    ensure(found == wanted, || format!("{found:?} and not {wanted:?}"))
}

const GTID_NEXT: &str = include_str!("replay_sql/gtid_next.sql");

/// A server that ran the workload, and stopped writing.
async fn written(peer: Peer, options: &[&str], more: &[&str]) -> Result<RealServer> {
    let scope = match peer.is_mariadb() {
        true => Scope::WithMariaDb,
        false => Scope::MySql,
    };
    let server = RealServer::start(peer, 1, options).await?;
    let mut client = server.client().await?;
    client.run(&workload::load(scope)).await?;
    client.execute("FLUSH BINARY LOGS").await?;
    client.run(&workload::change(scope)).await?;
    client.run(MORE).await?;
    client.run(more).await?;
    client.run(AS_STATEMENTS).await?;
    client.execute("CREATE DATABASE sbtest").await?;
    let sysbench = Sysbench {
        script: "oltp_read_write",
        port: server.port,
        tables: 1,
        rows: 1000,
        threads: 2,
        span: Duration::from_secs(2),
        prepared_statements: "auto",
    };
    sysbench.prepare().await?;
    sysbench.run().await?;
    Ok(server)
}

/// Replays the whole log of `source` into an empty server of the same product and compares.
async fn replayed(source: &RealServer, arguments: &[&str]) -> Result {
    let target = RealServer::start(source.peer, 2, &[]).await?;
    let files = source.binlogs()?;
    pipe(&files, arguments, &target)?;
    let left = Snapshot::take(&mut source.client().await?, &DATABASES).await?;
    let right = Snapshot::take(&mut target.client().await?, &DATABASES).await?;
    ensure_same("source", &left, "replayed", &right)?;
    ensure(left.tables() > 12, || {
        format!("only {} tables", left.tables())
    })
}

/// `weir binlog show --sql FILES | mysql`.
fn pipe(files: &[PathBuf], arguments: &[&str], target: &RealServer) -> Result {
    let mut show = Command::new(weir::binary()?);
    show.args(["binlog", "show"]);
    if !arguments
        .iter()
        .any(|argument| argument.starts_with("--sql"))
    {
        show.arg("--sql");
    }
    show.args(arguments).args(files);
    pipe_to(show, target.peer, target.port)
}

/// `show | mysql`.
fn pipe_to(mut show: Command, client: Peer, port: u16) -> Result {
    let mut shown = show.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut client = client.cli()?;
    client.args([
        "--no-defaults",
        "--binary-mode",
        "--user=root",
        "--host=127.0.0.1",
    ]);
    client.arg(format!("--port={port}"));
    if let Some(sql) = shown.stdout.take() {
        client.stdin(sql);
    }
    let replayed = client.output()?;
    // It holds the other end of the pipe, and weir would wait for ever.
    drop(client);
    let shown = shown.wait_with_output()?;
    ensure(replayed.status.success(), || {
        format!("mysql: {}", String::from_utf8_lossy(&replayed.stderr))
    })?;
    ensure(shown.status.success(), || {
        format!("weir: {}", String::from_utf8_lossy(&shown.stderr))
    })
}
