//! A new row from what an INSERT gives: coercion, defaults, AUTO_INCREMENT.

use binlog::value::Value;

use super::default::{DefaultValue, now};
use super::{Coercion, RowWriter};
use crate::catalog::Column;
use crate::session::SessionContext;
use crate::value::datum::Datum;
use crate::value::sourced::Sourced;
use sql::SqlMode;
use sql::error::SqlError;

/// A row that is ready to be inserted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRow {
    /// A value for each column.
    pub values: Vec<Value<'static>>,
    /// The AUTO_INCREMENT value, if one was generated.
    pub generated: Option<u64>,
}

impl RowWriter<'_> {
    /// The default of each column.
    #[must_use]
    pub fn defaults(&self) -> &[DefaultValue] {
        &self.plan.defaults
    }

    /// Makes the row of one VALUES list; `given` has an entry for each column, `None` for a column
    /// that takes its default. `complete` fills in what expressions give, when all else is known
    /// but the AUTO_INCREMENT value: an id is taken only for a row that can be stored.
    pub fn new_row(
        &mut self,
        given: Vec<Option<Sourced>>,
        coercion: &mut Coercion,
        session: &mut SessionContext,
        complete: impl FnOnce(&mut [Value<'static>], &mut Coercion) -> Result<(), SqlError>,
    ) -> Result<NewRow, SqlError> {
        let table = std::sync::Arc::clone(&self.table);
        if coercion.table != table.name {
            coercion.table.clone_from(&table.name);
        }
        let mut row = NewRow {
            values: Vec::with_capacity(table.columns.len()),
            generated: None,
        };
        let mut automatic = None;
        let mut given = given.into_iter();
        for (position, column) in table.columns.iter().enumerate() {
            let value = given.next().flatten();
            let stored = match value {
                value if column.auto_increment => {
                    automatic = Some((position, column, value));
                    Value::Null
                }
                _ if column.generated.is_some() => Value::Null,
                Some(value) => coercion.store(column, value)?,
                None if self.is_computed(position) => Value::Null,
                None => self.default_at(position, column, coercion, session)?,
            };
            row.values.push(stored);
        }
        complete(&mut row.values, coercion)?;
        if let Some((position, column, value)) = automatic {
            let id = self.automatic(column, value, coercion, session, &mut row.generated)?;
            if let Some(place) = row.values.get_mut(position) {
                *place = id;
            }
        }
        Ok(row)
    }

    /// Whether the default of the column at this position is an expression.
    fn is_computed(&self, position: usize) -> bool {
        matches!(
            self.plan.defaults.get(position),
            Some(DefaultValue::Expression(_))
        )
    }

    /// The default of a column as a value. Error 1364 when it has none, 1235 when an expression was
    /// not evaluated by the statement.
    pub fn default_at(
        &self,
        position: usize,
        column: &Column,
        coercion: &mut Coercion,
        session: &SessionContext,
    ) -> Result<Value<'static>, SqlError> {
        match self.plan.defaults.get(position) {
            Some(DefaultValue::Value(value)) => Ok(value.clone()),
            Some(DefaultValue::Now) => Ok(now(column, session)),
            Some(DefaultValue::Missing(value)) => {
                coercion.problem(SqlError::no_default_for_field(&column.name))?;
                Ok(value.clone())
            }
            Some(DefaultValue::Expression(_)) | None => {
                Err(SqlError::not_supported("DEFAULT (expression)"))
            }
        }
    }

    /// The value of the AUTO_INCREMENT column: NULL, nothing and (unless sql_mode says otherwise)
    /// zero ask for the next id.
    fn automatic(
        &mut self,
        column: &Column,
        given: Option<Sourced>,
        coercion: &mut Coercion,
        session: &mut SessionContext,
        generated: &mut Option<u64>,
    ) -> Result<Value<'static>, SqlError> {
        if let Some(value) = given.filter(|value| !value.is_null()) {
            let stored = coercion.store(column, value)?;
            let keeps_zero = session.sql_mode.contains(SqlMode::NO_AUTO_VALUE_ON_ZERO);
            if keeps_zero || !is_zero(&stored) {
                return Ok(stored);
            }
        }
        let id = match session.insert_id.take() {
            Some(id) => id,
            None => {
                let (increment, offset) = (
                    session.auto_increment_increment,
                    session.auto_increment_offset,
                );
                self.counters.take(&self.table, increment, offset)?
            }
        };
        *generated = Some(id);
        coercion.store(column, Datum::UInt(id).into())
    }

    /// Sets the `ON UPDATE CURRENT_TIMESTAMP` columns of a row that changes; `assigned` are the
    /// positions that the statement sets itself.
    pub fn touch(
        &self,
        before: &[Value<'static>],
        after: &mut [Value<'static>],
        assigned: &[usize],
        session: &SessionContext,
    ) {
        if before == after {
            return;
        }
        for (position, column) in self.table.columns.iter().enumerate() {
            let follows_clock = column.on_update_now && !assigned.contains(&position);
            if let Some(value) = after.get_mut(position).filter(|_| follows_clock) {
                *value = now(column, session);
            }
        }
    }
}

fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Int(value) => *value == 0,
        Value::UInt(value) => *value == 0,
        Value::Float(value) => *value == 0.0,
        Value::Double(value) => *value == 0.0,
        _ => false,
    }
}
