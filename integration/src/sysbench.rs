//! sysbench runs against any server of the tests.

use std::process::Stdio;
use std::time::Duration;

use crate::failure::{Failure, Result, ensure};
use crate::peers;

/// What to run, on which server.
#[derive(Clone, Debug)]
pub struct Sysbench {
    /// `oltp_read_write`, `oltp_insert`, ...
    pub script: &'static str,
    /// TCP port of the server; the database `sbtest` must exist.
    pub port: u16,
    /// Number of tables.
    pub tables: u32,
    /// Rows per table at the start.
    pub rows: u32,
    /// Client connections.
    pub threads: u32,
    /// Length of the run.
    pub span: Duration,
    /// `auto` (server-side prepared statements) or `disable` (text protocol).
    pub prepared_statements: &'static str,
}

/// Which server a run is for.
#[derive(Clone, Copy, Debug)]
enum Server {
    MySql,
    Postgres,
}

/// The figures of a run.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Transactions per second.
    pub transactions_per_second: f64,
    /// Transactions in all.
    pub transactions: u64,
    /// Errors that sysbench may meet on any MySQL server (lock wait timeout, deadlock).
    pub ignored_errors: u64,
}

impl Sysbench {
    /// Creates and fills the tables.
    ///
    /// # Errors
    /// sysbench's own words.
    pub async fn prepare(&self) -> Result {
        self.command("prepare", Server::MySql).await.map(drop)
    }

    /// The same on the PostgreSQL server on the port, in the schema `public` of the database `postgres`.
    ///
    /// # Errors
    /// sysbench's own words.
    pub async fn prepare_on_postgres(&self) -> Result {
        self.command("prepare", Server::Postgres).await.map(drop)
    }

    /// Runs the load to its end.
    ///
    /// # Errors
    /// sysbench's own words: any error of the server besides 1205, 1213 and 1020 ends it.
    pub async fn run(&self) -> Result<Figures> {
        let text = self.command("run", Server::MySql).await?;
        figures(&text).ok_or_else(|| Failure::new(format!("sysbench printed no figures:\n{text}")))
    }

    /// The same on the PostgreSQL server on the port.
    ///
    /// # Errors
    /// sysbench's own words.
    pub async fn run_on_postgres(&self) -> Result<Figures> {
        let text = self.command("run", Server::Postgres).await?;
        figures(&text).ok_or_else(|| Failure::new(format!("sysbench printed no figures:\n{text}")))
    }

    /// Runs the load at so many transactions per second, or fewer when the server takes no more.
    ///
    /// # Errors
    /// sysbench's own words.
    pub async fn run_at(&self, rate: u32) -> Result<Figures> {
        let rate = [format!("--rate={rate}")];
        let text = self.command_with("run", Server::MySql, &rate).await?;
        figures(&text).ok_or_else(|| Failure::new(format!("sysbench printed no figures:\n{text}")))
    }

    async fn command(&self, command: &str, server: Server) -> Result<String> {
        self.command_with(command, server, &[]).await
    }

    async fn command_with(&self, command: &str, server: Server, more: &[String]) -> Result<String> {
        let mut sysbench = peers::client_program("sysbench")?;
        let script =
            peers::folder("clients")?.join(format!("root/usr/share/sysbench/{}.lua", self.script));
        sysbench.arg(script).arg(command).args([
            format!("--tables={}", self.tables),
            format!("--table-size={}", self.rows),
            format!(
                "--threads={}",
                if command == "run" {
                    self.threads
                } else {
                    self.tables
                }
            ),
            format!("--time={}", self.span.as_secs()),
            format!("--db-ps-mode={}", self.prepared_statements),
        ]);
        let (driver, user, database) = match server {
            Server::MySql => ("mysql", "root", "sbtest"),
            Server::Postgres => ("pgsql", "postgres", "postgres"),
        };
        sysbench.args([
            format!("--db-driver={driver}"),
            format!("--{driver}-host=127.0.0.1"),
            format!("--{driver}-port={}", self.port),
            format!("--{driver}-user={user}"),
            format!("--{driver}-db={database}"),
        ]);
        sysbench.args(more).stdin(Stdio::null());
        let output = tokio::process::Command::from(sysbench)
            .kill_on_drop(true)
            .output()
            .await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let has_fatal = text.contains("FATAL:");
        ensure(output.status.success() && !has_fatal, || {
            let complaint: Vec<&str> = text
                .lines()
                .filter(|line| line.contains("FATAL"))
                .take(5)
                .collect();
            format!(
                "sysbench {} {command}: {}\n{}\n{}",
                self.script,
                output.status,
                if complaint.is_empty() {
                    text.clone()
                } else {
                    complaint.join("\n")
                },
                String::from_utf8_lossy(&output.stderr)
            )
        })?;
        Ok(text)
    }
}

fn figures(text: &str) -> Option<Figures> {
    let line = |name: &str| {
        text.lines()
            .find(|line| line.trim_start().starts_with(name))
    };
    // "    transactions:                        1234   (123.40 per sec.)"
    let transactions = line("transactions:")?;
    let mut words = transactions.split_whitespace().skip(1);
    let count = words.next()?.parse().ok()?;
    let rate = words.next()?.trim_start_matches('(').parse().ok()?;
    let ignored = line("ignored errors:")?
        .split_whitespace()
        .nth(2)?
        .parse()
        .ok()?;
    Some(Figures {
        transactions_per_second: rate,
        transactions: count,
        ignored_errors: ignored,
    })
}

#[cfg(test)]
mod tests {
    use super::figures;

    #[test]
    fn reads_the_figures_of_a_run() {
        let text = "SQL statistics:\n    transactions:                        420    (41.97 per sec.)\n    \
                    ignored errors:                      3      (0.30 per sec.)\n";
        let figures = figures(text).unwrap();
        assert_eq!((figures.transactions, figures.ignored_errors), (420, 3));
        assert!((figures.transactions_per_second - 41.97).abs() < 1e-9);
    }
}
