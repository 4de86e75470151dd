//! Committing: what was applied is shown once it is committed, and then its relay log may go.

use super::Applier;
use super::coordinator::Coordinator;
use super::error::ApplierError;
use super::half;
use super::worker::Committed;

impl Applier {
    /// Commits what was applied in front of the transaction that failed; the error of the failure
    /// comes back, or that of the commit.
    pub(super) fn keep_group(
        &self,
        coordinator: &mut Coordinator,
        mut error: ApplierError,
    ) -> ApplierError {
        half::ask_and_tell(coordinator, &mut error);
        if error.is_temporary() || half::is_in_doubt(&error) || !coordinator.worker.undoes_units() {
            return error;
        }
        let kept = coordinator
            .abandon_transaction()
            .and_then(|()| self.commit(coordinator));
        kept.err().unwrap_or(error)
    }

    /// Commits the open group, shows it, and lets go of its relay log.
    pub(super) fn commit(&self, coordinator: &mut Coordinator) -> Result<(), ApplierError> {
        let committed = coordinator.worker.commit();
        let committed = committed.map_err(|error| {
            let mut error = coordinator.at_end(error.into());
            half::ask_and_tell(coordinator, &mut error);
            error
        })?;
        if let Some(committed) = committed {
            self.show(coordinator, committed);
            self.purge(coordinator)?;
        }
        Ok(())
    }

    pub(super) fn show(&self, coordinator: &Coordinator, committed: Committed) {
        let progress = coordinator.worker.progress();
        self.status.update(|state| {
            state.executed.clone_from(&progress.executed);
            state.source.clone_from(&progress.source);
            state.relay.clone_from(&progress.relay);
            state.transactions = state.transactions.saturating_add(committed.transactions);
            state.bytes = state.bytes.saturating_add(committed.bytes);
            state.rows = state.rows.saturating_add(committed.rows);
            state.skipped = state.skipped.saturating_add(committed.skipped);
            state.not_kept.add(&committed.not_kept);
            state.resolved.add(&committed.resolved);
            state.left_out = state.left_out.saturating_add(committed.left_out);
            state.last_applied_micros = committed.commit_micros.or(state.last_applied_micros);
            state.oldest_open_micros = None;
            state.failure = None;
        });
    }

    /// Everything in the relay log is applied.
    pub(super) fn idle(&self, coordinator: &mut Coordinator) -> Result<(), ApplierError> {
        if !coordinator.is_between_transactions() {
            return Ok(());
        }
        let moved = coordinator.worker.commit_position(false);
        moved.map_err(|error| coordinator.at_end(error.into()))?;
        self.show_place(coordinator);
        self.status.update(|state| {
            state.has_caught_up = true;
            state.oldest_open_micros = None;
            // What was tried again turned out to be there.
            state.failure = None;
            state.doing = "Replica has read all relay log; waiting for more updates";
        });
        self.purge(coordinator)
    }

    /// Shows the place behind what was passed by, which no commit had to tell.
    pub(super) fn show_place(&self, coordinator: &Coordinator) {
        let progress = coordinator.worker.progress();
        self.status.update(|state| {
            state.source.clone_from(&progress.source);
            state.relay.clone_from(&progress.relay);
        });
    }

    /// Lets go of the relay log in front of what is committed. Files go only once the commit would
    /// outlive a power loss; without that, the position could come back in one that is gone.
    pub(super) fn purge(&self, coordinator: &mut Coordinator) -> Result<(), ApplierError> {
        let Some(applied) = coordinator.worker.progress().relay.clone() else {
            return Ok(());
        };
        if self.relay_log.wants_purge(&applied) {
            let is_durable = coordinator.worker.make_durable();
            if !is_durable.map_err(|error| coordinator.at_end(error.into()))? {
                return Ok(());
            }
        }
        let purged = self.relay_log.purge(&applied);
        purged.map_err(|error| coordinator.at_end(error.into()))
    }
}
