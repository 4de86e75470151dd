//! What mydumper says of its dumps is where a replay begins.

use std::path::Path;

use integration::compare::{Snapshot, ensure_same};
use integration::failure::{Failure, ensure};
use integration::{Client, Peer, RealServer, Result, peers};

use super::run::{command, is_complete, replay, url_of};

/// Runs mydumper or myloader with the dump in `directory`.
fn run(program: &str, server: &RealServer, directory: &Path, more: &[&str]) -> Result {
    let mut command = peers::mydumper_program(program)?;
    command
        .args(["--user", "root", "--host", "127.0.0.1", "--port"])
        .arg(server.port.to_string())
        .args(more)
        .arg(directory);
    let output = command.output()?;
    ensure(output.status.success(), || {
        format!("{program}: {}", String::from_utf8_lossy(&output.stderr))
    })
}

/// A server, its dump, and what came behind it; and one that the dump was loaded into.
struct Stage {
    source: RealServer,
    target: RealServer,
    directory: tempfile::TempDir,
    at_source: Client,
    /// What SHOW says of its log where the dump is from.
    status: Vec<String>,
}

impl Stage {
    async fn open(peer: Peer) -> Result<Self> {
        let source = RealServer::start(peer, 1, &[]).await?;
        let mut at_source = source.client().await?;
        at_source
            .run(&[
                "CREATE DATABASE shop",
                "CREATE TABLE shop.t (a INT, b VARCHAR(10))",
                "FLUSH BINARY LOGS",
                "INSERT INTO shop.t VALUES (1, 'x'), (1, 'x')",
            ])
            .await?;
        let show = match peer.is_mariadb() {
            true => "SHOW MASTER STATUS",
            false => "SHOW BINARY LOG STATUS",
        };
        let status = at_source.rows(show).await?;
        let status = status.first().cloned().unwrap_or_default();
        let directory = tempfile::tempdir()?;
        let dump = directory.path().join("dump");
        run(
            "mydumper",
            &source,
            &dump,
            &["--database", "shop", "--outputdir"],
        )?;
        at_source
            .run(&[
                "INSERT INTO shop.t VALUES (2, 'y')",
                "DELETE FROM shop.t WHERE a = 1 LIMIT 1",
                "FLUSH BINARY LOGS",
                "INSERT INTO shop.t VALUES (3, 'z')",
            ])
            .await?;
        let target = RealServer::start(peer, 2, &[]).await?;
        run("myloader", &target, &dump, &["--directory"])?;
        Ok(Self {
            source,
            target,
            directory,
            at_source,
            status: status.iter().map(ToString::to_string).collect(),
        })
    }

    /// Begins where `base` says, once the target is told of it by the statement of the refusal, which
    /// begins with `statement`.
    async fn goes_on_behind(mut self, base: &Path, statement: &str) -> Result {
        let (url, files) = (url_of(&self.target), self.source.binlogs()?);
        let base = base.display().to_string();
        let arguments = ["--base", &base];
        let refused = command(&url, &files, &arguments)?.output()?;
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        let at = told.find(statement);
        let at = at.ok_or_else(|| Failure::new(format!("no {statement}: {told}")))?;
        let rest = told.get(at..).unwrap_or_default();
        let end = rest.find(" there").unwrap_or(rest.len());
        ensure(refused.status.code() == Some(2), || told.clone())?;
        let mut at_target = self.target.client().await?;
        at_target
            .execute(rest.get(..end).unwrap_or_default())
            .await?;
        let report = replay(&url, &files, &arguments)?;
        let applied = report.get("applied_transactions").cloned();
        ensure(is_complete(&report) && applied == Some(3.into()), || {
            report.to_string()
        })?;
        let left = Snapshot::take(&mut self.at_source, &["shop"]).await?;
        let right = Snapshot::take(&mut at_target, &["shop"]).await?;
        ensure_same("source", &left, "target", &right)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_mariadb_by_mydumper_010_is_a_base_by_its_directory() -> Result {
    let stage = Stage::open(Peer::MariaDb118).await?;
    let dump = stage.directory.path().join("dump");
    stage
        .goes_on_behind(&dump, "SET GLOBAL gtid_slave_pos='0-1-")
        .await
}

/// It asks in words that MySQL 9.7 no longer knows, so that newer ones' metadata is put in its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_mysql_97_that_names_no_place_is_refused_and_one_that_does_is_a_base() -> Result {
    let stage = Stage::open(Peer::MySql97).await?;
    let dump = stage.directory.path().join("dump");
    let path = dump.display().to_string();
    let files = stage.source.binlogs()?;
    let refused = command(&url_of(&stage.target), &files, &["--base", &path])?.output()?;
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    let is_told = told.contains("names neither GTIDs nor a place in a log");
    ensure(refused.status.code() == Some(2) && is_told, || told.clone())?;
    let [file, position, .., gtids] = stage.status.as_slice() else {
        return Err(Failure::new(format!("{:?}", stage.status)));
    };
    let metadata = dump.join("metadata");
    let text = format!(
        "# Started dump at: 2026-11-30 13:11:28\n[config]\nquote-character = BACKTICK\n\n[source]\n\
         # Channel_Name = '' # It can be use to setup replication FOR CHANNEL\nFile = {file}\n\
         Position = {position}\nExecuted_Gtid_Set = {gtids}\n\n[`shop`.`t`]\nRows = 2\n"
    );
    std::fs::write(&metadata, text)?;
    stage
        .goes_on_behind(&metadata, "SET GLOBAL gtid_purged='+")
        .await
}
