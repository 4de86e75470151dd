//! The clauses of ALTER TABLE, applied to a definition.

use super::{Extra, column_ids, create, keys, qualified};
use crate::catalog::{Column, ColumnId, KeyKind, Table};
use crate::collation::Collation;
use crate::ddl::columns::{check_name, define};
use crate::ddl::defaults;
use crate::ddl::types::{Defaults, resolve_collation};
use crate::session::SessionContext;
use sql::ast::{AlterClause, ColumnDefinition, ColumnPosition};
use sql::error::SqlError;

/// Applies the clauses from left to right.
pub(super) fn apply(
    session: &mut SessionContext,
    table: &mut Table,
    extra: &mut Extra,
    clauses: &[AlterClause],
) -> Result<(), SqlError> {
    clauses
        .iter()
        .try_for_each(|clause| apply_one(session, table, extra, clause))
}

fn apply_one(
    session: &mut SessionContext,
    table: &mut Table,
    extra: &mut Extra,
    clause: &AlterClause,
) -> Result<(), SqlError> {
    match clause {
        AlterClause::AddColumn { column, position } => {
            add_column(session, table, column, position.as_ref())
        }
        AlterClause::Modify { column, position } => {
            change_column(session, table, &column.name, column, position.as_ref())
        }
        AlterClause::Change {
            old_name,
            column,
            position,
        } => change_column(session, table, old_name, column, position.as_ref()),
        AlterClause::DropColumn(name) => drop_column(table, name),
        AlterClause::RenameColumn { from, to } => rename_column(table, from, to),
        AlterClause::AlterColumnDefault { column, default } => {
            let found = find(table, column)?;
            let value = match default {
                Some(default) => defaults::define(session, found, Some(default))?,
                None => crate::catalog::ColumnDefault::None,
            };
            found.default = value;
            Ok(())
        }
        AlterClause::AlterColumnVisibility { column, invisible } => {
            find(table, column)?.invisible = *invisible;
            Ok(())
        }
        AlterClause::RenameTable(name) => {
            let (database, name) = match &name.database {
                Some(_) => qualified(name, session)?,
                None => (table.database.as_str(), name.name.as_str()),
            };
            extra.rename = Some((database.to_owned(), name.to_owned()));
            Ok(())
        }
        AlterClause::Options(options) => {
            table.collation = resolve_collation(
                &options.charset,
                None,
                Defaults::new(session, table.collation),
            )?;
            extra.auto_increment = options.auto_increment.or(extra.auto_increment);
            extra.forces_rebuild |= options.engine.is_some();
            create::apply_options(session, table, options)
        }
        AlterClause::ConvertToCharset(charset) => {
            let collation =
                resolve_collation(charset, None, Defaults::new(session, table.collation))?;
            convert(table, collation);
            Ok(())
        }
        AlterClause::Force | AlterClause::OrderBy(_) => {
            extra.forces_rebuild = true;
            Ok(())
        }
        AlterClause::Algorithm(name) => {
            extra.is_instant = name == "INSTANT";
            Ok(())
        }
        AlterClause::DisableKeys | AlterClause::EnableKeys | AlterClause::Lock(_) => Ok(()),
        other => apply_to_keys(table, other),
    }
}

/// The clauses about keys and constraints, and those that are not done.
fn apply_to_keys(table: &mut Table, clause: &AlterClause) -> Result<(), SqlError> {
    match clause {
        AlterClause::AddIndex(index) => keys::add(table, index),
        AlterClause::DropIndex(name) => drop_key(table, name),
        AlterClause::DropPrimaryKey => drop_key(table, keys::PRIMARY),
        AlterClause::RenameIndex { from, to } => rename_key(table, from, to),
        AlterClause::AlterIndexVisibility { index, invisible } => {
            set_key_visibility(table, index, *invisible)
        }
        AlterClause::DropConstraint(name) if table.key(name).is_some() => drop_key(table, name),
        AlterClause::DropConstraint(name)
        | AlterClause::DropForeignKey(name)
        | AlterClause::DropCheck(name) => Err(SqlError::cant_drop_field_or_key(name)),
        AlterClause::AddForeignKey(_) => Err(SqlError::not_supported("FOREIGN KEY")),
        AlterClause::AddCheck(_) | AlterClause::AlterCheck { .. } => {
            Err(SqlError::not_supported("CHECK constraint"))
        }
        AlterClause::NotSupported(construct) => Err(SqlError::not_supported(construct)),
        _ => Err(SqlError::not_supported("ALTER TABLE")),
    }
}

fn find<'t>(table: &'t mut Table, name: &str) -> Result<&'t mut Column, SqlError> {
    let label = table.name.clone();
    let found = table
        .columns
        .iter_mut()
        .find(|column| column.is_named(name));
    found.ok_or_else(|| SqlError::bad_field(name, label))
}

fn add_column(
    session: &SessionContext,
    table: &mut Table,
    written: &ColumnDefinition,
    position: Option<&ColumnPosition>,
) -> Result<(), SqlError> {
    if table.column(&written.name).is_some() {
        return Err(SqlError::dup_fieldname(&written.name));
    }
    let defined = define(
        session,
        ColumnId(table.next_column_id),
        written,
        table.collation,
        false,
    )?;
    table.next_column_id += 1;
    let at = insert_position(table, position, table.columns.len())?;
    table.columns.insert(at, defined.column);
    if defined.is_primary {
        keys::add_for_column(table, KeyKind::Primary, &written.name)?;
    } else if defined.is_unique {
        keys::add_for_column(table, KeyKind::Unique, &written.name)?;
    }
    Ok(())
}

fn change_column(
    session: &SessionContext,
    table: &mut Table,
    old_name: &str,
    written: &ColumnDefinition,
    position: Option<&ColumnPosition>,
) -> Result<(), SqlError> {
    let (at, old) = table.require_column(old_name, &table.name)?;
    let id = old.id;
    let others = table.columns.iter().filter(|column| column.id != id);
    if others.clone().any(|column| column.is_named(&written.name)) {
        return Err(SqlError::dup_fieldname(&written.name));
    }
    let mut defined = define(session, id, written, table.collation, false)?;
    let is_in_primary = table
        .primary_key()
        .is_some_and(|key| key.parts.iter().any(|part| part.column == id));
    if is_in_primary {
        if defined.is_explicitly_null {
            return Err(SqlError::primary_cant_have_null());
        }
        defined.column.nullable = false;
        if defined.column.default == crate::catalog::ColumnDefault::Null {
            defined.column.default = crate::catalog::ColumnDefault::None;
        }
    }
    table.columns.remove(at);
    let at = insert_position(table, position, at)?;
    table.columns.insert(at, defined.column);
    if defined.is_primary && !is_in_primary {
        keys::add_for_column(table, KeyKind::Primary, &written.name)?;
    } else if defined.is_unique {
        keys::add_for_column(table, KeyKind::Unique, &written.name)?;
    }
    Ok(())
}

fn insert_position(
    table: &Table,
    position: Option<&ColumnPosition>,
    default: usize,
) -> Result<usize, SqlError> {
    match position {
        None => Ok(default),
        Some(ColumnPosition::First) => Ok(0),
        Some(ColumnPosition::After(name)) => Ok(table.require_column(name, &table.name)?.0 + 1),
    }
}

/// A dropped column leaves the keys it is part of; keys without columns go with it.
fn drop_column(table: &mut Table, name: &str) -> Result<(), SqlError> {
    let (at, _) = table
        .column(name)
        .ok_or_else(|| SqlError::cant_drop_field_or_key(name))?;
    if table.columns.len() == 1 {
        return Err(SqlError::cant_remove_all_fields());
    }
    table.columns.remove(at);
    let left = column_ids(table);
    for key in &mut table.keys {
        key.parts.retain(|part| left.contains(&part.column));
    }
    table.keys.retain(|key| !key.parts.is_empty());
    Ok(())
}

fn rename_column(table: &mut Table, from: &str, to: &str) -> Result<(), SqlError> {
    check_name(to)?;
    let (at, _) = table.require_column(from, &table.name)?;
    let is_taken = table
        .columns
        .iter()
        .enumerate()
        .any(|(other, column)| other != at && column.is_named(to));
    if is_taken {
        return Err(SqlError::dup_fieldname(to));
    }
    find(table, from)?.name = to.to_owned();
    Ok(())
}

fn drop_key(table: &mut Table, name: &str) -> Result<(), SqlError> {
    let at = table.keys.iter().position(|key| key.is_named(name));
    let at = at.ok_or_else(|| SqlError::cant_drop_field_or_key(name))?;
    table.keys.remove(at);
    Ok(())
}

fn rename_key(table: &mut Table, from: &str, to: &str) -> Result<(), SqlError> {
    if to.eq_ignore_ascii_case(keys::PRIMARY) || to.is_empty() {
        return Err(SqlError::wrong_name_for_index(to));
    }
    if table.key(from).is_none() {
        return Err(SqlError::key_does_not_exist(from, &table.name));
    }
    if !from.eq_ignore_ascii_case(to) && table.key(to).is_some() {
        return Err(SqlError::dup_keyname(to));
    }
    let label = table.name.clone();
    let key = table.keys.iter_mut().find(|key| key.is_named(from));
    key.ok_or_else(|| SqlError::key_does_not_exist(from, label))?
        .name = to.to_owned();
    Ok(())
}

fn set_key_visibility(table: &mut Table, name: &str, invisible: bool) -> Result<(), SqlError> {
    let label = table.name.clone();
    let key = table.keys.iter_mut().find(|key| key.is_named(name));
    let key = key.ok_or_else(|| SqlError::key_does_not_exist(name, label))?;
    if key.kind == KeyKind::Primary && invisible {
        return Err(SqlError::pk_index_cant_be_invisible());
    }
    key.invisible = invisible;
    Ok(())
}

fn convert(table: &mut Table, collation: &'static Collation) {
    table.collation = collation;
    for column in &mut table.columns {
        column.column_type = column.column_type.clone().with_collation(collation);
        column.has_explicit_collation = false;
    }
}
