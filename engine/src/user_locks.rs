//! Locks that clients name: GET_LOCK, RELEASE_LOCK, RELEASE_ALL_LOCKS, IS_FREE_LOCK, IS_USED_LOCK.
//!
//! A connection may hold several, each as often as it took it, until it releases them or ends. Names
//! are alike whatever their letters' size. Whoever would wait for somebody who waits for him is
//! refused.
//!
//! Spec: MySQL 9.7 Reference Manual, "Locking Functions".

use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sql::error::SqlError;

use crate::interrupt::Interrupt;

/// Characters of a name.
const NAME_MAX: usize = 64;

/// Bytes of a name in an error.
const SHOWN_MAX: usize = 192;

/// Names that one connection holds at once, at most.
const LOCKS_MAX: usize = 1024;

/// How soon somebody who waits sees that his statement was stopped.
const LOOK: Duration = Duration::from_millis(50);

/// The named locks of a node.
#[derive(Debug, Default)]
pub struct UserLocks {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: HashMap<String, Held>,
    /// The names that each connection holds.
    names: HashMap<u64, HashSet<String>>,
    /// What connections wait for.
    waiting: HashMap<u64, String>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    connection: u64,
    times: u64,
}

/// What came of asking for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Got {
    /// It is held now.
    Lock,
    /// Somebody else had it all the time.
    TimedOut,
}

/// A name as it is kept. Error 3057 for one that is empty, 4163 for one that is too long.
fn name_of(name: &str) -> Result<String, SqlError> {
    if name.is_empty() {
        return Err(SqlError::user_lock_wrong_name(name));
    }
    match name.chars().count() > NAME_MAX {
        true => {
            let shown = name.get(..name.floor_char_boundary(SHOWN_MAX));
            Err(SqlError::user_lock_name_too_long(shown.unwrap_or_default()))
        }
        false => Ok(name.to_lowercase()),
    }
}

impl State {
    /// Whether the holder of `name` waits, over however many others, for `connection`.
    fn is_deadlock(&self, connection: u64, name: &str) -> bool {
        let mut name = name;
        for _ in 0..=self.waiting.len() {
            let Some(held) = self.held.get(name) else {
                return false;
            };
            if held.connection == connection {
                return true;
            }
            match self.waiting.get(&held.connection) {
                Some(next) => name = next,
                None => return false,
            }
        }
        false
    }
}

impl UserLocks {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a lock for a connection, waiting until `timeout` (`None`: for ever) if it `may_wait`.
    ///
    /// # Errors
    /// 3057 and 4163 for a name that none may have, 3058 if waiting would last for ever, 1317 when the statement is
    /// stopped, 1235 when it would have to wait and must not.
    pub fn take(
        &self,
        connection: u64,
        name: &str,
        timeout: Option<Duration>,
        may_wait: bool,
        interrupt: &Interrupt,
    ) -> Result<Got, SqlError> {
        let name = name_of(name)?;
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        let mut is_new = true;
        let outcome = loop {
            if let Err(error) = interrupt.check() {
                break Err(error);
            }
            let own = state.names.get(&connection);
            let is_full = own.is_some_and(|own| own.len() >= LOCKS_MAX);
            match state.held.get_mut(&name) {
                Some(held) if held.connection == connection => {
                    held.times = held.times.saturating_add(1);
                    break Ok(Got::Lock);
                }
                Some(_) => {}
                None if is_full => break Err(SqlError::out_of_resources()),
                None => {
                    let times = 1;
                    state.held.insert(name.clone(), Held { connection, times });
                    state
                        .names
                        .entry(connection)
                        .or_default()
                        .insert(name.clone());
                    break Ok(Got::Lock);
                }
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                break Ok(Got::TimedOut);
            }
            if !may_wait {
                // Differs from MySQL: where changes are made all sessions take turns.
                break Err(SqlError::not_supported(
                    "GET_LOCK() that waits in a statement that changes rows or follows one in its \
                     transaction",
                ));
            }
            // A circle is closed by whoever begins to wait.
            if std::mem::take(&mut is_new) && state.is_deadlock(connection, &name) {
                break Err(SqlError::user_lock_deadlock());
            }
            state.waiting.insert(connection, name.clone());
            let span = left.map_or(LOOK, |left| left.min(LOOK));
            let waited = self.changed.wait_timeout(state, span);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.waiting.remove(&connection);
        outcome
    }

    /// Gives a lock back: whether it was the connection's, or `None` if nobody has it.
    ///
    /// # Errors
    /// 3057 and 4163 for a name that none may have.
    pub fn release(&self, connection: u64, name: &str) -> Result<Option<bool>, SqlError> {
        let name = name_of(name)?;
        let mut state = self.lock();
        let Some(held) = state.held.get_mut(&name) else {
            return Ok(None);
        };
        if held.connection != connection {
            return Ok(Some(false));
        }
        held.times = held.times.saturating_sub(1);
        if held.times == 0 {
            state.held.remove(&name);
            if let Some(own) = state.names.get_mut(&connection) {
                own.remove(&name);
            }
            self.changed.notify_all();
        }
        Ok(Some(true))
    }

    /// Gives back all locks of a connection, and says how often it had taken them.
    pub fn release_all(&self, connection: u64) -> u64 {
        let mut released = 0_u64;
        let mut state = self.lock();
        for name in state.names.remove(&connection).unwrap_or_default() {
            let held = state.held.remove(&name);
            released = released.saturating_add(held.map_or(0, |held| held.times));
        }
        if released > 0 {
            self.changed.notify_all();
        }
        released
    }

    /// The connection that has a lock.
    ///
    /// # Errors
    /// 3057 and 4163 for a name that none may have.
    pub fn holder(&self, name: &str) -> Result<Option<u64>, SqlError> {
        let name = name_of(name)?;
        Ok(self.lock().held.get(&name).map(|held| held.connection))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const NOW: Option<Duration> = Some(Duration::ZERO);

    fn take(locks: &UserLocks, connection: u64, name: &str) -> Result<Got, SqlError> {
        locks.take(connection, name, NOW, true, &Interrupt::default())
    }

    #[test]
    fn a_lock_is_held_as_often_as_it_was_taken() {
        let locks = UserLocks::default();
        assert_eq!(take(&locks, 1, "Name").unwrap(), Got::Lock);
        assert_eq!(take(&locks, 1, "name").unwrap(), Got::Lock);
        assert_eq!(take(&locks, 2, "NAME").unwrap(), Got::TimedOut);
        assert_eq!(locks.release(2, "name").unwrap(), Some(false));
        assert_eq!(locks.release(1, "name").unwrap(), Some(true));
        assert_eq!(locks.holder("name").unwrap(), Some(1));
        assert_eq!(locks.release(1, "name").unwrap(), Some(true));
        assert_eq!(locks.release(1, "name").unwrap(), None);
        for name in ["a", "b", "b"] {
            take(&locks, 3, name).unwrap();
        }
        assert_eq!(locks.release_all(3), 3);
        for (name, code) in [("", 3057), (&*"x".repeat(65), 4163)] {
            assert_eq!(take(&locks, 1, name).unwrap_err().code, code);
        }
    }

    #[test]
    fn whoever_waits_gets_the_lock_or_is_refused_when_it_would_never_come() {
        let locks = Arc::new(UserLocks::default());
        take(&locks, 1, "a").unwrap();
        take(&locks, 2, "b").unwrap();
        let waiter = Arc::clone(&locks);
        let waiting =
            std::thread::spawn(move || waiter.take(2, "a", None, true, &Interrupt::default()));
        while locks.lock().waiting.is_empty() {
            std::thread::yield_now();
        }
        let refused = locks.take(1, "b", None, true, &Interrupt::default());
        assert_eq!(refused.unwrap_err().code, 3058);
        assert_eq!(locks.release_all(1), 1);
        assert_eq!(waiting.join().unwrap().unwrap(), Got::Lock);
    }

    #[test]
    fn a_statement_that_is_stopped_waits_no_longer() {
        let locks = UserLocks::default();
        take(&locks, 1, "a").unwrap();
        let interrupt = Interrupt::default();
        interrupt.set();
        let stopped = locks.take(2, "a", None, true, &interrupt);
        assert_eq!(stopped.unwrap_err().code, 1317);
        let forbidden = locks.take(2, "a", None, false, &Interrupt::default());
        assert_eq!(forbidden.unwrap_err().code, 1235);
    }
}
