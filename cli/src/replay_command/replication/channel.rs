//! The target's own replication channel, in the words of its vendor.

use std::time::Duration;

use binlog::log::LogPosition;
use gtid::GtidSet;
use server::log_source::LogSource;
use tokio::runtime::Handle;

use super::CHANNEL;
use crate::client::{Client, ClientError, Rows, Server};
use crate::exit::Failure;

/// What the name of its account begins with: a channel with another account is not ours.
pub(super) const USER_PREFIX: &str = "weir_replay_";

/// How long an answer may take: a replica that is stopped ends its transaction first.
const WITHIN: Duration = Duration::from_secs(600);

/// What the channel says of itself.
#[derive(Debug, Default)]
pub(super) struct Status {
    pub(super) user: String,
    pub(super) receives: bool,
    pub(super) applies: bool,
    pub(super) receiver_error: Option<String>,
    pub(super) applier_error: Option<String>,
    pub(super) file: String,
    pub(super) offset: u64,
    /// Whether rules of the target leave something out.
    pub(super) is_filtered: bool,
}

/// A connection that steers the channel.
pub(super) struct Channel {
    name: String,
    is_mariadb: bool,
    client: Client,
    runtime: Handle,
}

impl Channel {
    /// Connects, and keeps others from doing the same.
    pub(super) fn open(
        server: &Server,
        is_mariadb: bool,
        runtime: &Handle,
    ) -> Result<Self, Failure> {
        let client = runtime.block_on(server.connect(WITHIN));
        let client = client.map_err(|error| Failure::failed(&server.name, error))?;
        let mut channel = Self {
            name: server.name.clone(),
            is_mariadb,
            client,
            runtime: runtime.clone(),
        };
        let lock = format!("SELECT GET_LOCK('{CHANNEL}', 0)");
        match channel.scalar(&lock)?.as_deref() {
            Some("1") => Ok(channel),
            Some(_) | None => {
                Err(channel.refused("another weir replay --mode replication is at work"))
            }
        }
    }

    /// The refusal of this target.
    pub(super) fn refused(&self, why: &str) -> Failure {
        Failure::Usage(format!(
            "refused, nothing was changed:\n{}: {why}",
            self.name
        ))
    }

    fn ask(&mut self, sql: &str) -> Result<Rows, ClientError> {
        self.runtime.block_on(self.client.query(sql))
    }

    fn run(&mut self, sql: &str) -> Result<(), Failure> {
        match self.ask(sql) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::failed(&self.name, error)),
        }
    }

    fn scalar(&mut self, sql: &str) -> Result<Option<String>, Failure> {
        let answer = self.runtime.block_on(self.client.scalar(sql));
        answer.map_err(|error| Failure::failed(&self.name, error))
    }

    /// A global variable; `None` where the target has none of that name.
    pub(super) fn variable(&mut self, name: &str) -> Result<Option<String>, Failure> {
        match self.ask(&format!("SHOW GLOBAL VARIABLES LIKE '{name}'")) {
            Ok(rows) => Ok(rows.first("Value")),
            Err(error) => Err(Failure::failed(&self.name, error)),
        }
    }

    /// What the worker says that failed: MySQL's own word, with the GTID.
    pub(super) fn worker_error(&mut self) -> Option<String> {
        if self.is_mariadb {
            return None;
        }
        let sql = format!(
            "SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_applier_status_by_worker \
             WHERE CHANNEL_NAME = '{CHANNEL}' AND LAST_ERROR_NUMBER <> 0"
        );
        self.scalar(&sql).ok().flatten()
    }

    /// What the channel says; `None` where there is none.
    pub(super) fn status(&mut self) -> Result<Option<Status>, Failure> {
        let (sql, name) = match self.is_mariadb {
            true => ("SHOW ALL SLAVES STATUS", "Connection_name"),
            false => ("SHOW REPLICA STATUS", "Channel_Name"),
        };
        let rows = match self.ask(sql) {
            Ok(rows) => rows,
            Err(error) => return Err(Failure::failed(&self.name, error)),
        };
        let found =
            (0..rows.rows.len()).find(|&row| rows.text(row, name).as_deref() == Some(CHANNEL));
        Ok(found.map(|row| self.read(&rows, row)))
    }

    fn read(&self, rows: &Rows, row: usize) -> Status {
        let text = |column: &str| rows.text(row, column).unwrap_or_default();
        let by_vendor = |mysql: &str, mariadb: &str| match self.is_mariadb {
            true => text(mariadb),
            false => text(mysql),
        };
        let error = |number: &str, what: &str| match text(number).as_str() {
            "" | "0" => None,
            number => Some(format!("error {number}: {}", text(what))),
        };
        let offset = by_vendor("Exec_Source_Log_Pos", "Exec_Master_Log_Pos");
        let rules = [
            "Replicate_Do_DB",
            "Replicate_Ignore_DB",
            "Replicate_Do_Table",
            "Replicate_Ignore_Table",
            "Replicate_Wild_Do_Table",
            "Replicate_Wild_Ignore_Table",
            "Replicate_Rewrite_DB",
        ];
        Status {
            user: by_vendor("Source_User", "Master_User"),
            receives: by_vendor("Replica_IO_Running", "Slave_IO_Running") != "No",
            applies: by_vendor("Replica_SQL_Running", "Slave_SQL_Running") != "No",
            receiver_error: error("Last_IO_Errno", "Last_IO_Error"),
            applier_error: error("Last_SQL_Errno", "Last_SQL_Error"),
            file: by_vendor("Relay_Source_Log_File", "Relay_Master_Log_File"),
            offset: offset.parse().unwrap_or(0),
            is_filtered: rules.iter().any(|rule| !text(rule).is_empty()),
        }
    }

    /// Makes the channel, which begins at `first` where it goes by file and position.
    pub(super) fn make(
        &mut self,
        source: &LogSource,
        host: &str,
        first: &str,
    ) -> Result<(), Failure> {
        let (user, port) = (&source.user, source.address.port());
        let sql = match self.is_mariadb {
            true => format!(
                "CHANGE MASTER '{CHANNEL}' TO MASTER_HOST='{host}', MASTER_PORT={port}, \
                 MASTER_USER='{user}', MASTER_PASSWORD='{}', MASTER_LOG_FILE='{first}', \
                 MASTER_LOG_POS=4, MASTER_USE_GTID=no, MASTER_SSL=1, \
                 MASTER_SSL_VERIFY_SERVER_CERT=0, MASTER_CONNECT_RETRY=1",
                source.password()
            ),
            false => format!(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST='{host}', SOURCE_PORT={port}, \
                 SOURCE_USER='{user}', SOURCE_SSL=1, SOURCE_AUTO_POSITION=1, \
                 SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=30 FOR CHANNEL '{CHANNEL}'"
            ),
        };
        self.run(&sql)
    }

    /// Starts it, up to the end. MySQL is told the password here, so that it keeps it nowhere.
    pub(super) fn start(
        &mut self,
        source: &LogSource,
        gtids: &GtidSet,
        end: &LogPosition,
    ) -> Result<(), Failure> {
        let sql = match self.is_mariadb {
            true => format!(
                "START SLAVE '{CHANNEL}' UNTIL MASTER_LOG_FILE='{}', MASTER_LOG_POS={}",
                end.file.as_str(),
                end.offset
            ),
            false => format!(
                "START REPLICA UNTIL SQL_AFTER_GTIDS='{gtids}' USER='{}' PASSWORD='{}' \
                 FOR CHANNEL '{CHANNEL}'",
                source.user,
                source.password()
            ),
        };
        self.run(&sql)
    }

    /// Stops it, behind the transaction that is applied just now.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        self.run(&match self.is_mariadb {
            true => format!("STOP SLAVE '{CHANNEL}'"),
            false => format!("STOP REPLICA FOR CHANNEL '{CHANNEL}'"),
        })
    }

    /// Stops and removes it.
    pub(super) fn remove(&mut self) -> Result<(), Failure> {
        self.stop()?;
        self.run(&self.removal())
    }

    /// The statement that removes it.
    pub(super) fn removal(&self) -> String {
        match self.is_mariadb {
            true => format!("RESET SLAVE '{CHANNEL}' ALL"),
            false => format!("RESET REPLICA ALL FOR CHANNEL '{CHANNEL}'"),
        }
    }
}
