//! The sessions' side of the pipeline.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use binlog::value::Value;
use engine::interrupt::Interrupt;
use engine::outcome::Outcome;
use engine::session::SessionContext;
use engine::value::datum::Datum;
use server::executor::{TransactionMode, WriteExecutor};
use sql::Parsed;
use sql::error::SqlError;
use tokio::sync::oneshot;

use crate::node::Primary;
use crate::pipeline::{Execute, Executed, Request, SavepointAction, Ticket, connection_gone};

/// The longest wait that a deadline is computed for: a year, MySQL's largest time-out.
const WAIT_MAX: Duration = Duration::from_secs(31_536_000);

/// The statements that were handed to the pipeline and not answered.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// By connection. Held for a look-up only.
    tickets: Mutex<HashMap<u64, Arc<Ticket>>>,
}

impl Waiters {
    fn enter(&self, connection_id: u64) -> Waiter<'_> {
        let ticket = Arc::new(Ticket::default());
        self.lock().insert(connection_id, Arc::clone(&ticket));
        Waiter {
            waiters: self,
            connection_id,
            ticket,
        }
    }

    fn kill(&self, connection_id: u64) {
        if let Some(ticket) = self.lock().get(&connection_id) {
            ticket.kill();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Ticket>>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One statement that waits for its answer.
struct Waiter<'a> {
    waiters: &'a Waiters,
    connection_id: u64,
    ticket: Arc<Ticket>,
}

impl Waiter<'_> {
    /// The answer, or why there will be none: the statement was killed or out of time before it
    /// began. One that runs is waited for.
    async fn answer(
        &self,
        mut answer: oneshot::Receiver<Executed>,
        interrupt: &Interrupt,
        deadline: Instant,
    ) -> Result<Executed, SqlError> {
        let mut is_in_time = true;
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer.map_err(|_| connection_gone()),
                () = self.ticket.killed() => {
                    if interrupt.is_set() && self.ticket.withdraw() {
                        return Err(SqlError::query_interrupted());
                    }
                }
                () = tokio::time::sleep_until(deadline.into()), if is_in_time => {
                    is_in_time = false;
                    if self.ticket.withdraw() {
                        return Err(SqlError::lock_wait_timeout());
                    }
                }
            }
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        // A session that is gone wants nothing more.
        self.ticket.withdraw();
        self.waiters.lock().remove(&self.connection_id);
    }
}

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
        let deadline = now.checked_add(wait).unwrap_or(now);
        let waiter = self.waiters.enter(session.connection_id);
        let interrupt = Arc::clone(&session.interrupt);
        // What comes back if the pipeline ends without an answer.
        let fallback = session.clone();
        let execute = Execute {
            session,
            statement,
            parameters,
            mode,
            deadline,
            ticket: Arc::clone(&waiter.ticket),
            reply,
        };
        self.send(Request::Execute(Box::new(execute)));
        match waiter.answer(answer, &interrupt, deadline).await {
            Ok(executed) => executed,
            Err(error) => (fallback, Err(error)),
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

    fn interrupt(&self, connection_id: u64) {
        self.waiters.kill(connection_id);
    }

    fn disconnected(&self, connection_id: u64) {
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
            Some(Datum::UInt(seconds)) => seconds,
            Some(Datum::Int(seconds)) => seconds.unsigned_abs(),
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
