//! What is done once steering has decided: the end that UNTIL names is told, a transaction that was passed
//! over is committed as such.

use super::Applier;
use super::coordinator::Coordinator;
use super::error::ApplierError;
use super::until::Until;

impl Applier {
    pub(super) fn has_reached_until(&self, coordinator: &Coordinator) -> bool {
        let progress = coordinator.worker.progress();
        self.steering.until.as_ref().is_some_and(|until| {
            coordinator.is_between_transactions()
                && (until.is_reached(progress) || until.is_bad(progress))
        })
    }

    pub(super) fn say_reached(&self, coordinator: &Coordinator) {
        let progress = coordinator.worker.progress();
        let until = self.steering.until.as_ref().map_or("", Until::name);
        let source = progress.source.as_ref();
        let (file, position) = source.map_or(("", 0), |at| (at.file.as_str(), at.offset));
        let is_bad = |until: &Until| until.is_bad(progress);
        if self.steering.until.as_ref().is_some_and(is_bad) {
            tracing::error!(
                until,
                file,
                position,
                "the applier stopped: START REPLICA UNTIL names a file of another log"
            );
            return;
        }
        tracing::info!(
            target: crate::LIFE,
            until, file, position,
            "the applier stopped: it reached what START REPLICA UNTIL named"
        );
    }

    /// Commits that a transaction was passed over, so that it is passed over once.
    pub(super) fn commit_passed_over(
        &self,
        coordinator: &mut Coordinator,
    ) -> Result<(), ApplierError> {
        self.commit(coordinator)?;
        let place = coordinator.at_passed_over();
        let moved = coordinator.worker.commit_position(true);
        moved.map_err(|error| coordinator.at_end(error.into()))?;
        self.status.update(|state| state.passed_over_at = None);
        let source = place.source.as_ref();
        let (file, position) = source.map_or(("", 0), |at| (at.file.as_str(), at.offset));
        tracing::warn!(
            target: crate::LIFE,
            gtid = %place.gtid,
            file,
            position,
            "sql_replica_skip_counter: a transaction of the source was not applied here"
        );
        Ok(())
    }
}
