//! What stands against it is told before anything is written, with the transaction and what to say to
//! have it done all the same.

use std::path::{Path, PathBuf};

use integration::failure::ensure;
use integration::sql::Client;
use integration::{Peer, RealServer, Result};

use super::run::{Ended, flashback, last_log, start_of, url};

/// A server with a table of three rows, and its log from there on.
struct Shop {
    server: RealServer,
    client: Client,
}

impl Shop {
    async fn open(peer: Peer, options: &[&str]) -> Result<Self> {
        let server = RealServer::start(peer, 1, options).await?;
        let mut client = server.client().await?;
        client
            .run(&[
                "CREATE DATABASE shop",
                "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20), b TEXT)",
                "INSERT INTO shop.t VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')",
                "CREATE TABLE shop.other (id INT PRIMARY KEY)",
            ])
            .await?;
        Ok(Self { server, client })
    }

    /// The log of these statements alone.
    async fn log(&mut self, statements: &[&str]) -> Result<PathBuf> {
        self.client.execute("FLUSH BINARY LOGS").await?;
        self.client.run(statements).await?;
        last_log(&self.server.binlogs()?)
    }

    /// Takes all of `log` back into a file that must not come to be.
    fn refused(&self, log: &Path, words: &[&str], more: &[&str]) -> Result {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("undo.binlog").display().to_string();
        let (text, start) = (log.display().to_string(), start_of(log));
        let mut arguments = vec![text.as_str(), "--start", &start, "--output", &file];
        arguments.extend(more);
        flashback(&arguments)?.ensure_refused(words)?;
        let left = std::fs::read_dir(directory.path())?.count();
        ensure(left == 0, || format!("{left} files are left"))
    }

    fn taken(&self, log: &Path, more: &[&str]) -> Result<Ended> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("undo.binlog").display().to_string();
        let (text, start) = (log.display().to_string(), start_of(log));
        let mut arguments = vec![text.as_str(), "--start", &start, "--output", &file];
        arguments.extend(more);
        let done = flashback(&arguments)?;
        done.ensure_done()?;
        Ok(done)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_statements_and_xa_are_refused_by_name() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let mut shop = Shop::open(peer, &[]).await?;
        let log = shop
            .log(&[
                "DELETE FROM shop.t WHERE id = 1",
                "ALTER TABLE shop.t ADD COLUMN more INT",
            ])
            .await?;
        shop.refused(&log, &["ALTER TABLE shop.t", "--ignore ddl"], &[])?;
        shop.refused(&log, &["ALTER TABLE shop.t"], &["--table", "shop.t"])?;
        shop.taken(&log, &["--ignore", "ddl"])?;
        // Behind what is taken back it matters too; and that of another table does not.
        let log = shop
            .log(&[
                "DELETE FROM shop.t WHERE id = 2",
                "ALTER TABLE shop.other ADD COLUMN more INT",
                "FLUSH BINARY LOGS",
                "TRUNCATE TABLE shop.t",
            ])
            .await?;
        let first = log.with_file_name(
            shop.server
                .binlogs()?
                .iter()
                .rev()
                .nth(1)
                .and_then(|path| path.file_name())
                .unwrap_or_default(),
        );
        let stop = start_of(&log);
        let more = ["--table", "shop.t"];
        shop.taken(&first, &more)?;
        let second = log.display().to_string();
        let more = [second.as_str(), "--stop", &stop, "--table", "shop.t"];
        shop.refused(&first, &["TRUNCATE TABLE shop.t", "--ignore ddl"], &more)?;
        let log = shop
            .log(&[
                "INSERT INTO shop.t (id) VALUES (7)",
                "SET SESSION binlog_format = STATEMENT",
                "UPDATE shop.t SET v = 'statement'",
                "SET SESSION binlog_format = ROW",
            ])
            .await?;
        shop.refused(&log, &["UPDATE shop.t", "--ignore statements"], &[])?;
        let log = shop
            .log(&[
                "INSERT INTO shop.t (id) VALUES (8)",
                "XA START 'x'",
                "INSERT INTO shop.t (id) VALUES (9)",
                "XA END 'x'",
                "XA PREPARE 'x'",
                "XA COMMIT 'x'",
            ])
            .await?;
        shop.refused(&log, &["XA transaction in two phases", "--ignore xa"], &[])?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_that_lack_columns_are_refused() -> Result {
    for image in ["MINIMAL", "NOBLOB"] {
        let option = format!("--binlog-row-image={image}");
        let mut shop = Shop::open(Peer::MySql97, &[&option]).await?;
        let log = shop
            .log(&["UPDATE shop.t SET v = 'u' WHERE id = 1"])
            .await?;
        let words = [
            "the rows of shop.t were logged without all columns",
            "--via-restore",
        ];
        shop.refused(&log, &words, &[])?;
        let log = shop.log(&["DELETE FROM shop.t"]).await?;
        shop.refused(&log, &words, &[])?;
        let (text, start) = (log.display().to_string(), start_of(&log));
        let via = flashback(&[&text, "--start", &start, "--dry-run", "--via-restore"])?;
        ensure(
            via.code == Some(2) && via.text.contains("--via-restore needs an archive"),
            || via.text.clone(),
        )?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triggers_and_children_of_the_target_are_refused() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let mut shop = Shop::open(peer, &["--binlog-row-metadata=FULL"]).await?;
        let log = shop
            .log(&["UPDATE shop.t SET v = 'u' WHERE id = 1"])
            .await?;
        shop.client
            .execute(
                "CREATE TRIGGER shop.note BEFORE UPDATE ON shop.t FOR EACH ROW SET NEW.b = 'fired'",
            )
            .await?;
        let (text, start) = (log.display().to_string(), start_of(&log));
        let url = url(shop.server.port);
        let arguments = [
            text.as_str(),
            "--start",
            &start,
            "--ignore",
            "ddl",
            "--apply",
            &url,
            "--yes",
        ];
        let refused = flashback(&arguments)?;
        refused.ensure_refused(&["shop.t has triggers (note)", "--fire-triggers"])?;
        flashback(&[&arguments[..], &["--fire-triggers"]].concat())?.ensure_done()?;
        let fired = shop
            .client
            .value("SELECT b FROM shop.t WHERE id = 1")
            .await?;
        ensure(fired.to_string() == "fired", || fired.to_string())?;
        // Children that the log does not tell of.
        shop.client
            .run(&[
                "CREATE TABLE shop.child (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES \
                 shop.t (id) ON DELETE CASCADE)",
                "INSERT INTO shop.child VALUES (1, 3)",
            ])
            .await?;
        let log = shop.log(&["INSERT INTO shop.t (id) VALUES (30)"]).await?;
        let (text, start) = (log.display().to_string(), start_of(&log));
        let arguments = [text.as_str(), "--start", &start, "--apply", &url, "--yes"];
        let more = ["--fire-triggers"];
        let refused = flashback(&[&arguments[..], &more].concat())?;
        refused.ensure_refused(&[
            "shop.t is referred to by foreign keys",
            "--without-children",
        ])?;
        let more = ["--fire-triggers", "--without-children"];
        flashback(&[&arguments[..], &more].concat())?.ensure_done()?;
        let gone = shop
            .client
            .value("SELECT COUNT(*) FROM shop.t WHERE id = 30")
            .await?;
        ensure(gone.to_string() == "0", || gone.to_string())?;
    }
    Ok(())
}

/// Changes of shop.t behind the log, how they are taken back, and what is told; the last ones where
/// the log has signs and character sets.
const OTHERWISE: [(&str, &str, [&str; 3]); 6] = [
    (
        "MODIFY id BIGINT",
        "MODIFY id INT",
        [
            "it has bigint",
            " there and INT",
            " in the log for column 1, id",
        ],
    ),
    (
        "MODIFY v VARCHAR(19)",
        "MODIFY v VARCHAR(20)",
        [
            "it has varchar(19)",
            " there and VARCHAR(80 bytes)",
            " in the log for column 2, v",
        ],
    ),
    (
        "MODIFY b MEDIUMTEXT",
        "MODIFY b TEXT",
        [
            "it has mediumtext",
            " there and TEXT",
            " in the log for column 3, b",
        ],
    ),
    (
        "ADD COLUMN more INT",
        "DROP COLUMN more",
        ["it has 4 columns there", "and 3", " in the log"],
    ),
    (
        "MODIFY id INT UNSIGNED",
        "MODIFY id INT",
        [
            "it has int unsigned",
            " there and INT",
            " in the log for column 1, id",
        ],
    ),
    (
        "MODIFY v VARCHAR(80) CHARACTER SET latin1",
        "MODIFY v VARCHAR(20) CHARACTER SET utf8mb4",
        [
            "it has varchar(80) latin1",
            " there and VARCHAR(80 bytes)",
            " in the log for column 2, v",
        ],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_laid_out_otherwise_now_is_refused_by_column_and_both_types() -> Result {
    for (peer, cases) in [(Peer::MySql97, 6), (Peer::MariaDb118, 4)] {
        let mut shop = Shop::open(peer, &[]).await?;
        let log = shop.log(&["DELETE FROM shop.t WHERE id > 1"]).await?;
        shop.client.execute("FLUSH BINARY LOGS").await?;
        let (log, url) = (log.display().to_string(), url(shop.server.port));
        let start = start_of(Path::new(&log));
        let arguments = [log.as_str(), "--start", &start, "--apply", &url];
        for (change, back, told) in OTHERWISE.iter().take(cases) {
            shop.client
                .execute(&format!("ALTER TABLE shop.t {change}"))
                .await?;
            for more in ["--dry-run", "--yes"] {
                let refused = flashback(&[&arguments[..], &[more]].concat())?;
                refused.ensure_refused(&["shop.t on the target is not the table of the log"])?;
                refused.ensure_refused(told)?;
            }
            shop.client
                .execute(&format!("ALTER TABLE shop.t {back}"))
                .await?;
        }
        flashback(&[&arguments[..], &["--yes"]].concat())?.ensure_done()?;
        let count = shop.client.value("SELECT COUNT(*) FROM shop.t").await?;
        ensure(count.to_string() == "3", || format!("{count:?} rows"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_in_the_log_is_told() -> Result {
    let mut shop = Shop::open(Peer::MySql97, &[]).await?;
    let first = shop.log(&["DELETE FROM shop.t WHERE id = 1"]).await?;
    shop.log(&["DELETE FROM shop.other"]).await?;
    let third = shop.log(&["DELETE FROM shop.t WHERE id = 2"]).await?;
    let uuid = shop.client.value("SELECT @@server_uuid").await?.to_string();
    let executed = shop
        .client
        .value("SELECT @@gtid_executed")
        .await?
        .to_string();
    let last = executed.rsplit('-').next().unwrap_or_default().to_owned();
    let (one, three) = (first.display().to_string(), third.display().to_string());
    let gtids = format!("{uuid}:{last},{uuid}:999");
    let missing = flashback(&[&three, "--gtid", &gtids, "--dry-run"])?;
    missing.ensure_refused(&[
        &format!("{uuid}:999: not in these files"),
        "--ignore missing",
    ])?;
    flashback(&[&three, "--gtid", &gtids, "--dry-run", "--ignore", "missing"])?.ensure_done()?;
    let gap = flashback(&[&one, &three, "--start", &start_of(&first), "--dry-run"])?;
    gap.ensure_refused(&["does not follow", "--ignore gap"])?;
    let told = flashback(&[
        &one,
        &three,
        "--start",
        &start_of(&first),
        "--dry-run",
        "--json",
    ])?;
    ensure(
        told.number("undone_rows")? == 0 && told.text.contains("\"complete\":false"),
        || told.text.clone(),
    )?;
    let nowhere = flashback(&[&three, "--start", "binlog.000099:4", "--dry-run"])?;
    nowhere.ensure_refused(&["there is no such place in these files"])?;
    let nothing = flashback(&[
        &three,
        "--start",
        "2000-01-01 00:00",
        "--dry-run",
        "-T",
        "a.b",
    ])?;
    nothing.ensure_refused(&["no row that was asked for is in these files"])?;
    for (arguments, words) in [
        (vec![three.as_str(), "--dry-run"], "say what to take back"),
        (vec![three.as_str(), "--gtid", &gtids], "say where to"),
        (
            vec![
                three.as_str(),
                "--gtid",
                &gtids,
                "--ignore",
                "missing",
                "--apply",
                "mysql://root:secret@127.0.0.1",
            ],
            "a password does not belong on the command line",
        ),
    ] {
        let refused = flashback(&arguments)?;
        ensure(
            refused.code != Some(0) && refused.text.contains(words),
            || format!("{words}: {}", refused.text),
        )?;
    }
    // Without a terminal nobody can say yes.
    let url = url(shop.server.port);
    let gtid = format!("{uuid}:{last}");
    let asked = flashback(&[&three, "--gtid", &gtid, "--apply", &url])?;
    ensure(
        asked.code == Some(2) && asked.text.contains("--yes does it without asking"),
        || asked.text.clone(),
    )
}

/// Foreign keys of the storage engine, as all servers but MySQL since 9.6 have them: what they change is
/// not in the log. Of MySQL's the log says that there are some, and the server which.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cascades_that_are_not_in_the_log_are_refused() -> Result {
    let mut shop = Shop::open(Peer::MySql97, &["--innodb-native-foreign-keys=ON"]).await?;
    shop.client
        .run(&[
            "CREATE TABLE shop.strict (id INT PRIMARY KEY)",
            "CREATE TABLE shop.s (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) \
             REFERENCES shop.strict (id))",
            "INSERT INTO shop.strict VALUES (1), (2)",
            "CREATE TABLE shop.child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) \
             REFERENCES shop.t (id) ON DELETE CASCADE)",
            "INSERT INTO shop.child VALUES (10, 1), (11, 1), (12, 2)",
        ])
        .await?;
    let url = url(shop.server.port);
    let log = shop.log(&["DELETE FROM shop.t WHERE id = 1"]).await?;
    let words = [
        "shop.t is referred to by foreign keys",
        "--without-children",
    ];
    shop.refused(&log, &words, &[])?;
    shop.refused(&log, &words, &["--schema", &url])?;
    let (text, start) = (log.display().to_string(), start_of(&log));
    let arguments = [text.as_str(), "--start", &start, "--apply", &url, "--yes"];
    flashback(&arguments)?.ensure_refused(&words)?;
    flashback(&[&arguments[..], &["--without-children"]].concat())?.ensure_done()?;
    let rows = shop
        .client
        .answer("SELECT (SELECT COUNT(*) FROM shop.t), (SELECT COUNT(*) FROM shop.child)")
        .await?;
    ensure(rows.contains("[3, 1]"), || rows.clone())?;
    // Keys that only forbid change nothing, which the log does not know and the server does.
    let log = shop.log(&["DELETE FROM shop.strict WHERE id = 2"]).await?;
    shop.refused(&log, &["shop.strict is referred to by foreign keys"], &[])?;
    let (text, start) = (log.display().to_string(), start_of(&log));
    let arguments = [text.as_str(), "--start", &start, "--apply", &url, "--yes"];
    flashback(&arguments)?.ensure_done()
}
