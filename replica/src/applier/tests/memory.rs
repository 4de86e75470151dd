//! A target in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use binlog::event::XaName;
use binlog::row::RowPlan;
use binlog::value::Value;
use engine::error::EngineError;
use sql::error::SqlError;
use targets::{
    Applied, Ending, Mark, RowsChange, RowsOutcome, Session, StatementChange, StatementOutcome,
    Store, TargetError, Traits, UnitHead,
};

/// What a target holds: rows by table, statements, and what is applied.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Contents {
    pub(super) rows: BTreeMap<String, Vec<i64>>,
    pub(super) statements: Vec<String>,
    pub(super) prepared: BTreeMap<(XaName, u32), Vec<u8>>,
    pub(super) applied: Applied,
}

/// A target in memory. Clones share what is committed, as a file would.
#[derive(Clone, Default)]
pub(super) struct MemoryStore {
    pub(super) committed: Arc<Mutex<Vec<Contents>>>,
    /// Key whose row cannot be inserted.
    pub(super) conflicts_with: Option<i64>,
    /// Commits that fail from now on.
    pub(super) failing_commits: Arc<Mutex<u32>>,
    /// Whether they take place all the same: their answer is lost.
    pub(super) loses_answers: bool,
    /// What they fail with.
    pub(super) failure: Failing,
    /// Whether commits outlive a power loss only later.
    pub(super) is_lazy: bool,
    /// Whether the next change panics.
    pub(super) panics: bool,
}

/// Makes an error of a store.
#[derive(Clone, Copy)]
pub(super) struct Failing(pub(super) fn() -> EngineError);

impl Default for Failing {
    fn default() -> Self {
        Self(disk_full)
    }
}

pub(super) fn disk_full() -> EngineError {
    let source = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(13), None);
    let doing = "commit";
    EngineError::Sqlite { doing, source }
}

pub(super) fn out_of_order() -> EngineError {
    let what = "a call that this test makes out of order";
    EngineError::Misuse { what }
}

impl MemoryStore {
    pub(super) fn last(&self) -> Contents {
        let committed = self
            .committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        committed.last().cloned().unwrap_or_default()
    }

    /// The target after a power loss that took the last commits.
    pub(super) fn crash(&self, lost_commits: usize) -> Self {
        let mut committed = self.committed.lock().unwrap().clone();
        committed.truncate(committed.len().saturating_sub(lost_commits));
        Self {
            committed: Arc::new(Mutex::new(committed)),
            ..Self::default()
        }
    }

    pub(super) fn commits(&self) -> usize {
        self.committed.lock().unwrap().len()
    }
}

impl Store for MemoryStore {
    fn traits(&self) -> Traits {
        Traits {
            sessions_max: 1,
            batches_units: true,
            undoes_units: true,
            keeps_gtids: false,
            commits_ddl: false,
            merges_rows: false,
            runs_statements: false,
            runs_xa: false,
            system_tables: None,
        }
    }

    fn recover(&self) -> Result<Applied, TargetError> {
        Ok(self.last().applied)
    }

    fn session(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(Box::new(MemorySession {
            store: self.clone(),
            group: None,
            unit: None,
        }))
    }

    fn session_beside(&self) -> Result<Box<dyn Session>, TargetError> {
        Err(TargetError::misuse("the target has one session only"))
    }

    fn replace(&self, applied: &Applied) -> Result<(), TargetError> {
        let mut contents = self.last();
        contents.applied = applied.clone();
        self.committed.lock().unwrap().push(contents);
        Ok(())
    }

    fn make_durable(&self) -> Result<bool, TargetError> {
        Ok(!self.is_lazy)
    }
}

struct MemorySession {
    store: MemoryStore,
    group: Option<Contents>,
    unit: Option<Contents>,
}

impl MemorySession {
    fn keep_unit(&mut self) {
        if let Some(unit) = self.unit.take() {
            self.group = Some(unit);
        }
    }
}

impl Session for MemorySession {
    fn begin(&mut self, _first: &UnitHead) -> Result<(), TargetError> {
        assert!(self.group.is_none());
        self.group = Some(self.store.last());
        Ok(())
    }

    fn unit(&mut self, _head: &UnitHead) -> Result<(), TargetError> {
        self.keep_unit();
        self.unit = self.group.clone();
        assert!(self.unit.is_some());
        Ok(())
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<RowsOutcome, TargetError> {
        assert!(!self.store.panics, "a target that panics");
        let contents = self.unit.as_mut().unwrap();
        let plan = RowPlan::new(change.map).unwrap();
        let table = format!("{}.{}", change.database, change.map.table);
        let mut count = 0;
        for pair in change.rows.read(&plan).unwrap() {
            let Some(Some(Value::Int(key))) = pair.unwrap().after.first().cloned() else {
                panic!("a row without its key");
            };
            if self.store.conflicts_with == Some(key) {
                let error = SqlError::new(1062, "23000", "Duplicate entry");
                return Err(TargetError::Conflict(error));
            }
            contents.rows.entry(table.clone()).or_default().push(key);
            count += 1;
        }
        Ok(RowsOutcome::all(count))
    }

    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        let contents = self.unit.as_mut().unwrap();
        let text = String::from_utf8_lossy(&change.query.sql).into_owned();
        if text.starts_with("CREATE USER") {
            let construct = "CREATE USER";
            return Ok(StatementOutcome::NotKept { construct });
        }
        contents.statements.push(text);
        Ok(StatementOutcome::Done)
    }

    fn prepare(&mut self, name: &XaName, _is_one_phase: bool) -> Result<(), TargetError> {
        panic!("{name} is to be prepared where XA transactions do not run")
    }

    fn keep(&mut self, name: &XaName, number: u32, piece: &[u8]) -> Result<(), TargetError> {
        if number == 0 {
            self.forget(name)?;
        }
        let contents = self.unit.as_mut().unwrap();
        let before = contents
            .prepared
            .insert((name.clone(), number), piece.to_vec());
        assert_eq!(before, None);
        Ok(())
    }

    fn kept(&mut self, name: &XaName, number: u32) -> Result<Option<Vec<u8>>, TargetError> {
        let contents = self.unit.as_ref().unwrap();
        Ok(contents.prepared.get(&(name.clone(), number)).cloned())
    }

    fn forget(&mut self, name: &XaName) -> Result<(), TargetError> {
        let contents = self.unit.as_mut().unwrap();
        contents.prepared.retain(|(kept, _), _| kept != name);
        Ok(())
    }

    fn forget_tables(&mut self) {}

    fn units_committed(&self) -> usize {
        0
    }

    fn hand_over(&mut self) -> Result<Option<Box<dyn Ending>>, TargetError> {
        Ok(None)
    }

    fn ended(&mut self) -> Result<(), TargetError> {
        Err(TargetError::misuse("an end that was not handed over"))
    }

    fn flush(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn ready(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn is_full(&self) -> bool {
        false
    }

    fn undo_unit(&mut self) -> Result<(), TargetError> {
        self.unit = None;
        Ok(())
    }

    fn commit(&mut self, mark: &Mark<'_>) -> Result<(), TargetError> {
        let mut failing = self.store.failing_commits.lock().unwrap();
        let fails = *failing > 0;
        *failing = failing.saturating_sub(1);
        drop(failing);
        if fails && !self.store.loses_answers {
            return Err((self.store.failure.0)().into());
        }
        self.keep_unit();
        let mut contents = self.group.take().unwrap();
        contents.applied.executed.union(mark.added);
        contents.applied.source = mark.source.cloned();
        contents.applied.relay = mark.relay.cloned();
        self.store.committed.lock().unwrap().push(contents);
        match fails {
            true => Err((self.store.failure.0)().into()),
            false => Ok(()),
        }
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.group = None;
        self.unit = None;
        Ok(())
    }
}
