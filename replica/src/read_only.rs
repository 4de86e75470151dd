//! A replica's writes: there are none but the applier's.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use binlog::value::Value;
use engine::outcome::Outcome;
use engine::session::SessionContext;
use server::executor::{TransactionMode, WriteExecutor};
use sql::Parsed;
use sql::error::SqlError;

use crate::channel::Channel;
use crate::gate::Gate;

/// Refuses every write, whoever asks: the rows here are those of the source. A transaction without
/// changes may take the place of one of the source's.
pub struct ReadOnly {
    channel: Arc<Channel>,
    gate: Arc<Gate>,
}

impl ReadOnly {
    /// For the node whose applier is that of `channel` and commits through `gate`.
    pub(crate) const fn new(channel: Arc<Channel>, gate: Arc<Gate>) -> Self {
        Self { channel, gate }
    }
}

/// How often a commit that waits for FLUSH TABLES WITH READ LOCK looks whether it may.
const LOOK: Duration = Duration::from_millis(50);

fn refused() -> SqlError {
    SqlError::option_prevents_statement("--super-read-only")
}

#[async_trait]
impl WriteExecutor for ReadOnly {
    async fn execute(
        &self,
        session: Box<SessionContext>,
        _statement: Arc<Parsed>,
        _parameters: Vec<Value<'static>>,
        _mode: TransactionMode,
    ) -> (Box<SessionContext>, Result<Outcome, SqlError>) {
        (session, Err(refused()))
    }

    async fn commit(&self, _connection_id: u64) -> Result<(), SqlError> {
        Ok(())
    }

    async fn commit_empty(&self, session: &SessionContext) -> Result<(), SqlError> {
        let Some(gtid) = session.gtid_next else {
            return Ok(());
        };
        // Not behind the gate: the channel's statements would wait there too, and KILL in vain.
        while self.gate.is_closed() {
            session.interrupt.check()?;
            tokio::time::sleep(LOOK).await;
        }
        self.channel.commit_empty(gtid).await
    }

    async fn rollback(&self, _connection_id: u64) -> Result<(), SqlError> {
        Ok(())
    }

    async fn savepoint(&self, _connection_id: u64, _name: &str) -> Result<(), SqlError> {
        Ok(())
    }

    async fn rollback_to_savepoint(&self, _connection_id: u64, name: &str) -> Result<(), SqlError> {
        Err(SqlError::sp_does_not_exist("SAVEPOINT", name))
    }

    async fn release_savepoint(&self, _connection_id: u64, name: &str) -> Result<(), SqlError> {
        Err(SqlError::sp_does_not_exist("SAVEPOINT", name))
    }

    fn takes_writes(&self) -> bool {
        false
    }

    fn disconnected(&self, _connection_id: u64) {}
}
