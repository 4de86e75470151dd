//! Replication: dump commands, registration of replicas, and the statements that steer a role.

use std::sync::Arc;

use engine::outcome::Outcome;
use protocol::{BinlogDump, BinlogDumpGtid, ErrPacket, RegisterReplica};
use sql::Parsed;
use sql::ast::{BinaryLogPurge, Expression, Replication};
use sql::error::SqlError;

use super::{Flow, Session, packet};
use crate::accounts::Privilege;
use crate::dump::{self, DumpRequest, ReplicaVariables};
use crate::role::PurgeTo;

impl Session {
    /// What the replica has said about itself in user variables.
    fn replica_variables(&self) -> ReplicaVariables {
        let variables = &self.context.user_variables;
        ReplicaVariables::read(|name| variables.get(name).and_then(|value| value.to_text()))
    }

    pub(super) fn register_replica(&mut self, replica: RegisterReplica) {
        if let Err(error) = self.require_any(&[Privilege::ReplicationSlave]) {
            return self.connection.send_err(&packet(&error));
        }
        let uuid = self.replica_variables().uuid;
        self.replica = Some(self.node.replicas.register(replica, &uuid));
        self.send_ok(&Outcome::done(), false);
    }

    pub(super) async fn dump_by_position(
        &mut self,
        command: &BinlogDump,
    ) -> Result<Flow, protocol::Error> {
        let request = DumpRequest::by_position(command, self.replica_variables());
        self.dump(request, "Binlog Dump").await
    }

    pub(super) async fn dump_by_gtids(
        &mut self,
        command: &BinlogDumpGtid,
    ) -> Result<Flow, protocol::Error> {
        match DumpRequest::by_gtids(command, self.replica_variables()) {
            Ok(request) => self.dump(request, "Binlog Dump GTID").await,
            Err(_) => {
                let text = "Malformed communication packet";
                self.connection
                    .send_err(&ErrPacket::new(1835, b"HY000", text));
                Ok(Flow::Continue)
            }
        }
    }

    async fn dump(
        &mut self,
        request: DumpRequest,
        command: &'static str,
    ) -> Result<Flow, protocol::Error> {
        if let Err(error) = self.require_any(&[Privilege::ReplicationSlave]) {
            self.connection.send_err(&packet(&error));
            return Ok(Flow::Continue);
        }
        let Some(feed) = self.node.role.log_feed() else {
            let text = "Binary log is not open";
            self.connection
                .send_err(&ErrPacket::new(1236, b"HY000", text));
            return Ok(Flow::Continue);
        };
        let process = Arc::clone(&self.registered.process);
        process.set(|activity| {
            activity.command = command;
            activity.info = None;
        });
        let shown = Arc::clone(&process);
        let on_state = move |state: dump::DumpState| {
            shown.set(|activity| activity.state = state.text());
        };
        let serving = dump::serve(
            &mut self.connection,
            feed,
            &self.node.replicas,
            request,
            on_state,
        );
        tokio::select! {
            served = serving => served?,
            () = process.killed() => return Ok(Flow::Close),
        }
        // MySQL ends the connection after every dump.
        Ok(Flow::Close)
    }

    /// Statements about binary logs and sources.
    pub(super) async fn replicate(&mut self, statement: &Replication) -> Result<Outcome, SqlError> {
        let role = Arc::clone(&self.node.role);
        match statement {
            Replication::PurgeBinaryLogs(BinaryLogPurge::To(file)) => {
                let warning = role.purge_binary_logs(PurgeTo::File(file.clone())).await?;
                self.warn_of(warning);
            }
            Replication::PurgeBinaryLogs(BinaryLogPurge::Before(moment)) => {
                let seconds = self.unix_seconds(moment).await?;
                let warning = role.purge_binary_logs(PurgeTo::Before(seconds)).await?;
                self.warn_of(warning);
            }
            Replication::RotateBinlogKey => role.rotate_binlog_key().await?,
            Replication::ResetBinaryLogs { to } => role.reset_binary_logs(*to).await?,
            Replication::ChangeReplicationSource { options, channel } => {
                default_channel(channel.as_deref())?;
                role.change_source(options).await?;
            }
            Replication::ChangeReplicationFilter { rules, channel } => {
                default_channel(channel.as_deref())?;
                role.change_filter(rules).await?;
            }
            Replication::StartReplica {
                threads,
                until,
                options,
                channel,
            } => {
                default_channel(channel.as_deref())?;
                let notes = role.start_replica(*threads, until.as_ref(), options);
                for note in notes.await? {
                    self.context.note(note);
                }
            }
            Replication::StopReplica { threads, channel } => {
                default_channel(channel.as_deref())?;
                for note in role.stop_replica(*threads).await? {
                    self.context.note(note);
                }
            }
            Replication::ResetReplica { all, channel } => {
                default_channel(channel.as_deref())?;
                role.reset_replica(*all).await?;
            }
        }
        Ok(Outcome::done())
    }

    fn warn_of(&mut self, warning: Option<SqlError>) {
        if let Some(warning) = warning {
            self.context.warn(warning);
        }
    }

    async fn unix_seconds(&mut self, moment: &Expression) -> Result<i64, SqlError> {
        let seconds = moment.inside("UNIX_TIMESTAMP");
        let parsed = Parsed::evaluating(std::iter::once(&seconds), 0, self.context.sql_mode);
        let (_, row) = self.evaluate(parsed, Vec::new()).await?;
        match row.first() {
            Some(binlog::value::Value::Int(seconds)) => Ok(*seconds),
            Some(binlog::value::Value::UInt(seconds)) => {
                Ok(i64::try_from(*seconds).unwrap_or(i64::MAX))
            }
            Some(binlog::value::Value::Decimal(seconds)) => {
                let whole = seconds.to_i128().unwrap_or(0);
                Ok(i64::try_from(whole).unwrap_or(0))
            }
            _ => Err(SqlError::wrong_arguments("PURGE LOGS BEFORE")),
        }
    }
}

/// There is one channel, the one without a name.
fn default_channel(name: Option<&str>) -> Result<(), SqlError> {
    match name {
        None | Some("") => Ok(()),
        Some(name) => {
            let text = format!("Replica channel '{name}' does not exist.");
            Err(SqlError::new(3074, "HY000", text))
        }
    }
}
