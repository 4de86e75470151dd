//! What the applier decides by numbers alone: which lane a transaction runs in, and when what was
//! applied is committed. Pure: it reads no clock, no log and no target.
//!
//! There is one lane, so transactions run in the order of the source, and a group's commit is all
//! there is to decide. A commit costs the target much more than a transaction does: while more are
//! waiting they share one, and when nothing waits the group is committed at once.

use std::time::Duration;

/// Bounds of a commit group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLimits {
    /// Transactions of the source in one commit.
    pub transactions_max: u32,
    /// Bytes of their events. A larger transaction is a group of its own.
    pub bytes_max: u64,
    /// Time from the first transaction of a group to its commit.
    pub age_max: Duration,
}

impl Default for GroupLimits {
    fn default() -> Self {
        Self {
            transactions_max: 1000,
            bytes_max: 16 << 20,
            age_max: Duration::from_millis(20),
        }
    }
}

/// The open group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Group {
    /// Whole transactions in it.
    pub transactions: u32,
    /// Bytes of their events.
    pub bytes: u64,
    /// Time since its first transaction began.
    pub age: Duration,
}

/// What to do behind a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Take the next transaction into the group.
    GoOn,
    /// Commit the group.
    Commit,
}

impl GroupLimits {
    /// What to do with `group` when another transaction `is_waiting` or not.
    #[must_use]
    pub fn decide(&self, group: &Group, is_waiting: bool) -> Next {
        let is_full = group.transactions >= self.transactions_max
            || group.bytes >= self.bytes_max
            || group.age >= self.age_max;
        if group.transactions > 0 && (is_full || !is_waiting) {
            Next::Commit
        } else {
            Next::GoOn
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_at_once_when_idle_and_at_its_bounds_when_busy() {
        let limits = GroupLimits {
            transactions_max: 3,
            bytes_max: 100,
            age_max: Duration::from_millis(10),
        };
        for (transactions, bytes, milliseconds, is_waiting, next) in [
            (0, 0, 0, false, Next::GoOn),
            (1, 10, 1, false, Next::Commit),
            (1, 10, 1, true, Next::GoOn),
            (3, 10, 1, true, Next::Commit),
            (1, 100, 1, true, Next::Commit),
            (1, 10, 10, true, Next::Commit),
        ] {
            let age = Duration::from_millis(milliseconds);
            let group = Group {
                transactions,
                bytes,
                age,
            };
            assert_eq!(limits.decide(&group, is_waiting), next, "{group:?}");
        }
    }
}
