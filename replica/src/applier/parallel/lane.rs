//! One worker: takes transactions, runs each in a session of its own, and commits it when its turn
//! comes.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use binlog::limits::Limits;
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use config::ReplicationFilter;
use targets::{Store, TargetError};

use super::pool::{Done, Outcome, Shared};
use super::turns::Turn;
use super::unit::{Unit, UnitEvents};
use crate::applier::coordinator::{Coordinator, Places};
use crate::applier::error::{ApplierError, Place, Reason};
use crate::applier::half;
use crate::applier::status::{ApplierFailure, ApplierStatus, WorkerUnit};
use crate::applier::worker::{Committed, Worker};

/// Transactions that a worker gives to its session without waiting for their answers, where they need
/// not become visible in the source's order.
const TOGETHER_MAX: usize = 16;

/// What a worker works with.
pub(super) struct Lane {
    pub(super) number: u16,
    pub(super) store: Arc<dyn Store>,
    pub(super) filter: Arc<ReplicationFilter>,
    pub(super) status: Arc<ApplierStatus>,
    pub(super) shared: Arc<Shared>,
    /// Whether transactions become visible in the order of the source.
    pub(super) keeps_order: bool,
}

/// How an attempt ended.
enum Attempt {
    Committed(Committed),
    GiveWay,
    Abandoned,
}

impl Lane {
    /// Works until the pool is closed.
    pub(super) fn run(self) {
        let mut coordinator = None;
        let mut seen_alone = 0;
        let most = match self.keeps_order {
            true => 1,
            false => TOGETHER_MAX,
        };
        loop {
            let mut taken = Taken::new(&self.shared, self.shared.next(most));
            let Some(first) = taken.first().cloned() else {
                return;
            };
            self.begins(&first);
            let opened = self.opened(&mut coordinator);
            if let Ok(coordinator) = opened {
                let alone = self.shared.count_alone();
                if std::mem::replace(&mut seen_alone, alone) != alone {
                    coordinator.forget_tables();
                }
                if taken.units.len() > 1 {
                    let (committed, half) = self.apply_together(coordinator, &taken);
                    self.tell_together(&taken.units, committed.len());
                    taken.finish(committed.into_iter().map(Outcome::Committed));
                    if let (Some(error), Some(unit)) = (half, taken.first().cloned()) {
                        let outcome = self.failed(&unit, error);
                        self.tell(&outcome);
                        taken.finish([outcome]);
                        taken.abandon();
                    }
                }
                while let Some(unit) = taken.first().cloned() {
                    self.begins(&unit);
                    let outcome = self.apply(coordinator, &unit);
                    self.tell(&outcome);
                    taken.finish([outcome]);
                }
            } else if let Err(error) = opened {
                let outcome = self.failed(&first, at(&first, error.into()));
                self.tell(&outcome);
                taken.finish([outcome]);
                taken.abandon();
            }
        }
    }

    fn begins(&self, unit: &Unit) {
        self.status.worker(self.number, |state| {
            state.applying = Some(WorkerUnit {
                gtid: unit.info.gtid,
                committed: unit.info.commit_timestamps,
                began: SystemTime::now(),
                retries: 0,
                transient: None,
            });
        });
    }

    fn opened<'a>(
        &self,
        coordinator: &'a mut Option<Coordinator>,
    ) -> Result<&'a mut Coordinator, TargetError> {
        if coordinator.is_none() {
            let worker = Worker::beside(&self.store)?;
            let (filter, status) = (Arc::clone(&self.filter), Arc::clone(&self.status));
            *coordinator = Some(Coordinator::new(worker, filter, status, Places::RelayLog));
        }
        coordinator
            .as_mut()
            .ok_or_else(|| TargetError::misuse("a worker without a session"))
    }

    /// Applies a transaction, again where that may help.
    fn apply(&self, coordinator: &mut Coordinator, unit: &Arc<Unit>) -> Outcome {
        let turns = &self.shared.turns;
        let mut is_last = false;
        loop {
            let attempt = self.attempt(coordinator, unit);
            let failed = match attempt {
                Ok(Attempt::Committed(committed)) => {
                    turns.is_over(unit.order);
                    coordinator.worker.forget_executed();
                    return Outcome::Committed(committed);
                }
                Ok(Attempt::GiveWay | Attempt::Abandoned) => None,
                Err(error) => Some(error),
            };
            let undone = coordinator.abandon_all();
            turns.gave_way(unit.order);
            if let Err(error) = undone {
                return self.failed(unit, failed.unwrap_or(error));
            }
            let has_failed = failed.is_some();
            if let Some(mut error) = failed {
                // A table that does not roll back may have used up the identifier.
                let is_half = half::is_answered(&error) && coordinator.has_applied(&unit.info.gtid);
                if is_half {
                    half::tell(&mut error);
                }
                if is_last || is_half || !may_pass(&error) {
                    return self.failed(unit, error);
                }
                tracing::info!(%error, "a worker tries again once those before it are committed");
                let transient = ApplierFailure::of(&error);
                self.status.worker(self.number, |state| {
                    state.retries = state.retries.saturating_add(1);
                    if let Some(applying) = &mut state.applying {
                        applying.retries = applying.retries.saturating_add(1);
                        applying.transient = Some(transient);
                    }
                });
            }
            // What is in its way may be a transaction before it, or the locks of one behind it.
            let is_first = turns.wait_free(unit.order);
            is_last = has_failed;
            if !is_first || (has_failed && !turns.take_locks(unit.order)) {
                return Outcome::Abandoned;
            }
        }
    }

    /// Runs transactions once, one behind the other, each committed without waiting for the answer; what
    /// became of those that are committed, and the failure of the next, if the target has kept a part of it.
    /// The others are undone.
    fn apply_together(
        &self,
        coordinator: &mut Coordinator,
        taken: &Taken<'_>,
    ) -> (Vec<Committed>, Option<ApplierError>) {
        let units = &taken.units;
        let mut counted = Vec::new();
        let given = units.iter().try_for_each(|unit| {
            taken.at.set(counted.len());
            self.give(coordinator, unit)?;
            counted.push(coordinator.worker.take_pending());
            Ok(())
        });
        let (committed, half) = match given.and_then(|()| coordinator.commit()) {
            Ok(_) => (units.len(), None),
            Err(error) => self.left_by(coordinator, units, error),
        };
        taken.at.set(0);
        coordinator.worker.forget_executed();
        counted.resize(committed, Committed::default());
        for unit in units.iter().take(committed) {
            self.shared.turns.is_over(unit.order);
        }
        (counted, half)
    }

    /// What a failure among several transactions leaves: how many are committed, and whether the target has
    /// kept a part of the next.
    fn left_by(
        &self,
        coordinator: &mut Coordinator,
        units: &VecDeque<Arc<Unit>>,
        mut error: ApplierError,
    ) -> (usize, Option<ApplierError>) {
        tracing::info!(%error, "a worker goes on one by one with what it took together");
        let said = coordinator.worker.units_committed();
        let undone = coordinator.abandon_all();
        if half::is_in_doubt(&error) {
            if let Some(unit) = units.get(said) {
                error.place.gtid = unit.info.gtid;
            }
            return (said, Some(error));
        }
        if undone.is_err() {
            return (said, None);
        }
        let has = |unit: &Arc<Unit>| coordinator.has_applied(&unit.info.gtid);
        if !half::is_answered(&error) {
            // What was committed behind the last answer says so itself.
            let known = units.iter().skip(said).take_while(|unit| has(unit)).count();
            return (said.saturating_add(known), None);
        }
        match units.get(said).filter(|unit| has(unit)) {
            Some(unit) => {
                error.place.gtid = unit.info.gtid;
                half::tell(&mut error);
                (said, Some(error))
            }
            None => (said, None),
        }
    }

    /// Runs a transaction once, from its first event on.
    fn attempt(
        &self,
        coordinator: &mut Coordinator,
        unit: &Arc<Unit>,
    ) -> Result<Attempt, ApplierError> {
        self.give(coordinator, unit)?;
        let turns = &self.shared.turns;
        if self.keeps_order && !turns.has_come(unit.order) {
            if let Some(ending) = coordinator.hand_over()? {
                turns.hand_over(unit.order, ending);
                let ended = coordinator.ended();
                return match (turns.take_back(unit.order), ended) {
                    (Some(Turn::Comes), Ok(())) => {
                        Ok(Attempt::Committed(coordinator.worker.committed()))
                    }
                    (Some(Turn::GiveWay), Ok(())) => Ok(Attempt::GiveWay),
                    (Some(Turn::Abandon), Ok(())) => Ok(Attempt::Abandoned),
                    (_, Err(error)) => Err(error),
                    (None, Ok(())) => {
                        let error = TargetError::misuse("an end that nobody has sent");
                        Err(at(unit, error.into()))
                    }
                };
            }
            coordinator.ready()?;
            match turns.wait_holding(unit.order) {
                Turn::Comes => {}
                Turn::GiveWay => return Ok(Attempt::GiveWay),
                Turn::Abandon => return Ok(Attempt::Abandoned),
            }
        }
        let committed = coordinator.commit()?;
        Ok(Attempt::Committed(committed.unwrap_or_default()))
    }

    /// Gives a transaction to the session, all but its commit.
    fn give(&self, coordinator: &mut Coordinator, unit: &Arc<Unit>) -> Result<(), ApplierError> {
        coordinator.start_at(unit.begins_at.clone());
        let events = UnitEvents::new(Arc::clone(unit));
        let mut reader = TransactionReader::new(EventStream::new(events, Limits::default()));
        loop {
            let unreadable = |error| at(unit, Reason::RelayLog(error));
            let Some(step) = reader.next().map_err(unreadable)? else {
                let what = "A transaction without an end".to_owned();
                return Err(at(unit, Reason::Unsupported { what }));
            };
            if coordinator.handle(&step)? {
                reader.finish_payload().map_err(unreadable)?;
                break;
            }
        }
        coordinator.end(Some(unit.relay.clone()))
    }

    /// A transaction that is not applied, once all before it are: what stops the applier is the first.
    fn failed(&self, unit: &Unit, error: ApplierError) -> Outcome {
        let turns = &self.shared.turns;
        if !turns.wait_free(unit.order) {
            return Outcome::Abandoned;
        }
        turns.fail(unit.order);
        Outcome::Failed(error)
    }

    /// Shows that so many of `units` are committed.
    fn tell_together(&self, units: &VecDeque<Arc<Unit>>, committed: usize) {
        let last = committed.checked_sub(1).and_then(|last| units.get(last));
        let Some(last) = last else {
            return;
        };
        self.status.worker(self.number, |state| {
            if let Some(mut applied) = state.applying.take() {
                applied.gtid = last.info.gtid;
                applied.committed = last.info.commit_timestamps;
                state.applied = Some((applied, SystemTime::now()));
            }
            state.failure = None;
            state.transactions = state.transactions.saturating_add(committed as u64);
        });
    }

    fn tell(&self, outcome: &Outcome) {
        self.status.worker(self.number, |state| {
            let applying = state.applying.take();
            match outcome {
                Outcome::Committed(_) => {
                    state.applied = applying.map(|unit| (unit, SystemTime::now()));
                    state.failure = None;
                    state.transactions = state.transactions.saturating_add(1);
                }
                Outcome::Failed(error) => state.failure = Some(ApplierFailure::of(error)),
                Outcome::Abandoned => {}
            }
        });
    }
}

/// Transactions of one worker. They are given back whatever happens: a panic of this thread is the failure
/// of the one that it was at. Those before it may be committed, which the target knows.
struct Taken<'a> {
    shared: &'a Shared,
    units: VecDeque<Arc<Unit>>,
    /// The one that is given to the session.
    at: Cell<usize>,
}

impl<'a> Taken<'a> {
    const fn new(shared: &'a Shared, units: VecDeque<Arc<Unit>>) -> Self {
        Self {
            shared,
            units,
            at: Cell::new(0),
        }
    }

    fn first(&self) -> Option<&Arc<Unit>> {
        self.units.front()
    }

    /// Gives back the first of them, one for each outcome.
    fn finish(&mut self, outcomes: impl IntoIterator<Item = Outcome>) {
        let units = &mut self.units;
        let done = outcomes.into_iter().filter_map(|outcome| {
            let unit = units.pop_front()?;
            Some(Done { unit, outcome })
        });
        self.shared.finish(done);
    }

    /// Gives back all of them, undone.
    fn abandon(&mut self) {
        let count = self.units.len();
        self.finish(std::iter::repeat_with(|| Outcome::Abandoned).take(count));
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let at_panic = self.at.get();
        if let Some(unit) = self.units.get(at_panic).cloned() {
            let what = "A transaction whose worker ended by a panic, of which the log of this process \
                        says where,";
            let error = at(
                &unit,
                Reason::Unsupported {
                    what: what.to_owned(),
                },
            );
            self.shared.turns.fail(unit.order);
            let before = std::iter::repeat_with(|| Outcome::Abandoned).take(at_panic);
            self.finish(before.chain([Outcome::Failed(error)]));
            self.abandon();
        }
    }
}

/// Whether a transaction may pass once those before it are committed and nobody else has locks: a row that
/// is not there yet, or there still, a lock. Not so when the server is gone, or nobody knows whether the
/// commit took place.
fn may_pass(error: &ApplierError) -> bool {
    match error.reason.as_ref() {
        Reason::Target(error @ TargetError::Retry(_)) => !error.is_unreachable(),
        // A duplicate key that a server finds is a statement's error.
        _ => half::is_refused(error),
    }
}

/// An error of the whole transaction.
fn at(unit: &Unit, reason: Reason) -> ApplierError {
    let place = Place {
        relay: unit
            .events
            .first()
            .map(|event| binlog::log::LogPosition::new(unit.relay.file.clone(), event.offset)),
        source: unit.begins_at.clone(),
        gtid: unit.info.gtid,
        ..Place::default()
    };
    ApplierError::new(place, reason)
}
