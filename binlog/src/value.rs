//! MySQL values as row images, the engine and targets exchange them.
//!
//! A value has the shape of its MySQL type and carries no column attributes: what an ENUM number
//! means, which charset bytes are in, or how many fractional digits to print is the column's matter.

mod address;
mod decimal;
mod float;
pub mod json;
mod temporal;

use std::borrow::Cow;

pub use address::{inet4_text, inet6_text, uuid_text};
pub use decimal::Decimal;
pub use float::{double_text, float_text, shortest_even};
pub use temporal::{Date, DateTime, Time, Timestamp};

/// One MySQL value. Borrows variable-length bytes from the event it was read from, where it can.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// A signed integer of any width.
    Int(i64),
    /// An unsigned integer of any width.
    UInt(u64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// DECIMAL.
    Decimal(Decimal),
    /// YEAR: 0, or 1901 to 2155.
    Year(u16),
    /// DATE.
    Date(Date),
    /// TIME.
    Time(Time),
    /// DATETIME.
    DateTime(DateTime),
    /// TIMESTAMP, in UTC.
    Timestamp(Timestamp),
    /// CHAR, VARCHAR and TEXT in the column's charset; BINARY, VARBINARY and BLOB; GEOMETRY (SRID
    /// and WKB); VECTOR (4-byte floats). BINARY is padded to its full length.
    Bytes(Cow<'a, [u8]>),
    /// ENUM: number of the member from 1; 0 is the empty error value.
    Enum(u32),
    /// SET: bit 0 is the first member.
    Set(u64),
    /// BIT, right-aligned.
    Bit(u64),
    /// JSON in MySQL's binary form; see [`json`]. No bytes at all stand for JSON null.
    Json(Cow<'a, [u8]>),
    /// Changes that make the JSON value of the row's before image the one after it; no bytes at all
    /// change nothing. Only in after images of partial updates; see [`json::apply_diffs`].
    JsonDiffs(Cow<'a, [u8]>),
}

impl Value<'_> {
    /// The same value with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Int(value) => Value::Int(value),
            Self::UInt(value) => Value::UInt(value),
            Self::Float(value) => Value::Float(value),
            Self::Double(value) => Value::Double(value),
            Self::Decimal(value) => Value::Decimal(value),
            Self::Year(value) => Value::Year(value),
            Self::Date(value) => Value::Date(value),
            Self::Time(value) => Value::Time(value),
            Self::DateTime(value) => Value::DateTime(value),
            Self::Timestamp(value) => Value::Timestamp(value),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Enum(value) => Value::Enum(value),
            Self::Set(value) => Value::Set(value),
            Self::Bit(value) => Value::Bit(value),
            Self::Json(bytes) => Value::Json(Cow::Owned(bytes.into_owned())),
            Self::JsonDiffs(bytes) => Value::JsonDiffs(Cow::Owned(bytes.into_owned())),
        }
    }

    /// The same value, borrowing the bytes of this one.
    #[must_use]
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
            Self::Json(bytes) => Value::Json(Cow::Borrowed(bytes)),
            Self::JsonDiffs(bytes) => Value::JsonDiffs(Cow::Borrowed(bytes)),
            other => other.clone().into_owned(),
        }
    }

    /// Whether this is SQL NULL.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
