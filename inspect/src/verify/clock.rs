//! The clocks of a file: the logical one that orders transactions, and the time of day.

use super::{FindingKind, Severity};
use binlog::event::Event;
use binlog::transaction::Step;

type Told = (Severity, FindingKind, String);

/// Follows both.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Sequence number of the last transaction.
    sequence: u64,
    /// Latest commit, seconds since 1970.
    latest: u64,
    /// Transactions that were committed earlier than one in front of them: how many, by how many
    /// seconds at most, and where the first one is.
    backwards: Option<(u64, u64, u64)>,
}

impl Clock {
    pub(super) fn feed(&mut self, step: &Step<'_>, is_relay_log: bool) -> Option<Told> {
        match &step.event {
            Event::Gtid(gtid) => {
                let seconds = gtid.commit_timestamps.map_or_else(
                    || u64::from(step.raw.header.timestamp),
                    |at| at.immediate / 1_000_000,
                );
                self.feed_time(seconds, step.place.offset);
                let clock = gtid.logical_clock?;
                // A relay log holds the numbers of several files of its source.
                if is_relay_log || clock.sequence_number == 0 {
                    return None;
                }
                self.feed_sequence(clock.sequence_number, clock.last_committed)
            }
            Event::MariadbGtid(_) => {
                self.feed_time(u64::from(step.raw.header.timestamp), step.place.offset);
                None
            }
            _ => None,
        }
    }

    fn feed_time(&mut self, seconds: u64, offset: u64) {
        if seconds == 0 {
            return;
        }
        let by = self.latest.saturating_sub(seconds);
        self.latest = self.latest.max(seconds);
        if by > 0 {
            let (count, most, _) = self.backwards.get_or_insert((0, 0, offset));
            *count += 1;
            *most = by.max(*most);
        }
    }

    fn feed_sequence(&mut self, sequence: u64, last_committed: u64) -> Option<Told> {
        let before = std::mem::replace(&mut self.sequence, sequence);
        let error = |message| Some((Severity::Error, FindingKind::LogicalClock, message));
        if last_committed >= sequence {
            return error(format!(
                "transaction number {sequence} depends on number {last_committed}, \
                 which does not stand in front of it"
            ));
        }
        if sequence <= before {
            return error(format!(
                "transaction number {sequence} stands behind number {before}"
            ));
        }
        None
    }

    pub(super) const fn backwards(&self) -> Option<(u64, u64, u64)> {
        self.backwards
    }
}
