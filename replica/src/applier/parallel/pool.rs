//! The workers: threads with a session each, and what they are given and give back.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use binlog::transaction::TransactionGtid;
use tokio::sync::watch;

use super::dependencies::{Dependencies, Needs};
use super::lane::Lane;
use super::turns::Turns;
use super::unit::Unit;
use crate::applier::error::ApplierError;
use crate::applier::worker::Committed;

/// Bytes of transactions that wait for a worker.
const WAITING_MAX: usize = 16 << 20;

/// Transactions that wait for a worker, for each of them.
const WAITING_EACH: usize = 16;

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is committed.
    Committed(Committed),
    /// It is undone, as one before it failed or the workers end.
    Abandoned,
    /// It is undone.
    Failed(ApplierError),
}

/// A transaction that a worker is through with.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) unit: Arc<Unit>,
    pub(super) outcome: Outcome,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Unit>>,
    bytes: usize,
    is_closed: bool,
}

/// What the workers and the coordinator share.
#[derive(Debug)]
pub(super) struct Shared {
    workers: usize,
    queue: Mutex<Queue>,
    given: Condvar,
    pub(super) turns: Turns,
    done: Mutex<Vec<Done>>,
    /// Counts what was done.
    progressed: watch::Sender<u64>,
    /// Counts what the one lane did in between, which may have defined tables anew.
    alone: AtomicU64,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self) -> MutexGuard<'_, Vec<Done>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often the one lane did something in between.
    pub(super) fn count_alone(&self) -> u64 {
        self.alone.load(Ordering::Acquire)
    }

    /// The next transactions, in their order: `most` at most, and no more than a worker's share; waits for
    /// the first. None: there will be none.
    pub(super) fn next(&self, most: usize) -> VecDeque<Arc<Unit>> {
        let mut queue = self.queue();
        loop {
            if queue.is_closed {
                return VecDeque::new();
            }
            let share = queue.waiting.len().div_ceil(self.workers).min(most);
            if share > 0 {
                let units: VecDeque<_> = queue.waiting.drain(..share).collect();
                let bytes = units.iter().map(|unit| unit.bytes.len()).sum();
                queue.bytes = queue.bytes.saturating_sub(bytes);
                return units;
            }
            queue = self
                .given
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives back what became of transactions. The coordinator is woken once it may be missed: while enough
    /// transactions wait, nobody waits for it.
    pub(super) fn finish(&self, done: impl IntoIterator<Item = Done>) {
        let mut is_committed = true;
        self.done().extend(
            done.into_iter()
                .inspect(|done| is_committed &= matches!(done.outcome, Outcome::Committed(_))),
        );
        let is_low = self.queue().waiting.len() <= self.workers.saturating_mul(WAITING_EACH) / 2;
        if is_low || !is_committed {
            self.progressed
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

/// The workers. They end when this is dropped, which blocks: what they had open is undone.
pub(super) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    dependencies: Dependencies,
    next_order: u64,
    progressed: watch::Receiver<u64>,
}

impl Pool {
    /// Starts a thread for each lane that `lane` makes.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        count: u16,
        lane: impl Fn(u16, &Arc<Shared>) -> Lane,
    ) -> std::io::Result<Self> {
        let (progress, progressed) = watch::channel(0);
        let shared = Arc::new(Shared {
            workers: usize::from(count).max(1),
            queue: Mutex::default(),
            given: Condvar::new(),
            turns: Turns::default(),
            done: Mutex::default(),
            progressed: progress,
            alone: AtomicU64::new(0),
        });
        let mut pool = Self {
            shared: Arc::clone(&shared),
            threads: Vec::new(),
            dependencies: Dependencies::default(),
            next_order: 0,
            progressed,
        };
        for number in 1..=count {
            let lane = lane(number, &shared);
            let thread = std::thread::Builder::new()
                .name(format!("applier-{number}"))
                .stack_size(sql::THREAD_STACK)
                .spawn(move || lane.run())?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Takes note that the one lane does something, beside which nothing is under way.
    pub(super) fn goes_alone(&self) {
        self.shared.alone.fetch_add(1, Ordering::Release);
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.dependencies.is_empty()
    }

    /// Whether the transaction of this identifier is under way.
    pub(super) fn has(&self, gtid: &TransactionGtid) -> bool {
        self.dependencies.has(gtid)
    }

    /// Whether a transaction may be given to the workers now.
    pub(super) fn may_take(&self, unit: &Unit) -> bool {
        let has_room = {
            let queue = self.shared.queue();
            queue.waiting.is_empty()
                || (queue.bytes.saturating_add(unit.bytes.len()) <= WAITING_MAX
                    && queue.waiting.len() < self.threads.len().saturating_mul(WAITING_EACH))
        };
        has_room && self.dependencies.may_begin(&unit.needs)
    }

    /// Gives a transaction to the workers.
    pub(super) fn give(&mut self, mut unit: Unit) {
        unit.order = self.next_order;
        self.next_order = self.next_order.saturating_add(1);
        let needs = std::mem::replace(&mut unit.needs, Needs::All);
        let committed = unit.info.commit_timestamps.map(|times| times.original);
        self.dependencies
            .begin(unit.order, needs, unit.info.gtid, committed);
        let mut queue = self.shared.queue();
        queue.bytes = queue.bytes.saturating_add(unit.bytes.len());
        queue.waiting.push_back(Arc::new(unit));
        drop(queue);
        self.shared.given.notify_one();
    }

    /// When the first transaction under way was committed on its source, as far as it is known.
    pub(super) fn oldest_micros(&self) -> Option<u64> {
        self.dependencies.oldest_micros()
    }

    /// What the workers are through with since this was asked.
    pub(super) fn take_done(&mut self) -> Vec<Done> {
        // What is done from here on will be seen.
        self.progressed.borrow_and_update();
        let done = std::mem::take(&mut *self.shared.done());
        for done in &done {
            // What needs one that is not committed is not to be given.
            if matches!(done.outcome, Outcome::Committed(_)) {
                self.dependencies.end(done.unit.order);
            }
        }
        done
    }

    /// Tells when something was done that was not taken yet.
    pub(super) fn progress(&self) -> watch::Receiver<u64> {
        self.progressed.clone()
    }

    /// Ends the workers, and waits for that. What they have committed meanwhile is still to be taken.
    pub(super) fn end(&mut self) {
        let mut queue = self.shared.queue();
        queue.is_closed = true;
        queue.waiting.clear();
        drop(queue);
        self.shared.turns.close();
        self.shared.given.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("the thread of a worker ended by a panic");
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.end();
    }
}
