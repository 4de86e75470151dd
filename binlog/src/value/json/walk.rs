//! Binary JSON read where it lies: nothing is copied, and only what is asked for is looked at.
//!
//! Offsets in a damaged document may overlap, so that a small one could unfold to an enormous tree.
//! Whoever walks all of it keeps a [`Budget`] of values and bytes, that of the input, which stops it.
//!
//! Spec: mysql-server 9.7, sql-common/json_binary.h.

use codec::{DecodeError, Reader};

use super::{
    DEPTH_MAX, DOUBLE, INT16, INT32, INT64, LARGE_ARRAY, LARGE_OBJECT, LITERAL, LITERAL_FALSE,
    LITERAL_NULL, LITERAL_TRUE, OPAQUE, SMALL_ARRAY, SMALL_OBJECT, STRING, UINT16, UINT32, UINT64,
};
use crate::row::ColumnType;
use crate::value::{Date, DateTime, Decimal, Time};

/// One value of a binary document, borrowing from it.
#[derive(Debug, Clone, Copy)]
pub enum JsonRef<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number, stored as unsigned.
    UInt(u64),
    /// Any other number.
    Double(f64),
    /// A DECIMAL.
    Decimal(Decimal),
    /// A text.
    String(&'a str),
    /// Values in order.
    Array(JsonContainer<'a>),
    /// Members in MySQL's order.
    Object(JsonContainer<'a>),
    /// A DATE.
    Date(Date),
    /// A TIME.
    Time(Time),
    /// A DATETIME.
    DateTime(DateTime),
    /// A TIMESTAMP, as the DATETIME it was in its session's time zone.
    Timestamp(DateTime),
    /// A value of another MySQL type.
    Opaque {
        /// Type code as in a table map.
        column_type: u8,
        /// Its bytes.
        data: &'a [u8],
    },
}

impl<'a> JsonRef<'a> {
    /// The value of a whole document. No bytes at all are null.
    pub fn new(binary: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(binary);
        if reader.is_empty() {
            return Ok(Self::Null);
        }
        let kind = reader.u8("JSON type")?;
        Self::read(kind, reader, 0)
    }

    /// Reads the value at the front of `reader`, which may run on behind it.
    fn read(kind: u8, mut reader: Reader<'a>, depth: usize) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        let container = |width| JsonContainer::read(reader.clone(), width, kind, depth);
        Ok(match kind {
            SMALL_OBJECT => Self::Object(container(2)?),
            LARGE_OBJECT => Self::Object(container(4)?),
            SMALL_ARRAY => Self::Array(container(2)?),
            LARGE_ARRAY => Self::Array(container(4)?),
            LITERAL => match reader.u8("JSON literal")? {
                LITERAL_NULL => Self::Null,
                LITERAL_TRUE => Self::Bool(true),
                LITERAL_FALSE => Self::Bool(false),
                found => {
                    let (found, expected) = (u64::from(found), "0 to 2");
                    let what = "JSON literal";
                    return Err(DecodeError::invalid(what, offset, found, expected));
                }
            },
            INT16 => Self::Int(reader.u16("JSON number")?.cast_signed().into()),
            UINT16 => Self::UInt(reader.u16("JSON number")?.into()),
            INT32 => Self::Int(reader.u32("JSON number")?.cast_signed().into()),
            UINT32 => Self::UInt(reader.u32("JSON number")?.into()),
            INT64 => Self::Int(reader.u64("JSON number")?.cast_signed()),
            UINT64 => Self::UInt(reader.u64("JSON number")?),
            DOUBLE => Self::Double(f64::from_le_bytes(reader.array("JSON number")?)),
            STRING => {
                let len = varlen(&mut reader)?;
                let bytes = reader.bytes(len, "JSON string")?;
                Self::String(Reader::text(bytes, offset, "JSON string")?)
            }
            OPAQUE => {
                let column_type = reader.u8("JSON opaque type")?;
                let len = varlen(&mut reader)?;
                opaque(column_type, reader.sub(len, "JSON opaque value")?)?
            }
            found => {
                let (found, expected) = (u64::from(found), "0 to 12 or 15");
                return Err(DecodeError::invalid("JSON type", offset, found, expected));
            }
        })
    }
}

/// An object or array of a binary document.
#[derive(Debug, Clone, Copy)]
pub struct JsonContainer<'a> {
    /// From its count to its end.
    bytes: &'a [u8],
    /// Where `bytes` begin in the document.
    base: usize,
    count: usize,
    /// Bytes of counts and offsets: 2 or 4.
    width: usize,
    is_object: bool,
    /// Containers around it.
    depth: usize,
}

impl<'a> JsonContainer<'a> {
    fn read(
        mut reader: Reader<'a>,
        width: usize,
        kind: u8,
        depth: usize,
    ) -> Result<Self, DecodeError> {
        let base = reader.offset();
        if depth >= DEPTH_MAX {
            let (found, expected) = (depth as u64, "at most 100");
            return Err(DecodeError::invalid("JSON depth", base, found, expected));
        }
        let whole = reader.clone();
        let count = reader.uint(width, "JSON member count")?;
        let size = reader.uint(width, "JSON container size")?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let is_object = matches!(kind, SMALL_OBJECT | LARGE_OBJECT);
        let mut whole = whole.clone().sub(size, "JSON container")?;
        let bytes = whole.peek();
        // The tables must be there; what they point to is checked when it is read.
        whole.bytes(2 * width, "JSON container")?;
        let entry_len = if is_object { 2 * width + 3 } else { width + 1 };
        whole.bytes_u64(count.saturating_mul(entry_len as u64), "JSON entries")?;
        Ok(Self {
            bytes,
            base,
            count: usize::try_from(count).unwrap_or(usize::MAX),
            width,
            is_object,
            depth,
        })
    }

    /// Members or items.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Key of the member at `index`, which must be below [`JsonContainer::len`] of an object.
    pub fn key(&self, index: usize) -> Result<&'a str, DecodeError> {
        let at = 2 * self.width + index.saturating_mul(self.width + 2);
        let mut entry = self.at(at, "JSON key")?;
        let start = entry.uint(self.width, "JSON key offset")?;
        let len = entry.u16("JSON key length")?;
        let mut key = self.at(usize::try_from(start).unwrap_or(usize::MAX), "JSON key")?;
        let offset = key.offset();
        let key = key.bytes(usize::from(len), "JSON key")?;
        Reader::text(key, offset, "JSON key")
    }

    /// Value of the member or item at `index`, which must be below [`JsonContainer::len`].
    pub fn value(&self, index: usize) -> Result<JsonRef<'a>, DecodeError> {
        let keys = match self.is_object {
            true => self.count.saturating_mul(self.width + 2),
            false => 0,
        };
        let at = (2 * self.width)
            .saturating_add(keys)
            .saturating_add(index.saturating_mul(self.width + 1));
        let mut entry = self.at(at, "JSON value")?;
        let kind = entry.u8("JSON value type")?;
        let field = entry.sub(self.width, "JSON value offset")?;
        let is_inlined = match kind {
            LITERAL | INT16 | UINT16 => true,
            INT32 | UINT32 => self.width == 4,
            _ => false,
        };
        let depth = self.depth + 1;
        if is_inlined {
            return JsonRef::read(kind, field, depth);
        }
        let start = field.clone().uint(self.width, "JSON value offset")?;
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        JsonRef::read(kind, self.at(start, "JSON value")?, depth)
    }

    /// A reader of what lies behind `at`.
    fn at(&self, at: usize, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        let mut reader = Reader::at(self.bytes, self.base);
        reader.bytes(at, what)?;
        Ok(reader)
    }
}

/// Values and bytes that a walk over a whole document may still see: no more than it has bytes, as
/// long as nothing in it overlaps.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) const fn of(binary: &[u8]) -> Self {
        Self {
            left: binary.len().saturating_add(1),
        }
    }

    /// Takes a value with text or data of `len` bytes.
    pub(super) fn spend(&mut self, len: usize) -> Result<(), DecodeError> {
        let left = self.left.checked_sub(len.saturating_add(1));
        self.left = left.ok_or_else(|| {
            let expected = "values that do not overlap";
            DecodeError::invalid("JSON document", 0, len as u64, expected)
        })?;
        Ok(())
    }

    /// Takes `value`, without what is in it.
    pub(super) fn spend_value(&mut self, value: &JsonRef<'_>) -> Result<(), DecodeError> {
        self.spend(match value {
            JsonRef::String(text) => text.len(),
            JsonRef::Opaque { data, .. } => data.len(),
            _ => 0,
        })
    }
}

/// A length of up to 5 bytes with 7 bits each, lowest first.
fn varlen(reader: &mut Reader<'_>) -> Result<usize, DecodeError> {
    let (offset, what) = (reader.offset(), "JSON length");
    let mut len = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = reader.u8(what)?;
        len |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(len)
                .map_err(|_| DecodeError::invalid(what, offset, len, "32 bits"));
        }
    }
    Err(DecodeError::invalid(what, offset, len, "at most 5 bytes"))
}

fn opaque(column_type: u8, mut data: Reader<'_>) -> Result<JsonRef<'_>, DecodeError> {
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
            JsonRef::Decimal(decimal)
        }
        ColumnType::DATE => JsonRef::Date(DateTime::from_packed(packed("JSON date")?).date()),
        ColumnType::DATETIME => JsonRef::DateTime(DateTime::from_packed(packed("JSON datetime")?)),
        ColumnType::TIMESTAMP => {
            JsonRef::Timestamp(DateTime::from_packed(packed("JSON timestamp")?))
        }
        ColumnType::TIME => JsonRef::Time(Time::from_packed(packed("JSON time")?)),
        _ => JsonRef::Opaque {
            column_type,
            data: data.rest(),
        },
    })
}
