//! `weir replica` follows a real MariaDB 10.11 and 11.8 into the embedded engine: every type and the
//! DDL of MariaDB, compressed, encrypted and minimal logs, several domains, by GTID and by position,
//! through restarts and kills.

use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same};
use integration::failure::ensure;
use integration::mariadb::{OWN, create_account, until_executed};
use integration::metrics::metric;
use integration::process::free_port;
use integration::steady_load::{self, SteadyLoad};
use integration::wait::{self, PATIENCE};
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, RealServer, Result, Weir};

const PEERS: [Peer; 2] = [Peer::MariaDb1011, Peer::MariaDb118];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_of_mariadb_is_stored() -> Result {
    for peer in PEERS {
        every_type(peer, &[], &[]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_events_and_minimal_images_are_stored_as_well() -> Result {
    let options = [
        "--log-bin-compress=1",
        "--log-bin-compress-min-len=10",
        "--gtid-strict-mode=1",
        "--binlog-row-image=MINIMAL",
    ];
    for peer in PEERS {
        every_type(peer, &options, &[]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_in_the_log_and_images_without_long_values_will_do() -> Result {
    let position = [
        "source-auto-position=0",
        "source-log-file=binlog.000001",
        "source-log-pos=4",
    ];
    for peer in PEERS {
        every_type(peer, &["--binlog-row-image=NOBLOB"], &position).await?;
    }
    Ok(())
}

async fn every_type(peer: Peer, options: &[&str], lines: &[&str]) -> Result {
    let mut source = RealServer::start(peer, 1, options).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source).await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    let mut replica = Weir::following(9, source.port, lines).await?;
    at_source.execute("FLUSH BINARY LOGS").await?;
    at_source.run(&workload::change(Scope::WithMariaDb)).await?;
    same(&mut at_source, &replica, &DATABASES).await?;
    replica.stop()?;
    at_source.run(&OWN).await?;
    replica.launch().await?;
    same(&mut at_source, &replica, &DATABASES).await?;
    // What has two domains, restarts and a new file goes on in each domain.
    source.stop()?;
    source.launch().await?;
    let mut at_source = source.client().await?;
    at_source
        .execute("INSERT INTO types.numbered (id, v) VALUES (1001, 1)")
        .await?;
    let mut at_replica = replica.client().await?;
    at_replica
        .run(&["STOP REPLICA", "FLUSH RELAY LOGS", "START REPLICA"])
        .await?;
    same(&mut at_source, &replica, &DATABASES).await?;
    replica.stop()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_is_stored_once_through_kills_of_each_side() -> Result {
    for peer in PEERS {
        kills(peer).await?;
    }
    Ok(())
}

async fn kills(peer: Peer) -> Result {
    let mut source = RealServer::start(peer, 1, &[]).await?;
    create_account(&mut source.client().await?).await?;
    let metrics = free_port()?;
    let line = format!("metrics_port={metrics}");
    let mut replica = Weir::following(9, source.port, &[&line]).await?;
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(source.port, 4, chance.below(u64::MAX)).await?;
    let each = setting("WEIR_KILLS", 3);
    for _ in 0..each {
        wait::let_run(chance.millis(100, 900)).await;
        replica.kill()?;
        replica.launch().await?;
        wait::let_run(chance.millis(100, 900)).await;
        source.kill()?;
        source.launch().await?;
    }
    let committed = load.end().await?;
    let mut at_source = source.client().await?;
    let tables = same(&mut at_source, &replica, &[steady_load::DATABASE]).await?;
    let skipped = metric(metrics, "weir_transactions_skipped_total").await?;
    ensure(skipped == 0.0, || format!("{skipped} skipped"))?;
    announce(&format!(
        "{}: {each} kills of each of source and replica; {committed} transactions acknowledged, {tables} \
         tables equal, none skipped",
        peer.folder()
    ));
    Ok(())
}

/// Waits until all is executed, and compares. How many tables there are.
async fn same(at_source: &mut Client, replica: &Weir, databases: &[&str]) -> Result<usize> {
    let mut at_replica = replica.client().await?;
    let executed = until_executed(at_source, &mut at_replica, PATIENCE).await;
    executed.map_err(|failure| replica.explain(failure))?;
    let left = Snapshot::take_tables(at_source, databases).await?;
    let right = Snapshot::take(&mut at_replica, databases).await?;
    ensure_same("source", &left, "weir replica", &right)?;
    Ok(left.tables())
}

/// The forms of DDL that only MariaDB has, each before rows that show whether it was done; and what is
/// passed over.
const DDL: [&str; 52] = [
    "CREATE DATABASE d COMMENT 'c'",
    "USE d",
    "CREATE TABLE a (id INT PRIMARY KEY, u UUID DEFAULT UUID(), t TEXT DEFAULT 'abc', \
     f VARCHAR(20) DEFAULT CONCAT('a', 'b'), e INT DEFAULT (id + 1), n INT INVISIBLE) \
     PAGE_CHECKSUM=1 TRANSACTIONAL=0 ENGINE=Aria",
    "INSERT INTO a (id) VALUES (1), (2)",
    "ALTER TABLE a ADD COLUMN IF NOT EXISTS id TEXT, ADD COLUMN IF NOT EXISTS q INT DEFAULT 7, \
     DROP COLUMN IF EXISTS nowhere",
    "ALTER TABLE IF EXISTS a NOWAIT ADD INDEX IF NOT EXISTS x (q) IGNORED",
    "ALTER TABLE IF EXISTS nowhere ADD COLUMN z INT",
    "ALTER TABLE a ALTER INDEX x NOT IGNORED",
    "INSERT INTO a (id) VALUES (3)",
    "DROP INDEX IF EXISTS nowhere ON a",
    "CREATE INDEX IF NOT EXISTS x ON a (e)",
    "CREATE OR REPLACE INDEX x ON a (e, q)",
    "CREATE OR REPLACE TABLE r (a INT) COMMENT 'one'",
    "INSERT INTO r VALUES (1)",
    "CREATE OR REPLACE TABLE r (b VARCHAR(5)) COMMENT 'two'",
    "INSERT INTO r VALUES ('two')",
    "ALTER TABLE a ADD v UUID NOT NULL, ADD w INET6 NOT NULL, ADD k INET4 NOT NULL",
    "UPDATE a SET v = '123e4567-e89b-12d3-a456-426655440000', w = '2001:db8::ff00:42:8329' WHERE id = 2",
    "UPDATE a SET w = '::ffff:192.0.2.128', k = '255.255.255.255' WHERE id = 1",
    "ALTER TABLE a MODIFY v CHAR(36) NOT NULL",
    "SET STATEMENT max_statement_time = 100 FOR CREATE TABLE s (a INT)",
    "INSERT INTO s VALUES (1)",
    "TRUNCATE TABLE s NOWAIT",
    "INSERT INTO s VALUES (2)",
    "CREATE TABLE l LIKE a",
    "INSERT INTO l SELECT * FROM a",
    "CREATE TABLE c (id INT PRIMARY KEY) /*M!100301 COMMENT='maria' */ /*!80023 COMMENT='mysql' */",
    "RENAME TABLE c WAIT 5 TO g",
    "INSERT INTO g VALUES (1)",
    "CREATE SEQUENCE q",
    "SELECT NEXT VALUE FOR q",
    "RENAME TABLE q TO p",
    "SELECT NEXT VALUE FOR p",
    "CREATE TABLE m (id INT PRIMARY KEY DEFAULT NEXTVAL(p), v INT)",
    "INSERT INTO m (v) VALUES (1), (2)",
    "DROP TABLE p",
    "ALTER TABLE m ALTER id DROP DEFAULT",
    "CREATE TABLE rank_of (rank INT, `system` INT, lag INT)",
    "INSERT INTO rank_of VALUES (1, 2, 3)",
    "CREATE TABLE parent (id INT PRIMARY KEY)",
    "CREATE TABLE child (id INT PRIMARY KEY, p INT REFERENCES parent (id) ON DELETE CASCADE)",
    "INSERT INTO parent VALUES (1), (2)",
    "INSERT INTO child VALUES (1, 1), (2, 2)",
    "DELETE FROM parent WHERE id = 1",
    "XA START 'x'",
    "INSERT INTO g VALUES (2)",
    "XA END 'x'",
    "XA PREPARE 'x'",
    "XA COMMIT 'x'",
    "SET binlog_alter_two_phase = 1",
    "ALTER TABLE g ADD COLUMN h INT DEFAULT 4, ALGORITHM=COPY",
    "INSERT INTO g VALUES (3, 3)",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_mariadb_writes_into_definitions_is_done() -> Result {
    for peer in PEERS {
        let source = RealServer::start(peer, 1, &[]).await?;
        let mut at_source = source.client().await?;
        create_account(&mut at_source).await?;
        let replica = Weir::following(9, source.port, &[]).await?;
        let mut at_replica = replica.client().await?;
        for statement in DDL {
            at_source.run(&[statement]).await?;
        }
        same(&mut at_source, &replica, &["d"]).await?;
        let shown = at_replica.rows("SHOW CREATE TABLE d.l").await?;
        let shown = shown.first().and_then(|row| row.get(1));
        let shown = shown.map(ToString::to_string).unwrap_or_default();
        ensure(
            shown.contains("`u` uuid") && shown.contains("`k` inet4"),
            || shown,
        )?;
        let not_kept = at_replica
            .rows("SHOW GLOBAL STATUS LIKE 'Weir_not_kept'")
            .await?;
        let not_kept = format!("{not_kept:?}");
        for construct in [
            "CREATE SEQUENCE",
            "rows of sequences",
            "RENAME TABLE of a sequence",
            "DEFAULT of a sequence",
            "DROP TABLE of a sequence",
        ] {
            ensure(not_kept.contains(construct), || not_kept.clone())?;
        }
    }
    Ok(())
}

/// Tables that keep what their rows were: each way to write to them.
const VERSIONED: [&str; 30] = [
    "CREATE DATABASE d",
    "USE d",
    "CREATE TABLE t (id INT PRIMARY KEY, v INT, u INT UNIQUE) WITH SYSTEM VERSIONING",
    "INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)",
    "UPDATE t SET v = 10 WHERE id = 1",
    "DELETE FROM t WHERE id = 2",
    "BEGIN",
    "INSERT INTO t VALUES (5, 5, 5), (6, 6, 6)",
    "UPDATE t SET v = 6 WHERE id = 5",
    "DELETE FROM t WHERE id = 5",
    "COMMIT",
    "REPLACE INTO t VALUES (1, 1, 1)",
    "INSERT INTO t VALUES (2, 2, 2), (6, 7, 8) ON DUPLICATE KEY UPDATE v = 9",
    "DELETE HISTORY FROM t BEFORE SYSTEM_TIME NOW()",
    "SET system_versioning_alter_history = KEEP",
    "ALTER TABLE t ADD COLUMN n INT DEFAULT 4",
    "INSERT INTO t VALUES (7, 7, 7, 7)",
    "UPDATE t SET n = 8",
    "ALTER TABLE t DROP SYSTEM VERSIONING",
    "UPDATE t SET n = 9 WHERE id = 7",
    "ALTER TABLE t ADD SYSTEM VERSIONING",
    "UPDATE t SET n = 10 WHERE id = 3",
    "CREATE TABLE k (a INT, b INT) WITH SYSTEM VERSIONING",
    "INSERT INTO k VALUES (1, 1), (1, 1), (NULL, 1)",
    "UPDATE k SET b = 2 LIMIT 1",
    "DELETE FROM k WHERE b = 1 LIMIT 1",
    "CREATE TABLE e (id INT PRIMARY KEY, x INT, w INT WITHOUT SYSTEM VERSIONING, \
     rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START, re TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, \
     PERIOD FOR SYSTEM_TIME (rs, re)) WITH SYSTEM VERSIONING",
    "INSERT INTO e (id, x, w) VALUES (1, 1, 1), (2, 2, 2)",
    "UPDATE e SET x = x + 1, w = 5 WHERE id = 1",
    "DELETE FROM e WHERE id = 2",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_tables_with_a_history_what_their_rows_are_now_is_stored() -> Result {
    for (peer, image) in [
        (Peer::MariaDb1011, "--binlog-row-image=FULL"),
        (Peer::MariaDb118, "--binlog-row-image=FULL"),
        (Peer::MariaDb118, "--binlog-row-image=MINIMAL"),
    ] {
        let source = RealServer::start(peer, 1, &[image]).await?;
        let mut at_source = source.client().await?;
        create_account(&mut at_source).await?;
        let replica = Weir::following(9, source.port, &[]).await?;
        at_source.run(&VERSIONED).await?;
        same(&mut at_source, &replica, &["d"]).await?;
        let mut at_replica = replica.client().await?;
        let not_kept = at_replica
            .rows("SHOW GLOBAL STATUS LIKE 'Weir_not_kept'")
            .await?;
        let not_kept = format!("{not_kept:?}");
        ensure(
            not_kept.contains("history of system-versioned tables"),
            || not_kept.clone(),
        )?;
    }
    Ok(())
}
