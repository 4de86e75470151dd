//! Who has the writer between two messages: an interactive transaction, or a lock on all writing.
//!
//! Differs from MySQL: a transaction that changes something keeps the engine's one write transaction
//! until it ends, whatever rows it touches; others wait and get error 1205 after their timeout
//! (`a_waiting_writer_is_told_1205_and_a_gone_client_frees_it`), and one that idles longer than
//! `idle_transaction_timeout` is rolled back and told 1213. A private write set with row locks will
//! take this module's place behind the same requests.

use std::time::Instant;

use crate::transaction::{Transaction, TransactionMark};

/// The writer's holder.
#[derive(Debug)]
pub(super) enum Hold {
    /// An interactive transaction.
    Transaction(Box<Holder>),
    /// Nobody may write (FLUSH TABLES WITH READ LOCK, LOCK TABLES).
    Block(u64),
}

/// An interactive transaction.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) connection_id: u64,
    pub(super) transaction: Transaction,
    /// Savepoints by name, oldest first.
    pub(super) savepoints: Vec<(String, TransactionMark)>,
    /// When its last statement had ended; `None` in the step that ran it.
    pub(super) idle_since: Option<Instant>,
    /// Whether its account may write while `read_only` is on.
    pub(super) ignores_read_only: bool,
    /// Whether it has read rows that nobody may change meanwhile.
    pub(super) has_locked: bool,
}

impl Holder {
    /// Whether others may write while this transaction goes on: it has neither changed nor locked
    /// anything.
    pub(super) fn is_idle(&self) -> bool {
        self.transaction.is_empty() && !self.transaction.is_unlogged() && !self.has_locked
    }

    /// Index of the newest savepoint of this name; letter case does not matter.
    pub(super) fn savepoint(&self, name: &str) -> Option<usize> {
        let name = name.to_lowercase();
        let is_named = |(known, _): &(String, TransactionMark)| known.to_lowercase() == name;
        self.savepoints.iter().rposition(is_named)
    }
}
