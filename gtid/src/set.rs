//! Sets of MySQL GTIDs, kept as disjoint intervals per UUID and tag.
//!
//! Invariant: the intervals of a [`Tsid`] are ascending, non-empty and neither overlap nor touch, and
//! a `Tsid` without intervals is absent. Equality of sets is therefore equality of representations.

mod algebra;
mod binary;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::{Gno, Gtid, Tsid};

/// A run of transaction numbers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GnoInterval {
    /// The first number.
    pub start: u64,
    /// The last number, not less than `start`.
    pub end: u64,
}

/// A set of MySQL GTIDs. The default is the empty set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GtidSet {
    tsids: BTreeMap<Tsid, Vec<GnoInterval>>,
}

impl GtidSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tsids: BTreeMap::new(),
        }
    }

    /// Adds one transaction; whether it was absent.
    pub fn add(&mut self, gtid: Gtid) -> bool {
        let gno = gtid.gno.get();
        let intervals = self.tsids.entry(gtid.tsid).or_default();
        // The usual case: the next number of a growing sequence.
        if let Some(last) = intervals.last_mut()
            && last.end.saturating_add(1) == gno
        {
            last.end = gno;
            return true;
        }
        if algebra::contains(intervals, gno) {
            return false;
        }
        algebra::add(
            intervals,
            GnoInterval {
                start: gno,
                end: gno,
            },
        );
        true
    }

    /// Adds the numbers `start..=end` of `tsid`; an empty or backward interval adds nothing.
    pub fn add_interval(&mut self, tsid: Tsid, start: Gno, end: Gno) {
        if start <= end {
            let (start, end) = (start.get(), end.get());
            algebra::add(
                self.tsids.entry(tsid).or_default(),
                GnoInterval { start, end },
            );
        }
    }

    /// Adds an interval that is put in its place only by [`GtidSet::settle`]: many of them, in any
    /// order, take no longer than sorting them. `expected` intervals in all are to come.
    fn push(&mut self, tsid: Tsid, interval: GnoInterval, expected: usize) {
        let intervals = self.tsids.entry(tsid);
        let intervals = intervals.or_insert_with(|| Vec::with_capacity(expected));
        intervals.push(interval);
    }

    /// Restores the invariant behind the last [`GtidSet::push`].
    fn settle(&mut self) {
        self.tsids.values_mut().for_each(algebra::settle);
    }

    /// Removes one transaction; whether it was present.
    pub fn remove(&mut self, gtid: &Gtid) -> bool {
        let present = self.contains(gtid);
        if present {
            let mut single = Self::new();
            single.add(*gtid);
            self.subtract(&single);
        }
        present
    }

    /// Adds every transaction of `other`.
    pub fn union(&mut self, other: &Self) {
        for (tsid, theirs) in &other.tsids {
            let ours = self.tsids.entry(*tsid).or_default();
            if let [one] = theirs.as_slice() {
                algebra::add(ours, *one);
            } else {
                ours.extend_from_slice(theirs);
                algebra::settle(ours);
            }
        }
    }

    /// Removes every transaction of `other`.
    pub fn subtract(&mut self, other: &Self) {
        for (tsid, theirs) in &other.tsids {
            if let Some(ours) = self.tsids.get_mut(tsid) {
                *ours = algebra::difference(ours, theirs);
            }
        }
        self.tsids.retain(|_, intervals| !intervals.is_empty());
    }

    /// The transactions that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = Self::new();
        for (tsid, ours) in &self.tsids {
            if let Some(theirs) = other.tsids.get(tsid) {
                let common = algebra::intersection(ours, theirs);
                if !common.is_empty() {
                    both.tsids.insert(*tsid, common);
                }
            }
        }
        both
    }

    /// Whether the sets share a transaction.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.tsids.iter().any(|(tsid, ours)| {
            let theirs = other.intervals(tsid);
            !theirs.is_empty() && !algebra::intersection(ours, theirs).is_empty()
        })
    }

    /// Whether every transaction of this set is in `other`.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.tsids
            .iter()
            .all(|(tsid, ours)| algebra::is_subset(ours, other.intervals(tsid)))
    }

    /// Whether the transaction is in the set.
    #[must_use]
    pub fn contains(&self, gtid: &Gtid) -> bool {
        algebra::contains(self.intervals(&gtid.tsid), gtid.gno.get())
    }

    /// Whether the set holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tsids.is_empty()
    }

    /// Number of transactions in the set; stops at `u64::MAX`.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.tsids
            .values()
            .flatten()
            .map(|interval| interval.end - interval.start + 1)
            .fold(0, u64::saturating_add)
    }

    /// The largest number of `tsid` in the set.
    #[must_use]
    pub fn last_gno(&self, tsid: &Tsid) -> Option<Gno> {
        Gno::new(self.intervals(tsid).last()?.end)
    }

    /// The smallest number of `tsid` that is not in the set, which is what MySQL assigns next for
    /// `gtid_next=AUTOMATIC`. `None` when all numbers are used up.
    #[must_use]
    pub fn next_gno(&self, tsid: &Tsid) -> Option<Gno> {
        match self.intervals(tsid).first() {
            Some(first) if first.start == 1 => Gno::new(first.end + 1),
            _ => Some(Gno::MIN),
        }
    }

    /// The identifiers that have transactions in the set, ascending.
    pub fn tsids(&self) -> impl Iterator<Item = &Tsid> {
        self.tsids.keys()
    }

    /// The intervals of `tsid`, ascending and neither overlapping nor touching.
    #[must_use]
    pub fn intervals(&self, tsid: &Tsid) -> &[GnoInterval] {
        self.tsids.get(tsid).map_or(&[], Vec::as_slice)
    }
}

impl From<Gtid> for GtidSet {
    fn from(gtid: Gtid) -> Self {
        Self::from_iter([gtid])
    }
}

impl FromIterator<Gtid> for GtidSet {
    fn from_iter<I: IntoIterator<Item = Gtid>>(gtids: I) -> Self {
        let mut set = Self::new();
        for gtid in gtids {
            set.add(gtid);
        }
        set
    }
}
