//! A target of several sessions, which lock the keys of the rows that they change as a server does.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use binlog::event::XaName;
use binlog::row::RowPlan;
use binlog::transaction::{Executed, TransactionGtid};
use binlog::value::Value;
use gtid::{Gtid, GtidSet};
use sql::error::SqlError;
use targets::{
    Applied, Ending, Mark, RowsChange, RowsOutcome, Session, StatementChange, StatementOutcome,
    Store, TargetError, Traits, UnitHead,
};

use super::history::{Dice, TABLES};

/// How long a session waits for a lock.
const BRIEF: Duration = Duration::from_millis(2);

/// A row beside its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) code: Option<i64>,
    pub(super) value: i64,
}

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Id(&'static str, i64),
    Code(&'static str, i64),
}

/// What goes wrong by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// Sessions lock keys beside those that they change, as a server locks gaps.
    Gaps,
    /// The connection is lost while a commit runs, which takes place.
    LostAnswers,
}

/// What the target has against one row of the first table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    /// It is there already.
    IsThere,
    /// It is refused.
    Refuses,
    /// The thread that brings it ends by a panic.
    Panics,
}

#[derive(Default)]
struct State {
    against: Option<(i64, Against)>,
    rows: BTreeMap<(&'static str, i64), Row>,
    locks: HashMap<Key, u64>,
    executed: GtidSet,
    commits: Vec<u64>,
    sessions: u64,
    /// Commits until all connections are lost; none if never.
    left: Option<u64>,
    lost: u64,
    /// Sessions that had locks at the same time, at most.
    most_at_once: usize,
}

/// The target. Clones are the same one.
#[derive(Clone)]
pub(super) struct SharedStore {
    state: Arc<(Mutex<State>, Condvar)>,
    trouble: Trouble,
    seed: u64,
}

impl SharedStore {
    pub(super) fn new(seed: u64, trouble: Trouble) -> Self {
        Self {
            state: Arc::default(),
            trouble,
            seed,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap()
    }

    pub(super) fn rows(&self) -> BTreeMap<(String, i64), Row> {
        let state = self.lock();
        let rows = state.rows.iter();
        rows.map(|((table, id), row)| (((*table).to_owned(), *id), *row))
            .collect()
    }

    pub(super) fn executed(&self) -> GtidSet {
        self.lock().executed.clone()
    }

    /// Numbers of the transactions, as they were committed.
    pub(super) fn commits(&self) -> Vec<u64> {
        self.lock().commits.clone()
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.lock().most_at_once
    }

    pub(super) fn set_against(&self, id: i64, what: Against) {
        self.lock().against = Some((id, what));
    }

    /// All connections are lost behind so many commits.
    pub(super) fn die_after(&self, commits: u64) {
        self.lock().left = Some(commits);
    }

    /// It can be reached again.
    pub(super) fn live(&self) {
        self.lock().left = None;
    }

    fn open(&self) -> Result<Box<dyn Session>, TargetError> {
        let mut state = self.lock();
        gone(&state)?;
        state.sessions += 1;
        let number = state.sessions;
        Ok(Box::new(SharedSession {
            store: self.clone(),
            number,
            dice: Dice::new(self.seed ^ (number << 8)),
            undo: Vec::new(),
            gtid: TransactionGtid::None,
            units_committed: 0,
        }))
    }
}

fn retry(code: u16) -> TargetError {
    TargetError::Retry(SqlError::new(code, "HY000", format!("error {code}")))
}

fn conflict(code: u16) -> TargetError {
    TargetError::Conflict(SqlError::new(code, "HY000", format!("error {code}")))
}

/// That nobody can do anything about it makes the applier stop at once here.
fn gone(state: &State) -> Result<(), TargetError> {
    match state.left {
        Some(0) => Err(TargetError::misuse("the target is gone")),
        _ => Ok(()),
    }
}

impl Store for SharedStore {
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
        let state = self.lock();
        let mut applied = Applied::default();
        applied.executed.mysql = state.executed.clone();
        Ok(applied)
    }

    fn session(&self) -> Result<Box<dyn Session>, TargetError> {
        self.open()
    }

    fn session_beside(&self) -> Result<Box<dyn Session>, TargetError> {
        self.open()
    }

    fn replace(&self, _applied: &Applied) -> Result<(), TargetError> {
        Ok(())
    }

    fn make_durable(&self) -> Result<bool, TargetError> {
        Ok(true)
    }
}

struct SharedSession {
    store: SharedStore,
    number: u64,
    dice: Dice,
    /// Rows as they were, the last change first to be undone.
    undo: Vec<((&'static str, i64), Option<Row>)>,
    gtid: TransactionGtid,
    /// Units that were committed since the first one.
    units_committed: usize,
}

impl SharedSession {
    /// Locks a key, or waits for whoever has it, briefly.
    fn take(&self, key: Key) -> Result<MutexGuard<'_, State>, TargetError> {
        let (_, changed) = &*self.store.state;
        let mut state = self.store.lock();
        loop {
            gone(&state)?;
            match state.locks.get(&key) {
                Some(holder) if *holder != self.number => {
                    let (woken, waited) = changed.wait_timeout(state, BRIEF).unwrap();
                    state = woken;
                    if waited.timed_out() {
                        return Err(retry(1205));
                    }
                }
                Some(_) | None => {
                    state.locks.insert(key, self.number);
                    let holders: HashSet<u64> = state.locks.values().copied().collect();
                    state.most_at_once = state.most_at_once.max(holders.len());
                    return Ok(state);
                }
            }
        }
    }

    fn lock_all(&mut self, table: &'static str, id: i64, row: Row) -> Result<(), TargetError> {
        drop(self.take(Key::Id(table, id))?);
        if let Some(code) = row.code {
            drop(self.take(Key::Code(table, code))?);
        }
        if self.store.trouble == Trouble::Gaps && self.dice.below(3) == 0 {
            let other = i64::try_from(self.dice.below(12)).unwrap();
            drop(self.take(Key::Id(table, other))?);
        }
        if self.dice.below(4) == 0 {
            std::thread::yield_now();
        }
        Ok(())
    }

    fn remove(&mut self, table: &'static str, id: i64, row: Row) -> Result<(), TargetError> {
        self.lock_all(table, id, row)?;
        let mut state = self.store.lock();
        if state.rows.get(&(table, id)) != Some(&row) {
            return Err(conflict(1032));
        }
        state.rows.remove(&(table, id));
        drop(state);
        self.undo.push(((table, id), Some(row)));
        Ok(())
    }

    fn insert(&mut self, table: &'static str, id: i64, row: Row) -> Result<(), TargetError> {
        let against = self.store.lock().against.filter(|against| against.0 == id);
        match against.map(|against| against.1) {
            Some(Against::IsThere) => return Err(conflict(1062)),
            Some(Against::Refuses) => {
                let error = SqlError::new(1142, "42000", "INSERT command denied");
                return Err(TargetError::Config(error));
            }
            Some(Against::Panics) => panic!("row {id} makes this thread panic"),
            None => {}
        }
        self.lock_all(table, id, row)?;
        let mut state = self.store.lock();
        let has_code = row.code.is_some_and(|code| {
            let mut rows = state.rows.iter();
            rows.any(|((other, _), row)| *other == table && row.code == Some(code))
        });
        if has_code || state.rows.contains_key(&(table, id)) {
            return Err(conflict(1062));
        }
        state.rows.insert((table, id), row);
        drop(state);
        self.undo.push(((table, id), None));
        Ok(())
    }

    fn release(&mut self, mut state: MutexGuard<'_, State>) {
        let number = self.number;
        state.locks.retain(|_, holder| *holder != number);
        drop(state);
        self.undo.clear();
    }
}

fn row_of(values: &[Option<Value<'_>>]) -> Option<(i64, Row)> {
    match values {
        [Some(Value::Int(id)), Some(code), Some(Value::Int(value))] => {
            let code = match code {
                Value::Int(code) => Some(*code),
                _ => None,
            };
            let value = *value;
            Some((*id, Row { code, value }))
        }
        _ => None,
    }
}

impl Session for SharedSession {
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
        let table = TABLES.into_iter().find(|name| *name == change.map.table);
        let table = table.unwrap();
        let mut count = 0;
        for pair in change.rows.read(&plan).unwrap() {
            let pair = pair.unwrap();
            if let Some((id, row)) = row_of(&pair.before) {
                self.remove(table, id, row)?;
            }
            if let Some((id, row)) = row_of(&pair.after) {
                self.insert(table, id, row)?;
            }
            count += 1;
        }
        Ok(RowsOutcome::all(count))
    }

    fn statement(&mut self, _: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        let state = self.store.lock();
        assert_eq!(state.locks.len(), 0, "a statement beside transactions");
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
        let store = self.store.clone();
        let mut state = store.lock();
        gone(&state)?;
        if let TransactionGtid::MySql(gtid) = self.gtid {
            let Gtid { gno, .. } = gtid;
            assert!(!state.executed.contains(&gtid), "{gtid} is committed twice");
            state.executed.add(gtid);
            state.commits.push(gno.get());
        }
        if let Some(left) = &mut state.left {
            *left -= 1;
        }
        self.gtid = TransactionGtid::None;
        let is_lost = store.trouble == Trouble::LostAnswers && state.commits.len() % 7 == 3;
        let is_new = is_lost && state.lost < 4;
        state.lost += u64::from(is_new);
        self.release(state);
        store.state.1.notify_all();
        match is_new {
            true => Err(TargetError::CommitUnknown(SqlError::new(
                1180,
                "HY000",
                "no answer",
            ))),
            false => {
                self.units_committed += 1;
                Ok(())
            }
        }
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.gtid = TransactionGtid::None;
        let store = self.store.clone();
        let mut state = store.lock();
        for (place, row) in std::mem::take(&mut self.undo).into_iter().rev() {
            match row {
                Some(row) => state.rows.insert(place, row),
                None => state.rows.remove(&place),
            };
        }
        self.release(state);
        store.state.1.notify_all();
        Ok(())
    }
}

/// A connection that ends is rolled back.
impl Drop for SharedSession {
    fn drop(&mut self) {
        drop(self.rollback());
    }
}
