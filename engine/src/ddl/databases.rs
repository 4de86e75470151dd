//! CREATE, ALTER and DROP DATABASE.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns::check_characters;
use super::types::{Defaults, resolve_collation};
use super::{change_database, foreign_keys, physical};
use crate::catalog::{Catalog, Database, Table};
use crate::execute::Writer;
use crate::outcome::Outcome;
use crate::session::SessionContext;
use sql::ast::CharsetSpec;
use sql::error::SqlError;

/// Most characters of an identifier.
pub(super) const NAME_CHARS_MAX: usize = 64;

/// Databases that nobody may make.
const DENIED: [&str; 2] = ["information_schema", "performance_schema"];

/// Databases of the server itself, which no statement may change.
const RESERVED: [&str; 4] = ["information_schema", "performance_schema", "mysql", "sys"];

pub(super) fn create(
    writer: &mut Writer,
    session: &mut SessionContext,
    name: &str,
    if_not_exists: bool,
    charset: &CharsetSpec,
) -> Result<Outcome, SqlError> {
    check_name(name)?;
    let collation = resolve_collation(
        charset,
        None,
        &Defaults::new(session, session.collation_server),
    )?;
    if DENIED
        .iter()
        .any(|denied| name.eq_ignore_ascii_case(denied))
    {
        return Err(SqlError::db_access_denied(
            &session.user,
            &session.host,
            name,
        ));
    }
    if is_reserved(name) || writer.catalog().databases.contains_key(name) {
        let error = SqlError::db_create_exists(name);
        if !if_not_exists {
            return Err(error);
        }
        session.note(error);
        return Ok(Outcome::affected(1));
    }
    writer.store().save_database(name, collation)?;
    let mut catalog = Catalog::clone(writer.catalog());
    let database = Database {
        name: name.to_owned(),
        collation,
        tables: BTreeMap::new(),
    };
    catalog
        .databases
        .insert(name.to_owned(), Arc::new(database));
    writer.replace_catalog(catalog)?;
    Ok(Outcome::affected(1))
}

pub(super) fn alter(
    writer: &mut Writer,
    session: &SessionContext,
    name: Option<&str>,
    charset: &CharsetSpec,
) -> Result<Outcome, SqlError> {
    let name = match name {
        Some(name) => name,
        None => session.require_database()?,
    };
    check_name(name)?;
    let known = writer.catalog().databases.get(name);
    let old = known
        .ok_or_else(|| SqlError::database_not_found(name))?
        .collation;
    let collation = resolve_collation(charset, None, &Defaults::new(session, old))?;
    writer.store().save_database(name, collation)?;
    let mut catalog = Catalog::clone(writer.catalog());
    change_database(&mut catalog, name, |database| {
        database.collation = collation
    })?;
    writer.replace_catalog(catalog)?;
    Ok(Outcome::affected(1))
}

pub(super) fn drop(
    writer: &mut Writer,
    session: &mut SessionContext,
    name: &str,
    if_exists: bool,
) -> Result<Outcome, SqlError> {
    check_name(name)?;
    if is_reserved(name) {
        return Err(SqlError::db_access_denied(
            &session.user,
            &session.host,
            name,
        ));
    }
    let Some(database) = writer.catalog().databases.get(name).map(Arc::clone) else {
        let error = SqlError::db_drop_exists(name);
        if !if_exists {
            return Err(error);
        }
        session.note(error);
        return Ok(Outcome::done());
    };
    let tables: Vec<Arc<Table>> = database.tables.values().map(Arc::clone).collect();
    for table in &tables {
        let is_dropped = |child: &Table| child.database == name;
        foreign_keys::check_drop(writer, session, table, is_dropped)?;
    }
    for table in &tables {
        physical::drop_table(writer, table)?;
        writer.store().delete_table(table.id)?;
        writer.counters().forget(table.id);
    }
    writer.store().delete_database(name)?;
    let mut catalog = Catalog::clone(writer.catalog());
    catalog.databases.remove(name);
    writer.replace_catalog(catalog)?;
    Ok(Outcome::affected(
        u64::try_from(tables.len()).unwrap_or(u64::MAX),
    ))
}

/// Errors 1059 and 1102.
pub(super) fn check_name(name: &str) -> Result<(), SqlError> {
    if name.is_empty() || name.ends_with(' ') {
        return Err(SqlError::wrong_db_name(name));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(SqlError::too_long_ident(name));
    }
    check_characters(name)
}

fn is_reserved(name: &str) -> bool {
    RESERVED
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
}
