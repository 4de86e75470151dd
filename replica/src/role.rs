//! What sessions ask of a replica: its status and its replication statements.

mod status_row;

use std::sync::Arc;

use async_trait::async_trait;
use binlog::log::encryption::LogEncryption;
use gtid::GtidSet;
use server::role::{EventRow, EventsRequest, ReplicaStatus, Role, WriteBlock};
use sql::ast::{OptionAssignment, ReplicaThreads, UntilCondition};
use sql::error::SqlError;

use crate::channel::Channel;
use crate::gate::Gate;

/// The replica's side of the server.
pub struct ReplicaRole {
    channel: Arc<Channel>,
    encryption: Arc<LogEncryption>,
    gate: Arc<Gate>,
}

impl ReplicaRole {
    /// The role of a node with this channel, whose relay log is encrypted by `encryption` and whose
    /// applier commits through `gate`.
    #[must_use]
    pub(crate) const fn new(
        channel: Arc<Channel>,
        encryption: Arc<LogEncryption>,
        gate: Arc<Gate>,
    ) -> Self {
        Self {
            channel,
            encryption,
            gate,
        }
    }
}

#[async_trait]
impl Role for ReplicaRole {
    fn gtid_executed(&self) -> GtidSet {
        self.channel.gtid_executed()
    }

    /// There is no binary log here, so nothing that was executed is in one.
    fn gtid_purged(&self) -> GtidSet {
        self.channel.gtid_executed()
    }

    async fn set_gtid_purged(&self, text: &str) -> Result<(), SqlError> {
        let text = text.trim_start().trim_start_matches('+');
        let gtids: GtidSet = text.parse().map_err(|_| {
            SqlError::new(
                1772,
                "HY000",
                format!("Malformed GTID set specification '{text}'."),
            )
        })?;
        self.channel.add_executed(&gtids).await
    }

    async fn events(&self, request: EventsRequest) -> Result<Vec<EventRow>, SqlError> {
        match request.is_relay_log {
            // Differs from MySQL: `weir binlog show` reads the files.
            true => Err(SqlError::not_supported("SHOW RELAYLOG EVENTS")),
            false => Err(SqlError::no_binary_logging()),
        }
    }

    async fn flush_relay_logs(&self) -> Result<(), SqlError> {
        self.channel.flush_relay_log()
    }

    async fn set_binlog_encryption(&self, on: bool) -> Result<(), SqlError> {
        server::encryption::switch(&self.encryption, on, self.flush_relay_logs()).await
    }

    async fn rotate_binlog_key(&self) -> Result<(), SqlError> {
        server::encryption::rotate_key(&self.encryption, self.flush_relay_logs()).await
    }

    fn replica_status(&self) -> Vec<ReplicaStatus> {
        if !self.channel.has_source() {
            return Vec::new();
        }
        vec![status_row::row(
            &self.channel.state(),
            self.channel.filter(),
        )]
    }

    async fn change_source(&self, options: &[OptionAssignment]) -> Result<(), SqlError> {
        self.channel.change_source(options).await
    }

    async fn start_replica(
        &self,
        threads: ReplicaThreads,
        until: Option<&UntilCondition>,
        options: &[OptionAssignment],
    ) -> Result<(), SqlError> {
        if until.is_some() {
            return Err(SqlError::not_supported("START REPLICA UNTIL"));
        }
        if !options.is_empty() {
            return Err(SqlError::not_supported(
                "START REPLICA with connection options",
            ));
        }
        let (receiver, applier) = named(threads);
        self.channel.start(receiver, applier).await
    }

    async fn stop_replica(&self, threads: ReplicaThreads) -> Result<(), SqlError> {
        let (receiver, applier) = named(threads);
        self.channel.stop(receiver, applier).await
    }

    /// Nobody writes here but the applier, whose commits wait.
    async fn block_writes(&self, _owner: Option<u64>) -> Result<WriteBlock, SqlError> {
        let gate = Arc::clone(&self.gate);
        let closed = tokio::task::spawn_blocking(move || gate.close()).await;
        match closed {
            Ok(closed) => Ok(WriteBlock(Box::new(closed))),
            Err(_) => Err(SqlError::server_shutdown()),
        }
    }

    async fn reset_replica(&self, all: bool) -> Result<(), SqlError> {
        self.channel.reset(all).await
    }
}

/// Receiver and applier; both when the statement names none.
const fn named(threads: ReplicaThreads) -> (bool, bool) {
    let none = !threads.receiver && !threads.applier;
    (threads.receiver || none, threads.applier || none)
}
