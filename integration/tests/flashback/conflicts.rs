//! Rows that are not as the log left them, and transactions behind that touched them.

use std::path::PathBuf;

use integration::failure::ensure;
use integration::sql::Client;
use integration::{Peer, RealServer, Result};

use super::run::{client, flashback, last_log, start_of, url};

/// A server where rows 1 to 6 were updated and 7 to 9 deleted and 10 inserted, in three transactions, and
/// where since then row 2 was changed, 3 was deleted, 8 came again and 10 was changed.
struct Touched {
    server: RealServer,
    client: Client,
    log: PathBuf,
    /// Behind the three transactions.
    stop: String,
}

impl Touched {
    async fn make(peer: Peer) -> Result<Self> {
        let options = ["--binlog-row-metadata=FULL"];
        let server = RealServer::start(peer, 1, &options).await?;
        let mut client = server.client().await?;
        client
            .run(&[
                "CREATE DATABASE shop",
                "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))",
                "INSERT INTO shop.t VALUES (1,'a'),(2,'b'),(3,'c'),(4,'d'),(5,'e'),(6,'f'), \
                 (7,'g'),(8,'h'),(9,'i')",
                "FLUSH BINARY LOGS",
                "UPDATE shop.t SET v = 'accident' WHERE id < 7",
                "DELETE FROM shop.t WHERE id >= 7",
                "INSERT INTO shop.t VALUES (10, 'new')",
            ])
            .await?;
        let status = if peer.is_mariadb() {
            "SHOW MASTER STATUS"
        } else {
            "SHOW BINARY LOG STATUS"
        };
        let place = client.rows(status).await?;
        let place = place.first().cloned().unwrap_or_default();
        let cell = |at: usize| place.get(at).map(ToString::to_string).unwrap_or_default();
        let stop = format!("{}:{}", cell(0), cell(1));
        client
            .run(&[
                "UPDATE shop.t SET v = 'later' WHERE id = 2",
                "DELETE FROM shop.t WHERE id = 3",
                "INSERT INTO shop.t VALUES (8, 'again')",
                "UPDATE shop.t SET v = 'changed' WHERE id = 10",
            ])
            .await?;
        let log = last_log(&server.binlogs()?)?;
        Ok(Self {
            server,
            client,
            log,
            stop,
        })
    }

    fn arguments<'a>(&'a self, log: &'a str, start: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let mut arguments = vec![log, "--start", start, "--stop", &self.stop];
        arguments.extend(more);
        arguments
    }

    async fn rows(&mut self) -> Result<String> {
        let rows = self.client.rows("SELECT v FROM shop.t ORDER BY id").await?;
        let rows: Vec<String> = rows
            .iter()
            .map(|row| row.first().map(ToString::to_string).unwrap_or_default())
            .collect();
        Ok(rows.join(" "))
    }
}

const SINCE: &str = "accident later accident accident accident again changed";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_changed_since_stop_are_left_or_are_overwritten() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        for (mode, extra, expected) in [
            ("skip", None, "a later d e f g again i changed"),
            ("force", None, "a b c d e f g h i"),
            (
                "skip",
                Some("--single-transaction"),
                "a later d e f g again i changed",
            ),
        ] {
            let mut touched = Touched::make(peer).await?;
            let (log, start) = (touched.log.display().to_string(), start_of(&touched.log));
            let url = url(touched.server.port);
            // Looked at first: four rows are in the way, and nothing moves.
            let more = ["--apply", &url, "--dry-run", "--json"];
            let dry = flashback(&touched.arguments(&log, &start, &more))?;
            dry.ensure_done()?;
            ensure(dry.number("conflicts")? == 4, || dry.text.clone())?;
            ensure(
                dry.text
                    .contains("later transactions touched the same rows"),
                || dry.text.clone(),
            )?;
            let more = ["--apply", &url, "--yes", "--json"];
            let stopped = flashback(&touched.arguments(&log, &start, &more))?;
            stopped.ensure_refused(&["4 rows are not as the log left them", "--on-conflict"])?;
            ensure(stopped.number("conflicts")? == 4, || stopped.text.clone())?;
            ensure(stopped.number("undone_rows")? == 0, || stopped.text.clone())?;
            let rows = touched.rows().await?;
            ensure(rows == SINCE, || format!("stop: {rows}"))?;
            let mut more = vec!["--apply", &url, "--yes", "--json", "--on-conflict", mode];
            more.extend(extra);
            let done = flashback(&touched.arguments(&log, &start, &more))?;
            done.ensure_done()?;
            ensure(done.number("conflicts")? == 4, || done.text.clone())?;
            let rows = touched.rows().await?;
            ensure(rows == expected, || format!("{mode}: {rows}"))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_for_rows_that_changed_since_fails_in_front_of_its_commit() -> Result {
    let mut touched = Touched::make(Peer::MySql97).await?;
    let (log, start) = (touched.log.display().to_string(), start_of(&touched.log));
    let directory = tempfile::tempdir()?;
    for (mode, ends, expected) in [
        // Of the newest transaction the one row is not what it was.
        ("stop", Some("1 rows have changed since"), SINCE),
        ("skip", Some("Duplicate entry '8'"), SINCE),
    ] {
        let file = directory.path().join(format!("{mode}.sql"));
        let name = file.display().to_string();
        let more = ["--output", &name, "--on-conflict", mode];
        flashback(&touched.arguments(&log, &start, &more))?.ensure_done()?;
        let output = client(Peer::MySql97, touched.server.port)?
            .stdin(std::fs::File::open(&file)?)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure(ends.is_some_and(|ends| said.contains(ends)), || {
            format!("{mode}: {said}")
        })?;
        let rows = touched.rows().await?;
        ensure(rows == expected, || format!("{mode}: {rows}"))?;
    }
    // A file is never overwritten.
    let name = directory.path().join("stop.sql").display().to_string();
    let again = flashback(&touched.arguments(&log, &start, &["--output", &name]))?;
    ensure(
        again.code == Some(2) && again.text.contains("is not overwritten"),
        || again.text.clone(),
    )
}

/// Keys that the server takes for equal, and rows that moved to another key and back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_only_change_their_case_are_no_conflict() -> Result {
    let server = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut client = server.client().await?;
    client
        .run(&[
            "CREATE DATABASE shop",
            "CREATE TABLE shop.t (k VARCHAR(10) PRIMARY KEY, v INT)",
            "CREATE TABLE shop.p (k TEXT, v INT, PRIMARY KEY (k(4)))",
            "INSERT INTO shop.t VALUES ('a', 1), ('b', 2)",
            "INSERT INTO shop.p VALUES ('long text', 1), ('other text', 2)",
            "FLUSH BINARY LOGS",
            "UPDATE shop.t SET k = UPPER(k)",
            "UPDATE shop.t SET v = 7",
            "UPDATE shop.t SET k = 'c' WHERE k = 'B'",
            "UPDATE shop.p SET k = CONCAT(k, '!')",
            "UPDATE shop.p SET v = 9",
        ])
        .await?;
    let log = last_log(&server.binlogs()?)?;
    let (text, start, url) = (log.display().to_string(), start_of(&log), url(server.port));
    let arguments = [text.as_str(), "--start", &start, "--apply", &url];
    let dry = flashback(&[&arguments[..], &["--dry-run", "--json"]].concat())?;
    dry.ensure_done()?;
    ensure(dry.number("conflicts")? == 0, || dry.text.clone())?;
    flashback(&[&arguments[..], &["--yes"]].concat())?.ensure_done()?;
    let rows = client
        .answer("SELECT GROUP_CONCAT(CONCAT(k, v) ORDER BY v) FROM shop.t")
        .await?;
    ensure(rows.contains("a1,b2"), || rows.clone())?;
    let rows = client
        .answer("SELECT GROUP_CONCAT(CONCAT(k, v) ORDER BY v) FROM shop.p")
        .await?;
    ensure(rows.contains("long text1,other text2"), || rows.clone())
}
