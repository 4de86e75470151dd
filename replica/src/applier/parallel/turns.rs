//! Whose turn it is to commit, and who has to give way.
//!
//! A worker whose transaction is done, and who waits until those before it are committed, holds locks
//! that one of those may need: a cycle that the target cannot see. So the one whose turn it is, and who
//! cannot get a lock, has all that wait undo what they did; they do it again when their turn comes.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What a worker that waited for its turn shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// All before it are committed.
    Comes,
    /// Undo what it did, so that one before it gets its locks, and wait again.
    GiveWay,
    /// Undo what it did: one before it failed, or the workers end.
    Abandon,
}

#[derive(Debug, Default)]
struct State {
    /// The first order that is not over.
    next: u64,
    /// Orders beyond it that are over.
    over: BTreeSet<u64>,
    /// The first order that failed.
    failed: Option<u64>,
    /// Whether the workers end.
    is_closed: bool,
    /// Who needs the locks of those that wait.
    needs_locks: Option<u64>,
    /// Orders that wait with locks.
    holding: BTreeSet<u64>,
}

impl State {
    fn is_abandoned(&self, order: u64) -> bool {
        self.is_closed || self.failed.is_some_and(|failed| failed < order)
    }
}

/// Where threads wait: each for its own order, so that a commit wakes the next one and no other.
const SLOTS: usize = 64;

/// The turns of transactions, which are numbered from 0 in the order of the source.
#[derive(Debug)]
pub(super) struct Turns {
    state: Mutex<State>,
    changed: [Condvar; SLOTS],
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            changed: std::array::from_fn(|_| Condvar::new()),
        }
    }
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, order: u64) -> Option<&Condvar> {
        let slots = SLOTS as u64;
        self.changed
            .get(usize::try_from(order % slots).unwrap_or(0))
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, order: u64) -> MutexGuard<'a, State> {
        match self.slot(order) {
            Some(slot) => slot.wait(state).unwrap_or_else(PoisonError::into_inner),
            None => state,
        }
    }

    fn wake_all(&self) {
        self.changed.iter().for_each(Condvar::notify_all);
    }

    /// Whether all before `order` are over.
    pub(super) fn has_come(&self, order: u64) -> bool {
        let state = self.lock();
        state.next == order && !state.is_abandoned(order)
    }

    /// Waits, with locks, until all before `order` are over.
    pub(super) fn wait_holding(&self, order: u64) -> Turn {
        let mut state = self.lock();
        state.holding.insert(order);
        let turn = loop {
            if state.is_abandoned(order) {
                break Turn::Abandon;
            }
            if state.next == order {
                break Turn::Comes;
            }
            if state.needs_locks.is_some_and(|needing| needing < order) {
                break Turn::GiveWay;
            }
            state = self.wait(state, order);
        };
        if turn == Turn::Comes {
            state.holding.remove(&order);
        }
        turn
    }

    /// Takes note that `order` has undone what it did.
    pub(super) fn gave_way(&self, order: u64) {
        self.lock().holding.remove(&order);
        self.wake_all();
    }

    /// Waits without locks until all before `order` are over; false when it is to be abandoned.
    pub(super) fn wait_free(&self, order: u64) -> bool {
        let mut state = self.lock();
        loop {
            if state.is_abandoned(order) {
                return false;
            }
            if state.next == order {
                return true;
            }
            state = self.wait(state, order);
        }
    }

    /// Has all that wait with locks give way to `order`, whose turn it is; returns once they did. False when
    /// it is to be abandoned.
    pub(super) fn take_locks(&self, order: u64) -> bool {
        let mut state = self.lock();
        state.needs_locks = Some(order);
        self.wake_all();
        while !state.holding.is_empty() {
            if state.is_abandoned(order) {
                return false;
            }
            state = self.wait(state, order);
        }
        true
    }

    /// Takes note that `order` is committed, or that there is nothing to commit.
    pub(super) fn is_over(&self, order: u64) {
        let mut state = self.lock();
        state.over.insert(order);
        while let Some(next) = state.over.first().copied()
            && next == state.next
        {
            state.over.remove(&next);
            state.next = next.saturating_add(1);
        }
        if state.needs_locks == Some(order) {
            state.needs_locks = None;
        }
        let next = state.next;
        drop(state);
        if let Some(slot) = self.slot(next) {
            slot.notify_all();
        }
    }

    /// Takes note that `order` failed: none behind it may commit that waits for its turn.
    pub(super) fn fail(&self, order: u64) {
        let mut state = self.lock();
        state.failed = Some(state.failed.map_or(order, |failed| failed.min(order)));
        state.holding.remove(&order);
        drop(state);
        self.wake_all();
    }

    /// Ends all waiting.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn turns_come_in_order_however_they_end() {
        let turns = Turns::default();
        turns.is_over(2);
        assert_eq!(turns.wait_holding(0), Turn::Comes);
        turns.is_over(0);
        assert_eq!(turns.wait_holding(1), Turn::Comes);
        turns.is_over(1);
        assert_eq!(turns.wait_holding(3), Turn::Comes);
    }

    #[test]
    fn those_behind_a_failure_are_abandoned_and_those_before_it_are_not() {
        let turns = Turns::default();
        turns.fail(1);
        assert_eq!(turns.wait_holding(2), Turn::Abandon);
        assert!(!turns.wait_free(3));
        assert_eq!(turns.wait_holding(0), Turn::Comes);
        turns.close();
        assert!(!turns.wait_free(0));
    }

    #[test]
    fn who_waits_with_locks_gives_way_to_the_one_whose_turn_it_is() {
        let turns = Arc::new(Turns::default());
        let (tell, told) = mpsc::channel();
        let later: Vec<_> = [1, 2]
            .map(|order| {
                let (turns, tell) = (Arc::clone(&turns), tell.clone());
                std::thread::spawn(move || {
                    let turn = turns.wait_holding(order);
                    tell.send((order, turn)).unwrap();
                    turns.gave_way(order);
                    assert!(turns.wait_free(order));
                    turns.is_over(order);
                })
            })
            .into();
        while turns.lock().holding.len() < 2 {
            std::thread::yield_now();
        }
        assert!(turns.take_locks(0));
        let mut gave = [told.recv().unwrap(), told.recv().unwrap()];
        gave.sort_by_key(|(order, _)| *order);
        assert_eq!(gave, [(1, Turn::GiveWay), (2, Turn::GiveWay)]);
        turns.is_over(0);
        for thread in later {
            thread.join().unwrap();
        }
        assert_eq!(turns.lock().next, 3);
    }
}
