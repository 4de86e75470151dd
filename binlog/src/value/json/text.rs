//! A value tree as MySQL prints it.

use std::fmt;

use super::JsonValue;
use super::write::{push_base64, push_double, quote};

impl fmt::Display for JsonValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        push(self, &mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

fn push(value: &JsonValue, out: &mut Vec<u8>) {
    let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
    match value {
        JsonValue::Null => put("null"),
        JsonValue::Bool(true) => put("true"),
        JsonValue::Bool(false) => put("false"),
        JsonValue::Int(number) => put(&number.to_string()),
        JsonValue::UInt(number) => put(&number.to_string()),
        JsonValue::Double(number) => push_double(*number, out),
        JsonValue::Decimal(decimal) => put(&decimal.to_string()),
        JsonValue::String(text) => quote(text, out),
        JsonValue::Array(items) => {
            put("[");
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b", " });
                push(item, out);
            }
            out.push(b']');
        }
        JsonValue::Object(members) => {
            put("{");
            for (index, (key, value)) in members.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b", " });
                quote(key, out);
                out.extend_from_slice(b": ");
                push(value, out);
            }
            out.push(b'}');
        }
        JsonValue::Date(date) => quote(&date.text(), out),
        JsonValue::Time(time) => quote(&time.text(6), out),
        JsonValue::DateTime(value) | JsonValue::Timestamp(value) => quote(&value.text(6), out),
        JsonValue::Opaque { column_type, data } => {
            put(&format!("\"base64:type{column_type}:"));
            push_base64(data, out);
            out.push(b'"');
        }
    }
}
