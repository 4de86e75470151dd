//! What sessions ask of the role they serve: status, binary logs, replication commands.
//!
//! Every method has the answer of a MySQL server that lacks the part, so that a role implements
//! what it has. Times and formats are the role's; columns and vocabularies are the session's.

mod applier_worker;
mod replica_status;

use std::sync::Arc;

use async_trait::async_trait;
use gtid::{Gtid, GtidSet};
use sql::ast::{OptionAssignment, ReplicaThreads, ReplicationFilterRule, UntilCondition};
use sql::error::SqlError;

use crate::feed::LogFeed;
use crate::fence::Fence;

pub use applier_worker::{ApplierWorker, WorkerError, WorkerTransaction};
pub use replica_status::ReplicaStatus;
pub(crate) use replica_status::StatusCell;

/// The row of SHOW BINARY LOG STATUS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BinaryLogStatus {
    /// Name of the active file, without directory.
    pub file: String,
    /// Where the next event goes, in bytes.
    pub position: u64,
    /// `binlog-do-db`, comma-separated.
    pub do_db: String,
    /// `binlog-ignore-db`, comma-separated.
    pub ignore_db: String,
    /// Executed GTIDs.
    pub executed: GtidSet,
}

/// A row of SHOW BINARY LOGS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinaryLogFile {
    /// Name, without directory.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
}

/// What SHOW BINLOG EVENTS or SHOW RELAYLOG EVENTS asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventsRequest {
    /// Relay log rather than binary log.
    pub is_relay_log: bool,
    /// File; the first one when left out.
    pub file: Option<String>,
    /// Where to begin, in bytes; 4 when left out.
    pub position: Option<u64>,
    /// Rows to skip, and rows at most.
    pub limit: Option<(u64, u64)>,
}

/// A row of SHOW BINLOG EVENTS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// File.
    pub file: String,
    /// Where the event begins, in bytes.
    pub position: u64,
    /// Name of its type, as MySQL prints it.
    pub event_type: &'static str,
    /// Server that wrote it first.
    pub server_id: u32,
    /// Where the next event begins, in bytes.
    pub end_position: u64,
    /// MySQL's text about the event.
    pub info: String,
}

/// How far PURGE BINARY LOGS goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PurgeTo {
    /// Up to, not including, this file.
    File(String),
    /// Files whose last change is before this moment, in seconds since 1970 UTC.
    Before(i64),
}

/// The error of a statement about binary logs on a node that writes none.
fn no_binary_logging<T>() -> Result<T, SqlError> {
    Err(SqlError::new(
        1381,
        "HY000",
        "You are not using binary logging",
    ))
}

/// The error of a replication command on a node that follows no source.
#[must_use]
pub fn not_a_replica() -> SqlError {
    let text = "The server is not configured as replica; fix in config file or with CHANGE \
                REPLICATION SOURCE TO";
    SqlError::new(1200, "HY000", text)
}

/// What sessions ask of their node's role.
#[async_trait]
pub trait Role: Send + Sync {
    /// Executed GTIDs: `@@global.gtid_executed`.
    fn gtid_executed(&self) -> GtidSet;

    /// GTIDs that are no longer in the logs: `@@global.gtid_purged`.
    fn gtid_purged(&self) -> GtidSet {
        GtidSet::default()
    }

    /// SET GLOBAL gtid_purged = `text`; a leading `+` adds.
    async fn set_gtid_purged(&self, _text: &str) -> Result<(), SqlError> {
        Err(SqlError::not_supported("SET GLOBAL gtid_purged"))
    }

    /// SET gtid_next = `gtid`: waits until no other session has it; None if it is executed by then.
    async fn own_gtid(
        &self,
        _gtid: Gtid,
        _connection_id: u64,
    ) -> Result<Option<OwnedGtid>, SqlError> {
        Err(SqlError::not_supported("SET gtid_next"))
    }

    /// What `read_only` and `super_read_only` steer where the role commits.
    fn fence(&self) -> Fence {
        Fence::default()
    }

    /// Ends what the fence let through before it was set: when this returns, every later commit has
    /// met it.
    async fn settle_fence(&self) -> Result<(), SqlError> {
        Ok(())
    }

    /// The binary log, for dump sessions; None without one.
    fn log_feed(&self) -> Option<Arc<LogFeed>> {
        None
    }

    /// SHOW BINARY LOG STATUS; no row without a binary log.
    fn binary_log_status(&self) -> Option<BinaryLogStatus> {
        None
    }

    /// SHOW BINARY LOGS.
    async fn binary_logs(&self) -> Result<Vec<BinaryLogFile>, SqlError> {
        no_binary_logging()
    }

    /// SHOW BINLOG EVENTS, SHOW RELAYLOG EVENTS.
    async fn events(&self, _request: EventsRequest) -> Result<Vec<EventRow>, SqlError> {
        no_binary_logging()
    }

    /// PURGE BINARY LOGS; what comes back is a warning, for instance about a file in use.
    async fn purge_binary_logs(&self, _to: PurgeTo) -> Result<Option<SqlError>, SqlError> {
        no_binary_logging()
    }

    /// FLUSH BINARY LOGS: a new file.
    async fn flush_binary_logs(&self) -> Result<(), SqlError> {
        Ok(())
    }

    /// FLUSH RELAY LOGS.
    async fn flush_relay_logs(&self) -> Result<(), SqlError> {
        Ok(())
    }

    /// RESET BINARY LOGS AND GTIDS; `to` numbers the first new file.
    async fn reset_binary_logs(&self, _to: Option<u64>) -> Result<(), SqlError> {
        Err(SqlError::not_supported("RESET BINARY LOGS AND GTIDS"))
    }

    /// SET GLOBAL binlog_encryption: new log files are encrypted or not, beginning with one that is
    /// begun now.
    async fn set_binlog_encryption(&self, _on: bool) -> Result<(), SqlError> {
        Err(SqlError::not_supported("SET GLOBAL binlog_encryption"))
    }

    /// ALTER INSTANCE ROTATE BINLOG MASTER KEY.
    async fn rotate_binlog_key(&self) -> Result<(), SqlError> {
        Err(SqlError::not_supported("ALTER INSTANCE"))
    }

    /// SHOW REPLICA STATUS: one row per channel, none without a source.
    fn replica_status(&self) -> Vec<ReplicaStatus> {
        Vec::new()
    }

    /// performance_schema.replication_applier_status_by_worker: none without a source.
    fn applier_workers(&self) -> Vec<ApplierWorker> {
        Vec::new()
    }

    /// CHANGE REPLICATION SOURCE TO.
    async fn change_source(&self, _options: &[OptionAssignment]) -> Result<(), SqlError> {
        Err(SqlError::not_supported(
            "CHANGE REPLICATION SOURCE on a primary",
        ))
    }

    /// CHANGE REPLICATION FILTER.
    async fn change_filter(&self, _rules: &[ReplicationFilterRule]) -> Result<(), SqlError> {
        Err(SqlError::not_supported("CHANGE REPLICATION FILTER"))
    }

    /// SET GLOBAL sql_replica_skip_counter: how many transactions of the source are not applied.
    async fn set_skip_counter(&self, count: u32) -> Result<(), SqlError> {
        match count {
            0 => Ok(()),
            1.. => Err(not_a_replica()),
        }
    }

    /// `@@global.sql_replica_skip_counter`.
    fn skip_counter(&self) -> u32 {
        0
    }

    /// SET GLOBAL replica_exec_mode, which counts from the next transaction of the source on.
    fn set_idempotent(&self, _is_idempotent: bool) {}

    /// START REPLICA; what comes back are notes.
    async fn start_replica(
        &self,
        _threads: ReplicaThreads,
        _until: Option<&UntilCondition>,
        _options: &[OptionAssignment],
    ) -> Result<Vec<SqlError>, SqlError> {
        Err(not_a_replica())
    }

    /// STOP REPLICA; what comes back are notes.
    async fn stop_replica(&self, _threads: ReplicaThreads) -> Result<Vec<SqlError>, SqlError> {
        Ok(Vec::new())
    }

    /// `RESET REPLICA [ALL]`.
    async fn reset_replica(&self, _all: bool) -> Result<(), SqlError> {
        Ok(())
    }

    /// FLUSH TABLES WITH READ LOCK, LOCK TABLES: nothing is committed until the guard is dropped,
    /// but by the connection `owner`, if one is named.
    async fn block_writes(&self, _owner: Option<u64>) -> Result<WriteBlock, SqlError> {
        Err(SqlError::not_supported("locking tables on this node"))
    }
}

/// The session's right to commit under an identifier, given back when it is dropped.
pub struct OwnedGtid(
    /// Whatever gives it back.
    pub Box<dyn Send + Sync>,
);

impl std::fmt::Debug for OwnedGtid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnedGtid")
    }
}

/// Writers wait while it lives.
pub struct WriteBlock(
    /// Whatever releases the writers when it is dropped.
    pub Box<dyn Send + Sync>,
);

impl std::fmt::Debug for WriteBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WriteBlock")
    }
}
