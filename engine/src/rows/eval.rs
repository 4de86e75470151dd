//! `EvalValue`: what an expression evaluates to, before it meets a column.

use binlog::value::{Date, DateTime, Decimal, Time, Value};

use super::text::value_text;
use crate::catalog::Column;
use crate::session::TimeZone;
use crate::value::double_text::{computed, computed_float};

/// Most digits of a DECIMAL behind the point.
const SCALE_MAX: usize = 30;

/// The value of an expression, of a user variable, or of a statement's parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum EvalValue {
    /// NULL.
    Null,
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A FLOAT; its text has six digits.
    Float(f32),
    /// A DOUBLE.
    Double(f64),
    /// What a FLOAT or DOUBLE holds, for another column of that type, whose digits do not count.
    Raw(f64),
    /// An exact number.
    Decimal(Decimal),
    /// An exact number of more digits than a DECIMAL has, as a statement writes it.
    Digits(String),
    /// Characters.
    Text(String),
    /// Text of the connection's character set that is not well-formed.
    IllFormed(Vec<u8>),
    /// Bytes without a character set.
    Binary(Vec<u8>),
    /// The bytes of a hexadecimal or bit literal: a number to a numeric column.
    Hex(Vec<u8>),
    /// A member of an ENUM, or members of a SET: a number to a numeric column, its name to others.
    Member(u64, String),
    /// A date.
    Date(Date),
    /// A span of time, and how many fractional digits it shows.
    Time(Time, u8),
    /// A date and time in the session's time zone, and how many fractional digits it shows.
    DateTime(DateTime, u8),
    /// A JSON document as MySQL prints it.
    Json(String),
    /// A value of a column, for another column that takes it by a rule of its own: text or bytes that
    /// are cut in a shorter column of their very type, times for integers, documents for times.
    Copied(Box<EvalValue>),
}

impl EvalValue {
    /// Whether this is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, EvalValue::Null)
    }

    /// Bytes of the value that grow with it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            EvalValue::Digits(text)
            | EvalValue::Member(_, text)
            | EvalValue::Text(text)
            | EvalValue::Json(text) => text.len(),
            EvalValue::IllFormed(bytes) | EvalValue::Binary(bytes) | EvalValue::Hex(bytes) => {
                bytes.len()
            }
            EvalValue::Copied(value) => value.bytes(),
            EvalValue::Null
            | EvalValue::Int(_)
            | EvalValue::UInt(_)
            | EvalValue::Float(_)
            | EvalValue::Double(_)
            | EvalValue::Raw(_)
            | EvalValue::Decimal(_)
            | EvalValue::Date(_)
            | EvalValue::Time(..)
            | EvalValue::DateTime(..) => 0,
        }
    }

    /// The value as text, as CONCAT would use it; `None` for NULL. Bytes that are not UTF-8 are
    /// replaced: error messages use this.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            EvalValue::Null => return None,
            EvalValue::Int(value) => value.to_string(),
            EvalValue::UInt(value) => value.to_string(),
            EvalValue::Float(value) => computed_float(*value),
            EvalValue::Double(value) | EvalValue::Raw(value) => computed(*value),
            EvalValue::Decimal(value) => value.to_string(),
            EvalValue::Digits(text)
            | EvalValue::Member(_, text)
            | EvalValue::Text(text)
            | EvalValue::Json(text) => text.clone(),
            EvalValue::IllFormed(bytes) | EvalValue::Binary(bytes) | EvalValue::Hex(bytes) => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            EvalValue::Copied(value) => return value.to_text(),
            EvalValue::Date(date) => date.text(),
            EvalValue::Time(time, fsp) => time.text(*fsp),
            EvalValue::DateTime(moment, fsp) => moment.text(*fsp),
        })
    }
}

/// The digits of [`EvalValue::Digits`] that a DECIMAL holds; `None` for too many before the point.
pub(crate) fn decimal_of(digits: &str) -> Option<Decimal> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let places = Decimal::DIGITS_MAX.checked_sub(whole.trim_start_matches('-').len())?;
    let kept = fraction.get(..places.min(SCALE_MAX)).unwrap_or(fraction);
    match kept {
        "" => whole.parse().ok(),
        kept => format!("{whole}.{kept}").parse().ok(),
    }
}

/// A column's value as an expression sees it; TIMESTAMPs are shown in `zone`.
pub(crate) fn eval_of(column: &Column, value: &Value<'_>, zone: &TimeZone) -> EvalValue {
    match (value, &column.column_type) {
        (Value::Null, _) => EvalValue::Null,
        (Value::Int(value), _) => EvalValue::Int(*value),
        (Value::UInt(value) | Value::Bit(value), _) => EvalValue::UInt(*value),
        (Value::Year(year), _) => EvalValue::Int(i64::from(*year)),
        (Value::Float(value), _) => EvalValue::Float(*value),
        (Value::Double(value), _) => EvalValue::Double(*value),
        (Value::Decimal(value), _) => EvalValue::Decimal(*value),
        (Value::Date(date), _) => EvalValue::Date(*date),
        (Value::Time(time), _) => EvalValue::Time(*time, column.column_type.fsp()),
        (Value::DateTime(moment), _) => EvalValue::DateTime(*moment, column.column_type.fsp()),
        (Value::Timestamp(moment), _) => {
            EvalValue::DateTime(zone.to_local(*moment), column.column_type.fsp())
        }
        // The member that stands for none is no empty text.
        (Value::Enum(0), _) => EvalValue::Member(0, String::new()),
        (Value::Bytes(bytes), column_type) if column_type.collation().is_none() => {
            EvalValue::Binary(bytes.to_vec())
        }
        (Value::JsonDiffs(diffs), _) => EvalValue::Binary(diffs.to_vec()),
        (Value::Json(_), _) => EvalValue::Json(value_text(column, value, zone)),
        (Value::Bytes(_) | Value::Enum(_) | Value::Set(_), _) => {
            EvalValue::Text(value_text(column, value, zone))
        }
    }
}
