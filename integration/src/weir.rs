//! A `weir primary` or `weir replica` process with its option file in a temporary directory.
//!
//! The directory outlives the process, so that a test can kill -9 and start again on what was left
//! behind.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::failure::{Failure, Result, ensure};
use crate::peers;
use crate::process::{Process, free_port};
use crate::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER};
use crate::real_server::binlogs;
use crate::sql::{Client, ClientOptions};
use crate::wait::{self, PATIENCE};

/// Which of the two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `weir primary`.
    Primary,
    /// `weir replica`.
    Replica,
}

impl Role {
    fn subcommand(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
        }
    }
}

/// One node. Dropping it kills the process and removes the directory.
pub struct Weir {
    /// TCP port on the loopback interface; the same after a restart.
    pub port: u16,
    role: Role,
    process: Option<Process>,
    directory: TempDir,
}

impl Weir {
    /// Starts a fresh primary (`binlog.000001`, root without a password) with these further lines
    /// in its option file.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn primary(server_id: u32, lines: &[&str]) -> Result<Self> {
        let mut all = vec![
            "log-bin=binlog",
            "gtid_mode=ON",
            "enforce_gtid_consistency=ON",
        ];
        all.extend(lines);
        Self::start(Role::Primary, server_id, &all).await
    }

    /// Starts a fresh replica; `lines` name its source.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn replica(server_id: u32, lines: &[&str]) -> Result<Self> {
        Self::start(Role::Replica, server_id, lines).await
    }

    /// Starts a fresh replica that follows the source on `port` by GTID, as the replication account,
    /// with these further lines in its option file.
    ///
    /// # Errors
    /// As [`Weir::replica`].
    pub async fn following(server_id: u32, port: u16, lines: &[&str]) -> Result<Self> {
        let port = format!("source-port={port}");
        let user = format!("source-user={REPLICATION_USER}");
        let password = format!("source-password={REPLICATION_PASSWORD}");
        let mut all = vec!["source-host=127.0.0.1", &port, &user, &password];
        all.extend(["source-auto-position=1", "source-connect-retry=1"]);
        all.extend(lines);
        Self::replica(server_id, &all).await
    }

    async fn start(role: Role, server_id: u32, lines: &[&str]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("weir-node-").tempdir()?;
        let mut node = Self {
            port: free_port()?,
            role,
            process: None,
            directory,
        };
        let mut file = String::from("[mysqld]\n");
        writeln!(file, "server-id={server_id}")?;
        writeln!(file, "datadir={}", node.data().display())?;
        writeln!(file, "socket={}", node.socket().display())?;
        writeln!(file, "port={}", node.port)?;
        file.push_str("bind-address=127.0.0.1\n");
        for line in lines {
            writeln!(file, "{line}")?;
        }
        std::fs::write(node.option_file(), file)?;
        let initialised = Command::new(binary()?)
            .arg(role.subcommand())
            .arg(format!("--defaults-file={}", node.option_file().display()))
            .arg("--initialize-insecure")
            .output()?;
        ensure(initialised.status.success(), || {
            format!(
                "weir {} --initialize-insecure: {}\n{}",
                role.subcommand(),
                initialised.status,
                String::from_utf8_lossy(&initialised.stderr)
            )
        })?;
        node.launch().await?;
        Ok(node)
    }

    /// Starts the process again after [`Weir::kill`] or [`Weir::stop`] and waits until it answers.
    ///
    /// # Errors
    /// When it ends or does not answer in time.
    pub async fn launch(&mut self) -> Result {
        self.launch_only()?;
        let role = self.role.subcommand();
        let client = ClientOptions::root(self.port);
        let process = &mut self.process;
        wait::until(
            &format!("weir {role} answers on its port"),
            PATIENCE,
            || {
                let ended = process
                    .as_mut()
                    .map(|process| (process.ended(), process.log_tail()));
                let client = client.clone();
                async move {
                    if let Some((Ok(Some(status)), log)) = ended {
                        return Err(Failure::new(format!("ended with {status}:\n{log}")));
                    }
                    Ok(Client::connect(&client).await.map(drop))
                }
            },
        )
        .await
    }

    /// Starts the process without waiting for it.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn launch_only(&mut self) -> Result {
        let role = self.role.subcommand();
        let mut command = Command::new(binary()?);
        command
            .arg(role)
            .arg(format!("--defaults-file={}", self.option_file().display()));
        self.process = Some(Process::start(
            &format!("weir {role}"),
            &mut command,
            &self.log(),
        )?);
        Ok(())
    }

    /// kill -9.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn kill(&mut self) -> Result {
        self.process
            .take()
            .map_or(Ok(()), |mut process| process.kill())
    }

    /// SIGTERM and a clean end.
    ///
    /// # Errors
    /// When it does not end in time or not with 0.
    pub fn stop(&mut self) -> Result {
        self.process
            .take()
            .map_or(Ok(()), |mut process| process.terminate(PATIENCE))
    }

    /// The running process.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// A connection as root.
    ///
    /// # Errors
    /// When the node refuses it; carries the end of the node's log.
    pub async fn client(&self) -> Result<Client> {
        Client::connect(&ClientOptions::root(self.port))
            .await
            .map_err(|failure| self.explain(failure))
    }

    /// The failure with the end of this node's log.
    pub fn explain(&self, failure: Failure) -> Failure {
        match &self.process {
            Some(process) => process.failure(&format!("{failure}")),
            None => failure.during(format!("weir {} (not running)", self.role.subcommand())),
        }
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// The option file.
    pub fn option_file(&self) -> PathBuf {
        self.directory.path().join("weir.cnf")
    }

    /// The binlog files, oldest first.
    ///
    /// # Errors
    /// When the data directory cannot be listed.
    pub fn binlogs(&self) -> Result<Vec<PathBuf>> {
        binlogs(&self.data(), "binlog.")
    }

    /// Keeps the directory on disk, for a look after a failure; returns where it is.
    pub fn keep(self) -> PathBuf {
        let Self {
            mut process,
            directory,
            ..
        } = self;
        drop(process.take());
        directory.keep()
    }

    /// What the process writes to its standard error.
    pub fn log(&self) -> PathBuf {
        self.directory.path().join("weir.log")
    }
}

/// The `weir` program: `$WEIR_BINARY`, or the one of this build, brought up to date once per
/// test process.
///
/// # Errors
/// When it cannot be built.
pub fn binary() -> Result<PathBuf> {
    static BINARY: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
    BINARY
        .get_or_init(|| build().map_err(|failure| failure.to_string()))
        .clone()
        .map_err(Failure::new)
}

fn build() -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os("WEIR_BINARY") {
        return Ok(PathBuf::from(binary));
    }
    // A test runs as target/PROFILE/deps/NAME, a bench likewise.
    let this = std::env::current_exe()?;
    let profile = this
        .parent()
        .and_then(Path::parent)
        .ok_or_else(|| Failure::new(format!("{} is not in a target folder", this.display())))?;
    let is_release = profile.file_name().is_some_and(|name| name == "release");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(peers::workspace())
        .args(["build", "-q", "-p", "cli", "--bin", "weir"]);
    if is_release {
        cargo.arg("--release");
    }
    if let Some(target) = profile.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let output = cargo.output()?;
    ensure(output.status.success(), || {
        format!(
            "cannot build weir:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    Ok(profile.join("weir"))
}
