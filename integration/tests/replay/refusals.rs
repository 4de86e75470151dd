//! Everything that stands against a replay is provoked once: it is told with its GTID or table and
//! with what lets it pass, nothing has moved, and with that it goes on.

use std::path::PathBuf;
use std::process::Command;

use binlog::event::EventType;
use integration::chance::announce;
use integration::compare::Snapshot;
use integration::failure::ensure;
use integration::incident::with_incident;
use integration::{Client, Peer, RealServer, Result, Weir, weir};

use super::run::{command, executed, is_complete, point_to, prefix, replay, url_of};

const LIVE: [&str; 2] = ["--mode", "live"];

/// A source with a short log of two files, and a target of the same product.
struct Stand {
    source: RealServer,
    at_source: Client,
    target: RealServer,
    at_target: Client,
    /// What stands in front of the numbers of the source's GTIDs.
    prefix: String,
}

impl Stand {
    /// `shop.t` with a row, the second one in a file of its own.
    async fn open(peer: Peer, source_options: &[&str], target_options: &[&str]) -> Result<Self> {
        let source = RealServer::start(peer, 1, source_options).await?;
        let target = RealServer::start(peer, 2, target_options).await?;
        let mut at_source = source.client().await?;
        at_source
            .run(&[
                "CREATE DATABASE shop",
                "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(9000))",
                "INSERT INTO shop.t VALUES (1, 'first')",
                "FLUSH BINARY LOGS",
                "INSERT INTO shop.t VALUES (2, 'second')",
            ])
            .await?;
        Ok(Self {
            prefix: prefix(&mut at_source, peer).await?,
            at_target: target.client().await?,
            source,
            at_source,
            target,
        })
    }

    fn url(&self) -> String {
        url_of(&self.target)
    }

    /// What the target holds and has executed.
    async fn standing(&mut self) -> Result<(Snapshot, String)> {
        let executed = match self.target.peer.is_mariadb() {
            true => "SELECT @@GLOBAL.gtid_slave_pos, @@GLOBAL.gtid_binlog_pos",
            false => "SELECT @@GLOBAL.gtid_executed",
        };
        let mut text = self.at_target.answer(executed).await?;
        text.push_str(&self.at_target.answer("SHOW DATABASES").await?);
        let own = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'mysql'";
        text.push_str(&self.at_target.answer(own).await?);
        let snapshot = Snapshot::take(&mut self.at_target, &["shop"]).await?;
        Ok((snapshot, text))
    }

    /// The replay ends with exit code 2, says all of `words`, and nothing has moved.
    async fn refused(&mut self, files: &[PathBuf], arguments: &[&str], words: &[&str]) -> Result {
        let before = self.standing().await?;
        let output = command(&self.url(), files, arguments)?.output()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        announce(text.trim());
        let is_said = words.iter().all(|words| text.contains(words));
        ensure(output.status.code() == Some(2) && is_said, || {
            format!("{:?}, without {words:?}: {text}", output.status)
        })?;
        ensure(before == self.standing().await?, || {
            format!("a refused replay moved the target: {text}")
        })
    }

    /// It is refused by this name, and with it goes on to the end, where the rows of `shop.t` are
    /// counted.
    async fn refused_until_allowed(
        &mut self,
        files: &[PathBuf],
        arguments: &[&str],
        name: &str,
        words: &[&str],
        rows: usize,
    ) -> Result {
        let allow = format!("(--allow {name} goes on all the same)");
        let mut all = vec!["refused, nothing was changed", &allow];
        all.extend(words);
        self.refused(files, arguments, &all).await?;
        let arguments = [arguments, &["--allow", name]].concat();
        let report = replay(&self.url(), files, &arguments)?;
        ensure(is_complete(&report), || format!("{name}: {report}"))?;
        let found = Snapshot::take(&mut self.at_target, &["shop"]).await?;
        ensure(found.rows() == rows, || {
            format!("{name}: {} rows of {rows}", found.rows())
        })
    }

    async fn last_gtid(&mut self) -> Result<String> {
        let number = executed(&mut self.at_source, self.source.peer).await?;
        Ok(format!("{}{number}", self.prefix))
    }
}

fn rest(files: &[PathBuf]) -> Vec<PathBuf> {
    files.iter().skip(1).cloned().collect()
}

/// Of MySQL in the place of the statement that could not be logged, of MariaDB between transactions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_refused_by_its_transaction() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let mut stand = Stand::open(peer, &["--binlog-checksum=CRC32"], &[]).await?;
        stand
            .at_source
            .run(&[
                "FLUSH BINARY LOGS",
                "CREATE DATABASE lost",
                "FLUSH BINARY LOGS",
                "INSERT INTO shop.t VALUES (3, 'third')",
            ])
            .await?;
        let mut files = stand.source.binlogs()?;
        let directory = tempfile::tempdir()?;
        let lost = files.get(2).cloned().unwrap_or_default();
        let kind = match peer.is_mariadb() {
            true => EventType::ROTATE,
            false => EventType::QUERY,
        };
        let copy = with_incident(&lost, kind, directory.path())?;
        let mut timeline = Command::new(weir::binary()?);
        timeline
            .args(["binlog", "timeline", "--outliers"])
            .arg(&copy);
        let told = timeline.output()?;
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        let is_told = text
            .lines()
            .any(|line| line.starts_with('!') && line.contains("error writing to the binary log"));
        ensure(told.status.success() && is_told, || text.clone())?;
        files.splice(2..3, [copy]);
        let last = executed(&mut stand.at_source, peer).await?;
        let words = format!(" ({}{})", stand.prefix, last - 1);
        let words = match peer.is_mariadb() {
            true => vec!["binlog.000003:", "is an INCIDENT"],
            false => vec![words.as_str(), "'error writing to the binary log'"],
        };
        stand
            .refused_until_allowed(&files, &LIVE, "incident", &words, 3)
            .await?;
        // What is executed in front of the place that it begins at does not stand against it.
        stand
            .at_source
            .execute("INSERT INTO shop.t VALUES (4, 'fourth')")
            .await?;
        let report = replay(&stand.url(), &files, &LIVE)?;
        ensure(is_complete(&report), || report.to_string())?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_the_base_does_not_explain_is_refused_by_name() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let mut stand = Stand::open(peer, &[], &[]).await?;
        let files = stand.source.binlogs()?;
        let number = executed(&mut stand.at_source, peer).await?;
        let (base, next) = (number - 1, format!("{}{number}", stand.prefix));
        stand
            .at_source
            .execute("INSERT INTO shop.t VALUES (3, 'third')")
            .await?;
        let directory = tempfile::tempdir()?;
        let dump = directory.path().join("dump.sql");
        let head = match peer.is_mariadb() {
            true => format!("-- SET GLOBAL gtid_slave_pos='{}{base}';\n", stand.prefix),
            false => format!(
                "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '{}1-{base}';\n",
                stand.prefix
            ),
        };
        std::fs::write(&dump, head)?;
        // The target was loaded from the dump, and then somebody said that it has one more.
        let said = match peer.is_mariadb() {
            true => vec![format!("SET GLOBAL gtid_slave_pos='{next}'")],
            false => vec![
                format!("SET GLOBAL gtid_purged='+{}1-{base}'", stand.prefix),
                format!("SET GTID_NEXT='{next}'"),
                "COMMIT".to_owned(),
                "SET GTID_NEXT='AUTOMATIC'".to_owned(),
            ],
        };
        stand
            .at_target
            .run(&[
                "SET sql_log_bin = 0",
                "CREATE DATABASE shop",
                "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(9000))",
                "INSERT INTO shop.t VALUES (1, 'first')",
                "SET sql_log_bin = 1",
            ])
            .await?;
        stand.at_target.run(&said).await?;
        let dump = dump.display().to_string();
        let arguments = ["--mode", "live", "--base", &dump];
        let words = [
            next.as_str(),
            "which its base does not hold",
            "without --base",
        ];
        stand
            .refused_until_allowed(&files, &arguments, "executed", &words, 2)
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_replica_and_rows_of_the_servers_own_tables_are_refused() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let mut stand = Stand::open(peer, &[], &[]).await?;
        let files = stand.source.binlogs()?;
        point_to(&mut stand.at_target, peer, stand.source.port).await?;
        let (start, stop) = match peer.is_mariadb() {
            true => ("START SLAVE SQL_THREAD", "STOP SLAVE"),
            false => ("START REPLICA SQL_THREAD", "STOP REPLICA"),
        };
        stand.at_target.execute(start).await?;
        stand
            .refused_until_allowed(
                &files,
                &LIVE,
                "replica",
                &["the target is a running replica"],
                2,
            )
            .await?;
        stand.at_target.execute(stop).await?;
        stand
            .at_source
            .run(&[
                "CREATE TABLE mysql.note (id INT PRIMARY KEY) ENGINE=InnoDB",
                "INSERT INTO mysql.note VALUES (27)",
            ])
            .await?;
        let gtid = stand.last_gtid().await?;
        let words = [gtid.as_str(), "mysql.note"];
        stand
            .refused_until_allowed(&files, &LIVE, "mysql-rows", &words, 2)
            .await?;
        let note = "SELECT id FROM mysql.note";
        let note = stand.at_target.value(note).await?.to_string();
        ensure(note == "27", || format!("{peer:?}: {note}"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_that_begin_behind_the_target_or_lack_a_file_are_refused() -> Result {
    let anonymous = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    for (peer, options) in [
        (Peer::MySql97, &[][..]),
        (Peer::MariaDb118, &[]),
        (Peer::MySql97, &anonymous),
    ] {
        let has_gtids = options.is_empty();
        let mut stand = Stand::open(peer, options, options).await?;
        let mid = match has_gtids {
            true => executed(&mut stand.at_source, peer).await?,
            false => 0,
        };
        stand
            .at_source
            .run(&[
                "FLUSH BINARY LOGS",
                "INSERT INTO shop.t VALUES (3, 'third')",
            ])
            .await?;
        let files = stand.source.binlogs()?;
        stand
            .at_target
            .run(&[
                "SET sql_log_bin = 0",
                "CREATE DATABASE shop",
                "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(9000))",
            ])
            .await?;
        let start = ["--mode", "live", "--start", "binlog.000001:4"];
        let before = match (has_gtids, peer.is_mariadb()) {
            (true, false) => format!("{}1-{} is in neither", stand.prefix, mid - 1),
            (true, true) => format!("everything up to {}{} is in", stand.prefix, mid - 1),
            (false, _) => "they begin with binlog.000002".to_owned(),
        };
        let words = ["the logs begin behind what the target has", &before];
        let arguments = match has_gtids {
            true => &LIVE[..],
            false => &start,
        };
        // One file in the middle is missing: what is in front of it is on the target already.
        stand.refused(&rest(&files), arguments, &words).await?;
        let holed: Vec<PathBuf> = [files.first(), files.last()]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let missing = match (has_gtids, peer.is_mariadb()) {
            (true, false) => format!("{}{mid}, in front of", stand.prefix),
            (true, true) => format!("what leads to {}{mid}", stand.prefix),
            (false, _) => "binlog.000003 comes behind binlog.000001".to_owned(),
        };
        let words = ["a log file is missing between those given", &missing];
        stand.refused(&holed, &LIVE, &words).await?;
        let words = ["the logs begin behind what the target has"];
        stand
            .refused_until_allowed(&rest(&files), arguments, "gap", &words, 2)
            .await?;
    }
    Ok(())
}

/// The largest statement, others who write, and a server that is read-only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_target_is_set_to_is_refused_by_name() -> Result {
    let mut stand = Stand::open(Peer::MySql97, &[], &["--max-allowed-packet=16384"]).await?;
    stand
        .at_source
        .execute("INSERT INTO shop.t VALUES (3, REPEAT('x', 9000))")
        .await?;
    let files = stand.source.binlogs()?;
    let gtid = stand.last_gtid().await?;
    let stop = ["--mode", "restore", "--stop-before", &gtid];
    let words = ["others are connected to the target and may write: root@"];
    stand
        .refused_until_allowed(&files, &stop, "writers", &words, 2)
        .await?;
    let words = [gtid.as_str(), "max_allowed_packet is 16384"];
    stand
        .refused_until_allowed(&files, &LIVE, "packet", &words, 3)
        .await?;
    stand
        .at_source
        .execute("INSERT INTO shop.t VALUES (4, 'fourth')")
        .await?;
    stand.at_target.execute("SET GLOBAL read_only = ON").await?;
    let words = ["the target is read-only"];
    stand
        .refused_until_allowed(&files, &LIVE, "read-only", &words, 4)
        .await?;
    let nowhere = ["--mode", "live", "--stop-at", "binlog.000009:4"];
    stand
        .refused(&files, &nowhere, &["binlog.000009:4, is not in these logs"])
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_vendors_server_is_refused_by_both_versions() -> Result {
    for (peer, other) in [
        (Peer::MySql97, Peer::MariaDb118),
        (Peer::MariaDb118, Peer::MySql97),
    ] {
        let mut stand = Stand::open(peer, &[], &[]).await?;
        let target = RealServer::start(other, 3, &[]).await?;
        stand.at_target = target.client().await?;
        stand.target = target;
        stand
            .at_target
            .run(&[
                "CREATE DATABASE shop",
                "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(9000)) CHARACTER SET utf8mb4",
            ])
            .await?;
        let files = stand.source.binlogs()?;
        let words = [
            "the logs are those of",
            "the target is",
            "one vendor mean other things",
        ];
        let (first, second) = match peer.is_mariadb() {
            true => ("11.8", "9.7"),
            false => ("9.7", "11.8"),
        };
        let words = [&words[..], &[first, second]].concat();
        // Rows are understood, statements of another vendor are not.
        let number = executed(&mut stand.at_source, peer).await?;
        let gtid = format!("{}{}", stand.prefix, number - 1);
        let arguments = ["--mode", "live", "--start", &gtid];
        stand
            .refused_until_allowed(&files, &arguments, "version", &words, 2)
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_not_there_or_differs_is_refused_by_column() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let mut stand = Stand::open(peer, &["--binlog-row-metadata=FULL"], &[]).await?;
        // A table that the log makes is none of the target's, and says nothing of others.
        stand
            .at_source
            .run(&[
                "CREATE TABLE shop.made (id INT)",
                "INSERT INTO shop.made VALUES (1)",
                "INSERT INTO shop.t VALUES (3, 'third')",
            ])
            .await?;
        let number = executed(&mut stand.at_source, peer).await?;
        let gtid = format!("{}{}", stand.prefix, number - 2);
        let files = stand.source.binlogs()?;
        let arguments = ["--mode", "live", "--start", &gtid];
        let words = ["shop.t is not on the target", "--allow layout"];
        // A replay that begins behind its tables.
        stand.refused(&files, &arguments, &words).await?;
        let name = "shop.t has name on the target for column 2, which the log calls v";
        for (columns, words) in [
            (
                "id INT PRIMARY KEY",
                "shop.t has 1 columns on the target and 2 in the log",
            ),
            (
                "id BIGINT PRIMARY KEY, v VARCHAR(9000)",
                "on the target and INT in the log for column 1, id",
            ),
            (
                "id INT UNSIGNED PRIMARY KEY, v VARCHAR(9000)",
                "unsigned on the target and INT in the log for column 1, id",
            ),
            (
                "id INT PRIMARY KEY, v VARCHAR(8000)",
                "shop.t has varchar(8000) on the target and VARCHAR(36000 bytes) utf8mb4 in the log for \
                 column 2, v",
            ),
            ("id INT PRIMARY KEY, name VARCHAR(9000)", name),
        ] {
            stand
                .at_target
                .run(&[
                    "SET sql_log_bin = 0",
                    "DROP DATABASE IF EXISTS shop",
                    "CREATE DATABASE shop",
                    &format!("CREATE TABLE shop.t ({columns}) CHARACTER SET utf8mb4"),
                ])
                .await?;
            stand.refused(&files, &arguments, &[words]).await?;
        }
        // With another name the rows are the same.
        stand
            .refused_until_allowed(&files, &arguments, "layout", &[name], 2)
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_is_compared_with_the_log_too() -> Result {
    let mut stand = Stand::open(Peer::MySql97, &[], &[]).await?;
    let mut weir = Weir::replica(9, &["skip-replica-start"]).await?;
    weir.stop()?;
    let url = format!("datadir:{}", weir.data().display());
    let last = stand.last_gtid().await?;
    let front = replay(&url, &stand.source.binlogs()?, &["--stop-before", &last])?;
    ensure(is_complete(&front), || front.to_string())?;
    // The source's table changes without a word in its log.
    stand
        .at_source
        .run(&[
            "SET sql_log_bin = 0",
            "ALTER TABLE shop.t MODIFY id BIGINT",
            "SET sql_log_bin = 1",
            "FLUSH BINARY LOGS",
            "INSERT INTO shop.t VALUES (3, 'third')",
        ])
        .await?;
    let files = stand.source.binlogs()?;
    let third = files.last().cloned().unwrap_or_default();
    let output = command(&url, &[third], &["--allow", "gap"])?.output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    announce(text.trim());
    let words =
        "shop.t has int on the target and BIGINT in the log for column 1, id (--allow layout";
    ensure(
        output.status.code() == Some(2) && text.contains(words),
        || text.clone(),
    )
}
