//! What ends a transaction, and what may not be done in one: as on MySQL 9.7.

use integration::failure::ensure;
use integration::{Peer, RealServer, Result, Weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_is_ended_by_what_ends_it_on_mysql() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut on_weir = weir.client().await?;
    let mut on_mysql = mysql.client().await?;
    let statements = [
        "DROP TEMPORARY TABLE IF EXISTS nothing",
        "DROP TEMPORARY TABLE nothing",
        "DROP TEMPORARY TABLE t",
        "DROP TEMPORARY TABLE IF EXISTS a, a",
        "CREATE TABL t (a INT)",
        "CREATE TABLE t (a INT)",
        "CREATE TABLE IF NOT EXISTS t (a INT)",
        "CREATE TABLE nowhere.x (a INT)",
        "DROP TABLE missing",
        "ALTER TABLE missing ADD a INT",
        "CREATE TABLE x (a INT AUTO_INCREMENT)",
        "CHECK TABLE t",
        "DO 1",
    ];
    for client in [&mut on_weir, &mut on_mysql] {
        let setup = ["CREATE DATABASE ends", "USE ends", "CREATE TABLE t (a INT)"];
        client.run(&setup).await?;
    }
    for statement in statements {
        let mut seen = Vec::new();
        for client in [&mut on_weir, &mut on_mysql] {
            client.run(&["BEGIN", "INSERT INTO t VALUES (1)"]).await?;
            let mut answer = client.answer(statement).await?;
            client.run(&["ROLLBACK"]).await?;
            answer += &client.answer("SELECT COUNT(*) FROM t").await?;
            client.run(&["TRUNCATE t"]).await?;
            seen.push(answer);
        }
        ensure(seen.first() == seen.last(), || {
            format!("{statement}: {seen:?}")
        })?;
    }
    // What is refused for good ends no transaction.
    for statement in [
        "CREATE TEMPORARY TABLE x (a INT)",
        "CREATE TABLE x (a INT, FOREIGN KEY (a) REFERENCES t (a))",
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "ALTER TABLE t ADD CHECK (a > 1)",
        "CREATE FULLTEXT INDEX x ON t (a)",
        "CHECKSUM TABLE t",
    ] {
        on_weir.run(&["BEGIN", "INSERT INTO t VALUES (1)"]).await?;
        let refused = on_weir.attempt(statement).await?;
        let code = refused.err().map(|error| error.code);
        ensure(code == Some(1235), || format!("{statement}: {code:?}"))?;
        on_weir.run(&["ROLLBACK"]).await?;
        let left = on_weir.value("SELECT COUNT(*) FROM t").await?.to_string();
        ensure(left == "0", || format!("{statement}: {left} rows"))?;
    }
    Ok(())
}

/// Statements that fail, each the first one of its transaction.
const FAILING: [&str; 5] = [
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a = 2 WHERE a = 1",
    "INSERT INTO t VALUES ('x')",
    "INSERT INTO missing VALUES (1)",
    "DELETE FROM t WHERE a = nothing",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_whose_only_statement_failed_holds_up_no_writer_of_other_rows() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    for (mut failing, mut other) in [
        (weir.client().await?, weir.client().await?),
        (mysql.client().await?, mysql.client().await?),
    ] {
        failing
            .run(&[
                "CREATE DATABASE d",
                "USE d",
                "CREATE TABLE t (a INT PRIMARY KEY)",
                "CREATE TABLE u (a INT PRIMARY KEY)",
                "INSERT INTO t VALUES (1), (2)",
            ])
            .await?;
        other
            .run(&["USE d", "SET innodb_lock_wait_timeout = 1"])
            .await?;
        for (number, statement) in FAILING.iter().enumerate() {
            failing.execute("BEGIN").await?;
            let failed = failing.attempt(statement).await?;
            ensure(failed.is_err(), || format!("{statement}: {failed:?}"))?;
            let written = other
                .attempt(&format!("INSERT INTO u VALUES ({number})"))
                .await?;
            ensure(written.is_ok(), || {
                format!("beside {statement}: {written:?}")
            })?;
            failing.execute("COMMIT").await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_only_read_writes_nothing() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut on_weir = weir.client().await?;
    let mut on_mysql = mysql.client().await?;
    let mut wrong = Vec::new();
    for statement in READ_ONLY {
        let expected = on_mysql.answer(statement).await?;
        let seen = on_weir.answer(statement).await?;
        if expected != seen {
            wrong.push(format!("{statement}\n  MySQL: {expected}\n  Weir:  {seen}"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

const READ_ONLY: &[&str] = &[
    "CREATE DATABASE reading",
    "USE reading",
    "CREATE TABLE r (a INT PRIMARY KEY)",
    "SET SESSION TRANSACTION READ ONLY",
    "INSERT INTO r VALUES (1)",
    "CREATE TABLE x (a INT)",
    "DROP TEMPORARY TABLE IF EXISTS x",
    "UPDATE r SET a = 1",
    "SELECT * FROM r",
    "SELECT * FROM r FOR UPDATE",
    "CREATE USER reader",
    "OPTIMIZE TABLE r",
    "TRUNCATE TABLE r",
    "LOCK TABLES r WRITE",
    "LOCK TABLES r READ",
    "UNLOCK TABLES",
    "DROP DATABASE reading",
    "REPLACE INTO r VALUES (1)",
    "BEGIN",
    "INSERT INTO r VALUES (1)",
    "COMMIT",
    "START TRANSACTION READ WRITE",
    "INSERT INTO r VALUES (5)",
    "COMMIT",
    "SET TRANSACTION READ WRITE",
    "INSERT INTO r VALUES (12)",
    "INSERT INTO r VALUES (13)",
    "SET SESSION TRANSACTION READ WRITE",
    "INSERT INTO r VALUES (14)",
    "SET TRANSACTION READ ONLY",
    "INSERT INTO r VALUES (2)",
    "INSERT INTO r VALUES (3)",
    "SELECT COUNT(*) FROM r",
    "INSERT INTO r VALUES (4)",
    "SET TRANSACTION READ ONLY",
    "CREATE TABLE y (a INT)",
    "INSERT INTO r VALUES (6)",
    "START TRANSACTION READ ONLY",
    "INSERT INTO r VALUES (7)",
    "DROP TEMPORARY TABLE IF EXISTS x",
    "CREATE TABLE z (a INT)",
    "INSERT INTO r VALUES (8)",
    "SET transaction_read_only = 1",
    "INSERT INTO r VALUES (9)",
    "SET transaction_read_only = 0",
    "INSERT INTO r VALUES (10)",
    "SELECT a FROM r ORDER BY a",
];
