//! One column's value in a row image, both directions.
//!
//! Spec: mysql-server 9.7, sql/field.cc, `Field::pack` of each type; FORMAT of the temporal types in
//! mysys/my_time.cc.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use codec::{DecodeError, Reader, Write};

use super::column::{BINARY_COLLATION, Column, ColumnType};
use super::compressed;
use super::temporal_cell::{
    date, datetime, datetime_old, fraction, fraction_len, pack_date, put_datetime,
    put_datetime_old, put_fraction, put_time, put_time_old, time, time_old,
};
use crate::value::{Decimal, Timestamp, Value};

/// How the values of one column are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Int {
        width: u8,
        unsigned: bool,
    },
    Float,
    Double,
    Decimal {
        precision: u8,
        scale: u8,
        /// Bytes of a value.
        len: u8,
    },
    Year,
    Date,
    Time {
        fsp: u8,
    },
    DateTime {
        fsp: u8,
    },
    Timestamp {
        fsp: u8,
    },
    TimestampOld,
    TimeOld,
    DateTimeOld,
    Bytes {
        len_width: u8,
    },
    /// BINARY(n): stored without its trailing zero bytes.
    Padded {
        len_width: u8,
        len: u16,
    },
    Enum {
        width: u8,
    },
    Set {
        width: u8,
    },
    Bit {
        bytes: u8,
        bits: u8,
    },
    Json {
        len_width: u8,
    },
    /// MariaDB's COMPRESSED columns.
    Compressed {
        len_width: u8,
    },
    /// NULL, a type without values.
    Nothing,
    /// A type whose values the log does not describe, by its code.
    Undecodable {
        code: u8,
    },
}

/// A value that its column cannot hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError {
    /// Index of the column.
    pub column: usize,
    /// What is wrong.
    pub reason: &'static str,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "column {} cannot be written: {}",
            self.column + 1,
            self.reason
        )
    }
}

impl std::error::Error for EncodeError {}

/// Why a date cannot be written.
const NO_DATE: &str = "the date has a field out of range";

impl Cell {
    /// The layout of a column's values.
    pub(super) fn new(column: &Column<'_>) -> Result<Self, DecodeError> {
        let [high, low] = column.metadata.to_be_bytes();
        let unsigned = column.unsigned.unwrap_or(false);
        let int = |width| Self::Int { width, unsigned };
        let unsupported = || {
            let found = u64::from(column.real_type().0) << 16 | u64::from(column.metadata);
            let expected = "a column type with valid parameters (type << 16 | parameters)";
            DecodeError::invalid("column type", 0, found, expected)
        };
        let within = |range: RangeInclusive<u8>| match range.contains(&low) {
            true => Ok(low),
            false => Err(unsupported()),
        };
        let (fsp, len_width, width) = (within(0..=6), within(1..=4), within(1..=8));
        let varying_width = if column.metadata < 256 { 1 } else { 2 };
        Ok(match column.real_type() {
            ColumnType::TINY => int(1),
            ColumnType::SHORT => int(2),
            ColumnType::INT24 => int(3),
            ColumnType::LONG => int(4),
            ColumnType::LONGLONG => int(8),
            ColumnType::FLOAT => Self::Float,
            ColumnType::DOUBLE => Self::Double,
            ColumnType::NEWDECIMAL => {
                let len = Decimal::packed_len(high, low).ok_or_else(unsupported)?;
                Self::Decimal {
                    precision: high,
                    scale: low,
                    len: u8::try_from(len).map_err(|_| unsupported())?,
                }
            }
            ColumnType::YEAR => Self::Year,
            ColumnType::DATE | ColumnType::NEWDATE => Self::Date,
            ColumnType::TIME2 => Self::Time { fsp: fsp? },
            ColumnType::DATETIME2 => Self::DateTime { fsp: fsp? },
            ColumnType::TIMESTAMP2 => Self::Timestamp { fsp: fsp? },
            ColumnType::TIMESTAMP => Self::TimestampOld,
            ColumnType::TIME => Self::TimeOld,
            ColumnType::DATETIME => Self::DateTimeOld,
            ColumnType::VARCHAR | ColumnType::VAR_STRING => Self::Bytes {
                len_width: varying_width,
            },
            ColumnType::STRING => Self::string(column),
            ColumnType::ENUM => Self::Enum { width: width? },
            ColumnType::SET => Self::Set { width: width? },
            ColumnType::BIT => Self::bit(low, high).ok_or_else(unsupported)?,
            ColumnType::BLOB
            | ColumnType::TINY_BLOB
            | ColumnType::MEDIUM_BLOB
            | ColumnType::LONG_BLOB
            | ColumnType::GEOMETRY
            | ColumnType::VECTOR => Self::Bytes {
                len_width: len_width?,
            },
            ColumnType::JSON => Self::Json {
                len_width: len_width?,
            },
            ColumnType::BLOB_COMPRESSED => Self::Compressed {
                len_width: len_width?,
            },
            ColumnType::VARCHAR_COMPRESSED => Self::Compressed {
                len_width: varying_width,
            },
            ColumnType::NULL => Self::Nothing,
            // DECIMAL of MySQL 4.1 and older: digits whose number only the table's definition says.
            ColumnType(code) => Self::Undecodable { code },
        })
    }

    fn bit(bits: u8, bytes: u8) -> Option<Self> {
        let total = u32::from(bytes) * 8 + u32::from(bits);
        (bits <= 7 && total <= 64).then_some(Self::Bit { bytes, bits })
    }

    fn string(column: &Column<'_>) -> Self {
        let len = column.string_len_max();
        let len_width = if len < 256 { 1 } else { 2 };
        match column.charset {
            Some(BINARY_COLLATION) => Self::Padded { len_width, len },
            _ => Self::Bytes { len_width },
        }
    }

    /// Reads one value that is not NULL to the end of `row`. The usual types go there directly.
    #[inline(always)]
    pub(super) fn decode_into<'a>(
        self,
        reader: &mut Reader<'a>,
        inflated_left: &mut u64,
        row: &mut Vec<Option<Value<'a>>>,
    ) -> Result<(), DecodeError> {
        match self {
            Self::Int { width, unsigned } => row.push(Some(int(reader, width, unsigned)?)),
            Self::Bytes { len_width } => {
                let bytes = sized(reader, len_width)?;
                row.push(Some(Value::Bytes(Cow::Borrowed(bytes))));
            }
            Self::Decimal {
                precision, scale, ..
            } => {
                let value = Decimal::from_packed(reader, precision, scale)?;
                row.push(Some(Value::Decimal(value)));
            }
            Self::DateTime { fsp } => row.push(Some(Value::DateTime(datetime(reader, fsp)?))),
            Self::Double => {
                let value = f64::from_le_bytes(reader.array("DOUBLE")?);
                row.push(Some(Value::Double(value)));
            }
            other => row.push(Some(other.decode(reader, inflated_left)?)),
        }
        Ok(())
    }

    /// Reads one value that is not NULL. What it inflates is taken from `inflated_left`.
    pub(super) fn decode<'a>(
        self,
        reader: &mut Reader<'a>,
        inflated_left: &mut u64,
    ) -> Result<Value<'a>, DecodeError> {
        Ok(match self {
            Self::Int { width, unsigned } => int(reader, width, unsigned)?,
            Self::Float => Value::Float(f32::from_le_bytes(reader.array("FLOAT")?)),
            Self::Double => Value::Double(f64::from_le_bytes(reader.array("DOUBLE")?)),
            Self::Decimal {
                precision, scale, ..
            } => Value::Decimal(Decimal::from_packed(reader, precision, scale)?),
            Self::Year => Value::Year(match reader.u8("YEAR")? {
                0 => 0,
                year => 1900 + u16::from(year),
            }),
            Self::Date => Value::Date(date(reader.u24("DATE")?)),
            Self::Time { fsp } => Value::Time(time(reader, fsp)?),
            Self::DateTime { fsp } => Value::DateTime(datetime(reader, fsp)?),
            Self::Timestamp { fsp } => {
                let [a, b, c, d] = reader.array("TIMESTAMP")?;
                let seconds = u32::from_be_bytes([a, b, c, d]);
                let micros = fraction(reader, fsp)?;
                Value::Timestamp(Timestamp { seconds, micros })
            }
            Self::TimestampOld => Value::Timestamp(Timestamp {
                seconds: reader.u32("TIMESTAMP")?,
                micros: 0,
            }),
            Self::TimeOld => Value::Time(time_old(reader)?),
            Self::DateTimeOld => Value::DateTime(datetime_old(reader)?),
            Self::Bytes { len_width } => Value::Bytes(Cow::Borrowed(sized(reader, len_width)?)),
            Self::Padded { len_width, len } => {
                Value::Bytes(padded(sized(reader, len_width)?, len.into()))
            }
            Self::Enum { width } => {
                let offset = reader.offset();
                let number = reader.uint(usize::from(width), "ENUM")?;
                Value::Enum(
                    u32::try_from(number).map_err(|_| {
                        DecodeError::invalid("ENUM", offset, number, "a member number")
                    })?,
                )
            }
            Self::Set { width } => Value::Set(reader.uint(usize::from(width), "SET")?),
            Self::Bit { bytes, bits } => {
                let len = usize::from(bytes) + usize::from(bits > 0);
                Value::Bit(reader.uint_be(len, "BIT")?)
            }
            Self::Json { len_width } => Value::Json(Cow::Borrowed(sized(reader, len_width)?)),
            Self::Compressed { len_width } => {
                let offset = reader.offset().saturating_add(usize::from(len_width));
                let stored = Reader::at(sized(reader, len_width)?, offset);
                Value::Bytes(compressed::column_value(stored, inflated_left)?)
            }
            Self::Nothing => Value::Null,
            Self::Undecodable { code } => return Err(undecodable(code, reader.offset())),
        })
    }

    /// Whether the column is JSON, of which partial updates log changes.
    pub(super) const fn is_json(self) -> bool {
        matches!(self, Self::Json { .. })
    }

    /// Skips one value that is not NULL.
    pub(super) fn skip(self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let len = match self {
            Self::Int { width, .. } | Self::Enum { width } | Self::Set { width } => {
                usize::from(width)
            }
            Self::Year => 1,
            Self::Date | Self::TimeOld => 3,
            Self::Float | Self::TimestampOld => 4,
            Self::Double | Self::DateTimeOld => 8,
            Self::Time { fsp } => 3 + fraction_len(fsp),
            Self::Timestamp { fsp } => 4 + fraction_len(fsp),
            Self::DateTime { fsp } => 5 + fraction_len(fsp),
            Self::Decimal { len, .. } => usize::from(len),
            Self::Nothing => 0,
            Self::Undecodable { code } => return Err(undecodable(code, reader.offset())),
            Self::Bit { bytes, bits } => usize::from(bytes) + usize::from(bits > 0),
            Self::Bytes { len_width }
            | Self::Padded { len_width, .. }
            | Self::Compressed { len_width }
            | Self::Json { len_width } => return sized(reader, len_width).map(|_| ()),
        };
        reader.bytes(len, "value").map(|_| ())
    }

    /// Appends one value that is not NULL; on error nothing is appended.
    pub(super) fn encode(self, out: &mut Vec<u8>, value: &Value<'_>) -> Result<(), &'static str> {
        match (self, value) {
            (Self::Int { width, unsigned }, value) => put_int(out, width, unsigned, value)?,
            (Self::Float, Value::Float(value)) => out.put(&value.to_le_bytes()),
            (Self::Double, Value::Double(value)) => out.put(&value.to_le_bytes()),
            (
                Self::Decimal {
                    precision, scale, ..
                },
                Value::Decimal(value),
            ) => {
                if !value.to_packed(out, precision, scale) {
                    return Err("the DECIMAL has too many digits");
                }
            }
            (Self::Year, Value::Year(year)) => out.put_u8(match year {
                0 => 0,
                year => year
                    .checked_sub(1900)
                    .and_then(|year| u8::try_from(year).ok())
                    .filter(|&year| year > 0)
                    .ok_or("the YEAR is not from 1901 to 2155")?,
            }),
            (Self::Bytes { len_width }, Value::Bytes(bytes))
            | (Self::Json { len_width }, Value::Json(bytes)) => put_sized(out, len_width, bytes)?,
            (_, Value::Date(_) | Value::Time(_) | Value::DateTime(_) | Value::Timestamp(_)) => {
                self.encode_time(out, value)?;
            }
            (Self::Compressed { len_width }, Value::Bytes(bytes)) => {
                // As the server writes what compression does not make shorter.
                let stored: &[&[u8]] = if bytes.is_empty() {
                    &[]
                } else {
                    &[&[0], bytes]
                };
                put_sized(out, len_width, &stored.concat())?;
            }
            (Self::Padded { len, .. }, Value::Bytes(bytes)) if bytes.len() > usize::from(len) => {
                return Err("the value is longer than the column");
            }
            (Self::Padded { len_width, .. }, Value::Bytes(bytes)) => {
                let end = bytes.iter().rposition(|&byte| byte != 0);
                let bytes = bytes.get(..end.map_or(0, |last| last + 1));
                put_sized(out, len_width, bytes.unwrap_or(&[]))?;
            }
            (Self::Enum { width }, Value::Enum(number)) => {
                put_width(out, width, u64::from(*number))?;
            }
            (Self::Set { width }, Value::Set(bits)) => put_width(out, width, *bits)?,
            (Self::Bit { bytes, bits }, Value::Bit(value)) => {
                let total = u32::from(bytes) * 8 + u32::from(bits);
                if total < 64 && value >> total != 0 {
                    return Err("the BIT value has too many bits");
                }
                out.put_uint_be(*value, usize::from(bytes) + usize::from(bits > 0));
            }
            _ => return Err("the value is of another type"),
        }
        Ok(())
    }

    fn encode_time(self, out: &mut Vec<u8>, value: &Value<'_>) -> Result<(), &'static str> {
        match (self, value) {
            (Self::Date, Value::Date(date)) => out.put_u24(pack_date(*date).ok_or(NO_DATE)?),
            (Self::Time { fsp }, Value::Time(time)) => {
                put_time(out, *time, fsp).ok_or("the TIME has a field out of range")?;
            }
            (Self::DateTime { fsp }, Value::DateTime(value)) => {
                put_datetime(out, *value, fsp).ok_or(NO_DATE)?;
            }
            (Self::Timestamp { fsp }, Value::Timestamp(value)) => {
                if value.micros >= 1_000_000 {
                    return Err(NO_DATE);
                }
                out.put(&value.seconds.to_be_bytes());
                put_fraction(out, value.micros, fsp);
            }
            (Self::TimestampOld, Value::Timestamp(value)) => out.put_u32(value.seconds),
            (Self::TimeOld, Value::Time(value)) => {
                put_time_old(out, *value).ok_or("the TIME has a field out of range")?;
            }
            (Self::DateTimeOld, Value::DateTime(value)) => {
                put_datetime_old(out, *value).ok_or(NO_DATE)?;
            }
            _ => return Err("the value is of another type"),
        }
        Ok(())
    }
}

/// BINARY with the zero bytes that its image leaves out.
fn padded(bytes: &[u8], len: usize) -> Cow<'_, [u8]> {
    if bytes.len() >= len {
        return Cow::Borrowed(bytes);
    }
    let mut padded = bytes.to_vec();
    padded.resize(len, 0);
    Cow::Owned(padded)
}

fn undecodable(code: u8, offset: usize) -> DecodeError {
    let expected = "a type whose values the log describes, not DECIMAL of MySQL 4.1";
    DecodeError::invalid("column type", offset, u64::from(code), expected)
}

#[inline(always)]
fn int<'a>(reader: &mut Reader<'_>, width: u8, unsigned: bool) -> Result<Value<'a>, DecodeError> {
    let raw = little(reader, width, "integer")?;
    let shift = 64_u32.saturating_sub(8 * u32::from(width));
    Ok(if unsigned {
        Value::UInt(raw)
    } else {
        Value::Int((raw << shift).cast_signed() >> shift)
    })
}

/// Reads an integer of `width` bytes; the usual widths without a loop.
#[inline(always)]
fn little(reader: &mut Reader<'_>, width: u8, what: &'static str) -> Result<u64, DecodeError> {
    match width {
        1 => reader.u8(what).map(u64::from),
        2 => reader.u16(what).map(u64::from),
        4 => reader.u32(what).map(u64::from),
        8 => reader.u64(what),
        _ => reader.uint(usize::from(width), what),
    }
}

fn put_int(
    out: &mut Vec<u8>,
    width: u8,
    unsigned: bool,
    value: &Value<'_>,
) -> Result<(), &'static str> {
    let value = match value {
        Value::Int(value) => i128::from(*value),
        Value::UInt(value) => i128::from(*value),
        _ => return Err("the value is of another type"),
    };
    let bits = 8 * u32::from(width);
    let range = match unsigned {
        true => 0..1_i128 << bits,
        false => -(1_i128 << (bits - 1))..1_i128 << (bits - 1),
    };
    if !range.contains(&value) {
        return Err("the integer is out of range");
    }
    let bytes = value.to_le_bytes();
    out.put(bytes.get(..usize::from(width)).unwrap_or(&bytes));
    Ok(())
}

/// Length prefix of `width` bytes, then the bytes.
#[inline(always)]
fn sized<'a>(reader: &mut Reader<'a>, width: u8) -> Result<&'a [u8], DecodeError> {
    let len = little(reader, width, "value length")?;
    reader.bytes_u64(len, "value")
}

fn put_sized(out: &mut Vec<u8>, width: u8, bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.len() as u64 >> (8 * u32::from(width)) != 0 {
        return Err("the value is longer than the column's length field can say");
    }
    out.put_uint(bytes.len() as u64, usize::from(width));
    out.put(bytes);
    Ok(())
}

fn put_width(out: &mut Vec<u8>, width: u8, number: u64) -> Result<(), &'static str> {
    if width < 8 && number >> (8 * u32::from(width)) != 0 {
        return Err("the number has more bytes than the column");
    }
    out.put_uint(number, usize::from(width));
    Ok(())
}
