//! The sessions' side of the pipeline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use binlog::value::Value;
use engine::outcome::Outcome;
use engine::rows::EvalValue;
use engine::session::SessionContext;
use server::executor::{TransactionMode, WriteExecutor};
use sql::Parsed;
use sql::error::SqlError;
use tokio::sync::oneshot;

use crate::node::Primary;
use crate::pipeline::{Execute, Request, SavepointAction, connection_gone};

/// The longest wait that a deadline is computed for: a year, MySQL's largest time-out.
const WAIT_MAX: Duration = Duration::from_secs(31_536_000);

#[async_trait]
impl WriteExecutor for Primary {
    async fn execute(
        &self,
        session: Box<SessionContext>,
        statement: Arc<Parsed>,
        parameters: Vec<Value<'static>>,
        mode: TransactionMode,
    ) -> (Box<SessionContext>, Result<Outcome, SqlError>) {
        let (reply, answer) = oneshot::channel();
        let wait = self.lock_wait_timeout(&session);
        let now = Instant::now();
        // What comes back if the pipeline ends without an answer.
        let fallback = session.clone();
        let execute = Execute {
            session,
            statement,
            parameters,
            mode,
            deadline: now.checked_add(wait).unwrap_or(now),
            reply,
        };
        self.send(Request::Execute(Box::new(execute)));
        match answer.await {
            Ok(executed) => executed,
            Err(_) => (fallback, Err(connection_gone())),
        }
    }

    async fn commit(&self, connection_id: u64) -> Result<(), SqlError> {
        self.ask(|reply| Request::Commit(connection_id, reply))
            .await
    }

    async fn commit_empty(&self, session: &SessionContext) -> Result<(), SqlError> {
        let session = Box::new(session.clone());
        self.ask(|reply| Request::CommitEmpty(session, reply)).await
    }

    async fn rollback(&self, connection_id: u64) -> Result<(), SqlError> {
        self.ask(|reply| Request::Rollback(connection_id, reply))
            .await
    }

    async fn savepoint(&self, connection_id: u64, name: &str) -> Result<(), SqlError> {
        self.at_savepoint(connection_id, SavepointAction::Set, name)
            .await
    }

    async fn rollback_to_savepoint(&self, connection_id: u64, name: &str) -> Result<(), SqlError> {
        self.at_savepoint(connection_id, SavepointAction::RollbackTo, name)
            .await
    }

    async fn release_savepoint(&self, connection_id: u64, name: &str) -> Result<(), SqlError> {
        self.at_savepoint(connection_id, SavepointAction::Release, name)
            .await
    }

    fn disconnected(&self, connection_id: u64) {
        self.interrupt(connection_id);
        self.send(Request::Disconnected(connection_id));
    }
}

impl Primary {
    /// `innodb_lock_wait_timeout` of the session, else of the node.
    fn lock_wait_timeout(&self, session: &SessionContext) -> Duration {
        let value = session
            .system_variables
            .value("innodb_lock_wait_timeout", false);
        let seconds = match value {
            Some(EvalValue::UInt(seconds)) => seconds,
            Some(EvalValue::Int(seconds)) => seconds.unsigned_abs(),
            _ => self.settings().server.innodb_lock_wait_timeout,
        };
        Duration::from_secs(seconds).min(WAIT_MAX)
    }

    async fn at_savepoint(
        &self,
        connection_id: u64,
        action: SavepointAction,
        name: &str,
    ) -> Result<(), SqlError> {
        let name = name.to_owned();
        self.ask(|reply| Request::Savepoint(connection_id, action, name, reply))
            .await
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, SqlError>>) -> Request,
    ) -> Result<T, SqlError> {
        let (reply, answer) = oneshot::channel();
        self.send(request(reply));
        answer.await.unwrap_or_else(|_| Err(connection_gone()))
    }
}
