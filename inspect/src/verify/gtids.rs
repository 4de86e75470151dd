//! Identifiers within one file: none twice, none left out.

use std::collections::HashMap;

use gtid::{GtidSet, MariaGtid, Tsid};

use super::Severity;
use crate::stats::Stats;
use binlog::event::Event;
use binlog::transaction::Step;

/// Follows the identifiers of a file.
#[derive(Debug, Default)]
pub(super) struct GtidOrder {
    /// In earlier files and in this one.
    seen: GtidSet,
    /// Last sequence number by domain and server.
    mariadb: HashMap<(u32, u32), u64>,
    /// Last sequence number by domain.
    domains: HashMap<u32, u64>,
}

impl GtidOrder {
    pub(super) fn feed(
        &mut self,
        step: &Step<'_>,
        is_relay_log: bool,
    ) -> Option<(Severity, String)> {
        match &step.event {
            Event::PreviousGtids(previous) => {
                self.seen.union(&previous.gtids);
                None
            }
            Event::GtidList(list) => {
                for gtid in &list.gtids {
                    self.enter(*gtid);
                }
                None
            }
            Event::Gtid(event) => {
                let gtid = event.gtid?;
                if self.seen.add(gtid) {
                    return None;
                }
                // A receiver that was cut off inside a transaction fetches it again.
                let severity = if is_relay_log {
                    Severity::Warning
                } else {
                    Severity::Error
                };
                Some((
                    severity,
                    format!("{gtid} is in the log already, in this file or an earlier one"),
                ))
            }
            Event::MariadbGtid(event) => self.feed_mariadb(event.gtid, is_relay_log),
            _ => None,
        }
    }

    fn enter(&mut self, gtid: MariaGtid) {
        self.mariadb
            .insert((gtid.domain, gtid.server), gtid.sequence);
        let last = self.domains.entry(gtid.domain).or_default();
        *last = gtid.sequence.max(*last);
    }

    fn feed_mariadb(&mut self, gtid: MariaGtid, is_relay_log: bool) -> Option<(Severity, String)> {
        let same = self.mariadb.get(&(gtid.domain, gtid.server)).copied();
        let domain = self.domains.get(&gtid.domain).copied();
        self.enter(gtid);
        if same == Some(gtid.sequence) {
            let severity = if is_relay_log {
                Severity::Warning
            } else {
                Severity::Error
            };
            return Some((severity, format!("{gtid} is in the log already")));
        }
        let last = domain?;
        if gtid.sequence < last {
            return Some((
                Severity::Warning,
                format!(
                    "{gtid} stands behind sequence number {last} of its domain, \
                     which gtid_strict_mode would refuse"
                ),
            ));
        }
        (gtid.sequence > last + 1).then(|| {
            (
                Severity::Warning,
                format!(
                    "{gtid} follows sequence number {last}: {} numbers of the domain are not here",
                    gtid.sequence - last - 1
                ),
            )
        })
    }

    /// The numbers that are missing between those of the file, a sentence per identifier.
    pub(super) fn gaps(&self, stats: &Stats) -> Vec<String> {
        let previous = stats.previous_gtids.clone().unwrap_or_default();
        let mut told = Vec::new();
        for tsid in stats.gtids.tsids() {
            let missing = missing(&self.seen, tsid);
            let known = self::missing(&previous, tsid);
            let new: Vec<String> = missing
                .into_iter()
                .filter(|gap| !known.contains(gap))
                .take(GAPS_MAX)
                .map(|(first, last)| match first == last {
                    true => first.to_string(),
                    false => format!("{first}-{last}"),
                })
                .collect();
            if !new.is_empty() {
                told.push(format!(
                    "{tsid}:{} is not here, though later numbers are",
                    new.join(":")
                ));
            }
        }
        told
    }
}

/// How many runs of missing numbers are told per identifier.
const GAPS_MAX: usize = 10;

/// The runs that are missing between the first and the last number of the set, first and last
/// number of each.
fn missing(set: &GtidSet, tsid: &Tsid) -> Vec<(u64, u64)> {
    let intervals = set.intervals(tsid);
    intervals
        .iter()
        .zip(intervals.iter().skip(1))
        .map(|(left, right)| (left.end.saturating_add(1), right.start.saturating_sub(1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn what_is_missing_lies_between_the_runs_that_are_there() {
        let id = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        let set: gtid::GtidSet = format!("{id}:3-5:7:12-13").parse().unwrap();
        let tsid = set.tsids().next().unwrap();
        assert_eq!(missing(&set, tsid), [(6, 6), (8, 11)]);
    }
}
