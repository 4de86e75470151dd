//! The applier: takes whole transactions from the relay log and puts them into the target.
//!
//! `coordinator` knows what events mean, `schedule` decides when to commit, `worker` owns the target.
//! `retry` what happens on errors; here are the thread and its loop over the relay log. Order that must
//! hold: a transaction is committed together with its position, and only then shown in the status,
//! and only then may its relay log be removed.

mod committing;
mod content;
mod coordinator;
mod error;
mod filter;
mod half;
mod hold;
mod kind;
mod load;
mod not_kept;
mod parallel;
mod refusal;
mod resolved;
mod retry;
mod row_filter;
mod schedule;
mod status;
mod steered;
mod steering;
mod tables;
#[cfg(test)]
mod tests;
mod until;
mod worker;
mod xa;

use std::sync::Arc;
use std::time::SystemTime;

use binlog::limits::Limits;
use binlog::log::{LogCursor, LogError, LogPosition};
use binlog::stream::EventStream;
use binlog::transaction::{TransactionGtid, TransactionReader};
use config::ReplicationFilter;
use config::settings::ApplierSettings;
use gtid::Gtid;
use targets::{Applied, Store, TargetError, UnitHead};
use tokio::runtime::Handle;
use tokio::sync::watch;

pub use coordinator::{Coordinator, Places};
pub use error::{ApplierError, Place, Reason};
pub use not_kept::{NotKept, Passed};
pub use resolved::ResolvedCounts;
pub use schedule::{Group, GroupLimits, Next};
pub use status::{ApplierFailure, ApplierState, ApplierStatus, WorkerState, WorkerUnit};
pub use steering::Steering;
pub use until::Until;
pub use worker::{Committed, Worker};

use hold::{Held, READING};
use parallel::Parallel;
use retry::Retries;

use crate::relay_log::{RelayEnd, RelayLog};

/// What the applier reads.
type Reader = TransactionReader<LogCursor>;

/// Everything an applier works with.
#[derive(Clone)]
pub struct Applier {
    /// Where transactions come from.
    pub relay_log: Arc<RelayLog>,
    /// What is applied.
    pub filter: Arc<ReplicationFilter>,
    /// Where the applier says how it fares.
    pub status: Arc<ApplierStatus>,
    /// How many transactions share a commit.
    pub limits: GroupLimits,
    /// How operators steer it.
    pub steering: Steering,
    /// How many transactions are applied at the same time, and how often they are tried.
    pub settings: ApplierSettings,
}

/// Why the applier stops reading for a moment, or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    /// Nothing more is known to be in the relay log.
    AtEnd,
    /// It was stopped.
    Stopped,
    /// What UNTIL names is reached.
    Reached,
}

/// An applier that runs.
#[derive(Debug)]
pub struct RunningApplier {
    stop: watch::Sender<bool>,
    thread: std::thread::JoinHandle<()>,
}

impl RunningApplier {
    /// Stops it. What was applied is committed on return; a transaction that was not finished is
    /// undone and will be applied again. Blocks.
    pub fn stop(self) {
        self.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the applier thread ended by a panic");
        }
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Fills the status with what `store` holds, for a receiver that starts before the applier.
///
/// # Errors
/// When the target cannot say.
pub fn recover(store: &dyn Store, status: &ApplierStatus) -> Result<Applied, TargetError> {
    let applied = store.recover()?;
    status.update(|state| {
        state.executed = applied.executed.clone();
        state.source = applied.source.clone();
        state.relay = applied.relay.clone();
    });
    Ok(applied)
}

/// Commits a transaction without changes under `gtid`, where the target stands; nothing, and false, if
/// it is executed. No applier may run.
///
/// # Errors
/// What the target says.
pub fn commit_empty(
    store: Arc<dyn Store>,
    status: &ApplierStatus,
    gtid: Gtid,
) -> Result<bool, TargetError> {
    let mut worker = Worker::new(store)?;
    let head = UnitHead {
        gtid: TransactionGtid::MySql(gtid),
        ..UnitHead::default()
    };
    if worker.progress().executed.contains(&head.gtid) {
        return Ok(false);
    }
    let (source, relay) = (
        worker.progress().source.clone(),
        worker.progress().relay.clone(),
    );
    worker.end_transaction(&head, source, relay)?;
    worker.commit()?;
    status.update(|state| {
        state.executed.clone_from(&worker.progress().executed);
        state.skipped = state.skipped.saturating_add(1);
    });
    tracing::warn!(target: crate::LIFE, %gtid, "a session committed an empty transaction: what the source does under this GTID will not be applied here");
    Ok(true)
}

/// Starts an applier on a thread of its own; `runtime` is for waiting.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(
    applier: Applier,
    store: Arc<dyn Store>,
    runtime: Handle,
) -> std::io::Result<RunningApplier> {
    let (stop, stopped) = watch::channel(false);
    applier.status.update(|state| {
        state.is_running = true;
        state.failure = None;
        state.doing = READING;
        state.until.clone_from(&applier.steering.until);
        state.delay = applier.steering.delay;
    });
    let thread = std::thread::Builder::new()
        .name("applier".to_owned())
        .stack_size(sql::THREAD_STACK)
        .spawn(move || {
            let _guard = EndsWithPanic(Arc::clone(&applier.status));
            applier.run(store, &runtime, stopped);
        })?;
    Ok(RunningApplier { stop, thread })
}

/// Says in the status that the thread is gone when it ends by a panic.
struct EndsWithPanic(Arc<ApplierStatus>);

impl Drop for EndsWithPanic {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        tracing::error!("the applier stopped: its thread ended by a panic");
        self.0.update(|state| {
            state.is_running = false;
            state.doing = "";
            state.oldest_open_micros = None;
            state.failures = state.failures.saturating_add(1);
            state.failure = Some(ApplierFailure {
                // ER_REPLICA_FATAL_ERROR
                code: 13117,
                message: "Fatal error: the applier's thread ended by a panic; the log of this \
                          process says where. Restart the replica"
                    .to_owned(),
                at: SystemTime::now(),
                gtid: TransactionGtid::None,
            });
        });
    }
}

impl Applier {
    /// Applies until it is stopped or an error stops it.
    fn run(self, store: Arc<dyn Store>, runtime: &Handle, mut stop: watch::Receiver<bool>) {
        let mut retries = Retries::default();
        loop {
            let error = match Worker::new(Arc::clone(&store)) {
                Ok(worker) => {
                    self.apply_with_retries(worker, runtime, stop);
                    break;
                }
                Err(error) => ApplierError::new(Place::default(), error),
            };
            if !self.waits_after(&error, &mut retries, runtime, &mut stop) {
                break;
            }
        }
        self.status.update(|state| {
            state.is_running = false;
            state.doing = "";
            state.oldest_open_micros = None;
        });
    }

    /// Applies from the committed position on, until it is stopped; `alone`: for a while one transaction
    /// after the other.
    fn apply(
        &self,
        coordinator: &mut Coordinator,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
        alone: bool,
    ) -> Result<(), ApplierError> {
        let mut parallel = self.workers(coordinator, alone)?;
        let outcome = self.apply_with(&mut parallel, coordinator, runtime, stop);
        match parallel {
            Some(parallel) => self.end_workers(parallel, coordinator, outcome),
            None => outcome,
        }
    }

    fn apply_with(
        &self,
        parallel: &mut Option<Parallel>,
        coordinator: &mut Coordinator,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), ApplierError> {
        let mut reader = self.reader(coordinator)?;
        // What was asked behind a commit whose answer was lost.
        let executed = &coordinator.worker.progress().executed;
        self.status
            .update(|state| state.executed.clone_from(executed));
        let mut end = self.relay_log.end();
        loop {
            let known_end = end.borrow_and_update().position.clone();
            let pause = match parallel {
                None => self.apply_up_to(coordinator, &mut reader, &known_end, &end, runtime, stop),
                Some(parallel) => {
                    reader.source_mut().set_end(known_end);
                    self.give_up_to(parallel, coordinator, &mut reader, &end, runtime, stop)
                }
            }?;
            if let Some(parallel) = parallel.as_mut().filter(|parallel| parallel.is_busy()) {
                match pause {
                    Pause::AtEnd => {
                        runtime.block_on(is_over_or_more(parallel.progress(), &mut end, stop));
                        continue;
                    }
                    // What is under way is committed or undone when the workers end.
                    Pause::Stopped => return Ok(()),
                    Pause::Reached => {}
                }
            }
            match pause {
                Pause::AtEnd => {}
                Pause::Stopped => {
                    coordinator.abandon_transaction()?;
                    return self.commit(coordinator);
                }
                Pause::Reached => {
                    self.commit(coordinator)?;
                    self.show_place(coordinator);
                    self.say_reached(coordinator);
                    return Ok(());
                }
            }
            if end.has_changed().unwrap_or(false) && !*stop.borrow() {
                continue;
            }
            self.commit(coordinator)?;
            self.idle(coordinator)?;
            if runtime.block_on(is_stopped_before_change(&mut end, stop)) {
                return Ok(());
            }
        }
    }

    /// Reads the relay log from where the target is, payloads in pieces.
    fn reader(&self, coordinator: &Coordinator) -> Result<Reader, ApplierError> {
        let start = coordinator.worker.progress().relay.clone();
        let start = start.unwrap_or_else(|| self.relay_log.start());
        // Whoever took files away under a running process: applying elsewhere could lose or repeat.
        if !self.relay_log.contains(&start) {
            return Err(coordinator.at_end(Reason::NotInRelayLog { position: start }));
        }
        let cursor = self.relay_log.cursor(&start);
        let cursor = cursor.map_err(|error| coordinator.at_end(error.into()))?;
        let stream = EventStream::new(cursor, Limits::default());
        Ok(TransactionReader::new(stream))
    }

    /// Applies what lies before `end`, and tells why it stopped.
    fn apply_up_to(
        &self,
        coordinator: &mut Coordinator,
        reader: &mut Reader,
        end: &LogPosition,
        newer_end: &watch::Receiver<RelayEnd>,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Pause, ApplierError> {
        reader.source_mut().set_end(end.clone());
        loop {
            if let Some(pause) = self.take_next(coordinator, reader, runtime, stop, newer_end)? {
                return Ok(pause);
            }
        }
    }

    /// Takes the next event, or tells why not now.
    fn take_next(
        &self,
        coordinator: &mut Coordinator,
        reader: &mut Reader,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
        newer_end: &watch::Receiver<RelayEnd>,
    ) -> Result<Option<Pause>, ApplierError> {
        if *stop.borrow() {
            return Ok(Some(Pause::Stopped));
        }
        if self.has_reached_until(coordinator) {
            return Ok(Some(Pause::Reached));
        }
        let taken = match reader.next() {
            Ok(Some(step)) => match self.hold(coordinator, &step, runtime, stop)? {
                Held::Begins => Ok(coordinator.handle(&step)),
                Held::Stopped => return Ok(Some(Pause::Stopped)),
                Held::Ends => return Ok(Some(Pause::Reached)),
            },
            Ok(None) => return Ok(Some(Pause::AtEnd)),
            Err(error) => Err(error),
        };
        self.settle(coordinator, reader, taken, newer_end)?;
        Ok(None)
    }

    /// Ends the event that was `taken`, and its transaction if it is the last of it, and commits when
    /// the schedule says so. More is waiting if the event ends before the reader's end, or a newer end
    /// is announced.
    fn settle(
        &self,
        coordinator: &mut Coordinator,
        reader: &mut Reader,
        taken: Result<Result<bool, ApplierError>, LogError>,
        newer_end: &watch::Receiver<RelayEnd>,
    ) -> Result<(), ApplierError> {
        let taken = match taken {
            // The rest of a payload must be sound before its transaction counts.
            Ok(Ok(true)) => reader.finish_payload().map(|()| Ok(true)),
            taken => taken,
        };
        let cursor = reader.stream().source();
        let handled = taken
            .unwrap_or_else(|error| Err(coordinator.unreadable(error, cursor)))
            .and_then(|has_ended| match has_ended {
                true => coordinator.end(Some(cursor.position())).map(|()| true),
                false => Ok(false),
            });
        let has_ended = match handled {
            Ok(has_ended) => has_ended,
            Err(error) => return Err(self.keep_group(coordinator, error)),
        };
        if coordinator.has_passed_over() {
            return self.commit_passed_over(coordinator);
        }
        if has_ended {
            let position = cursor.position();
            let is_waiting = cursor.end().is_some_and(|end| position < *end)
                || newer_end.has_changed().unwrap_or(false);
            let group = coordinator.worker.group();
            let next = self.limits.decide(&group, is_waiting);
            if next == Next::Commit || coordinator.worker.must_commit() {
                self.commit(coordinator)?;
            }
        }
        Ok(())
    }
}

/// Waits until a worker is through with a transaction, or there is more to apply, or the applier is
/// stopped.
async fn is_over_or_more(
    mut progress: watch::Receiver<u64>,
    end: &mut watch::Receiver<RelayEnd>,
    stop: &mut watch::Receiver<bool>,
) {
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => {}
        _ = progress.changed() => {}
        _ = end.changed() => {}
    }
}

/// Waits for more to apply; true when it is stopped instead.
async fn is_stopped_before_change(
    end: &mut watch::Receiver<RelayEnd>,
    stop: &mut watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => true,
        changed = end.changed() => {
            // `changed` marks the value as seen; the loop reads it afresh.
            changed.is_err()
        }
    }
}
