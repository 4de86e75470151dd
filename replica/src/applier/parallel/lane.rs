//! One worker: takes transactions, runs each in a session of its own, and commits it when its turn
//! comes.

use std::sync::Arc;
use std::time::SystemTime;

use binlog::limits::Limits;
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use config::ReplicationFilter;
use targets::{Store, TargetError};

use super::pool::{Outcome, Shared};
use super::turns::Turn;
use super::unit::{Unit, UnitEvents};
use crate::applier::coordinator::{Coordinator, Places};
use crate::applier::error::{ApplierError, Place, Reason};
use crate::applier::status::{ApplierFailure, ApplierStatus, WorkerUnit};
use crate::applier::worker::{Committed, Worker};

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
        while let Some(unit) = self.shared.next() {
            let unfinished = Unfinished::new(&self.shared, &unit);
            self.status.worker(self.number, |state| {
                state.applying = Some(WorkerUnit {
                    gtid: unit.info.gtid,
                    committed: unit.info.commit_timestamps,
                    began: SystemTime::now(),
                    retries: 0,
                    transient: None,
                });
            });
            let outcome = match self.opened(&mut coordinator) {
                Ok(coordinator) => {
                    let alone = self.shared.count_alone();
                    if std::mem::replace(&mut seen_alone, alone) != alone {
                        coordinator.forget_tables();
                    }
                    self.apply(coordinator, &unit)
                }
                Err(error) => self.failed(&unit, at(&unit, error.into())),
            };
            self.tell(&outcome);
            unfinished.finish(outcome);
        }
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
                let is_half = is_refused(&error) && coordinator.has_applied(&unit.info.gtid);
                if is_half {
                    tell_of_half(&mut error);
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

    /// Runs a transaction once, from its first event on.
    fn attempt(
        &self,
        coordinator: &mut Coordinator,
        unit: &Arc<Unit>,
    ) -> Result<Attempt, ApplierError> {
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
        coordinator.end(Some(unit.relay.clone()))?;
        if self.keeps_order && !self.shared.turns.has_come(unit.order) {
            coordinator.ready()?;
            match self.shared.turns.wait_holding(unit.order) {
                Turn::Comes => {}
                Turn::GiveWay => return Ok(Attempt::GiveWay),
                Turn::Abandon => return Ok(Attempt::Abandoned),
            }
        }
        let committed = coordinator.commit()?;
        Ok(Attempt::Committed(committed.unwrap_or_default()))
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

/// Gives a transaction back whatever happens: a panic of this thread is its failure.
struct Unfinished<'a> {
    shared: &'a Shared,
    unit: Option<Arc<Unit>>,
}

impl<'a> Unfinished<'a> {
    fn new(shared: &'a Shared, unit: &Arc<Unit>) -> Self {
        Self {
            shared,
            unit: Some(Arc::clone(unit)),
        }
    }

    fn finish(mut self, outcome: Outcome) {
        if let Some(unit) = self.unit.take() {
            self.shared.finish(unit, outcome);
        }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(unit) = self.unit.take() {
            let what = "A transaction whose worker ended by a panic, of which the log of this process \
                        says where,";
            let error = at(
                &unit,
                Reason::Unsupported {
                    what: what.to_owned(),
                },
            );
            self.shared.turns.fail(unit.order);
            self.shared.finish(unit, Outcome::Failed(error));
        }
    }
}

/// Says that the target has kept a part of the transaction, under its identifier.
fn tell_of_half(error: &mut ApplierError) {
    if let Reason::Target(TargetError::Conflict(error) | TargetError::Statement(error)) =
        error.reason.as_mut()
    {
        error.message.push_str(
            ". The target has committed a part of this transaction under its GTID, of a table that does not \
             roll back: START REPLICA goes on behind it. Bring the rest over first",
        );
    }
}

/// Whether the target has refused a change, rather than that something passes.
fn is_refused(error: &ApplierError) -> bool {
    matches!(
        error.reason.as_ref(),
        Reason::Target(TargetError::Conflict(_) | TargetError::Statement(_))
    )
}

/// Whether a transaction may pass once those before it are committed and nobody else has locks: a row that
/// is not there yet, or there still, a lock. Not so when the server is gone, or nobody knows whether the
/// commit took place.
fn may_pass(error: &ApplierError) -> bool {
    match error.reason.as_ref() {
        Reason::Target(error @ TargetError::Retry(_)) => !error.is_unreachable(),
        // A duplicate key that a server finds is a statement's error.
        _ => is_refused(error),
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
