//! What a transaction touches, as hashes that two transactions share when they may not change
//! places.
//!
//! One hash for each unique key of each image of a changed row: two rows that a unique key of any
//! replica calls equal must have the same hash, so text goes in by its collation's weights. A key
//! with a NULL restricts nobody. Where no exact hash can be had, a coarser one is taken: a false
//! conflict costs parallelism, a missed one a replica.

use std::hash::Hasher as _;

use binlog::value::Value;
use engine::catalog::{ColumnType, Key, Table};
use engine::collation;

/// Hashes beyond which a transaction is not worth tracking; MySQL's
/// `binlog_transaction_dependency_history_size`.
pub(crate) const HASHES_MAX: usize = 25_000;

/// The rows a transaction touches.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct WriteSet {
    hashes: Vec<u64>,
    /// A row without any usable key was touched, or too many rows: only the commit order is safe.
    is_incomplete: bool,
}

impl WriteSet {
    /// Adds one image of a changed row.
    pub(crate) fn add(&mut self, table: &Table, row: &[Value<'static>]) {
        if self.is_incomplete {
            return;
        }
        let mut is_keyed = false;
        for key in table.unique_keys() {
            if let Some(hash) = key_hash(table, key, row) {
                self.hashes.push(hash);
                is_keyed = true;
            }
        }
        if !is_keyed || self.hashes.len() > HASHES_MAX {
            self.is_incomplete = true;
            self.hashes = Vec::new();
        }
    }

    /// The hashes, or `None` if they do not tell everything.
    pub(crate) fn complete(&self) -> Option<&[u64]> {
        (!self.is_incomplete).then_some(self.hashes.as_slice())
    }

    /// How many hashes there are: a mark for [`WriteSet::truncate`].
    pub(crate) fn mark(&self) -> (usize, bool) {
        (self.hashes.len(), self.is_incomplete)
    }

    /// Forgets what was added since the mark. What became incomplete stays so.
    pub(crate) fn truncate(&mut self, (len, was_incomplete): (usize, bool)) {
        if self.is_incomplete == was_incomplete {
            self.hashes.truncate(len);
        }
    }
}

/// `None` if a part is NULL.
fn key_hash(table: &Table, key: &Key, row: &[Value<'static>]) -> Option<u64> {
    let mut hasher = Fnv::default();
    hasher.write_u64(table.id.0);
    hasher.write_u32(key.id.0);
    for part in &key.parts {
        let (position, column) = table.column_by_id(part.column)?;
        let value = row.get(position)?;
        if matches!(value, Value::Null) {
            return None;
        }
        // Two values that share a prefix are equal to the key; only its table and id tell apart.
        if part.prefix.is_none() {
            hash_value(&mut hasher, &column.column_type, value);
        }
    }
    Some(hasher.finish())
}

fn hash_value(hasher: &mut Fnv, column_type: &ColumnType, value: &Value<'static>) {
    match value {
        Value::Null => {}
        Value::Int(value) => hasher.write_i64(*value),
        // Integers of both signs hash alike, so that a column's sign does not matter.
        Value::UInt(value) => hasher.write_i64(value.cast_signed()),
        Value::Float(value) => hash_double(hasher, f64::from(*value)),
        Value::Double(value) => hash_double(hasher, *value),
        Value::Bytes(bytes) => hash_text(hasher, column_type, bytes),
        Value::Year(year) => hasher.write_u16(*year),
        Value::Enum(number) => hasher.write_u32(*number),
        Value::Set(bits) | Value::Bit(bits) => hasher.write_u64(*bits),
        Value::Timestamp(timestamp) => {
            hasher.write_u32(timestamp.seconds);
            hasher.write_u32(timestamp.micros);
        }
        // Their text is the same exactly for equal values of one column.
        Value::Decimal(_) | Value::Date(_) | Value::Time(_) | Value::DateTime(_) => {
            hasher.write(format!("{value:?}").as_bytes());
        }
        // Cannot be a part of a key; a constant is always safe.
        Value::Json(_) | Value::JsonDiffs(_) => {}
    }
}

/// Negative and positive zero are equal.
fn hash_double(hasher: &mut Fnv, value: f64) {
    let value = if value == 0.0 { 0.0 } else { value };
    hasher.write_u64(value.to_bits());
}

fn hash_text(hasher: &mut Fnv, column_type: &ColumnType, bytes: &[u8]) {
    match column_type.collation() {
        None => hasher.write(bytes),
        Some(collation) => {
            // What cannot be decoded hashes as nothing: equal to everything.
            if let Ok(text) = collation.charset.decode(bytes) {
                hasher.write(&collation::compare::equality_key(
                    collation,
                    text.as_bytes(),
                ));
            }
        }
    }
    // Keeps ('a', 'bc') apart from ('ab', 'c').
    hasher.write_u8(0xff);
}

/// FNV-1a with 64 bits: the same in every build, so that logs are reproducible.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl std::hash::Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
