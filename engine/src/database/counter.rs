//! AUTO_INCREMENT counters: an id is handed out once, whatever becomes of its statement.
//!
//! Counters live in memory and run ahead of a rollback; those that moved are saved with the next
//! group, in the same transaction as the rows that use them. Only DDL that is undone puts them back:
//! the tables whose counters it forgot or began anew are there again.

use std::collections::{HashMap, HashSet};

use binlog::value::Value;

use crate::catalog::{ColumnType, Table, TableId};
use sql::error::SqlError;

/// The next id of each table with an AUTO_INCREMENT column.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    next: HashMap<TableId, u64>,
    moved: HashSet<TableId>,
}

impl Counters {
    /// The id that the next row would get with increment 1, as SHOW TABLE STATUS shows it.
    #[must_use]
    pub fn peek(&self, table: TableId) -> u64 {
        self.next.get(&table).copied().unwrap_or(1)
    }

    /// Hands out an id: the least one not below the counter that is `offset` plus a multiple of
    /// `increment`. Where ids are used up it is the greatest value of the column, which then is a
    /// duplicate, or one that the column does not hold. Error 1467 for a counter that was set beyond
    /// the column.
    pub fn take(&mut self, table: &Table, increment: u64, offset: u64) -> Result<u64, SqlError> {
        let (next, greatest) = (self.peek(table.id), greatest(table));
        let id = first_at_least(next, increment.max(1), offset);
        if next > greatest || id > GREATEST_STORED {
            return Err(SqlError::autoinc_read_failed());
        }
        self.set(table.id, id.saturating_add(1).min(greatest));
        Ok(id)
    }

    /// The greatest id that the column of a table holds.
    #[must_use]
    pub fn greatest(table: &Table) -> u64 {
        greatest(table)
    }

    /// Notes an id that a statement gave itself, so that it is not handed out.
    pub fn observe(&mut self, table: &Table, values: &[Value<'_>]) {
        let Some(position) = table.auto_increment_column() else {
            return;
        };
        let given = match values.get(position) {
            Some(Value::Int(value)) => u64::try_from(*value).unwrap_or(0),
            Some(Value::UInt(value)) => *value,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the cast saturates, which is what a counter of a FLOAT column needs"
            )]
            Some(Value::Double(value)) => *value as u64,
            _ => 0,
        };
        if given >= self.peek(table.id) {
            self.set(table.id, given.saturating_add(1).min(greatest(table)));
        }
    }

    /// Moves the counter to where a statement's reserved ids end.
    pub fn reserve(&mut self, table: &Table, end: u64) {
        self.set(table.id, end.min(greatest(table)));
    }

    /// Sets the counter, as AUTO_INCREMENT= does and as loading does.
    pub fn set(&mut self, table: TableId, next: u64) {
        self.next.insert(table, next.max(1));
        self.moved.insert(table);
    }

    /// Forgets a table that was dropped.
    pub fn forget(&mut self, table: TableId) {
        self.next.remove(&table);
        self.moved.remove(&table);
    }

    /// The counters that moved since the last call, to be saved.
    pub(crate) fn take_moved(&mut self) -> Vec<(TableId, u64)> {
        let moved = std::mem::take(&mut self.moved);
        moved
            .into_iter()
            .map(|table| (table, self.peek(table)))
            .collect()
    }

    /// Marks counters as to be saved again, after a group that saved them was rolled back.
    pub(crate) fn mark_moved(&mut self, tables: impl IntoIterator<Item = TableId>) {
        let known = tables
            .into_iter()
            .filter(|table| self.next.contains_key(table));
        self.moved.extend(known);
    }
}

/// Stored ids stay below 2^63: see the storage table.
const GREATEST_STORED: u64 = i64::MAX.unsigned_abs();

fn first_at_least(counter: u64, increment: u64, offset: u64) -> u64 {
    // MySQL ignores an offset that is greater than the increment.
    let offset = if offset > increment { 0 } else { offset };
    let beyond = counter.saturating_sub(offset);
    let steps = beyond.div_ceil(increment);
    steps.saturating_mul(increment).saturating_add(offset)
}

fn greatest(table: &Table) -> u64 {
    let column = table
        .auto_increment_column()
        .and_then(|position| table.columns.get(position));
    match column.map(|column| &column.column_type) {
        Some(ColumnType::Integer {
            size,
            unsigned: true,
            ..
        }) => size.unsigned_max().min(GREATEST_STORED),
        Some(ColumnType::Integer { size, .. }) => size.signed_range().1.unsigned_abs(),
        _ => GREATEST_STORED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_increment_and_offset() {
        let cases = [
            (1, 1, 1, 1),
            (5, 1, 1, 5),
            (1, 10, 5, 5),
            (6, 10, 5, 15),
            (15, 10, 5, 15),
            (1, 2, 9, 2),
        ];
        for (counter, increment, offset, expected) in cases {
            assert_eq!(
                first_at_least(counter, increment, offset),
                expected,
                "{counter} {increment} {offset}"
            );
        }
    }
}
