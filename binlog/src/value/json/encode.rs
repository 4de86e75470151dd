//! A value tree to binary JSON, byte for byte as MySQL lays it out.
//!
//! A container is small (2-byte offsets) when it fits 64 KiB, else large. Children are encoded first
//! and once, so that the choice costs no second pass.

use std::fmt;

use codec::Write;

use super::{
    DOUBLE, INT16, INT32, INT64, JsonValue, LARGE_ARRAY, LARGE_OBJECT, LITERAL, LITERAL_FALSE,
    LITERAL_NULL, LITERAL_TRUE, OPAQUE, SMALL_ARRAY, SMALL_OBJECT, STRING, UINT16, UINT32, UINT64,
};
use crate::row::ColumnType;
use crate::value::Decimal;

/// A value that has no binary form: a key over 64 KiB, or 4 GiB in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonTooLarge;

impl fmt::Display for JsonTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the JSON value has a key over 64 KiB or is over 4 GiB")
    }
}

impl std::error::Error for JsonTooLarge {}

/// Encodes a value in MySQL's binary form.
pub fn encode(value: &JsonValue) -> Result<Vec<u8>, JsonTooLarge> {
    let Encoded { kind, mut bytes } = encode_value(value)?;
    bytes.insert(0, kind);
    Ok(bytes)
}

/// A value's type and what follows it.
struct Encoded {
    kind: u8,
    bytes: Vec<u8>,
}

fn encode_value(value: &JsonValue) -> Result<Encoded, JsonTooLarge> {
    let literal = |code| {
        Ok(Encoded {
            kind: LITERAL,
            bytes: vec![code],
        })
    };
    let opaque = |column_type: ColumnType, data: &[u8]| {
        let mut bytes = vec![column_type.0];
        put_varlen(&mut bytes, data.len())?;
        bytes.put(data);
        Ok(Encoded {
            kind: OPAQUE,
            bytes,
        })
    };
    match value {
        JsonValue::Null => literal(LITERAL_NULL),
        JsonValue::Bool(true) => literal(LITERAL_TRUE),
        JsonValue::Bool(false) => literal(LITERAL_FALSE),
        JsonValue::Int(number) => Ok(encode_int(*number)),
        JsonValue::UInt(number) => Ok(encode_uint(*number)),
        JsonValue::Double(number) => Ok(Encoded {
            kind: DOUBLE,
            bytes: number.to_le_bytes().to_vec(),
        }),
        JsonValue::String(text) => {
            let mut bytes = Vec::with_capacity(text.len() + 2);
            put_varlen(&mut bytes, text.len())?;
            bytes.put(text.as_bytes());
            Ok(Encoded {
                kind: STRING,
                bytes,
            })
        }
        JsonValue::Array(items) => encode_container(None, items.iter()),
        JsonValue::Object(members) => {
            let keys = members.iter().map(|(key, _)| key.as_str()).collect();
            encode_container(Some(keys), members.iter().map(|(_, value)| value))
        }
        JsonValue::Decimal(decimal) => opaque(ColumnType::NEWDECIMAL, &pack_decimal(*decimal)),
        JsonValue::Date(date) => opaque(ColumnType::DATE, &date.packed().to_le_bytes()),
        JsonValue::Time(time) => opaque(ColumnType::TIME, &time.packed().to_le_bytes()),
        JsonValue::DateTime(value) => opaque(ColumnType::DATETIME, &value.packed().to_le_bytes()),
        JsonValue::Timestamp(value) => opaque(ColumnType::TIMESTAMP, &value.packed().to_le_bytes()),
        JsonValue::Opaque { column_type, data } => opaque(ColumnType(*column_type), data),
    }
}

fn encode_int(number: i64) -> Encoded {
    if let Ok(number) = i16::try_from(number) {
        let bytes = number.to_le_bytes().to_vec();
        return Encoded { kind: INT16, bytes };
    }
    match i32::try_from(number) {
        Ok(number) => Encoded {
            kind: INT32,
            bytes: number.to_le_bytes().to_vec(),
        },
        Err(_) => Encoded {
            kind: INT64,
            bytes: number.to_le_bytes().to_vec(),
        },
    }
}

fn encode_uint(number: u64) -> Encoded {
    if let Ok(number) = u16::try_from(number) {
        let bytes = number.to_le_bytes().to_vec();
        return Encoded {
            kind: UINT16,
            bytes,
        };
    }
    match u32::try_from(number) {
        Ok(number) => Encoded {
            kind: UINT32,
            bytes: number.to_le_bytes().to_vec(),
        },
        Err(_) => Encoded {
            kind: UINT64,
            bytes: number.to_le_bytes().to_vec(),
        },
    }
}

fn pack_decimal(decimal: Decimal) -> Vec<u8> {
    let (precision, scale) = (decimal.precision(), decimal.scale());
    let mut data = vec![precision, scale];
    decimal.to_packed(&mut data, precision, scale);
    data
}

fn encode_container<'v>(
    keys: Option<Vec<&str>>,
    values: impl Iterator<Item = &'v JsonValue>,
) -> Result<Encoded, JsonTooLarge> {
    let values = values.map(encode_value).collect::<Result<Vec<_>, _>>()?;
    let (small, large) = match keys {
        Some(_) => (SMALL_OBJECT, LARGE_OBJECT),
        None => (SMALL_ARRAY, LARGE_ARRAY),
    };
    if let Some(bytes) = assemble(keys.as_deref(), &values, 2)? {
        return Ok(Encoded { kind: small, bytes });
    }
    let bytes = assemble(keys.as_deref(), &values, 4)?.ok_or(JsonTooLarge)?;
    Ok(Encoded { kind: large, bytes })
}

/// Puts a container together with counts and offsets of `width` bytes; `None` when they do not fit.
fn assemble(
    keys: Option<&[&str]>,
    values: &[Encoded],
    width: usize,
) -> Result<Option<Vec<u8>>, JsonTooLarge> {
    let limit = if width == 2 {
        u64::from(u16::MAX)
    } else {
        u64::from(u32::MAX)
    };
    let count = values.len();
    let is_inlined = |kind| match kind {
        LITERAL | INT16 | UINT16 => true,
        INT32 | UINT32 => width == 4,
        _ => false,
    };
    let mut offset = 2 * width + count * (1 + width);
    let mut key_table = Vec::new();
    for key in keys.unwrap_or(&[]) {
        offset += width + 2;
        key_table.push(u16::try_from(key.len()).map_err(|_| JsonTooLarge)?);
    }
    let keys_start = offset;
    offset += key_table.iter().map(|&len| usize::from(len)).sum::<usize>();
    let outside = values.iter().filter(|value| !is_inlined(value.kind));
    let size = offset + outside.map(|value| value.bytes.len()).sum::<usize>();
    if size as u64 > limit || count as u64 > limit {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(size);
    out.put_uint(count as u64, width);
    out.put_uint(size as u64, width);
    let mut key_offset = keys_start;
    for &len in &key_table {
        out.put_uint(key_offset as u64, width);
        out.put_u16(len);
        key_offset += usize::from(len);
    }
    for value in values {
        out.put_u8(value.kind);
        if is_inlined(value.kind) {
            let end = out.len() + width;
            out.put(&value.bytes);
            out.resize(end, 0);
        } else {
            out.put_uint(offset as u64, width);
            offset += value.bytes.len();
        }
    }
    for key in keys.unwrap_or(&[]) {
        out.put(key.as_bytes());
    }
    for value in values.iter().filter(|value| !is_inlined(value.kind)) {
        out.put(&value.bytes);
    }
    Ok(Some(out))
}

/// A length with 7 bits per byte, lowest first.
fn put_varlen(out: &mut Vec<u8>, len: usize) -> Result<(), JsonTooLarge> {
    let mut left = u32::try_from(len).map_err(|_| JsonTooLarge)?;
    loop {
        let [low, ..] = (left & 0x7f).to_le_bytes();
        left >>= 7;
        if left == 0 {
            out.put_u8(low);
            return Ok(());
        }
        out.put_u8(low | 0x80);
    }
}
