//! A progress bar that stays hidden for the first second, and always where nobody looks.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes no longer shows no progress.
const QUIET: Duration = Duration::from_secs(1);

/// How many steps pass between two looks at the clock.
const STRIDE: u32 = 256;

/// How far a file was read. Vanishes when dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    shown: bool,
    steps: u32,
}

impl Progress {
    /// Begins at the front of `file`, of `bytes` if that is known.
    pub(crate) fn new(file: &str, bytes: Option<u64>) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(bytes, ProgressDrawTarget::hidden());
            let template = match bytes {
                Some(_) => "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
                None => "{prefix} {spinner} {bytes} {bytes_per_sec}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.with_prefix(file.to_owned())
        });
        Self {
            bar,
            shown: false,
            steps: 0,
        }
    }

    /// Everything in front of `offset` was read. Cheap enough for every event.
    pub(crate) fn reach(&mut self, offset: u64) {
        let Some(bar) = &self.bar else { return };
        self.steps = self.steps.wrapping_add(1);
        if !self.steps.is_multiple_of(STRIDE) {
            return;
        }
        if !self.shown && bar.elapsed() > QUIET {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            self.shown = true;
        }
        bar.set_position(offset);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
