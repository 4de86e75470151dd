//! DDL: statements that change the schema, executed within a group.
//!
//! Each statement checks everything MySQL checks, then changes SQLite's tables and the stored
//! catalogue in the group's transaction and gives the writer the next catalogue. What MySQL would
//! accept but the engine does not keep is refused with error 1235. Invariant: the text of a DDL
//! statement, executed again on the same catalogue, leads to the same catalogue.

mod alter;
mod checks;
mod columns;
mod create;
mod databases;
mod defaults;
mod drop;
mod expression;
mod foreign_keys;
mod functional;
mod kept;
mod keys;
mod options;
mod partitions;
mod physical;
mod refused;
mod size;
mod types;
mod versions;

pub(crate) use defaults::convertible;
pub(crate) use expression::deterministic;
pub(crate) use kept::{check_write, unenforced};
pub use refused::refused_by_form;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{Catalog, Database, Table};
use crate::collation::Collation;
use crate::execute::Writer;
use crate::outcome::Outcome;
use crate::session::SessionContext;
use sql::ast::{Ddl, TableName};
use sql::error::SqlError;

/// Executes a DDL statement.
pub(crate) fn execute(
    writer: &mut Writer,
    statement: &Ddl,
    session: &mut SessionContext,
) -> Result<Outcome, SqlError> {
    match statement {
        Ddl::CreateDatabase {
            if_not_exists,
            name,
            charset,
        } => databases::create(writer, session, name, *if_not_exists, charset),
        Ddl::AlterDatabase { name, charset } => {
            databases::alter(writer, session, name.as_deref(), charset)
        }
        Ddl::DropDatabase { if_exists, name } => databases::drop(writer, session, name, *if_exists),
        Ddl::CreateTable(create) => create::table(writer, session, create),
        Ddl::AlterTable(alter) => alter::table(writer, session, alter),
        Ddl::DropTable {
            temporary,
            if_exists,
            tables,
        } => drop::tables(writer, session, tables, *if_exists, *temporary),
        Ddl::DropView { if_exists, views } => drop::views(writer, session, views, *if_exists),
        Ddl::TruncateTable(name) => drop::truncate(writer, session, name),
        Ddl::CreateIndex(create) => alter::create_index(writer, session, create),
        Ddl::DropIndex {
            if_exists,
            name,
            table,
            how,
        } => alter::drop_index(writer, session, (name, *if_exists), table, how),
        Ddl::RenameTable(pairs) => drop::rename(writer, session, pairs),
    }
}

/// Database and name of a table as written. Error 1046 when neither it nor the session names a
/// database.
pub(crate) fn qualified<'n>(
    name: &'n TableName,
    session: &'n SessionContext,
) -> Result<(&'n str, &'n str), SqlError> {
    let database = match &name.database {
        Some(database) => database,
        None => session.require_database()?,
    };
    Ok((database, &name.name))
}

/// The table that a name means. Errors 1046, 1049, 1146.
pub(crate) fn existing(
    writer: &Writer,
    name: &TableName,
    session: &SessionContext,
) -> Result<Arc<Table>, SqlError> {
    let (database, name) = qualified(name, session)?;
    match writer.catalog().table(database, name) {
        Ok(table) => Ok(Arc::clone(table)),
        Err(error) => {
            // A name that none can have is told before one that none has.
            create::check_table_name(name)?;
            Err(error)
        }
    }
}

/// Changes one database of a catalogue. Error 1049 if there is none of this name.
fn change_database(
    catalog: &mut Catalog,
    name: &str,
    change: impl FnOnce(&mut Database),
) -> Result<(), SqlError> {
    let entry = catalog
        .databases
        .get_mut(name)
        .ok_or_else(|| SqlError::bad_db(name))?;
    change(Arc::make_mut(entry));
    Ok(())
}

/// Stores a table, new or changed, and shows it to the open group.
fn save(writer: &mut Writer, table: Table) -> Result<Arc<Table>, SqlError> {
    writer.store().save_table(&table)?;
    let table = Arc::new(table);
    let mut catalog = Catalog::clone(writer.catalog());
    change_database(&mut catalog, &table.database, |database| {
        database
            .tables
            .insert(table.name.clone(), Arc::clone(&table));
    })?;
    writer.replace_catalog(catalog)?;
    Ok(table)
}

/// A table that was defined before, without rows.
pub(crate) fn restore_table(writer: &mut Writer, table: Table) -> Result<(), SqlError> {
    physical::create_table(writer, &table)?;
    save(writer, table).map(drop)
}

/// A database that was defined before.
pub(crate) fn restore_database(
    writer: &mut Writer,
    name: &str,
    collation: &'static Collation,
) -> Result<(), SqlError> {
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
    Ok(writer.replace_catalog(catalog)?)
}

/// Takes a table out of the stored and the shown catalogue, leaving SQLite's table.
fn forget(writer: &mut Writer, table: &Table) -> Result<(), SqlError> {
    writer.store().delete_table(table.id)?;
    let mut catalog = Catalog::clone(writer.catalog());
    change_database(&mut catalog, &table.database, |database| {
        database.tables.remove(&table.name);
    })?;
    Ok(writer.replace_catalog(catalog)?)
}

#[cfg(test)]
mod tests;
