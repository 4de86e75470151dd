//! DROP, TRUNCATE and RENAME TABLE.

use std::collections::HashSet;
use std::sync::Arc;

use super::create::check_table_name;
use super::{checks, databases, existing, foreign_keys, forget, physical, qualified, save};
use crate::catalog::Table;
use crate::execute::Writer;
use crate::outcome::Outcome;
use crate::session::SessionContext;
use sql::ast::TableName;
use sql::error::SqlError;

/// DROP TABLE: all tables or, when one is missing, none (error 1051 naming each that is missing).
pub(super) fn tables(
    writer: &mut Writer,
    session: &mut SessionContext,
    names: &[TableName],
    if_exists: bool,
    temporary: bool,
) -> Result<Outcome, SqlError> {
    let mut found: Vec<Arc<Table>> = Vec::new();
    let mut missing = Vec::new();
    let (mut found_ids, mut missing_names) = (HashSet::new(), HashSet::new());
    for name in names {
        session.interrupt.check()?;
        let (database, table) = qualified(name, session)?;
        check_names(session, database, table)?;
        match writer.catalog().find_table(database, table) {
            // There are no temporary tables.
            Some(known) if !temporary => {
                if !found_ids.insert(known.id) {
                    return Err(SqlError::nonuniq_table(table));
                }
                found.push(Arc::clone(known));
            }
            Some(_) | None => {
                let full = format!("{database}.{table}");
                if !missing_names.insert(full.clone()) {
                    return Err(SqlError::nonuniq_table(table));
                }
                missing.push(full);
            }
        }
    }
    if !missing.is_empty() {
        if !if_exists {
            return Err(SqlError::bad_table(missing.join(",")));
        }
        missing
            .into_iter()
            .for_each(|name| session.note(SqlError::bad_table(name)));
    }
    let is_dropped = |child: &Table| found_ids.contains(&child.id);
    for table in &found {
        foreign_keys::check_drop(writer, session, table, is_dropped)?;
    }
    for table in found {
        physical::drop_table(writer, &table)?;
        forget(writer, &table)?;
        writer.counters().forget(table.id);
    }
    Ok(Outcome::done())
}

/// Names that no table has, though it need not exist: errors 1044, 1059, 1102 and 1103.
fn check_names(session: &SessionContext, database: &str, table: &str) -> Result<(), SqlError> {
    databases::check_name(database)?;
    check_table_name(table)?;
    match database.eq_ignore_ascii_case("information_schema") {
        true => Err(SqlError::db_access_denied(
            &session.user,
            &session.host,
            database,
        )),
        false => Ok(()),
    }
}

/// DROP VIEW: there are no views, so each name is missing.
pub(super) fn views(
    writer: &Writer,
    session: &mut SessionContext,
    names: &[TableName],
    if_exists: bool,
) -> Result<Outcome, SqlError> {
    let mut missing = Vec::new();
    for name in names {
        let (database, view) = qualified(name, session)?;
        check_names(session, database, view)?;
        if writer.catalog().find_table(database, view).is_some() {
            let text = format!("'{database}.{view}' is not VIEW");
            return Err(SqlError::new(1347, "HY000", text));
        }
        missing.push(format!("{database}.{view}"));
    }
    if !if_exists {
        return Err(SqlError::bad_table(missing.join(",")));
    }
    missing
        .into_iter()
        .for_each(|name| session.note(SqlError::bad_table(name)));
    Ok(Outcome::done())
}

/// TRUNCATE TABLE: an empty table under a new id, with its counter at 1.
pub(super) fn truncate(
    writer: &mut Writer,
    session: &SessionContext,
    name: &TableName,
) -> Result<Outcome, SqlError> {
    let old = existing(writer, name, session)?;
    foreign_keys::check_drop(writer, session, &old, |child| child.id == old.id)?;
    physical::drop_table(writer, &old)?;
    writer.store().delete_table(old.id)?;
    writer.counters().forget(old.id);
    let table = Table {
        id: writer.store().new_table_id()?,
        ..Table::clone(&old)
    };
    physical::create_table(writer, &table)?;
    save(writer, table)?;
    Ok(Outcome::done())
}

/// RENAME TABLE: pair by pair, from left to right.
pub(super) fn rename(
    writer: &mut Writer,
    session: &SessionContext,
    pairs: &[(TableName, TableName)],
) -> Result<Outcome, SqlError> {
    for (from, to) in pairs {
        let table = existing(writer, from, session)?;
        let (database, name) = qualified(to, session)?;
        if (table.database.as_str(), table.name.as_str()) == (database, name) {
            return Err(SqlError::table_exists(name));
        }
        rename_one(writer, &table, database, name)?;
    }
    Ok(Outcome::done())
}

/// Whether a table can get this name. Errors 1049, 1050, 1059 and 1103.
pub(super) fn check_new_name(
    writer: &Writer,
    table: &Table,
    database: &str,
    name: &str,
) -> Result<(), SqlError> {
    if (table.database.as_str(), table.name.as_str()) == (database, name) {
        return Ok(());
    }
    check_table_name(name)?;
    let database = writer.catalog().database(database)?;
    match database.tables.contains_key(name) {
        true => Err(SqlError::table_exists(name)),
        false => Ok(()),
    }
}

/// Gives a table another name, perhaps in another database. Errors 1049, 1050, 1103.
pub(super) fn rename_one(
    writer: &mut Writer,
    table: &Table,
    database: &str,
    name: &str,
) -> Result<Arc<Table>, SqlError> {
    check_new_name(writer, table, database, name)?;
    let next = writer.next_auto_increment(table.id);
    forget(writer, table)?;
    if table.auto_increment_column().is_some() {
        // The stored counter went with the old row of the catalogue.
        writer.counters().set(table.id, next);
    }
    let mut renamed = Table {
        database: database.to_owned(),
        name: name.to_owned(),
        ..Table::clone(table)
    };
    foreign_keys::rename_generated(&mut renamed, &table.name);
    checks::rename_generated(&mut renamed, &table.name);
    let renamed = save(writer, renamed)?;
    foreign_keys::follow_table(writer, (&table.database, &table.name), &renamed)?;
    Ok(Arc::clone(writer.catalog().table(database, name)?))
}
