//! One child process with its output in a file: start, signal, wait, and never leave it behind.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::wait;

/// A running child. Dropping it kills it.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with stdout and stderr appended to `log`.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be started.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|error| Failure::from(error).during(format!("start {command:?}")))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    /// The exit status, when it has ended.
    ///
    /// # Errors
    /// When the operating system cannot say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// SIGKILL, and waits for the end: what the process had not made durable is lost.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn kill(&mut self) -> Result {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits at most `limit` for a clean end.
    ///
    /// # Errors
    /// When it does not end in time or ends with a failure.
    pub fn terminate(&mut self, limit: Duration) -> Result {
        self.signal("TERM")?;
        match wait::blocking_until(limit, || Ok(self.child.try_wait()?))? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.failure(&format!("ended with {status} after SIGTERM"))),
            None => Err(self.failure(&format!("still runs {} s after SIGTERM", limit.as_secs()))),
        }
    }

    /// Sends the signal of this name (`TERM`, `HUP`, `STOP`, `CONT`).
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn signal(&self, signal: &str) -> Result {
        let status = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(self.child.id().to_string())
            .status()?;
        if status.success() {
            return Ok(());
        }
        Err(self.failure(&format!("cannot send SIG{signal}")))
    }

    /// The processes that it has started and that run.
    ///
    /// # Errors
    /// When the process is gone or /proc cannot be read.
    pub fn children(&self) -> Result<Vec<String>> {
        let id = self.child.id();
        let path = format!("/proc/{id}/task/{id}/children");
        let children = std::fs::read_to_string(path)?;
        Ok(children.split_whitespace().map(str::to_owned).collect())
    }

    /// Resident memory in bytes.
    ///
    /// # Errors
    /// When the process is gone or /proc cannot be read.
    pub fn resident_bytes(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    /// The most resident memory that it ever had, in bytes.
    ///
    /// # Errors
    /// When the process is gone or /proc cannot be read.
    pub fn peak_bytes(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    /// How many descriptors it has open.
    ///
    /// # Errors
    /// When the process is gone or /proc cannot be read.
    pub fn descriptors(&self) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// Seconds of a processor that it has taken so far, by the kernel's count of hundredths.
    ///
    /// # Errors
    /// When the process is gone or /proc cannot be read.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in front may hold blanks; `utime` and `stime` are fields 14 and 15.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: Vec<f64> = ticks.filter_map(|field| field.parse().ok()).collect();
        Ok(ticks.iter().sum::<f64>() / 100.0)
    }

    fn memory(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|kilobytes| kilobytes.parse::<u64>().ok())
            .map(|kilobytes| kilobytes * 1024)
            .ok_or_else(|| self.failure(&format!("has no {name} in /proc")))
    }

    /// A failure that carries the end of this process's log.
    pub fn failure(&self, what: &str) -> Failure {
        Failure::new(format!(
            "{} {what}; its log ends with:\n{}",
            self.name,
            self.log_tail()
        ))
    }

    /// The last lines of the log.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(25);
        lines.get(from..).unwrap_or_default().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about a child that is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A TCP port of the loopback interface that was free a moment ago.
///
/// # Errors
/// When the operating system has none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
