//! Binary JSON to text, straight into a buffer: as MySQL prints it, with one space behind `,` and `:`
//! and its own types as strings.

use std::io::Write as _;

use codec::DecodeError;

use super::walk::{Budget, JsonContainer, JsonRef};
use crate::value::double_text;

/// Appends the text of a value in binary form. No bytes at all are null. On error `out` keeps what it
/// had, and part of the text.
pub fn write_text(binary: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    write(&JsonRef::new(binary)?, out, &mut Budget::of(binary))
}

fn write(value: &JsonRef<'_>, out: &mut Vec<u8>, budget: &mut Budget) -> Result<(), DecodeError> {
    budget.spend_value(value)?;
    // Writing to a Vec cannot fail.
    let _ = match *value {
        JsonRef::Null => out.write_all(b"null"),
        JsonRef::Bool(true) => out.write_all(b"true"),
        JsonRef::Bool(false) => out.write_all(b"false"),
        JsonRef::Int(number) => write!(out, "{number}"),
        JsonRef::UInt(number) => write!(out, "{number}"),
        JsonRef::Double(number) => {
            push_double(number, out);
            Ok(())
        }
        JsonRef::Decimal(decimal) => write!(out, "{decimal}"),
        JsonRef::String(text) => {
            quote(text, out);
            Ok(())
        }
        JsonRef::Array(items) => return write_array(&items, out, budget),
        JsonRef::Object(members) => return write_object(&members, out, budget),
        JsonRef::Date(date) => write!(out, "\"{}\"", date.text()),
        JsonRef::Time(time) => write!(out, "\"{}\"", time.text(6)),
        JsonRef::DateTime(value) | JsonRef::Timestamp(value) => {
            write!(out, "\"{}\"", value.text(6))
        }
        JsonRef::Opaque { column_type, data } => {
            let written = write!(out, "\"base64:type{column_type}:");
            push_base64(data, out);
            out.push(b'"');
            written
        }
    };
    Ok(())
}

fn write_array(
    items: &JsonContainer<'_>,
    out: &mut Vec<u8>,
    budget: &mut Budget,
) -> Result<(), DecodeError> {
    out.push(b'[');
    for index in 0..items.len() {
        out.extend_from_slice(if index == 0 { b"" } else { b", " });
        write(&items.value(index)?, out, budget)?;
    }
    out.push(b']');
    Ok(())
}

fn write_object(
    members: &JsonContainer<'_>,
    out: &mut Vec<u8>,
    budget: &mut Budget,
) -> Result<(), DecodeError> {
    out.push(b'{');
    for index in 0..members.len() {
        out.extend_from_slice(if index == 0 { b"" } else { b", " });
        let key = members.key(index)?;
        budget.spend(key.len())?;
        quote(key, out);
        out.extend_from_slice(b": ");
        write(&members.value(index)?, out, budget)?;
    }
    out.push(b'}');
    Ok(())
}

/// A double stays one when it is read again.
pub(super) fn push_double(number: f64, out: &mut Vec<u8>) {
    let text = double_text(number);
    out.extend_from_slice(text.as_bytes());
    if !text.contains(['.', 'e']) {
        out.extend_from_slice(b".0");
    }
}

/// Appends a text with quotes around it and escapes in it.
pub(super) fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\')
    {
        let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some((&byte, behind)) = special.split_first() else {
            break;
        };
        rest = behind;
        let escape = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            0x08 => b"\\b",
            0x0c => b"\\f",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            byte => {
                let _ = write!(out, "\\u{byte:04x}");
                continue;
            }
        };
        out.extend_from_slice(escape);
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Base 64 with a line feed behind every 76 characters, escaped as in any JSON text.
pub(super) fn push_base64(data: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (group, chunk) in data.chunks(3).enumerate() {
        if group > 0 && group % 19 == 0 {
            out.extend_from_slice(b"\\n");
        }
        let bytes = chunk.iter().chain(&[0, 0]).take(3);
        let bits = bytes.fold(0_usize, |bits, &byte| bits << 8 | usize::from(byte));
        for (position, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let symbol = ALPHABET.get(bits >> shift & 63).copied().unwrap_or(b'=');
            out.push(if position <= chunk.len() {
                symbol
            } else {
                b'='
            });
        }
    }
}
