//! Which lane the rows of a table go to.
//!
//! Rows with one primary key stay in one lane, in the order of the source. That is enough where a row
//! can only be in the way of one with the same key, and where equal keys are equal bytes. A table with
//! another unique index, a foreign key, a key of text or floating point, or an engine that cannot roll
//! back goes into one lane as a whole, and all tables with foreign keys go into the first.
//!
//! Invariant: the rule depends on the target's definitions alone, so that a replay that goes on
//! finds every row in the lane that it was in before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use binlog::row::TableMap;
use protocol::client::QueryResult;

use super::pipe::Pipe;
use super::questions::{cell, literal};
use crate::TargetError;

/// Keys of one run of this many numbers stay together, so that lanes seldom meet on a page.
const RUN_BITS: u32 = 10;

/// Where rows of a table go.
#[derive(Debug, Clone)]
pub(super) enum LaneRule {
    /// All into this lane.
    Whole {
        lane: usize,
        /// Whether the table's engine takes them back.
        rolls_back: bool,
    },
    /// By the columns of the primary key.
    ByKey(Arc<KeyColumns>),
}

/// The columns of a primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyColumns {
    /// By their place in the table, ascending.
    pub(super) columns: Vec<usize>,
    /// Which of them, in that order, is the key's last one and a number.
    run: Option<usize>,
    /// The column that the table counts on by itself, by its place.
    pub(super) counter: Option<usize>,
    seed: u64,
}

/// Hashes a key: FNV-1a, 64 bits (Fowler, Noll and Vo, RFC 9923).
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyHash {
    hash: u64,
    run: Option<usize>,
    column: usize,
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME)
    })
}

/// The hash as one of `lanes`.
fn lane(hash: u64, lanes: usize) -> usize {
    // The high bits of a product are mixed best.
    let mixed = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let lanes = u64::try_from(lanes).unwrap_or(1);
    usize::try_from(mixed.wrapping_mul(lanes) >> 32).unwrap_or(0)
}

impl KeyColumns {
    #[cfg(test)]
    pub(super) const fn for_test(columns: Vec<usize>, run: Option<usize>) -> Self {
        Self {
            columns,
            run,
            counter: None,
            seed: FNV_START,
        }
    }

    /// Begins a key.
    pub(super) const fn hash(&self) -> KeyHash {
        KeyHash {
            hash: self.seed,
            run: self.run,
            column: 0,
        }
    }
}

impl KeyHash {
    /// Takes the next column's value as the log has it.
    pub(super) fn take(&mut self, value: &[u8]) {
        let is_run = self.run == Some(self.column);
        self.column += 1;
        if is_run && value.len() <= 8 {
            let mut bytes = [0; 8];
            bytes
                .iter_mut()
                .zip(value)
                .for_each(|(to, from)| *to = *from);
            let run = u64::from_le_bytes(bytes) >> RUN_BITS;
            self.hash = fnv(self.hash, &run.to_le_bytes());
            return;
        }
        let len = u64::try_from(value.len()).unwrap_or(u64::MAX);
        self.hash = fnv(fnv(self.hash, value), &len.to_le_bytes());
    }

    /// The lane of the key.
    pub(super) fn lane(self, lanes: usize) -> usize {
        lane(self.hash, lanes)
    }
}

/// The rules of tables since the last statement of DDL.
#[derive(Debug, Default)]
pub(super) struct LaneRules {
    /// By database, table, and number of logged columns.
    known: HashMap<(String, String, usize), LaneRule>,
    /// Tables on either side of a foreign key, once somebody asked.
    related: Option<HashSet<(String, String)>>,
}

impl LaneRules {
    /// Tables may be others now.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The rule of a table of the target whose rows are logged as `map` says.
    pub(super) fn of(
        &mut self,
        pipe: &mut Pipe,
        database: &str,
        map: &TableMap<'_>,
        lanes: usize,
    ) -> Result<LaneRule, TargetError> {
        let columns = map.columns.len();
        let name = (database.to_owned(), map.table.to_string(), columns);
        if !self.known.contains_key(&name) {
            let rule = self.ask(pipe, &name, lanes)?;
            self.known.insert(name.clone(), rule);
        }
        let rule = self.known.get(&name).cloned();
        rule.ok_or_else(|| TargetError::misuse("the rule of a table is gone"))
    }

    fn ask(
        &mut self,
        pipe: &mut Pipe,
        name: &(String, String, usize),
        lanes: usize,
    ) -> Result<LaneRule, TargetError> {
        let related = match self.related.take() {
            Some(related) => related,
            None => related(pipe)?,
        };
        let related = self.related.insert(related);
        // Either side may write names in another case.
        let small = (name.0.to_lowercase(), name.1.to_lowercase());
        if related.contains(&small) {
            let (lane, rolls_back) = (0, true);
            return Ok(LaneRule::Whole { lane, rolls_back });
        }
        let seed = fnv(fnv(FNV_START, small.0.as_bytes()), b".");
        let seed = fnv(fnv(seed, small.1.as_bytes()), b".");
        let lane = lane(seed, lanes);
        let (database, table) = (literal(&name.0), literal(&name.1));
        let whose = format!("TABLE_SCHEMA = {database} AND TABLE_NAME = {table}");
        let sql = format!("SELECT TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE {whose}");
        let kind = rows_of(pipe, &sql)?;
        let kind = kind.first().map(|row| (cell(row, 0), cell(row, 1)));
        // A table that is not there is missed when its rows are applied.
        let rolls_back = kind.as_ref().is_none_or(|kind| kind.1 == "InnoDB");
        let is_plain = kind.is_some_and(|kind| rolls_back && kind.0 == "BASE TABLE");
        if !is_plain || has_periods(pipe, &name.0, &name.1)? {
            return Ok(LaneRule::Whole { lane, rolls_back });
        }
        Ok(match key_of(pipe, &whose, name.2)? {
            Some(key) => LaneRule::ByKey(Arc::new(KeyColumns { seed, ..key })),
            None => LaneRule::Whole { lane, rolls_back },
        })
    }
}

fn rows_of(pipe: &mut Pipe, sql: &str) -> Result<Vec<Vec<Option<Vec<u8>>>>, TargetError> {
    Ok(match pipe.ask(sql)? {
        QueryResult::Ok(_) => Vec::new(),
        QueryResult::Rows { rows, .. } => rows,
    })
}

/// Tables on either side of a foreign key, in small letters.
fn related(pipe: &mut Pipe) -> Result<HashSet<(String, String)>, TargetError> {
    let sql = "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, UNIQUE_CONSTRAINT_SCHEMA, \
               REFERENCED_TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS";
    let mut related = HashSet::new();
    for row in rows_of(pipe, sql)? {
        for at in [0, 2] {
            let (database, table) = (cell(&row, at), cell(&row, at + 1));
            related.insert((database.to_lowercase(), table.to_lowercase()));
        }
    }
    Ok(related)
}

/// Whether a key of the table keeps periods apart, so that rows of different keys do not go together.
pub(super) fn has_periods(
    pipe: &mut Pipe,
    database: &str,
    table: &str,
) -> Result<bool, TargetError> {
    if !pipe.version().to_ascii_lowercase().contains("mariadb") {
        return Ok(false);
    }
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    let sql = format!("SHOW CREATE TABLE {}.{}", quoted(database), quoted(table));
    let shown = rows_of(pipe, &sql)?;
    let shown = shown.first().map(|row| cell(row, 1)).unwrap_or_default();
    // A comment of these words costs speed alone.
    Ok(shown.contains("PERIOD FOR") || shown.contains("WITHOUT OVERLAPS"))
}

/// The primary key; `None` if rows of the table have to stay together.
fn key_of(pipe: &mut Pipe, whose: &str, logged: usize) -> Result<Option<KeyColumns>, TargetError> {
    let Some(names) = lone_key(pipe, whose)? else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT COLUMN_NAME, DATA_TYPE, EXTRA FROM information_schema.COLUMNS WHERE {whose} ORDER \
         BY ORDINAL_POSITION"
    );
    let columns = rows_of(pipe, &sql)?;
    match columns.len() == logged {
        true => Ok(key_among(&columns, &names)),
        false => Ok(None),
    }
}

/// The names of the primary key's columns in their order, if no other index keeps rows apart.
fn lone_key(pipe: &mut Pipe, whose: &str) -> Result<Option<Vec<String>>, TargetError> {
    let sql = format!(
        "SELECT INDEX_NAME, NON_UNIQUE, INDEX_TYPE, COLUMN_NAME, SUB_PART FROM \
         information_schema.STATISTICS WHERE {whose} ORDER BY SEQ_IN_INDEX"
    );
    let mut names = Vec::new();
    for row in rows_of(pipe, &sql)? {
        let is_primary = cell(&row, 0) == "PRIMARY";
        let is_plain = cell(&row, 2) == "BTREE" && (!is_primary || cell(&row, 4).is_empty());
        let is_alone = is_primary || cell(&row, 1) == "1";
        if !is_plain || !is_alone {
            return Ok(None);
        }
        if is_primary {
            names.push(cell(&row, 3));
        }
    }
    Ok((!names.is_empty()).then_some(names))
}

/// The key of these names among a table's columns, if equal values of it are equal bytes.
fn key_among(columns: &[Vec<Option<Vec<u8>>>], names: &[String]) -> Option<KeyColumns> {
    let mut key = KeyColumns {
        columns: Vec::new(),
        run: None,
        counter: None,
        seed: 0,
    };
    for (place, row) in columns.iter().enumerate() {
        let (name, kind) = (cell(row, 0), cell(row, 1).to_ascii_lowercase());
        let is_number = matches!(
            kind.as_str(),
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint"
        );
        if cell(row, 2).to_ascii_lowercase().contains("auto_increment") {
            key.counter = Some(place);
            if !is_number {
                return None;
            }
        }
        if !names.contains(&name) {
            continue;
        }
        let is_by_bytes = matches!(
            kind.as_str(),
            "decimal"
                | "date"
                | "datetime"
                | "timestamp"
                | "time"
                | "year"
                | "bit"
                | "binary"
                | "varbinary"
        );
        if !is_number && !is_by_bytes {
            return None;
        }
        if is_number && names.last() == Some(&name) {
            key.run = Some(key.columns.len());
        }
        key.columns.push(place);
    }
    (key.columns.len() == names.len()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane_of(key: &KeyColumns, values: &[&[u8]], lanes: usize) -> usize {
        let mut hash = key.hash();
        values.iter().for_each(|value| hash.take(value));
        hash.lane(lanes)
    }

    #[test]
    fn keys_are_spread_evenly_and_numbers_that_follow_each_other_stay_together() {
        let key = KeyColumns::for_test(vec![0], Some(0));
        let mut counts = [0_u32; 4];
        let mut changes = 0;
        let mut before = None;
        for number in 0_u32..1_000_000 {
            let lane = lane_of(&key, &[&number.to_le_bytes()], 4);
            changes += u32::from(before.replace(lane) != Some(lane));
            counts[lane] += 1;
        }
        assert!(changes < 1_000_000 >> RUN_BITS, "{changes}");
        assert!(
            counts
                .iter()
                .all(|count| (200_000..300_000).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn where_a_column_ends_counts() {
        let key = KeyColumns::for_test(vec![0, 1], None);
        let lanes = 1 << 20;
        assert_ne!(
            lane_of(&key, &[b"ab", b"c"], lanes),
            lane_of(&key, &[b"a", b"bc"], lanes)
        );
    }
}
