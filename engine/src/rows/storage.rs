//! How a MySQL value lies in SQLite: order-preserving, so that SQLite's own comparison is MySQL's.
//!
//! | MySQL                               | SQLite |
//! |-------------------------------------|--------|
//! | integers, YEAR, ENUM, SET, BIT      | INTEGER; from 2^63 on an 8-byte big-endian BLOB, which sorts behind every INTEGER |
//! | DECIMAL(p <= 18, s)                 | INTEGER, the value times 10^s |
//! | DECIMAL(p > 18, s)                  | BLOB, MySQL's packed form |
//! | FLOAT, DOUBLE                       | REAL |
//! | DATE, DATETIME                      | INTEGER, MySQL's packed form |
//! | TIMESTAMP                           | INTEGER, microseconds since 1970 UTC, 0 for the zero date |
//! | TIME                                | INTEGER, microseconds, signed |
//! | CHAR, VARCHAR, TEXT                 | TEXT in UTF-8, whatever the column's character set |
//! | BINARY, VARBINARY, BLOB, spatial, VECTOR | BLOB |
//! | JSON                                | TEXT in MySQL's normal form |
//!
//! Columns have no declared type, so SQLite converts nothing. This table is a file format.

use std::borrow::Cow;

use binlog::value::{Date, DateTime, Decimal, Time, Timestamp, Value};
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};

use super::json;
use crate::catalog::{Column, ColumnType, Table};
use crate::collation::Charset;
use crate::error::EngineError;

/// Most digits of a DECIMAL that is stored as an INTEGER.
pub(crate) const SCALED_DIGITS_MAX: u8 = 18;

const MICROS_PER_SECOND: i64 = 1_000_000;

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
        | (ColumnType::Set { .. }, Value::Set(value)) => unsigned(*value),
        (ColumnType::Enum { .. }, Value::Enum(index)) => integer(i64::from(*index)),
        (ColumnType::Year, Value::Year(year)) => integer(i64::from(*year)),
        (
            ColumnType::Decimal {
                precision, scale, ..
            },
            Value::Decimal(value),
        ) => {
            return decimal(value, *precision, *scale).ok_or_else(|| misfit(column_type, value));
        }
        (ColumnType::Float { .. }, Value::Float(value)) => real(f64::from(*value)),
        (ColumnType::Double { .. }, Value::Double(value)) => real(*value),
        (ColumnType::Date, Value::Date(date)) => integer(date.packed()),
        (ColumnType::DateTime { .. }, Value::DateTime(moment)) => integer(moment.packed()),
        (ColumnType::Time { .. }, Value::Time(time)) => integer(time.as_micros()),
        (ColumnType::Timestamp { .. }, Value::Timestamp(moment)) => {
            integer(i64::from(moment.seconds) * MICROS_PER_SECOND + i64::from(moment.micros))
        }
        (ColumnType::Json, Value::Json(binary)) => {
            let text = json::to_text(binary).map_err(|error| misfit(column_type, error))?;
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
            if collation.charset == Charset::Latin1 && !bytes.is_ascii() {
                let text = Charset::Latin1
                    .decode(bytes)
                    .map_err(|_| misfit(column_type, "bytes"))?;
                return Ok(ToSqlOutput::Owned(Stored::Text(text.into_owned())));
            }
            Ok(ToSqlOutput::Borrowed(ValueRef::Text(bytes)))
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

fn real(value: f64) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(Stored::Real(value))
}

fn unsigned(value: u64) -> ToSqlOutput<'static> {
    match i64::try_from(value) {
        Ok(value) => integer(value),
        Err(_) => ToSqlOutput::Owned(Stored::Blob(value.to_be_bytes().to_vec())),
    }
}

fn decimal(value: &Decimal, precision: u8, scale: u8) -> Option<ToSqlOutput<'static>> {
    if precision <= SCALED_DIGITS_MAX {
        return value
            .unscaled(scale)
            .and_then(|value| i64::try_from(value).ok())
            .map(integer);
    }
    let mut packed = Vec::with_capacity(32);
    value
        .to_packed(&mut packed, precision, scale)
        .then_some(ToSqlOutput::Owned(Stored::Blob(packed)))
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
        (ColumnType::Decimal { scale, .. }, ValueRef::Integer(value)) => {
            Value::Decimal(Decimal::from_unscaled(value, *scale))
        }
        (
            ColumnType::Decimal {
                precision, scale, ..
            },
            ValueRef::Blob(packed),
        ) => {
            let mut reader = codec::Reader::new(packed);
            let value = Decimal::from_packed(&mut reader, *precision, *scale);
            Value::Decimal(value.map_err(|error| misfit(column_type, error))?)
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the column stores values rounded to f32"
        )]
        (ColumnType::Float { .. }, ValueRef::Real(value)) => Value::Float(value as f32),
        (ColumnType::Double { .. }, ValueRef::Real(value)) => Value::Double(value),
        (ColumnType::Date, ValueRef::Integer(packed)) => Value::Date(Date::from_packed(packed)),
        (ColumnType::DateTime { .. }, ValueRef::Integer(packed)) => {
            Value::DateTime(DateTime::from_packed(packed))
        }
        (ColumnType::Time { .. }, ValueRef::Integer(micros)) => {
            Value::Time(time(column_type, micros)?)
        }
        (ColumnType::Timestamp { .. }, ValueRef::Integer(micros)) => {
            Value::Timestamp(timestamp(column_type, micros)?)
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
    match stored {
        ValueRef::Integer(value) => fit(column_type, value),
        ValueRef::Blob(bytes) => {
            let bytes = bytes
                .try_into()
                .map_err(|_| misfit(column_type, "a blob of another length than 8"))?;
            Ok(u64::from_be_bytes(bytes))
        }
        other => Err(misfit(column_type, other.data_type())),
    }
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

fn timestamp(column_type: &ColumnType, micros: i64) -> Result<Timestamp, EngineError> {
    Ok(Timestamp {
        seconds: fit(column_type, micros.div_euclid(MICROS_PER_SECOND))?,
        micros: fit(column_type, micros.rem_euclid(MICROS_PER_SECOND))?,
    })
}

fn json_value(column_type: &ColumnType, text: &[u8]) -> Result<Value<'static>, EngineError> {
    let text = std::str::from_utf8(text).map_err(|error| misfit(column_type, error))?;
    let binary = json::to_binary(text, "").map_err(|error| misfit(column_type, error))?;
    Ok(Value::Json(Cow::Owned(binary)))
}

fn in_charset<'a>(
    column_type: &ColumnType,
    charset: Charset,
    text: &'a [u8],
) -> Result<Cow<'a, [u8]>, EngineError> {
    if charset != Charset::Latin1 || text.is_ascii() {
        return Ok(Cow::Borrowed(text));
    }
    let text = std::str::from_utf8(text).map_err(|error| misfit(column_type, error))?;
    charset
        .encode(text)
        .map_err(|character| misfit(column_type, character))
}
