//! MySQL's JSON: the value tree, its binary form both ways, and its text form both ways.
//!
//! Invariant: whatever the bytes say, decoding makes no more values than the input has bytes, and
//! nests no deeper than MySQL allows.

mod decode;
mod diff;
mod encode;
mod parse;
mod path;
#[cfg(test)]
mod tests;
mod text;
mod walk;
mod write;

use codec::DecodeError;

pub use decode::decode;
pub use diff::{JsonDiff, JsonDiffError, JsonOperation, apply_diffs, diffs};
pub use encode::{JsonTooLarge, encode};
pub use parse::{JsonTextError, parse};
pub use walk::{JsonContainer, JsonRef};
pub use write::write_text;

use super::{Date, DateTime, Decimal, Time};

/// Deepest nesting, as in MySQL.
pub const DEPTH_MAX: usize = 100;

/// One JSON value, MySQL's own types included.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonValue {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number, stored as unsigned.
    UInt(u64),
    /// Any other number.
    Double(f64),
    /// A DECIMAL.
    Decimal(Decimal),
    /// A text.
    String(String),
    /// Values in order.
    Array(Vec<JsonValue>),
    /// Members sorted by length of the key, then by its bytes; no key twice. See
    /// [`JsonValue::object`].
    Object(Vec<(String, JsonValue)>),
    /// A DATE.
    Date(Date),
    /// A TIME.
    Time(Time),
    /// A DATETIME.
    DateTime(DateTime),
    /// A TIMESTAMP, as the DATETIME it was in its session's time zone.
    Timestamp(DateTime),
    /// A value of another MySQL type.
    Opaque {
        /// Type code as in a table map.
        column_type: u8,
        /// Its bytes.
        data: Vec<u8>,
    },
}

impl JsonValue {
    /// An object of `members` in MySQL's order; of equal keys the last one stays.
    #[must_use]
    pub fn object(mut members: Vec<(String, JsonValue)>) -> Self {
        members.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        let mut unique: Vec<(String, JsonValue)> = Vec::with_capacity(members.len());
        for member in members {
            match unique.last_mut() {
                Some(last) if last.0 == member.0 => *last = member,
                _ => unique.push(member),
            }
        }
        Self::Object(unique)
    }

    /// Containers in one another, this one included; 0 for a scalar.
    fn depth(&self) -> usize {
        let deepest = |depths: &mut dyn Iterator<Item = usize>| 1 + depths.max().unwrap_or(0);
        match self {
            Self::Array(items) => deepest(&mut items.iter().map(Self::depth)),
            Self::Object(members) => deepest(&mut members.iter().map(|(_, value)| value.depth())),
            _ => 0,
        }
    }
}

/// The member `name` of an object.
pub(crate) fn member<'a>(value: &'a JsonValue, name: &str) -> Option<&'a JsonValue> {
    let JsonValue::Object(members) = value else {
        return None;
    };
    let (_, value) = members.iter().find(|(key, _)| key == name)?;
    Some(value)
}

/// The member `name` of an object, if it is a text.
pub(crate) fn text_member<'a>(value: &'a JsonValue, name: &str) -> Option<&'a str> {
    match member(value, name)? {
        JsonValue::String(text) => Some(text),
        _ => None,
    }
}

/// The text of a value in binary form, as MySQL prints it.
pub fn to_text(binary: &[u8]) -> Result<String, DecodeError> {
    let mut text = Vec::new();
    write_text(binary, &mut text)?;
    String::from_utf8(text).map_err(|_| DecodeError::invalid("JSON text", 0, 0, "UTF-8"))
}

/// A JSON text in binary form.
pub fn from_text(text: &str) -> Result<Vec<u8>, JsonTextError> {
    encode(&parse(text)?).map_err(|JsonTooLarge| JsonTextError {
        offset: 0,
        message: "The JSON document is too large.",
    })
}

const SMALL_OBJECT: u8 = 0;
const LARGE_OBJECT: u8 = 1;
const SMALL_ARRAY: u8 = 2;
const LARGE_ARRAY: u8 = 3;
const LITERAL: u8 = 4;
const INT16: u8 = 5;
const UINT16: u8 = 6;
const INT32: u8 = 7;
const UINT32: u8 = 8;
const INT64: u8 = 9;
const UINT64: u8 = 10;
const DOUBLE: u8 = 11;
const STRING: u8 = 12;
const OPAQUE: u8 = 15;

const LITERAL_NULL: u8 = 0;
const LITERAL_TRUE: u8 = 1;
const LITERAL_FALSE: u8 = 2;
