//! What sessions ask of the pipeline.

use std::sync::Arc;
use std::time::Instant;

use binlog::log::LogFileName;
use binlog::value::Value;
use engine::outcome::Outcome;
use engine::session::SessionContext;
use gtid::GtidSet;
use server::executor::TransactionMode;
use sql::Parsed;
use sql::error::SqlError;
use tokio::sync::oneshot;

use super::ticket::Ticket;

/// The answer to a statement, with its session.
pub(crate) type Executed = (Box<SessionContext>, Result<Outcome, SqlError>);

/// A request and where its answer goes. A dropped answer means that the pipeline has ended.
#[derive(Debug)]
pub(crate) enum Request {
    /// A statement.
    Execute(Box<Execute>),
    /// Commits nothing under the identifier that the session has for its next transaction.
    CommitEmpty(Box<SessionContext>, oneshot::Sender<Result<(), SqlError>>),
    /// Makes these GTIDs count as executed and purged; the log begins anew behind them.
    SetPurged(PurgedChange, oneshot::Sender<Result<(), SqlError>>),
    /// Ends the connection's transaction.
    Commit(u64, oneshot::Sender<Result<(), SqlError>>),
    /// Undoes the connection's transaction.
    Rollback(u64, oneshot::Sender<Result<(), SqlError>>),
    /// Sets, goes back to or forgets a savepoint.
    Savepoint(
        u64,
        SavepointAction,
        String,
        oneshot::Sender<Result<(), SqlError>>,
    ),
    /// The client is gone.
    Disconnected(u64),
    /// Answers when whatever met the fence before it was set is committed.
    SettleFence(oneshot::Sender<Result<(), SqlError>>),
    /// Begins a new log file.
    Rotate(oneshot::Sender<Result<(), SqlError>>),
    /// Removes the log files in front of this one, as far as nobody needs them.
    Purge(LogFileName, oneshot::Sender<Result<Purged, SqlError>>),
    /// Lets nobody write, or this connection alone, until [`Request::Unblock`] with the same number.
    Block(u64, Option<u64>, oneshot::Sender<Result<(), SqlError>>),
    /// Ends a block.
    Unblock(u64),
    /// Finishes what has begun and ends; the log is closed.
    Stop,
}

/// The value of SET GLOBAL gtid_purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PurgedChange {
    /// The set.
    pub(crate) gtids: GtidSet,
    /// Whether it adds to the old value: it was written with `+`.
    pub(crate) adds: bool,
}

/// What a purge did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purged {
    /// The files removed.
    pub(crate) removed: Vec<LogFileName>,
    /// The file that could not go because it is needed, and how many read it.
    pub(crate) kept: Option<(LogFileName, usize)>,
}

/// A statement to execute.
#[derive(Debug)]
pub(crate) struct Execute {
    pub(crate) session: Box<SessionContext>,
    pub(crate) statement: Arc<Parsed>,
    pub(crate) parameters: Vec<Value<'static>>,
    pub(crate) mode: TransactionMode,
    /// When waiting for the writer has taken too long.
    pub(crate) deadline: Instant,
    /// Who has the statement.
    pub(crate) ticket: Arc<Ticket>,
    pub(crate) reply: oneshot::Sender<Executed>,
}

impl Execute {
    /// Answers the client; one that is gone does not matter.
    pub(crate) fn answer(self, result: Result<Outcome, SqlError>) {
        let _ = self.reply.send((self.session, result));
    }
}

/// What to do with a savepoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SavepointAction {
    Set,
    RollbackTo,
    Release,
}

/// What a client is told whose answer never came.
pub(crate) fn connection_gone() -> SqlError {
    SqlError::server_shutdown()
}
