//! Which transactions of a log are wanted.

use std::cmp::Ordering;

use binlog::log::{LogFileName, SourceCoordinates};
use binlog::transaction::{Executed, TransactionGtid, TransactionInfo};
use inspect::filter::GtidChoice;

use crate::bound::{Bound, commit_micros};

/// What somebody asked for.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Where to begin; everything before it is passed over.
    pub start: Option<Bound>,
    /// End in front of the first transaction that is at this place or behind it.
    pub stop_before: Option<Bound>,
    /// End behind the last transaction that is in front of this place or at it.
    pub stop_at: Option<Bound>,
    /// Transactions that are left out.
    pub excluded: GtidChoice,
}

/// What is to become of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It is applied.
    Take,
    /// It lies in front of the start.
    Before,
    /// It is executed on the target.
    Executed,
    /// Somebody asked for it to be left out.
    Excluded,
    /// The log ends in front of it.
    Stop,
}

/// Why reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The stop that was asked for was reached.
    Asked,
    /// The logs are at their end.
    EndOfLogs,
    /// A log is damaged, or ends inside a transaction.
    Damaged,
    /// Somebody interrupted it.
    Interrupted,
    /// A transaction could not be applied.
    Failed,
}

impl StopReason {
    /// In the words of the JSON report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Asked => "stop",
            Self::EndOfLogs => "end_of_logs",
            Self::Damaged => "damaged_log",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// Where reading ended: behind the last transaction that was taken or passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The file.
    pub file: String,
    /// Bytes from its start: where the next transaction begins.
    pub offset: u64,
    /// The last transaction in front of it that was taken.
    pub gtid: TransactionGtid,
    /// Why.
    pub reason: StopReason,
}

/// Judges the transactions of a log in their order.
#[derive(Debug, Clone)]
pub struct Selection {
    choice: Choice,
    executed: Executed,
    /// Where the target is in logs without GTIDs.
    applied: Option<SourceCoordinates>,
    has_started: bool,
    /// Whether the transaction that `stop_at` names was taken.
    is_at_stop: bool,
    is_stopped: bool,
    /// Transactions behind the stop whose commit time lies in front of it.
    earlier_behind: u64,
}

impl Selection {
    /// Begins in front of the first file. `executed` and `applied` are what the target has.
    #[must_use]
    pub fn new(choice: Choice, executed: Executed, applied: Option<SourceCoordinates>) -> Self {
        Self {
            has_started: choice.start.is_none(),
            choice,
            executed,
            applied,
            is_at_stop: false,
            is_stopped: false,
            earlier_behind: 0,
        }
    }

    /// What is to become of a transaction that begins in `file`. Once it is [`Judgement::Stop`] it
    /// stays so.
    pub fn judge(&mut self, file: &LogFileName, transaction: &TransactionInfo) -> Judgement {
        // The start may be the stop too.
        if !self.has_started && !self.is_stopped {
            let start = self.choice.start.as_ref();
            let place = start.and_then(|start| start.place_of(file, transaction));
            self.has_started = matches!(place, Some(Ordering::Equal | Ordering::Greater));
        }
        if self.is_stopped || self.stops(file, transaction) {
            self.is_stopped = true;
            self.note_behind(transaction);
            return Judgement::Stop;
        }
        if !self.has_started {
            return Judgement::Before;
        }
        if self.executed.contains(&transaction.gtid) || self.is_applied(file, transaction) {
            return Judgement::Executed;
        }
        match self.choice.excluded.contains(&transaction.gtid) {
            true => Judgement::Excluded,
            false => Judgement::Take,
        }
    }

    fn stops(&mut self, file: &LogFileName, transaction: &TransactionInfo) -> bool {
        let place = |bound: &Option<Bound>| bound.as_ref()?.place_of(file, transaction);
        if matches!(
            place(&self.choice.stop_before),
            Some(Ordering::Equal | Ordering::Greater)
        ) {
            return true;
        }
        match place(&self.choice.stop_at) {
            Some(Ordering::Greater) => true,
            // Behind the named transaction nobody can tell another from one in front of it.
            None => self.is_at_stop,
            Some(Ordering::Equal) => {
                self.is_at_stop = matches!(self.choice.stop_at, Some(Bound::Gtid(_)));
                false
            }
            Some(Ordering::Less) => false,
        }
    }

    fn note_behind(&mut self, transaction: &TransactionInfo) {
        let stop = self.choice.stop_before.as_ref();
        if let Some(Bound::Time(micros)) = stop.or(self.choice.stop_at.as_ref())
            && commit_micros(transaction) < *micros
        {
            self.earlier_behind = self.earlier_behind.saturating_add(1);
        }
    }

    /// Without GTIDs a place in the log tells what the target has.
    fn is_applied(&self, file: &LogFileName, transaction: &TransactionInfo) -> bool {
        let (Some(applied), TransactionGtid::None) = (&self.applied, transaction.gtid) else {
            return false;
        };
        match LogFileName::parse(&applied.file) {
            Some(named) if named.base() == file.base() => {
                (file, transaction.start.offset) < (&named, applied.offset)
            }
            _ => false,
        }
    }

    /// Whether the stop that was asked for was reached.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        self.is_stopped || self.is_at_stop
    }

    /// Whether the start that was asked for was found.
    #[must_use]
    pub const fn has_started(&self) -> bool {
        self.has_started
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub const fn has_stop(&self) -> bool {
        self.choice.stop_before.is_some() || self.choice.stop_at.is_some()
    }

    /// Transactions that were met behind the stop although their commit is in front of its time.
    #[must_use]
    pub const fn earlier_behind(&self) -> u64 {
        self.earlier_behind
    }
}

#[cfg(test)]
mod tests {
    use binlog::stream::Place;
    use binlog::transaction::TransactionKind;

    use super::*;

    fn transaction(gtid: &str, timestamp: u32, offset: u64) -> TransactionInfo {
        let gtid = match gtid {
            "" => TransactionGtid::None,
            gtid => TransactionGtid::MariaDb(gtid.parse().unwrap()),
        };
        TransactionInfo {
            gtid,
            kind: TransactionKind::Dml,
            start: Place {
                offset,
                end: offset + 10,
                inner: None,
            },
            timestamp,
            server_id: 1,
            commit_timestamps: None,
            logical_clock: None,
            transaction_length: None,
            mariadb_flags: None,
            commit_id: None,
            is_complete: false,
        }
    }

    fn taken(choice: Choice, executed: Executed, applied: Option<(&str, u64)>) -> Vec<u64> {
        let applied = applied.map(|(file, offset)| SourceCoordinates {
            file: file.to_owned(),
            offset,
        });
        let mut selection = Selection::new(choice, executed, applied);
        let file = LogFileName::new("binlog", 3);
        let mut taken = Vec::new();
        for number in 1..=5_u64 {
            let seconds = u32::try_from(1_700_000_000 + number).unwrap();
            let gtid = format!("0-1-{number}");
            let transaction = transaction(&gtid, seconds, number * 100);
            if selection.judge(&file, &transaction) == Judgement::Take {
                taken.push(number);
            }
        }
        taken
    }

    #[test]
    fn a_stop_is_in_front_of_or_behind_the_place_it_names() {
        let bound = |text: &str| Some(text.parse::<Bound>().unwrap());
        for (before, at, expected) in [
            (None, None, vec![1, 2, 3, 4, 5]),
            (bound("0-1-3"), None, vec![1, 2]),
            (None, bound("0-1-3"), vec![1, 2, 3]),
            (bound("1700000003"), None, vec![1, 2]),
            (None, bound("1700000003"), vec![1, 2, 3]),
            (bound("binlog.000003:300"), None, vec![1, 2]),
            (None, bound("binlog.000003:300"), vec![1, 2, 3]),
            (bound("binlog.000002:4"), None, vec![]),
            (None, bound("binlog.000004:4"), vec![1, 2, 3, 4, 5]),
        ] {
            let choice = Choice {
                stop_before: before.clone(),
                stop_at: at.clone(),
                ..Choice::default()
            };
            let found = taken(choice, Executed::default(), None);
            assert_eq!(found, expected, "{before:?} {at:?}");
        }
    }

    #[test]
    fn what_the_target_has_and_what_is_excluded_is_passed_over() {
        let mut executed = Executed::default();
        executed.add(TransactionGtid::MariaDb("0-1-2".parse().unwrap()));
        let choice = Choice {
            start: Some("0-1-1".parse().unwrap()),
            excluded: "0-1-4".parse().unwrap(),
            ..Choice::default()
        };
        assert_eq!(taken(choice, executed, None), [3, 5]);
    }

    #[test]
    fn a_stop_where_the_start_is_leaves_nothing() {
        let bound = |text: &str| Some(text.parse().unwrap());
        for (start, expected) in [("0-1-3", true), ("0-1-4", false)] {
            let choice = Choice {
                start: bound(start),
                stop_before: bound("0-1-3"),
                ..Choice::default()
            };
            let mut selection = Selection::new(choice, Executed::default(), None);
            let file = LogFileName::new("binlog", 1);
            for number in 1..5 {
                selection.judge(
                    &file,
                    &transaction(&format!("0-1-{number}"), 1, number * 100),
                );
            }
            assert_eq!(selection.has_started(), expected, "{start}");
            assert!(selection.is_stopped());
        }
    }

    #[test]
    fn without_gtids_the_place_of_the_target_counts() {
        let mut selection = Selection::new(
            Choice::default(),
            Executed::default(),
            Some(SourceCoordinates {
                file: "binlog.000003".to_owned(),
                offset: 200,
            }),
        );
        let file = LogFileName::new("binlog", 3);
        let mut judge = |offset| selection.judge(&file, &transaction("", 1, offset));
        assert_eq!(judge(100), Judgement::Executed);
        assert_eq!(judge(200), Judgement::Take);
    }
}
