//! What holds between two steps, checked after each in debug builds.

use super::core::Pipeline;
use super::hold::Hold;

impl Pipeline {
    /// The first sentence about the pipeline that is not true, if there is one.
    pub(super) fn broken_invariant(&self) -> Option<&'static str> {
        let is_in_group = self.engine.writer.is_in_group();
        let rules = [
            (
                matches!(self.turns.hold, Some(Hold::Transaction(_))) && !is_in_group,
                "a transaction that has the writer is in a group",
            ),
            (
                self.turns.is_held() && !self.group.pending.is_empty(),
                "nobody waits for a group while somebody has the writer",
            ),
            (
                matches!(self.turns.hold, Some(Hold::Block(_))) && is_in_group,
                "no group is open while nobody may write",
            ),
            (
                !self.group.pending.is_empty() && !is_in_group,
                "transactions that wait for their group are in it",
            ),
            (
                self.group.pending.is_empty() && self.group.bytes != 0,
                "no transactions have no bytes",
            ),
            (
                self.log.writer.durable_end() > self.log.writer.end(),
                "what is durable was written",
            ),
            (
                self.group.late.is_some()
                    && (self.turns.is_held() || !self.group.pending.is_empty()),
                "nothing is done while the engine has no room for a group",
            ),
            (
                self.hold_of_early_savepoints(),
                "savepoints lie with the transaction that has the writer",
            ),
        ];
        let broken = rules.into_iter().find(|(is_broken, _)| *is_broken);
        broken.map(|(_, rule)| rule)
    }

    fn hold_of_early_savepoints(&self) -> bool {
        let holder = self.turns.holder();
        holder.is_some_and(|holder| self.sessions.has_savepoints(holder.connection_id))
    }
}
