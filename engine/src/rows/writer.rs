//! `RowWriter`: one row inserted, updated or deleted by key.
//!
//! Values arrive in their columns' types. A duplicate is MySQL's error 1062 with the key and value
//! that SQLite does not tell; every change is appended to the caller's list, and nothing is appended
//! when an operation fails. Statement and transaction borders are the caller's.

use crate::error::sqlite_failed;
use std::sync::Arc;

use binlog::value::Value;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, Row, params_from_iter};

use super::RowChange;
use super::plan::{TablePlan, UniqueLookup};
use super::text::key_text;
use crate::catalog::{ColumnType, Key, Table};
use crate::database::Counters;
use crate::error::EngineError;
use crate::session::TimeZone;
use crate::value::json_text::is_same;
use crate::value::memory;
use crate::value::stored::column::{decode_row, encode};
use sql::error::SqlError;

/// SQLite's number of a row; for a table with a small integer primary key its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub i64);

/// A row as it lies in the table.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRow {
    /// Where it lies.
    pub id: RowId,
    /// Its values in table order.
    pub values: Vec<Value<'static>>,
}

/// A stored row that keeps another from being written.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Position in `Table::keys` of the unique key on which both agree.
    pub key: usize,
    /// The stored row.
    pub row: StoredRow,
}

/// Writes rows of one table.
pub struct RowWriter<'w> {
    pub(crate) connection: &'w Connection,
    pub(crate) table: Arc<Table>,
    pub(crate) plan: Arc<TablePlan>,
    pub(crate) counters: &'w mut Counters,
    /// Bytes of the changes that were listed.
    pub(crate) listed: usize,
}

impl<'w> RowWriter<'w> {
    /// The table.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// AUTO_INCREMENT counters of the writer.
    pub fn counters(&mut self) -> &mut Counters {
        self.counters
    }

    /// Inserts a row and lists the change. Error 1062 if it is a duplicate.
    pub fn insert(
        &mut self,
        values: Vec<Value<'static>>,
        changes: &mut Vec<RowChange>,
    ) -> Result<RowId, SqlError> {
        let id = self.insert_unlisted(&values)?;
        self.list(None, Some(values), changes)?;
        Ok(id)
    }

    /// Inserts a row without listing it: for rows that come from a log.
    pub fn insert_unlisted(&mut self, values: &[Value<'_>]) -> Result<RowId, SqlError> {
        let mut statement = self
            .connection
            .prepare_cached(&self.plan.insert)
            .map_err(sqlite_failed)?;
        let stored = self.encode_all(values)?;
        match statement.insert(params_from_iter(stored)) {
            Ok(id) => {
                drop(statement);
                self.counters.observe(&self.table, values);
                Ok(RowId(id))
            }
            Err(error) => {
                drop(statement);
                Err(self.duplicate_or(error, values, None))
            }
        }
    }

    /// Replaces a stored row by `values` and lists the change; false, and nothing done, when both
    /// are equal. Error 1062 if the new row is a duplicate of a third one.
    pub fn update(
        &mut self,
        stored: &StoredRow,
        values: Vec<Value<'static>>,
        changes: &mut Vec<RowChange>,
    ) -> Result<bool, SqlError> {
        if !self.update_unlisted(stored.id, &stored.values, &values)? {
            return Ok(false);
        }
        self.list(Some(stored.values.clone()), Some(values), changes)?;
        Ok(true)
    }

    /// Replaces a stored row without listing it; false when there is nothing to change.
    pub fn update_unlisted(
        &mut self,
        id: RowId,
        before: &[Value<'_>],
        after: &[Value<'_>],
    ) -> Result<bool, SqlError> {
        let changed: Vec<usize> = positions_that_differ(before, after);
        if changed.is_empty() {
            return Ok(false);
        }
        let sql = self.plan.update(&changed);
        let mut statement = self
            .connection
            .prepare_cached(&sql)
            .map_err(sqlite_failed)?;
        let mut parameters = Vec::with_capacity(changed.len() + 1);
        for position in &changed {
            parameters.push(self.encode_at(*position, after)?);
        }
        parameters.push(ToSqlOutput::from(id.0));
        let result = statement.execute(params_from_iter(parameters));
        drop(statement);
        match result {
            Ok(_) => {
                self.counters.observe(&self.table, after);
                Ok(true)
            }
            Err(error) => Err(self.duplicate_or(error, after, Some(id))),
        }
    }

    /// Deletes a stored row and lists the change.
    pub fn delete(
        &mut self,
        stored: StoredRow,
        changes: &mut Vec<RowChange>,
    ) -> Result<(), SqlError> {
        self.delete_unlisted(stored.id)?;
        self.list(Some(stored.values), None, changes)
    }

    /// Lists a change. Error 3170 when the statement's changes take too much.
    fn list(
        &mut self,
        before: Option<Vec<Value<'static>>>,
        after: Option<Vec<Value<'static>>>,
        changes: &mut Vec<RowChange>,
    ) -> Result<(), SqlError> {
        let rows = [before.as_deref(), after.as_deref()];
        let bytes = rows.into_iter().flatten().map(memory::row_size);
        self.listed = self.listed.saturating_add(bytes.sum());
        memory::check_changes(self.listed)?;
        changes.push(RowChange {
            table: Arc::clone(&self.table),
            before,
            after,
        });
        Ok(())
    }

    /// Deletes a stored row without listing it.
    pub fn delete_unlisted(&mut self, id: RowId) -> Result<(), SqlError> {
        let mut statement = self
            .connection
            .prepare_cached(&self.plan.delete)
            .map_err(sqlite_failed)?;
        match statement.execute([id.0]).map_err(sqlite_failed)? {
            1 => Ok(()),
            _ => Err(SqlError::key_not_found(&self.table.name)),
        }
    }

    /// The row of this id, if it is there.
    pub fn row(&self, id: RowId) -> Result<Option<StoredRow>, SqlError> {
        let mut statement = self
            .connection
            .prepare_cached(&self.plan.by_rowid)
            .map_err(sqlite_failed)?;
        first_row(&self.table, statement.query([id.0]).map_err(sqlite_failed)?)
    }

    /// The first stored row that keeps a row with these values from being inserted, asking the
    /// unique keys in the table's order.
    pub fn conflict(&self, values: &[Value<'_>]) -> Result<Option<Conflict>, SqlError> {
        self.conflict_except(values, None)
    }

    /// As [`RowWriter::conflict`] for a row that would replace the one at `except`.
    pub fn conflict_except(
        &self,
        values: &[Value<'_>],
        except: Option<RowId>,
    ) -> Result<Option<Conflict>, SqlError> {
        for lookup in &self.plan.unique {
            let found = self.find_by_key(lookup, values)?;
            if let Some(row) = found.filter(|row| Some(row.id) != except) {
                return Ok(Some(Conflict {
                    key: lookup.key,
                    row,
                }));
            }
        }
        Ok(None)
    }

    /// The first stored row behind `last` that has these values in the columns at `positions`.
    pub(crate) fn next_with(
        &self,
        positions: &[usize],
        values: &[Value<'_>],
        last: Option<RowId>,
    ) -> Result<Option<StoredRow>, SqlError> {
        let mut conditions = Vec::with_capacity(positions.len());
        let mut parameters = Vec::with_capacity(positions.len() + 1);
        for (position, value) in positions.iter().zip(values) {
            let Some(column) = self.table.columns.get(*position) else {
                return Ok(None);
            };
            parameters.push(encode(&column.column_type, value)?);
            conditions.push(format!("{}=?{}", column.sqlite_name(), parameters.len()));
        }
        parameters.push(ToSqlOutput::from(last.map_or(i64::MIN, |last| last.0)));
        let behind = match last {
            Some(_) => format!("rowid>?{}", parameters.len()),
            None => format!("rowid>=?{}", parameters.len()),
        };
        conditions.push(behind);
        let conditions = conditions.join(" AND ");
        let sql = format!(
            "{} WHERE {conditions} ORDER BY rowid LIMIT 1",
            self.plan.select
        );
        let mut statement = self
            .connection
            .prepare_cached(&sql)
            .map_err(sqlite_failed)?;
        let rows = statement.query(params_from_iter(parameters));
        first_row(&self.table, rows.map_err(sqlite_failed)?)
    }

    /// The stored row that `before` is the image of: by the first unique key without NULL, else by
    /// all columns. With a key, the other columns are not compared.
    pub fn find(&self, before: &[Value<'_>]) -> Result<Option<StoredRow>, SqlError> {
        let image: Vec<_> = before.iter().map(|value| Some(value.borrowed())).collect();
        self.find_image(&image)
    }

    /// As [`RowWriter::find`] for an image that may lack columns.
    pub(crate) fn find_image(
        &self,
        image: &[Option<Value<'_>>],
    ) -> Result<Option<StoredRow>, SqlError> {
        let has = |position: &usize| matches!(image.get(*position), Some(Some(value)) if !value.is_null());
        let usable = |lookup: &&UniqueLookup| lookup.is_whole && lookup.positions.iter().all(has);
        let Some(lookup) = self.plan.unique.iter().find(usable) else {
            return self.find_matching(image);
        };
        let value = |value: &Option<Value<'_>>| {
            value
                .as_ref()
                .map_or(Value::Null, |value| value.clone().into_owned())
        };
        let values: Vec<Value<'static>> = image.iter().map(value).collect();
        self.find_by_key(lookup, &values)
    }

    /// The stored row that has the values of `lookup`'s key; none when one of them is NULL.
    pub(crate) fn find_by_key(
        &self,
        lookup: &UniqueLookup,
        values: &[Value<'_>],
    ) -> Result<Option<StoredRow>, SqlError> {
        let mut parameters = Vec::with_capacity(lookup.positions.len());
        for position in &lookup.positions {
            if values.get(*position).is_none_or(Value::is_null) {
                return Ok(None);
            }
            parameters.push(self.encode_at(*position, values)?);
        }
        let mut statement = self
            .connection
            .prepare_cached(&lookup.sql)
            .map_err(sqlite_failed)?;
        first_row(
            &self.table,
            statement
                .query(params_from_iter(parameters))
                .map_err(sqlite_failed)?,
        )
    }

    /// The first stored row that has exactly these values, in the columns that are given.
    pub(crate) fn find_matching(
        &self,
        image: &[Option<Value<'_>>],
    ) -> Result<Option<StoredRow>, SqlError> {
        let mut conditions = Vec::new();
        let mut parameters = Vec::new();
        for (column, value) in self.table.columns.iter().zip(image) {
            // A JSON document has many texts, so it is compared as a value below.
            let Some(value) = value
                .as_ref()
                .filter(|_| column.column_type != ColumnType::Json)
            else {
                continue;
            };
            parameters.push(encode(&column.column_type, value)?);
            conditions.push(format!("{} IS ?{}", column.sqlite_name(), parameters.len()));
        }
        if conditions.is_empty() {
            conditions.push("1".to_owned());
        }
        let sql = format!("{} WHERE {}", self.plan.select, conditions.join(" AND "));
        let mut statement = self
            .connection
            .prepare_cached(&sql)
            .map_err(sqlite_failed)?;
        let mut rows = statement
            .query(params_from_iter(parameters))
            .map_err(sqlite_failed)?;
        while let Some(row) = rows.next().map_err(sqlite_failed)? {
            let stored = stored_row(&self.table, row)?;
            let pairs = stored.values.iter().zip(image);
            let mut given = pairs.filter_map(|(stored, value)| Some((stored, value.as_ref()?)));
            if given.all(|(stored, value)| is_same(stored, value)) {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    fn encode_all<'v>(&self, values: &'v [Value<'_>]) -> Result<Vec<ToSqlOutput<'v>>, EngineError> {
        if values.len() != self.table.columns.len() {
            return Err(EngineError::Misuse {
                what: "a row needs one value for each column",
            });
        }
        let pairs = self.table.columns.iter().zip(values);
        pairs
            .map(|(column, value)| encode(&column.column_type, value))
            .collect()
    }

    fn encode_at<'v>(
        &self,
        position: usize,
        values: &'v [Value<'_>],
    ) -> Result<ToSqlOutput<'v>, EngineError> {
        match (self.table.columns.get(position), values.get(position)) {
            (Some(column), Some(value)) => encode(&column.column_type, value),
            _ => Err(EngineError::Misuse {
                what: "a row needs one value for each column",
            }),
        }
    }

    /// Error 1062 when SQLite refused the row for a unique key, else SQLite's failure.
    fn duplicate_or(
        &self,
        error: rusqlite::Error,
        values: &[Value<'_>],
        except: Option<RowId>,
    ) -> SqlError {
        if error.sqlite_error_code() != Some(rusqlite::ErrorCode::ConstraintViolation) {
            return sqlite_failed(error);
        }
        match self.conflict_except(values, except) {
            Ok(Some(conflict)) => self.duplicate_entry(conflict.key, values),
            Ok(None) => sqlite_failed(error),
            Err(other) => other,
        }
    }

    /// Error 1062 for these values under the key at this position.
    #[must_use]
    pub fn duplicate_entry(&self, key: usize, values: &[Value<'_>]) -> SqlError {
        let Some(key) = self.table.keys.get(key) else {
            return SqlError::dup_key_write(&self.table.name);
        };
        duplicate_entry(&self.table, key, values, &TimeZone::utc())
    }
}

/// Error 1062 for these values under `key`; TIMESTAMPs are shown in `zone`.
pub(crate) fn duplicate_entry(
    table: &Table,
    key: &Key,
    values: &[Value<'_>],
    zone: &TimeZone,
) -> SqlError {
    SqlError::dup_entry(key_text(table, key, values, zone), table.key_label(key))
}

fn positions_that_differ(before: &[Value<'_>], after: &[Value<'_>]) -> Vec<usize> {
    let pairs = before.iter().zip(after).enumerate();
    pairs
        .filter(|(_, (before, after))| before != after)
        .map(|(position, _)| position)
        .collect()
}

fn first_row(table: &Table, mut rows: rusqlite::Rows<'_>) -> Result<Option<StoredRow>, SqlError> {
    rows.next()
        .map_err(sqlite_failed)?
        .map(|row| stored_row(table, row))
        .transpose()
}

/// A row of `SELECT rowid, columns`.
pub(crate) fn stored_row(table: &Table, row: &Row<'_>) -> Result<StoredRow, SqlError> {
    Ok(StoredRow {
        id: RowId(row.get(0).map_err(sqlite_failed)?),
        values: decode_row(table, row, 1)?,
    })
}
