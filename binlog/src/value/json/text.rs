//! JSON as MySQL prints it: one space behind `,` and `:`, its own types as strings.

use std::fmt::{self, Write};

use super::JsonValue;
use crate::value::double_text;

impl fmt::Display for JsonValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::UInt(number) => write!(f, "{number}"),
            Self::Double(number) => {
                let text = double_text(*number);
                f.write_str(&text)?;
                // A double stays one when it is read again.
                match text.contains(['.', 'e']) {
                    true => Ok(()),
                    false => f.write_str(".0"),
                }
            }
            Self::Decimal(decimal) => write!(f, "{decimal}"),
            Self::String(text) => quote(f, text),
            Self::Array(items) => {
                f.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    item.fmt(f)?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (index, (key, value)) in members.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    quote(f, key)?;
                    f.write_str(": ")?;
                    value.fmt(f)?;
                }
                f.write_char('}')
            }
            Self::Date(date) => write!(f, "\"{}\"", date.text()),
            Self::Time(time) => write!(f, "\"{}\"", time.text(6)),
            Self::DateTime(value) | Self::Timestamp(value) => write!(f, "\"{}\"", value.text(6)),
            Self::Opaque { column_type, data } => {
                write!(f, "\"base64:type{column_type}:")?;
                base64(f, data)?;
                f.write_char('"')
            }
        }
    }
}

fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\u{8}' => f.write_str("\\b")?,
            '\u{c}' => f.write_str("\\f")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// Base 64 with a line feed behind every 76 characters, escaped as in any
/// JSON text.
fn base64(f: &mut fmt::Formatter<'_>, data: &[u8]) -> fmt::Result {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (group, chunk) in data.chunks(3).enumerate() {
        if group > 0 && group % 19 == 0 {
            f.write_str("\\n")?;
        }
        let bytes = chunk.iter().chain(&[0, 0]).take(3);
        let bits = bytes.fold(0_usize, |bits, &byte| bits << 8 | usize::from(byte));
        for (position, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let symbol = ALPHABET.get(bits >> shift & 63).copied().unwrap_or(b'=');
            f.write_char(match position <= chunk.len() {
                true => char::from(symbol),
                false => '=',
            })?;
        }
    }
    Ok(())
}
