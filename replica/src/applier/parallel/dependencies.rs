//! Which transactions may run at the same time: decided by what their source wrote down. Pure.
//!
//! MySQL's logical clock (`last_committed`, `sequence_number` of the GTID event; MySQL Server manual,
//! "Replication Threads", and WL#7165): a transaction may run beside all whose sequence number is
//! beyond its `last_committed`. It counts anew in each file of the source. MariaDB's `commit_id` (MariaDB
//! Knowledge Base, "Parallel Replication"): transactions that were committed as one group did not
//! wait for each other. Transactions are taken in the order of the source; behind one that has to wait all wait.

use std::collections::{BTreeMap, HashSet};

use binlog::transaction::{TransactionGtid, TransactionInfo};

/// What is known of what a transaction needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Everything up to a number of the source's clock, in which it has a number itself.
    Clock { last_committed: u64, sequence: u64 },
    /// Nothing of the group that it was committed with.
    Group { domain: u32, commit_id: u64 },
    /// Everything before it, as far as anybody knows.
    All,
}

impl Needs {
    /// What a transaction says.
    pub(super) fn of(info: &TransactionInfo) -> Self {
        if let Some(clock) = info.logical_clock {
            let (last_committed, sequence) = (clock.last_committed, clock.sequence_number);
            // 0 is no number; and nothing needs itself.
            return match sequence > 0 && last_committed < sequence {
                true => Self::Clock {
                    last_committed,
                    sequence,
                },
                false => Self::All,
            };
        }
        match (info.gtid, info.commit_id) {
            (TransactionGtid::MariaDb(gtid), Some(commit_id)) => Self::Group {
                domain: gtid.domain,
                commit_id,
            },
            _ => Self::All,
        }
    }
}

/// A transaction under way.
#[derive(Debug, Clone, Copy)]
struct Open {
    needs: Needs,
    gtid: TransactionGtid,
    /// When it was committed first, in microseconds since 1970.
    commit_micros: Option<u64>,
}

/// The transactions under way.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    open: BTreeMap<u64, Open>,
    gtids: HashSet<TransactionGtid>,
    /// Numbers of the clock that are under way.
    sequences: BTreeMap<u64, u64>,
}

impl Dependencies {
    /// Whether none is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// When the first of them was committed on its source, as far as it is known.
    pub(super) fn oldest_micros(&self) -> Option<u64> {
        let first = self.open.first_key_value();
        first.and_then(|(_, open)| open.commit_micros)
    }

    /// Whether a transaction of this identifier is under way.
    pub(super) fn has(&self, gtid: &TransactionGtid) -> bool {
        *gtid != TransactionGtid::None && self.gtids.contains(gtid)
    }

    /// Whether a transaction may run beside those that are under way.
    pub(super) fn may_begin(&self, needs: Needs) -> bool {
        let Some((_, last)) = self.open.last_key_value() else {
            return true;
        };
        match (needs, last.needs) {
            (
                Needs::Clock {
                    last_committed,
                    sequence,
                },
                Needs::Clock { .. },
            ) => {
                let first = self.sequences.first_key_value();
                let last = self.sequences.last_key_value();
                first.is_some_and(|(first, _)| last_committed < *first)
                    && last.is_some_and(|(last, _)| *last < sequence)
            }
            // All that are under way are of one group.
            (Needs::Group { .. }, last) => needs == last,
            (Needs::Clock { .. } | Needs::All, _) => false,
        }
    }

    /// Takes note that a transaction is under way.
    pub(super) fn begin(
        &mut self,
        order: u64,
        needs: Needs,
        gtid: TransactionGtid,
        commit_micros: Option<u64>,
    ) {
        if let Needs::Clock { sequence, .. } = needs {
            self.sequences.insert(sequence, order);
        }
        self.gtids.insert(gtid);
        let open = Open {
            needs,
            gtid,
            commit_micros,
        };
        self.open.insert(order, open);
    }

    /// Takes note that it is committed.
    pub(super) fn end(&mut self, order: u64) {
        let Some(Open { needs, gtid, .. }) = self.open.remove(&order) else {
            return;
        };
        self.gtids.remove(&gtid);
        if let Needs::Clock { sequence, .. } = needs {
            self.sequences.remove(&sequence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(last_committed: u64, sequence: u64) -> Needs {
        Needs::Clock {
            last_committed,
            sequence,
        }
    }

    fn group(commit_id: u64) -> Needs {
        let domain = 0;
        Needs::Group { domain, commit_id }
    }

    /// What is under way, and what may or may not join it.
    fn check(under_way: &[Needs], next: Needs, expected: bool) {
        let mut dependencies = Dependencies::default();
        for (order, needs) in (0..).zip(under_way) {
            dependencies.begin(order, *needs, TransactionGtid::None, None);
        }
        let may = dependencies.may_begin(next);
        assert_eq!(may, expected, "{next:?} beside {under_way:?}");
    }

    #[test]
    fn a_transaction_waits_for_what_its_clock_names_and_for_nothing_else() {
        check(&[], clock(7, 9), true);
        check(&[clock(0, 1)], clock(0, 2), true);
        check(&[clock(0, 1), clock(0, 2)], clock(1, 3), false);
        check(&[clock(1, 2), clock(1, 3)], clock(1, 4), true);
        check(&[clock(1, 3)], clock(2, 4), true);
        // A clock that began again is that of another file.
        check(&[clock(6, 7)], clock(0, 1), false);
        check(&[clock(0, 1)], clock(0, 1), false);
    }

    #[test]
    fn a_commit_group_of_mariadb_runs_together_and_alone() {
        check(&[group(4), group(4)], group(4), true);
        check(&[group(4)], group(5), false);
        check(&[group(4)], Needs::All, false);
        check(&[Needs::All], group(4), false);
        check(&[group(4)], clock(0, 1), false);
        check(&[clock(0, 1)], group(4), false);
        check(&[Needs::All], Needs::All, false);
        check(&[], Needs::All, true);
    }

    #[test]
    fn what_is_committed_holds_nobody_up() {
        let mut dependencies = Dependencies::default();
        dependencies.begin(0, clock(0, 1), TransactionGtid::None, None);
        dependencies.begin(1, clock(0, 2), TransactionGtid::None, None);
        dependencies.end(0);
        assert!(dependencies.may_begin(clock(1, 3)));
        assert!(!dependencies.may_begin(clock(2, 3)));
        dependencies.end(1);
        assert!(dependencies.is_empty() && dependencies.may_begin(Needs::All));
    }
}
