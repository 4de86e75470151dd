//! The gate in front of the applier's commits: FLUSH TABLES WITH READ LOCK closes it, and what
//! sessions read stands still until it is opened again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use engine::target::{
    AppliedPosition, RowsChange, StatementChange, StatementOutcome, Target, TargetError,
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
    is_committing: bool,
}

impl Gate {
    /// Closes the gate, once the commit that runs is over, until the guard is dropped. Blocks.
    pub(crate) fn close(self: &Arc<Self>) -> Closed {
        let mut state = self.lock();
        state.closed = state.closed.saturating_add(1);
        while state.is_committing {
            state = self.wait(state);
        }
        drop(state);
        Closed(Arc::clone(self))
    }

    fn commit<T>(&self, commit: impl FnOnce() -> T) -> T {
        let mut state = self.lock();
        while state.closed > 0 {
            state = self.wait(state);
        }
        state.is_committing = true;
        drop(state);
        let result = commit();
        self.lock().is_committing = false;
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
pub(crate) struct GatedTarget {
    pub(crate) target: Box<dyn Target>,
    pub(crate) gate: Arc<Gate>,
}

impl Target for GatedTarget {
    fn recover(&mut self) -> Result<AppliedPosition, TargetError> {
        self.target.recover()
    }

    fn begin(&mut self) -> Result<(), TargetError> {
        self.target.begin()
    }

    fn begin_transaction(&mut self) -> Result<(), TargetError> {
        self.target.begin_transaction()
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<u64, TargetError> {
        self.target.rows(change)
    }

    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        self.target.statement(change)
    }

    fn end_transaction(&mut self) -> Result<(), TargetError> {
        self.target.end_transaction()
    }

    fn rollback_transaction(&mut self) -> Result<(), TargetError> {
        self.target.rollback_transaction()
    }

    fn commit(&mut self, position: &AppliedPosition) -> Result<(), TargetError> {
        let target = &mut self.target;
        self.gate.commit(|| target.commit(position))
    }

    fn make_durable(&mut self) -> Result<bool, TargetError> {
        self.target.make_durable()
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.target.rollback()
    }

    fn set_position(&mut self, position: &AppliedPosition) -> Result<(), TargetError> {
        let target = &mut self.target;
        self.gate.commit(|| target.set_position(position))
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
