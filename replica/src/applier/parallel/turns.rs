//! Whose turn it is to commit, and who has to give way.
//!
//! A worker whose transaction is done, and who waits until those before it are committed, holds locks
//! that one of those may need: a cycle that the target cannot see. So the one whose turn it is, and who
//! cannot get a lock, has all that wait undo what they did; they do it again when their turn comes.
//!
//! Where the target allows it, a worker that is done leaves the end of its transaction here: whoever
//! commits the one before it sends its COMMIT, or the ROLLBACK of one that has to give way, and the
//! worker waits for the target's answer only. Between two commits nobody waits for a thread then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use targets::Ending;

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
    /// Orders that wait with locks, and their ends, where those were handed over and are not sent.
    holding: BTreeMap<u64, Option<Box<dyn Ending>>>,
    /// Which ends were sent.
    sent: BTreeMap<u64, Turn>,
}

impl State {
    fn is_abandoned(&self, order: u64) -> bool {
        self.is_closed || self.failed.is_some_and(|failed| failed < order)
    }

    /// What a worker that waits with locks shall do, if that is known.
    fn turn(&self, order: u64) -> Option<Turn> {
        if self.is_abandoned(order) {
            Some(Turn::Abandon)
        } else if self.next == order {
            Some(Turn::Comes)
        } else {
            let gives_way = self.needs_locks.is_some_and(|needing| needing < order);
            gives_way.then_some(Turn::GiveWay)
        }
    }

    /// Takes the end of `order`, which is to be sent now, if it is here.
    fn take_ending(&mut self, order: u64, turn: Turn) -> Option<Box<dyn Ending>> {
        let ending = self.holding.get_mut(&order)?.take()?;
        self.sent.insert(order, turn);
        if turn == Turn::Comes {
            self.holding.remove(&order);
        }
        Some(ending)
    }

    /// Takes the ends of all that have to undo what they did.
    fn take_endings(&mut self) -> Vec<Box<dyn Ending>> {
        let orders: Vec<u64> = self.holding.keys().copied().collect();
        let mut endings = Vec::new();
        for order in orders {
            if let Some(turn) = self.turn(order).filter(|turn| *turn != Turn::Comes) {
                endings.extend(self.take_ending(order, turn));
            }
        }
        endings
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

    /// Leaves the end of `order`, which holds locks, to whoever commits the one before it. It is sent at
    /// once, if what it is to be is known.
    pub(super) fn hand_over(&self, order: u64, ending: Box<dyn Ending>) {
        let mut state = self.lock();
        let turn = state.turn(order);
        match turn {
            None => {
                state.holding.insert(order, Some(ending));
                return;
            }
            Some(Turn::Comes) => {}
            Some(Turn::GiveWay | Turn::Abandon) => {
                state.holding.insert(order, None);
            }
        }
        state.sent.extend(turn.map(|turn| (order, turn)));
        drop(state);
        match turn {
            Some(Turn::Comes) => ending.commit(),
            _ => ending.undo(),
        }
    }

    /// What the end of `order` was, once its session has an answer. `None`: it was not sent, and will not
    /// be.
    pub(super) fn take_back(&self, order: u64) -> Option<Turn> {
        let mut state = self.lock();
        let sent = state.sent.remove(&order);
        if sent.is_none() {
            state.holding.remove(&order);
        }
        sent
    }

    /// Waits, with locks, until all before `order` are over.
    pub(super) fn wait_holding(&self, order: u64) -> Turn {
        let mut state = self.lock();
        state.holding.insert(order, None);
        let turn = loop {
            if let Some(turn) = state.turn(order) {
                break turn;
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
        let endings = state.take_endings();
        drop(state);
        endings.iter().for_each(|ending| ending.undo());
        self.wake_all();
        let mut state = self.lock();
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
        let ending = match state.is_abandoned(next) {
            true => None,
            false => state.take_ending(next, Turn::Comes),
        };
        drop(state);
        if let Some(ending) = ending {
            ending.commit();
        } else if let Some(slot) = self.slot(next) {
            slot.notify_all();
        }
    }

    /// Takes note that `order` failed: none behind it may commit that waits for its turn.
    pub(super) fn fail(&self, order: u64) {
        let mut state = self.lock();
        state.failed = Some(state.failed.map_or(order, |failed| failed.min(order)));
        state.holding.remove(&order);
        let endings = state.take_endings();
        drop(state);
        endings.iter().for_each(|ending| ending.undo());
        self.wake_all();
    }

    /// Ends all waiting.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let endings = state.take_endings();
        drop(state);
        endings.iter().for_each(|ending| ending.undo());
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

    /// Tells which end was sent, of which order.
    #[derive(Debug)]
    struct Told(u64, mpsc::Sender<(u64, &'static str)>);

    impl Ending for Told {
        fn commit(&self) {
            self.1.send((self.0, "commit")).unwrap();
        }

        fn undo(&self) {
            self.1.send((self.0, "undo")).unwrap();
        }
    }

    #[test]
    fn whoever_commits_sends_the_end_that_was_handed_over_to_come_next() {
        let turns = Turns::default();
        let (tell, told) = mpsc::channel();
        let hand_over = |order| turns.hand_over(order, Box::new(Told(order, tell.clone())));
        hand_over(0);
        assert_eq!(told.try_recv(), Ok((0, "commit")));
        assert_eq!(turns.take_back(0), Some(Turn::Comes));
        hand_over(2);
        hand_over(1);
        assert!(told.try_recv().is_err());
        turns.is_over(0);
        assert_eq!(told.try_recv(), Ok((1, "commit")));
        // Its session is lost: what it left is not sent.
        assert_eq!(turns.take_back(2), None);
        turns.is_over(1);
        assert!(told.try_recv().is_err());
        assert!(turns.wait_free(2));
    }

    #[test]
    fn ends_that_have_to_give_way_or_come_behind_a_failure_are_undone() {
        let turns = Turns::default();
        let (tell, told) = mpsc::channel();
        let hand_over = |order| turns.hand_over(order, Box::new(Told(order, tell.clone())));
        hand_over(1);
        std::thread::scope(|scope| {
            let needing = scope.spawn(|| turns.take_locks(0));
            assert_eq!(told.recv(), Ok((1, "undo")));
            assert_eq!(turns.take_back(1), Some(Turn::GiveWay));
            // One that comes while another needs locks gives way at once.
            hand_over(2);
            assert_eq!(told.recv(), Ok((2, "undo")));
            assert_eq!(turns.take_back(2), Some(Turn::GiveWay));
            turns.gave_way(1);
            turns.gave_way(2);
            assert!(needing.join().unwrap());
        });
        turns.is_over(0);
        hand_over(2);
        turns.fail(1);
        assert_eq!(told.recv(), Ok((2, "undo")));
        assert_eq!(turns.take_back(2), Some(Turn::Abandon));
        hand_over(3);
        assert_eq!(told.recv(), Ok((3, "undo")));
    }
}
