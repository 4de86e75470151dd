//! The group that is collected, and who waits for it.

use engine::outcome::Outcome;
use sql::error::SqlError;
use tokio::sync::oneshot;

use super::late::Late;
use super::request::Execute;
use crate::transaction::{FLUSH_BYTES, Transaction};

/// Most transactions of a group.
const TRANSACTIONS_MAX: usize = 256;

/// A transaction that waits for its group.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) transaction: Transaction,
    pub(super) answer: Answer,
}

/// Who waits for it.
#[derive(Debug)]
pub(super) enum Answer {
    /// The client of an autocommitted statement.
    Executed(Box<Execute>, Outcome),
    /// The client of a COMMIT, or a statement that commits what was open before it.
    Commit(oneshot::Sender<Result<(), SqlError>>),
}

impl Answer {
    pub(super) fn send(self, result: Result<(), SqlError>) {
        match self {
            Self::Executed(execute, outcome) => execute.answer(result.map(|()| outcome)),
            Self::Commit(reply) => drop(reply.send(result)),
        }
    }
}

/// Transactions that are committed together, in their order.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) pending: Vec<Pending>,
    pub(super) bytes: u64,
    /// Whether nothing may join it: it is a DDL statement.
    is_closed: bool,
    /// The one before, which the log has and the engine has no room for.
    pub(super) late: Option<Late>,
}

impl Group {
    /// Whether it must be committed before it grows further.
    pub(super) fn is_full(&self) -> bool {
        self.is_closed || self.pending.len() >= TRANSACTIONS_MAX || self.bytes >= FLUSH_BYTES as u64
    }

    pub(super) fn push(&mut self, pending: Pending) {
        self.bytes = self.bytes.saturating_add(pending.transaction.len());
        self.pending.push(pending);
    }

    /// Whether it is a DDL statement.
    pub(super) const fn is_ddl(&self) -> bool {
        self.is_closed
    }

    /// Lets nothing join it.
    pub(super) const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Its transactions; the next group is empty.
    pub(super) fn take(&mut self) -> Vec<Pending> {
        self.bytes = 0;
        self.is_closed = false;
        std::mem::take(&mut self.pending)
    }

    /// Keeps transactions of which nobody knows any more what became of them: their clients are told
    /// nothing before the process ends.
    pub(super) fn put_back(&mut self, pending: Vec<Pending>) {
        self.pending = pending;
    }
}
