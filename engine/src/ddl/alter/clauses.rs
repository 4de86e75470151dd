//! The clauses of ALTER TABLE, applied to a definition.

use std::collections::HashSet;

use super::{Extra, column_ids, keys, qualified};
use crate::catalog::{Column, ColumnId, Generated, KeyKind, Table};
use crate::collation::Collation;
use crate::ddl::columns::{check_name, define};
use crate::ddl::types::{Defaults, resolve_collation};
use crate::ddl::{defaults, options};
use crate::session::SessionContext;
use sql::ast::{AlterClause, ColumnDefinition, ColumnPosition, DefaultValue};
use sql::error::SqlError;

/// Applies the clauses from left to right, but new keys when all columns are known.
pub(super) fn apply(
    session: &mut SessionContext,
    table: &mut Table,
    extra: &mut Extra,
    clauses: &[AlterClause],
) -> Result<(), SqlError> {
    check_subjects(table, clauses)?;
    let (keys, others): (Vec<&AlterClause>, Vec<&AlterClause>) = clauses
        .iter()
        .partition(|clause| matches!(clause, AlterClause::AddIndex(_)));
    others
        .into_iter()
        .chain(keys)
        .try_for_each(|clause| apply_one(session, table, extra, clause))
}

/// Clauses mean the columns as they were, each at most one. Errors 1054 and 1091.
fn check_subjects(table: &Table, clauses: &[AlterClause]) -> Result<(), SqlError> {
    let mut seen = HashSet::new();
    for clause in clauses {
        let name = match clause {
            AlterClause::DropColumn(name) => name,
            AlterClause::Modify { column, .. } => &column.name,
            AlterClause::Change { old_name, .. } => old_name,
            AlterClause::RenameColumn { from, .. } => from,
            AlterClause::AlterColumnDefault { column, .. }
            | AlterClause::AlterColumnVisibility { column, .. } => column,
            _ => continue,
        };
        let found = table.column(name).map(|(_, column)| column.id);
        let is_first = found.is_some_and(|id| seen.insert(id));
        match clause {
            _ if is_first => {}
            AlterClause::DropColumn(_) => return Err(SqlError::cant_drop_field_or_key(name)),
            _ => return Err(SqlError::bad_field(name, &table.name)),
        }
    }
    Ok(())
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
            set_default(session, table, column, default.as_ref())
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
        AlterClause::Options(written) => {
            extra.auto_increment = written.auto_increment.or(extra.auto_increment);
            extra.forces_rebuild |= written.engine.is_some();
            options::apply(session, table, written)
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
        AlterClause::DisableKeys
        | AlterClause::EnableKeys
        | AlterClause::Algorithm(_)
        | AlterClause::Lock(_) => Ok(()),
        other => apply_to_keys(table, other),
    }
}

/// ALTER COLUMN ... SET DEFAULT, or DROP DEFAULT without one.
fn set_default(
    session: &SessionContext,
    table: &mut Table,
    column: &str,
    default: Option<&DefaultValue>,
) -> Result<(), SqlError> {
    let found = find(table, column)?;
    if default.is_some() && found.auto_increment {
        let construct = "a default of an AUTO_INCREMENT column";
        return Err(SqlError::not_supported(construct));
    }
    found.default = match default {
        Some(default) => defaults::define(session, found, Some(default))?,
        None => crate::catalog::ColumnDefault::None,
    };
    Ok(())
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
        AlterClause::DropConstraint(name) => Err(SqlError::constraint_not_found(name)),
        AlterClause::DropCheck(name) => Err(SqlError::check_constraint_not_found(name)),
        AlterClause::DropForeignKey(name) => Err(SqlError::cant_drop_field_or_key(name)),
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
    if defined.unsafe_default && !session.applies_log {
        return Err(SqlError::binlog_unsafe_system_function());
    }
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
    check_stored_status(old.generated.as_ref(), defined.column.generated.as_ref())?;
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

/// Error 3106: a column can become or cease to be generated only if its values are stored.
fn check_stored_status(old: Option<&Generated>, new: Option<&Generated>) -> Result<(), SqlError> {
    let is_virtual = |generated: Option<&Generated>| generated.is_some_and(|g| !g.stored);
    match is_virtual(old) == is_virtual(new) {
        true => Ok(()),
        false => Err(SqlError::unsupported_action_on_generated_column(
            "Changing the STORED status",
        )),
    }
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
    keys::check_name(to)?;
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
