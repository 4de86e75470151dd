//! Rows: the stored form of each column's value, by the column's declared type.
//!
//! What does not fit its type is an error: it was never written by this engine.

use std::borrow::Cow;

use binlog::value::{Date, DateTime, Time, Value};
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};

use crate::catalog::{Column, ColumnType, Table};
use crate::collation::Charset;
use crate::error::EngineError;
use crate::rows::text::escaped_up_to;
use crate::value::json_text;
use sql::error::SqlError;

/// Most characters of bytes that an error shows.
const SHOWN_MAX: usize = 64;

/// The stored form of `value` in a column of `column_type`. The value must be of the type.
pub fn encode<'a>(
    column_type: &ColumnType,
    value: &'a Value<'_>,
) -> Result<ToSqlOutput<'a>, EngineError> {
    let stored = match (column_type, value) {
        (_, Value::Null) => return Ok(ToSqlOutput::Owned(Stored::Null)),
        (ColumnType::Integer { .. }, Value::Int(value)) => integer(*value),
        (ColumnType::Integer { .. }, Value::UInt(value))
        | (ColumnType::Bit { .. }, Value::Bit(value))
        | (ColumnType::Set { .. }, Value::Set(value)) => {
            ToSqlOutput::Owned(super::unsigned(*value))
        }
        (ColumnType::Enum { .. }, Value::Enum(index)) => integer(i64::from(*index)),
        (ColumnType::Year, Value::Year(year)) => integer(i64::from(*year)),
        (
            ColumnType::Decimal {
                precision, scale, ..
            },
            Value::Decimal(value),
        ) => {
            let stored = super::decimal(value, *precision, *scale);
            ToSqlOutput::Owned(stored.ok_or_else(|| misfit(column_type, value))?)
        }
        (ColumnType::Float { .. }, Value::Float(value)) => ToSqlOutput::Owned(super::float(*value)),
        (ColumnType::Double { .. }, Value::Double(value)) => {
            ToSqlOutput::Owned(Stored::Real(*value))
        }
        (ColumnType::Date, Value::Date(date)) => integer(date.packed()),
        (ColumnType::DateTime { .. }, Value::DateTime(moment)) => integer(moment.packed()),
        (ColumnType::Time { .. }, Value::Time(time)) => integer(time.as_micros()),
        (ColumnType::Timestamp { .. }, Value::Timestamp(moment)) => {
            integer(super::timestamp(*moment))
        }
        (ColumnType::Json, Value::Json(binary)) => {
            let text = json_text::to_text(binary).map_err(|error| misfit(column_type, error))?;
            ToSqlOutput::Owned(Stored::Text(text))
        }
        (_, Value::Bytes(bytes)) => return bytes_of(column_type, bytes),
        (_, _) => return Err(misfit(column_type, "a value of another type")),
    };
    Ok(stored)
}

fn bytes_of<'a>(column_type: &ColumnType, bytes: &'a [u8]) -> Result<ToSqlOutput<'a>, EngineError> {
    match column_type {
        ColumnType::Char { collation, .. }
        | ColumnType::Varchar { collation, .. }
        | ColumnType::Text { collation, .. } => {
            let charset = collation.charset;
            let unknown = || {
                let shown = escaped_up_to(bytes, SHOWN_MAX);
                EngineError::Sql(SqlError::invalid_character_string(charset.name(), shown))
            };
            Ok(match charset.keep(bytes).ok_or_else(unknown)? {
                Cow::Borrowed(kept) => ToSqlOutput::Borrowed(ValueRef::Text(kept)),
                Cow::Owned(kept) => ToSqlOutput::Owned(Stored::Text(
                    String::from_utf8(kept).map_err(|error| misfit(column_type, error))?,
                )),
            })
        }
        ColumnType::Binary { length } if bytes.len() < usize::from(*length) => {
            let mut padded = bytes.to_vec();
            padded.resize(usize::from(*length), 0);
            Ok(ToSqlOutput::Owned(Stored::Blob(padded)))
        }
        ColumnType::Binary { .. }
        | ColumnType::Varbinary { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. } => Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
        _ => Err(misfit(column_type, "bytes")),
    }
}

fn integer(value: i64) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(Stored::Integer(value))
}

fn misfit(column_type: &ColumnType, found: impl std::fmt::Display) -> EngineError {
    EngineError::Corrupt {
        found: format!("a column of type {column_type} cannot hold {found}"),
    }
}

/// The MySQL value of a stored one.
pub fn decode<'a>(
    column_type: &ColumnType,
    stored: ValueRef<'a>,
) -> Result<Value<'a>, EngineError> {
    Ok(match (column_type, stored) {
        (_, ValueRef::Null) => Value::Null,
        (
            ColumnType::Integer {
                unsigned: false, ..
            },
            ValueRef::Integer(value),
        ) => Value::Int(value),
        (ColumnType::Integer { .. }, stored) => Value::UInt(to_unsigned(column_type, stored)?),
        (ColumnType::Bit { .. }, stored) => Value::Bit(to_unsigned(column_type, stored)?),
        (ColumnType::Set { .. }, stored) => Value::Set(to_unsigned(column_type, stored)?),
        (ColumnType::Enum { .. }, ValueRef::Integer(index)) => {
            Value::Enum(fit(column_type, index)?)
        }
        (ColumnType::Year, ValueRef::Integer(year)) => Value::Year(fit(column_type, year)?),
        (
            ColumnType::Decimal {
                precision, scale, ..
            },
            stored,
        ) => {
            let value = super::read_decimal(stored, *precision, *scale);
            Value::Decimal(value.ok_or_else(|| misfit(column_type, stored.data_type()))?)
        }
        (ColumnType::Float { .. }, ValueRef::Real(value)) => Value::Float(super::read_float(value)),
        (ColumnType::Double { .. }, ValueRef::Real(value)) => Value::Double(value),
        (ColumnType::Date, ValueRef::Integer(packed)) => Value::Date(Date::from_packed(packed)),
        (ColumnType::DateTime { .. }, ValueRef::Integer(packed)) => {
            Value::DateTime(DateTime::from_packed(packed))
        }
        (ColumnType::Time { .. }, ValueRef::Integer(micros)) => {
            Value::Time(time(column_type, micros)?)
        }
        (ColumnType::Timestamp { .. }, ValueRef::Integer(micros)) => {
            let moment = super::read_timestamp(micros);
            Value::Timestamp(moment.ok_or_else(|| misfit(column_type, micros))?)
        }
        (ColumnType::Json, ValueRef::Text(text)) => json_value(column_type, text)?,
        (
            ColumnType::Char { collation, .. }
            | ColumnType::Varchar { collation, .. }
            | ColumnType::Text { collation, .. },
            ValueRef::Text(text),
        ) => Value::Bytes(in_charset(column_type, collation.charset, text)?),
        (_, ValueRef::Blob(bytes)) => Value::Bytes(Cow::Borrowed(bytes)),
        (_, other) => return Err(misfit(column_type, other.data_type())),
    })
}

/// The MySQL values of a row whose columns begin at `first` of a SQLite row.
pub fn decode_row(
    table: &Table,
    row: &rusqlite::Row<'_>,
    first: usize,
) -> Result<Vec<Value<'static>>, EngineError> {
    let value = |(position, column): (usize, &Column)| {
        let stored = row
            .get_ref(first + position)
            .map_err(|source| EngineError::Sqlite {
                doing: "read a row",
                source,
            })?;
        Ok(decode(&column.column_type, stored)?.into_owned())
    };
    table.columns.iter().enumerate().map(value).collect()
}

fn to_unsigned(column_type: &ColumnType, stored: ValueRef<'_>) -> Result<u64, EngineError> {
    super::read_unsigned(stored).ok_or_else(|| misfit(column_type, stored.data_type()))
}

fn fit<T: TryFrom<i64>>(column_type: &ColumnType, value: i64) -> Result<T, EngineError> {
    T::try_from(value).map_err(|_| misfit(column_type, value))
}

fn time(column_type: &ColumnType, micros: i64) -> Result<Time, EngineError> {
    let magnitude = micros.unsigned_abs();
    let seconds = magnitude / 1_000_000;
    let part = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Ok(Time {
        negative: micros < 0,
        hours: fit(column_type, part(seconds / 3600))?,
        minutes: fit(column_type, part(seconds / 60 % 60))?,
        seconds: fit(column_type, part(seconds % 60))?,
        micros: fit(column_type, part(magnitude % 1_000_000))?,
    })
}

fn json_value(column_type: &ColumnType, text: &[u8]) -> Result<Value<'static>, EngineError> {
    let text = std::str::from_utf8(text).map_err(|error| misfit(column_type, error))?;
    let binary = json_text::to_binary(text, "").map_err(|error| misfit(column_type, error))?;
    Ok(Value::Json(Cow::Owned(binary)))
}

fn in_charset<'a>(
    column_type: &ColumnType,
    charset: Charset,
    text: &'a [u8],
) -> Result<Cow<'a, [u8]>, EngineError> {
    charset
        .give_back(text)
        .map_err(|character| misfit(column_type, character))
}
