//! The target's own replication channel, in the words of its vendor.

use std::time::{Duration, Instant};

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

/// How long logging in may take.
const LOGIN: Duration = Duration::from_secs(10);

/// How far two readings of when a server was started may lie apart: it tells whole seconds.
const START_TOLERANCE: Duration = Duration::from_secs(2);

/// What a server counts since it was started.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    seconds: u64,
    connections: u64,
    questions: u64,
}

impl Counted {
    fn read(status: &Rows) -> Self {
        let value = |name: &str| {
            let is_it = |row: &usize| status.text(*row, "Variable_name").as_deref() == Some(name);
            let row = (0..status.rows.len()).find(is_it)?;
            status.text(row, "Value")?.parse().ok()
        };
        Self {
            seconds: value("Uptime").unwrap_or(0),
            connections: value("Connections").unwrap_or(0),
            questions: value("Questions").unwrap_or(0),
        }
    }

    /// Whether the server was started anew since `before`, which was read so long ago.
    fn is_of_another_start(self, before: &Self, ago: Duration) -> bool {
        let expected = Duration::from_secs(before.seconds) + ago;
        Duration::from_secs(self.seconds) + START_TOLERANCE < expected
            || self.connections < before.connections
            || self.questions < before.questions
    }
}

/// A connection that steers the channel. One that was lost is made anew by the next question.
pub(super) struct Channel {
    server: Server,
    is_mariadb: bool,
    client: Option<Client>,
    /// When it was connected to last, and what the server had counted by then.
    counted: Option<(Instant, Counted)>,
    /// How often the server was started anew between two connections.
    restarts: u32,
    runtime: Handle,
}

impl Channel {
    /// Connects, and keeps others from doing the same.
    pub(super) fn open(
        server: &Server,
        is_mariadb: bool,
        runtime: &Handle,
    ) -> Result<Self, Failure> {
        let mut channel = Self {
            server: server.clone(),
            is_mariadb,
            client: None,
            counted: None,
            restarts: 0,
            runtime: runtime.clone(),
        };
        match channel.connect()? {
            true => Ok(channel),
            false => Err(channel.refused("another weir replay --mode replication is at work")),
        }
    }

    /// Connects, and sees whether the server was started anew meanwhile. False if another one steers
    /// the channel.
    fn connect(&mut self) -> Result<bool, Failure> {
        let runtime = self.runtime.clone();
        let failed = |error: &ClientError| failed(&self.server.name, error);
        let client = runtime.block_on(async {
            let connecting = tokio::time::timeout(LOGIN, self.server.connect(WITHIN));
            let late = |_| Err(ClientError::Lost("no answer to the login".to_owned()));
            connecting.await.unwrap_or_else(late)
        });
        let mut client = client.map_err(|error| failed(&error))?;
        let lock = format!("SELECT GET_LOCK('{CHANNEL}', 0)");
        let is_held = runtime.block_on(client.scalar(&lock));
        if is_held.map_err(|error| failed(&error))?.as_deref() != Some("1") {
            return Ok(false);
        }
        let status = runtime.block_on(client.query("SHOW GLOBAL STATUS"));
        let counted = Counted::read(&status.map_err(|error| failed(&error))?);
        if let Some((at, before)) = &self.counted
            && counted.is_of_another_start(before, at.elapsed())
        {
            self.restarts += 1;
        }
        self.counted = Some((Instant::now(), counted));
        self.client = Some(client);
        Ok(true)
    }

    /// How often the server was started anew between two connections.
    pub(super) const fn restarts(&self) -> u32 {
        self.restarts
    }

    /// The refusal of this target.
    pub(super) fn refused(&self, why: &str) -> Failure {
        Failure::Usage(format!(
            "refused, nothing was changed:\n{}: {why}",
            self.server.name
        ))
    }

    fn ask(&mut self, sql: &str) -> Result<Rows, Failure> {
        if self.client.is_none() && !self.connect()? {
            // The session that was lost may hold it until the server misses it.
            let text = format!("{}: another session steers {CHANNEL}", self.server.name);
            return Err(Failure::Passing(text));
        }
        let Some(client) = self.client.as_mut() else {
            return Err(Failure::Passing(format!("{}: lost", self.server.name)));
        };
        let answer = self.runtime.block_on(client.query(sql));
        answer.map_err(|error| {
            let failure = failed(&self.server.name, &error);
            if let Failure::Passing(_) = failure {
                self.client = None;
            }
            failure
        })
    }

    fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.ask(sql).map(drop)
    }

    /// A global variable; `None` where the target has none of that name.
    pub(super) fn variable(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let rows = self.ask(&format!("SHOW GLOBAL VARIABLES LIKE '{name}'"))?;
        Ok(rows.first("Value"))
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
        self.ask(&sql).ok()?.first("LAST_ERROR_MESSAGE")
    }

    /// What the channel says; `None` where there is none.
    pub(super) fn status(&mut self) -> Result<Option<Status>, Failure> {
        let (sql, name) = match self.is_mariadb {
            true => ("SHOW ALL SLAVES STATUS", "Connection_name"),
            false => ("SHOW REPLICA STATUS", "Channel_Name"),
        };
        let rows = self.ask(sql)?;
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

    /// Stops and removes it, if it is there.
    pub(super) fn remove_if_there(&mut self) -> Result<(), Failure> {
        match self.status()? {
            None => Ok(()),
            Some(left) if left.user.starts_with(USER_PREFIX) => self.remove(),
            Some(_) => {
                let text = format!("it has a channel {CHANNEL} that is not of this program");
                Err(self.refused(&text))
            }
        }
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

/// What a server did not do: a lost connection, and a server that goes down or has no room, pass.
fn failed(name: &str, error: &ClientError) -> Failure {
    let text = format!("{name}: {error}");
    match error.code() {
        None | Some(1040 | 1053 | 1077 | 1079 | 1317 | 1927) => Failure::Passing(text),
        Some(_) => Failure::Failed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_counts_less_was_started_anew() {
        let counted = |seconds, connections, questions| Counted {
            seconds,
            connections,
            questions,
        };
        let before = counted(100, 7, 50);
        let ago = Duration::from_millis(5900);
        for (now, expected) in [
            (counted(105, 8, 60), false),
            (counted(104, 7, 50), false),
            (counted(103, 9, 90), true),
            (counted(106, 6, 60), true),
            (counted(106, 8, 49), true),
        ] {
            assert_eq!(now.is_of_another_start(&before, ago), expected, "{now:?}");
        }
    }
}
