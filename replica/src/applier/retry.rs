//! Trying again: what passes is waited for, and what does not stops the applier and is told.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Applier;
use super::coordinator::{Coordinator, Places};
use super::error::{ApplierError, Place};
use super::half;
use super::status::ApplierFailure;
use super::worker::Worker;

/// Pause before the first of them; each next one is twice as long, up to the largest.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5);

/// Attempts that failed since something was committed.
#[derive(Debug, Default)]
pub(super) struct Retries {
    tried: u32,
}

impl Retries {
    /// How long to wait before another attempt; `None` if there is none. A target that cannot be
    /// reached is tried for ever, as a source is.
    fn pause_after(&mut self, error: &ApplierError, most: u64) -> Option<Duration> {
        self.tried = self.tried.saturating_add(1);
        if !error.is_temporary() || (u64::from(self.tried) > most && !error.is_unreachable()) {
            return None;
        }
        let doublings = (self.tried - 1).min(16);
        let pause = RETRY_PAUSE.saturating_mul(1 << doublings);
        Some(pause.min(RETRY_PAUSE_MAX))
    }
}

impl Applier {
    /// Waits for another attempt after `error`. False when there is none: it was reported, or the
    /// applier is stopped.
    pub(super) fn waits_after(
        &self,
        error: &ApplierError,
        retries: &mut Retries,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
    ) -> bool {
        let Some(pause) = retries.pause_after(error, self.settings.retries) else {
            self.report(error, "the applier stopped");
            return false;
        };
        let tried = retries.tried;
        let seconds = pause.as_secs_f64();
        tracing::warn!(%error, tried, seconds, "the applier tries again");
        self.fail(error);
        !runtime.block_on(is_stopped_within(stop, pause))
    }

    pub(super) fn apply_with_retries(
        &self,
        mut worker: Worker,
        runtime: &Handle,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut retries = Retries::default();
        let mut alone = false;
        let until = self.steering.until.as_ref();
        if !self.steering.goes_on && until.is_some_and(|until| until.is_over(worker.progress())) {
            tracing::info!(
                target: crate::LIFE,
                "the applier stopped: what START REPLICA UNTIL names is applied already"
            );
            return;
        }
        loop {
            let (filter, status) = (Arc::clone(&self.filter), Arc::clone(&self.status));
            let mut coordinator = Coordinator::new(worker, filter, status, Places::RelayLog);
            let committed_before = self.status.snapshot().transactions;
            let Err(error) = self.apply(&mut coordinator, runtime, &mut stop, alone) else {
                return;
            };
            if self.status.snapshot().transactions > committed_before {
                retries = Retries::default();
            }
            if half::is_in_doubt(&error) {
                // Undoing waits for the target for ever, and then nobody would be told.
                self.report(&error, "the applier stopped");
                return;
            }
            worker = coordinator.worker;
            // Among themselves workers wait a second for a lock; the one lane waits as the target says.
            let may_be_patience = !std::mem::replace(&mut alone, true)
                && error.is_temporary()
                && !error.is_unreachable();
            let mut error = error;
            while let Err(undoing) = worker.abandon_group() {
                tracing::error!(error = %undoing, "the applier cannot undo its open transactions");
                let undoing = ApplierError::new(Place::default(), undoing);
                if !self.waits_after(&undoing, &mut retries, runtime, &mut stop) {
                    return;
                }
                // What cannot be reached is not to blame on the transaction.
                error = undoing;
            }
            // What the applier stops at in the end is the transaction that failed, and not the first
            // of those that shared its commit.
            if worker.take_one_by_one() && !error.is_temporary() {
                continue;
            }
            if may_be_patience && self.status.has_workers() && error.is_temporary() {
                tracing::info!(%error, "one transaction after the other for a while");
                continue;
            }
            if !self.waits_after(&error, &mut retries, runtime, &mut stop) {
                return;
            }
        }
    }

    pub(super) fn report(&self, error: &ApplierError, what: &str) {
        tracing::error!(%error, code = error.code(), "{what}");
        self.fail(error);
    }

    pub(super) fn fail(&self, error: &ApplierError) {
        self.status.update(|state| {
            state.failures = state.failures.saturating_add(1);
            state.failure = Some(ApplierFailure::of(error));
        });
    }
}

pub(super) async fn is_stopped_within(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    let stopped = stop.wait_for(|stop| *stop);
    tokio::time::timeout(pause, stopped).await.is_ok()
}
