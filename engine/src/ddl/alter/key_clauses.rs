//! The keys of an altered table: dropped, renamed and hidden by the names they had, then added.

use std::collections::HashSet;

use super::columns::Defined;
use crate::catalog::{Catalog, ColumnDefault, ColumnId, Key, KeyId, KeyKind, KeyPart, Table};
use crate::ddl::foreign_keys::{Candidates, Declared};
use crate::ddl::{checks, foreign_keys, keys};
use crate::session::SessionContext;
use sql::ast::AlterClause;
use sql::error::SqlError;

/// Hides a key from the optimiser, or shows it. Error 3522 for the primary key.
fn show(table: &mut Table, key: &Key, invisible: bool) -> Result<(), SqlError> {
    if key.kind == KeyKind::Primary && invisible {
        return Err(SqlError::pk_index_cant_be_invisible());
    }
    let mut known = table.keys.iter_mut();
    if let Some(key) = known.find(|known| known.id == key.id) {
        key.invisible = invisible;
    }
    Ok(())
}

/// Drops, renames and hides keys. Errors 1061, 1091, 1176, 1280 and 3522.
pub(super) fn change(table: &mut Table, clauses: &[AlterClause]) -> Result<(), SqlError> {
    let dropped = dropped(table, clauses)?;
    let (mut renamed, mut shown) = (HashSet::new(), HashSet::new());
    let old = table.clone();
    let find = |name: &str| {
        let key = old.key(name).filter(|key| !dropped.contains(&key.id));
        key.ok_or_else(|| SqlError::key_does_not_exist(name, &old.name))
    };
    for clause in clauses {
        match clause {
            AlterClause::RenameIndex { from, to } => {
                keys::check_name(from)?;
                let id = find(from)?.id;
                keys::check_name(to)?;
                if !renamed.insert(id) || shown.contains(&id) {
                    return Err(SqlError::key_does_not_exist(from, &old.name));
                }
                let mut known = table.keys.iter_mut();
                if let Some(key) = known.find(|key| key.id == id) {
                    key.name.clone_from(to);
                }
            }
            AlterClause::AlterIndexVisibility { index, invisible } => {
                let found = find(index)?;
                // One that gets another name has neither the old nor the new one here.
                shown.insert(found.id);
                if renamed.contains(&found.id) {
                    return Err(SqlError::key_does_not_exist(index, &old.name));
                }
                show(table, found, *invisible)?;
            }
            AlterClause::AddColumn { .. }
            | AlterClause::AddForeignKey(_)
            | AlterClause::AddCheck(_)
            | AlterClause::DropColumn(_)
            | AlterClause::Modify { .. }
            | AlterClause::Change { .. }
            | AlterClause::AlterColumnDefault { .. }
            | AlterClause::AlterColumnVisibility { .. }
            | AlterClause::AlterCheck { .. }
            | AlterClause::RenameColumn { .. }
            | AlterClause::RenameTable(_)
            | AlterClause::Options(_)
            | AlterClause::ConvertToCharset(_)
            | AlterClause::DisableKeys
            | AlterClause::EnableKeys
            | AlterClause::Force
            | AlterClause::OrderBy(_)
            | AlterClause::Algorithm(_)
            | AlterClause::Lock(_)
            | AlterClause::Partitioning(_)
            | AlterClause::NotSupported(_)
            | AlterClause::AddIndex(_)
            | AlterClause::DropIndex(_)
            | AlterClause::DropPrimaryKey
            | AlterClause::DropForeignKey(_)
            | AlterClause::DropCheck(_)
            | AlterClause::DropConstraint(_) => {}
        }
    }
    table.keys.retain(|key| !dropped.contains(&key.id));
    match table.keys.iter().find(|key| {
        let mut others = table.keys.iter().filter(|other| other.id != key.id);
        renamed.contains(&key.id) && others.any(|other| other.is_named(&key.name))
    }) {
        Some(key) => Err(SqlError::dup_keyname(&key.name)),
        None => Ok(()),
    }
}

/// The keys that clauses drop. Errors 1091, 3821 and 3940.
fn dropped(table: &mut Table, clauses: &[AlterClause]) -> Result<HashSet<KeyId>, SqlError> {
    let mut dropped = HashSet::new();
    for clause in clauses {
        let name = match clause {
            AlterClause::DropIndex(name) => name,
            AlterClause::DropPrimaryKey => keys::PRIMARY,
            AlterClause::DropConstraint(name) if table.key(name).is_some() => name,
            AlterClause::DropConstraint(name) => {
                match (
                    foreign_keys::position(table, name),
                    checks::position(table, name),
                ) {
                    (Some(_), _) => foreign_keys::drop(table, name)?,
                    (None, Some(_)) => checks::drop(table, name)?,
                    (None, None) => return Err(SqlError::constraint_not_found(name)),
                }
                continue;
            }
            AlterClause::DropCheck(name) => {
                checks::drop(table, name)?;
                continue;
            }
            AlterClause::DropForeignKey(name) => {
                foreign_keys::drop(table, name)?;
                continue;
            }
            AlterClause::AddColumn { .. }
            | AlterClause::AddForeignKey(_)
            | AlterClause::AddCheck(_)
            | AlterClause::DropColumn(_)
            | AlterClause::Modify { .. }
            | AlterClause::Change { .. }
            | AlterClause::AlterColumnDefault { .. }
            | AlterClause::AlterColumnVisibility { .. }
            | AlterClause::AlterCheck { .. }
            | AlterClause::RenameColumn { .. }
            | AlterClause::RenameTable(_)
            | AlterClause::Options(_)
            | AlterClause::ConvertToCharset(_)
            | AlterClause::DisableKeys
            | AlterClause::EnableKeys
            | AlterClause::Force
            | AlterClause::OrderBy(_)
            | AlterClause::Algorithm(_)
            | AlterClause::Lock(_)
            | AlterClause::Partitioning(_)
            | AlterClause::NotSupported(_)
            | AlterClause::AddIndex(_)
            | AlterClause::RenameIndex { .. }
            | AlterClause::AlterIndexVisibility { .. } => continue,
        };
        let key = table.key(name).map(|key| key.id);
        if !key.is_some_and(|id| dropped.insert(id)) {
            return Err(SqlError::cant_drop_field_or_key(name));
        }
    }
    Ok(dropped)
}

/// Takes dropped columns out of keys, and keys without columns out of the table. A new column that has
/// the name of an old one takes its place in keys, unless the old one is still there and stands first.
/// Error 1089 where the new one cannot be as long a part, and those of new keys.
pub(super) fn inherit(old: &Table, table: &mut Table) -> Result<(), SqlError> {
    let mut keys = std::mem::take(&mut table.keys);
    for key in &mut keys {
        let mut parts = Vec::with_capacity(key.parts.len());
        for part in &key.parts {
            if part.expression.is_some() {
                parts.push(part.clone());
                continue;
            }
            parts.extend(heir(old, table, key, part)?);
        }
        key.parts = parts;
    }
    keys.retain(|key| !key.parts.is_empty());
    table.keys = keys;
    Ok(())
}

/// The part of a kept key in the altered table; `None` where no column has its place.
fn heir(
    old: &Table,
    table: &Table,
    key: &Key,
    part: &KeyPart,
) -> Result<Option<KeyPart>, SqlError> {
    let Some((_, before)) = old.column_by_id(part.column) else {
        return Ok(None);
    };
    let is_new = |id: ColumnId| old.column_by_id(id).is_none();
    let found = table.columns.iter().find(|column| {
        column.id == before.id || is_new(column.id) && column.is_named(&before.name)
    });
    match found {
        Some(heir) if heir.id != before.id => {
            keys::inherited((before, heir), key.kind, part).map(Some)
        }
        Some(_) => Ok(Some(part.clone())),
        None => Ok(None),
    }
}

/// Adds the new keys in the order of the clauses. Returns the columns in which a primary key among them
/// forbids NULL. Errors 1060 to 1072 and 1171.
pub(super) fn add(
    session: &SessionContext,
    catalog: &Catalog,
    table: &mut Table,
    clauses: &[AlterClause],
    defined: &[Defined],
) -> Result<Vec<ColumnId>, SqlError> {
    let mut forbidden = Vec::new();
    let mut defined_anew = defined.iter();
    let mut number = foreign_keys::next_number(table);
    let mut needed = candidates(session, clauses, defined).settle(table);
    for clause in clauses {
        match clause {
            AlterClause::AddIndex(index) => forbidden.extend(keys::add(session, table, index)?),
            AlterClause::AddColumn { .. }
            | AlterClause::Modify { .. }
            | AlterClause::Change { .. } => {
                let Some(column) = defined_anew.next() else {
                    continue;
                };
                if column.is_primary && column.is_explicitly_null {
                    return Err(SqlError::primary_cant_have_null());
                }
                if column.is_primary {
                    keys::add_for_column(table, KeyKind::Primary, &column.name)?;
                }
                if column.is_unique {
                    keys::add_for_column(table, KeyKind::Unique, &column.name)?;
                }
                if let Some(declared) = declared(session, clause) {
                    let how = (&mut number, needed.next().unwrap_or(true));
                    foreign_keys::add(session, catalog, table, &declared, how)?;
                }
            }
            AlterClause::AddForeignKey(key) => {
                let how = (&mut number, needed.next().unwrap_or(true));
                foreign_keys::add(session, catalog, table, &Declared::of_table(key), how)?;
            }
            AlterClause::AddCheck(_)
            | AlterClause::DropColumn(_)
            | AlterClause::AlterColumnDefault { .. }
            | AlterClause::AlterColumnVisibility { .. }
            | AlterClause::AlterCheck { .. }
            | AlterClause::RenameColumn { .. }
            | AlterClause::RenameTable(_)
            | AlterClause::Options(_)
            | AlterClause::ConvertToCharset(_)
            | AlterClause::DisableKeys
            | AlterClause::EnableKeys
            | AlterClause::Force
            | AlterClause::OrderBy(_)
            | AlterClause::Algorithm(_)
            | AlterClause::Lock(_)
            | AlterClause::Partitioning(_)
            | AlterClause::NotSupported(_)
            | AlterClause::DropIndex(_)
            | AlterClause::DropPrimaryKey
            | AlterClause::DropForeignKey(_)
            | AlterClause::DropCheck(_)
            | AlterClause::DropConstraint(_)
            | AlterClause::RenameIndex { .. }
            | AlterClause::AlterIndexVisibility { .. } => {}
        }
    }
    forbid_null(table, defined)?;
    Ok(forbidden)
}

/// The foreign key of a column that a clause defines.
fn declared<'c>(session: &SessionContext, clause: &'c AlterClause) -> Option<Declared<'c>> {
    match clause {
        AlterClause::AddColumn { column, .. }
        | AlterClause::Modify { column, .. }
        | AlterClause::Change { column, .. } => Declared::of_column(session, column),
        _ => None,
    }
}

/// The keys that the clauses add.
fn candidates(
    session: &SessionContext,
    clauses: &[AlterClause],
    defined: &[Defined],
) -> Candidates {
    let mut all = Candidates::default();
    let mut defined = defined.iter();
    for clause in clauses {
        match clause {
            AlterClause::AddIndex(index) => all.index(index),
            AlterClause::AddForeignKey(key) => all.foreign(&Declared::of_table(key)),
            AlterClause::AddColumn { .. }
            | AlterClause::Modify { .. }
            | AlterClause::Change { .. } => {
                let Some(column) = defined.next() else {
                    continue;
                };
                if column.is_primary || column.is_unique {
                    all.column(&column.name);
                }
                if let Some(declared) = declared(session, clause) {
                    all.foreign(&declared);
                }
            }
            _ => {}
        }
    }
    all
}

/// Columns of the primary key hold no NULL; error 1171 if one was told to.
fn forbid_null(table: &mut Table, defined: &[Defined]) -> Result<(), SqlError> {
    let Some(primary) = table.primary_key() else {
        return Ok(());
    };
    let parts: HashSet<_> = primary.parts.iter().map(|part| part.column).collect();
    let holds_null = |column: &Defined| column.is_explicitly_null && parts.contains(&column.id);
    if defined.iter().any(holds_null) {
        return Err(SqlError::primary_cant_have_null());
    }
    for column in &mut table.columns {
        if parts.contains(&column.id) {
            column.nullable = false;
            if column.default == ColumnDefault::Null {
                column.default = ColumnDefault::None;
            }
        }
    }
    Ok(())
}
