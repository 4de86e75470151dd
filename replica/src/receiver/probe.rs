//! Whether a source that is silent still has the log that was read.
//!
//! After RESET BINARY LOGS the dump of a connected replica stays where it is: the source sends
//! heartbeats for a file that is gone and never another event, while it commits into a new one. Nothing
//! in the stream tells that apart from an idle source, so a second connection asks for the source's
//! own transactions: it has all that it sent, or it was reset.

use std::time::{Duration, Instant};

use gtid::{Gno, GtidSet, Tsid, Uuid};

/// Time between two questions to an idle source.
const PERIOD: Duration = Duration::from_secs(5);
/// Time that a question may take.
pub(super) const WITHIN: Duration = Duration::from_secs(5);

/// When to ask, and what the answers mean.
#[derive(Debug)]
pub(super) struct Probe {
    source: Option<Uuid>,
    asked: Instant,
    /// Whether the last answer lacked something. A transaction may be sent a moment before the
    /// source counts it as executed, so one such answer means nothing.
    has_lacked: bool,
}

impl Probe {
    /// Of the source with this UUID, which was heard of at `now`.
    pub(super) fn new(source_uuid: Option<&str>, now: Instant) -> Self {
        Self {
            source: source_uuid.and_then(|uuid| uuid.parse().ok()),
            asked: now,
            has_lacked: false,
        }
    }

    /// The source sent a transaction.
    pub(super) const fn is_alive(&mut self, now: Instant) {
        self.asked = now;
        self.has_lacked = false;
    }

    /// Whether to ask now.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.source.is_some() && now.saturating_duration_since(self.asked) >= PERIOD;
        if is_due {
            self.asked = now;
        }
        is_due
    }

    /// What the source lacks of the transactions of its own that are `received`, when it said twice
    /// that it has only `executed`.
    pub(super) fn lacking(&mut self, received: &GtidSet, executed: &GtidSet) -> Option<GtidSet> {
        let source = self.source?;
        let mut lacking = GtidSet::new();
        let own = received.tsids().filter(|tsid| tsid.uuid == source);
        for tsid in own.cloned().collect::<Vec<Tsid>>() {
            for interval in received.intervals(&tsid) {
                if let (Some(start), Some(end)) = (Gno::new(interval.start), Gno::new(interval.end))
                {
                    lacking.add_interval(tsid, start, end);
                }
            }
        }
        lacking.subtract(executed);
        let has_lacked = std::mem::replace(&mut self.has_lacked, !lacking.is_empty());
        (has_lacked && !lacking.is_empty()).then_some(lacking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const OTHER: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn set(text: &str) -> GtidSet {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_source_that_twice_lacks_its_own_transactions_was_reset() {
        let began = Instant::now();
        let mut probe = Probe::new(Some(SOURCE), began);
        let received = set(&format!("{SOURCE}:1-10,{OTHER}:1-5"));
        let all = set(&format!("{SOURCE}:1-12"));
        let none = GtidSet::new();
        assert_eq!(probe.lacking(&received, &all), None);
        assert_eq!(probe.lacking(&received, &none), None);
        assert_eq!(probe.lacking(&received, &all), None);
        assert_eq!(probe.lacking(&received, &none), None);
        let lacking = probe.lacking(&received, &set(&format!("{SOURCE}:1-3")));
        assert_eq!(lacking, Some(set(&format!("{SOURCE}:4-10"))));
    }

    #[test]
    fn an_active_source_is_not_asked() {
        let began = Instant::now();
        let mut probe = Probe::new(Some(SOURCE), began);
        assert!(!probe.is_due(began + PERIOD / 2));
        probe.is_alive(began + PERIOD);
        assert!(!probe.is_due(began + PERIOD));
        assert!(probe.is_due(began + PERIOD * 2));
        assert!(!probe.is_due(began + PERIOD * 2));
        assert!(!Probe::new(None, began).is_due(began + PERIOD * 9));
    }
}
