//! Cells of rows and of results as datums, and datums as cells.

use std::borrow::Cow;
use std::sync::Arc;

use binlog::value::Value;

use super::datum::Datum;
use super::json_text;
use crate::catalog::ColumnType;
use crate::session::TimeZone;
use sql::error::SqlError;

/// A column's value as expressions see it; TIMESTAMPs are shown in `zone`.
pub(crate) fn of_column(
    value: &Value<'_>,
    column: &ColumnType,
    zone: &TimeZone,
) -> Result<Datum, SqlError> {
    let members = || match column {
        ColumnType::Enum { members, .. } | ColumnType::Set { members, .. } => Arc::clone(members),
        _ => Arc::default(),
    };
    Ok(match value {
        Value::Year(year) => Datum::Year(*year),
        Value::Enum(index) => Datum::Enum(*index, members()),
        Value::Set(mask) => Datum::Set(*mask, members()),
        Value::Bit(bits) => match column {
            ColumnType::Bit { width } => Datum::Bit(*bits, *width),
            _ => Datum::UInt(*bits),
        },
        Value::Bytes(bytes) => match column.collation().map(|collation| collation.charset) {
            Some(charset) => Datum::Text(charset.text_of(bytes).into_owned()),
            None => Datum::Text(bytes.to_vec()),
        },
        Value::Json(binary) => {
            let text = json_text::to_text(binary).map_err(SqlError::storage_engine)?;
            Datum::Json(Arc::from(text))
        }
        Value::JsonDiffs(_) => {
            let reason = "a column cannot hold changes of a JSON value";
            return Err(SqlError::storage_engine(reason));
        }
        plain => alone(plain.clone(), column.fsp(), zone),
    })
}

/// A value of no column: members, bits and years are numbers, documents their bytes. Times have
/// `fsp` fractional digits, TIMESTAMPs are shown in `zone`.
pub fn alone(value: Value<'_>, fsp: u8, zone: &TimeZone) -> Datum {
    match value {
        Value::Null => Datum::Null,
        Value::Int(number) => Datum::Int(number),
        Value::UInt(number) | Value::Set(number) | Value::Bit(number) => Datum::UInt(number),
        Value::Enum(number) => Datum::UInt(number.into()),
        Value::Year(year) => Datum::UInt(year.into()),
        Value::Float(number) => Datum::Float(number),
        Value::Double(number) => Datum::Double(number),
        Value::Decimal(number) => Datum::Decimal(number),
        Value::Date(date) => Datum::Date(date.into()),
        Value::Time(time) => Datum::Time(time.into(), fsp),
        Value::DateTime(moment) => Datum::DateTime(moment.into(), fsp),
        Value::Timestamp(moment) => Datum::DateTime(zone.to_local(moment), fsp),
        Value::Bytes(bytes) | Value::Json(bytes) | Value::JsonDiffs(bytes) => {
            Datum::Text(bytes.into_owned())
        }
    }
}

/// A value as results and parameters carry it: members of ENUM and SET by name, JSON as text, BIT as
/// bytes.
#[must_use]
pub fn carried(value: Datum) -> Value<'static> {
    match value {
        Datum::Null => Value::Null,
        Datum::Int(number) => Value::Int(number),
        Datum::UInt(number) => Value::UInt(number),
        Datum::Float(number) => Value::Float(number),
        Datum::Double(number) => Value::Double(number),
        Datum::Decimal(number) => Value::Decimal(number),
        Datum::Date(moment) => Value::Date(moment.into()),
        Datum::DateTime(moment, _) => Value::DateTime(moment.into()),
        Datum::Time(span, _) => Value::Time(span.into()),
        Datum::Year(year) => Value::Year(year),
        Datum::Text(bytes) => Value::Bytes(Cow::Owned(bytes)),
        Datum::Enum(..) | Datum::Set(..) | Datum::Bit(..) | Datum::Json(_) => {
            Value::Bytes(Cow::Owned(value.to_text().into_owned()))
        }
    }
}
