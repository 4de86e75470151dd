//! Which transactions may run at the same time: decided by what their source wrote down,
//! or by what they touch. Pure.
//!
//! MySQL's logical clock (`last_committed`, `sequence_number` of the GTID event; MySQL Server manual,
//! "Replication Threads", and WL#7165): a transaction may run beside all whose sequence number is
//! beyond its `last_committed`. It counts anew in each file of the source. MariaDB's `commit_id` (MariaDB
//! Knowledge Base, "Parallel Replication"): transactions that were committed as one group did not
//! wait for each other. Where neither says anything, or rows are others here, the rows that a transaction
//! touches: see [`WriteSet`]. Transactions are taken in the order of the source; behind one that has to wait all wait.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use binlog::transaction::{TransactionGtid, TransactionInfo};

use super::write_set::{Hold, WriteSet};

/// What is known of what a transaction needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Needs {
    /// Everything up to a number of the source's clock, in which it has a number itself.
    Clock { last_committed: u64, sequence: u64 },
    /// Nothing of the group that it was committed with.
    Group(Group),
    /// Nothing of the group that it was committed with, if that is known, and nothing that touches other rows
    /// than it does.
    Rows {
        group: Option<Group>,
        set: Arc<WriteSet>,
    },
    /// Everything before it, as far as anybody knows.
    All,
}

/// Transactions that MariaDB committed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    domain: u32,
    commit_id: u64,
}

impl Needs {
    /// What the clock of a transaction's source says; `None` where it has none.
    pub(super) fn by_clock(info: &TransactionInfo) -> Option<Self> {
        let clock = info.logical_clock?;
        let (last_committed, sequence) = (clock.last_committed, clock.sequence_number);
        // 0 is no number; and nothing needs itself.
        (sequence > 0 && last_committed < sequence).then_some(Self::Clock {
            last_committed,
            sequence,
        })
    }

    /// What a transaction of this write set needs, none if it is not known. Rows that were others on
    /// their source may be the same here where `is_rewritten`.
    pub(super) fn by_rows(
        info: &TransactionInfo,
        set: Option<WriteSet>,
        is_rewritten: bool,
    ) -> Self {
        let group = match (info.gtid, info.commit_id) {
            (TransactionGtid::MariaDb(gtid), Some(commit_id)) if !is_rewritten => Some(Group {
                domain: gtid.domain,
                commit_id,
            }),
            _ => None,
        };
        match (set.filter(|set| set.hashes().is_some()), group) {
            (Some(set), group) => Self::Rows {
                group,
                set: Arc::new(set),
            },
            (None, Some(group)) => Self::Group(group),
            (None, None) => Self::All,
        }
    }

    const fn group(&self) -> Option<Group> {
        match self {
            Self::Group(group) => Some(*group),
            Self::Rows { group, .. } => *group,
            Self::Clock { .. } | Self::All => None,
        }
    }

    fn hashes(&self) -> Option<&HashMap<u64, Hold>> {
        match self {
            Self::Rows { set, .. } => set.hashes(),
            Self::Clock { .. } | Self::Group(_) | Self::All => None,
        }
    }
}

/// A transaction under way.
#[derive(Debug, Clone)]
struct Open {
    needs: Needs,
    gtid: TransactionGtid,
    /// When it was committed first, in microseconds since 1970.
    commit_micros: Option<u64>,
}

/// How many transactions under way hold a hash.
#[derive(Debug, Clone, Copy, Default)]
struct Holders {
    sharing: usize,
    owning: usize,
}

impl Holders {
    const fn count(&mut self, hold: Hold) -> &mut usize {
        match hold {
            Hold::Shared => &mut self.sharing,
            Hold::Own => &mut self.owning,
        }
    }

    const fn allow(self, hold: Hold) -> bool {
        match hold {
            Hold::Shared => self.owning == 0,
            Hold::Own => self.owning == 0 && self.sharing == 0,
        }
    }
}

/// The transactions under way.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    open: BTreeMap<u64, Open>,
    gtids: HashSet<TransactionGtid>,
    /// Numbers of the clock that are under way.
    sequences: BTreeMap<u64, u64>,
    /// Hashes that are under way.
    held: HashMap<u64, Holders>,
    /// How many under way have no hashes.
    without_hashes: usize,
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
    pub(super) fn may_begin(&self, needs: &Needs) -> bool {
        let Some((_, last)) = self.open.last_key_value() else {
            return true;
        };
        match (needs, &last.needs) {
            (
                Needs::Clock {
                    last_committed,
                    sequence,
                },
                Needs::Clock { .. },
            ) => {
                let first = self.sequences.first_key_value();
                let last = self.sequences.last_key_value();
                first.is_some_and(|(first, _)| last_committed < first)
                    && last.is_some_and(|(last, _)| last < sequence)
            }
            (Needs::Group(group), _) => self.is_of(*group),
            (Needs::Rows { group, set }, _) => {
                group.is_some_and(|group| self.is_of(group)) || self.has_none_of(set)
            }
            (Needs::Clock { .. } | Needs::All, _) => false,
        }
    }

    /// Whether all that are under way are of one group.
    fn is_of(&self, group: Group) -> bool {
        let mut open = self.open.values();
        open.all(|open| open.needs.group() == Some(group))
    }

    /// Whether what is under way is known, and none of it is in the way of `set`.
    fn has_none_of(&self, set: &WriteSet) -> bool {
        let is_free = |(hash, hold): (&u64, &Hold)| {
            let holders = self.held.get(hash);
            holders.is_none_or(|holders| holders.allow(*hold))
        };
        let hashes = set.hashes().filter(|_| self.without_hashes == 0);
        hashes.is_some_and(|hashes| hashes.iter().all(is_free))
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
        match needs.hashes() {
            Some(hashes) => {
                for (hash, hold) in hashes {
                    *self.held.entry(*hash).or_default().count(*hold) += 1;
                }
            }
            None => self.without_hashes += 1,
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
        let Some(hashes) = needs.hashes() else {
            self.without_hashes = self.without_hashes.saturating_sub(1);
            return;
        };
        for (hash, hold) in hashes {
            let Some(holders) = self.held.get_mut(hash) else {
                continue;
            };
            let count = holders.count(*hold);
            *count = count.saturating_sub(1);
            if holders.allow(Hold::Own) {
                self.held.remove(hash);
            }
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
        Needs::Group(Group { domain, commit_id })
    }

    fn rows(group: Option<u64>, hashes: &[(u64, Hold)]) -> Needs {
        let domain = 0;
        Needs::Rows {
            group: group.map(|commit_id| Group { domain, commit_id }),
            set: Arc::new(WriteSet::of_hashes(hashes)),
        }
    }

    /// What is under way, and what may or may not join it.
    fn check(under_way: &[Needs], next: Needs, expected: bool) {
        let mut dependencies = Dependencies::default();
        for (order, needs) in (0..).zip(under_way) {
            dependencies.begin(order, needs.clone(), TransactionGtid::None, None);
        }
        let may = dependencies.may_begin(&next);
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
    fn what_touches_other_rows_runs_beside_each_other() {
        use Hold::{Own, Shared};
        let one = rows(None, &[(1, Own), (9, Shared)]);
        check(
            std::slice::from_ref(&one),
            rows(None, &[(2, Own), (9, Shared)]),
            true,
        );
        check(
            std::slice::from_ref(&one),
            rows(None, &[(1, Own), (9, Shared)]),
            false,
        );
        check(
            std::slice::from_ref(&one),
            rows(None, &[(1, Shared)]),
            false,
        );
        check(std::slice::from_ref(&one), rows(None, &[(9, Own)]), false);
        check(std::slice::from_ref(&one), Needs::All, false);
        check(&[Needs::All], one.clone(), false);
        // A clock says nothing of what others say of rows, nor the other way round.
        check(std::slice::from_ref(&one), clock(0, 7), false);
        check(&[clock(0, 7)], one, false);
    }

    #[test]
    fn beyond_a_group_rows_decide() {
        let of = |group, hash| rows(Some(group), &[(hash, Hold::Own)]);
        check(&[of(4, 1)], of(4, 1), true);
        check(&[of(4, 1)], of(5, 1), false);
        check(&[of(4, 1)], of(5, 2), true);
        check(&[of(4, 1), of(5, 2)], of(5, 1), false);
        check(&[of(4, 1), of(5, 2)], of(5, 3), true);
        check(&[of(4, 1), of(5, 2)], group(5), false);
        check(&[group(4)], of(4, 1), true);
        check(&[group(4)], of(5, 1), false);
        check(&[of(4, 1)], group(4), true);
    }

    #[test]
    fn a_hash_is_free_once_all_that_shared_it_are_committed() {
        let mut dependencies = Dependencies::default();
        let own = rows(None, &[(1, Hold::Own)]);
        for order in 0..2 {
            let shared = rows(None, &[(1, Hold::Shared)]);
            assert!(dependencies.may_begin(&shared));
            dependencies.begin(order, shared, TransactionGtid::None, None);
        }
        dependencies.end(0);
        assert!(!dependencies.may_begin(&own));
        dependencies.end(1);
        assert!(dependencies.may_begin(&own));
        assert!(dependencies.held.is_empty());
    }

    #[test]
    fn what_is_committed_holds_nobody_up() {
        let mut dependencies = Dependencies::default();
        dependencies.begin(0, clock(0, 1), TransactionGtid::None, None);
        dependencies.begin(1, clock(0, 2), TransactionGtid::None, None);
        dependencies.end(0);
        assert!(dependencies.may_begin(&clock(1, 3)));
        assert!(!dependencies.may_begin(&clock(2, 3)));
        dependencies.end(1);
        assert!(dependencies.is_empty() && dependencies.may_begin(&Needs::All));
    }
}
