//! A real PostgreSQL server in a temporary directory.
//!
//! It refuses to run as root, and takes the root of a user namespace that is called something else, so
//! that tests run as whoever runs them. `postgres` is a superuser without a password from loopback.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::failure::{Failure, Result, ensure};
use crate::peers;
use crate::process::{Process, free_port};
use crate::wait::{self, PATIENCE};

/// Its folder among the peers.
const FOLDER: &str = "postgresql-15";

/// A running server. Dropping it kills the process and removes the directory.
pub struct Postgres {
    /// TCP port on the loopback interface.
    pub port: u16,
    options: Vec<String>,
    process: Option<Process>,
    directory: TempDir,
}

impl Postgres {
    /// Starts a fresh server with these further options (`name=value`).
    ///
    /// # Errors
    /// When the peer is missing or does not answer in time.
    pub async fn start(options: &[&str]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("weir-peer-").tempdir()?;
        let template = peers::folder(FOLDER)?.join("template");
        let copied = Command::new("cp")
            .args(["-r", "--reflink=auto"])
            .arg(&template)
            .arg(directory.path().join("data"))
            .status()?;
        ensure(copied.success(), || {
            format!("cannot copy {}", template.display())
        })?;
        let mut server = Self {
            port: free_port()?,
            options: options.iter().map(|&option| option.to_owned()).collect(),
            process: None,
            directory,
        };
        server.launch().await?;
        Ok(server)
    }

    /// Starts the server again after [`Postgres::kill`] or [`Postgres::stop`].
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn launch(&mut self) -> Result {
        let mut command = self.command()?;
        self.process = Some(Process::start(FOLDER, &mut command, &self.log())?);
        let process = &mut self.process;
        let mut psql = psql(self.port)?;
        wait::until("PostgreSQL answers on its port", PATIENCE, || {
            let ended = process
                .as_mut()
                .map(|process| (process.ended(), process.log_tail()));
            let answered = psql.args(["-Atc", "SELECT 1"]).output();
            async move {
                if let Some((Ok(Some(status)), log)) = ended {
                    return Err(Failure::new(format!("ended with {status}:\n{log}")));
                }
                let answered = answered?;
                Ok(match answered.status.success() {
                    true => Ok(()),
                    false => Err(String::from_utf8_lossy(&answered.stderr).into_owned()),
                })
            }
        })
        .await
    }

    /// SIGKILL of the server and of all its sessions: what was not durable is lost.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn kill(&mut self) -> Result {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        let sessions = process.children()?;
        process.kill()?;
        // They would end by themselves, and the next server waits for none of them.
        for session in &sessions {
            let _ = Command::new("kill")
                .args(["-KILL", session])
                .stderr(std::process::Stdio::null())
                .status()?;
        }
        let is_gone = |session: &String| {
            let stat = std::fs::read_to_string(format!("/proc/{session}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        let all_gone = || Ok(sessions.iter().all(is_gone).then_some(()));
        match wait::blocking_until(PATIENCE, all_gone)? {
            Some(()) => Ok(()),
            None => Err(Failure::new("sessions of PostgreSQL outlive their SIGKILL")),
        }
    }

    /// Clean shutdown, which does not wait for those who are connected.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop(&mut self) -> Result {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        process.signal("INT")?;
        let ended = wait::blocking_until(PATIENCE, || process.ended())?;
        match ended {
            Some(_) => Ok(()),
            None => Err(process.failure("still runs after SIGINT")),
        }
    }

    /// What psql prints for these statements: a line per row, columns divided by `|`, NULL as `NULL`.
    ///
    /// # Errors
    /// What the server answered.
    pub fn query(&self, sql: &str) -> Result<String> {
        let output = psql(self.port)?
            .args(["-v", "ON_ERROR_STOP=1", "-P", "null=NULL", "-Atc", sql])
            .output()?;
        if output.status.success() {
            let text = String::from_utf8(output.stdout)?;
            return Ok(text.trim_end_matches('\n').to_owned());
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Failure::new(text).during(sql.to_owned()))
    }

    /// The option `target` of a replica that writes here.
    #[must_use]
    pub fn target(&self) -> String {
        format!(
            "target=postgres://postgres@127.0.0.1:{}/postgres",
            self.port
        )
    }

    /// Where its Unix socket is.
    #[must_use]
    pub fn socket_directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("error.log")
    }

    fn command(&self) -> Result<Command> {
        let program = peers::folder(FOLDER)?.join("bin/postgres");
        let mut command = match std::fs::metadata("/proc/self")?.uid() {
            0 => {
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-user=1000", "--map-group=1000"]);
                command.arg(program);
                command
            }
            _ => Command::new(program),
        };
        let directory = self.directory.path();
        command
            .args(["-D".as_ref(), directory.join("data").as_os_str()])
            .args(["-k".as_ref(), directory.as_os_str()])
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"]);
        for option in &self.options {
            command.args(["-c", option]);
        }
        Ok(command)
    }
}

/// psql, about to connect as the superuser.
fn psql(port: u16) -> Result<Command> {
    let program = peers::folder(FOLDER)?.join("bin/psql");
    let mut command = Command::new(program);
    command.args(["-X", "-h", "127.0.0.1", "-U", "postgres", "-p"]);
    command.arg(port.to_string());
    Ok(command)
}
