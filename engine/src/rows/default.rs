//! What a column holds when a statement gives it no value.

use std::borrow::Cow;

use binlog::value::{Date, DateTime, Decimal, Time, Timestamp, Value};

use super::Coercion;
use super::text::value_text;
use crate::catalog::{Column, ColumnDefault, ColumnType, Table};
use crate::error::EngineError;
use crate::session::{SessionContext, TimeZone};
use crate::value::datum::Datum;
use crate::value::double::format_fixed;
use crate::value::sourced::Sourced;
use crate::value::temporal::Moment;
use sql::SqlMode;
use sql::error::SqlError;

/// The default of one column, ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// A value of the column's type.
    Value(Value<'static>),
    /// The statement's time.
    Now,
    /// The text of an expression that must be evaluated for each row.
    Expression(String),
    /// None: error 1364 in strict mode, else this value with a warning.
    Missing(Value<'static>),
}

/// The defaults of a table's columns, in table order.
pub(crate) fn defaults(table: &Table) -> Result<Vec<DefaultValue>, EngineError> {
    table.columns.iter().map(default).collect()
}

/// The default of a column.
pub(crate) fn default(column: &Column) -> Result<DefaultValue, EngineError> {
    Ok(match &column.default {
        // Computed, not given.
        ColumnDefault::None if column.generated.is_some() => DefaultValue::Value(Value::Null),
        ColumnDefault::None if column.nullable => DefaultValue::Missing(Value::Null),
        // An ENUM that may not be NULL begins at its first member.
        ColumnDefault::None if matches!(column.column_type, ColumnType::Enum { .. }) => {
            DefaultValue::Value(Value::Enum(1))
        }
        ColumnDefault::None => DefaultValue::Missing(implicit(column)),
        ColumnDefault::Null => DefaultValue::Value(Value::Null),
        ColumnDefault::CurrentTimestamp => DefaultValue::Now,
        ColumnDefault::Expression(text) => DefaultValue::Expression(text.clone()),
        ColumnDefault::Literal(text) => DefaultValue::Value(literal(column, text)?),
    })
}

/// The value of a stored literal.
fn literal(column: &Column, text: &str) -> Result<Value<'static>, EngineError> {
    let value = match &column.column_type {
        ColumnType::Bit { .. } => Datum::UInt(text.parse().unwrap_or_default()).into(),
        ColumnType::Binary { .. } | ColumnType::Varbinary { .. } => Sourced::bytes(
            text.chars()
                .filter_map(|character| u8::try_from(character).ok())
                .collect(),
        ),
        _ => Datum::text(text).into(),
    };
    let mut coercion = Coercion::strict(SqlMode::default(), &TimeZone::utc());
    // ALTER may have given the column a type that has no such value.
    coercion
        .store(column, value)
        .map_err(|_| EngineError::Sql(SqlError::invalid_default(&column.name)))
}

/// The text under which a literal default is kept: see [`ColumnDefault::Literal`].
pub(crate) fn default_text(column: &Column, value: &Value<'_>) -> String {
    match (&column.column_type, value) {
        (ColumnType::Binary { .. } | ColumnType::Varbinary { .. }, Value::Bytes(bytes)) => {
            bytes.iter().map(|byte| char::from(*byte)).collect()
        }
        (
            ColumnType::Integer {
                zerofill: true,
                width: Some(width),
                ..
            },
            Value::UInt(number),
        ) => format!("{number:0>width$}", width = usize::from(*width)),
        (
            ColumnType::Float {
                digits: Some((_, scale)),
                ..
            },
            Value::Float(number),
        ) => format_fixed((*number).into(), *scale),
        (
            ColumnType::Double {
                digits: Some((_, scale)),
                ..
            },
            Value::Double(number),
        ) => format_fixed(*number, *scale),
        _ => value_text(column, value, &TimeZone::utc()),
    }
}

/// The text of a TIMESTAMP column's literal default, which is kept in UTC, on the clock of a zone.
#[must_use]
pub fn local_default(column: &Column, text: &str, zone: &TimeZone) -> String {
    match literal(column, text) {
        Ok(value) => value_text(column, &value, zone),
        Err(_) => text.to_owned(),
    }
}

/// The value that stands for "nothing given" in a column that may not be NULL.
pub(crate) fn implicit(column: &Column) -> Value<'static> {
    if let Some(form) = column.shown {
        return Value::Bytes(Cow::Borrowed(form.implicit().as_bytes()));
    }
    match &column.column_type {
        ColumnType::Integer { unsigned: true, .. } => Value::UInt(0),
        ColumnType::Integer { .. } => Value::Int(0),
        ColumnType::Decimal { scale, .. } => Value::Decimal(Decimal::from_unscaled(0, *scale)),
        ColumnType::Float { .. } => Value::Float(0.0),
        ColumnType::Double { .. } => Value::Double(0.0),
        ColumnType::Bit { .. } => Value::Bit(0),
        ColumnType::Year => Value::Year(0),
        ColumnType::Date => Value::Date(Date::default()),
        ColumnType::Time { .. } => Value::Time(Time::default()),
        ColumnType::DateTime { .. } => Value::DateTime(DateTime::default()),
        ColumnType::Timestamp { .. } => Value::Timestamp(Timestamp::default()),
        ColumnType::Enum { .. } => Value::Enum(1),
        ColumnType::Set { .. } => Value::Set(0),
        ColumnType::Binary { length } => Value::Bytes(Cow::Owned(vec![0; usize::from(*length)])),
        // No bytes stand for JSON null.
        ColumnType::Json => Value::Json(Cow::Borrowed(&[])),
        _ => Value::Bytes(Cow::Borrowed(&[])),
    }
}

/// The statement's time as a value of `column`, with the digits of its type.
pub(crate) fn now(column: &Column, session: &SessionContext) -> Value<'static> {
    let fsp = column.column_type.fsp();
    let local = local_now(session);
    let cut = local.truncate(fsp);
    match column.column_type {
        ColumnType::Timestamp { .. } => {
            let moment = moment_of(session);
            Value::Timestamp(Timestamp {
                seconds: moment.seconds,
                micros: cut.micros,
            })
        }
        ColumnType::Date => Value::Date(local.into()),
        _ => Value::DateTime(cut.into()),
    }
}

/// The clock of the session's time zone at the statement's time.
pub(crate) fn local_now(session: &SessionContext) -> Moment {
    session.time_zone.to_local(moment_of(session))
}

fn moment_of(session: &SessionContext) -> Timestamp {
    let micros = session.now_micros.max(0);
    Timestamp {
        seconds: u32::try_from(micros / 1_000_000).unwrap_or(u32::MAX),
        micros: u32::try_from(micros % 1_000_000).unwrap_or(0),
    }
}
