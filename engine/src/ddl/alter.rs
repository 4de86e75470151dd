//! ALTER TABLE, CREATE INDEX, DROP INDEX.
//!
//! All clauses are applied to a copy of the definition first. If only names, defaults, comments or
//! keys differ, the rows stay where they are; otherwise the table is rebuilt under a new id, row by
//! row with the coercion of an INSERT.

mod algorithm;
mod clauses;
mod columns;
mod conditional;
mod convert;
mod key_clauses;
mod order;
mod partition_rows;
mod rebuild;

use std::sync::Arc;

use super::options::Site;
use super::{
    create, drop, existing, expression, foreign_keys, kept, keys, options, physical, qualified,
    save,
};
use crate::catalog::{Column, Key, KeyKind, Table};
use crate::collation::Collation;
use crate::execute::Writer;
use crate::outcome::Outcome;
use crate::session::SessionContext;
use sql::ast::{AlterClause, AlterTable, CreateIndex, TableName};
use sql::error::SqlError;

/// What the clauses say besides the new definition.
#[derive(Debug, Default)]
struct Extra {
    /// RENAME \[TO\] database and name.
    rename: Option<(String, String)>,
    /// AUTO_INCREMENT=.
    auto_increment: Option<u64>,
    /// FORCE, ENGINE=, ORDER BY: rebuild even if nothing differs.
    forces_rebuild: bool,
}

pub(super) fn table(
    writer: &mut Writer,
    session: &mut SessionContext,
    alter: &AlterTable,
) -> Result<Outcome, SqlError> {
    if alter.if_exists {
        let (database, name) = qualified(&alter.table, session)?;
        if writer.catalog().find_table(database, name).is_none() {
            let error = SqlError::no_such_table(database, name);
            session.note(error);
            return Ok(Outcome::done());
        }
    }
    let old = existing(writer, &alter.table, session)?;
    let clauses = conditional::remaining(&old, alter);
    change(writer, session, &old, &clauses, alter.system_versioning)
}

pub(super) fn create_index(
    writer: &mut Writer,
    session: &mut SessionContext,
    create: &CreateIndex,
) -> Result<Outcome, SqlError> {
    let old = existing(writer, &create.table, session)?;
    let name = create.index.name.as_deref();
    let is_there = name.is_some_and(|name| old.keys.iter().any(|key| key.is_named(name)));
    if is_there && create.if_not_exists {
        return Ok(Outcome::done());
    }
    let replaced = name.filter(|_| is_there && create.or_replace);
    let replaced = replaced.map(|name| AlterClause::DropIndex(name.to_owned()));
    let mut clauses: Vec<AlterClause> = replaced.into_iter().collect();
    clauses.push(AlterClause::AddIndex(create.index.clone()));
    clauses.extend_from_slice(&create.how);
    change(writer, session, &old, &clauses, None)
}

pub(super) fn drop_index(
    writer: &mut Writer,
    session: &mut SessionContext,
    (name, if_exists): (&str, bool),
    table: &TableName,
    how: &[AlterClause],
) -> Result<Outcome, SqlError> {
    let old = existing(writer, table, session)?;
    if if_exists && !old.keys.iter().any(|key| key.is_named(name)) {
        return Ok(Outcome::done());
    }
    let clause = match name.eq_ignore_ascii_case(keys::PRIMARY) {
        true => AlterClause::DropPrimaryKey,
        false => AlterClause::DropIndex(name.to_owned()),
    };
    let mut clauses = vec![clause];
    clauses.extend_from_slice(how);
    change(writer, session, &old, &clauses, None)
}

/// `collation_database`: the collation of the session's default database, the server's where it has
/// none.
fn default_collation(writer: &Writer, session: &SessionContext) -> &'static Collation {
    let database = session.database.as_deref();
    let database = database.and_then(|name| writer.catalog().database(name).ok());
    session
        .collation_database
        .unwrap_or_else(|| database.map_or(session.collation_server, |database| database.collation))
}

fn change(
    writer: &mut Writer,
    session: &mut SessionContext,
    old: &Arc<Table>,
    clauses: &[AlterClause],
    system_versioning: Option<bool>,
) -> Result<Outcome, SqlError> {
    // How a source did it says nothing about how it must be done here.
    let how = match session.applies_log {
        true => algorithm::How::default(),
        false => algorithm::How::of(clauses)?,
    };
    check_clauses(writer, session, old, clauses)?;
    if session.applies_log {
        partition_rows::apply(writer, session, old, clauses)?;
    }
    let mut new = super::versions::altered(old, system_versioning)?;
    let mut extra = Extra::default();
    let default = default_collation(writer, session);
    new.collation = options::collation(session, old, clauses, default)?;
    let catalog = Arc::clone(writer.catalog());
    let place = (&catalog, default);
    let forbidden = clauses::apply(session, &mut new, &mut extra, clauses, place)?;
    expression::check_dependents(session, old, &new)?;
    keys::recheck(&mut new)?;
    create::finish(session, &catalog, &mut new, &forbidden)?;
    how.check(old, &new, clauses)?;
    let copies = algorithm::copies(old, &new, clauses);
    let order = order::of(session, old, &new, clauses)?;
    let table = if copies || extra.forces_rebuild || needs_rebuild(old, &new) {
        rebuild::rebuild(
            writer,
            session,
            (old, new),
            copies,
            (&order, extra.auto_increment),
        )?
    } else {
        change_keys(writer, old, &new)?;
        if new.auto_increment_column().is_none() {
            writer.counters().forget(new.id);
        }
        save(writer, new)?
    };
    foreign_keys::follow_columns(writer, old, &table)?;
    // A foreign key of its own may have followed its columns.
    let table = Arc::clone(writer.catalog().table(&table.database, &table.name)?);
    let rows = if copies {
        rebuild::row_count(writer, &table)?
    } else {
        0
    };
    if let Some(next) = extra
        .auto_increment
        .filter(|_| table.auto_increment_column().is_some())
    {
        let greatest = rebuild::greatest_id(writer, &table)?.saturating_add(1);
        writer.counters().set(table.id, next.max(greatest));
    }
    let current = (table.database.clone(), table.name.clone());
    if let Some((database, name)) = extra.rename.filter(|rename| *rename != current) {
        drop::rename_one(writer, &table, &database, &name)?;
    }
    Ok(Outcome::Ok {
        affected: rows,
        last_insert_id: 0,
        info: info(clauses, rows, session.warnings.len()),
        warnings: u16::try_from(session.warnings.len()).unwrap_or(u16::MAX),
    })
}

/// Checks the clauses that say what the table as a whole is to be.
fn check_clauses(
    writer: &Writer,
    session: &mut SessionContext,
    old: &Table,
    clauses: &[AlterClause],
) -> Result<(), SqlError> {
    kept::check_alter(session, writer.catalog(), old, clauses)?;
    for clause in clauses {
        match clause {
            AlterClause::Options(written) => {
                options::check(session, Site::Alter(&old.name), written)?;
            }
            AlterClause::RenameTable(name) => {
                let (database, name) = qualified(name, session)?;
                drop::check_new_name(writer, old, database, name)?;
            }
            AlterClause::AddColumn { .. }
            | AlterClause::AddIndex(_)
            | AlterClause::AddForeignKey(_)
            | AlterClause::AddCheck(_)
            | AlterClause::DropColumn(_)
            | AlterClause::DropIndex(_)
            | AlterClause::DropPrimaryKey
            | AlterClause::DropForeignKey(_)
            | AlterClause::DropCheck(_)
            | AlterClause::DropConstraint(_)
            | AlterClause::Modify { .. }
            | AlterClause::Change { .. }
            | AlterClause::AlterColumnDefault { .. }
            | AlterClause::AlterColumnVisibility { .. }
            | AlterClause::AlterIndexVisibility { .. }
            | AlterClause::AlterCheck { .. }
            | AlterClause::RenameColumn { .. }
            | AlterClause::RenameIndex { .. }
            | AlterClause::ConvertToCharset(_)
            | AlterClause::DisableKeys
            | AlterClause::EnableKeys
            | AlterClause::Force
            | AlterClause::OrderBy(_)
            | AlterClause::Algorithm(_)
            | AlterClause::Lock(_)
            | AlterClause::Partitioning(_)
            | AlterClause::NotSupported(_) => {}
        }
    }
    Ok(())
}

/// The text behind the count, which a mere change of names does not have.
fn info(clauses: &[AlterClause], rows: u64, warnings: usize) -> String {
    if clauses
        .iter()
        .all(|clause| matches!(clause, AlterClause::RenameTable(_)))
    {
        return String::new();
    }
    format!("Records: {rows}  Duplicates: 0  Warnings: {warnings}")
}

/// Whether rows must be written anew: a column is new, or stored otherwise, or the rowid's meaning
/// changes, or the rows have lain by a key and now lie as they come.
fn needs_rebuild(old: &Table, new: &Table) -> bool {
    let column_changes = new
        .columns
        .iter()
        .any(|column| match old.column_by_id(column.id) {
            None => true,
            Some((_, earlier)) => is_stored_otherwise(earlier, column),
        });
    let rowid_of = |table: &Table| {
        let key = table
            .primary_key()
            .filter(|key| physical::is_rowid_key(table, key))?;
        key.parts.first().map(|part| part.column)
    };
    let loses_order = old.clustered_key().is_some() && new.clustered_key().is_none();
    column_changes || loses_order || rowid_of(old) != rowid_of(new)
}

fn is_stored_otherwise(old: &Column, new: &Column) -> bool {
    let is_narrower_null = old.nullable && !new.nullable;
    is_narrower_null
        || old.column_type != new.column_type
        || computes_otherwise(old, new)
        || (new.auto_increment && !old.auto_increment)
}

/// Whether stored values come from another expression than before.
fn computes_otherwise(old: &Column, new: &Column) -> bool {
    let expression = |column: &Column| {
        let generated = column.generated.as_ref();
        generated.map(|generated| generated.expression.clone())
    };
    new.generated.is_some() && expression(old) != expression(new)
}

/// Drops and creates the indexes in which two definitions of the same rows differ.
fn change_keys(writer: &Writer, old: &Table, new: &Table) -> Result<(), SqlError> {
    let signature = |key: &Key| (key.id, key.kind == KeyKind::Index, key.parts.clone());
    // A key that has no index needs none made or dropped.
    let is_kept = |key: &Key, others: &[Key]| {
        !key.is_built()
            || others
                .iter()
                .any(|other| signature(other) == signature(key))
    };
    for key in old.keys.iter().filter(|key| !is_kept(key, &new.keys)) {
        physical::drop_index(writer, old, key)?;
    }
    for key in new.keys.iter().filter(|key| !is_kept(key, &old.keys)) {
        physical::create_index(writer, new, key)?;
    }
    Ok(())
}
