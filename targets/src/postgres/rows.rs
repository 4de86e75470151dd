//! Changes of rows, as batches or one by one.

use std::collections::HashMap;
use std::sync::Arc;

use binlog::row::RowsKind;
use binlog::value::Value;
use engine::apply::{Image, ImageChange, Images};
use engine::catalog::{Catalog, Column, Table};
use sql::error::SqlError;

use super::batch::{BatchFailure, BatchRow, Batches, Shape, joined};
use super::cascade::Follower;
use super::error::{duplicate, failed};
use super::link::Link;
use super::names::{index_name, quoted, table_name};
use super::types::{ZeroDates, cast_name, text};
use crate::{RowsChange, RowsOutcome, TargetError};

/// Table maps for which plans are kept.
const IMAGES_MAX: usize = 1024;

/// What takes rows: their plans, and those that are not sent.
pub(super) struct Rows {
    images: HashMap<u64, Images>,
    batches: Batches,
    zero_dates: ZeroDates,
    /// Bytes that were sent since the last commit.
    sent: usize,
}

impl Rows {
    pub(super) fn new(zero_dates: ZeroDates) -> Self {
        Self {
            images: HashMap::new(),
            batches: Batches::default(),
            zero_dates,
            sent: 0,
        }
    }

    /// Bytes that were sent since the last commit.
    pub(super) const fn sent(&self) -> usize {
        self.sent
    }

    /// Forgets what was not sent.
    pub(super) fn clear(&mut self) {
        self.batches.clear();
        self.sent = 0;
        self.images.clear();
    }

    /// After a commit.
    pub(super) const fn committed(&mut self) {
        self.sent = 0;
    }

    /// Takes the rows of an event.
    pub(super) fn take(
        &mut self,
        link: &mut Link,
        catalog: &Arc<Catalog>,
        change: &RowsChange<'_>,
    ) -> Result<RowsOutcome, TargetError> {
        let images = self.images(catalog, change)?;
        let outcome = self.each(catalog, change, &images, |rows, children, table, row| {
            rows.row(link, children, table, row)
        });
        self.keep_images(change, images);
        outcome
    }

    /// How the rows of an event become values.
    pub(super) fn images(
        &mut self,
        catalog: &Arc<Catalog>,
        change: &RowsChange<'_>,
    ) -> Result<Images, TargetError> {
        let known = self.images.remove(&change.map.table_id);
        let fitting = known.filter(|known| known.fits(catalog, change.database, change.map));
        Ok(match fitting {
            Some(images) => images,
            None => Images::new(catalog, change.database, change.map)?,
        })
    }

    pub(super) fn keep_images(&mut self, change: &RowsChange<'_>, images: Images) {
        if self.images.len() >= IMAGES_MAX {
            self.images.clear();
        }
        self.images.insert(change.map.table_id, images);
    }

    /// Hands each row of an event to `take`, with the catalogue where changes of it may have changed
    /// children.
    pub(super) fn each(
        &mut self,
        catalog: &Arc<Catalog>,
        change: &RowsChange<'_>,
        images: &Images,
        mut take: impl FnMut(
            &mut Self,
            Option<&Arc<Catalog>>,
            &Arc<Table>,
            ImageChange<'_>,
        ) -> Result<(), TargetError>,
    ) -> Result<RowsOutcome, TargetError> {
        let table = Arc::clone(images.table());
        let references = catalog.references_to(&table.database, &table.name);
        let follows = Images::is_cascade_unlogged(change.rows) && !references.is_empty();
        let children = follows.then_some(catalog);
        let counted = images.each(change.rows, |row| take(self, children, &table, row))?;
        Ok(RowsOutcome {
            applied: counted.count,
            not_kept: (counted.history > 0).then_some(engine::apply::HISTORY),
            resolved: Vec::new(),
        })
    }

    /// Takes a row, and what becomes of its children where the log does not say it.
    pub(super) fn row(
        &mut self,
        link: &mut Link,
        children: Option<&Arc<Catalog>>,
        table: &Arc<Table>,
        row: ImageChange<'_>,
    ) -> Result<(), TargetError> {
        let Some(catalog) = children else {
            return self.change(link, table, row);
        };
        let follower = Follower::new(catalog, table, &row, self.zero_dates)?;
        self.change(link, table, row)?;
        self.flush(link)?;
        follower.run(link)
    }

    /// Forgets the rows that were not sent.
    pub(super) fn forget_unsent(&mut self) {
        self.batches.clear();
    }

    /// Sends what was not sent, and waits until it is done.
    pub(super) fn flush(&mut self, link: &mut Link) -> Result<(), TargetError> {
        self.send(link)?;
        link.settle()
            .map_err(|(kind, table, failure)| explain(kind, &table, failure))
    }

    /// Begins to send what was not sent.
    fn send(&mut self, link: &mut Link) -> Result<(), TargetError> {
        let sent = self.batches.send(link);
        let sent = sent.map_err(|(kind, table, failure)| explain(kind, &table, failure))?;
        self.sent = self.sent.saturating_add(sent);
        Ok(())
    }

    fn change(
        &mut self,
        link: &mut Link,
        table: &Arc<Table>,
        change: ImageChange<'_>,
    ) -> Result<(), TargetError> {
        match change {
            ImageChange::Insert(values) => {
                let set: Vec<usize> = (0..table.columns.len()).collect();
                let values: Image<'_> = values.into_iter().map(Some).collect();
                let id = match key_of(table, &values) {
                    Some(key) => joined(&self.texts(table, &key, &values, RowsKind::Write)?),
                    None => String::new(),
                };
                let row = BatchRow {
                    id,
                    key: Vec::new(),
                    set: self.texts(table, &set, &values, RowsKind::Write)?,
                };
                let shape = Shape {
                    kind: RowsKind::Write,
                    table,
                    key: Vec::new(),
                    set,
                };
                self.push(link, shape, row)
            }
            ImageChange::Update(before, after) => self.update(link, table, &before, after),
            ImageChange::Delete(before) => {
                let Some(key) = key_of(table, &before) else {
                    self.flush(link)?;
                    return self.one(link, table, &before, None);
                };
                let found = self.texts(table, &key, &before, RowsKind::Delete)?;
                let row = BatchRow {
                    id: joined(&found),
                    key: found,
                    set: Vec::new(),
                };
                let shape = Shape {
                    kind: RowsKind::Delete,
                    table,
                    key,
                    set: Vec::new(),
                };
                self.push(link, shape, row)
            }
        }
    }

    fn update(
        &mut self,
        link: &mut Link,
        table: &Arc<Table>,
        before: &Image<'_>,
        mut after: Image<'_>,
    ) -> Result<(), TargetError> {
        let has_diffs = |value: &Option<Value<'_>>| matches!(value, Some(Value::JsonDiffs(_)));
        if after.iter().any(has_diffs) {
            self.flush(link)?;
            self.with_stored(link, table, before, &mut after)?;
        }
        let key = key_of(table, before);
        let set = set_of(before, &after);
        let Some(key) = key else {
            self.flush(link)?;
            return self.one(link, table, before, Some((&set, &after)));
        };
        let found = self.texts(table, &key, before, RowsKind::Update)?;
        let row = BatchRow {
            id: joined(&found),
            key: found,
            set: self.texts(table, &set, &after, RowsKind::Update)?,
        };
        if set.is_empty() {
            // Nothing changes; the row has to be there nevertheless.
            self.flush(link)?;
            return self.one(link, table, before, Some((&set, &after)));
        }
        // A statement checks keys row by row, in an order of its own.
        let is_alone = moves_a_key(table, before, &after);
        if is_alone {
            self.send(link)?;
        }
        let shape = Shape {
            kind: RowsKind::Update,
            table,
            key,
            set,
        };
        self.push(link, shape, row)?;
        match is_alone {
            true => self.send(link),
            false => Ok(()),
        }
    }

    fn push(
        &mut self,
        link: &mut Link,
        shape: Shape<'_>,
        row: BatchRow,
    ) -> Result<(), TargetError> {
        let is_free = !row.id.is_empty() && shape.table.unique_keys().count() == 1;
        if self.batches.must_wait(&shape, &row, is_free) {
            self.send(link)?;
        }
        self.batches.push(shape, row);
        match self.batches.is_full() {
            true => self.send(link),
            false => Ok(()),
        }
    }

    pub(super) fn texts(
        &self,
        table: &Table,
        positions: &[usize],
        image: &Image<'_>,
        kind: RowsKind,
    ) -> Result<Vec<Option<String>>, TargetError> {
        let texts = positions.iter().map(|at| {
            let (Some(column), Some(Some(value))) = (table.columns.get(*at), image.get(*at)) else {
                return Ok(None);
            };
            text(value, column, self.zero_dates)
        });
        texts
            .collect::<Result<_, _>>()
            .map_err(|error| unsupported(kind, table, error))
    }

    /// Changes or deletes one row that no key finds, or that is to stay as it is.
    fn one(
        &mut self,
        link: &mut Link,
        table: &Table,
        before: &Image<'_>,
        after: Option<(&[usize], &Image<'_>)>,
    ) -> Result<(), TargetError> {
        let kind = match after {
            Some(_) => RowsKind::Update,
            None => RowsKind::Delete,
        };
        let mut parameters = Vec::new();
        let mut bound = |column: &Column, value: Option<String>| {
            parameters.push(value);
            let (at, cast) = (parameters.len(), cast_name(&column.column_type));
            format!("(${at}::text)::{cast}")
        };
        let mut set = Vec::new();
        if let Some((positions, image)) = after {
            let texts = self.texts(table, positions, image, kind)?;
            for (column, value) in columns(table, positions).zip(texts) {
                let value = bound(column, value);
                set.push(format!("{} = {value}", quoted(&column.name)));
            }
        }
        let mut conditions = Vec::new();
        let searched = key_of(table, before);
        for (at, (column, value)) in table.columns.iter().zip(before).enumerate() {
            let is_left_out = searched.as_ref().is_some_and(|key| !key.contains(&at));
            if value.is_none() || is_left_out {
                continue;
            }
            let name = quoted(&column.name);
            let value = self.texts(table, &[at], before, kind)?;
            conditions.push(match value.into_iter().next().flatten() {
                None => format!("{name} IS NULL"),
                value => format!("{name} = {}", bound(column, value)),
            });
        }
        let name = table_name(table);
        let found = match conditions.is_empty() {
            true => "true".to_owned(),
            false => conditions.join(" AND "),
        };
        let row = format!("(SELECT ctid FROM {name} WHERE {found} LIMIT 1)");
        let sql = match (after.is_some(), set.is_empty()) {
            (true, false) => {
                let set = set.join(", ");
                format!("UPDATE {name} SET {set} WHERE ctid = {row}")
            }
            (true, true) => format!("SELECT 1 FROM {name} WHERE ctid = {row}"),
            (false, _) => format!("DELETE FROM {name} WHERE ctid = {row}"),
        };
        match link.execute(&sql, parameters) {
            Ok(1) => Ok(()),
            Ok(_) => Err(explain(kind, table, BatchFailure::Missing)),
            Err(error) => Err(explain(kind, table, BatchFailure::Answer(error))),
        }
    }

    /// Makes whole values of the changes of JSON values, from what is stored.
    fn with_stored(
        &self,
        link: &mut Link,
        table: &Arc<Table>,
        before: &Image<'_>,
        after: &mut Image<'_>,
    ) -> Result<(), TargetError> {
        let kind = RowsKind::Update;
        let Some(key) = key_of(table, before) else {
            let text = "Changes of JSON values of a row without a key; set binlog_row_value_options='' on \
                        the source; that";
            return Err(unsupported(kind, table, SqlError::not_supported(text)));
        };
        let texts = self.texts(table, &key, before, kind)?;
        let found = columns(table, &key).enumerate().map(|(index, column)| {
            let (at, cast) = (index.saturating_add(1), cast_name(&column.column_type));
            format!("{} = (${at}::text)::{cast}", quoted(&column.name))
        });
        let found = found.collect::<Vec<_>>().join(" AND ");
        for (at, column) in table.columns.iter().enumerate() {
            let Some(Some(Value::JsonDiffs(diffs))) = after.get(at) else {
                continue;
            };
            let name = quoted(&column.name);
            let sql = format!(
                "SELECT {name}::text FROM {} WHERE {found}",
                table_name(table)
            );
            let rows = link.ask(&sql, &texts)?;
            let Some(row) = rows.into_iter().next() else {
                return Err(explain(kind, table, BatchFailure::Missing));
            };
            let stored = row.into_iter().next().flatten();
            let base = match stored {
                None => Value::Null,
                Some(text) => {
                    let binary = binlog::value::json::from_text(&text);
                    let binary = binary.map_err(|_| TargetError::misuse("a JSON value"))?;
                    Value::Json(binary.into())
                }
            };
            let changed = Images::with_diffs(table, at, &base, diffs);
            let changed = changed.map_err(|error| conflict(kind, table, error))?;
            if let Some(slot) = after.get_mut(at) {
                *slot = Some(changed);
            }
        }
        Ok(())
    }
}

pub(super) fn columns<'t>(
    table: &'t Table,
    positions: &'t [usize],
) -> impl Iterator<Item = &'t Column> {
    positions.iter().filter_map(|at| table.columns.get(*at))
}

/// The columns that find a row: the first unique key without NULL, of whole columns, that the image has.
fn key_of(table: &Table, image: &Image<'_>) -> Option<Vec<usize>> {
    let has = |at: &usize| matches!(image.get(*at), Some(Some(value)) if !value.is_null());
    let mut keys = table.unique_keys().filter(|key| {
        let is_whole = key.parts.iter().all(|part| part.prefix.is_none());
        let positions = table.key_positions(key);
        is_whole && positions.len() == key.parts.len() && positions.iter().all(has)
    });
    keys.next().map(|key| table.key_positions(key))
}

/// The columns that an update gives values: those that it has and that are not as before.
fn set_of(before: &Image<'_>, after: &Image<'_>) -> Vec<usize> {
    let pairs = before.iter().zip(after).enumerate();
    let changed = pairs.filter(|(_, (before, after))| after.is_some() && before != after);
    changed.map(|(at, _)| at).collect()
}

/// Whether an update gives a row another unique key, as far as its images say.
fn moves_a_key(table: &Table, before: &Image<'_>, after: &Image<'_>) -> bool {
    let mut positions = table.unique_keys().flat_map(|key| table.key_positions(key));
    positions.any(|at| match (before.get(at), after.get(at)) {
        (_, Some(None) | None) => false,
        (Some(before), Some(after)) => before != after,
        (None, Some(Some(_))) => true,
    })
}

fn event(kind: RowsKind) -> &'static str {
    match kind {
        RowsKind::Write => "Write_rows",
        RowsKind::Update => "Update_rows",
        RowsKind::Delete => "Delete_rows",
    }
}

/// An error of a row, in MySQL's words.
fn conflict(kind: RowsKind, table: &Table, error: SqlError) -> TargetError {
    engine::apply::ApplyError::Conflict {
        event: event(kind),
        table: format!("{}.{}", table.database, table.name),
        error,
    }
    .into()
}

/// A value of a row that PostgreSQL does not have.
fn unsupported(kind: RowsKind, table: &Table, error: SqlError) -> TargetError {
    let text = format!(
        "Could not execute {} event on table {}.{}; {}",
        event(kind),
        table.database,
        table.name,
        error.message
    );
    TargetError::Unsupported(SqlError::new(error.code, "HY000", text))
}

/// Why rows of a table could not be changed, in MySQL's words where it has some.
fn explain(kind: RowsKind, table: &Table, failure: BatchFailure) -> TargetError {
    let error = match failure {
        BatchFailure::Missing => {
            return conflict(kind, table, SqlError::key_not_found(&table.name));
        }
        BatchFailure::Answer(error) => error,
    };
    let Some(answer) = duplicate(&error) else {
        return match failed(&error) {
            TargetError::Statement(error) | TargetError::Unsupported(error) => {
                unsupported(kind, table, error)
            }
            other => other,
        };
    };
    // "Key (a, b)=(1, x) already exists."
    let detail = answer.detail().unwrap_or_default();
    let value = detail.split_once(")=(").map_or("", |(_, rest)| rest);
    let value = value.strip_suffix(") already exists.").unwrap_or(value);
    let constraint = answer.constraint().unwrap_or_default();
    let mut keys = table.keys.iter();
    let key = keys.find(|key| index_name(table, key) == constraint);
    let label = key.map_or_else(|| constraint.to_owned(), |key| table.key_label(key));
    let entry = value.replace(", ", "-");
    let text = format!("Duplicate entry '{entry}' for key '{label}'");
    conflict(kind, table, SqlError::new(1062, "23000", text))
}
