//! The gate in front of the applier's commits: FLUSH TABLES WITH READ LOCK closes it, and what
//! sessions read stands still until it is opened again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use binlog::event::XaName;
use binlog::row::Column;
use targets::{
    Applied, Definitions, Mark, RowRules, RowsChange, RowsOutcome, Session, StatementChange,
    StatementOutcome, Store, TargetError, Traits, UnitHead,
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

    fn commit<T>(&self, commit: impl FnOnce() -> T) -> T {
        let mut state = self.lock();
        while state.closed > 0 {
            state = self.wait(state);
        }
        state.committing = state.committing.saturating_add(1);
        drop(state);
        let result = commit();
        let mut state = self.lock();
        state.committing = state.committing.saturating_sub(1);
        drop(state);
        self.changed.notify_all();
        result
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

/// Keeps the gate closed.
#[derive(Debug)]
pub(crate) struct Closed(Arc<Gate>);

impl Drop for Closed {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = state.closed.saturating_sub(1);
        drop(state);
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
}

impl GatedStore {
    fn gated(&self, session: Box<dyn Session>) -> Box<dyn Session> {
        Box::new(GatedSession {
            session,
            gate: Arc::clone(&self.gate),
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
        Ok(self.gated(self.store.session()?))
    }

    fn session_beside(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(self.gated(self.store.session_beside()?))
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
        let session = &mut self.session;
        self.gate.commit(|| session.commit(mark))
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.session.rollback()
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
}
