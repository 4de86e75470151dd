//! A replica's writes: there are none but the applier's.

use std::sync::Arc;

use async_trait::async_trait;
use binlog::value::Value;
use engine::outcome::Outcome;
use engine::session::SessionContext;
use server::executor::{TransactionMode, WriteExecutor};
use sql::Parsed;
use sql::error::SqlError;

use crate::channel::Channel;

/// Refuses every write, whoever asks: the rows here are those of the source. A transaction without
/// changes may take the place of one of the source's.
pub struct ReadOnly {
    /// What applies the source's transactions.
    pub channel: Arc<Channel>,
}

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
        match session.gtid_next {
            Some(gtid) => self.channel.commit_empty(gtid).await,
            None => Ok(()),
        }
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
