//! Results: datums in the same stored forms, by the type of their expression, so that SQLite's own
//! comparison, grouping and ordering of them is MySQL's.
//!
//! TIMESTAMPs become the wall clock of the session's time zone.

use std::sync::Arc;

use binlog::value::Decimal;
use rusqlite::types::{Value as Stored, ValueRef};

use crate::expr::types::{Kind, Type};
use crate::session::TimeZone;
use crate::value::datum::{Datum, Integer};
use crate::value::temporal::{Moment, Span};
use sql::error::SqlError;

/// Reads a stored value of an expression or column of type `ty`.
pub fn decode(stored: ValueRef<'_>, ty: &Type, zone: &TimeZone) -> Datum {
    match (ty.kind, stored) {
        (_, ValueRef::Null) => Datum::Null,
        (Kind::Integer, ValueRef::Integer(value)) if !ty.unsigned => Datum::Int(value),
        (Kind::Integer, stored) => Datum::UInt(to_unsigned(stored)),
        (Kind::Bit, stored) => Datum::Bit(to_unsigned(stored), ty.precision),
        (Kind::Enum, stored) => {
            Datum::Enum(u32::try_from(to_unsigned(stored)).unwrap_or(0), members(ty))
        }
        (Kind::Set, stored) => Datum::Set(to_unsigned(stored), members(ty)),
        (Kind::Year, stored) => Datum::Year(u16::try_from(to_unsigned(stored)).unwrap_or(0)),
        (Kind::Decimal, ValueRef::Integer(_) | ValueRef::Blob(_)) => {
            super::read_decimal(stored, ty.precision, ty.decimals)
                .map_or(Datum::Null, Datum::Decimal)
        }
        (Kind::Float, ValueRef::Real(value)) => Datum::Float(super::read_float(value)),
        (Kind::Double, ValueRef::Real(value)) => Datum::Double(value),
        (Kind::Double | Kind::Float | Kind::Decimal, ValueRef::Text(text)) => {
            Datum::Text(text.to_vec())
        }
        (Kind::Date, ValueRef::Integer(packed)) => Datum::Date(Moment::from_packed(packed)),
        (Kind::DateTime, ValueRef::Integer(packed)) => {
            Datum::DateTime(Moment::from_packed(packed), ty.decimals)
        }
        (Kind::Timestamp, ValueRef::Integer(micros)) => {
            Datum::DateTime(local_of(micros, zone), ty.decimals)
        }
        (Kind::Time, ValueRef::Integer(micros)) => Datum::Time(Span(micros), ty.decimals),
        (Kind::Json, ValueRef::Text(text)) => {
            std::str::from_utf8(text).map_or(Datum::Null, |text| Datum::Json(Arc::from(text)))
        }
        (_, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Datum::Text(bytes.to_vec()),
        (_, ValueRef::Integer(value)) => Datum::Int(value),
        (_, ValueRef::Real(value)) => Datum::Double(value),
    }
}

fn members(ty: &Type) -> Arc<[String]> {
    ty.members.clone().unwrap_or_default()
}

fn to_unsigned(stored: ValueRef<'_>) -> u64 {
    match stored {
        // An operation that SQLite did by itself may have given the bits of a signed integer.
        ValueRef::Integer(value) => value.cast_unsigned(),
        stored => super::read_unsigned(stored).unwrap_or(0),
    }
}

/// The session's wall clock at a stored TIMESTAMP.
pub fn local_of(micros: i64, zone: &TimeZone) -> Moment {
    let moment = super::read_timestamp(micros).unwrap_or_default();
    zone.to_local(moment)
}

/// The stored TIMESTAMP of a wall clock time; `None` outside its range.
pub fn micros_of(local: &Moment, zone: &TimeZone) -> Option<i64> {
    zone.to_moment(*local).map(super::timestamp)
}

/// The stored form of an integer.
pub fn integer(value: Integer) -> Stored {
    match value {
        Integer::Signed(value) => Stored::Integer(value),
        Integer::Unsigned(value) => super::unsigned(value),
    }
}

/// The stored form of a decimal of a type; `None` when it does not fit.
pub fn decimal(value: &Decimal, precision: u8, scale: u8) -> Option<Stored> {
    super::decimal(&value.round(i32::from(scale))?, precision, scale)
}

/// The stored form of a value of type `ty`. Error 1690 when a decimal has more digits than its type.
pub fn encode(value: &Datum, ty: &Type, zone: &TimeZone) -> Result<Stored, SqlError> {
    if value.is_null() {
        return Ok(Stored::Null);
    }
    Ok(match ty.kind {
        Kind::Null => Stored::Null,
        Kind::Integer | Kind::Bit | Kind::Enum | Kind::Set | Kind::Year => {
            let integer_value = value.to_integer().value;
            integer(if ty.unsigned {
                Integer::Unsigned(integer_value.bits())
            } else {
                integer_value
            })
        }
        Kind::Decimal => decimal(&value.to_decimal().value, ty.precision, ty.decimals)
            .ok_or_else(|| SqlError::data_out_of_range("DECIMAL", value.to_str()))?,
        Kind::Float | Kind::Double => Stored::Real(value.to_f64().value),
        Kind::Date => date(value, true)?,
        Kind::DateTime => date(value, false)?,
        Kind::Timestamp => {
            let moment = value.to_moment(&Moment::default()).map(|lossy| lossy.value);
            moment
                .and_then(|moment| micros_of(&moment, zone))
                .map_or(Stored::Null, Stored::Integer)
        }
        Kind::Time => value
            .to_span()
            .map_or(Stored::Null, |span| Stored::Integer(span.value.0)),
        Kind::Json => match value {
            Datum::Json(document) => Stored::Text(document.to_string()),
            other => text(other.to_text().into_owned()),
        },
        Kind::Text if ty.is_binary() => Stored::Blob(value.to_text().into_owned()),
        Kind::Text => text(value.to_text().into_owned()),
    })
}

/// Text, or the bytes as they are where they are none: SQLite keeps both.
fn text(bytes: Vec<u8>) -> Stored {
    match String::from_utf8(bytes) {
        Ok(text) => Stored::Text(text),
        Err(error) => Stored::Blob(error.into_bytes()),
    }
}

fn date(value: &Datum, day_only: bool) -> Result<Stored, SqlError> {
    let moment = value.to_moment(&Moment::default()).map(|lossy| lossy.value);
    Ok(moment.map_or(Stored::Null, |moment| {
        let moment = if day_only { moment.midnight() } else { moment };
        Stored::Integer(moment.packed())
    }))
}
