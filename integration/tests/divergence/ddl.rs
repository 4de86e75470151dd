//! Definitions that MySQL 9.7 refuses are refused, and nothing of them is logged: a MySQL replica would
//! stop there.

use integration::failure::ensure;
use integration::real_replica::binlog_end;
use integration::{Peer, RealServer, Result, Weir};

/// Definitions that both refuse, most with the same number.
const REFUSED: &[&str] = &[
    "CREATE TABLE x (a INT, b INT AS (SUM(a)))",
    "CREATE TABLE x (a INT, b INT AS (SUM(a) OVER ()))",
    "CREATE TABLE x (a INT, b DOUBLE AS (RAND()))",
    "CREATE TABLE x (a INT, b DOUBLE AS (a + RAND(3)) STORED)",
    "CREATE TABLE x (a JSON, b JSON AS (CAST(a->'$' AS UNSIGNED ARRAY)))",
    "CREATE TABLE x (a INT, b INT AS ((SELECT 1)))",
    "CREATE TABLE x (a INT, b VARCHAR(99) AS (USER()))",
    "CREATE TABLE x (a TEXT, KEY (a(769)))",
    "CREATE TABLE x (a VARCHAR(10), KEY (a(11)))",
    "CREATE TABLE x (a INT, KEY (a(2)))",
    "CREATE TABLE x (a VARCHAR(1000), PRIMARY KEY (a))",
    "CREATE TABLE x (a VARCHAR(16000), b VARCHAR(16000))",
    "CREATE TABLE x (a VARCHAR(65533) CHARACTER SET latin1)",
    "CREATE TABLE x (a INT COMMENT 'LONG')",
    "CREATE TABLE x (a INT) COMMENT 'LONG'",
    "CREATE TABLE x (a INT, KEY (a) COMMENT 'LONG')",
    "ALTER TABLE t COMMENT 'LONG'",
    "ALTER TABLE t ADD c INT COMMENT 'LONG'",
    "CREATE TABLE x (a INT) TABLESPACE nosuch",
    "CREATE TABLE x (a INT, KEY GEN_CLUST_INDEX (a))",
    "CREATE TABLE x (a INT, UNIQUE gen_clust_index (a))",
    "ALTER TABLE t ADD KEY GEN_CLUST_INDEX (a)",
    "CREATE INDEX GEN_CLUST_INDEX ON t (a)",
    "CREATE TABLE BIT_AND(a int)",
    "CREATE TABLE COUNT(a int)",
    "CREATE TABLE x (a INT) ENGINE = nosuch",
    "CREATE TABLE x (a INT) ENGINE = NDB",
    "ALTER TABLE t ENGINE = Aria",
];

/// Engines that MySQL has and Weir has not: a table of another engine would be logged.
const ENGINES: [&str; 6] = ["MyISAM", "MEMORY", "CSV", "ARCHIVE", "BLACKHOLE", "MERGE"];

/// Where Weir's number is another: not supported, by name.
const BY_NAME: u16 = 1235;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_that_mysql_97_refuses_are_refused_and_not_logged() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let (mut own, mut theirs) = (weir.client().await?, mysql.client().await?);
    for client in [&mut own, &mut theirs] {
        client
            .run(&["CREATE DATABASE d", "USE d", "CREATE TABLE t (a INT)"])
            .await?;
    }
    let before = binlog_end(&mut own).await?;
    let long = "x".repeat(2049);
    let mut wrong = Vec::new();
    for statement in REFUSED {
        let text = statement.replace("LONG", &long);
        let (seen, expected) = (own.attempt(&text).await?, theirs.attempt(&text).await?);
        let (seen, expected) = (seen.err(), expected.err());
        let code = seen.as_ref().map(|error| error.code);
        let same = code == expected.as_ref().map(|error| error.code);
        if expected.is_none() || !(same || code == Some(BY_NAME)) {
            wrong.push(format!("{statement}: Weir {seen:?}, MySQL {expected:?}"));
        }
    }
    for engine in ENGINES {
        for statement in [
            format!("CREATE TABLE x (a INT) ENGINE = {engine}"),
            format!("ALTER TABLE t ENGINE = {engine}"),
        ] {
            let code = own.attempt(&statement).await?.err().map(|error| error.code);
            if !matches!(code, Some(BY_NAME | 1286)) {
                wrong.push(format!("{statement}: Weir {code:?}"));
            }
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    let after = binlog_end(&mut own).await?;
    ensure(before == after, || {
        format!("{before:?} became {after:?}: something was logged")
    })
}
