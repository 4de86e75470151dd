//! Several transactions at once: the coordinator reads, workers apply.
//!
//! ```text
//! relay log -> collector -> dependencies -> queue -> worker 1..N -> turns -> commit
//! ```
//! What is no transaction of plain row changes runs alone, by the one lane that a replica with a single
//! worker has: the workers are waited for, and the relay log is read again from where they ended.
//! Places move over what is committed without a gap; what is committed beyond is known to the target by
//! its identifier.

mod collector;
mod dependencies;
mod lane;
mod pool;
mod touched;
mod turns;
mod unit;
mod write_set;

use std::collections::BTreeMap;
use std::sync::Arc;

use binlog::log::{LogPosition, SourceCoordinates};
use binlog::transaction::{Step, TransactionGtid};
use tokio::runtime::Handle;
use tokio::sync::watch;

use self::collector::{Collected, Collector};
use self::dependencies::Needs;
use self::lane::Lane;
use self::pool::{Outcome, Pool};
use self::touched::Touched;
use self::unit::Unit;
use super::coordinator::{Begins, Coordinator};
use super::error::ApplierError;
use super::hold::{Held, READING};
use super::steering::Verdict;
use super::worker::Committed;
use super::{Applier, Pause, Reader};
use crate::relay_log::RelayEnd;

/// Transactions that run alone behind a failure: what failed is met by the one lane, whose patience
/// with locks is the target's own.
const ALONE: u32 = 256;

/// The workers of an applier, and what was not given to them.
pub(super) struct Parallel {
    pool: Pool,
    collector: Collector,
    touched: Touched,
    /// Transactions that are over while one before them is not, by order: where they end.
    over: BTreeMap<u64, (LogPosition, Option<SourceCoordinates>)>,
    /// The first order that is not over.
    next_over: u64,
    /// How many transactions, or events outside, the one lane takes next.
    alone: u32,
    failure: Option<ApplierError>,
}

/// What is to be done about an event.
enum Look {
    /// Nothing but to read on.
    Read,
    /// It ends a transaction for the workers.
    Give(Box<Unit>),
    /// It ends one that is applied already, there.
    Passed(LogPosition, Option<SourceCoordinates>),
    /// The one lane takes it, and so many transactions with it.
    Alone(u32),
    /// The one lane reads its transaction again.
    Again,
}

/// What is to be done behind an event.
enum Then {
    Read,
    Give(Box<Unit>),
    Again,
    /// The one lane took it, and takes so many transactions with it.
    Settle(Result<bool, ApplierError>, u32),
}

impl Parallel {
    /// Whether transactions are under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.pool.is_idle()
    }

    /// Tells when a worker is through with one.
    pub(super) fn progress(&self) -> watch::Receiver<u64> {
        self.pool.progress()
    }
}

impl Applier {
    /// The workers, if there are to be several and the target takes as many. Behind a failure, as `alone`
    /// says, the one lane begins.
    pub(super) fn workers(
        &self,
        coordinator: &Coordinator,
        alone: bool,
    ) -> Result<Option<Parallel>, ApplierError> {
        let store = coordinator.worker.store();
        let count = self.settings.workers.min(store.traits().sessions_max);
        // UNTIL names a place in one order.
        if count < 2 || self.steering.until.is_some() {
            self.status.set_workers(0);
            return Ok(None);
        }
        self.status.set_workers(count);
        let definitions = store.definitions();
        let definitions = definitions.map_err(|error| coordinator.at_end(error.into()))?;
        let pool = Pool::start(count, |number, shared| Lane {
            number,
            store: Arc::clone(store),
            filter: Arc::clone(&self.filter),
            status: Arc::clone(&self.status),
            shared: Arc::clone(shared),
            keeps_order: self.settings.keeps_order,
        });
        let pool = pool.map_err(|error| {
            let error = sql::error::SqlError::new(
                1135,
                "HY000",
                format!("no thread for a worker: {error}"),
            );
            coordinator.at_end(targets::TargetError::Retry(error).into())
        })?;
        Ok(Some(Parallel {
            pool,
            collector: Collector::default(),
            touched: Touched::new(definitions),
            over: BTreeMap::new(),
            next_over: 0,
            alone: if alone { ALONE } else { 0 },
            failure: None,
        }))
    }

    /// Gives the workers what lies before the reader's end, and tells why it stopped. Workers may still be
    /// at it.
    pub(super) fn give_up_to(
        &self,
        parallel: &mut Parallel,
        coordinator: &mut Coordinator,
        reader: &mut Reader,
        newer_end: &watch::Receiver<RelayEnd>,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Pause, ApplierError> {
        loop {
            self.adopt(parallel, coordinator)?;
            if *stop.borrow() {
                return Ok(Pause::Stopped);
            }
            if parallel.alone > 0 {
                let pause = self.take_next(coordinator, reader, runtime, stop, newer_end)?;
                if let Some(pause) = pause {
                    return Ok(pause);
                }
                self.took_alone(parallel, coordinator)?;
                continue;
            }
            let then = match reader.next() {
                Ok(Some(step)) => {
                    let look = self.look(parallel, coordinator, &step)?;
                    if matches!(look, Look::Passed(..) | Look::Alone(_))
                        && self.drain(parallel, coordinator, runtime, stop)?
                    {
                        return Ok(Pause::Stopped);
                    }
                    match look {
                        Look::Read => Then::Read,
                        Look::Give(unit) => Then::Give(unit),
                        Look::Again => Then::Again,
                        Look::Passed(relay, source) => {
                            coordinator.worker.move_to(source, Some(relay));
                            Then::Read
                        }
                        Look::Alone(count) => match self.hold(coordinator, &step, runtime, stop)? {
                            Held::Begins => Then::Settle(coordinator.handle(&step), count),
                            Held::Stopped => return Ok(Pause::Stopped),
                            Held::Ends => return Ok(Pause::Reached),
                        },
                    }
                }
                Ok(None) => return Ok(Pause::AtEnd),
                // The one lane meets it once all before it are committed.
                Err(_) => Then::Again,
            };
            match then {
                Then::Read => {}
                Then::Give(unit) => {
                    if self.waits_for_room(parallel, coordinator, &unit, runtime, stop)? {
                        return Ok(Pause::Stopped);
                    }
                    match coordinator.has_applied(&unit.info.gtid) {
                        // It stands there twice.
                        true => self.go_back(parallel, coordinator, reader, runtime, stop)?,
                        false => self.give(parallel, *unit),
                    }
                }
                Then::Again => self.go_back(parallel, coordinator, reader, runtime, stop)?,
                Then::Settle(taken, count) => {
                    self.settle(coordinator, reader, Ok(taken), newer_end)?;
                    parallel.alone = count;
                    self.took_alone(parallel, coordinator)?;
                }
            }
        }
    }

    /// The one lane has taken an event.
    fn took_alone(
        &self,
        parallel: &mut Parallel,
        coordinator: &mut Coordinator,
    ) -> Result<(), ApplierError> {
        if coordinator.is_between_transactions() {
            parallel.alone = parallel.alone.saturating_sub(1);
            if parallel.alone == 0 {
                return self.commit(coordinator);
            }
        }
        Ok(())
    }

    /// Gives the workers a transaction.
    fn give(&self, parallel: &mut Parallel, unit: Unit) {
        self.status.update(|state| {
            state.has_caught_up = false;
            state.last_timestamp = unit.info.timestamp;
            state.doing = READING;
            let committed = unit.info.commit_timestamps.map(|times| times.original);
            state.oldest_open_micros = state.oldest_open_micros.or(committed);
        });
        parallel.pool.give(unit);
    }

    /// Looks at an event.
    fn look(
        &self,
        parallel: &mut Parallel,
        coordinator: &mut Coordinator,
        step: &Step<'_>,
    ) -> Result<Look, ApplierError> {
        if !parallel.collector.is_inside() {
            let Some(Begins::Transaction(transaction, begins_at)) = coordinator.begins(step) else {
                return Ok(Look::Alone(1));
            };
            if transaction.gtid.mysql().is_none() {
                // What the target knows by its place comes in one order, and may share commits.
                return Ok(Look::Alone(ALONE));
            }
            let is_applied = transaction.gtid != TransactionGtid::None
                && coordinator.has_applied(&transaction.gtid);
            // A row that does not fit is passed over only where it would not fit in the source's order.
            if self.judge(coordinator, step) != Verdict::Take || self.status.has_rules() {
                return Ok(Look::Alone(1));
            }
            parallel.collector.begin(is_applied, begins_at);
            let has_clock = Needs::by_clock(transaction).is_some() && !self.filter.rewrites();
            parallel.touched.begin(!is_applied && !has_clock);
        }
        let admissions = &mut coordinator.admissions;
        let touched = parallel.touched.take(step, &self.filter, admissions);
        touched.map_err(|error| coordinator.at_end(error.into()))?;
        let source = coordinator.follow(step);
        Ok(match parallel.collector.take(step, source) {
            Collected::Held => Look::Read,
            Collected::Whole(mut unit) => {
                unit.needs = self.needs(parallel, &unit);
                Look::Give(unit)
            }
            Collected::Passed(relay, source) => Look::Passed(relay, source),
            Collected::Alone => Look::Again,
        })
    }

    /// What a transaction needs whose last event was read.
    fn needs(&self, parallel: &mut Parallel, unit: &Unit) -> Needs {
        match parallel.touched.end() {
            // Databases that were renamed may share rows of which their source thought as different ones.
            Some(set) => Needs::by_rows(&unit.info, Some(set), self.filter.rewrites()),
            None => Needs::by_clock(&unit.info).unwrap_or(Needs::All),
        }
    }

    /// Waits until the workers may take `unit`; true when the applier is stopped instead.
    fn waits_for_room(
        &self,
        parallel: &mut Parallel,
        coordinator: &mut Coordinator,
        unit: &Unit,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<bool, ApplierError> {
        while !parallel.pool.may_take(unit) || parallel.pool.has(&unit.info.gtid) {
            let mut progress = parallel.progress();
            if runtime.block_on(is_stopped_before(&mut progress, stop)) {
                return Ok(true);
            }
            self.adopt(parallel, coordinator)?;
        }
        Ok(false)
    }

    /// Waits for the workers and has the one lane read from where they ended.
    fn go_back(
        &self,
        parallel: &mut Parallel,
        coordinator: &mut Coordinator,
        reader: &mut Reader,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), ApplierError> {
        if self.drain(parallel, coordinator, runtime, stop)? {
            // Whoever asked for an event next is told.
            return Ok(());
        }
        parallel.collector.forget();
        let source = coordinator.worker.progress().source.clone();
        coordinator.start_at(source);
        let end = reader.stream().source().end().cloned();
        *reader = self.reader(coordinator)?;
        if let Some(end) = end {
            reader.source_mut().set_end(end);
        }
        parallel.alone = 1;
        Ok(())
    }

    /// Waits until nothing is under way; true when the applier is stopped instead.
    fn drain(
        &self,
        parallel: &mut Parallel,
        coordinator: &mut Coordinator,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<bool, ApplierError> {
        while parallel.is_busy() {
            let mut progress = parallel.progress();
            if runtime.block_on(is_stopped_before(&mut progress, stop)) {
                return Ok(true);
            }
            self.adopt(parallel, coordinator)?;
        }
        parallel.pool.goes_alone();
        parallel.touched.forget();
        Ok(false)
    }

    /// Takes over what the workers are through with.
    pub(super) fn adopt(
        &self,
        parallel: &mut Parallel,
        coordinator: &mut Coordinator,
    ) -> Result<(), ApplierError> {
        let mut all = Committed::default();
        let mut has_any = false;
        for done in parallel.pool.take_done() {
            match done.outcome {
                Outcome::Committed(committed) => {
                    has_any = true;
                    all.add(&committed);
                    coordinator.worker.has_committed(done.unit.info.gtid);
                    let end = (done.unit.relay.clone(), done.unit.source.clone());
                    parallel.over.insert(done.unit.order, end);
                }
                Outcome::Abandoned => {}
                // Only the first that is not committed fails so; those behind it are abandoned.
                Outcome::Failed(error) => {
                    parallel.failure.get_or_insert(error);
                }
            }
        }
        while let Some((relay, source)) = parallel.over.remove(&parallel.next_over) {
            parallel.next_over = parallel.next_over.saturating_add(1);
            coordinator.worker.move_to(source, Some(relay));
        }
        if has_any {
            self.show(coordinator, all);
            let oldest = parallel.pool.oldest_micros();
            self.status
                .update(|state| state.oldest_open_micros = oldest);
            self.purge(coordinator)?;
        }
        match parallel.failure.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Ends the workers. What they committed is taken over; a failure of theirs comes back unless there
    /// is one already.
    pub(super) fn end_workers(
        &self,
        mut parallel: Parallel,
        coordinator: &mut Coordinator,
        outcome: Result<(), ApplierError>,
    ) -> Result<(), ApplierError> {
        parallel.pool.end();
        let adopted = self.adopt(&mut parallel, coordinator);
        outcome.and(adopted)
    }
}

/// Waits until a worker is through with a transaction; true when the applier is stopped instead.
async fn is_stopped_before(
    progress: &mut watch::Receiver<u64>,
    stop: &mut watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => true,
        _ = progress.changed() => false,
    }
}
