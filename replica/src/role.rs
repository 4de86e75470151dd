//! What sessions ask of a replica: its status and its replication statements.

mod status_row;
mod worker_rows;

use std::sync::Arc;

use async_trait::async_trait;
use binlog::log::encryption::LogEncryption;
use gtid::{Gtid, GtidSet};
use server::role::{
    ApplierWorker, EventRow, EventsRequest, OwnedGtid, ReplicaStatus, Role, WriteBlock,
};
use sql::ast::{OptionAssignment, ReplicaThreads, ReplicationFilterRule, UntilCondition};
use sql::error::SqlError;

use crate::applier::Until;
use crate::channel::Channel;
use crate::gate::Gate;

/// The replica's side of the server.
pub struct ReplicaRole {
    channel: Arc<Channel>,
    encryption: Arc<LogEncryption>,
    gate: Arc<Gate>,
    is_gtid_mode_on: bool,
}

impl ReplicaRole {
    /// The role of a node with this channel, whose relay log is encrypted by `encryption` and whose
    /// applier commits through `gate`.
    #[must_use]
    pub(crate) const fn new(
        channel: Arc<Channel>,
        encryption: Arc<LogEncryption>,
        gate: Arc<Gate>,
        is_gtid_mode_on: bool,
    ) -> Self {
        Self {
            channel,
            encryption,
            gate,
            is_gtid_mode_on,
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
        let gtids: GtidSet = text
            .parse()
            .map_err(|_| SqlError::malformed_gtid_set(text))?;
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
            &self.channel.filter(),
        )]
    }

    fn applier_workers(&self) -> Vec<ApplierWorker> {
        match self.channel.has_source() {
            true => worker_rows::rows(&self.channel.state().applier),
            false => Vec::new(),
        }
    }

    async fn change_source(&self, options: &[OptionAssignment]) -> Result<(), SqlError> {
        self.channel.change_source(options).await
    }

    async fn change_filter(&self, rules: &[ReplicationFilterRule]) -> Result<(), SqlError> {
        self.channel.change_filter(rules).await
    }

    async fn set_skip_counter(&self, count: u32) -> Result<(), SqlError> {
        self.channel.set_skip_counter(count).await
    }

    fn skip_counter(&self) -> u32 {
        self.channel.state().applier.skip_counter
    }

    fn set_idempotent(&self, is_idempotent: bool) {
        self.channel.set_idempotent(is_idempotent);
    }

    async fn own_gtid(
        &self,
        gtid: Gtid,
        connection_id: u64,
    ) -> Result<Option<OwnedGtid>, SqlError> {
        if !self.is_gtid_mode_on {
            return Err(SqlError::gtid_next_needs_gtid_mode());
        }
        let is_executed = || self.channel.gtid_executed().contains(&gtid);
        let owned = self
            .channel
            .owned()
            .own(gtid, connection_id, is_executed)
            .await;
        Ok(owned.map(|owned| OwnedGtid(Box::new(owned))))
    }

    async fn start_replica(
        &self,
        threads: ReplicaThreads,
        until: Option<&UntilCondition>,
        options: &[OptionAssignment],
    ) -> Result<Vec<SqlError>, SqlError> {
        if !options.is_empty() {
            return Err(SqlError::not_supported(
                "START REPLICA with connection options",
            ));
        }
        let (receiver, applier) = named(threads);
        let until = until.map(Until::read).transpose()?;
        self.channel.start(receiver, applier, until).await
    }

    async fn stop_replica(&self, threads: ReplicaThreads) -> Result<Vec<SqlError>, SqlError> {
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
