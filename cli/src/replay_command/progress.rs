//! How far a replay is: a line that is drawn anew at a terminal, and a line now and then elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use binlog::transaction::TransactionInfo;
use indicatif::{ProgressBar, ProgressStyle};
use replica::applier::Committed;

use crate::output;

/// What takes no longer shows nothing.
const QUIET: Duration = Duration::from_secs(1);
/// How often the line is drawn.
const PERIOD: Duration = Duration::from_millis(250);
/// How often a line is written where nobody sees it drawn.
const LINES: Duration = Duration::from_secs(10);

/// Told of what is committed; vanishes from a terminal when it is dropped.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    began: Instant,
    told: Instant,
    /// Transactions and bytes that are wanted.
    transactions: u64,
    bytes: u64,
}

impl Progress {
    pub(super) fn new(transactions: u64, bytes: u64) -> Self {
        let now = Instant::now();
        Self {
            bar: stderr().is_terminal().then(|| {
                let bar = ProgressBar::new(bytes);
                if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}") {
                    bar.set_style(style);
                }
                bar
            }),
            began: now,
            told: now,
            transactions,
            bytes,
        }
    }

    /// So much is committed, and this transaction was read last.
    pub(super) fn reach(&mut self, done: &Committed, last: Option<&TransactionInfo>) {
        let (passed, since) = (self.began.elapsed(), self.told.elapsed());
        let period = if self.bar.is_some() { PERIOD } else { LINES };
        if passed < QUIET || since < period {
            return;
        }
        self.told = Instant::now();
        let text = said(done, self.transactions, self.bytes, passed, last);
        match &self.bar {
            Some(bar) => {
                bar.set_position(done.bytes.min(self.bytes));
                bar.set_message(text);
            }
            None => output::note(format_args!("weir: {text}")),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `120 of 400 transactions, 3.1 MB/s, source time 2026-11-21T05:00:00Z, 1:05 left`.
fn said(
    done: &Committed,
    transactions: u64,
    bytes: u64,
    passed: Duration,
    last: Option<&TransactionInfo>,
) -> String {
    let rate = done.bytes as f64 / passed.as_secs_f64().max(0.001);
    let mut text = format!(
        "{} of {transactions} transactions, {:.1} MB/s",
        done.transactions,
        rate / 1e6
    );
    let at = last.and_then(|transaction| {
        let micros = transaction.commit_timestamps.map_or_else(
            || i64::from(transaction.timestamp).saturating_mul(1_000_000),
            |times| i64::try_from(times.original).unwrap_or(i64::MAX),
        );
        jiff::Timestamp::from_second(micros.div_euclid(1_000_000)).ok()
    });
    if let Some(at) = at {
        text.push_str(&format!(", source time {at}"));
    }
    if rate > 0.0 {
        let left = bytes.saturating_sub(done.bytes) as f64 / rate;
        let left = Duration::try_from_secs_f64(left)
            .unwrap_or(Duration::MAX)
            .as_secs();
        text.push_str(&format!(", {}:{:02} left", left / 60, left % 60));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_much_how_fast_and_how_long() {
        let done = Committed {
            transactions: 120,
            bytes: 30_000_000,
            ..Committed::default()
        };
        assert_eq!(
            said(&done, 400, 100_000_000, Duration::from_secs(10), None),
            "120 of 400 transactions, 3.0 MB/s, 0:23 left"
        );
        let nothing = said(&Committed::default(), 400, 9, Duration::from_secs(10), None);
        assert_eq!(nothing, "0 of 400 transactions, 0.0 MB/s");
    }
}
