//! How the applier fares: written by its thread, read by SHOW REPLICA STATUS, metrics, lag and the
//! receiver.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use binlog::event::CommitTimestamps;
use binlog::log::{LogPosition, SourceCoordinates};
use binlog::transaction::{Executed, TransactionGtid};
use gtid::GtidSet;
use targets::RowRules;

use super::error::ApplierError;
use super::not_kept::NotKept;
use super::resolved::ResolvedCounts;
use super::until::Until;
use crate::receiver::Applied;

/// The last error of the applier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplierFailure {
    /// MySQL's number.
    pub code: u16,
    /// A sentence for an operator.
    pub message: String,
    /// When it happened.
    pub at: SystemTime,
    /// The transaction that was not applied, if it is known and has an identifier.
    pub gtid: TransactionGtid,
}

impl ApplierFailure {
    /// An error that happened just now.
    pub(super) fn of(error: &ApplierError) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            at: SystemTime::now(),
            gtid: error.place.gtid,
        }
    }
}

/// How one of several workers fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerState {
    /// The transaction that it applies.
    pub applying: Option<WorkerUnit>,
    /// The transaction that it committed last, and when it did.
    pub applied: Option<(WorkerUnit, SystemTime)>,
    /// Transactions that it committed.
    pub transactions: u64,
    /// How often it began one again: locks, or what it needed was not there yet.
    pub retries: u64,
    /// Its last error.
    pub failure: Option<ApplierFailure>,
}

/// A transaction at a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerUnit {
    /// Its identifier.
    pub gtid: TransactionGtid,
    /// When it was committed first, and on the source.
    pub committed: Option<CommitTimestamps>,
    /// When the worker began.
    pub began: SystemTime,
    /// How often it was begun again.
    pub retries: u64,
    /// Why, the last time.
    pub transient: Option<ApplierFailure>,
}

/// A snapshot of how the applier fares.
#[derive(Debug, Clone, Default)]
pub struct ApplierState {
    /// Whether its thread runs.
    pub is_running: bool,
    /// `Replica_SQL_Running_State`: MySQL's words for what it does.
    pub doing: &'static str,
    /// The last error; cleared by START REPLICA.
    pub failure: Option<ApplierFailure>,
    /// Every transaction whose changes are committed, or were passed over by a filter.
    pub executed: Executed,
    /// Place in the source's log behind the last committed transaction.
    pub source: Option<SourceCoordinates>,
    /// Place in the relay log behind the last committed transaction.
    pub relay: Option<LogPosition>,
    /// Whether everything in the relay log is committed.
    pub has_caught_up: bool,
    /// The source's clock at the start of the transaction that is applied now, or was last; seconds
    /// since 1970. 0: none yet.
    pub last_timestamp: u32,
    /// Commit on the source of the oldest transaction that is not committed here, µs since 1970 by
    /// the source's clock, while there is one that has begun.
    pub oldest_open_micros: Option<u64>,
    /// Commit on the source of the last transaction committed here.
    pub last_applied_micros: Option<u64>,
    /// Transactions committed since the process began.
    pub transactions: u64,
    /// Bytes of their events.
    pub bytes: u64,
    /// Rows applied since the process began.
    pub rows: u64,
    /// Transactions of which a filter, or a rule of this replica, took something out.
    pub skipped: u64,
    /// What the target does not keep, of transactions committed since the process began.
    pub not_kept: NotKept,
    /// Rows that `replicate_row_filter` left out, since the process began.
    pub left_out: u64,
    /// What becomes of rows that do not fit.
    pub rules: Arc<RowRules>,
    /// Those that did not, of transactions committed since the process began.
    pub resolved: ResolvedCounts,
    /// Failures since the process began.
    pub failures: u64,
    /// Until when the applier applies, or did.
    pub until: Option<Until>,
    /// How long after its commit on the source a transaction is applied at the earliest.
    pub delay: Duration,
    /// When the transaction that waits for `delay` is due, µs since 1970 by the source's clock.
    pub due_micros: Option<i64>,
    /// `sql_replica_skip_counter`: how many transactions are to be passed over.
    pub skip_counter: u32,
    /// Where in the relay log the transaction begins that is being passed over: it is that one and no
    /// other until it is committed that it was.
    pub passed_over_at: Option<LogPosition>,
    /// The workers, from number 1 on; none where the coordinator itself applies.
    pub workers: Vec<WorkerState>,
}

/// Where the applier writes its state.
#[derive(Debug, Default)]
pub struct ApplierStatus {
    state: Mutex<ApplierState>,
}

impl ApplierStatus {
    /// The present state.
    #[must_use]
    pub fn snapshot(&self) -> ApplierState {
        self.lock().clone()
    }

    /// How many transactions are to be passed over, and where the one begins that is.
    #[must_use]
    pub fn skipping(&self) -> (u32, Option<LogPosition>) {
        let state = self.lock();
        (state.skip_counter, state.passed_over_at.clone())
    }

    /// Every MySQL GTID whose changes are committed.
    #[must_use]
    pub fn gtid_executed(&self) -> GtidSet {
        self.lock().executed.mysql.clone()
    }

    /// Changes the state; `change` must not block.
    pub fn update(&self, change: impl FnOnce(&mut ApplierState)) {
        change(&mut self.lock());
    }

    /// Whether rows that do not fit may be passed over.
    pub(super) fn has_rules(&self) -> bool {
        *self.lock().rules != RowRules::default()
    }

    /// Whether several workers apply.
    pub(super) fn has_workers(&self) -> bool {
        !self.lock().workers.is_empty()
    }

    /// There are so many workers, none of which has done anything yet.
    pub(super) fn set_workers(&self, count: u16) {
        let workers = vec![WorkerState::default(); usize::from(count)];
        self.update(|state| {
            if state.workers.len() != workers.len() {
                state.workers = workers;
            }
            for worker in &mut state.workers {
                worker.applying = None;
            }
        });
    }

    /// Changes the state of the worker of this number, from 1 on.
    pub(super) fn worker(&self, number: u16, change: impl FnOnce(&mut WorkerState)) {
        let at = usize::from(number).wrapping_sub(1);
        self.update(|state| {
            if let Some(worker) = state.workers.get_mut(at) {
                change(worker);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, ApplierState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Applied for ApplierStatus {
    fn executed(&self) -> Executed {
        self.lock().executed.clone()
    }

    fn source_coordinates(&self) -> Option<SourceCoordinates> {
        self.lock().source.clone()
    }
}
