//! What the tests of `weir replay` share: a log of everything, dumps, and running the command.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use integration::failure::{Failure, ensure};
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER};
use integration::sysbench::Sysbench;
use integration::workload::{self, Scope};
use integration::{Client, Peer, RealServer, Result, weir};

/// What the workload and sysbench touch.
pub(crate) const DATABASES: [&str; 3] = ["types", "other", "sbtest"];

/// What the workload leaves out: a table without a key, rows that come with their table, a
/// transaction of many events.
pub(crate) const MORE: &[&str] = &[
    "CREATE TABLE other.alike (a INT, b VARCHAR(10))",
    "INSERT INTO other.alike VALUES (1, 'x'), (1, 'x'), (NULL, 'y')",
    "DELETE FROM other.alike WHERE a = 1 LIMIT 1",
    "CREATE TABLE other.copied AS SELECT * FROM other.alike",
    "INSERT INTO other.alike VALUES (2, 'z')",
    "ALTER TABLE other.alike ADD INDEX (a)",
    "INSERT INTO other.alike VALUES (3, 'z')",
];

/// A server that ran the workload, and stopped writing.
pub(crate) async fn written(peer: Peer, options: &[&str], scope: Scope) -> Result<RealServer> {
    let server = RealServer::start(peer, 1, options).await?;
    let mut client = server.client().await?;
    client.run(&workload::load(scope)).await?;
    client.execute("FLUSH BINARY LOGS").await?;
    client.run(&workload::change(scope)).await?;
    client.run(MORE).await?;
    Ok(server)
}

pub(crate) const fn scope_of(peer: Peer) -> Scope {
    match peer {
        Peer::MySql97 => Scope::MySql,
        Peer::MySql56 | Peer::MariaDb1011 | Peer::MariaDb118 => Scope::WithMariaDb,
    }
}

pub(crate) async fn sysbench(server: &RealServer, seconds: u64) -> Result {
    let mut client = server.client().await?;
    client
        .execute("CREATE DATABASE IF NOT EXISTS sbtest")
        .await?;
    let sysbench = Sysbench {
        script: "oltp_write_only",
        port: server.port,
        tables: 2,
        rows: 500,
        threads: 2,
        span: Duration::from_secs(seconds),
        prepared_statements: "auto",
    };
    sysbench.prepare().await?;
    sysbench.run().await.map(drop)
}

pub(crate) fn url_of(server: &RealServer) -> String {
    format!("mysql://root@127.0.0.1:{}", server.port)
}

pub(crate) fn command(url: &str, files: &[PathBuf], arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(weir::binary()?);
    command.arg("replay").args(files);
    command
        .args(["--to", url, "--yes", "--json"])
        .args(arguments);
    command.stdin(Stdio::null());
    Ok(command)
}

pub(crate) fn is_complete(report: &serde_json::Value) -> bool {
    report.get("complete") == Some(&serde_json::Value::Bool(true))
}

/// Runs `weir replay` and gives its JSON.
pub(crate) fn replay(
    url: &str,
    files: &[PathBuf],
    arguments: &[&str],
) -> Result<serde_json::Value> {
    let output = command(url, files, arguments)?.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|_| {
        let errors = String::from_utf8_lossy(&output.stderr);
        Failure::new(format!("weir replay gave no report: {text}{errors}"))
    })
}

pub(crate) fn dump_to(server: &RealServer, dump: &Path) -> Result {
    let program = match server.peer.is_mariadb() {
        true => "mariadb-dump",
        false => "mysqldump",
    };
    let mut command = server.peer.program(program)?;
    let position = match server.peer.is_mariadb() {
        true => ["--master-data=2", "--gtid"].as_slice(),
        false => ["--source-data=2"].as_slice(),
    };
    command
        .args([
            "--no-defaults",
            "--user=root",
            "--host=127.0.0.1",
            "--single-transaction",
        ])
        .arg(format!("--port={}", server.port))
        .args(position)
        .args(["--databases", "types", "other", "sbtest"])
        .stdout(std::fs::File::create(dump)?);
    // It warns of GTIDs in a dump of some databases.
    let ended = command.stderr(Stdio::piped()).output()?;
    ensure(ended.status.success(), || {
        format!(
            "the dump ended with {}: {}",
            ended.status,
            String::from_utf8_lossy(&ended.stderr)
        )
    })
}

/// Gives a file to the vendor's client.
fn load_into(peer: Peer, port: u16, dump: &Path) -> Result {
    let mut client = peer.cli()?;
    client
        .args([
            "--no-defaults",
            "--binary-mode",
            "--user=root",
            "--host=127.0.0.1",
        ])
        .arg(format!("--port={port}"))
        .stdin(std::fs::File::open(dump)?);
    let loaded = client.output()?;
    ensure(loaded.status.success(), || {
        String::from_utf8_lossy(&loaded.stderr).into_owned()
    })
}

pub(crate) fn load_dump(server: &RealServer, dump: &Path) -> Result {
    load_into(server.peer, server.port, dump)?;
    if !server.peer.is_mariadb() {
        return Ok(());
    }
    // mariadb-dump leaves it to people to take the GTID over.
    let text = String::from_utf8_lossy(&std::fs::read(dump)?).into_owned();
    let line = text
        .lines()
        .find(|line| line.contains("SET GLOBAL gtid_slave_pos="));
    let statement = line.unwrap_or_default().trim_start_matches("-- ");
    let mut client = server.peer.cli()?;
    client
        .args(["--no-defaults", "--user=root", "--host=127.0.0.1"])
        .arg(format!("--port={}", server.port))
        .args(["-e", &format!("RESET MASTER; {statement}")]);
    let set = client.output()?;
    ensure(set.status.success(), || {
        String::from_utf8_lossy(&set.stderr).into_owned()
    })
}

/// The number of the last transaction.
pub(crate) async fn executed(client: &mut Client, peer: Peer) -> Result<u64> {
    let query = match peer.is_mariadb() {
        true => "SELECT @@GLOBAL.gtid_binlog_pos",
        false => "SELECT @@GLOBAL.gtid_executed",
    };
    let text = client.value(query).await?.to_string();
    let number = text.rsplit(['-', ':']).next().unwrap_or_default();
    number
        .parse()
        .map_err(|_| Failure::new(format!("'{text}' ends in no number")))
}

/// What stands in front of the number of a GTID.
pub(crate) async fn prefix(client: &mut Client, peer: Peer) -> Result<String> {
    Ok(match peer.is_mariadb() {
        true => "0-1-".to_owned(),
        false => format!("{}:", client.value("SELECT @@server_uuid").await?),
    })
}

/// Makes a replica of the source at `port`, and does not start it.
pub(crate) async fn point_to(replica: &mut Client, peer: Peer, port: u16) -> Result {
    let (user, password) = (REPLICATION_USER, REPLICATION_PASSWORD);
    let statement = match peer.is_mariadb() {
        true => format!(
            "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='{user}', \
             MASTER_PASSWORD='{password}', MASTER_USE_GTID=slave_pos, MASTER_SSL_VERIFY_SERVER_CERT=0"
        ),
        false => format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, \
             SOURCE_USER='{user}', SOURCE_PASSWORD='{password}', SOURCE_AUTO_POSITION=1, \
             GET_SOURCE_PUBLIC_KEY=1"
        ),
    };
    replica.execute(&statement).await.map(drop)
}

/// A replay that runs.
pub(crate) struct Running(Child);

/// How it ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) report: serde_json::Value,
    pub(crate) errors: String,
}

impl Running {
    pub(crate) fn start(url: &str, files: &[PathBuf], arguments: &[&str]) -> Result<Self> {
        let mut command = command(url, files, arguments)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Self(command.spawn()?))
    }

    pub(crate) fn is_over(&mut self) -> Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }

    pub(crate) fn signal(&self, signal: &str) -> Result {
        let mut kill = Command::new("kill");
        let status = kill.args([signal, &self.0.id().to_string()]).status()?;
        ensure(status.success(), || format!("no {signal}: {status}"))
    }

    pub(crate) fn output(self) -> Result<Output> {
        Ok(self.0.wait_with_output()?)
    }

    pub(crate) fn end(self) -> Result<Ended> {
        let output = self.output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = text.lines().last().unwrap_or_default();
        let report = serde_json::from_str(last);
        let report = report.map_err(|_| Failure::new(format!("no report: {text}{errors}")))?;
        Ok(Ended {
            status: output.status,
            report,
            errors,
        })
    }
}

impl Ended {
    pub(crate) fn text(&self) -> String {
        format!("{}: {}\n{}", self.status, self.report, self.errors)
    }
}

/// Ends every session but the one that does it.
pub(crate) async fn end_sessions(server: &RealServer) -> Result<usize> {
    let mut client = server.client().await?;
    let others = "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND \
                  USER = 'root'";
    let mut ended = 0;
    for row in client.rows(others).await? {
        if let Some(id) = row.first() {
            // It may have gone by itself.
            ended += usize::from(client.attempt(&format!("KILL {id}")).await?.is_ok());
        }
    }
    Ok(ended)
}
