//! Looking at every row before the first is written.
//!
//! Only the state that the target is in is looked at: of a row that several transactions changed,
//! the newest change is compared, and the older ones follow from it. Rows are asked for by the
//! hundred, and one by one only where something is wrong.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use binlog::row::{Row, RowPair, RowsKind, Table};
use inspect::{Find, Generated, Inexpressible, RowSql};

use super::target::Described;
use super::{Applied, CHANGED, Conflict, PRESENT, Server, told};
use crate::flashback::FlashbackError;
use crate::flashback::later::put_key;
use crate::flashback::rewind::{Sink, Undone};
use crate::flashback::sql_file::inexpressible;
use crate::flashback::trail::Transaction;

/// Rows that are asked for at once.
const BATCH: usize = 200;

/// Bytes of conditions in one question, unless a single one is larger.
const BATCH_LEN: usize = 256 << 10;

/// Rows whose newest change was looked at, that are remembered.
const ROWS_MAX: usize = (1 << 22) / 8 * 7;

/// Looks at rows.
pub(super) struct Check<'a> {
    server: &'a mut dyn Server,
    described: &'a Described,
    /// Rows stay locked until the transaction ends.
    is_locking: bool,
    seen: HashSet<u64>,
    /// Of rows without a key: how many more there are now than the server has.
    balance: HashMap<u64, i64>,
    batch: Batch,
    pub(super) applied: Applied,
    /// Whether rows were too many for all to be looked at.
    pub(super) is_over: bool,
}

/// Rows of one table that are all to be there, or all not.
#[derive(Debug, Default)]
struct Batch {
    table: String,
    must_be_there: bool,
    conditions: Vec<Vec<u8>>,
    len: usize,
}

/// What a row must be.
enum Expected<'r> {
    /// There, and just this.
    There(&'r Row<'r>),
    /// No row may have its key; but for the one that becomes it, whose key may be equal to it for
    /// the server and not to us.
    NotThere(&'r Row<'r>, Option<&'r Row<'r>>),
}

impl Expected<'_> {
    fn condition(&self, sql: &RowSql<'_>) -> Result<Vec<u8>, Inexpressible> {
        let mut condition = Vec::new();
        match self {
            Self::There(row) => sql.condition(&mut condition, row, Find::Whole)?,
            Self::NotThere(row, becoming) => {
                sql.condition(&mut condition, row, Find::Key)?;
                if let Some(row) = becoming {
                    condition.extend_from_slice(b" AND NOT (");
                    sql.condition(&mut condition, row, Find::KeyBytes)?;
                    condition.push(b')');
                }
            }
        }
        Ok(condition)
    }
}

impl<'a> Check<'a> {
    pub(super) fn new(
        server: &'a mut dyn Server,
        described: &'a Described,
        is_locking: bool,
    ) -> Self {
        Self {
            server,
            described,
            is_locking,
            seen: HashSet::new(),
            balance: HashMap::new(),
            batch: Batch::default(),
            applied: Applied::default(),
            is_over: false,
        }
    }

    /// Asks for what is still to be asked for.
    pub(super) fn finish(&mut self) -> Result<(), FlashbackError> {
        self.ask()
    }

    fn expect(
        &mut self,
        sql: &RowSql<'_>,
        rows: &Undone<'_>,
        expected: &Expected<'_>,
    ) -> Result<(), FlashbackError> {
        let must_be_there = matches!(expected, Expected::There(_));
        let mut table = Vec::new();
        sql.put_table(&mut table);
        let table = String::from_utf8_lossy(&table).into_owned();
        let condition = expected.condition(sql);
        let condition = condition.map_err(|column| inexpressible(rows, column))?;
        let is_other = self.batch.table != table || self.batch.must_be_there != must_be_there;
        let is_full = self.batch.conditions.len() >= BATCH || self.batch.len >= BATCH_LEN;
        if is_other || is_full {
            self.ask()?;
            self.batch.table = table;
            self.batch.must_be_there = must_be_there;
        }
        self.batch.len = self.batch.len.saturating_add(condition.len());
        self.batch.conditions.push(condition);
        Ok(())
    }

    fn ask(&mut self) -> Result<(), FlashbackError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.conditions.is_empty() {
            return Ok(());
        }
        let expected = match batch.must_be_there {
            true => batch.conditions.len() as u64,
            false => 0,
        };
        let found = self.count(&batch.table, &batch.conditions)?;
        if found == expected {
            return Ok(());
        }
        for condition in &batch.conditions {
            let found = self.count(&batch.table, std::slice::from_ref(condition))?;
            if (found > 0) != batch.must_be_there {
                self.applied.conflict(|| Conflict {
                    table: batch.table.clone(),
                    row: told(condition),
                    what: if batch.must_be_there {
                        CHANGED
                    } else {
                        PRESENT
                    },
                });
            }
        }
        Ok(())
    }

    fn count(&mut self, table: &str, conditions: &[Vec<u8>]) -> Result<u64, FlashbackError> {
        let mut sql = format!("SELECT COUNT(*) FROM {table} WHERE (").into_bytes();
        sql.extend_from_slice(&conditions.join(b") OR (".as_slice()));
        sql.push(b')');
        if self.is_locking {
            sql.extend_from_slice(b" FOR UPDATE");
        }
        let sql = String::from_utf8_lossy(&sql);
        let answer = self.server.run(&sql);
        let answer = answer.map_err(|error| FlashbackError::Server {
            doing: format!("looking at the rows of {table}"),
            error,
        })?;
        Ok(answer.text(0, 0).parse().unwrap_or(0))
    }

    /// Whether the state of the row on the server is still to be looked at.
    fn is_first(&mut self, table: &Table, name: u32, row: &Row<'_>) -> Option<bool> {
        let mut key = Vec::new();
        if !put_key(&mut key, table, row) {
            return None;
        }
        let hash = hash_of(name, &key);
        if self.seen.len() >= ROWS_MAX && !self.seen.contains(&hash) {
            self.is_over = true;
            return Some(false);
        }
        Some(self.seen.insert(hash))
    }

    fn row(
        &mut self,
        sql: &RowSql<'_>,
        table: &Table,
        rows: &Undone<'_>,
        pair: &RowPair<'_>,
    ) -> Result<(), FlashbackError> {
        let kind = rows.event.kind;
        if !sql.is_keyed() {
            return self.keyless(sql, rows, pair);
        }
        if kind != RowsKind::Write && self.is_first(table, rows.name, &pair.before) != Some(false) {
            self.expect(sql, rows, &Expected::There(&pair.before))?;
        }
        if kind != RowsKind::Delete && self.is_first(table, rows.name, &pair.after) != Some(false) {
            let row = (kind == RowsKind::Update).then_some(&pair.before);
            self.expect(sql, rows, &Expected::NotThere(&pair.after, row))?;
        }
        Ok(())
    }

    /// Rows without a key are alike if all of their columns are; what counts is how many there are.
    fn keyless(
        &mut self,
        sql: &RowSql<'_>,
        rows: &Undone<'_>,
        pair: &RowPair<'_>,
    ) -> Result<(), FlashbackError> {
        let kind = rows.event.kind;
        let mut condition = Vec::new();
        if kind != RowsKind::Write {
            sql.condition(&mut condition, &pair.before, Find::Whole)
                .map_err(|column| inexpressible(rows, column))?;
            let balance = self.balance.entry(hash_of(rows.name, &condition));
            let balance = balance.or_default();
            *balance -= 1;
            if *balance < 0 {
                let needed = balance.unsigned_abs();
                self.ask()?;
                let mut table = Vec::new();
                sql.put_table(&mut table);
                let table = String::from_utf8_lossy(&table).into_owned();
                if self.count(&table, std::slice::from_ref(&condition))? < needed {
                    self.applied.conflict(|| Conflict {
                        table,
                        row: told(&condition),
                        what: CHANGED,
                    });
                }
            }
        }
        if kind != RowsKind::Delete {
            condition.clear();
            sql.condition(&mut condition, &pair.after, Find::Whole)
                .map_err(|column| inexpressible(rows, column))?;
            *self
                .balance
                .entry(hash_of(rows.name, &condition))
                .or_default() += 1;
        }
        Ok(())
    }
}

impl Sink for Check<'_> {
    fn begin(&mut self, _: &Transaction) -> Result<(), FlashbackError> {
        Ok(())
    }

    fn rows(&mut self, rows: &Undone<'_>) -> Result<(), FlashbackError> {
        let described = self.described;
        let table = described.table(rows.shape).unwrap_or(rows.table);
        let sql = RowSql::new(table, rows.flavour, &Generated::default());
        let sql = sql.map_err(|error| FlashbackError::Row {
            place: table.full_name(),
            reason: error.to_string(),
        })?;
        let damaged = |error: codec::DecodeError| FlashbackError::Row {
            place: table.full_name(),
            reason: error.to_string(),
        };
        let mut reader = rows.event.read(&table.plan).map_err(damaged)?;
        let mut pair = RowPair::default();
        while reader.next_into(&mut pair).map_err(damaged)? {
            self.row(&sql, table, rows, &pair)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), FlashbackError> {
        Ok(())
    }
}

fn hash_of(name: u32, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    bytes.hash(&mut hasher);
    hasher.finish()
}
