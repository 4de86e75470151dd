//! Stopping a statement from another thread: KILL, a client that left, a node that ends.
//!
//! A session has one [`Interrupt`] for its life, which travels with its statements. Whoever runs
//! one says on which connection; whoever wants it stopped needs to know neither who runs it nor
//! whether it has begun.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::database::InterruptHandle;
use sql::error::SqlError;

/// Stops the statement of one session.
#[derive(Default)]
pub struct Interrupt {
    /// Held while a connection is stopped, so that never the statement of another session is hit.
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_set: bool,
    /// The connection that runs the statement.
    running: Option<InterruptHandle>,
}

impl Interrupt {
    /// Stops the statement, now or when it begins.
    pub fn set(&self) {
        let mut state = self.lock();
        state.is_set = true;
        if let Some(handle) = &state.running {
            handle.interrupt();
        }
        self.changed.notify_all();
    }

    /// Forgets what was asked of an earlier statement.
    pub fn clear(&self) {
        self.lock().is_set = false;
    }

    /// Whether the statement is to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.lock().is_set
    }

    /// Error 1317 when the statement is to stop.
    ///
    /// # Errors
    /// 1317.
    pub fn check(&self) -> Result<(), SqlError> {
        match self.is_set() {
            true => Err(SqlError::query_interrupted()),
            false => Ok(()),
        }
    }

    /// Says that the statement runs on the connection of `handle` as long as the guard lives.
    ///
    /// # Errors
    /// 1317 when it was stopped before it began.
    pub fn running(&self, handle: InterruptHandle) -> Result<Running<'_>, SqlError> {
        let mut state = self.lock();
        if state.is_set {
            return Err(SqlError::query_interrupted());
        }
        state.running = Some(handle);
        Ok(Running(self))
    }

    /// Waits for `duration`, or until the statement is to stop: then true.
    #[must_use]
    pub fn pause(&self, duration: Duration) -> bool {
        let end = Instant::now().checked_add(duration);
        let mut state = self.lock();
        while !state.is_set {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return false;
            }
            let waited = self.changed.wait_timeout(state, left.unwrap_or(duration));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupt")
            .field("is_set", &self.is_set())
            .finish_non_exhaustive()
    }
}

/// A statement that runs on a connection.
#[derive(Debug)]
pub struct Running<'a>(&'a Interrupt);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_sleeper_wakes_when_its_statement_is_to_stop() {
        let interrupt = Arc::new(Interrupt::default());
        let sleeper = Arc::clone(&interrupt);
        let asleep = std::thread::spawn(move || sleeper.pause(Duration::from_secs(3600)));
        interrupt.set();
        assert!(asleep.join().unwrap());
        assert_eq!(interrupt.check().unwrap_err().code, 1317);
        interrupt.clear();
        assert!(interrupt.check().is_ok());
        assert!(!interrupt.pause(Duration::from_millis(1)));
    }
}
