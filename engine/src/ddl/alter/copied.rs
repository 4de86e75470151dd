//! Values of a column that changes its type, as MySQL copies them from one table to the other. It does
//! so otherwise than an INSERT stores them.

use binlog::value::{Date, DateTime, Value};

use crate::catalog::{Column, ColumnType};
use crate::rows::{EvalValue, eval_of};
use crate::session::{SessionContext, TimeZone};
use sql::error::SqlError;

/// The value of a column; members of ENUM and SET with their number.
pub(super) fn read(column: &Column, value: &Value<'_>, zone: &TimeZone) -> EvalValue {
    let number = match value {
        Value::Enum(member) => Some(u64::from(*member)),
        Value::Set(members) => Some(*members),
        _ => None,
    };
    match (number, eval_of(column, value, zone)) {
        (Some(number), EvalValue::Text(text)) => EvalValue::Member(number, text),
        (_, value) => value,
    }
}

/// What is stored into `new` of a value that `old` holds. Error 1292 for a number zero that should
/// become a date.
pub(super) fn value(
    session: &SessionContext,
    old: &Column,
    new: &Column,
    value: EvalValue,
    row: u64,
) -> Result<EvalValue, SqlError> {
    let kind = match new.column_type {
        ColumnType::Date => Some("date"),
        ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => Some("datetime"),
        _ => None,
    };
    if let Some(kind) = kind {
        let zero = zero_number(old, &value).filter(|_| session.is_strict());
        return match (zero, value) {
            (Some(zero), _) => Err(SqlError::wrong_temporal_value(kind, zero, &new.name, row)),
            // A document counts as its text, quotes included.
            (None, EvalValue::Json(document)) => Ok(EvalValue::Text(document)),
            (None, value) => Ok(value),
        };
    }
    Ok(match (&new.column_type, value) {
        (ColumnType::Year, EvalValue::Member(number, _)) => EvalValue::UInt(number),
        (ColumnType::Year, value) => number_of_moment(value),
        (ColumnType::Bit { .. }, EvalValue::Text(text)) => integer(session, &text)?,
        (ColumnType::Bit { .. }, EvalValue::Binary(bytes)) => {
            integer(session, &String::from_utf8_lossy(&bytes))?
        }
        (ColumnType::Bit { .. }, EvalValue::Json(document)) => integer(session, &document)?,
        (ColumnType::Bit { .. }, value) => number_of_moment(value),
        (
            ColumnType::Char { .. }
            | ColumnType::Varchar { .. }
            | ColumnType::Text { .. }
            | ColumnType::Binary { .. }
            | ColumnType::Varbinary { .. }
            | ColumnType::Blob { .. },
            EvalValue::Int(year),
        ) if old.column_type == ColumnType::Year => EvalValue::Text(format!("{year:04}")),
        (ColumnType::Enum { .. } | ColumnType::Set { .. }, EvalValue::Int(year))
            if old.column_type == ColumnType::Year =>
        {
            EvalValue::Text(format!("{year:04}"))
        }
        (
            ColumnType::Binary { .. } | ColumnType::Varbinary { .. } | ColumnType::Blob { .. },
            EvalValue::Text(text) | EvalValue::Member(_, text),
        ) => bytes_of(old, text),
        (_, value) => value,
    })
}

/// The integer that a text begins with, for a BIT column: bits are numbers here. Error 1292 in strict
/// mode for a text that is not all of one.
fn integer(session: &SessionContext, text: &str) -> Result<EvalValue, SqlError> {
    let written = text.trim_matches(' ');
    let (sign, digits) = match written.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", written.strip_prefix('+').unwrap_or(written)),
    };
    let end = digits
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if (digits.is_empty() || !rest.is_empty()) && session.is_strict() {
        return Err(SqlError::truncated_wrong_value("INTEGER", text));
    }
    let number = format!("{sign}{digits}");
    Ok(match (number.parse(), number.parse()) {
        (Ok(number), _) => EvalValue::Int(number),
        (_, Ok(number)) => EvalValue::UInt(number),
        _ if digits.is_empty() => EvalValue::Int(0),
        _ => EvalValue::UInt(u64::MAX),
    })
}

/// A text in the bytes that it has in its column.
fn bytes_of(old: &Column, text: String) -> EvalValue {
    let encoded = old
        .column_type
        .collation()
        .filter(|collation| !collation.is_binary())
        .and_then(|collation| collation.charset.encode(&text).ok().map(Into::into));
    match encoded {
        Some(bytes) => EvalValue::Binary(bytes),
        None => EvalValue::Text(text),
    }
}

/// The text of a zero of a numeric type.
fn zero_number(old: &Column, value: &EvalValue) -> Option<String> {
    let is_zero = match value {
        EvalValue::Int(number) => *number == 0,
        EvalValue::UInt(number) => *number == 0,
        EvalValue::Float(number) => *number == 0.0,
        EvalValue::Double(number) => *number == 0.0,
        EvalValue::Decimal(number) => number.to_string().chars().all(|c| "0.-".contains(c)),
        EvalValue::Null
        | EvalValue::Digits(_)
        | EvalValue::Text(_)
        | EvalValue::IllFormed(_)
        | EvalValue::Binary(_)
        | EvalValue::Hex(_)
        | EvalValue::Member(..)
        | EvalValue::Date(_)
        | EvalValue::Time(..)
        | EvalValue::DateTime(..)
        | EvalValue::Json(_) => false,
    };
    match &old.column_type {
        _ if !is_zero => None,
        ColumnType::Year => Some("0000".to_owned()),
        ColumnType::Bit { .. } => None,
        _ => value.to_text(),
    }
}

/// A date or time as the number that it is to a numeric column.
fn number_of_moment(value: EvalValue) -> EvalValue {
    let of_date = |year: u16, month: u8, day: u8| {
        (i64::from(year) * 100 + i64::from(month)) * 100 + i64::from(day)
    };
    let of_time = |hours: i64, minutes: u8, seconds: u8| {
        (hours * 100 + i64::from(minutes)) * 100 + i64::from(seconds)
    };
    match value {
        EvalValue::Date(Date { year, month, day }) => EvalValue::Int(of_date(year, month, day)),
        EvalValue::DateTime(
            DateTime {
                year,
                month,
                day,
                hour,
                minute,
                second,
                ..
            },
            _,
        ) => EvalValue::Int(
            of_date(year, month, day) * 1_000_000 + of_time(i64::from(hour), minute, second),
        ),
        EvalValue::Time(time, _) => {
            let number = of_time(i64::from(time.hours), time.minutes, time.seconds);
            EvalValue::Int(if time.negative { -number } else { number })
        }
        other => other,
    }
}
