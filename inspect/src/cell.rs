//! One value of a row as JSON, in a form that keeps every type apart.
//!
//! Written straight into a byte buffer: a row of plain values costs no allocation. The forms are the
//! table of docs/BINLOG.md ("Cells"). A [`Shape`] says once per column and event what the values of
//! the column look like; values say the rest.

pub(super) mod digits;
pub(super) mod escape;
mod shape;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use self::digits::{put_date, put_datetime, put_four, put_hex, put_i64, put_time, put_u64};
use self::escape::{put_escaped, put_json_text};
pub(crate) use self::shape::charset_of;
pub use self::shape::{Encoding, Shape};
use binlog::row::Column;
use binlog::value::json::{self, JsonOperation};
use binlog::value::{Value, double_text, float_text};

/// Longer values are shown as length and SHA-256, unless they are asked for in full.
pub const VALUE_LEN_MAX: usize = 2000;

/// What a cell that its row image does not have is shown as.
pub const ABSENT: &[u8] = b"{\"absent\":true}";

/// Appends one value as JSON.
///
/// `column` must be the one that `shape` was made of. `before`: the same column's value in the
/// before image, to which a partial JSON update is applied. `is_full`: long values too are written
/// whole.
pub fn put_cell(
    out: &mut Vec<u8>,
    value: &Value<'_>,
    shape: Shape,
    column: &Column<'_>,
    before: Option<&Value<'_>>,
    is_full: bool,
) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Int(number) => quoted(out, |out| put_i64(out, *number)),
        Value::UInt(number) => quoted(out, |out| put_u64(out, *number)),
        Value::Double(number) => quoted(out, |out| {
            out.extend_from_slice(double_text(*number).as_bytes());
        }),
        Value::Float(number) => put_float(out, *number),
        Value::Decimal(number) => quoted(out, |out| number.put_text(out)),
        Value::Year(year) => quoted(out, |out| put_four(out, u64::from(*year))),
        Value::Date(date) => quoted(out, |out| put_date(out, *date)),
        Value::Time(time) => quoted(out, |out| put_time(out, *time, shape.fsp())),
        Value::DateTime(moment) => quoted(out, |out| put_datetime(out, *moment, shape.fsp())),
        Value::Timestamp(moment) => quoted(out, |out| {
            put_datetime(out, moment.to_utc(), shape.fsp());
        }),
        Value::Bytes(bytes) => put_bytes(out, bytes, shape, is_full),
        Value::Enum(number) => put_member(out, *number, shape, column),
        Value::Set(bits) => put_set(out, *bits, shape, column),
        Value::Bit(bits) => {
            out.extend_from_slice(b"{\"uint\":\"");
            put_u64(out, *bits);
            out.extend_from_slice(b"\"}");
        }
        Value::Json(bytes) => put_json(out, bytes, is_full),
        Value::JsonDiffs(diffs) => put_json_diffs(out, diffs, before, is_full),
    }
}

fn quoted(out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    put(out);
    out.push(b'"');
}

/// FLOAT: the six digits that MySQL prints, and the exact number.
fn put_float(out: &mut Vec<u8>, number: f32) {
    out.extend_from_slice(b"{\"text\":\"");
    out.extend_from_slice(float_text(number).as_bytes());
    out.extend_from_slice(b"\",\"double\":\"");
    out.extend_from_slice(double_text(f64::from(number)).as_bytes());
    out.extend_from_slice(b"\"}");
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8], shape: Shape, is_full: bool) {
    let is_long = bytes.len() > VALUE_LEN_MAX && !is_full;
    match shape {
        Shape::Text(Encoding::Utf8) | Shape::Unknown => match std::str::from_utf8(bytes) {
            Ok(text) if is_long => put_digest(out, "text_big", text.as_bytes()),
            Ok(text) => put_json_text(out, text),
            Err(_) => put_binary(out, bytes, is_long),
        },
        Shape::Text(Encoding::Other(charset)) => match charset.decode(bytes) {
            Some(text) => put_other_text(out, &text, bytes, is_full),
            None => put_binary(out, bytes, is_long),
        },
        Shape::Vector if is_long => put_len_and_digest(out, bytes),
        Shape::Vector => {
            out.extend_from_slice(b"{\"hex\":\"");
            put_hex(out, bytes);
            out.extend_from_slice(b"\",\"text\":\"");
            put_vector(out, bytes);
            out.extend_from_slice(b"\"}");
        }
        _ => put_binary(out, bytes, is_long),
    }
}

fn put_binary(out: &mut Vec<u8>, bytes: &[u8], is_long: bool) {
    if is_long {
        return put_digest(out, "bytes_big", bytes);
    }
    out.extend_from_slice(b"{\"hex\":\"");
    put_hex(out, bytes);
    out.extend_from_slice(b"\"}");
}

/// Text of another charset than UTF-8, with its stored bytes.
fn put_other_text(out: &mut Vec<u8>, text: &str, stored: &[u8], is_full: bool) {
    if text.len() > VALUE_LEN_MAX && !is_full {
        out.extend_from_slice(b"{\"text_big\":");
        put_len_and_digest(out, text.as_bytes());
        out.extend_from_slice(b",\"hex_sha256\":\"");
        put_hex(out, &Sha256::digest(stored));
        out.extend_from_slice(b"\"}");
        return;
    }
    out.extend_from_slice(b"{\"text\":");
    put_json_text(out, text);
    out.extend_from_slice(b",\"hex\":\"");
    put_hex(out, stored);
    out.extend_from_slice(b"\"}");
}

fn put_digest(out: &mut Vec<u8>, form: &str, bytes: &[u8]) {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(form.as_bytes());
    out.extend_from_slice(b"\":");
    put_len_and_digest(out, bytes);
    out.push(b'}');
}

fn put_len_and_digest(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{\"len\":");
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(b",\"sha256\":\"");
    put_hex(out, &Sha256::digest(bytes));
    out.extend_from_slice(b"\"}");
}

/// ENUM: its member, where members were logged, and its number.
fn put_member(out: &mut Vec<u8>, number: u32, shape: Shape, column: &Column<'_>) {
    out.push(b'{');
    if number == 0 {
        out.extend_from_slice(b"\"text\":\"\",");
    } else if let Some(member) = member(column, u64::from(number) - 1) {
        out.extend_from_slice(b"\"text\":");
        put_json_text(out, &member_text(member, shape));
        out.push(b',');
    }
    out.extend_from_slice(b"\"num\":\"");
    put_u64(out, number.into());
    out.extend_from_slice(b"\"}");
}

/// SET: its members, where they were logged, and its bits as a number.
fn put_set(out: &mut Vec<u8>, bits: u64, shape: Shape, column: &Column<'_>) {
    out.push(b'{');
    if bits == 0 || column.members.is_some() {
        out.extend_from_slice(b"\"text\":\"");
        let mut is_first = true;
        for bit in (0..64).filter(|bit| bits >> bit & 1 == 1) {
            let Some(member) = member(column, bit) else {
                continue;
            };
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            put_escaped(out, member_text(member, shape).as_bytes());
        }
        out.extend_from_slice(b"\",");
    }
    out.extend_from_slice(b"\"num\":\"");
    put_u64(out, bits);
    out.extend_from_slice(b"\"}");
}

/// A member by its index from 0.
pub(super) fn member<'c>(column: &'c Column<'_>, index: u64) -> Option<&'c [u8]> {
    let members = column.members.as_ref()?;
    Some(members.get(usize::try_from(index).ok()?)?)
}

/// A member's name; what is no text of its charset has its bad bytes replaced.
pub(super) fn member_text(member: &[u8], shape: Shape) -> Cow<'_, str> {
    let decoded = match shape {
        Shape::Text(Encoding::Other(charset)) => charset.decode(member),
        _ => None,
    };
    decoded.unwrap_or_else(|| String::from_utf8_lossy(member))
}

fn put_json(out: &mut Vec<u8>, binary: &[u8], is_full: bool) {
    let mut text = Vec::with_capacity(binary.len());
    let written = json::write_text(binary, &mut text);
    let is_long = !is_full && text.len() > VALUE_LEN_MAX;
    match (written, std::str::from_utf8(&text)) {
        (Ok(()), Ok(text)) if is_long => put_digest(out, "json_big", text.as_bytes()),
        (Ok(()), Ok(text)) => {
            out.extend_from_slice(b"{\"json\":");
            put_json_text(out, text);
            out.push(b'}');
        }
        _ => put_binary(out, binary, !is_full && binary.len() > VALUE_LEN_MAX),
    }
}

/// A partial update: the document it leads to, or the steps where the document before is not known.
fn put_json_diffs(out: &mut Vec<u8>, diffs: &[u8], before: Option<&Value<'_>>, is_full: bool) {
    if let Some(Value::Json(before)) = before
        && let Ok(after) = json::apply_diffs(before, diffs)
    {
        return put_json(out, &after, is_full);
    }
    out.extend_from_slice(b"{\"json_diffs\":[");
    for (index, diff) in json::diffs(diffs).flatten().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"op\":\"");
        out.extend_from_slice(operation_name(diff.operation).as_bytes());
        out.extend_from_slice(b"\",\"path\":");
        put_json_text(out, diff.path);
        if let Some(value) = diff.value {
            out.extend_from_slice(b",\"value\":");
            put_json(out, value, is_full);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

/// What a step of a partial update does, in small letters.
pub(super) const fn operation_name(operation: JsonOperation) -> &'static str {
    match operation {
        JsonOperation::Replace => "replace",
        JsonOperation::Insert => "insert",
        JsonOperation::Remove => "remove",
    }
}

/// The numbers of a VECTOR as MySQL prints them. Bytes behind the last whole number are left out.
pub(super) fn put_vector(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'[');
    let (numbers, _) = bytes.as_chunks::<4>();
    for (index, number) in numbers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let text = format!("{:.5e}", f32::from_le_bytes(*number));
        let Some((mantissa, exponent)) = text.split_once('e') else {
            // Neither infinities nor NaN have an exponent.
            out.extend_from_slice(text.as_bytes());
            continue;
        };
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ("-", exponent),
            None => ("+", exponent),
        };
        out.extend_from_slice(format!("{mantissa}e{sign}{exponent:0>2}").as_bytes());
    }
    out.push(b']');
}
