//! Rows that may not fit, under `replica_exec_mode=IDEMPOTENT`.
//!
//! An event is sent whole behind a savepoint, and its answer waited for; one with a row that does not fit
//! is undone, and its rows are sent one by one, so that each that is let pass is known.

use std::sync::Arc;

use binlog::row::RowsKind;
use binlog::value::Value;
use engine::apply::{Image, ImageChange};
use engine::catalog::{Catalog, Table};

use super::link::Link;
use super::names::{quoted, table_name};
use super::rows::{Rows, columns};
use super::types::cast_name;
use crate::{Resolution, Resolved, RowRules, RowsChange, RowsOutcome, TargetError};

/// Bytes of a row that are shown.
const SHOWN_MAX: usize = 256;

impl Rows {
    /// Takes the rows of an event by these rules.
    pub(super) fn take_leniently(
        &mut self,
        link: &mut Link,
        catalog: &Arc<Catalog>,
        change: &RowsChange<'_>,
        rules: &RowRules,
    ) -> Result<RowsOutcome, TargetError> {
        self.flush(link)?;
        let whole = self.tried(link, |rows, link| rows.take(link, catalog, change))?;
        match whole {
            Err(error) if rules.rule_for(error.code()).is_some() => {}
            outcome => return outcome,
        }
        let mut resolved = Vec::new();
        let images = self.images(catalog, change)?;
        let outcome = self.each(catalog, change, &images, |rows, children, table, row| {
            let one = row.clone();
            let tried = rows.tried(link, |rows, link| rows.row(link, children, table, one))?;
            let Err(error) = tried else { return Ok(()) };
            resolved.push(rows.resolve(link, table, row, error, rules)?);
            Ok(())
        });
        self.keep_images(change, images);
        let outcome = outcome?;
        let is_passed = |row: &&Resolved| row.resolution == Resolution::PassedOver;
        let passed = resolved.iter().filter(is_passed).count() as u64;
        Ok(RowsOutcome {
            applied: outcome.applied.saturating_sub(passed),
            resolved,
            ..outcome
        })
    }

    /// Does something behind a savepoint: all of it, or, with the inner error, nothing.
    fn tried<T>(
        &mut self,
        link: &mut Link,
        work: impl FnOnce(&mut Self, &mut Link) -> Result<T, TargetError>,
    ) -> Result<Result<T, TargetError>, TargetError> {
        link.run("SAVEPOINT weir_rows")?;
        let done = work(self, link).and_then(|done| self.flush(link).map(|()| done));
        match done {
            Ok(done) => {
                link.run("RELEASE SAVEPOINT weir_rows")?;
                Ok(Ok(done))
            }
            Err(error @ TargetError::Conflict(_)) => {
                self.forget_unsent();
                // What was on its way is undone with the rest.
                let _ = link.settle();
                link.run("ROLLBACK TO SAVEPOINT weir_rows; RELEASE SAVEPOINT weir_rows")?;
                Ok(Err(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Does with a row that does not fit what the rules say, or gives the error back.
    fn resolve(
        &mut self,
        link: &mut Link,
        table: &Arc<Table>,
        row: ImageChange<'_>,
        error: TargetError,
        rules: &RowRules,
    ) -> Result<Resolved, TargetError> {
        let Some(rule) = rules.rule_for(error.code()) else {
            return Err(error);
        };
        let key = self.shown(table, &row);
        let resolution = match row {
            ImageChange::Insert(values) if rules.replaces(error.code()) => {
                self.replace(link, table, values)?;
                Resolution::Replaced
            }
            ImageChange::Insert(_) | ImageChange::Update(..) | ImageChange::Delete(_) => {
                Resolution::PassedOver
            }
        };
        Ok(Resolved {
            rule,
            resolution,
            error: error.sql().clone(),
            key,
        })
    }

    /// Puts a row into the place of those in its way. One that is in the way of a key by a prefix stays,
    /// and stops the applier.
    fn replace(
        &mut self,
        link: &mut Link,
        table: &Arc<Table>,
        values: Vec<Value<'_>>,
    ) -> Result<(), TargetError> {
        let image: Image<'_> = values.iter().cloned().map(Some).collect();
        for key in table.unique_keys() {
            let positions = table.key_positions(key);
            let texts = self.texts(table, &positions, &image, RowsKind::Write)?;
            let is_whole = key.parts.iter().all(|part| part.prefix.is_none());
            // NULL is in nobody's way.
            if !is_whole || texts.iter().any(Option::is_none) {
                continue;
            }
            let found = columns(table, &positions)
                .enumerate()
                .map(|(index, column)| {
                    let (at, cast) = (index.saturating_add(1), cast_name(&column.column_type));
                    format!("{} = (${at}::text)::{cast}", quoted(&column.name))
                });
            let found = found.collect::<Vec<_>>().join(" AND ");
            let sql = format!("DELETE FROM {} WHERE {found}", table_name(table));
            let deleted = link.execute(&sql, texts);
            deleted.map_err(|error| super::error::failed(&error))?;
        }
        self.row(link, None, table, ImageChange::Insert(values))?;
        self.flush(link)
    }

    /// The row that an image means, for people: its primary key, or else the columns that it has.
    fn shown(&self, table: &Table, row: &ImageChange<'_>) -> String {
        let image: Image<'_> = match row {
            ImageChange::Insert(values) => values.iter().cloned().map(Some).collect(),
            ImageChange::Update(before, _) | ImageChange::Delete(before) => before.clone(),
        };
        let key = table.primary_key().map(|key| table.key_positions(key));
        let all = || (0..table.columns.len()).collect();
        let positions: Vec<usize> = key.unwrap_or_else(all);
        let value = |at: &usize| {
            let column = table.columns.get(*at)?;
            image.get(*at)?.as_ref()?;
            let texts = self.texts(table, &[*at], &image, RowsKind::Write).ok()?;
            let text = texts.into_iter().next()?;
            Some(format!(
                "{}={}",
                column.name,
                text.as_deref().unwrap_or("NULL")
            ))
        };
        let mut shown = positions
            .iter()
            .filter_map(value)
            .collect::<Vec<_>>()
            .join(", ");
        shown.truncate(shown.floor_char_boundary(SHOWN_MAX));
        shown
    }
}
