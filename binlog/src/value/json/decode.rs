//! Binary JSON to a value tree.
//!
//! Offsets in a damaged document may overlap, so that a small one could unfold to an enormous tree;
//! a budget of values and bytes, that of the input, stops it.
//!
//! Spec: mysql-server 9.7, sql-common/json_binary.h.

use codec::{DecodeError, Reader};

use super::{
    DEPTH_MAX, DOUBLE, INT16, INT32, INT64, JsonValue, LARGE_ARRAY, LARGE_OBJECT, LITERAL,
    LITERAL_FALSE, LITERAL_NULL, LITERAL_TRUE, OPAQUE, SMALL_ARRAY, SMALL_OBJECT, STRING, UINT16,
    UINT32, UINT64,
};
use crate::row::ColumnType;
use crate::value::{DateTime, Decimal, Time};

/// Decodes a value in MySQL's binary form. No bytes at all are null.
pub fn decode(binary: &[u8]) -> Result<JsonValue, DecodeError> {
    let mut reader = Reader::new(binary);
    if reader.is_empty() {
        return Ok(JsonValue::Null);
    }
    let kind = reader.u8("JSON type")?;
    let mut decoder = Decoder {
        left: binary.len().saturating_add(1),
    };
    decoder.value(kind, reader, 0)
}

struct Decoder {
    /// Values and bytes of text that may still come out.
    left: usize,
}

impl Decoder {
    fn spend(&mut self, amount: usize, offset: usize) -> Result<(), DecodeError> {
        self.left = self.left.checked_sub(amount).ok_or_else(|| {
            DecodeError::invalid(
                "JSON value",
                offset,
                amount as u64,
                "values that do not overlap",
            )
        })?;
        Ok(())
    }

    /// Decodes the value at the front of `reader`, which may run on behind it.
    fn value(
        &mut self,
        kind: u8,
        mut reader: Reader<'_>,
        depth: usize,
    ) -> Result<JsonValue, DecodeError> {
        let offset = reader.offset();
        self.spend(1, offset)?;
        Ok(match kind {
            SMALL_OBJECT => self.container(reader, 2, true, depth)?,
            LARGE_OBJECT => self.container(reader, 4, true, depth)?,
            SMALL_ARRAY => self.container(reader, 2, false, depth)?,
            LARGE_ARRAY => self.container(reader, 4, false, depth)?,
            LITERAL => match reader.u8("JSON literal")? {
                LITERAL_NULL => JsonValue::Null,
                LITERAL_TRUE => JsonValue::Bool(true),
                LITERAL_FALSE => JsonValue::Bool(false),
                found => {
                    let found = u64::from(found);
                    return Err(DecodeError::invalid(
                        "JSON literal",
                        offset,
                        found,
                        "0 to 2",
                    ));
                }
            },
            INT16 => JsonValue::Int(reader.u16("JSON number")?.cast_signed().into()),
            UINT16 => JsonValue::UInt(reader.u16("JSON number")?.into()),
            INT32 => JsonValue::Int(reader.u32("JSON number")?.cast_signed().into()),
            UINT32 => JsonValue::UInt(reader.u32("JSON number")?.into()),
            INT64 => JsonValue::Int(reader.u64("JSON number")?.cast_signed()),
            UINT64 => JsonValue::UInt(reader.u64("JSON number")?),
            DOUBLE => JsonValue::Double(f64::from_le_bytes(reader.array("JSON number")?)),
            STRING => {
                let len = varlen(&mut reader)?;
                let bytes = reader.bytes(len, "JSON string")?;
                JsonValue::String(self.text(bytes, offset)?)
            }
            OPAQUE => {
                let column_type = reader.u8("JSON opaque type")?;
                let len = varlen(&mut reader)?;
                let data = reader.sub(len, "JSON opaque value")?;
                self.spend(len, offset)?;
                opaque(column_type, data)?
            }
            found => {
                let (found, expected) = (u64::from(found), "0 to 12 or 15");
                return Err(DecodeError::invalid("JSON type", offset, found, expected));
            }
        })
    }

    fn text(&mut self, bytes: &[u8], offset: usize) -> Result<String, DecodeError> {
        self.spend(bytes.len(), offset)?;
        Ok(Reader::text(bytes, offset, "JSON string")?.to_owned())
    }

    /// Decodes an object or array whose counts and offsets have `width` bytes.
    fn container(
        &mut self,
        reader: Reader<'_>,
        width: usize,
        is_object: bool,
        depth: usize,
    ) -> Result<JsonValue, DecodeError> {
        let base = reader.offset();
        if depth >= DEPTH_MAX {
            let found = depth as u64;
            return Err(DecodeError::invalid(
                "JSON depth",
                base,
                found,
                "at most 100",
            ));
        }
        let all = reader.peek();
        let mut entries = reader;
        let count = entries.uint(width, "JSON member count")?;
        let size = entries.uint(width, "JSON container size")?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let whole = Reader::at(all, base).sub(size, "JSON container")?;
        let bytes = whole.peek();
        let mut keys = Reader::at(bytes, base);
        keys.bytes(2 * width, "JSON container")?;
        let mut values = keys.clone();
        if is_object {
            let len = count.saturating_mul(width as u64 + 2);
            values.bytes_u64(len, "JSON keys")?;
        }
        let mut members = Vec::new();
        let mut items = Vec::new();
        for _ in 0..count {
            let value = self.entry(&mut values, bytes, base, width, depth)?;
            if is_object {
                let at = keys.uint(width, "JSON key offset")?;
                let len = keys.u16("JSON key length")?;
                let mut key = behind(bytes, base, at, "JSON key")?;
                let offset = key.offset();
                let key = self.text(key.bytes(usize::from(len), "JSON key")?, offset)?;
                members.push((key, value));
            } else {
                items.push(value);
            }
        }
        Ok(match is_object {
            true => JsonValue::Object(members),
            false => JsonValue::Array(items),
        })
    }

    /// Decodes one entry of a container: a type, then the value itself or its offset.
    fn entry(
        &mut self,
        values: &mut Reader<'_>,
        container: &[u8],
        base: usize,
        width: usize,
        depth: usize,
    ) -> Result<JsonValue, DecodeError> {
        let kind = values.u8("JSON value type")?;
        let is_inlined = match kind {
            LITERAL | INT16 | UINT16 => true,
            INT32 | UINT32 => width == 4,
            _ => false,
        };
        let field = values.sub(width, "JSON value offset")?;
        if is_inlined {
            return self.value(kind, field, depth + 1);
        }
        let at = field.clone().uint(width, "JSON value offset")?;
        let value = behind(container, base, at, "JSON value")?;
        self.value(kind, value, depth + 1)
    }
}

/// A reader over what lies behind offset `at` of a container.
fn behind<'a>(
    container: &'a [u8],
    base: usize,
    at: u64,
    what: &'static str,
) -> Result<Reader<'a>, DecodeError> {
    let mut reader = Reader::at(container, base);
    reader.bytes_u64(at, what)?;
    Ok(reader)
}

/// A length of up to 5 bytes with 7 bits each, lowest first.
fn varlen(reader: &mut Reader<'_>) -> Result<usize, DecodeError> {
    let offset = reader.offset();
    let mut len = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = reader.u8("JSON length")?;
        len |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let what = "JSON length";
            return usize::try_from(len)
                .map_err(|_| DecodeError::invalid(what, offset, len, "32 bits"));
        }
    }
    Err(DecodeError::invalid(
        "JSON length",
        offset,
        len,
        "at most 5 bytes",
    ))
}

fn opaque(column_type: u8, mut data: Reader<'_>) -> Result<JsonValue, DecodeError> {
    let mut packed = |what| -> Result<i64, DecodeError> {
        let value = data.u64(what)?.cast_signed();
        data.finish(what)?;
        Ok(value)
    };
    Ok(match ColumnType(column_type) {
        ColumnType::NEWDECIMAL => {
            let precision = data.u8("JSON decimal precision")?;
            let scale = data.u8("JSON decimal scale")?;
            let decimal = Decimal::from_packed(&mut data, precision, scale)?;
            data.finish("JSON decimal")?;
            JsonValue::Decimal(decimal)
        }
        ColumnType::DATE => JsonValue::Date(DateTime::from_packed(packed("JSON date")?).date()),
        ColumnType::DATETIME => {
            JsonValue::DateTime(DateTime::from_packed(packed("JSON datetime")?))
        }
        ColumnType::TIMESTAMP => {
            JsonValue::Timestamp(DateTime::from_packed(packed("JSON timestamp")?))
        }
        ColumnType::TIME => JsonValue::Time(Time::from_packed(packed("JSON time")?)),
        _ => JsonValue::Opaque {
            column_type,
            data: data.rest().to_vec(),
        },
    })
}
