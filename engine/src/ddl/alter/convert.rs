//! CONVERT TO CHARACTER SET: every text column of the altered table gets the collation.

use crate::catalog::{BlobSize, Column, ColumnDefault, ColumnType, Table};
use crate::collation::{Charset, Collation};
use crate::ddl::{defaults, types};
use sql::error::SqlError;

/// Most bytes of a row, and so of a VARCHAR.
const ROW_BYTES_MAX: u32 = 65_535;

/// Gives the columns of `table` the collation, those that are new too. What a definition said of its
/// collation counts as said still. Errors 1067, 1074, 1235, 1291 and 3854.
pub(super) fn columns(
    old: &Table,
    table: &mut Table,
    redefined: &[crate::catalog::ColumnId],
    collation: &'static Collation,
) -> Result<(), SqlError> {
    for column in &mut table.columns {
        let Some(from) = column.column_type.collation() else {
            continue;
        };
        // What only looks like text has no character set there.
        if from.is_binary() || column.shown.is_some() {
            continue;
        }
        if !redefined.contains(&column.id) {
            check_members(column, from.charset, collation.charset)?;
            check_default(column, from.charset, collation.charset)?;
        }
        let before = old
            .column_by_id(column.id)
            .and_then(|(_, before)| before.column_type.collation());
        let grows = before.is_some_and(|before| {
            collation.charset.bytes_per_char_max() > before.charset.bytes_per_char_max()
        });
        check_length(column, collation)?;
        let converted = column.column_type.clone().with_collation(collation);
        column.column_type = match converted {
            ColumnType::Text { size, collation } if grows => ColumnType::Text {
                size: larger(size),
                collation,
            },
            other => as_bytes(other),
        };
        types::check_members(&column.name, &column.column_type)?;
    }
    Ok(())
}

/// The type of bytes that a type of text in the character set `binary` is.
fn as_bytes(column_type: ColumnType) -> ColumnType {
    match column_type {
        ColumnType::Char { length, collation } if collation.is_binary() => {
            ColumnType::Binary { length }
        }
        ColumnType::Varchar { length, collation } if collation.is_binary() => {
            ColumnType::Varbinary { length }
        }
        ColumnType::Text { size, collation } if collation.is_binary() => ColumnType::Blob { size },
        other => other,
    }
}

/// The type for texts whose characters take more bytes than before.
fn larger(size: BlobSize) -> BlobSize {
    match size {
        BlobSize::Tiny => BlobSize::Normal,
        BlobSize::Normal => BlobSize::Medium,
        BlobSize::Medium | BlobSize::Long => BlobSize::Long,
    }
}

/// Error 1074 for a VARCHAR that no row holds any more.
fn check_length(column: &Column, collation: &Collation) -> Result<(), SqlError> {
    let ColumnType::Varchar { length, .. } = &column.column_type else {
        return Ok(());
    };
    let most = ROW_BYTES_MAX / u32::from(collation.charset.bytes_per_char_max());
    match u32::from(*length) > most {
        true => Err(SqlError::too_big_fieldlength(&column.name, most)),
        false => Ok(()),
    }
}

/// Error 1235 for members that are other bytes in the new character set: MySQL takes the bytes they
/// have for characters of it. Error 1067 where one of them is the default.
fn check_members(column: &Column, from: Charset, to: Charset) -> Result<(), SqlError> {
    let (ColumnType::Enum { members, .. } | ColumnType::Set { members, .. }) = &column.column_type
    else {
        return Ok(());
    };
    let is_same = |text: &str| {
        to == Charset::Binary
            || matches!((from.encode(text), to.encode(text)), (Ok(before), Ok(now)) if before == now)
    };
    if let ColumnDefault::Literal(text) = &column.default
        && !is_same(text)
    {
        defaults::convertible(text, from, to)?;
        return Err(SqlError::invalid_default(&column.name));
    }
    match members.iter().all(|member| is_same(member)) {
        true => Ok(()),
        false => Err(SqlError::not_supported(
            "CONVERT TO CHARACTER SET of members beyond ASCII",
        )),
    }
}

/// Errors 1067 and 3854 for a default that the new character set has no characters for.
fn check_default(column: &Column, from: Charset, to: Charset) -> Result<(), SqlError> {
    let ColumnDefault::Literal(text) = &column.default else {
        return Ok(());
    };
    match &column.column_type {
        ColumnType::Char { .. } => defaults::convertible(text, from, to),
        ColumnType::Varchar { .. } => defaults::convertible(text, from, to)
            .map_err(|_| SqlError::invalid_default(&column.name)),
        _ => Ok(()),
    }
}
