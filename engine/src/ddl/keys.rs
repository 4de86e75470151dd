//! Key definitions: names, parts, lengths and order.

use std::collections::HashSet;

use super::columns::{check_characters, within_names};
use super::functional;
use super::size;
use crate::catalog::{BlobSize, Column, ColumnId, ColumnType, Key, KeyId, KeyKind, KeyPart, Table};
use crate::session::SessionContext;
use sql::ast::{IndexDefinition, IndexKind, KeyPart as WrittenPart, KeyPartTarget};
use sql::error::SqlError;

const KEYS_MAX: usize = 64;
const PARTS_MAX: usize = 16;
const KEY_BYTES_MAX: u64 = 3072;
const NAME_CHARS_MAX: usize = 64;
const COMMENT_CHARS_MAX: usize = 1024;
/// Bytes of one column of a key in the older row formats.
const OLD_PART_BYTES_MAX: u64 = 767;
/// The name that InnoDB gives a hidden key.
const HIDDEN_KEY: &str = "GEN_CLUST_INDEX";
/// The name of every primary key, and of no other.
pub(super) const PRIMARY: &str = "PRIMARY";

/// What MySQL refuses of a key while it reads it. Errors 1221, 1391, 3522, 3980 and 3981.
pub(super) fn check_written(written: &IndexDefinition) -> Result<(), SqlError> {
    let is_unordered = match written.kind {
        IndexKind::FullText | IndexKind::Spatial => true,
        IndexKind::Primary | IndexKind::Unique | IndexKind::Plain => {
            written.options.using.as_deref() == Some("HASH")
        }
    };
    if is_unordered && written.parts.iter().any(|part| part.is_ordered) {
        let kinds = "spatial/fulltext/hash index";
        return Err(SqlError::wrong_usage(kinds, "explicit index order"));
    }
    for part in &written.parts {
        if let KeyPartTarget::Column {
            name,
            prefix: Some(0),
        } = &part.target
        {
            return Err(empty_part(name));
        }
    }
    if let Some(attribute) = &written.options.engine_attribute {
        engine_attribute(attribute)?;
    }
    match written.kind == IndexKind::Primary && written.options.invisible {
        true => Err(SqlError::pk_index_cant_be_invisible()),
        false => Ok(()),
    }
}

fn empty_part(name: &str) -> SqlError {
    let text = format!("Key part '{name}' length cannot be 0");
    SqlError::new(1391, "HY000", text)
}

/// Adds a key to the table, giving it a name if it has none. Columns of a primary key become NOT NULL:
/// returns those that have been nullable until then.
pub(super) fn add(
    session: &SessionContext,
    table: &mut Table,
    written: &IndexDefinition,
) -> Result<Vec<ColumnId>, SqlError> {
    check_written(written)?;
    let kind = match written.kind {
        IndexKind::Primary => KeyKind::Primary,
        IndexKind::Unique => KeyKind::Unique,
        IndexKind::Plain => KeyKind::Index,
        IndexKind::FullText if session.applies_log => KeyKind::FullText,
        IndexKind::Spatial if session.applies_log => KeyKind::Spatial,
        IndexKind::FullText => return Err(SqlError::not_supported("FULLTEXT index")),
        IndexKind::Spatial => return Err(SqlError::not_supported("SPATIAL index")),
    };
    if let Some(name) = written.name.as_deref().filter(|_| kind != KeyKind::Primary) {
        check_name(name)?;
    }
    if kind == KeyKind::Primary && table.primary_key().is_some() {
        return Err(SqlError::multiple_pri_key());
    }
    let taken = written.name.as_deref().filter(|_| kind != KeyKind::Primary);
    if let Some(name) = taken.filter(|name| table.key(name).is_some()) {
        return Err(SqlError::dup_keyname(name));
    }
    let parts = match kind {
        KeyKind::FullText | KeyKind::Spatial => whole_parts(table, &written.parts)?,
        KeyKind::Primary | KeyKind::Unique | KeyKind::Index => {
            parts(session, table, kind, &written.parts)?
        }
    };
    let name = name(table, kind, written.name.as_deref(), &parts)?;
    if !session.applies_log {
        check_structure(table, &parts, written.options.using.as_deref())?;
    }
    let comment = written.options.comment.as_deref().unwrap_or_default();
    if comment.chars().count() > COMMENT_CHARS_MAX {
        return Err(SqlError::too_long_index_comment(&name, COMMENT_CHARS_MAX));
    }
    if written.options.parser.is_some() && kind != KeyKind::FullText {
        return Err(SqlError::not_supported("WITH PARSER"));
    }
    let forbidden = push(table, name, kind, parts)?;
    if let Some(key) = table.keys.last_mut() {
        key.invisible = written.options.invisible;
        key.comment = within_names(comment);
        key.parser.clone_from(&written.options.parser);
        // InnoDB makes a B-tree of a hash index, and says nothing of it.
        let using = written.options.using.as_deref();
        key.using = using.filter(|using| *using == "BTREE").map(str::to_owned);
    }
    Ok(forbidden)
}

/// Errors 1235 and 1687 for an R-tree.
fn check_structure(table: &Table, parts: &[KeyPart], using: Option<&str>) -> Result<(), SqlError> {
    let is_spatial = |part: &KeyPart| {
        let column = table.column_by_id(part.column);
        column.is_some_and(|(_, column)| matches!(column.column_type, ColumnType::Geometry { .. }))
    };
    match using {
        Some("RTREE") if parts.iter().all(is_spatial) => {
            Err(SqlError::not_supported("SPATIAL index"))
        }
        Some("RTREE") => Err(SqlError::new(
            1687,
            "42000",
            "A SPATIAL index may only contain a geometrical type column",
        )),
        _ => Ok(()),
    }
}

/// Errors 3980 and 3981: InnoDB takes no attribute of a column or key.
pub(super) fn engine_attribute(value: &str) -> Result<(), SqlError> {
    let is_document = value.is_empty() || value.trim_start().starts_with('{');
    match is_document {
        true => Err(SqlError::engine_attribute_not_supported("InnoDB")),
        false => Err(SqlError::new(
            3980,
            "HY000",
            format!("Invalid json attribute, error: \"Invalid value.\" at pos 0: '{value}'"),
        )),
    }
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
        is_ordered: false,
    };
    let part = column_part(table, kind, &written)?;
    let parts = vec![part];
    let name = name(table, kind, None, &parts)?;
    push(table, name, kind, parts).map(drop)
}

/// Returns the columns that are no longer nullable.
fn push(
    table: &mut Table,
    name: String,
    kind: KeyKind,
    parts: Vec<KeyPart>,
) -> Result<Vec<ColumnId>, SqlError> {
    let mut forbidden = Vec::new();
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
                if std::mem::replace(&mut column.nullable, false) {
                    forbidden.push(column.id);
                }
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
        using: None,
        generated: false,
        parser: None,
    });
    Ok(forbidden)
}

/// The part of a key for the column that takes the place of another of its name: as long as it was, in
/// the units of the old column. Errors as for a new key.
pub(super) fn inherited(
    (before, heir): (&Column, &Column),
    kind: KeyKind,
    part: &KeyPart,
) -> Result<KeyPart, SqlError> {
    let length = key_bytes(before, part.prefix) / bytes_per_char(before);
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let prefix = check_part(heir, Some(length).filter(|length| *length > 0))?;
    check_primary(kind, heir)?;
    Ok(KeyPart {
        column: heir.id,
        prefix,
        descending: part.descending,
        expression: None,
    })
}

/// Error 3106 for a virtual column in a primary key.
fn check_primary(kind: KeyKind, column: &Column) -> Result<(), SqlError> {
    let generated = column.generated.as_ref();
    match kind == KeyKind::Primary && generated.is_some_and(|generated| !generated.stored) {
        true => Err(SqlError::unsupported_action_on_generated_column(
            "Defining a virtual generated column as primary key",
        )),
        false => Ok(()),
    }
}

fn parts(
    session: &SessionContext,
    table: &Table,
    kind: KeyKind,
    written: &[WrittenPart],
) -> Result<Vec<KeyPart>, SqlError> {
    if written.len() > PARTS_MAX {
        return Err(SqlError::too_many_key_parts(PARTS_MAX));
    }
    let mut seen = HashSet::new();
    let mut bytes = 0;
    let mut parts = Vec::with_capacity(written.len());
    for part in written {
        let KeyPartTarget::Column { name, .. } = &part.target else {
            parts.push(functional::part(session, table, part)?);
            continue;
        };
        let (_, column) = table
            .column(name)
            .ok_or_else(|| SqlError::key_column_does_not_exist(name))?;
        if !seen.insert(column.id) {
            return Err(SqlError::dup_fieldname(name));
        }
        let part = column_part(table, kind, part)?;
        bytes += key_bytes(column, part.prefix);
        if bytes > KEY_BYTES_MAX {
            return Err(SqlError::too_long_key(KEY_BYTES_MAX));
        }
        parts.push(part);
    }
    if kind == KeyKind::Primary && parts.is_empty() {
        return Err(SqlError::key_column_does_not_exist(""));
    }
    Ok(parts)
}

/// A part of a key that is a column.
fn column_part(table: &Table, kind: KeyKind, part: &WrittenPart) -> Result<KeyPart, SqlError> {
    let KeyPartTarget::Column { name, prefix } = &part.target else {
        return Err(SqlError::not_supported("functional index"));
    };
    let (_, column) = table
        .column(name)
        .ok_or_else(|| SqlError::key_column_does_not_exist(name))?;
    let prefix = check_part(column, *prefix)?;
    check_primary(kind, column)?;
    let length = key_bytes(column, prefix);
    let is_old = matches!(
        table.options.row_format.as_deref(),
        Some("COMPACT" | "REDUNDANT")
    );
    if is_old && length > OLD_PART_BYTES_MAX {
        return Err(SqlError::too_long_key(OLD_PART_BYTES_MAX));
    }
    if length > KEY_BYTES_MAX {
        return Err(SqlError::too_long_key(KEY_BYTES_MAX));
    }
    Ok(KeyPart {
        column: column.id,
        prefix,
        descending: part.descending,
        expression: None,
    })
}

/// The parts of a key of words or shapes: whole columns, whatever length is written.
fn whole_parts(table: &Table, written: &[WrittenPart]) -> Result<Vec<KeyPart>, SqlError> {
    let part = |part: &WrittenPart| {
        let KeyPartTarget::Column { name, .. } = &part.target else {
            return Err(SqlError::not_supported("functional index"));
        };
        let (_, column) = table
            .column(name)
            .ok_or_else(|| SqlError::key_column_does_not_exist(name))?;
        Ok(KeyPart {
            column: column.id,
            prefix: None,
            descending: false,
            expression: None,
        })
    };
    written.iter().map(part).collect()
}

/// Checks keys against columns that may have another type than when they were made: a prefix that no
/// longer is one goes. Errors 1071, 1089, 1170, 3152 and 6134.
pub(super) fn recheck(table: &mut Table) -> Result<(), SqlError> {
    let columns = &table.columns;
    for key in &mut table.keys {
        if matches!(key.kind, KeyKind::FullText | KeyKind::Spatial) {
            continue;
        }
        let mut bytes = 0;
        for part in &mut key.parts {
            let Some(column) = columns.iter().find(|column| column.id == part.column) else {
                continue;
            };
            let length = match &column.column_type {
                ColumnType::Char { length, .. } | ColumnType::Binary { length } => {
                    Some(u32::from(*length))
                }
                ColumnType::Varchar { length, .. } | ColumnType::Varbinary { length } => {
                    Some(u32::from(*length))
                }
                ColumnType::Text { .. } | ColumnType::Blob { .. } => Some(u32::MAX),
                _ => None,
            };
            let is_prefix = |prefix: &u32| length.is_some_and(|length| *prefix < length);
            part.prefix = check_part(column, part.prefix.filter(is_prefix))?;
            bytes += key_bytes(column, part.prefix);
        }
        if bytes > KEY_BYTES_MAX {
            return Err(SqlError::too_long_key(KEY_BYTES_MAX));
        }
    }
    Ok(())
}

/// The prefix to keep; a prefix of the whole column is none.
fn check_part(column: &Column, prefix: Option<u32>) -> Result<Option<u32>, SqlError> {
    let name = &column.name;
    if prefix == Some(0) {
        return Err(empty_part(name));
    }
    match &column.column_type {
        ColumnType::Json => Err(SqlError::json_used_as_key(name)),
        ColumnType::Vector { .. } => Err(SqlError::not_allowed_as_key(name)),
        ColumnType::Geometry { .. } => Err(SqlError::not_supported("SPATIAL index")),
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => {
            let prefix = prefix.ok_or_else(|| SqlError::blob_key_without_length(name))?;
            let most = BlobSize::bytes_max(*size);
            match key_bytes(column, Some(prefix)) > most && most <= KEY_BYTES_MAX {
                true => Err(SqlError::too_long_key(most)),
                false => Ok(Some(prefix)),
            }
        }
        ColumnType::Char { length: 0, .. }
        | ColumnType::Binary { length: 0 }
        | ColumnType::Varchar { length: 0, .. }
        | ColumnType::Varbinary { length: 0 } => Err(SqlError::wrong_key_column(name)),
        ColumnType::Char { length, .. } | ColumnType::Binary { length } => {
            whole_or_prefix(prefix, u32::from(*length))
        }
        ColumnType::Varchar { length, .. } | ColumnType::Varbinary { length } => {
            whole_or_prefix(prefix, u32::from(*length))
        }
        other => {
            let whole = size::record_bytes(other);
            let is_whole = |prefix| u64::from(prefix) * bytes_per_char(column) == whole;
            match prefix.is_none_or(is_whole) {
                true => Ok(None),
                false => Err(SqlError::wrong_sub_key()),
            }
        }
    }
}

/// Bytes of a character where a prefix counts characters, which it does of ENUM and SET too.
fn bytes_per_char(column: &Column) -> u64 {
    let collation = column.column_type.collation();
    collation.map_or(1, |collation| {
        u64::from(collation.charset.bytes_per_char_max())
    })
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
    let width = bytes_per_char(column);
    let characters = |length: u64| prefix.map_or(length, u64::from) * width;
    match &column.column_type {
        ColumnType::Char { length, .. } => characters(u64::from(*length)),
        ColumnType::Varchar { length, .. } => characters(u64::from(*length)),
        ColumnType::Binary { length } => characters(u64::from(*length)),
        ColumnType::Varbinary { length } => characters(u64::from(*length)),
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => {
            characters(BlobSize::bytes_max(*size))
        }
        other => size::record_bytes(other),
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
    check_name(written)?;
    if table.key(written).is_some() {
        return Err(SqlError::dup_keyname(written));
    }
    Ok(written.to_owned())
}

/// Errors 1059 and 1280.
pub(super) fn check_name(name: &str) -> Result<(), SqlError> {
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(SqlError::too_long_ident(name));
    }
    if name.is_empty() || name.ends_with(' ') || name.eq_ignore_ascii_case(PRIMARY) {
        return Err(SqlError::wrong_name_for_index(name));
    }
    if name.eq_ignore_ascii_case(HIDDEN_KEY) {
        return Err(SqlError::wrong_name_for_index(HIDDEN_KEY));
    }
    check_characters(name)
}

/// Error 3522 when the key that MySQL takes for a missing primary key is invisible: the first unique one
/// without NULL as they are written, also one of beginnings or of virtual columns.
pub(super) fn check_visibility(table: &Table) -> Result<(), SqlError> {
    if table.primary_key().is_some() {
        return Ok(());
    }
    let has_no_null = |key: &&Key| {
        key.parts.iter().all(|part| {
            let column = table.column_by_id(part.column);
            column.is_some_and(|(_, column)| !column.nullable)
        })
    };
    match table.unique_keys().find(has_no_null) {
        Some(key) if key.invisible => Err(SqlError::pk_index_cant_be_invisible()),
        _ => Ok(()),
    }
}

/// The first column's name, with `_2`, `_3` and so on behind it while it is taken.
fn generated_name(table: &Table, parts: &[KeyPart]) -> String {
    let first = parts
        .first()
        .and_then(|part| table.column_by_id(part.column));
    let first = match parts.iter().any(|part| part.expression.is_some()) {
        true => "functional_index",
        false => first.map_or("key", |(_, column)| column.name.as_str()),
    };
    let is_free = |name: &str| {
        let is_reserved = [PRIMARY, HIDDEN_KEY]
            .iter()
            .any(|reserved| name.eq_ignore_ascii_case(reserved));
        table.key(name).is_none() && !is_reserved
    };
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
/// whole columns before those with prefixes, and all of them before those of virtual columns. To keys
/// in front of a new primary key the columns that it has `forbidden` NULL in are nullable still.
pub(super) fn sort(table: &mut Table, forbidden: &[ColumnId]) {
    let nullable: HashSet<_> = table
        .columns
        .iter()
        .filter(|column| column.nullable)
        .map(|column| column.id)
        .collect();
    let is_virtual = |column: &Column| {
        let generated = column.generated.as_ref();
        generated.is_some_and(|generated| !generated.stored)
    };
    let virtuals: HashSet<_> = table
        .columns
        .iter()
        .filter(|column| is_virtual(column))
        .map(|column| column.id)
        .collect();
    let mut keys = table.keys.iter();
    let primary = keys.position(|key| key.kind == KeyKind::Primary);
    let before = table.keys.get(..primary.unwrap_or(0)).unwrap_or_default();
    let before: HashSet<_> = before.iter().map(|key| key.id).collect();
    table.keys.sort_by_key(|key| {
        let is_before = before.contains(&key.id);
        let has_null = key.parts.iter().any(|part| {
            let expression = part.expression.as_ref();
            nullable.contains(&part.column)
                || is_before && forbidden.contains(&part.column)
                || expression.is_some_and(|expression| expression.nullable)
        });
        let has_prefix = key.parts.iter().any(|part| part.prefix.is_some());
        let computes = key
            .parts
            .iter()
            .any(|part| virtuals.contains(&part.column) || part.expression.is_some());
        match key.kind {
            KeyKind::Primary => (0, false, false),
            KeyKind::Unique if !has_null => (1, has_prefix, computes),
            KeyKind::Unique => (2, has_prefix, computes),
            KeyKind::Index | KeyKind::Spatial => (3, false, computes),
            KeyKind::FullText => (4, false, false),
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
