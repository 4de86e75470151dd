//! When the transactions that wait in the relay log were committed on the source.
//!
//! Only the oldest ones are kept: of a long queue the age of its head is what counts, and when the
//! applier has come through those kept here, it knows the age of what it applies by itself.

use std::collections::VecDeque;

use binlog::log::LogPosition;

/// Transactions kept.
const KEPT_MAX: usize = 4096;

/// The oldest transactions that are not applied, by their end in the relay log.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    oldest: VecDeque<(LogPosition, Option<u64>)>,
    /// End of the newest transaction that was not kept.
    dropped: Option<LogPosition>,
}

impl Waiting {
    /// Takes note of a transaction that ends at `end`.
    pub(super) fn push(&mut self, end: LogPosition, commit_micros: Option<u64>) {
        if self.oldest.len() < KEPT_MAX && self.dropped.is_none() {
            self.oldest.push_back((end, commit_micros));
        } else {
            self.dropped = Some(end);
        }
    }

    /// Commit of the oldest transaction behind `applied`, if it is known.
    pub(super) fn oldest(&mut self, applied: &LogPosition) -> Option<u64> {
        while self.oldest.front().is_some_and(|(end, _)| end <= applied) {
            self.oldest.pop_front();
        }
        if self.dropped.as_ref().is_some_and(|end| end <= applied) {
            self.dropped = None;
        }
        self.oldest.front().and_then(|(_, micros)| *micros)
    }
}

#[cfg(test)]
mod tests {
    use binlog::log::LogFileName;

    use super::*;

    fn at(offset: u64) -> LogPosition {
        LogPosition::new(LogFileName::new("relay", 1), offset)
    }

    #[test]
    fn the_head_of_the_queue_is_known_and_what_was_not_kept_is_not_guessed() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.oldest(&at(4)), None);
        let count = KEPT_MAX as u64 + 10;
        for number in 1..=count {
            waiting.push(at(number * 10), Some(number));
        }
        assert_eq!(waiting.oldest(&at(4)), Some(1));
        assert_eq!(waiting.oldest(&at(20)), Some(3));
        assert_eq!(waiting.oldest(&at(KEPT_MAX as u64 * 10)), None);
        waiting.push(at(count * 10 + 10), Some(count + 1));
        assert_eq!(waiting.oldest(&at(count * 10 + 10)), None);
        waiting.push(at(count * 10 + 20), Some(7));
        assert_eq!(waiting.oldest(&at(count * 10 + 10)), Some(7));
    }
}
