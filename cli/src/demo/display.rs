//! The demo as it runs: events as lines, the state as one line that is rewritten.

use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::lag::Now;
use crate::output;

/// Without a terminal, between two lines of state.
const QUIET: Duration = Duration::from_secs(2);

pub(super) struct Display {
    started: Instant,
    is_terminal: bool,
    /// Number of the last interval of [`QUIET`] that was told.
    told: AtomicU64,
}

impl Display {
    pub(super) fn new() -> Self {
        let is_terminal = stderr().is_terminal();
        Self {
            started: Instant::now(),
            is_terminal,
            told: AtomicU64::new(0),
        }
    }

    /// Something happened.
    pub(super) fn event(&self, text: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        let clear = if self.is_terminal { "\r\x1b[K" } else { "" };
        output::note(format_args!("{clear}[{seconds:5.1} s] {text}"));
    }

    /// How it goes, `elapsed` into the workload.
    pub(super) fn state(&self, elapsed: Duration, transactions: u64, kills: u32, lag: &[Now; 2]) {
        let seconds = elapsed.as_secs().max(1);
        let [one, other] = lag.each_ref().map(lag_text);
        let rate = transactions / seconds;
        let line = format!("{transactions} transactions ({rate}/s), {kills} kills; {one}; {other}");
        if self.is_terminal {
            let _ = write!(stderr().lock(), "\r\x1b[K{line}");
            return;
        }
        let interval = elapsed.as_secs() / QUIET.as_secs();
        if self.told.swap(interval, Ordering::Relaxed) != interval {
            self.event(&line);
        }
    }
}

fn lag_text(now: &Now) -> String {
    let down = if now.is_reachable { "" } else { " (down)" };
    let millis = now.lag.as_secs_f64() * 1e3;
    format!("{} lag {millis:.1} ms{down}", now.name)
}
