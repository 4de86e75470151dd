//! What a transaction reads and what it may write.

use integration::failure::ensure;
use integration::sql::{ClientOptions, ServerError};
use integration::{Client, Peer, RealServer, Result, Weir};

const SETUP: &[&str] = &[
    "CREATE DATABASE d",
    "CREATE TABLE d.mine (id INT PRIMARY KEY, v INT)",
    "CREATE TABLE d.theirs (id INT PRIMARY KEY, v INT)",
    "INSERT INTO d.mine VALUES (1, 1), (2, 2)",
    "INSERT INTO d.theirs VALUES (1, 1), (2, 2)",
];

/// Both servers, each with two sessions in `d`.
async fn pair(port: u16) -> Result<(Client, Client)> {
    let root = ClientOptions::root(port);
    let (mut first, mut second) = (Client::connect(&root).await?, Client::connect(&root).await?);
    first.run(SETUP).await?;
    for client in [&mut first, &mut second] {
        client.execute("USE d").await?;
    }
    Ok((first, second))
}

/// What a REPEATABLE READ transaction reads after its first write is what it read before, and its own
/// rows, as on MySQL 9.7.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_outlives_the_first_write() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    for port in [weir.port, mysql.port] {
        let (mut reader, mut other) = pair(port).await?;
        reader.execute("BEGIN").await?;
        let before = reader.rows("SELECT * FROM theirs ORDER BY id").await?;
        other
            .execute("UPDATE theirs SET v = 20 WHERE id = 2")
            .await?;
        reader
            .execute("UPDATE mine SET v = 10 WHERE id = 1")
            .await?;
        let after = reader.rows("SELECT * FROM theirs ORDER BY id").await?;
        ensure(before == after, || {
            format!("{port}: {before:?}, then {after:?}")
        })?;
        let own = reader.value("SELECT v FROM mine WHERE id = 1").await?;
        ensure(own.to_string() == "10", || {
            format!("{port}: own row {own:?}")
        })?;
        // A locking read sees the newest commit.
        let newest = reader
            .value("SELECT v FROM theirs WHERE id = 2 FOR UPDATE")
            .await?;
        ensure(newest.to_string() == "20", || format!("{port}: {newest:?}"))?;
        let still = reader.rows("SELECT * FROM theirs ORDER BY id").await?;
        ensure(before == still, || {
            format!("{port}: {before:?}, then {still:?}")
        })?;
        reader.execute("COMMIT").await?;
        let after = reader.value("SELECT v FROM theirs WHERE id = 2").await?;
        ensure(after.to_string() == "20", || {
            format!("{port}: after it {after:?}")
        })?;
    }
    Ok(())
}

/// Where the rows of before and the transaction's own cannot both be shown, nothing is shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_would_lose_the_snapshot_is_refused() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let (mut reader, mut other) = pair(weir.port).await?;
    reader.execute("BEGIN").await?;
    reader.rows("SELECT * FROM mine").await?;
    other.execute("UPDATE mine SET v = 20 WHERE id = 2").await?;
    reader
        .execute("UPDATE mine SET v = 10 WHERE id = 1")
        .await?;
    let refused = reader.attempt("SELECT * FROM mine").await?;
    ensure(has_code(&refused, 1020), || format!("{refused:?}"))?;
    // The transaction goes on; READ COMMITTED sees what there is.
    reader.execute("COMMIT").await?;
    reader
        .execute("SET SESSION transaction_isolation = 'READ-COMMITTED'")
        .await?;
    reader.execute("BEGIN").await?;
    reader.rows("SELECT * FROM mine").await?;
    other.execute("UPDATE mine SET v = 21 WHERE id = 2").await?;
    reader
        .execute("UPDATE mine SET v = 11 WHERE id = 1")
        .await?;
    let rows = reader.rows("SELECT v FROM mine ORDER BY id").await?;
    let seen = format!("{rows:?}");
    ensure(seen == "[[11], [21]]", || seen.clone())
}

/// Two transactions that each read what the other writes: one of them must fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serializable_allows_no_write_skew() -> Result {
    let weir = Weir::primary(1, &["innodb_lock_wait_timeout=1"]).await?;
    let (mut first, mut second) = pair(weir.port).await?;
    let level = "SET SESSION transaction_isolation = 'SERIALIZABLE'";
    for client in [&mut first, &mut second] {
        client.execute(level).await?;
        client.execute("BEGIN").await?;
    }
    first.rows("SELECT SUM(v) FROM mine").await?;
    let read = second.attempt("SELECT SUM(v) FROM mine").await?;
    ensure(has_code(&read, 1205), || format!("{read:?}"))?;
    first.execute("UPDATE mine SET v = 0 WHERE id = 1").await?;
    first.execute("COMMIT").await?;
    second.rows("SELECT SUM(v) FROM mine").await?;
    second.execute("COMMIT").await.map(drop)
}

/// What a SELECT says of itself and what it refuses, word for word as MySQL 9.7.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_and_ignored_acts_as_in_mysql() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let (mut on_weir, _) = pair(weir.port).await?;
    let (mut on_mysql, _) = pair(mysql.port).await?;
    let mut wrong = Vec::new();
    for statement in SELECTS.lines().filter(|line| !line.is_empty()) {
        let expected = on_mysql.answer(statement).await?;
        let seen = on_weir.answer(statement).await?;
        // Deprecation warnings are not given.
        let (expected, seen) = (without_warnings(&expected), without_warnings(&seen));
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

fn has_code(answer: &std::result::Result<u64, ServerError>, code: u16) -> bool {
    answer.as_ref().is_err_and(|error| error.code == code)
}

const SELECTS: &str = include_str!("snapshots.sql");
