//! Values in words.

use super::geometry;
use crate::cell::digits::{put_date, put_datetime, put_four, put_hex, put_i64, put_time, put_u64};
use crate::cell::{
    Encoding, Shape, VALUE_LEN_MAX, member, member_text, operation_name, put_vector,
};
use binlog::row::Column;
use binlog::value::json::{self, JsonOperation};
use binlog::value::{Value, double_text, float_text};

/// Of a value, at most this many bytes are shown unless all are asked for.
const SHOWN_MAX: usize = 200;

/// Appends a value so that a person recognises it: text in quotes, bytes as `0x..`, BIT as `b'..'`,
/// ENUM and SET by member, geometry as well-known text.
///
/// `column` must be the one that `shape` was made of. Unless `is_full`, long values are cut, with a
/// mark that says how long they are.
pub fn put_value(
    out: &mut Vec<u8>,
    value: &Value<'_>,
    shape: Shape,
    column: &Column<'_>,
    is_full: bool,
) {
    let quoted = |out: &mut Vec<u8>, put: &dyn Fn(&mut Vec<u8>)| {
        out.push(b'\'');
        put(out);
        out.push(b'\'');
    };
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::Int(number) => put_i64(out, *number),
        Value::UInt(number) => put_u64(out, *number),
        Value::Float(number) => out.extend_from_slice(float_text(*number).as_bytes()),
        Value::Double(number) => out.extend_from_slice(double_text(*number).as_bytes()),
        Value::Decimal(number) => number.put_text(out),
        Value::Year(year) => put_four(out, u64::from(*year)),
        Value::Date(date) => quoted(out, &|out| put_date(out, *date)),
        Value::Time(time) => quoted(out, &|out| put_time(out, *time, shape.fsp())),
        Value::DateTime(moment) => quoted(out, &|out| put_datetime(out, *moment, shape.fsp())),
        Value::Timestamp(moment) => quoted(out, &|out| {
            put_datetime(out, moment.to_utc(), shape.fsp());
        }),
        Value::Bytes(bytes) => put_shaped(out, bytes, shape, is_full),
        Value::Enum(0) => out.extend_from_slice(b"''"),
        Value::Enum(number) => match member(column, u64::from(*number) - 1) {
            Some(name) => put_text(out, &member_text(name, shape), true),
            None => {
                out.push(b'#');
                put_u64(out, u64::from(*number));
            }
        },
        Value::Set(bits) if column.members.is_none() => {
            out.extend_from_slice(format!("#{bits:#b}").as_bytes());
        }
        Value::Set(bits) => {
            let names = (0..64)
                .filter(|bit| bits >> bit & 1 == 1)
                .filter_map(|bit| Some(member_text(member(column, bit)?, shape)));
            put_text(out, &names.collect::<Vec<_>>().join(","), true);
        }
        Value::Bit(bits) => {
            let width = bit_width(column);
            out.extend_from_slice(format!("b'{bits:0width$b}'").as_bytes());
        }
        Value::Json(bytes) => put_json(out, bytes, is_full),
        Value::JsonDiffs(diffs) => put_diffs(out, diffs, is_full),
    }
}

/// Bits of a BIT column.
pub(super) fn bit_width(column: &Column<'_>) -> usize {
    let [bytes, bits] = column.metadata.to_be_bytes();
    usize::from(bytes) * 8 + usize::from(bits)
}

fn put_shaped(out: &mut Vec<u8>, bytes: &[u8], shape: Shape, is_full: bool) {
    match shape {
        Shape::Text(Encoding::Other(charset)) => match charset.decode(bytes) {
            Some(text) => put_text(out, &text, is_full),
            None => put_bytes(out, bytes, is_full),
        },
        Shape::Text(Encoding::Utf8) | Shape::Unknown => match std::str::from_utf8(bytes) {
            Ok(text) => put_text(out, text, is_full),
            Err(_) => put_bytes(out, bytes, is_full),
        },
        Shape::Vector if is_full || bytes.len() <= VALUE_LEN_MAX => put_vector(out, bytes),
        Shape::Geometry => match geometry::well_known_text(bytes) {
            Some(text) if is_full || text.len() <= VALUE_LEN_MAX => {
                out.extend_from_slice(text.as_bytes());
            }
            _ => put_bytes(out, bytes, is_full),
        },
        _ => put_bytes(out, bytes, is_full),
    }
}

/// Text in quotes, control characters escaped.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str, is_full: bool) {
    let is_cut = !is_full && text.len() > SHOWN_MAX;
    let shown = match is_cut {
        true => text
            .get(..text.floor_char_boundary(SHOWN_MAX))
            .unwrap_or_default(),
        false => text,
    };
    out.push(b'\'');
    for byte in shown.bytes() {
        match byte {
            b'\'' => out.extend_from_slice(b"\\'"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 | 0x7f => {
                out.extend_from_slice(b"\\x");
                put_hex(out, &[byte]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
    if is_cut {
        put_cut(out, text.len());
    }
}

/// Bytes in hexadecimal.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8], is_full: bool) {
    let is_cut = !is_full && bytes.len() > SHOWN_MAX;
    let shown = match is_cut {
        true => bytes.get(..SHOWN_MAX).unwrap_or(bytes),
        false => bytes,
    };
    out.extend_from_slice(b"0x");
    put_hex(out, shown);
    if is_cut {
        put_cut(out, bytes.len());
    }
}

fn put_cut(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(b"...(");
    put_u64(out, len as u64);
    out.extend_from_slice(b" bytes)");
}

fn put_json(out: &mut Vec<u8>, binary: &[u8], is_full: bool) {
    if binary.is_empty() {
        return out.extend_from_slice(b"null");
    }
    match json::to_text(binary) {
        Ok(text) if !is_full && text.len() > SHOWN_MAX => {
            let end = text.floor_char_boundary(SHOWN_MAX);
            out.extend_from_slice(text.get(..end).unwrap_or_default().as_bytes());
            put_cut(out, text.len());
        }
        Ok(text) => out.extend_from_slice(text.as_bytes()),
        Err(_) => put_bytes(out, binary, is_full),
    }
}

/// A partial update in words.
fn put_diffs(out: &mut Vec<u8>, diffs: &[u8], is_full: bool) {
    if diffs.is_empty() {
        return out.extend_from_slice(b"(unchanged)");
    }
    out.push(b'(');
    for (index, diff) in json::diffs(diffs).flatten().enumerate() {
        if index > 0 {
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(operation_name(diff.operation).as_bytes());
        out.push(b' ');
        out.extend_from_slice(diff.path.as_bytes());
        if let Some(value) = diff.value {
            let word: &[u8] = match diff.operation {
                JsonOperation::Insert => b": ",
                _ => b" with ",
            };
            out.extend_from_slice(word);
            put_json(out, value, is_full);
        }
    }
    out.push(b')');
}
