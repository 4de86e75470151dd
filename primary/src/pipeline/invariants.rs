//! What holds between two requests, checked after each in debug builds.

use super::hold::Hold;
use super::thread::Pipeline;

impl Pipeline {
    /// The first sentence about the pipeline that is not true, if there is one.
    pub(super) fn broken_invariant(&self) -> Option<&'static str> {
        let is_in_group = self.writer.is_in_group();
        let rules = [
            (
                matches!(self.hold, Some(Hold::Transaction(_))) && !is_in_group,
                "a transaction that has the writer is in a group",
            ),
            (
                self.hold.is_some() && !self.pending.is_empty(),
                "nobody waits for a group while somebody has the writer",
            ),
            (
                matches!(self.hold, Some(Hold::Block(_))) && is_in_group,
                "no group is open while nobody may write",
            ),
            (
                !self.pending.is_empty() && !is_in_group,
                "transactions that wait for their group are in it",
            ),
            (
                self.pending.is_empty() && self.pending_bytes != 0,
                "no transactions have no bytes",
            ),
            (
                self.log.durable_end() > self.log.end(),
                "what is durable was written",
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
        match &self.hold {
            Some(Hold::Transaction(holder)) => {
                let early = self.early_savepoints.get(&holder.connection_id);
                early.is_some_and(|names| !names.is_empty())
            }
            _ => false,
        }
    }
}
