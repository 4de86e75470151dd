//! The gate in front of the applier's commits: FLUSH TABLES WITH READ LOCK closes it, and what
//! sessions read stands still until it is opened again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use binlog::event::XaName;
use binlog::row::Column;
use targets::{
    Applied, Definitions, Ending, Mark, RowRules, RowsChange, RowsOutcome, Session,
    StatementChange, StatementOutcome, Store, TargetError, Traits, UnitHead,
};

/// Whether the applier may commit.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many keep the gate closed.
    closed: usize,
    /// How many commits run.
    committing: usize,
    /// Ends of commits that were to be sent meanwhile, and whose they are.
    waiting: Vec<(Arc<Handed>, Box<dyn Ending>)>,
}

/// A commit whose end somebody else has. Both are changed with the gate's state locked.
#[derive(Debug, Default)]
struct Handed {
    /// Whether it counts as one that runs.
    is_counted: AtomicBool,
    /// Whether its session no longer waits for it.
    is_over: AtomicBool,
}

impl Gate {
    /// Closes the gate, once the commits that run are over, until the guard is dropped. Blocks.
    pub(crate) fn close(self: &Arc<Self>) -> Closed {
        let mut state = self.lock();
        state.closed = state.closed.saturating_add(1);
        while state.committing > 0 {
            state = self.wait(state);
        }
        drop(state);
        Closed(Arc::clone(self))
    }

    /// Whether commits wait.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed > 0
    }

    fn commit<T>(self: &Arc<Self>, commit: impl FnOnce() -> T) -> T {
        let _inside = self.enter();
        commit()
    }

    /// Waits until the gate is open, which then does not close before the guard is dropped.
    fn enter(self: &Arc<Self>) -> Inside {
        let mut state = self.lock();
        while state.closed > 0 {
            state = self.wait(state);
        }
        state.committing = state.committing.saturating_add(1);
        Inside(Arc::clone(self))
    }

    /// Sends the end of a commit, or has it sent once the gate is open. Does not wait.
    fn send(&self, handed: &Arc<Handed>, ending: Box<dyn Ending>) {
        let mut state = self.lock();
        if state.closed > 0 {
            state.waiting.push((Arc::clone(handed), ending));
            return;
        }
        state.count(handed);
        drop(state);
        ending.commit();
    }

    /// The session no longer waits for the end of its commit.
    fn end(&self, handed: &Arc<Handed>) {
        let mut state = self.lock();
        handed.is_over.store(true, Ordering::Relaxed);
        state
            .waiting
            .retain(|(other, _)| !Arc::ptr_eq(other, handed));
        if handed.is_counted.swap(false, Ordering::Relaxed) {
            state.committing = state.committing.saturating_sub(1);
        }
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, handed: &Handed) {
        if !handed.is_over.load(Ordering::Relaxed) {
            handed.is_counted.store(true, Ordering::Relaxed);
            self.committing = self.committing.saturating_add(1);
        }
    }
}

/// Keeps the gate open.
#[derive(Debug)]
struct Inside(Arc<Gate>);

impl Drop for Inside {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.committing = state.committing.saturating_sub(1);
        drop(state);
        self.0.changed.notify_all();
    }
}

/// The end of a commit that goes through the gate.
#[derive(Debug)]
struct GatedEnding {
    ending: Mutex<Option<Box<dyn Ending>>>,
    handed: Arc<Handed>,
    gate: Arc<Gate>,
}

impl GatedEnding {
    fn take(&self) -> Option<Box<dyn Ending>> {
        let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        ending.take()
    }
}

impl Ending for GatedEnding {
    fn commit(&self) {
        if let Some(ending) = self.take() {
            self.gate.send(&self.handed, ending);
        }
    }

    fn undo(&self) {
        if let Some(ending) = self.take() {
            ending.undo();
        }
    }
}

/// Keeps the gate closed.
#[derive(Debug)]
pub(crate) struct Closed(Arc<Gate>);

impl Drop for Closed {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = state.closed.saturating_sub(1);
        let sent = match state.closed {
            0 => std::mem::take(&mut state.waiting),
            _ => Vec::new(),
        };
        for (handed, _) in &sent {
            state.count(handed);
        }
        drop(state);
        sent.iter().for_each(|(_, ending)| ending.commit());
        self.0.changed.notify_all();
    }
}

/// A target whose commits go through the gate.
pub(crate) struct GatedStore {
    pub(crate) store: Box<dyn Store>,
    pub(crate) gate: Arc<Gate>,
}

struct GatedSession {
    session: Box<dyn Session>,
    gate: Arc<Gate>,
    /// Whether it is one of several, which may commit a unit with the next one.
    is_beside: bool,
    /// Whether a unit was begun since the last commit.
    has_unit: bool,
    /// From the second unit of such a session on.
    inside: Option<Inside>,
    /// The commit whose end was handed over.
    handed: Option<Arc<Handed>>,
}

impl GatedSession {
    fn is_over(&mut self) {
        self.has_unit = false;
        self.inside = None;
        if let Some(handed) = self.handed.take() {
            self.gate.end(&handed);
        }
    }
}

impl Drop for GatedSession {
    fn drop(&mut self) {
        self.is_over();
    }
}

impl GatedStore {
    fn gated(&self, session: Box<dyn Session>, is_beside: bool) -> Box<dyn Session> {
        Box::new(GatedSession {
            session,
            gate: Arc::clone(&self.gate),
            is_beside,
            has_unit: false,
            inside: None,
            handed: None,
        })
    }
}

impl Store for GatedStore {
    fn traits(&self) -> Traits {
        self.store.traits()
    }

    fn recover(&self) -> Result<Applied, TargetError> {
        self.store.recover()
    }

    fn session(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(self.gated(self.store.session()?, false))
    }

    fn session_beside(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(self.gated(self.store.session_beside()?, true))
    }

    fn definitions(&self) -> Result<Option<Box<dyn Definitions>>, TargetError> {
        self.store.definitions()
    }

    fn replace(&self, applied: &Applied) -> Result<(), TargetError> {
        self.gate.commit(|| self.store.replace(applied))
    }

    fn make_durable(&self) -> Result<bool, TargetError> {
        self.store.make_durable()
    }
}

impl Session for GatedSession {
    fn begin(&mut self, first: &UnitHead) -> Result<(), TargetError> {
        self.session.begin(first)
    }

    fn unit(&mut self, head: &UnitHead) -> Result<(), TargetError> {
        if std::mem::replace(&mut self.has_unit, true) && self.is_beside && self.inside.is_none() {
            // The one before it may be committed from here on.
            self.inside = Some(self.gate.enter());
        }
        self.session.unit(head)
    }

    fn follow(&mut self, rules: &RowRules) -> Result<(), TargetError> {
        self.session.follow(rules)
    }

    fn known_columns(
        &mut self,
        database: &str,
        table: &str,
    ) -> Result<Vec<Column<'static>>, TargetError> {
        self.session.known_columns(database, table)
    }

    fn forget_tables(&mut self) {
        self.session.forget_tables();
    }

    fn hand_over(&mut self) -> Result<Option<Box<dyn Ending>>, TargetError> {
        let Some(ending) = self.session.hand_over()? else {
            return Ok(None);
        };
        let handed = Arc::new(Handed::default());
        self.handed = Some(Arc::clone(&handed));
        Ok(Some(Box::new(GatedEnding {
            ending: Mutex::new(Some(ending)),
            handed,
            gate: Arc::clone(&self.gate),
        })))
    }

    fn ended(&mut self) -> Result<(), TargetError> {
        let ended = self.session.ended();
        self.is_over();
        ended
    }

    fn units_committed(&self) -> usize {
        self.session.units_committed()
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<RowsOutcome, TargetError> {
        self.session.rows(change)
    }

    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        self.session.statement(change)
    }

    fn prepare(&mut self, name: &XaName, is_one_phase: bool) -> Result<(), TargetError> {
        self.session.prepare(name, is_one_phase)
    }

    fn keep(&mut self, name: &XaName, number: u32, piece: &[u8]) -> Result<(), TargetError> {
        self.session.keep(name, number, piece)
    }

    fn kept(&mut self, name: &XaName, number: u32) -> Result<Option<Vec<u8>>, TargetError> {
        self.session.kept(name, number)
    }

    fn forget(&mut self, name: &XaName) -> Result<(), TargetError> {
        self.session.forget(name)
    }

    fn flush(&mut self) -> Result<(), TargetError> {
        self.session.flush()
    }

    fn ready(&mut self) -> Result<(), TargetError> {
        self.session.ready()
    }

    fn is_full(&self) -> bool {
        self.session.is_full()
    }

    fn undo_unit(&mut self) -> Result<(), TargetError> {
        self.session.undo_unit()
    }

    fn commit(&mut self, mark: &Mark<'_>) -> Result<(), TargetError> {
        let committed = match self.inside.is_some() {
            true => self.session.commit(mark),
            false => {
                let session = &mut self.session;
                self.gate.commit(|| session.commit(mark))
            }
        };
        self.is_over();
        committed
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        let undone = self.session.rollback();
        self.is_over();
        undone
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn nothing_is_committed_while_the_gate_is_closed() {
        let gate = Arc::new(Gate::default());
        let closed = gate.close();
        let also = gate.close();
        let (done, committed) = mpsc::channel();
        let applier = Arc::clone(&gate);
        let thread = std::thread::spawn(move || applier.commit(|| done.send(()).unwrap()));
        drop(closed);
        assert!(committed.try_recv().is_err());
        drop(also);
        committed.recv().unwrap();
        thread.join().unwrap();
        gate.commit(|| ());
    }

    /// Tells when it is sent.
    #[derive(Debug)]
    struct Told(mpsc::Sender<&'static str>);

    impl Ending for Told {
        fn commit(&self) {
            self.0.send("commit").unwrap();
        }

        fn undo(&self) {
            self.0.send("undo").unwrap();
        }
    }

    #[test]
    fn an_end_that_was_handed_over_is_sent_once_the_gate_is_open() {
        let gate = Arc::new(Gate::default());
        let (tell, told) = mpsc::channel();
        let ending = |handed: &Arc<Handed>| GatedEnding {
            ending: Mutex::new(Some(Box::new(Told(tell.clone())))),
            handed: Arc::clone(handed),
            gate: Arc::clone(&gate),
        };
        let (first, lost) = (Arc::default(), Arc::default());
        let closed = gate.close();
        ending(&first).commit();
        ending(&lost).commit();
        gate.end(&lost);
        assert!(told.try_recv().is_err());
        drop(closed);
        assert_eq!(told.try_recv(), Ok("commit"));
        assert!(told.try_recv().is_err());
        assert_eq!(gate.lock().committing, 1);
        gate.end(&first);
        // One whose session is gone does not keep it open.
        ending(&lost).commit();
        drop(gate.close());
        let open = Arc::default();
        ending(&open).undo();
        assert_eq!(told.iter().take(2).last(), Some("undo"));
    }
}
