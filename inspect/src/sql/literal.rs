//! Names and values as SQL literals that give back the same bytes.

use codec::DecodeError;

use crate::cell::charset_of;
use crate::cell::digits::{put_date, put_datetime, put_hex, put_i64, put_time, put_u64};
use crate::cell::{Encoding, Shape};
use crate::sql::SqlSink;
use binlog::event::{Flavour, UserVar, UserVarDecoded};
use binlog::value::{Value, double_text, json};

/// Appends a name in backquotes.
pub(super) fn put_identifier(out: &mut Vec<u8>, name: &str) {
    out.push(b'`');
    for byte in name.bytes() {
        if byte == b'`' {
            out.push(b'`');
        }
        out.push(byte);
    }
    out.push(b'`');
}

/// Appends text of UTF-8: in quotes if it is plain, else in hexadecimal.
///
/// Quoted text holds no control character and no backslash, so that it means the same in every
/// sql_mode and to a client that is not in binary mode.
pub fn put_utf8(out: &mut Vec<u8>, text: &str) {
    if text
        .bytes()
        .any(|byte| byte.is_ascii_control() || byte == b'\\')
    {
        return put_introduced(out, "utf8mb4", text.as_bytes());
    }
    out.push(b'\'');
    for byte in text.bytes() {
        if byte == b'\'' {
            out.push(b'\'');
        }
        out.push(byte);
    }
    out.push(b'\'');
}

/// Appends bytes in hexadecimal.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.is_empty() {
        return out.extend_from_slice(b"''");
    }
    out.extend_from_slice(b"0x");
    put_hex(out, bytes);
}

fn put_introduced(out: &mut Vec<u8>, charset: &str, bytes: &[u8]) {
    if bytes.is_empty() {
        return out.extend_from_slice(b"''");
    }
    out.push(b'_');
    out.extend_from_slice(charset.as_bytes());
    out.extend_from_slice(b" 0x");
    put_hex(out, bytes);
}

/// Appends a value so that it is stored as the same bytes. False, and nothing appended, for a value
/// that no literal stands for.
pub(super) fn put_value(out: &mut Vec<u8>, value: &Value<'_>, shape: Shape) -> bool {
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::Int(number) => put_i64(out, *number),
        Value::UInt(number) | Value::Set(number) => put_u64(out, *number),
        Value::Float(number) => put_double(out, f64::from(*number)),
        Value::Double(number) => put_double(out, *number),
        Value::Decimal(number) => number.put_text(out),
        Value::Year(year) => put_u64(out, u64::from(*year)),
        Value::Date(date) => quoted(out, |out| put_date(out, *date)),
        Value::Time(time) => quoted(out, |out| put_time(out, *time, shape.fsp())),
        Value::DateTime(moment) => quoted(out, |out| put_datetime(out, *moment, shape.fsp())),
        Value::Timestamp(moment) => quoted(out, |out| {
            put_datetime(out, moment.to_utc(), shape.fsp());
        }),
        Value::Bytes(bytes) => put_shaped(out, bytes, shape),
        Value::Enum(number) => put_u64(out, u64::from(*number)),
        Value::Bit(bits) => out.extend_from_slice(format!("b'{bits:b}'").as_bytes()),
        Value::Json(bytes) if bytes.is_empty() => {
            out.extend_from_slice(b"CAST('null' AS JSON)");
        }
        Value::Json(bytes) => {
            let Ok(text) = json::to_text(bytes) else {
                return false;
            };
            out.extend_from_slice(b"CAST(");
            put_utf8(out, &text);
            out.extend_from_slice(b" AS JSON)");
        }
        Value::JsonDiffs(_) => return false,
    }
    true
}

fn quoted(out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'\'');
    put(out);
    out.push(b'\'');
}

/// A number that is a DOUBLE to the server, exactly this one.
fn put_double(out: &mut Vec<u8>, number: f64) {
    let text = double_text(number);
    out.extend_from_slice(text.as_bytes());
    if !text.contains('e') {
        out.extend_from_slice(b"e0");
    }
}

fn put_shaped(out: &mut Vec<u8>, bytes: &[u8], shape: Shape) {
    match shape {
        Shape::Text(Encoding::Utf8) | Shape::Unknown => match std::str::from_utf8(bytes) {
            Ok(text) => put_utf8(out, text),
            Err(_) => put_bytes(out, bytes),
        },
        Shape::Text(Encoding::Other(charset)) => put_introduced(out, charset.name(), bytes),
        _ => put_bytes(out, bytes),
    }
}

/// Appends `SET @name:=value` with its delimiter.
pub(super) fn put_user_var(
    out: &mut impl SqlSink,
    event: &UserVar<'_>,
    flavour: Flavour,
) -> Result<(), DecodeError> {
    let mut sql = b"SET @".to_vec();
    put_identifier(&mut sql, &String::from_utf8_lossy(event.name));
    sql.extend_from_slice(b":=");
    match event.decoded()? {
        UserVarDecoded::Null => sql.extend_from_slice(b"NULL"),
        UserVarDecoded::String(bytes) => {
            let collation = event.value.as_ref().map_or(0, |value| value.collation);
            let charset = u16::try_from(collation)
                .ok()
                .and_then(|id| charset_of(id, flavour));
            match charset {
                Some(charset) => put_introduced(&mut sql, charset.name(), bytes),
                None => put_bytes(&mut sql, bytes),
            }
        }
        UserVarDecoded::Real(number) => put_double(&mut sql, number),
        UserVarDecoded::Int(number) => put_i64(&mut sql, number),
        UserVarDecoded::UInt(number) => put_u64(&mut sql, number),
        UserVarDecoded::Decimal(number) => number.put_text(&mut sql),
    }
    out.statement(&sql);
    Ok(())
}
