//! How large a row of a table can become, in the two measures that MySQL limits.
//!
//! The server's record holds every value but those of BLOB and TEXT in at most 65 535 bytes. A page
//! of InnoDB must hold two rows, of which long values may leave all but 40 bytes elsewhere.
//!
//! Spec: mysql-server 9.7, sql/sql_table.cc and sql/field.cc for the record;
//! storage/innobase/dict/dict0dict.cc, `dict_index_too_big_for_tree`, for the page.

use crate::catalog::{BlobSize, Column, ColumnType, IntegerSize, Key, Table};
use sql::error::SqlError;

/// Bytes of a record.
const RECORD_BYTES_MAX: u64 = 65_535;
/// Half of an empty page of 16 KiB.
const PAGE_ROW_BYTES_MAX: u64 = 8126;
/// What stays in the page of a value that is stored elsewhere.
const LOCAL_BYTES: u64 = 40;
/// The same in COMPACT and REDUNDANT, with the reference to the rest.
const OLD_LOCAL_BYTES: u64 = 788;
const OLD_ROW_TOO_LARGE: &str = "Row size too large (> 8126). Changing some columns to TEXT or BLOB \
    or using ROW_FORMAT=DYNAMIC or ROW_FORMAT=COMPRESSED may help. In current row format, BLOB prefix \
    of 768 bytes is stored inline.";
/// Header of a row in a page.
const PAGE_ROW_HEADER: u64 = 5;
/// Transaction id and roll pointer of a row.
const PAGE_ROW_SYSTEM: u64 = 13;
/// The hidden id of rows without a key.
const PAGE_ROW_ID: u64 = 6;

/// Error 1118 for a table whose rows cannot be stored.
pub(super) fn check(table: &Table) -> Result<(), SqlError> {
    let columns = table.columns.iter();
    let values: u64 = columns
        .clone()
        .map(|column| record_bytes(&column.column_type))
        .sum();
    let nullable = columns.clone().filter(|column| column.nullable).count();
    let is_packed = columns
        .clone()
        .any(|column| is_varying(&column.column_type));
    // A record of fixed length has one more bit, which marks deleted rows.
    let bits = nullable + usize::from(!is_packed);
    if values + u64::try_from(bits.div_ceil(8)).unwrap_or(u64::MAX) > RECORD_BYTES_MAX {
        return Err(SqlError::too_big_rowsize(RECORD_BYTES_MAX));
    }
    let format = Format::of(table);
    if page_row_bytes(table, format) >= PAGE_ROW_BYTES_MAX {
        return Err(match format {
            Format::Old => SqlError::new(1118, "42000", OLD_ROW_TOO_LARGE),
            Format::Plain | Format::Compressed(_) => {
                SqlError::too_big_row_for_page(PAGE_ROW_BYTES_MAX)
            }
        });
    }
    match format {
        Format::Compressed(page) => check_compressed(table, page),
        Format::Plain | Format::Old => Ok(()),
    }
}

/// How InnoDB lays out a table's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// DYNAMIC.
    Plain,
    /// COMPACT and REDUNDANT.
    Old,
    /// COMPRESSED, in pages of so many bytes.
    Compressed(u64),
}

impl Format {
    fn of(table: &Table) -> Format {
        let options = &table.options;
        let written = options.others.iter();
        let size = written
            .filter_map(|option| option.strip_prefix("KEY_BLOCK_SIZE=")?.parse::<u64>().ok())
            .next_back();
        match (options.row_format.as_deref(), size) {
            (Some("COMPACT" | "REDUNDANT"), _) => Format::Old,
            (Some("COMPRESSED"), size) => {
                Format::Compressed(size.unwrap_or(8).saturating_mul(1024))
            }
            (None, Some(size)) => Format::Compressed(size.saturating_mul(1024)),
            (None | Some(_), _) => Format::Plain,
        }
    }
}

/// Two rows and the log of their changes must fit a small page, in each index. How many bytes that log
/// takes depends on the compression: what is not sure to fit is refused by name.
fn check_compressed(table: &Table, page: u64) -> Result<(), SqlError> {
    const OVERHEAD: u64 = 320;
    let columns = u64::try_from(table.columns.len()).unwrap_or(u64::MAX);
    let room = page.saturating_sub(OVERHEAD + 6 * columns);
    let key_bytes = |key: &Key| -> u64 {
        let parts = key.parts.iter();
        parts
            .filter_map(|part| {
                let (_, column) = table.column_by_id(part.column)?;
                let whole = record_bytes(&column.column_type) + 2;
                let width = column.column_type.collation();
                let width = width.map_or(1, |c| u64::from(c.charset.bytes_per_char_max()));
                Some(
                    part.prefix
                        .map_or(whole, |prefix| u64::from(prefix) * width + 2),
                )
            })
            .sum()
    };
    let primary = table.unique_keys().next().map_or(PAGE_ROW_ID, key_bytes);
    let is_wide = |key: &Key| key_bytes(key) + primary >= room / 2;
    match page_row_bytes(table, Format::Compressed(page)) >= room || table.keys.iter().any(is_wide)
    {
        true => Err(SqlError::not_supported(
            "KEY_BLOCK_SIZE for rows of this size",
        )),
        false => Ok(()),
    }
}

fn page_row_bytes(table: &Table, format: Format) -> u64 {
    let is_stored = |column: &&Column| {
        column
            .generated
            .as_ref()
            .is_none_or(|generated| generated.stored)
    };
    let stored = table.columns.iter().filter(is_stored);
    let nullable = stored.clone().filter(|column| column.nullable).count();
    let id = match table.unique_keys().next() {
        Some(_) => 0,
        None => PAGE_ROW_ID,
    };
    let header = PAGE_ROW_HEADER + u64::try_from(nullable.div_ceil(8)).unwrap_or(u64::MAX);
    let local = match format {
        Format::Old => OLD_LOCAL_BYTES,
        Format::Plain | Format::Compressed(_) => LOCAL_BYTES,
    };
    let values: u64 = stored
        .map(|column| page_bytes(&column.column_type, local))
        .sum();
    header + id + PAGE_ROW_SYSTEM + values
}

/// Bytes that a value takes of a page, with those of its length.
fn page_bytes(column_type: &ColumnType, local: u64) -> u64 {
    let most = match column_type {
        ColumnType::Char { length, collation } => {
            let width = u64::from(collation.charset.bytes_per_char_max());
            if width == 1 {
                return u64::from(*length);
            }
            u64::from(*length) * width
        }
        ColumnType::Varchar { length, collation } => {
            u64::from(*length) * u64::from(collation.charset.bytes_per_char_max())
        }
        ColumnType::Varbinary { length } => u64::from(*length),
        ColumnType::Text { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. } => return local + 1,
        fixed => return record_bytes(fixed),
    };
    match most >= local {
        true => local + 1,
        false => most + 1,
    }
}

/// Whether values of the type have a length of their own.
fn is_varying(column_type: &ColumnType) -> bool {
    matches!(
        column_type,
        ColumnType::Varchar { .. }
            | ColumnType::Varbinary { .. }
            | ColumnType::Text { .. }
            | ColumnType::Blob { .. }
            | ColumnType::Json
            | ColumnType::Geometry { .. }
            | ColumnType::Vector { .. }
    )
}

/// Bytes that a value takes of MySQL's record.
pub(super) fn record_bytes(column_type: &ColumnType) -> u64 {
    let characters = |length: u64| {
        let collation = column_type.collation();
        length * collation.map_or(1, |c| u64::from(c.charset.bytes_per_char_max()))
    };
    let with_length = |bytes: u64| bytes + if bytes < 256 { 1 } else { 2 };
    let fraction = |fsp: u8| u64::from(fsp.div_ceil(2));
    match column_type {
        ColumnType::Integer { size, .. } => match size {
            IntegerSize::Tiny => 1,
            IntegerSize::Small => 2,
            IntegerSize::Medium => 3,
            IntegerSize::Int => 4,
            IntegerSize::Big => 8,
        },
        ColumnType::Decimal {
            precision, scale, ..
        } => decimal_bytes(precision.saturating_sub(*scale)) + decimal_bytes(*scale),
        ColumnType::Float { .. } => 4,
        ColumnType::Double { .. } => 8,
        ColumnType::Bit { width } => u64::from(width.div_ceil(8)),
        ColumnType::Year => 1,
        ColumnType::Date => 3,
        ColumnType::Time { fsp } => 3 + fraction(*fsp),
        ColumnType::DateTime { fsp } => 5 + fraction(*fsp),
        ColumnType::Timestamp { fsp } => 4 + fraction(*fsp),
        ColumnType::Char { length, .. } => characters(u64::from(*length)),
        ColumnType::Varchar { length, .. } => with_length(characters(u64::from(*length))),
        ColumnType::Binary { length } => u64::from(*length),
        ColumnType::Varbinary { length } => with_length(u64::from(*length)),
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => {
            u64::from(BlobSize::length_bytes(*size)) + 8
        }
        ColumnType::Enum { members, .. } => 1 + u64::from(members.len() > 255),
        ColumnType::Set { members, .. } => match members.len().div_ceil(8) {
            bytes @ 0..=4 => u64::try_from(bytes).unwrap_or(8),
            _ => 8,
        },
        ColumnType::Json | ColumnType::Geometry { .. } | ColumnType::Vector { .. } => 12,
    }
}

/// Bytes of so many decimal digits: nine in four.
fn decimal_bytes(digits: u8) -> u64 {
    const REST: [u64; 9] = [0, 1, 1, 2, 2, 3, 3, 4, 4];
    let rest = REST.get(usize::from(digits % 9)).copied().unwrap_or(4);
    u64::from(digits / 9) * 4 + rest
}
