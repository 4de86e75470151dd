//! What the source said of things that the target does not keep, by kind.

use std::collections::BTreeMap;

use binlog::transaction::TransactionGtid;

/// Statements and row events that were passed over because the target keeps no such thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotKept(BTreeMap<&'static str, Passed>);

/// What was passed over of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    /// How many.
    pub count: u64,
    /// The transaction of the last.
    pub last: TransactionGtid,
}

impl NotKept {
    /// Counts one of the kind `construct`.
    pub fn count(&mut self, construct: &'static str, gtid: TransactionGtid) {
        self.add_one(
            construct,
            Passed {
                count: 1,
                last: gtid,
            },
        );
    }

    /// Adds what came behind it.
    pub fn add(&mut self, other: &Self) {
        for (construct, passed) in other.iter() {
            self.add_one(construct, passed);
        }
    }

    /// Every kind of which something was passed over.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Passed)> + '_ {
        self.0
            .iter()
            .map(|(construct, passed)| (*construct, *passed))
    }

    fn add_one(&mut self, construct: &'static str, behind: Passed) {
        let passed = self.0.entry(construct).or_default();
        passed.count = passed.count.saturating_add(behind.count);
        passed.last = behind.last;
    }
}
