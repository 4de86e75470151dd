//! Values as hashes, equal for what a target's key calls equal.

use binlog::value::Value;
use engine::collation::{Collation, shared_key};

use super::bound::BoundPart;

/// How values of a column compare.
#[derive(Debug, Clone, Copy)]
pub(super) enum Comparison {
    /// Numbers, times and bytes: as what they are.
    Plain,
    /// Texts, by a collation whose rule is known.
    Text(&'static Collation),
    /// In a way that is not known.
    Unknown,
}

/// FNV-1a with 64 bits (Fowler, Noll and Vo, RFC 9923).
#[derive(Debug, Clone, Copy)]
pub(super) struct Fnv(u64);

impl Fnv {
    pub(super) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Goes on from a hash.
    pub(super) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Writes a text and its end.
    pub(super) fn write_name(&mut self, name: &str) {
        self.write(name.to_lowercase().as_bytes());
        self.write(&[0xff]);
    }

    fn write_number(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    pub(super) const fn finish(self) -> u64 {
        self.0
    }
}

/// Adds a value that is not NULL; false if what is equal to it is not known.
pub(super) fn hash_value(hasher: &mut Fnv, part: &BoundPart, value: &Value<'_>) -> bool {
    match value {
        // Integers of both signs hash alike, as a log need not say whether a column has one.
        Value::Int(value) => hasher.write_number(value.cast_unsigned()),
        Value::UInt(value) | Value::Set(value) | Value::Bit(value) => hasher.write_number(*value),
        Value::Float(value) => hash_double(hasher, f64::from(*value)),
        Value::Double(value) => hash_double(hasher, *value),
        // Fractions may have any number of digits.
        Value::Decimal(value) => {
            let text = value.to_string();
            let digits = match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.'),
                false => &text,
            };
            hasher.write(digits.as_bytes());
        }
        Value::Year(year) => hasher.write_number((*year).into()),
        Value::Enum(number) => hasher.write_number((*number).into()),
        Value::Date(date) => {
            hasher.write(&date.year.to_le_bytes());
            hasher.write(&[date.month, date.day]);
        }
        Value::Time(time) => {
            let is_zero = (time.hours, time.minutes, time.seconds, time.micros) == (0, 0, 0, 0);
            hasher.write(&[u8::from(time.negative && !is_zero)]);
            hasher.write(&time.hours.to_le_bytes());
            hasher.write(&[time.minutes, time.seconds]);
            hasher.write(&time.micros.to_le_bytes());
        }
        Value::DateTime(time) => {
            hasher.write(&time.year.to_le_bytes());
            hasher.write(&[time.month, time.day, time.hour, time.minute, time.second]);
            hasher.write(&time.micros.to_le_bytes());
        }
        Value::Timestamp(timestamp) => {
            hasher.write_number(timestamp.seconds.into());
            hasher.write_number(timestamp.micros.into());
        }
        Value::Bytes(bytes) => return hash_bytes(hasher, part, bytes),
        // No key has them.
        Value::Null | Value::Json(_) | Value::JsonDiffs(_) => return false,
    }
    !matches!(part.comparison, Comparison::Unknown)
}

/// Negative and positive zero are equal.
fn hash_double(hasher: &mut Fnv, value: f64) {
    let value = if value == 0.0 { 0.0 } else { value };
    hasher.write_number(value.to_bits());
}

fn hash_bytes(hasher: &mut Fnv, part: &BoundPart, bytes: &[u8]) -> bool {
    match part.comparison {
        Comparison::Unknown => return false,
        Comparison::Plain => {
            let prefix = part.prefix.and_then(|prefix| bytes.get(..prefix));
            hasher.write(prefix.unwrap_or(bytes));
        }
        Comparison::Text(collation) => match shared_key(collation, bytes, part.prefix) {
            Some(key) => hasher.write(&key),
            None => return false,
        },
    }
    // Keeps ('a', 'bc') apart from ('ab', 'c').
    hasher.write(&[0xff]);
    true
}
