//! The rows of one event, applied one by one.

use std::borrow::Cow;
use std::sync::Arc;

use binlog::row::{Row, RowPair, RowsEvent, RowsKind};
use binlog::value::Value;
use binlog::value::json::{self, JsonDiffError};

use super::columns::Mapping;
use super::rules::{Leeway, Resolution, Resolved, Rule};
use super::versions::{Meaning, Versions};
use super::{ApplyError, RowCheck};
use crate::catalog::Table;
use crate::dml::Computed;
use crate::rows::{Coercion, DefaultValue, RowChange, RowWriter, StoredRow, value_text};
use crate::session::TimeZone;
use crate::value::json_text::is_same;
use sql::error::SqlError;

/// Applies the rows of one event.
pub(super) struct Rows<'w> {
    writer: RowWriter<'w>,
    mapping: &'w Mapping,
    kind: RowsKind,
    check: RowCheck,
    /// Where the changes are listed, for events that are to be logged again.
    listed: Option<&'w mut Vec<RowChange>>,
    /// Of a table that has a history on its source.
    versions: Option<Versions>,
    /// For images that leave out generated columns.
    computed: Option<(Computed, Coercion)>,
    /// Whether an insert takes the place of rows in its way.
    replaces: bool,
    /// What the last insert that did so would have ended with.
    replaced: Option<SqlError>,
}

/// `ER_DUP_ENTRY`.
const DUPLICATE: u16 = 1062;

/// Bytes of a row that are shown.
const SHOWN_MAX: usize = 256;

impl<'w> Rows<'w> {
    pub(super) fn new(
        writer: RowWriter<'w>,
        (mapping, versions): (&'w Mapping, Option<Versions>),
        event: &RowsEvent<'_>,
        check: RowCheck,
        listed: Option<&'w mut Vec<RowChange>>,
        computed: Option<(Computed, Coercion)>,
    ) -> Rows<'w> {
        Rows {
            computed,
            versions,
            writer,
            mapping,
            kind: event.kind,
            check,
            listed,
            replaces: false,
            replaced: None,
        }
    }

    /// Applies a row, or does with it what is allowed where it does not fit; whether it says something
    /// of a table's history, which is not kept.
    pub(super) fn apply_within(
        &mut self,
        pair: &RowPair<'_>,
        leeway: &mut Leeway,
    ) -> Result<bool, ApplyError> {
        self.replaces = leeway.rules.replaces(DUPLICATE);
        match self.apply(pair) {
            Ok(is_history) => {
                if let Some(error) = self.replaced.take() {
                    let resolution = Resolution::Replaced;
                    leeway.resolved.push(Resolved {
                        rule: Rule::Idempotent,
                        resolution,
                        error,
                        key: self.shown(pair),
                    });
                }
                Ok(is_history)
            }
            Err(Failure::Sql(error)) => match leeway.rules.rule_for(error.code) {
                Some(rule) => {
                    let key = self.shown(pair);
                    leeway.resolved.push(Resolved {
                        rule,
                        resolution: Resolution::PassedOver,
                        error,
                        key,
                    });
                    Ok(false)
                }
                None => Err(self.explain(Failure::Sql(error))),
            },
            Err(failure) => Err(self.explain(failure)),
        }
    }

    /// The row that an image means, for people: its primary key, or else the columns it has.
    fn shown(&self, pair: &RowPair<'_>) -> String {
        let image = match self.kind {
            RowsKind::Write => &pair.after,
            RowsKind::Update | RowsKind::Delete => &pair.before,
        };
        let table = self.table();
        let key = table.primary_key().map(|key| table.key_positions(key));
        let all = || (0..table.columns.len()).collect();
        let zone = TimeZone::utc();
        let value = |position: usize| {
            let column = table.columns.get(position)?;
            let value = self.local(image, position).ok()??;
            Some(format!(
                "{}={}",
                column.name,
                value_text(column, &value, &zone)
            ))
        };
        let values = key.unwrap_or_else(all).into_iter().filter_map(value);
        let text = values.collect::<Vec<_>>().join(", ");
        let end = text.floor_char_boundary(SHOWN_MAX);
        text.get(..end).unwrap_or_default().to_owned()
    }

    fn apply(&mut self, pair: &RowPair<'_>) -> Result<bool, Failure> {
        let versions = self.versions;
        let meaning = versions.map_or(Meaning::Present, |versions| {
            versions.meaning(self.kind, pair)
        });
        let result = match (meaning, self.kind) {
            (Meaning::Past, _) => Ok(()),
            (Meaning::Ends, _) | (Meaning::Present, RowsKind::Delete) => self.delete(&pair.before),
            (Meaning::Present, RowsKind::Write) => self.write(&pair.after),
            (Meaning::Present, RowsKind::Update) => self.update(&pair.before, &pair.after),
        };
        result.map(|()| meaning != Meaning::Present)
    }

    fn write(&mut self, after: &Row<'_>) -> Result<(), Failure> {
        let mut values = Vec::with_capacity(self.table().columns.len());
        for position in 0..self.table().columns.len() {
            values.push(match self.local(after, position)? {
                Some(value) => value,
                None => self.default(position),
            });
        }
        let values = self.completed(after, values)?;
        match self.writer.insert_unlisted(&values) {
            Err(error) if self.replaces && error.code == DUPLICATE => {
                // As MySQL, which deletes every row in the way, whatever unique key it is in the way of.
                while let Some(conflict) = self.writer.conflict(&values)? {
                    self.writer.delete_unlisted(conflict.row.id)?;
                }
                self.writer.insert_unlisted(&values)?;
                self.replaced = Some(error);
            }
            inserted => drop(inserted?),
        }
        self.list(None, Some(&values));
        Ok(())
    }

    /// Lists a change, if somebody wants to know.
    fn list(&mut self, before: Option<&[Value<'_>]>, after: Option<&[Value<'_>]>) {
        let owned = |row: &[Value<'_>]| -> Vec<Value<'static>> {
            row.iter()
                .map(|value| value.borrowed().into_owned())
                .collect()
        };
        if let Some(listed) = self.listed.as_deref_mut() {
            listed.push(RowChange {
                table: Arc::clone(self.writer.table()),
                before: before.map(owned),
                after: after.map(owned),
            });
        }
    }

    fn update(&mut self, before: &Row<'_>, after: &Row<'_>) -> Result<(), Failure> {
        let stored = self.find(before)?;
        let mut values = Vec::with_capacity(stored.values.len());
        for (position, old) in stored.values.iter().enumerate() {
            if let Some(Some(Value::JsonDiffs(diffs))) = after.get(position) {
                values.push(self.changed_json(before, old, position, diffs)?);
                continue;
            }
            // A column that a partial image leaves out keeps its value.
            values.push(match self.local(after, position)? {
                Some(value) => value,
                None => old.borrowed(),
            });
        }
        let values = self.completed(after, values)?;
        if self
            .writer
            .update_unlisted(stored.id, &stored.values, &values)?
        {
            self.list(Some(&stored.values), Some(&values));
        }
        Ok(())
    }

    /// The row with the generated columns computed that its image leaves out.
    fn completed<'v>(
        &mut self,
        image: &Row<'_>,
        values: Vec<Value<'v>>,
    ) -> Result<Vec<Value<'v>>, Failure> {
        let table = Arc::clone(&self.writer.table);
        let logged = self.mapping.conversions.len();
        let is_missing =
            |position: usize| position >= logged || image.get(position).is_none_or(Option::is_none);
        let mut generated = table.columns.iter().enumerate();
        let any_missing =
            generated.any(|(at, column)| column.generated.is_some() && is_missing(at));
        let Some((computed, coercion)) = self.computed.as_mut().filter(|_| any_missing) else {
            return Ok(values);
        };
        let mut values: Vec<Value<'static>> = values.into_iter().map(Value::into_owned).collect();
        computed.refresh_where(&mut values, is_missing, coercion)?;
        Ok(values)
    }

    /// The JSON value that logged changes make of the one before: of the logged one, or, when the
    /// before image does not have it, of the `stored` one.
    fn changed_json(
        &self,
        before: &Row<'_>,
        stored: &Value<'_>,
        position: usize,
        diffs: &[u8],
    ) -> Result<Value<'static>, Failure> {
        let logged = before.get(position).and_then(Option::as_ref);
        let changed = match logged.unwrap_or(stored) {
            Value::Json(base) => json::apply_diffs(base, diffs),
            _ => {
                let cause = "there is no JSON value before";
                return Err(self.json_conflict(position, cause));
            }
        };
        match changed {
            Ok(value) => Ok(Value::Json(Cow::Owned(value))),
            Err(JsonDiffError::Damaged(error)) => {
                let (table, column) = (&self.table().name, self.column(position));
                Err(SqlError::corrupted_json_diff(table, column, error).into())
            }
            Err(error) => Err(self.json_conflict(position, error)),
        }
    }

    fn json_conflict(&self, position: usize, cause: impl std::fmt::Display) -> Failure {
        let (table, column) = (&self.table().name, self.column(position));
        SqlError::could_not_apply_json_diff(table, column, cause).into()
    }

    fn delete(&mut self, before: &Row<'_>) -> Result<(), Failure> {
        let stored = self.find(before)?;
        self.writer.delete_unlisted(stored.id)?;
        self.list(Some(&stored.values), None);
        Ok(())
    }

    /// The stored row that a before image means: by the first unique key without NULL that the image
    /// has whole, else by all columns that it has.
    fn find(&self, before: &Row<'_>) -> Result<StoredRow, Failure> {
        let mut image = Vec::with_capacity(self.table().columns.len());
        for position in 0..self.table().columns.len() {
            image.push(self.local(before, position)?);
        }
        let found = self.writer.find_image(&image)?;
        let stored = found.ok_or_else(|| SqlError::key_not_found(&self.table().name))?;
        if self.check == RowCheck::BeforeImage {
            self.compare(&stored, &image)?;
        }
        Ok(stored)
    }

    fn compare(&self, stored: &StoredRow, image: &[Option<Value<'_>>]) -> Result<(), Failure> {
        for ((stored, logged), column) in stored.values.iter().zip(image).zip(&self.table().columns)
        {
            if logged
                .as_ref()
                .is_some_and(|logged| !is_same(logged, stored))
            {
                return Err(Failure::BeforeImage(column.name.clone()));
            }
        }
        Ok(())
    }

    /// The value of a local column; `None` when the image does not have it.
    fn local<'v>(&self, row: &'v Row<'_>, position: usize) -> Result<Option<Value<'v>>, Failure> {
        let logged = row.get(position).and_then(Option::as_ref);
        let conversion = self.mapping.conversions.get(position);
        let (Some(logged), Some(conversion)) = (logged, conversion) else {
            return Ok(None);
        };
        match conversion.apply(logged) {
            Some(value) => Ok(Some(value)),
            None => {
                let column = self.column(position);
                Err(Failure::Sql(SqlError::warn_data_out_of_range(column, 1)))
            }
        }
    }

    fn default(&self, position: usize) -> Value<'static> {
        match self.writer.defaults().get(position) {
            Some(DefaultValue::Value(value) | DefaultValue::Missing(value)) => value.clone(),
            // The clock of another server is not this row's.
            _ => Value::Null,
        }
    }

    /// Name of a column.
    fn column(&self, position: usize) -> &str {
        let column = self.table().columns.get(position);
        column.map_or("", |column| column.name.as_str())
    }

    fn table(&self) -> &Table {
        &self.writer.table
    }

    fn explain(&self, failure: Failure) -> ApplyError {
        let table = format!("{}.{}", self.table().database, self.table().name);
        let event = match self.kind {
            RowsKind::Write => "Write_rows",
            RowsKind::Update => "Update_rows",
            RowsKind::Delete => "Delete_rows",
        };
        match failure {
            Failure::Sql(error) if error.code == 1114 || error.code == 1030 => {
                ApplyError::Engine(error.into())
            }
            Failure::Sql(error) => ApplyError::Conflict {
                event,
                table,
                error,
            },
            Failure::BeforeImage(column) => ApplyError::BeforeImage { table, column },
        }
    }
}

/// Why a row was not applied, before it is known for which event.
enum Failure {
    Sql(SqlError),
    BeforeImage(String),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Failure {
        Failure::Sql(error)
    }
}
