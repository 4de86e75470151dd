//! Whether a source that is silent still has the log that was read.
//!
//! After RESET BINARY LOGS the dump of a connected replica stays where it is: the source sends
//! heartbeats for a file that is gone and never another event, while it commits into a new one. Nothing
//! in the stream tells that apart from an idle source, so a second connection asks for the source's
//! own transactions: it has all that it sent, or it was reset.

use std::time::{Duration, Instant};

use binlog::event::Flavour;
use binlog::transaction::Executed;
use gtid::{Gno, GtidSet, MariaGtid, MariaPosition, Tsid, Uuid};

/// Time between two questions to an idle source.
const PERIOD: Duration = Duration::from_secs(5);
/// Time that a question may take.
pub(super) const WITHIN: Duration = Duration::from_secs(5);

/// Whose transactions the source must still have.
#[derive(Debug, Clone, Copy)]
enum Watched {
    /// Those of this MySQL server.
    Own(Uuid),
    /// All that a MariaDB server sent, for they are in its log.
    Sent,
}

/// When to ask, and what the answers mean.
#[derive(Debug)]
pub(super) struct Probe {
    source: Option<Watched>,
    asked: Instant,
    /// Whether the last answer lacked something. A transaction may be sent a moment before the
    /// source counts it as executed, so one such answer means nothing.
    has_lacked: bool,
}

impl Probe {
    /// Of the source with this UUID, if it is a MySQL server, which was heard of at `now`.
    pub(super) fn new(flavour: Flavour, source_uuid: Option<&str>, now: Instant) -> Self {
        let uuid = source_uuid.and_then(|uuid| uuid.parse().ok());
        Self {
            source: match flavour {
                Flavour::MySql => uuid.map(Watched::Own),
                Flavour::MariaDb => Some(Watched::Sent),
            },
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

    /// What to ask the source.
    pub(super) const fn question(&self) -> &'static str {
        match self.source {
            Some(Watched::Sent) => "SELECT @@GLOBAL.gtid_binlog_pos",
            Some(Watched::Own(_)) | None => "SELECT @@GLOBAL.GTID_EXECUTED",
        }
    }

    /// What the source's `answer` says that it has; `None` if it makes no sense.
    pub(super) fn understand(&self, answer: &str) -> Option<Executed> {
        let mut executed = Executed::default();
        match self.source? {
            Watched::Own(_) => executed.mysql = answer.parse().ok()?,
            Watched::Sent => executed.mariadb = answer.parse().ok()?,
        }
        Some(executed)
    }

    /// What the source lacks of the transactions of its own that are `received`, when it said twice
    /// that it has only `executed`.
    pub(super) fn lacking(&mut self, received: &Executed, executed: &Executed) -> Option<Executed> {
        let mut lacking = Executed::default();
        match self.source? {
            Watched::Own(uuid) => {
                lacking.mysql = own(&received.mysql, uuid);
                lacking.mysql.subtract(&executed.mysql);
            }
            Watched::Sent => lacking.mariadb = beyond(&received.mariadb, &executed.mariadb),
        }
        let has_lacked = std::mem::replace(&mut self.has_lacked, !lacking.is_empty());
        (has_lacked && !lacking.is_empty()).then_some(lacking)
    }
}

fn own(received: &GtidSet, uuid: Uuid) -> GtidSet {
    let mut own = GtidSet::new();
    let tsids = received.tsids().filter(|tsid| tsid.uuid == uuid);
    for tsid in tsids.cloned().collect::<Vec<Tsid>>() {
        for interval in received.intervals(&tsid) {
            if let (Some(start), Some(end)) = (Gno::new(interval.start), Gno::new(interval.end)) {
                own.add_interval(tsid, start, end);
            }
        }
    }
    own
}

/// The last transactions of domains that `executed` does not reach.
fn beyond(received: &MariaPosition, executed: &MariaPosition) -> MariaPosition {
    let is_beyond = |last: &MariaGtid| {
        let there = executed.get(last.domain);
        there.is_none_or(|there| there.sequence < last.sequence)
    };
    received.iter().filter(is_beyond).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const OTHER: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn set(text: &str) -> Executed {
        Executed::from(text.parse::<GtidSet>().unwrap())
    }

    fn of(uuid: &str, now: Instant) -> Probe {
        Probe::new(Flavour::MySql, Some(uuid), now)
    }

    #[test]
    fn only_a_source_that_twice_lacks_its_own_transactions_was_reset() {
        let began = Instant::now();
        let mut probe = of(SOURCE, began);
        let received = set(&format!("{SOURCE}:1-10,{OTHER}:1-5"));
        let all = set(&format!("{SOURCE}:1-12"));
        let none = Executed::default();
        assert_eq!(probe.lacking(&received, &all), None);
        assert_eq!(probe.lacking(&received, &none), None);
        assert_eq!(probe.lacking(&received, &all), None);
        assert_eq!(probe.lacking(&received, &none), None);
        let lacking = probe.lacking(&received, &set(&format!("{SOURCE}:1-3")));
        assert_eq!(lacking, Some(set(&format!("{SOURCE}:4-10"))));
    }

    #[test]
    fn a_mariadb_source_has_what_it_sent_or_was_reset() {
        let mut probe = Probe::new(Flavour::MariaDb, None, Instant::now());
        let received = Executed {
            mariadb: "0-1-9,7-1-2".parse().unwrap(),
            ..Executed::default()
        };
        let all = probe.understand("0-2-12,7-1-2").unwrap();
        let reset = probe.understand("0-1-3").unwrap();
        assert_eq!(probe.lacking(&received, &all), None);
        assert_eq!(probe.lacking(&received, &reset), None);
        let lacking = probe.lacking(&received, &reset);
        assert_eq!(lacking.unwrap().to_string(), "0-1-9,7-1-2");
        assert_eq!(probe.understand("soon"), None);
    }

    #[test]
    fn an_active_source_is_not_asked() {
        let began = Instant::now();
        let mut probe = of(SOURCE, began);
        assert!(!probe.is_due(began + PERIOD / 2));
        probe.is_alive(began + PERIOD);
        assert!(!probe.is_due(began + PERIOD));
        assert!(probe.is_due(began + PERIOD * 2));
        assert!(!probe.is_due(began + PERIOD * 2));
        assert!(!Probe::new(Flavour::MySql, None, began).is_due(began + PERIOD * 9));
    }
}
