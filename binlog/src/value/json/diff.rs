//! Changes of a JSON value, as `binlog_row_value_options=PARTIAL_JSON` logs them.
//!
//! Each is `u8` operation, a path and, unless something is removed, a value in binary form, both
//! behind length-encoded lengths. They apply in order, each to what those before it left.
//!
//! Spec: mysql-server 9.7, sql/json_diff.cc, `Json_diff_vector::read_binary` and `apply_json_diff`.

use std::fmt;

use codec::{DecodeError, Reader};

use super::path::{Leg, legs};
use super::{DEPTH_MAX, JsonTooLarge, JsonValue, decode, encode};

/// What a change does at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonOperation {
    /// Puts the value in place of the one there.
    Replace,
    /// Adds the value as a new member, or as an item in front of the one there.
    Insert,
    /// Takes the value there away.
    Remove,
}

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonDiff<'a> {
    /// What it does.
    pub operation: JsonOperation,
    /// Where, for instance `$.a[2]`.
    pub path: &'a str,
    /// The new value in binary form; none for Remove.
    pub value: Option<&'a [u8]>,
}

/// Why changes could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonDiffError {
    /// The value before or the changes are damaged.
    Damaged(DecodeError),
    /// A change does not fit the value: its path leads nowhere, or too deep.
    Mismatch {
        /// The path.
        path: String,
    },
    /// The new value has no binary form.
    TooLarge,
}

impl fmt::Display for JsonDiffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(error) => error.fmt(f),
            Self::Mismatch { path } => {
                write!(
                    f,
                    "the JSON value before has no place for the change at `{path}`"
                )
            }
            Self::TooLarge => JsonTooLarge.fmt(f),
        }
    }
}

impl std::error::Error for JsonDiffError {}

impl From<DecodeError> for JsonDiffError {
    fn from(error: DecodeError) -> Self {
        Self::Damaged(error)
    }
}

/// The changes that the bytes of a [`crate::value::Value::JsonDiffs`] hold.
pub fn diffs(bytes: &[u8]) -> impl Iterator<Item = Result<JsonDiff<'_>, DecodeError>> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(move || {
        (!reader.is_empty()).then(|| {
            let diff = read(&mut reader);
            if diff.is_err() {
                reader.rest();
            }
            diff
        })
    })
}

fn read<'a>(reader: &mut Reader<'a>) -> Result<JsonDiff<'a>, DecodeError> {
    let offset = reader.offset();
    let operation = match reader.u8("JSON operation")? {
        0 => JsonOperation::Replace,
        1 => JsonOperation::Insert,
        2 => JsonOperation::Remove,
        found => {
            let (found, expected) = (u64::from(found), "0 to 2");
            return Err(DecodeError::invalid(
                "JSON operation",
                offset,
                found,
                expected,
            ));
        }
    };
    let offset = reader.offset();
    let path = reader.lenenc_bytes("JSON path")?;
    let path = Reader::text(path, offset, "JSON path")?;
    let value = match operation {
        JsonOperation::Remove => None,
        _ => Some(reader.lenenc_bytes("JSON value")?),
    };
    Ok(JsonDiff {
        operation,
        path,
        value,
    })
}

/// The value, in binary form, that changes make of the one before.
pub fn apply_diffs(before: &[u8], diffs: &[u8]) -> Result<Vec<u8>, JsonDiffError> {
    if diffs.is_empty() {
        return Ok(before.to_vec());
    }
    let mut value = decode(before)?;
    for diff in self::diffs(diffs) {
        let diff = diff?;
        apply(&mut value, &diff)?.ok_or_else(|| JsonDiffError::Mismatch {
            path: diff.path.to_owned(),
        })?;
    }
    encode(&value).map_err(|JsonTooLarge| JsonDiffError::TooLarge)
}

/// Applies one change; `None` when it does not fit.
fn apply(root: &mut JsonValue, diff: &JsonDiff<'_>) -> Result<Option<()>, DecodeError> {
    let new = diff.value.map(decode).transpose()?;
    let Some(legs) = legs(diff.path) else {
        return Ok(None);
    };
    let depth = new.as_ref().map_or(0, JsonValue::depth);
    if legs.len().saturating_add(depth) > DEPTH_MAX {
        return Ok(None);
    }
    Ok(match (diff.operation, new) {
        (JsonOperation::Replace, Some(new)) => seek(root, &legs).map(|old| *old = new),
        (JsonOperation::Insert, Some(new)) => insert(root, &legs, new),
        (JsonOperation::Remove, _) => remove(root, &legs),
        (_, None) => None,
    })
}

/// The value at a path.
fn seek<'v>(root: &'v mut JsonValue, legs: &[Leg]) -> Option<&'v mut JsonValue> {
    let mut value = root;
    for leg in legs {
        value = match (value, leg) {
            (JsonValue::Object(members), Leg::Key(key)) => {
                let at = find(members, key).ok()?;
                &mut members.get_mut(at)?.1
            }
            (JsonValue::Array(items), leg) => {
                let at = leg.position(items.len())?;
                items.get_mut(at)?
            }
            // What is no array is the only item of one.
            (scalar, Leg::Index(0) | Leg::FromEnd(0)) => scalar,
            _ => return None,
        };
    }
    Some(value)
}

fn insert(root: &mut JsonValue, legs: &[Leg], new: JsonValue) -> Option<()> {
    let (last, parents) = legs.split_last()?;
    match (seek(root, parents)?, last) {
        (JsonValue::Object(members), Leg::Key(key)) => {
            let at = find(members, key).err()?;
            members.insert(at, (key.clone(), new));
        }
        (JsonValue::Array(items), leg @ (Leg::Index(_) | Leg::FromEnd(_))) => {
            let at = leg.position(items.len()).unwrap_or(0).min(items.len());
            items.insert(at, new);
        }
        _ => return None,
    }
    Some(())
}

fn remove(root: &mut JsonValue, legs: &[Leg]) -> Option<()> {
    let (last, parents) = legs.split_last()?;
    match (seek(root, parents)?, last) {
        (JsonValue::Object(members), Leg::Key(key)) => {
            let at = find(members, key).ok()?;
            members.remove(at);
        }
        (JsonValue::Array(items), leg) => {
            let at = leg.position(items.len()).filter(|&at| at < items.len())?;
            items.remove(at);
        }
        _ => return None,
    }
    Some(())
}

/// Where a member is, or would be: members are sorted by length of the key, then by its bytes.
fn find(members: &[(String, JsonValue)], key: &str) -> Result<usize, usize> {
    members.binary_search_by(|(other, _)| {
        other
            .len()
            .cmp(&key.len())
            .then_with(|| other.as_str().cmp(key))
    })
}
