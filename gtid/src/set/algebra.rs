//! Interval arithmetic on the sorted lists of one `Tsid`. Pure; knows no identifiers.

use super::GnoInterval;

/// Whether `gno` lies in one of the intervals.
pub(super) fn contains(intervals: &[GnoInterval], gno: u64) -> bool {
    let after = intervals.partition_point(|interval| interval.start <= gno);
    intervals
        .get(..after)
        .and_then(<[_]>::last)
        .is_some_and(|interval| gno <= interval.end)
}

/// Adds an interval, merging what it overlaps or touches.
pub(super) fn add(intervals: &mut Vec<GnoInterval>, new: GnoInterval) {
    let first = intervals.partition_point(|interval| interval.end.saturating_add(1) < new.start);
    let touched = intervals
        .get(first..)
        .unwrap_or(&[])
        .partition_point(|interval| interval.start <= new.end.saturating_add(1));
    let mut merged = new;
    if let Some(touched) = intervals.get(first..first.saturating_add(touched))
        && let (Some(low), Some(high)) = (touched.first(), touched.last())
    {
        merged.start = merged.start.min(low.start);
        merged.end = merged.end.max(high.end);
    }
    intervals.splice(first..first.saturating_add(touched), [merged]);
}

/// Sorts intervals of any order and merges those that overlap or touch.
pub(super) fn settle(intervals: &mut Vec<GnoInterval>) {
    // Stable, because it is linear for runs that are sorted already.
    intervals.sort_by_key(|interval| interval.start);
    intervals.dedup_by(|next, kept| {
        let is_one = next.start <= kept.end.saturating_add(1);
        if is_one {
            kept.end = kept.end.max(next.end);
        }
        is_one
    });
}

/// What is in `ours` and not in `theirs`.
pub(super) fn difference(ours: &[GnoInterval], theirs: &[GnoInterval]) -> Vec<GnoInterval> {
    let mut left = Vec::with_capacity(ours.len());
    let mut theirs = theirs.iter().peekable();
    for interval in ours {
        let mut start = interval.start;
        while theirs.next_if(|other| other.end < start).is_some() {}
        let mut remaining = true;
        while let Some(other) = theirs.peek().filter(|other| other.start <= interval.end) {
            if other.start > start {
                let end = other.start - 1;
                left.push(GnoInterval { start, end });
            }
            if other.end >= interval.end {
                remaining = false;
                break;
            }
            start = other.end + 1;
            theirs.next();
        }
        if remaining {
            let end = interval.end;
            left.push(GnoInterval { start, end });
        }
    }
    left
}

/// What is in both lists.
pub(super) fn intersection(ours: &[GnoInterval], theirs: &[GnoInterval]) -> Vec<GnoInterval> {
    let mut common = Vec::new();
    let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
    while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
        let (start, end) = (a.start.max(b.start), a.end.min(b.end));
        if start <= end {
            common.push(GnoInterval { start, end });
        }
        if a.end < b.end {
            ours.next();
        } else {
            theirs.next();
        }
    }
    common
}

/// Whether everything in `ours` is in `theirs`.
pub(super) fn is_subset(ours: &[GnoInterval], theirs: &[GnoInterval]) -> bool {
    ours.iter().all(|interval| {
        let after = theirs.partition_point(|other| other.start <= interval.start);
        theirs
            .get(..after)
            .and_then(<[_]>::last)
            .is_some_and(|other| interval.end <= other.end)
    })
}
