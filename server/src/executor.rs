//! The seam behind which a role executes writes.
//!
//! A session sends every statement that may change rows or schema here, and every statement of a
//! transaction that has changed something. It never executes one itself. The primary answers
//! through its commit pipeline, the replica by refusing.

use std::sync::Arc;

use async_trait::async_trait;
use binlog::value::Value;
use engine::outcome::Outcome;
use engine::session::SessionContext;
use sql::Parsed;
use sql::error::SqlError;

/// Whether a statement ends its transaction itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionMode {
    /// The statement is a transaction: when it is answered, it is as durable as `sync_binlog` says.
    Autocommit,
    /// The statement belongs to the connection's transaction, which begins with its first statement
    /// here and ends with [`WriteExecutor::commit`] or [`WriteExecutor::rollback`].
    InTransaction,
}

/// What a role does with writes.
#[async_trait]
pub trait WriteExecutor: Send + Sync {
    /// Executes a statement: INSERT, REPLACE, UPDATE, DELETE, DDL, and in a transaction SELECT. DDL
    /// comes in `Autocommit` only; the session has committed before.
    ///
    /// The session comes back whatever happens, with the warnings, ids and counts of the
    /// statement. An error has undone the statement; if it has ended the transaction too (1205
    /// with `innodb_rollback_on_timeout`, 1213, a failed commit) it is one of those that MySQL
    /// documents so, see [`ends_transaction`].
    async fn execute(
        &self,
        session: Box<SessionContext>,
        statement: Arc<Parsed>,
        parameters: Vec<Value<'static>>,
        mode: TransactionMode,
    ) -> (Box<SessionContext>, Result<Outcome, SqlError>);

    /// Commits the connection's transaction; without one nothing happens. When it returns, the
    /// transaction is as durable as `sync_binlog` says, or an error has rolled it back.
    async fn commit(&self, connection_id: u64) -> Result<(), SqlError>;

    /// Commits a transaction without changes under the session's `gtid_next`.
    async fn commit_empty(&self, _session: &SessionContext) -> Result<(), SqlError> {
        Err(SqlError::not_supported("SET gtid_next"))
    }

    /// Rolls the connection's transaction back; without one nothing happens.
    async fn rollback(&self, connection_id: u64) -> Result<(), SqlError>;

    /// Sets a savepoint; the session calls it for transactions that have begun here only.
    async fn savepoint(&self, connection_id: u64, name: &str) -> Result<(), SqlError>;

    /// Undoes what followed a savepoint; 1305 if there is none of that name.
    async fn rollback_to_savepoint(&self, connection_id: u64, name: &str) -> Result<(), SqlError>;

    /// Forgets a savepoint; 1305 if there is none of that name.
    async fn release_savepoint(&self, connection_id: u64, name: &str) -> Result<(), SqlError>;

    /// Stops the statement that the connection runs here, with error 1317. Does not block.
    fn interrupt(&self, _connection_id: u64) {}

    /// Whether sessions can write here at all; where not, no row need be locked for their reads.
    fn takes_writes(&self) -> bool {
        true
    }

    /// Takes note that a client is gone: its transaction is rolled back. Does not block.
    fn disconnected(&self, connection_id: u64);
}

/// Whether an error has rolled back the whole transaction, not the statement alone.
#[must_use]
pub const fn ends_transaction(code: u16) -> bool {
    // ER_LOCK_DEADLOCK, ER_ERROR_DURING_COMMIT, ER_BINLOG_LOGGING_IMPOSSIBLE, server shutdown.
    matches!(code, 1213 | 1180 | 1598 | 1053)
}
