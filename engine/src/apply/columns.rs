//! Columns of a table map against those of the local table.
//!
//! Columns correspond by position, as in MySQL. A local column may be wider than the logged one,
//! never narrower; a table may have more columns than the log, or fewer.

use std::borrow::Cow;

use binlog::row::{Column as MapColumn, ColumnType as Code, TableMap};
use binlog::value::Value;

use crate::catalog::{Column, ColumnType, Table, TextForm};
use crate::collation::{self, Charset};
use crate::image::code;
use sql::error::SqlError;

use super::ApplyError;

/// How each logged value becomes a local one.
pub(crate) struct Mapping {
    logged: Vec<(Code, u16)>,
    /// One entry per local column that the log has.
    pub(super) conversions: Vec<Conversion>,
}

/// How the values of one column become local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// As they are.
    Same,
    /// A signed integer of a source that may be stored in an unsigned column, or the reverse.
    Signedness { unsigned: bool },
    /// Text from another character set.
    Charset { from: Charset, to: Charset },
    /// FLOAT into DOUBLE.
    Widen,
    /// DECIMAL with another scale.
    Rescale { scale: u8 },
    /// JSON text of MariaDB.
    JsonText,
    /// The text of what MariaDB has as a few bytes.
    Shown(TextForm),
}

/// Integers whose signedness was not logged have the local column's.
pub(super) fn assume_signedness(map: &mut TableMap<'_>, table: &Table) {
    for (logged, local) in map.columns.iter_mut().zip(&table.columns) {
        if logged.is_numeric() && logged.unsigned.is_none() {
            logged.unsigned = Some(local.column_type.is_unsigned());
        }
    }
}

impl Mapping {
    /// Error 1677 for a column that cannot be converted without loss.
    pub(super) fn new(map: &TableMap<'_>, table: &Table) -> Result<Mapping, ApplyError> {
        let pairs = map.columns.iter().zip(&table.columns).enumerate();
        let conversions = pairs.map(|(position, (logged, local))| {
            conversion(logged, local).ok_or_else(|| ApplyError::Incompatible {
                error: SqlError::conversion_failed(
                    position,
                    &table.database,
                    &table.name,
                    logged_text(logged),
                    &local.column_type,
                ),
            })
        });
        Ok(Mapping {
            logged: map
                .columns
                .iter()
                .map(|column| (column.column_type, column.metadata))
                .collect(),
            conversions: conversions.collect::<Result<_, _>>()?,
        })
    }

    /// Whether `map` has the columns that this mapping was made for.
    pub(super) fn is_of(&self, map: &TableMap<'_>) -> bool {
        let columns = map
            .columns
            .iter()
            .map(|column| (column.column_type, column.metadata));
        self.logged.len() == map.columns.len() && self.logged.iter().copied().eq(columns)
    }
}

fn conversion(logged: &MapColumn<'_>, local: &Column) -> Option<Conversion> {
    match local.shown {
        Some(form) => {
            let is_such =
                logged.real_type() == Code::STRING && logged.string_len_max() == form.bytes();
            is_such.then_some(Conversion::Shown(form))
        }
        None => conversion_of_type(logged, local),
    }
}

fn conversion_of_type(logged: &MapColumn<'_>, local: &Column) -> Option<Conversion> {
    let (local_code, local_metadata) = code(&local.column_type);
    match (logged.real_type(), &local.column_type) {
        (_, ColumnType::Integer { unsigned, .. }) => {
            integer_conversion(logged, local_code, *unsigned)
        }
        (
            Code::NEWDECIMAL,
            ColumnType::Decimal {
                precision, scale, ..
            },
        ) => {
            let [from_precision, from_scale] = logged.metadata.to_be_bytes();
            let (from_whole, whole) = (from_precision.checked_sub(from_scale)?, precision - scale);
            match from_whole <= whole && from_scale <= *scale {
                true if from_scale == *scale => Some(Conversion::Same),
                true => Some(Conversion::Rescale { scale: *scale }),
                false => None,
            }
        }
        (Code::FLOAT, ColumnType::Float { .. }) | (Code::DOUBLE, ColumnType::Double { .. }) => {
            Some(Conversion::Same)
        }
        (Code::FLOAT, ColumnType::Double { .. }) => Some(Conversion::Widen),
        (Code::BIT, ColumnType::Bit { width }) => {
            let [bytes, bits] = logged.metadata.to_be_bytes();
            (u16::from(bytes) * 8 + u16::from(bits) <= u16::from(*width))
                .then_some(Conversion::Same)
        }
        (Code::YEAR, ColumnType::Year) | (Code::DATE | Code::NEWDATE, ColumnType::Date) => {
            Some(Conversion::Same)
        }
        (Code::TIME, ColumnType::Time { .. })
        | (Code::DATETIME, ColumnType::DateTime { .. })
        | (Code::TIMESTAMP, ColumnType::Timestamp { .. }) => Some(Conversion::Same),
        (Code::TIME2, ColumnType::Time { fsp })
        | (Code::DATETIME2, ColumnType::DateTime { fsp })
        | (Code::TIMESTAMP2, ColumnType::Timestamp { fsp }) => {
            (logged.metadata <= u16::from(*fsp)).then_some(Conversion::Same)
        }
        (Code::ENUM, ColumnType::Enum { .. }) | (Code::SET, ColumnType::Set { .. }) => {
            (logged.metadata & 0xff <= local_metadata & 0xff).then_some(Conversion::Same)
        }
        (Code::JSON, ColumnType::Json) => Some(Conversion::Same),
        (Code::BLOB, ColumnType::Json) => Some(Conversion::JsonText),
        (Code::GEOMETRY, ColumnType::Geometry { .. })
        | (Code::VECTOR, ColumnType::Vector { .. }) => Some(Conversion::Same),
        // MariaDB's vectors, the same numbers in bytes.
        (Code::VARCHAR, ColumnType::Vector { dimensions })
            if u32::from(logged.metadata) == u32::from(*dimensions) * 4 =>
        {
            Some(Conversion::Same)
        }
        (
            Code::STRING
            | Code::VARCHAR
            | Code::VAR_STRING
            | Code::BLOB
            | Code::VARCHAR_COMPRESSED
            | Code::BLOB_COMPRESSED,
            _,
        ) => string(logged, local),
        _ => None,
    }
}

fn string(logged: &MapColumn<'_>, local: &Column) -> Option<Conversion> {
    let from = logged
        .charset
        .map(|id| collation::by_id(id).map(|collation| collation.charset));
    let to = match &local.column_type {
        ColumnType::Char { collation, .. }
        | ColumnType::Varchar { collation, .. }
        | ColumnType::Text { collation, .. } => collation.charset,
        ColumnType::Binary { .. } | ColumnType::Varbinary { .. } | ColumnType::Blob { .. } => {
            Charset::Binary
        }
        _ => return None,
    };
    let conversion = match from {
        // Sources that log no charset are taken at their word, as by MySQL.
        None => Conversion::Same,
        Some(from) if from == Some(to) => Conversion::Same,
        Some(Some(Charset::Utf8mb3 | Charset::Ascii)) if to == Charset::Utf8mb4 => Conversion::Same,
        Some(Some(from)) if from != Charset::Binary && to != Charset::Binary => {
            Conversion::Charset { from, to }
        }
        Some(_) => return None,
    };
    let longest = longest_logged(logged)?;
    let fits = match conversion {
        Conversion::Charset { from, .. } => {
            longest / u64::from(from.bytes_per_char_max()) <= characters_max(local)
        }
        _ => longest <= bytes_max(local),
    };
    fits.then_some(conversion)
}

fn integer_conversion(logged: &MapColumn<'_>, to: Code, unsigned: bool) -> Option<Conversion> {
    let (from, to) = (integer_bytes(logged.real_type())?, integer_bytes(to)?);
    match (logged.unsigned.unwrap_or(unsigned), unsigned) {
        (false, false) | (true, true) if from <= to => Some(Conversion::Same),
        (true, false) if from < to => Some(Conversion::Signedness { unsigned: false }),
        _ => None,
    }
}

/// Most bytes of a logged string.
fn longest_logged(logged: &MapColumn<'_>) -> Option<u64> {
    Some(match logged.real_type() {
        Code::STRING => u64::from(logged.string_len_max()),
        Code::BLOB | Code::BLOB_COMPRESSED => match logged.metadata {
            1 => 0xff,
            2 => 0xffff,
            3 => 0xff_ffff,
            4 => 0xffff_ffff,
            _ => return None,
        },
        // One byte says how a value is compressed.
        Code::VARCHAR_COMPRESSED => u64::from(logged.metadata).saturating_sub(1),
        _ => u64::from(logged.metadata),
    })
}

/// Most bytes of a local string.
fn bytes_max(local: &Column) -> u64 {
    let width = local
        .column_type
        .collation()
        .map_or(1, |collation| collation.charset.bytes_per_char_max());
    match &local.column_type {
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => size.bytes_max(),
        _ => characters_max(local) * u64::from(width),
    }
}

fn characters_max(local: &Column) -> u64 {
    match &local.column_type {
        ColumnType::Char { length, .. } | ColumnType::Binary { length } => u64::from(*length),
        ColumnType::Varchar { length, .. } | ColumnType::Varbinary { length } => u64::from(*length),
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => size.bytes_max(),
        _ => 0,
    }
}

fn integer_bytes(code: Code) -> Option<u8> {
    match code {
        Code::TINY => Some(1),
        Code::SHORT => Some(2),
        Code::INT24 => Some(3),
        Code::LONG => Some(4),
        Code::LONGLONG => Some(8),
        _ => None,
    }
}

/// A logged column's type as error 1677 names it.
fn logged_text(logged: &MapColumn<'_>) -> String {
    let unsigned = if logged.unsigned == Some(true) {
        " unsigned"
    } else {
        ""
    };
    match logged.real_type() {
        Code::TINY => format!("tinyint{unsigned}"),
        Code::SHORT => format!("smallint{unsigned}"),
        Code::INT24 => format!("mediumint{unsigned}"),
        Code::LONG => format!("int{unsigned}"),
        Code::LONGLONG => format!("bigint{unsigned}"),
        Code::NEWDECIMAL => {
            let [precision, scale] = logged.metadata.to_be_bytes();
            format!("decimal({precision},{scale})")
        }
        Code::VARCHAR | Code::VAR_STRING => format!("varchar({}(bytes))", logged.metadata),
        Code::STRING => format!("char({}(bytes))", logged.string_len_max()),
        Code::BLOB => match logged.metadata {
            1 => "tinyblob".to_owned(),
            3 => "mediumblob".to_owned(),
            4 => "longblob".to_owned(),
            _ => "blob".to_owned(),
        },
        other => other.name().to_lowercase(),
    }
}

impl Conversion {
    /// The local value of a logged one; `None` when this value does not fit.
    pub(super) fn apply<'v>(self, value: &'v Value<'v>) -> Option<Value<'v>> {
        Some(match (self, value) {
            (_, Value::Null) => Value::Null,
            (_, Value::JsonDiffs(_)) => return None,
            (Conversion::Same, value) => value.borrowed(),
            (Conversion::Signedness { unsigned: false }, Value::UInt(value)) => {
                Value::Int(i64::try_from(*value).ok()?)
            }
            (Conversion::Signedness { unsigned: true }, Value::Int(value)) => {
                Value::UInt(u64::try_from(*value).ok()?)
            }
            (Conversion::Widen, Value::Float(value)) => Value::Double(f64::from(*value)),
            (Conversion::Rescale { scale }, Value::Decimal(value)) => {
                Value::Decimal(value.round(i32::from(scale))?)
            }
            (Conversion::Charset { from, to }, Value::Bytes(bytes)) => {
                let text = from.decode(bytes).ok()?;
                Value::Bytes(Cow::Owned(to.encode(&text).ok()?.into_owned()))
            }
            (Conversion::Shown(form), Value::Bytes(bytes)) => {
                Value::Bytes(Cow::Owned(form.text(bytes)?.into_bytes()))
            }
            (Conversion::JsonText, Value::Bytes(bytes)) => {
                let text = std::str::from_utf8(bytes).ok()?;
                Value::Json(Cow::Owned(
                    crate::value::json_text::to_binary(text, "").ok()?,
                ))
            }
            _ => return None,
        })
    }
}
