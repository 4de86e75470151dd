//! Trying again after what passes: a connection that was lost, a lock.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::exit::Failure;
use crate::output;

/// Attempts after a failure that passes.
const RETRIES: u32 = 10;
/// Pause before the first of them; each next one is twice as long, up to the largest.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How often something was tried in a row.
pub(super) struct Patience<'a> {
    tried: u32,
    interrupted: &'a AtomicBool,
}

impl<'a> Patience<'a> {
    pub(super) const fn new(interrupted: &'a AtomicBool) -> Self {
        Self {
            tried: 0,
            interrupted,
        }
    }

    /// Whether Ctrl-C ends it.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Something went on: the next failure is the first one again.
    pub(super) const fn renew(&mut self) {
        self.tried = 0;
    }

    /// Says what stood in the way and waits. False, at once, if it was tried often enough or Ctrl-C
    /// ends it.
    pub(super) fn wait(&mut self, obstacle: &dyn Display) -> bool {
        self.tried += 1;
        if self.tried > RETRIES || self.is_interrupted() {
            return false;
        }
        let pause = PAUSE.saturating_mul(1 << (self.tried - 1)).min(PAUSE_MAX);
        let seconds = pause.as_secs_f64();
        output::note(format_args!(
            "weir: {obstacle}; tried again in {seconds:.1} s"
        ));
        std::thread::sleep(pause);
        true
    }
}

/// Does what changes nothing, again after what passes. `work` is told whether it is the first attempt.
pub(super) fn patiently<T>(mut work: impl FnMut(bool) -> Result<T, Failure>) -> Result<T, Failure> {
    // Ctrl-C ends the process: nothing has moved.
    let never = AtomicBool::new(false);
    let mut patience = Patience::new(&never);
    let mut is_first = true;
    loop {
        match work(std::mem::replace(&mut is_first, false)) {
            Err(Failure::Passing(text)) if patience.wait(&text) => {}
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_ends_it() {
        let mut left = vec![
            Failure::Usage(String::new()),
            Failure::Passing("lost".into()),
        ];
        let outcome = patiently(|is_first| {
            assert_eq!(is_first, left.len() == 2);
            Err::<(), _>(left.pop().unwrap_or(Failure::Told))
        });
        assert!(matches!(outcome, Err(Failure::Usage(_))), "{outcome:?}");
        assert!(left.is_empty());
    }

    #[test]
    fn ctrl_c_ends_the_waiting() {
        let interrupted = AtomicBool::new(true);
        assert!(!Patience::new(&interrupted).wait(&"lost"));
    }
}
