//! What the pipeline tells the rest of the process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use binlog::log::{LogFileName, LogPosition};
use gtid::GtidSet;
use server::feed::GtidState;
use server::owned_gtids::OwnedGtids;

/// Shared by the pipeline (writes), sessions, dump sessions and the observer (read).
pub(crate) struct State {
    gtids: RwLock<Gtids>,
    is_gtid_mode_on: bool,
    /// End of the last sealed group. Written by the pipeline.
    end: Mutex<LogPosition>,
    /// The first file that the engine may still need after a power loss. Written by checkpoints.
    pub(crate) checkpointed: Mutex<Option<LogFileName>>,
    pub(crate) counts: Counts,
    /// Why nothing can be written at the moment. Written by the pipeline, read by the observer.
    short: Mutex<Option<String>>,
    /// Identifiers that sessions have taken by gtid_next.
    pub(crate) owned: OwnedGtids,
}

struct Gtids {
    executed: GtidSet,
    purged: GtidSet,
}

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) commits: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) group_max: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) sync_micros: AtomicU64,
    pub(crate) flush_errors: AtomicU64,
    pub(crate) engine_errors: AtomicU64,
}

impl Counts {
    /// Runs a sync of the log; counts it and its time if it succeeds.
    pub(crate) fn time_sync<E>(&self, sync: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let began = Instant::now();
        sync()?;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        State::count(&self.syncs, 1);
        State::count(&self.sync_micros, micros);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn new(
        executed: GtidSet,
        purged: GtidSet,
        is_gtid_mode_on: bool,
        end: LogPosition,
    ) -> Self {
        Self {
            gtids: RwLock::new(Gtids { executed, purged }),
            is_gtid_mode_on,
            end: Mutex::new(end),
            checkpointed: Mutex::new(None),
            counts: Counts::default(),
            short: Mutex::new(None),
            owned: OwnedGtids::default(),
        }
    }

    pub(crate) fn set_executed(&self, executed: GtidSet) {
        let mut gtids = self.gtids.write().unwrap_or_else(PoisonError::into_inner);
        gtids.executed = executed;
    }

    pub(crate) fn set_purged(&self, purged: GtidSet) {
        let mut gtids = self.gtids.write().unwrap_or_else(PoisonError::into_inner);
        gtids.purged = purged;
    }

    pub(crate) fn end(&self) -> LogPosition {
        lock(&self.end).clone()
    }

    pub(crate) fn set_end(&self, end: LogPosition) {
        *lock(&self.end) = end;
    }

    /// Why nothing can be written at the moment.
    pub(crate) fn short(&self) -> Option<String> {
        lock(&self.short).clone()
    }

    pub(crate) fn set_short(&self, reason: Option<String>) {
        *lock(&self.short) = reason;
    }

    /// The first file that must stay for the engine's sake.
    pub(crate) fn needed_by_engine(&self) -> Option<LogFileName> {
        lock(&self.checkpointed).clone()
    }

    /// Adds to a counter.
    pub(crate) fn count(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}

impl GtidState for State {
    fn executed(&self) -> GtidSet {
        let gtids = self.gtids.read().unwrap_or_else(PoisonError::into_inner);
        gtids.executed.clone()
    }

    fn purged(&self) -> GtidSet {
        let gtids = self.gtids.read().unwrap_or_else(PoisonError::into_inner);
        gtids.purged.clone()
    }

    fn is_gtid_mode_on(&self) -> bool {
        self.is_gtid_mode_on
    }
}
