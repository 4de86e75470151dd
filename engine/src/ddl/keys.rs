//! Key definitions: names, parts, lengths and order.

use std::collections::HashSet;

use crate::catalog::{
    BlobSize, Column, ColumnType, IntegerSize, Key, KeyId, KeyKind, KeyPart, Table,
};
use sql::ast::{IndexDefinition, IndexKind, KeyPart as WrittenPart, KeyPartTarget};
use sql::error::SqlError;

const KEYS_MAX: usize = 64;
const PARTS_MAX: usize = 16;
const KEY_BYTES_MAX: u64 = 3072;
const NAME_CHARS_MAX: usize = 64;
/// The name of every primary key, and of no other.
pub(super) const PRIMARY: &str = "PRIMARY";

/// Adds a key to the table, giving it a name if it has none. Columns of a primary key become NOT NULL.
pub(super) fn add(table: &mut Table, written: &IndexDefinition) -> Result<(), SqlError> {
    let kind = match written.kind {
        IndexKind::Primary => KeyKind::Primary,
        IndexKind::Unique => KeyKind::Unique,
        IndexKind::Plain => KeyKind::Index,
        IndexKind::FullText => return Err(SqlError::not_supported("FULLTEXT index")),
        IndexKind::Spatial => return Err(SqlError::not_supported("SPATIAL index")),
    };
    let parts = parts(table, kind, &written.parts)?;
    let name = name(table, kind, written.name.as_deref(), &parts)?;
    if kind == KeyKind::Primary && written.options.invisible {
        return Err(SqlError::pk_index_cant_be_invisible());
    }
    push(table, name, kind, parts)?;
    if let Some(key) = table.keys.last_mut() {
        key.invisible = written.options.invisible;
        key.comment = written.options.comment.clone().unwrap_or_default();
    }
    Ok(())
}

/// Adds the key that a column's own PRIMARY KEY or UNIQUE attribute means.
pub(super) fn add_for_column(
    table: &mut Table,
    kind: KeyKind,
    column: &str,
) -> Result<(), SqlError> {
    let written = WrittenPart {
        target: KeyPartTarget::Column {
            name: column.to_owned(),
            prefix: None,
        },
        descending: false,
    };
    let parts = parts(table, kind, &[written])?;
    let name = name(table, kind, None, &parts)?;
    push(table, name, kind, parts)
}

fn push(
    table: &mut Table,
    name: String,
    kind: KeyKind,
    parts: Vec<KeyPart>,
) -> Result<(), SqlError> {
    if kind == KeyKind::Primary {
        if table.primary_key().is_some() {
            return Err(SqlError::multiple_pri_key());
        }
        for part in &parts {
            if let Some(column) = table
                .columns
                .iter_mut()
                .find(|column| column.id == part.column)
            {
                column.nullable = false;
                if column.default == crate::catalog::ColumnDefault::Null {
                    column.default = crate::catalog::ColumnDefault::None;
                }
            }
        }
    }
    if table.keys.len() >= KEYS_MAX {
        return Err(SqlError::too_many_keys(KEYS_MAX));
    }
    let id = KeyId(table.next_key_id);
    table.next_key_id += 1;
    table.keys.push(Key {
        id,
        name,
        kind,
        parts,
        invisible: false,
        comment: String::new(),
    });
    Ok(())
}

fn parts(table: &Table, kind: KeyKind, written: &[WrittenPart]) -> Result<Vec<KeyPart>, SqlError> {
    if written.len() > PARTS_MAX {
        return Err(SqlError::too_many_key_parts(PARTS_MAX));
    }
    let mut seen = HashSet::new();
    let mut bytes = 0;
    let mut parts = Vec::with_capacity(written.len());
    for part in written {
        let KeyPartTarget::Column { name, prefix } = &part.target else {
            return Err(SqlError::not_supported("functional index"));
        };
        let (_, column) = table
            .column(name)
            .ok_or_else(|| SqlError::key_column_does_not_exist(name))?;
        if !seen.insert(column.id) {
            return Err(SqlError::dup_fieldname(name));
        }
        let prefix = check_part(column, *prefix)?;
        let length = key_bytes(column, prefix);
        bytes += length;
        if length > KEY_BYTES_MAX || bytes > KEY_BYTES_MAX {
            return Err(SqlError::too_long_key(KEY_BYTES_MAX));
        }
        parts.push(KeyPart {
            column: column.id,
            prefix,
            descending: part.descending,
        });
    }
    if kind == KeyKind::Primary && parts.is_empty() {
        return Err(SqlError::key_column_does_not_exist(""));
    }
    Ok(parts)
}

/// The prefix to keep; a prefix of the whole column is none.
fn check_part(column: &Column, prefix: Option<u32>) -> Result<Option<u32>, SqlError> {
    let name = &column.name;
    if prefix == Some(0) {
        return Err(SqlError::new(
            1391,
            "HY000",
            format!("Key part '{name}' length cannot be 0"),
        ));
    }
    match &column.column_type {
        ColumnType::Json => Err(SqlError::json_used_as_key(name)),
        ColumnType::Geometry { .. } | ColumnType::Vector { .. } if prefix.is_none() => {
            Err(SqlError::wrong_key_column(name))
        }
        ColumnType::Text { .. } | ColumnType::Blob { .. } => prefix
            .map(Some)
            .ok_or_else(|| SqlError::blob_key_without_length(name)),
        ColumnType::Char { length, .. } | ColumnType::Binary { length } => {
            whole_or_prefix(prefix, u32::from(*length))
        }
        ColumnType::Varchar { length, .. } | ColumnType::Varbinary { length } => {
            whole_or_prefix(prefix, u32::from(*length))
        }
        _ if prefix.is_some() => Err(SqlError::wrong_sub_key()),
        _ => Ok(None),
    }
}

fn whole_or_prefix(prefix: Option<u32>, length: u32) -> Result<Option<u32>, SqlError> {
    match prefix {
        Some(prefix) if prefix > length => Err(SqlError::wrong_sub_key()),
        Some(prefix) if prefix == length => Ok(None),
        prefix => Ok(prefix),
    }
}

/// Bytes that a part takes in MySQL's index, for the limit of 3072.
fn key_bytes(column: &Column, prefix: Option<u32>) -> u64 {
    let charset = column
        .column_type
        .collation()
        .map_or(1, |collation| collation.charset.bytes_per_char_max());
    let characters = |length: u64| prefix.map_or(length, u64::from) * u64::from(charset);
    match &column.column_type {
        ColumnType::Char { length, .. } => characters(u64::from(*length)),
        ColumnType::Varchar { length, .. } => characters(u64::from(*length)),
        ColumnType::Binary { length } => characters(u64::from(*length)),
        ColumnType::Varbinary { length } => characters(u64::from(*length)),
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => {
            characters(BlobSize::bytes_max(*size))
        }
        ColumnType::Integer {
            size: IntegerSize::Big,
            ..
        } => 8,
        _ => 8,
    }
}

fn name(
    table: &Table,
    kind: KeyKind,
    written: Option<&str>,
    parts: &[KeyPart],
) -> Result<String, SqlError> {
    if kind == KeyKind::Primary {
        return Ok(PRIMARY.to_owned());
    }
    let Some(written) = written else {
        return Ok(generated_name(table, parts));
    };
    if written.is_empty() || written.ends_with(' ') || written.eq_ignore_ascii_case(PRIMARY) {
        return Err(SqlError::wrong_name_for_index(written));
    }
    if written.chars().count() > NAME_CHARS_MAX {
        return Err(SqlError::too_long_ident(written));
    }
    if table.key(written).is_some() {
        return Err(SqlError::dup_keyname(written));
    }
    Ok(written.to_owned())
}

/// The first column's name, with `_2`, `_3` and so on behind it while it is taken.
fn generated_name(table: &Table, parts: &[KeyPart]) -> String {
    let first = parts
        .first()
        .and_then(|part| table.column_by_id(part.column));
    let first = first.map_or("key", |(_, column)| column.name.as_str());
    let is_free = |name: &str| table.key(name).is_none() && !name.eq_ignore_ascii_case(PRIMARY);
    if is_free(first) {
        return first.to_owned();
    }
    let mut number = 2_u32;
    loop {
        let name = format!("{first}_{number}");
        if is_free(&name) {
            return name;
        }
        number += 1;
    }
}

/// Puts keys in MySQL's order: primary, unique without NULL, other unique, the rest; unique keys of
/// whole columns before those with prefixes.
pub(super) fn sort(table: &mut Table) {
    let nullable: HashSet<_> = table
        .columns
        .iter()
        .filter(|column| column.nullable)
        .map(|column| column.id)
        .collect();
    table.keys.sort_by_key(|key| {
        let has_null = key.parts.iter().any(|part| nullable.contains(&part.column));
        let has_prefix = key.parts.iter().any(|part| part.prefix.is_some());
        match key.kind {
            KeyKind::Primary => (0, false),
            KeyKind::Unique if !has_null => (1, has_prefix),
            KeyKind::Unique => (2, has_prefix),
            KeyKind::Index => (3, false),
        }
    });
}

/// Error 1075 unless there is at most one AUTO_INCREMENT column and it begins a key.
pub(super) fn check_auto_increment(table: &Table) -> Result<(), SqlError> {
    let mut automatic = table.columns.iter().filter(|column| column.auto_increment);
    let Some(column) = automatic.next() else {
        return Ok(());
    };
    let begins_key = table.keys.iter().any(|key| {
        key.parts
            .first()
            .is_some_and(|part| part.column == column.id)
    });
    if automatic.next().is_some() || !begins_key {
        return Err(SqlError::wrong_auto_key());
    }
    Ok(())
}
