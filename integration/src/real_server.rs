//! A real MySQL or MariaDB server in a temporary directory.
//!
//! Each start copies the peer's initialised data directory, so that a server is there within about
//! a second, with root allowed from everywhere without a password.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::failure::{Failure, Result, ensure};
use crate::peers::{self, Peer};
use crate::process::{Process, free_port};
use crate::sql::{Client, ClientOptions};
use crate::wait::{self, PATIENCE};

/// A running server. Dropping it kills the process and removes the directory.
pub struct RealServer {
    /// Which product it is.
    pub peer: Peer,
    /// TCP port on the loopback interface.
    pub port: u16,
    options: Vec<String>,
    /// Where it finds programs of its own, if it has any.
    programs: Option<PathBuf>,
    process: Option<Process>,
    directory: TempDir,
}

impl RealServer {
    /// Starts a fresh server with a row-format binlog (`binlog.000001`), GTIDs on where the product
    /// has them by option (not MySQL 5.6, see [`GTIDS_OF_MYSQL_56`]), and these further options (`--name=value`).
    ///
    /// # Errors
    /// When the peer is missing or does not answer in time.
    pub async fn start(peer: Peer, server_id: u32, options: &[&str]) -> Result<Self> {
        let mut server = Self::prepare(peer, server_id, options)?;
        server.launch().await?;
        Ok(server)
    }

    /// [`RealServer::start`] without launching it, so that its directory can be changed before.
    ///
    /// # Errors
    /// When the peer is missing.
    pub fn prepare(peer: Peer, server_id: u32, options: &[&str]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("weir-peer-").tempdir()?;
        let template = peers::folder(peer.folder())?.join("template");
        let copied = Command::new("cp")
            .args(["-r", "--reflink=auto"])
            .arg(&template)
            .arg(directory.path().join("data"))
            .status()?;
        ensure(copied.success(), || {
            format!("cannot copy {}", template.display())
        })?;
        let mut server = Self {
            peer,
            port: free_port()?,
            options: vec![format!("--server-id={server_id}")],
            programs: None,
            process: None,
            directory,
        };
        server
            .options
            .extend(options.iter().map(|&option| option.to_owned()));
        Ok(server)
    }

    /// Gives a MySQL server that is not launched yet its own copy of a keyring file, through
    /// `component_keyring_file`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn use_keyring(&mut self, keyring: &Path) -> Result {
        let home = self.home();
        std::fs::create_dir_all(&home)?;
        let own = home.join("keyring");
        std::fs::copy(keyring, &own)?;
        let plugin = "component_keyring_file.so";
        let plugins = peers::folder(self.peer.folder())?.join("root/usr/lib/mysql/plugin");
        std::fs::copy(plugins.join(plugin), home.join(plugin))?;
        let path = own.display();
        std::fs::write(
            home.join("component_keyring_file.cnf"),
            format!(r#"{{"path": "{path}", "read_only": false}}"#),
        )?;
        // The server looks for it in its working directory.
        let manifest = r#"{"components": "file://component_keyring_file"}"#;
        std::fs::write(home.join("mysqld.my"), manifest)?;
        self.options
            .push(format!("--plugin-dir={}", home.display()));
        Ok(())
    }

    /// Puts options behind those of before; what a later launch takes.
    pub(crate) fn add_options(&mut self, options: impl IntoIterator<Item = String>) {
        self.options.extend(options);
    }

    /// Has the process find programs in this folder first.
    pub(crate) fn use_programs(&mut self, folder: &Path) {
        self.programs = Some(folder.to_owned());
    }

    /// The working directory of the process.
    fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Seconds of a processor that the process has taken so far.
    ///
    /// # Errors
    /// When it does not run.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let process = self.process.as_ref();
        process.map_or_else(
            || Err(Failure::new("the server does not run")),
            Process::cpu_seconds,
        )
    }

    /// Starts the server again after [`RealServer::kill`] or [`RealServer::stop`].
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn launch(&mut self) -> Result {
        self.launch_within(PATIENCE).await
    }

    /// [`RealServer::launch`] with another limit.
    pub(crate) async fn launch_within(&mut self, limit: Duration) -> Result {
        let mut command = self.command()?;
        let name = self.peer.folder();
        self.process = Some(Process::start(name, &mut command, &self.log())?);
        let client = ClientOptions::root(self.port);
        let process = &mut self.process;
        wait::until(&format!("{name} answers on its port"), limit, || {
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
        })
        .await
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

    /// Clean shutdown.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop(&mut self) -> Result {
        self.process
            .take()
            .map_or(Ok(()), |mut process| process.terminate(PATIENCE))
    }

    /// A connection as root.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn client(&self) -> Result<Client> {
        Client::connect(&ClientOptions::root(self.port)).await
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// The binlog files, oldest first.
    ///
    /// # Errors
    /// When the data directory cannot be listed.
    pub fn binlogs(&self) -> Result<Vec<PathBuf>> {
        binlogs(&self.data(), "binlog.")
    }

    /// What the process says.
    pub(crate) fn log(&self) -> PathBuf {
        self.directory.path().join("error.log")
    }

    /// What starts it.
    pub(crate) fn command(&self) -> Result<Command> {
        let base = peers::folder(self.peer.folder())?.join("root/usr");
        let (program, share) = match self.peer {
            Peer::MySql97 | Peer::MySql56 => ("mysqld", base.join("share/mysql")),
            Peer::MariaDb1011 => ("mariadbd", base.join("share/mysql")),
            Peer::MariaDb118 => ("mariadbd", base.join("share/mariadb")),
        };
        let mut command = self.peer.program(program)?;
        if self.home().is_dir() {
            command.current_dir(self.home());
        }
        if let Some(programs) = &self.programs {
            let path = std::env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{}:{path}", programs.display()));
        }
        command.arg("--no-defaults").args([
            format!("--basedir={}", base.display()),
            format!("--lc-messages-dir={}", share.display()),
            format!("--character-sets-dir={}", share.join("charsets").display()),
            format!("--plugin-dir={}", base.join("lib/mysql/plugin").display()),
            format!("--datadir={}", self.data().display()),
            format!("--socket={}", self.socket().display()),
            format!("--pid-file={}", self.directory.path().join("pid").display()),
            format!("--port={}", self.port),
        ]);
        // A MariaDB that starts deletes the temporary tables of those that run beside it.
        let scratch = self.directory.path().join("tmp");
        std::fs::create_dir_all(&scratch)?;
        command.arg(format!("--tmpdir={}", scratch.display()));
        command.args([
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--log-bin=binlog",
            "--binlog-format=ROW",
            "--innodb-buffer-pool-size=128M",
            "--max-connections=200",
        ]);
        if std::fs::metadata("/proc/self")?.uid() == 0 {
            command.arg("--user=root");
        }
        command.arg("--innodb-flush-log-at-trx-commit=2");
        match self.peer {
            Peer::MariaDb1011 | Peer::MariaDb118 => {
                command.arg("--innodb-log-file-size=64M");
            }
            Peer::MySql97 => {
                command.args([
                    "--mysqlx=OFF",
                    "--secure-file-priv=NULL",
                    "--gtid-mode=ON",
                    "--enforce-gtid-consistency=ON",
                    "--sync-binlog=0",
                    "--innodb-redo-log-capacity=128M",
                ]);
            }
            // The redo log is as large as the copied directory's: another size is a slow start.
            Peer::MySql56 => {
                command.args(["--sync-binlog=0", "--innodb-log-file-size=16M"]);
            }
        }
        command.args(&self.options);
        Ok(command)
    }
}

/// What makes MySQL 5.6 number its transactions.
pub const GTIDS_OF_MYSQL_56: [&str; 3] = [
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    "--log-slave-updates=ON",
];

/// The files of `directory` that are named `base` and a number, in order.
pub(crate) fn binlogs(directory: &Path, base: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_log = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix(base))
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
        if is_log {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
