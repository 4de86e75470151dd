//! `weir replica` with a PostgreSQL server as its target: every row as the source has it, each transaction
//! once, whoever is killed.

use integration::chance::{Chance, announce, setting};
use integration::compare::{replica_status, until_gtids_executed, until_status};
use integration::failure::ensure;
use integration::mariadb;
use integration::postgres_rows::{Compared, compare, until_equal};
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::steady_load::{self, SteadyLoad};
use integration::wait::{self, PATIENCE};
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, Postgres, RealServer, Result, Weir};
use targets::conformance::{self, Bench};
use targets::{PostgresAddress, PostgresOptions, PostgresStore, ZeroDates};

/// A server under the conformance suite.
struct Conforming {
    server: Postgres,
    directory: tempfile::TempDir,
}

impl Bench for Conforming {
    type Store = PostgresStore;

    #[expect(clippy::panic, reason = "a check reports by panicking")]
    fn open(&mut self) -> PostgresStore {
        let address = PostgresAddress {
            host: "127.0.0.1".to_owned(),
            port: self.server.port,
            user: "postgres".to_owned(),
            database: "postgres".to_owned(),
            ..PostgresAddress::default()
        };
        let scratch = self.directory.path().join("definitions.db");
        let options = PostgresOptions::new(&address, "", ZeroDates::Stop, scratch);
        match PostgresStore::open(options) {
            Ok(store) => store,
            Err(error) => panic!("the server takes no connection: {error}"),
        }
    }

    fn rows(&mut self, database: &str, table: &str) -> Option<Vec<String>> {
        let sql = format!("SELECT a, b FROM {database}.{table}");
        let mut rows: Vec<String> = match self.server.query(&sql) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(_) => return None,
        };
        rows.sort();
        Some(rows)
    }
}

#[test]
fn a_postgresql_is_a_target() -> Result {
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(Postgres::start(&[]))?;
    conformance::check(&mut Conforming {
        server,
        directory: tempfile::tempdir()?,
    });
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_of_mysql_arrives() -> Result {
    every_type(Peer::MySql97, Scope::MySql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_of_mariadb_arrives() -> Result {
    every_type(Peer::MariaDb118, Scope::WithMariaDb).await
}

async fn every_type(peer: Peer, scope: Scope) -> Result {
    let source = RealServer::start(peer, 1, &[]).await?;
    let target = Postgres::start(&[]).await?;
    let mut at_source = source.client().await?;
    give_account(&mut at_source, peer).await?;
    at_source.run(&workload::load(scope)).await?;
    if peer.is_mariadb() {
        at_source.run(&mariadb::OWN).await?;
    }
    let replica = following(&source, &target, "postgres_zero_dates=infinity").await?;
    at_source.run(&workload::change(scope)).await?;
    let compared = until_equal(&mut at_source, &target, &DATABASES).await;
    let compared = compared.map_err(|failure| replica.explain(failure))?;
    ensure(compared.rows > 50, || format!("{compared:?}"))?;
    announce(&format!("{}: {compared:?} equal", peer.folder()));
    // What is compared would show a bit of one number.
    target.query("UPDATE types.numbers SET d = d * 1.0000000000000002 WHERE id = 2")?;
    let differs = compare(&mut at_source, &target, &DATABASES).await;
    ensure(differs.is_err(), || "a number changed unseen".to_owned())
}

/// Each statement is followed by rows, so that what it made of the table is written to.
const DEFINITIONS: [&str; 61] = [
    "CREATE DATABASE d",
    "USE d",
    "CREATE TABLE a (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL, n INT, \
     UNIQUE KEY by_name (name), KEY by_n (n DESC, id))",
    "INSERT INTO a (name, n) VALUES ('one', 1), ('Two', 2), ('three', NULL)",
    "ALTER TABLE a ADD COLUMN extra VARCHAR(10) NOT NULL DEFAULT 'x' AFTER id",
    "INSERT INTO a (name) VALUES ('four')",
    "ALTER TABLE a ADD COLUMN (made TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), zeros INT NOT NULL)",
    "ALTER TABLE a ALTER zeros SET DEFAULT 7",
    "ALTER TABLE a MODIFY n BIGINT UNSIGNED, CHANGE name title VARCHAR(40) NOT NULL",
    "UPDATE a SET n = 18446744073709551615 WHERE title = 'one'",
    "ALTER TABLE a RENAME COLUMN extra TO tmp, RENAME COLUMN title TO extra",
    "ALTER TABLE a RENAME COLUMN tmp TO extra, RENAME COLUMN extra TO tmp",
    "INSERT INTO a (tmp, extra) VALUES ('five', 'y')",
    "ALTER TABLE a DROP PRIMARY KEY, MODIFY id INT UNSIGNED NOT NULL, ADD PRIMARY KEY (tmp, id)",
    "UPDATE a SET extra = 'z' WHERE tmp = 'Two'",
    "ALTER TABLE a DROP INDEX by_name, ADD UNIQUE KEY other (tmp(3), id), ALGORITHM=INPLACE",
    "CREATE INDEX long_one ON a (extra, tmp)",
    "ALTER TABLE a RENAME INDEX long_one TO short",
    "DROP INDEX short ON a",
    "ALTER TABLE a CONVERT TO CHARACTER SET latin1",
    "INSERT INTO a (id, tmp) VALUES (99, 'caf\u{e9}')",
    "ALTER TABLE a COMMENT 'rebuilt', FORCE",
    "DELETE FROM a WHERE tmp = 'three'",
    "CREATE TABLE keyless (a INT, b DOUBLE, c VARCHAR(10), d DATETIME(2))",
    "INSERT INTO keyless VALUES (1, 0.1, 'x', '2024-01-01 00:00:00.25'), (1, 0.1, 'x', \
     '2024-01-01 00:00:00.25'), (NULL, NULL, NULL, NULL), (2, 1e300, 'y', NULL)",
    "UPDATE keyless SET a = 5 WHERE a = 1 LIMIT 1",
    "DELETE FROM keyless WHERE a IS NULL",
    "RENAME TABLE a TO b, keyless TO a, b TO keyless",
    "INSERT INTO a VALUES (7, -0.5, 'z', NULL)",
    "CREATE DATABASE e",
    "ALTER TABLE keyless RENAME TO e.moved",
    "INSERT INTO e.moved (id, tmp) VALUES (1000, 'moved')",
    "CREATE TABLE en (id INT PRIMARY KEY, e ENUM('a', 'b') NOT NULL, s SET('p', 'q'))",
    "INSERT INTO en VALUES (1, 'a', 'p'), (2, 'b', 'p,q'), (3, 'a', '')",
    "ALTER TABLE en MODIFY e ENUM('a', 'b', 'c') NOT NULL DEFAULT 'c', MODIFY s SET('p', 'q', 'r')",
    "INSERT INTO en (id, s) VALUES (4, 'p,r')",
    "ALTER TABLE en MODIFY e VARCHAR(5)",
    "INSERT INTO en VALUES (5, 'other', NULL)",
    "CREATE TABLE copy LIKE en",
    "INSERT INTO copy SELECT * FROM en",
    "TRUNCATE TABLE en",
    "INSERT INTO en VALUES (1, 'again', NULL)",
    "ALTER TABLE en ADD KEY (e), DROP COLUMN s",
    "INSERT INTO en VALUES (2, 'more')",
    "CREATE TABLE sums (id INT PRIMARY KEY, twice INT AS (id * 2) STORED, thrice INT AS (id * 3) VIRTUAL)",
    "INSERT INTO sums (id) VALUES (1), (2)",
    "UPDATE sums SET id = 10 WHERE id = 1",
    "CREATE TABLE made SELECT id, twice FROM sums",
    "CREATE TABLE moves (id INT PRIMARY KEY, u INT, UNIQUE KEY (u))",
    "INSERT INTO moves VALUES (1, 1), (2, 2), (3, 3), (4, NULL)",
    "UPDATE moves SET id = id + 1, u = u + 1 ORDER BY id DESC",
    "CREATE VIEW v AS SELECT id FROM moves",
    "CREATE TABLE gone (id INT)",
    "DROP TABLE gone, copy",
    "DROP VIEW v",
    "CREATE DATABASE f",
    "CREATE TABLE f.t (id INT)",
    "DROP DATABASE f",
    "CREATE TABLE counted (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, v INT)",
    "INSERT INTO counted (v) VALUES (1), (2), (3)",
    "INSERT INTO moves VALUES (100, 100)",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_of_mysql_are_followed() -> Result {
    definitions(Peer::MySql97, &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_of_mariadb_are_followed() -> Result {
    definitions(Peer::MariaDb118, &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_are_followed_by_minimal_images() -> Result {
    definitions(Peer::MySql97, &["--binlog-row-image=MINIMAL"]).await
}

async fn definitions(peer: Peer, options: &[&str]) -> Result {
    let source = RealServer::start(peer, 1, options).await?;
    let target = Postgres::start(&[]).await?;
    let mut at_source = source.client().await?;
    give_account(&mut at_source, peer).await?;
    let mut replica = following(&source, &target, "").await?;
    for (at, sql) in DEFINITIONS.iter().enumerate() {
        at_source.execute(sql).await?;
        if at % 9 == 8 {
            // What is known of the tables comes back from the target.
            let compared = equal(&mut at_source, &target, &replica, &["d"]).await;
            compared.map_err(|failure| failure.during(format!("after {sql}")))?;
            replica.stop()?;
            replica.launch().await?;
        }
    }
    let compared = equal(&mut at_source, &target, &replica, &["d", "e", "f"]).await?;
    let fitting = "SELECT data_type, numeric_precision FROM information_schema.columns WHERE table_schema \
                   = 'e' AND table_name = 'moved' AND column_name = 'n'";
    let is = target.query(fitting)?;
    ensure(is == "numeric|20", || is.clone())?;
    // It goes on counting where the source stopped.
    replica.stop()?;
    let promoted = target.query("SELECT column_name, next FROM weir.promote()")?;
    ensure(promoted == "d.counted.id|4", || promoted.clone())?;
    let next = target.query("INSERT INTO d.counted (v) VALUES (4) RETURNING id")?;
    ensure(next.starts_with('4'), || next.clone())?;
    announce(&format!(
        "{} {options:?}: {compared:?} equal",
        peer.folder()
    ));
    Ok(())
}

/// MariaDB logs no virtual columns, and of a change only what it changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_columns_follow_what_they_read_through_minimal_images() -> Result {
    for peer in [Peer::MariaDb118, Peer::MariaDb1011, Peer::MySql97] {
        let source = RealServer::start(peer, 1, &["--binlog-row-image=MINIMAL"]).await?;
        let target = Postgres::start(&[]).await?;
        let mut at_source = source.client().await?;
        give_account(&mut at_source, peer).await?;
        let replica = following(&source, &target, "").await?;
        at_source
            .run(&[
                "CREATE DATABASE d",
                "USE d",
                "CREATE TABLE g (id INT PRIMARY KEY, a INT DEFAULT 5, b INT, note VARCHAR(10), \
                 n INT AS (id + 1) VIRTUAL, twice INT AS (a * 2) VIRTUAL, both_of INT AS (twice + id) VIRTUAL, \
                 kept INT AS (b * 3) STORED, sum INT AS (b + id) VIRTUAL, many VARCHAR(60) AS (CONCAT(note, '-', n)))",
                "INSERT INTO g (id, b) VALUES (1, 1), (2, NULL), (3, 3)",
                "UPDATE g SET note = 'x' WHERE id = 1",
                "UPDATE g SET a = 7 WHERE id = 1",
                "UPDATE g SET b = 20 WHERE id = 2",
                "UPDATE g SET id = 30, a = 4, b = NULL, note = 'y' WHERE id = 3",
                "UPDATE g SET a = 5 WHERE id = 1",
            ])
            .await?;
        let compared = equal(&mut at_source, &target, &replica, &["d"]).await?;
        announce(&format!("{}: {compared:?} equal", peer.folder()));
        if !peer.is_mariadb() {
            continue;
        }
        at_source
            .execute("UPDATE g SET id = 9 WHERE id = 1")
            .await?;
        let mut at_replica = replica.client().await?;
        until_status(&mut at_replica, "Last_SQL_Errno", "1235").await?;
        let error = replica_status(&mut at_replica, "Last_SQL_Error").await?;
        let what = "neither the generated column `both_of` nor `twice`, of which it is computed";
        ensure(error.contains(what), || error.clone())?;
    }
    Ok(())
}

/// Before 9.6, and on MariaDB, a log leaves out what cascades do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cascades_are_run_once_whoever_logs_them() -> Result {
    for (peer, options) in [
        (Peer::MySql97, &[][..]),
        (Peer::MySql97, &["--innodb-native-foreign-keys=ON"][..]),
        (Peer::MariaDb118, &[][..]),
    ] {
        let source = RealServer::start(peer, 1, options).await?;
        let target = Postgres::start(&[]).await?;
        let mut at_source = source.client().await?;
        give_account(&mut at_source, peer).await?;
        let replica = following(&source, &target, "").await?;
        at_source
            .run(&[
                "CREATE DATABASE d",
                "USE d",
                "CREATE TABLE p (id INT PRIMARY KEY, v INT)",
                "CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) \
                 ON DELETE CASCADE ON UPDATE CASCADE)",
                "CREATE TABLE g (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES c (id) \
                 ON DELETE SET NULL)",
                "CREATE TABLE tree (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES tree (id) \
                 ON DELETE CASCADE)",
                "INSERT INTO p VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
                "INSERT INTO c VALUES (10, 1), (11, 1), (12, 2), (13, NULL), (14, 3)",
                "INSERT INTO g VALUES (100, 10), (101, 12), (102, 14), (103, 14)",
                "INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2), (4, 2), (5, 4), (6, NULL)",
                "UPDATE p SET id = id + 20 WHERE id IN (1, 3)",
                "UPDATE p SET v = 7",
                "DELETE FROM p WHERE id IN (2, 23)",
                "DELETE FROM tree WHERE id = 2",
            ])
            .await?;
        let compared = equal(&mut at_source, &target, &replica, &["d"]).await?;
        announce(&format!(
            "{} {options:?}: {compared:?} equal",
            peer.folder()
        ));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_of_mysql_arrives_whole_through_kills_of_each_side() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut target = Postgres::start(&[]).await?;
    let mut at_source = source.client().await?;
    give_account(&mut at_source, Peer::MySql97).await?;
    let mut replica = following(&source, &target, "").await?;
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(source.port, 4, chance.below(u64::MAX)).await?;
    let each = setting("WEIR_KILLS", 4);
    for _ in 0..each {
        wait::let_run(chance.millis(100, 900)).await;
        replica.kill()?;
        replica.launch().await?;
        wait::let_run(chance.millis(100, 900)).await;
        target.kill()?;
        wait::let_run(chance.millis(10, 300)).await;
        target.launch().await?;
        wait::let_run(chance.millis(100, 900)).await;
        target.query(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE \
             application_name = 'weir'",
        )?;
    }
    let committed = load.end().await?;
    let mut at_replica = replica.client().await?;
    let executed = until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await;
    executed.map_err(|failure| replica.explain(failure))?;
    let compared = equal(&mut at_source, &target, &replica, &[steady_load::DATABASE]).await?;
    let error = replica_status(&mut at_replica, "Last_SQL_Errno").await?;
    ensure(error == "0", || error.clone())?;
    announce(&format!(
        "{each} kills of each of replica, target and connections; {committed} transactions acknowledged; \
         {compared:?} equal"
    ));
    Ok(())
}

/// What PostgreSQL cannot hold stops the applier in front of it, and its error says what and where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_held_stops_with_its_name() -> Result {
    let options = ["--sql-mode="];
    let source = RealServer::start(Peer::MySql97, 1, &options).await?;
    let target = Postgres::start(&[]).await?;
    let mut at_source = source.client().await?;
    give_account(&mut at_source, Peer::MySql97).await?;
    let replica = following(&source, &target, "").await?;
    let mut at_replica = replica.client().await?;
    at_source
        .run(&[
            "CREATE DATABASE d",
            "USE d",
            "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), w DATETIME, x VARCHAR(20))",
            "INSERT INTO t VALUES (1, 'fits', NULL, '5')",
        ])
        .await?;
    for (sql, code, what) in [
        (
            "INSERT INTO t VALUES (2, CONCAT('a', CHAR(0)), NULL, NULL)",
            "1366",
            "U+0000 in column 'v'",
        ),
        (
            "INSERT INTO t VALUES (3, '', '0000-00-00', NULL)",
            "1292",
            "postgres_zero_dates",
        ),
        (
            "ALTER TABLE t MODIFY x INT",
            "1235",
            "values of `x` made of varchar(20) to int",
        ),
        ("CREATE DATABASE weir", "1235", "taken in PostgreSQL"),
    ] {
        at_source.execute(sql).await?;
        until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
        let error = replica_status(&mut at_replica, "Last_SQL_Error").await?;
        let is = replica_status(&mut at_replica, "Last_SQL_Errno").await?;
        ensure(is == code && error.contains(what), || {
            format!("{sql}: {is}: {error}")
        })?;
        announce(&error);
        for sql in [
            "SET GLOBAL sql_replica_skip_counter = 1",
            "START REPLICA SQL_THREAD",
        ] {
            at_replica.execute(sql).await?;
        }
        until_status(&mut at_replica, "Replica_SQL_Running", "Yes").await?;
    }
    at_source
        .run(&[
            "ALTER TABLE t MODIFY x VARCHAR(20)",
            "INSERT INTO t VALUES (4, 'goes on', NULL, NULL)",
        ])
        .await?;
    wait::until("the row after them arrives", PATIENCE, || async {
        let rows = target.query("SELECT id FROM d.t ORDER BY id")?;
        Ok(match rows == "1\n4" {
            true => Ok(()),
            false => Err(rows),
        })
    })
    .await
}

/// Waits until all rows are equal; a failure comes with the end of the replica's log.
async fn equal(
    source: &mut Client,
    target: &Postgres,
    replica: &Weir,
    databases: &[&str],
) -> Result<Compared> {
    let compared = until_equal(source, target, databases).await;
    compared.map_err(|failure| replica.explain(failure))
}

/// The account that Weir reads the log with.
async fn give_account(source: &mut Client, peer: Peer) -> Result {
    match peer.is_mariadb() {
        true => mariadb::create_account(source).await,
        false => create_account(source, peer).await,
    }
}

/// A replica of `source` whose rows go to `target`.
async fn following(source: &RealServer, target: &Postgres, more: &str) -> Result<Weir> {
    Weir::replica(
        9,
        &[
            "source-host=127.0.0.1",
            &format!("source-port={}", source.port),
            &format!("source-user={REPLICATION_USER}"),
            &format!("source-password={REPLICATION_PASSWORD}"),
            "source-auto-position=1",
            "source-connect-retry=1",
            &target.target(),
            more,
        ],
    )
    .await
}
