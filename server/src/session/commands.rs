//! The loop of a session: reads a command, lets the part that knows it answer, and ends the session
//! when its time is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::outcome::Outcome;
use protocol::{Capabilities, Command};
use sql::error::SqlError;

use super::answer::packet;
use super::{Flow, ReadLock, Session, admit, who};
use crate::result::RowFormat;
use crate::variables::VariableValue;

impl Session {
    /// Serves commands until the client or the node ends the session.
    pub(crate) async fn run(mut self) {
        loop {
            self.idle();
            let timeout = self.idle_timeout();
            self.connection.set_timeouts(
                self.seconds("net_read_timeout"),
                self.seconds("net_write_timeout"),
            );
            let process = Arc::clone(&self.registered.process);
            let command = tokio::select! {
                biased;
                () = process.killed() => break,
                command = tokio::time::timeout(timeout, self.connection.read_command()) => command,
            };
            let command = match command {
                Ok(Ok(Some(command))) => command,
                Ok(Ok(None)) | Err(_) => break,
                Ok(Err(error)) => {
                    tracing::debug!(connection = self.context.connection_id, %error, "session broke");
                    break;
                }
            };
            match self.handle(command).await {
                Ok(Flow::Continue) if !self.is_closing && !process.is_killed() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::debug!(connection = self.context.connection_id, %error, "session broke");
                    break;
                }
            }
        }
        self.end().await;
    }

    fn idle(&self) {
        let database = self.context.database.clone();
        self.registered.process.set(|activity| {
            activity.database = database;
            activity.command = "Sleep";
            activity.state = "";
            activity.info = None;
            activity.since = Instant::now();
        });
    }

    fn idle_timeout(&self) -> Duration {
        let mut timeout = if self
            .connection
            .capabilities()
            .has(Capabilities::INTERACTIVE)
        {
            self.seconds("interactive_timeout")
        } else {
            self.seconds("wait_timeout")
        };
        let limit = u64::from(self.node.settings.idle_transaction_timeout);
        // A transaction that writes holds up writers, as LOCK TABLES does; one that reads keeps the
        // log of changes long.
        let locks_tables = matches!(
            self.read_lock,
            Some((ReadLock::Tables | ReadLock::Others, _))
        );
        let has_snapshot = self.transaction.snapshot.is_some();
        if limit > 0 && (self.transaction.is_at_executor || has_snapshot || locks_tables) {
            timeout = timeout.min(Duration::from_secs(limit));
        }
        timeout
    }

    /// The session's value of a timeout.
    fn seconds(&self, name: &str) -> Duration {
        let seconds = match self.variables.get(name) {
            Some(VariableValue::Number(seconds)) => seconds,
            _ => 28_800,
        };
        Duration::from_secs(seconds)
    }

    async fn handle(&mut self, command: Command) -> Result<Flow, protocol::Error> {
        self.refresh_account();
        match command {
            Command::Query { sql, .. } => self.query(sql).await?,
            Command::StmtPrepare { sql } => self.stmt_prepare(&sql).await,
            Command::StmtExecute {
                statement_id,
                params,
                ..
            } => {
                self.stmt_execute(statement_id, params).await?;
            }
            Command::StmtClose { statement_id } => drop(self.prepared.remove(&statement_id)),
            Command::StmtReset { .. } => self.send_ok(&Outcome::done(), false),
            Command::InitDb { database } => {
                let result = self.use_database(&database).map(|()| Outcome::done());
                self.answer(result, RowFormat::Text, false).await?;
            }
            Command::Ping => self.send_ok(&Outcome::done(), false),
            Command::Quit => return Ok(Flow::Close),
            Command::ResetConnection => {
                let database = self.context.database.clone();
                return self.restart(None, database).await;
            }
            Command::ChangeUser { database, charset } => {
                let host = self.connection.peer().host.clone();
                match admit(&self.node, &self.connection, &host) {
                    Ok(account) => {
                        let who = who(&self.connection, &account);
                        self.registered.process.change_user(who);
                        self.account = account;
                    }
                    Err(error) => {
                        self.connection.send_err(&packet(&error));
                        return Ok(Flow::Close);
                    }
                }
                return self.restart(charset, database).await;
            }
            Command::FieldList { table, pattern } => self.field_list(&table, &pattern),
            Command::Statistics => {
                let text = crate::show::statistics(&self.node);
                self.connection.send_statistics(&text);
            }
            Command::SetOption { .. } => {
                let status = self.status();
                self.connection.send_eof(status, 0);
            }
            Command::ProcessKill { connection_id } => {
                let sql = format!("KILL {connection_id}");
                self.query(sql.into_bytes()).await?;
            }
            Command::Debug => {
                let status = self.status();
                self.connection.send_eof(status, 0);
            }
            Command::Refresh { flags } => self.refresh(flags).await?,
            Command::Shutdown => {
                let error = SqlError::not_supported("COM_SHUTDOWN");
                self.connection.send_err(&packet(&error));
            }
            Command::RegisterReplica(replica) => self.register_replica(replica),
            Command::BinlogDump(dump) => return self.dump_by_position(&dump).await,
            Command::BinlogDumpGtid(dump) => return self.dump_by_gtids(&dump).await,
            _ => self
                .connection
                .send_err(&packet(&SqlError::unknown_command())),
        }
        Ok(Flow::Continue)
    }

    async fn restart(
        &mut self,
        charset: Option<u16>,
        database: Option<String>,
    ) -> Result<Flow, protocol::Error> {
        let rolled_back = self.roll_back().await;
        let begun = rolled_back.and_then(|()| self.begin(charset, database));
        let flow = if begun.is_ok() {
            Flow::Continue
        } else {
            Flow::Close
        };
        self.answer(begun.map(|()| Outcome::done()), RowFormat::Text, false)
            .await?;
        Ok(flow)
    }
}
