//! Values as error messages show them.

use binlog::value::{Value, double_text, float_text};

use crate::catalog::{Column, ColumnType, Key, Table};
use crate::collation::Charset;
use crate::session::TimeZone;
use crate::value::datum::{enum_name, set_text};
use crate::value::json_text;

/// Most bytes of a value that error 1062 shows.
const SHOWN_BYTES_MAX: usize = 64;

/// A key's values as error 1062 shows them: joined by `-`, cut to 64 bytes.
pub(crate) fn key_text(table: &Table, key: &Key, values: &[Value<'_>], zone: &TimeZone) -> String {
    let parts = key.parts.iter().filter_map(|part| {
        let (position, column) = table.column_by_id(part.column)?;
        let text = value_text(column, values.get(position)?, zone);
        Some(
            match part.prefix.and_then(|prefix| usize::try_from(prefix).ok()) {
                Some(prefix) => text.chars().take(prefix).collect(),
                None => text,
            },
        )
    });
    let text = parts.collect::<Vec<String>>().join("-");
    let end = text.floor_char_boundary(SHOWN_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}

/// A value as a client would see it.
pub(crate) fn value_text(column: &Column, value: &Value<'_>, zone: &TimeZone) -> String {
    let fsp = column.column_type.fsp();
    match (value, &column.column_type) {
        (Value::Null, _) => "NULL".to_owned(),
        (Value::Int(value), _) => value.to_string(),
        (Value::UInt(value), _) => value.to_string(),
        (Value::Float(value), _) => float_text(*value),
        (Value::Double(value), _) => double_text(*value),
        (Value::Decimal(value), _) => value.to_string(),
        (Value::Year(year), _) => format!("{year:04}"),
        (Value::Date(date), _) => date.text(),
        (Value::Time(time), _) => time.text(fsp),
        (Value::DateTime(moment), _) => moment.text(fsp),
        (Value::Timestamp(moment), _) => zone.to_local(*moment).text(fsp),
        (Value::Enum(index), ColumnType::Enum { members, .. }) => {
            enum_name(*index, members).to_owned()
        }
        (Value::Set(bits), ColumnType::Set { members, .. }) => set_text(*bits, members),
        (Value::Enum(index), _) => index.to_string(),
        (Value::Set(bits) | Value::Bit(bits), _) => bits.to_string(),
        (Value::JsonDiffs(diffs), _) => escaped(diffs),
        (Value::Json(binary), _) => json_text::to_text(binary).unwrap_or_default(),
        (Value::Bytes(bytes), column_type) => match column_type.collation() {
            Some(collation) => decoded(collation.charset, bytes),
            None => escaped(bytes),
        },
    }
}

fn decoded(charset: Charset, bytes: &[u8]) -> String {
    match charset.decode(bytes) {
        Ok(text) => text.into_owned(),
        Err(_) => escaped(bytes),
    }
}

/// Bytes with `\xNN` for those that are not printable ASCII.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    escaped_up_to(bytes, usize::MAX)
}

/// The same in at most `most` characters.
pub(crate) fn escaped_up_to(bytes: &[u8], most: usize) -> String {
    let mut text = String::new();
    for byte in bytes {
        let shown = match byte {
            0x20..0x7f => char::from(*byte).to_string(),
            other => format!("\\x{other:02X}"),
        };
        text.push_str(&shown);
        if text.len() >= most {
            text.truncate(most);
            break;
        }
    }
    text
}
