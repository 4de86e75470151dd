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
//!
//! The forms of numbers and moments are written and read here and nowhere else. Two readers stand
//! on them: [`mod@column`] for rows, by the column's declared type and strict about what it finds, and
//! [`expression`] for results, by the type of an expression.

pub mod column;
pub mod expression;

use binlog::value::{Decimal, Timestamp};
use rusqlite::types::{Value as Stored, ValueRef};

use super::temporal::MICROS;

/// Most digits of a DECIMAL that is stored as an INTEGER.
const SCALED_DIGITS_MAX: u8 = 18;

/// The form of an unsigned integer.
pub fn unsigned(value: u64) -> Stored {
    match i64::try_from(value) {
        Ok(value) => Stored::Integer(value),
        Err(_) => Stored::Blob(value.to_be_bytes().to_vec()),
    }
}

/// An unsigned integer's value; `None` for any other form.
fn read_unsigned(stored: ValueRef<'_>) -> Option<u64> {
    match stored {
        ValueRef::Integer(value) => u64::try_from(value).ok(),
        ValueRef::Blob(bytes) => bytes.try_into().ok().map(u64::from_be_bytes),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) => None,
    }
}

/// The form of a decimal that has `scale` digits behind the point at most; `None` if it has more
/// digits than the type.
fn decimal(value: &Decimal, precision: u8, scale: u8) -> Option<Stored> {
    if precision <= SCALED_DIGITS_MAX {
        let scaled = value.unscaled(scale)?;
        return i64::try_from(scaled).ok().map(Stored::Integer);
    }
    let mut packed = Vec::with_capacity(32);
    value
        .to_packed(&mut packed, precision, scale)
        .then_some(Stored::Blob(packed))
}

/// A decimal's value; `None` for any other form.
fn read_decimal(stored: ValueRef<'_>, precision: u8, scale: u8) -> Option<Decimal> {
    match stored {
        ValueRef::Integer(value) => Some(Decimal::from_unscaled(value, scale)),
        ValueRef::Blob(packed) => {
            Decimal::from_packed(&mut codec::Reader::new(packed), precision, scale).ok()
        }
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) => None,
    }
}

/// The form of a FLOAT: the double that holds it exactly.
fn float(value: f32) -> Stored {
    Stored::Real(f64::from(value))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "FLOAT columns hold doubles that are floats"
)]
fn read_float(stored: f64) -> f32 {
    stored as f32
}

/// The form of a TIMESTAMP, in microseconds since 1970 UTC.
fn timestamp(moment: Timestamp) -> i64 {
    i64::from(moment.seconds) * MICROS + i64::from(moment.micros)
}

/// A TIMESTAMP's value; `None` outside its range.
fn read_timestamp(micros: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: u32::try_from(micros.div_euclid(MICROS)).ok()?,
        micros: u32::try_from(micros.rem_euclid(MICROS)).ok()?,
    })
}
