//! Result columns: the metadata MySQL reports for a type and an origin.

use crate::value::double::format_fixed;
use std::sync::Arc;

use binlog::value::{Value, double_text, float_text};

use crate::catalog::{Column, ColumnDefault, ColumnType, KeyKind, Table};
use crate::collation::BINARY;
use crate::expr::types::{Coercibility, Kind, NOT_FIXED, Type};
use crate::outcome::ResultColumn;

const NOT_NULL: u16 = 1;
const PRI_KEY: u16 = 2;
const UNIQUE_KEY: u16 = 4;
const MULTIPLE_KEY: u16 = 8;
const BLOB: u16 = 16;
const UNSIGNED: u16 = 32;
const ZEROFILL: u16 = 64;
const BINARY_FLAG: u16 = 128;
const ENUM: u16 = 256;
const AUTO_INCREMENT: u16 = 512;
const TIMESTAMP: u16 = 1024;
const SET: u16 = 2048;
const NO_DEFAULT: u16 = 4096;
const ON_UPDATE: u16 = 8192;
const PART_KEY: u16 = 16384;

/// Characters of a text beyond which MySQL announces a BLOB.
const VARCHAR_MAX: u32 = 16_383;

/// The column of a result for an expression.
#[must_use]
pub fn result_column(name: &str, ty: &Type) -> ResultColumn {
    let mut flags = 0;
    if !ty.nullable {
        flags |= NOT_NULL;
    }
    if ty.unsigned {
        flags |= UNSIGNED;
    }
    let text = ty.kind.is_text();
    if !text || ty.is_binary() {
        flags |= BINARY_FLAG;
    }
    let mut type_code = wire_type(ty);
    match ty.kind {
        Kind::Enum => flags |= ENUM,
        Kind::Set => flags |= SET,
        Kind::Json => flags |= BLOB,
        _ => {}
    }
    if (249..=252).contains(&type_code) {
        flags |= BLOB;
    }
    if ty.kind == Kind::Text && ty.wire.is_none() && ty.length > VARCHAR_MAX * 4 {
        type_code = 252;
        flags |= BLOB;
    }
    ResultColumn {
        schema: String::new(),
        table: String::new(),
        org_table: String::new(),
        name: name.to_owned(),
        org_name: String::new(),
        collation: if text { ty.collation } else { &BINARY },
        length: byte_length(ty),
        type_code,
        flags,
        decimals: ty.decimals,
    }
}

fn wire_type(ty: &Type) -> u8 {
    if let Some(code) = ty.wire {
        return code;
    }
    match ty.kind {
        Kind::Null => 6,
        Kind::Integer => 8,
        Kind::Decimal => 246,
        Kind::Float => 4,
        Kind::Double => 5,
        Kind::Text => 253,
        Kind::Date => 10,
        Kind::DateTime => 12,
        Kind::Timestamp => 7,
        Kind::Time => 11,
        Kind::Year => 13,
        Kind::Enum | Kind::Set => 254,
        Kind::Bit => 16,
        Kind::Json => 245,
    }
}

fn byte_length(ty: &Type) -> u32 {
    match ty.kind {
        Kind::Text | Kind::Enum | Kind::Set => {
            let width = u32::from(ty.collation.charset.bytes_per_char_max()).max(1);
            // The client's character set is utf8mb4 unless the text is bytes.
            let width = if ty.is_binary() { 1 } else { width.max(4) };
            ty.length.saturating_mul(width)
        }
        Kind::Json => u32::MAX,
        _ => ty.length,
    }
}

/// The result column of a table's column.
pub(crate) fn column_origin(table: &Arc<Table>, position: usize, shown: &str) -> ResultColumn {
    let Some(column) = table.columns.get(position) else {
        return ResultColumn::integer("");
    };
    let ty = Type::of_column(column);
    let mut origin = result_column(&column.name, &ty);
    origin.schema.clone_from(&table.database);
    shown.clone_into(&mut origin.table);
    origin.org_table.clone_from(&table.name);
    origin.org_name.clone_from(&column.name);
    if ty.kind.is_text() {
        origin.decimals = 0;
    }
    if column.column_type.is_numeric() {
        // Unlike numeric expressions, numeric columns do not carry it.
        origin.flags &= !BINARY_FLAG;
    }
    origin.flags |= column_flags(table, position, column);
    origin
}

fn column_flags(table: &Table, position: usize, column: &Column) -> u16 {
    let mut flags = 0;
    if column.column_type.is_zerofill() || column.column_type == ColumnType::Year {
        flags |= ZEROFILL;
    }
    if column.auto_increment {
        flags |= AUTO_INCREMENT;
    }
    if column.default == ColumnDefault::None && !column.nullable && !column.auto_increment {
        flags |= NO_DEFAULT;
    }
    if matches!(column.column_type, ColumnType::Timestamp { .. }) && column.on_update_now {
        flags |= TIMESTAMP;
    }
    if column.on_update_now {
        flags |= ON_UPDATE;
    }
    for key in &table.keys {
        let positions = table.key_positions(key);
        if !positions.contains(&position) {
            continue;
        }
        flags |= PART_KEY;
        let begins = key
            .parts
            .first()
            .is_some_and(|part| part.expression.is_none());
        let leads = begins && positions.first() == Some(&position);
        flags |= match key.kind {
            KeyKind::Primary => PRI_KEY,
            KeyKind::Unique if key.parts.len() == 1 => UNIQUE_KEY,
            _ if leads => MULTIPLE_KEY,
            _ => 0,
        };
    }
    flags
}

/// The result column of a derived table's column.
pub(crate) fn origin_of(
    name: &str,
    ty: &Type,
    shown: &str,
    inner: Option<&ResultColumn>,
) -> ResultColumn {
    let mut origin = match inner {
        Some(inner) => inner.clone(),
        None => result_column(name, ty),
    };
    name.clone_into(&mut origin.name);
    name.clone_into(&mut origin.org_name);
    shown.clone_into(&mut origin.table);
    origin
}

/// The type of a made-up table's column.
pub(crate) fn kind_of_result_column(column: &ResultColumn) -> Type {
    let nullable = column.flags & NOT_NULL == 0;
    let unsigned = column.flags & UNSIGNED != 0;
    let fsp = if column.decimals > 6 {
        0
    } else {
        column.decimals
    };
    let ty = match column.type_code {
        1 | 2 | 3 | 8 | 9 => Type {
            wire: Some(column.type_code),
            ..if unsigned {
                Type::unsigned(column.length)
            } else {
                Type::integer(column.length)
            }
        },
        4 | 5 => Type::double(),
        246 => Type::decimal(65, column.decimals.min(30), unsigned),
        7 | 12 => Type::datetime(fsp),
        10 => Type::date(),
        11 => Type::time(fsp),
        13 => Type::of_column_type(&ColumnType::Year),
        245 => Type::json(),
        _ => {
            let width = u32::from(column.collation.charset.bytes_per_char_max()).max(1);
            Type {
                wire: Some(column.type_code),
                ..Type::text(
                    column.length / width,
                    column.collation,
                    Coercibility::Implicit,
                )
            }
        }
    };
    ty.with_null(nullable)
}

/// A value of a column as the text protocol prints it, UTF-8 for text; `None` for NULL.
#[must_use]
pub fn result_text(column: &ResultColumn, value: &Value<'_>) -> Option<Vec<u8>> {
    let fsp = if column.decimals > 6 {
        0
    } else {
        column.decimals
    };
    let fixed = |number: f64| format_fixed(number, column.decimals);
    let text = match value {
        Value::Null => return None,
        Value::Int(number) => number.to_string(),
        Value::UInt(number) | Value::Set(number) | Value::Bit(number) => number.to_string(),
        Value::Enum(number) => number.to_string(),
        Value::Year(year) => format!("{year:04}"),
        Value::Float(number) if column.decimals < NOT_FIXED => fixed(f64::from(*number)),
        Value::Float(number) => float_text(*number),
        Value::Double(number) if column.decimals < NOT_FIXED => fixed(*number),
        Value::Double(number) => double_text(*number),
        Value::Decimal(number) => number.to_string(),
        Value::Date(date) => date.text(),
        Value::Time(time) => time.text(fsp),
        Value::DateTime(moment) => moment.text(fsp),
        Value::Timestamp(moment) => moment.text_utc(fsp),
        Value::Bytes(bytes) | Value::Json(bytes) | Value::JsonDiffs(bytes) => {
            return Some(bytes.to_vec());
        }
    };
    if column.flags & ZEROFILL == 0 {
        return Some(text.into_bytes());
    }
    let width = usize::try_from(column.length).unwrap_or(0);
    let missing = width.saturating_sub(text.len());
    Some(("0".repeat(missing) + &text).into_bytes())
}
