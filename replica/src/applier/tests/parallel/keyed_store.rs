//! A target of several sessions over the tables with keys of every kind, which takes note of everything
//! that transactions that may run beside each other never meet: a lock of another one, a row that is
//! missing, one that is there already, one that is still needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use binlog::event::XaName;
use binlog::row::RowPlan;
use binlog::transaction::{Executed, TransactionGtid};
use gtid::GtidSet;
use sql::error::SqlError;
use targets::{
    Applied, Definitions, Ending, Mark, RowsChange, RowsOutcome, Session, StatementChange,
    StatementOutcome, Store, TableKeys, TargetError, Traits, UnitHead,
};

use super::history::Dice;
use super::keyed::{Effects, Key, Row, Rows, TABLES, Unsaid, keys};
use super::keyed_history::image;

#[derive(Default)]
struct State {
    rows: Rows,
    /// Who holds a lock, and whether nobody else may share it.
    locks: HashMap<Key, Vec<(u64, bool)>>,
    executed: GtidSet,
    sessions: u64,
    /// Sessions that had locks at the same time, at most.
    most_at_once: usize,
    /// What was met, and by which transaction.
    met: Vec<String>,
}

/// The target. Clones are the same one.
#[derive(Clone)]
pub(super) struct KeyedStore {
    state: Arc<Mutex<State>>,
    seed: u64,
    unsaid: Unsaid,
}

impl KeyedStore {
    pub(super) fn new(seed: u64, unsaid: Unsaid) -> Self {
        Self {
            state: Arc::default(),
            seed,
            unsaid,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn rows(&self) -> Rows {
        self.lock().rows.clone()
    }

    pub(super) fn executed(&self) -> GtidSet {
        self.lock().executed.clone()
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.lock().most_at_once
    }

    /// What transactions met that should not have run beside each other.
    pub(super) fn met(&self) -> Vec<String> {
        self.lock().met.clone()
    }

    fn open(&self) -> Box<dyn Session> {
        let mut state = self.lock();
        state.sessions += 1;
        Box::new(KeyedSession {
            store: self.clone(),
            number: state.sessions,
            dice: Dice::new(self.seed ^ (state.sessions << 8)),
            undo: Vec::new(),
            gtid: TransactionGtid::None,
            units_committed: 0,
        })
    }
}

impl Definitions for Unsaid {
    fn keys(&mut self, database: &str, table: &str) -> Result<Option<TableKeys>, TargetError> {
        assert_eq!(database, "d");
        Ok(keys(table, *self))
    }

    fn forget(&mut self) {}
}

impl Store for KeyedStore {
    fn traits(&self) -> Traits {
        Traits {
            sessions_max: 64,
            batches_units: false,
            undoes_units: false,
            keeps_gtids: true,
            commits_ddl: true,
            merges_rows: false,
            runs_statements: false,
            runs_xa: true,
            system_tables: None,
        }
    }

    fn recover(&self) -> Result<Applied, TargetError> {
        let mut applied = Applied::default();
        applied.executed.mysql = self.executed();
        Ok(applied)
    }

    fn session(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(self.open())
    }

    fn session_beside(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(self.open())
    }

    fn definitions(&self) -> Result<Option<Box<dyn Definitions>>, TargetError> {
        Ok(Some(Box::new(self.unsaid)))
    }

    fn replace(&self, _applied: &Applied) -> Result<(), TargetError> {
        Ok(())
    }

    fn make_durable(&self) -> Result<bool, TargetError> {
        Ok(true)
    }
}

struct KeyedSession {
    store: KeyedStore,
    number: u64,
    dice: Dice,
    /// Rows as they were and as they became.
    undo: Vec<(usize, Option<Row>, Option<Row>)>,
    gtid: TransactionGtid,
    /// Units that were committed since the first one.
    units_committed: usize,
}

impl KeyedSession {
    fn pause(&mut self) {
        for _ in 0..self.dice.below(4) {
            std::thread::yield_now();
        }
    }

    /// Locks what a change needs, or takes note of who has it.
    fn take(&self, state: &mut State, effects: &Effects) -> Result<(), TargetError> {
        for (key, is_own) in &effects.locks {
            let holders = state.locks.entry(*key).or_default();
            let is_free = holders
                .iter()
                .all(|(holder, has_own)| *holder == self.number || !(*has_own || *is_own));
            holders.push((self.number, *is_own));
            if !is_free {
                let text = format!("{:?}: {key:?} is locked", self.gtid);
                state.met.push(text);
                let text = "Lock wait timeout exceeded";
                return Err(TargetError::Retry(SqlError::new(1205, "HY000", text)));
            }
        }
        let holders = state.locks.values().flatten().map(|(holder, _)| *holder);
        let holders: std::collections::BTreeSet<u64> = holders.collect();
        state.most_at_once = state.most_at_once.max(holders.len());
        Ok(())
    }

    fn release(&mut self, mut state: MutexGuard<'_, State>) {
        let number = self.number;
        state.locks.retain(|_, holders| {
            holders.retain(|(holder, _)| *holder != number);
            !holders.is_empty()
        });
        drop(state);
        self.undo.clear();
    }
}

impl Session for KeyedSession {
    fn begin(&mut self, _first: &UnitHead) -> Result<(), TargetError> {
        self.units_committed = 0;
        Ok(())
    }

    fn unit(&mut self, head: &UnitHead) -> Result<(), TargetError> {
        if self.gtid != TransactionGtid::None {
            // Each is a commit of its own, whether or not it is waited for.
            self.commit(&Mark {
                added: &Executed::default(),
                source: None,
                relay: None,
            })?;
        }
        assert!(self.undo.is_empty());
        self.gtid = head.gtid;
        Ok(())
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<RowsOutcome, TargetError> {
        let plan = RowPlan::new(change.map).unwrap();
        let mut tables = TABLES.into_iter();
        let table = tables.position(|name| name == change.map.table).unwrap();
        let mut count = 0;
        for pair in change.rows.read(&plan).unwrap() {
            let pair = pair.unwrap();
            let (before, after) = (image(&pair.before), image(&pair.after));
            self.pause();
            let store = self.store.clone();
            let mut state = store.lock();
            let effects = state.rows.effects(table, before.as_ref(), after.as_ref());
            let effects = effects.map_err(|code| {
                state.met.push(format!("{:?}: error {code}", self.gtid));
                TargetError::Conflict(SqlError::new(code, "HY000", format!("error {code}")))
            })?;
            self.take(&mut state, &effects)?;
            for (table, old, new) in effects.rows {
                state.rows.replace(table, old.as_ref(), new.as_ref());
                self.undo.push((table, old, new));
            }
            count += 1;
        }
        Ok(RowsOutcome::all(count))
    }

    fn statement(&mut self, _: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        let count = self.store.lock().locks.len();
        assert_eq!(count, 0, "a statement beside transactions");
        Ok(StatementOutcome::Done)
    }

    fn prepare(&mut self, name: &XaName, _is_one_phase: bool) -> Result<(), TargetError> {
        panic!("{name} is not of these histories")
    }

    fn keep(&mut self, name: &XaName, _: u32, _: &[u8]) -> Result<(), TargetError> {
        panic!("{name} is not of these histories")
    }

    fn kept(&mut self, name: &XaName, _: u32) -> Result<Option<Vec<u8>>, TargetError> {
        panic!("{name} is not of these histories")
    }

    fn forget(&mut self, name: &XaName) -> Result<(), TargetError> {
        panic!("{name} is not of these histories")
    }

    fn forget_tables(&mut self) {}

    fn units_committed(&self) -> usize {
        self.units_committed
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
        self.rollback()
    }

    fn commit(&mut self, _mark: &Mark<'_>) -> Result<(), TargetError> {
        self.pause();
        let store = self.store.clone();
        let mut state = store.lock();
        if let TransactionGtid::MySql(gtid) = self.gtid {
            assert!(!state.executed.contains(&gtid), "{gtid} is committed twice");
            state.executed.add(gtid);
        }
        self.gtid = TransactionGtid::None;
        self.release(state);
        self.units_committed += 1;
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.gtid = TransactionGtid::None;
        let store = self.store.clone();
        let mut state = store.lock();
        for (table, old, new) in std::mem::take(&mut self.undo).into_iter().rev() {
            state.rows.replace(table, new.as_ref(), old.as_ref());
        }
        self.release(state);
        Ok(())
    }
}

/// A connection that ends is rolled back.
impl Drop for KeyedSession {
    fn drop(&mut self) {
        drop(self.rollback());
    }
}
