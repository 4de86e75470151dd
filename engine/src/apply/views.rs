//! The names of views that a log made. A view is not kept, but RENAME TABLE does not say whether it means
//! one, and CREATE TABLE IF NOT EXISTS does nothing where one has the name.

use crate::ddl::existing;
use crate::execute::Writer;
use crate::session::SessionContext;
use sql::ast::{CreateTable, Ddl, Statement, TableName};
use sql::error::SqlError;

/// What a RENAME TABLE is called that named views; what it said of tables was done.
pub(super) const RENAME: &str = "RENAME TABLE of a view";

/// What a CREATE TABLE IF NOT EXISTS is called that found a view of the name.
pub(super) const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS of a view's name";

/// Takes note that there is a view of this name.
pub(super) fn made(writer: &Writer, database: &str, view: &TableName) -> Result<(), SqlError> {
    let database = view.database.as_deref().unwrap_or(database);
    Ok(writer.store().save_view(database, &view.name)?)
}

/// Takes note that there are no views of these names any more.
pub(super) fn dropped(
    writer: &Writer,
    database: &str,
    views: &[TableName],
) -> Result<(), SqlError> {
    for view in views {
        let database = view.database.as_deref().unwrap_or(database);
        writer.store().delete_view(database, &view.name)?;
    }
    Ok(())
}

/// Whether CREATE TABLE does nothing because a view has the name.
pub(super) fn is_in_the_way(
    writer: &Writer,
    database: &str,
    create: &CreateTable,
) -> Result<bool, SqlError> {
    let name = &create.name;
    let database = name.database.as_deref().unwrap_or(database);
    Ok(create.if_not_exists && writer.store().has_view(database, &name.name)?)
}

/// RENAME TABLE, one pair after the other; whether there was a view among them.
pub(super) fn rename(
    writer: &mut Writer,
    pairs: &[(TableName, TableName)],
    session: &mut SessionContext,
) -> Result<bool, SqlError> {
    let mut has_views = false;
    for (from, to) in pairs {
        if is_view(writer, from, session)? {
            let default = session.database.clone().unwrap_or_default();
            dropped(writer, &default, std::slice::from_ref(from))?;
            made(writer, &default, to)?;
            has_views = true;
        } else {
            let one = Ddl::RenameTable(vec![(from.clone(), to.clone())]);
            writer.execute(&Statement::Ddl(one), &[], session, &mut Vec::new())?;
        }
    }
    Ok(has_views)
}

/// Whether a name is that of a view and of no table.
fn is_view(writer: &Writer, name: &TableName, session: &SessionContext) -> Result<bool, SqlError> {
    if existing(writer, name, session).is_ok() {
        return Ok(false);
    }
    let database = name.database.as_deref().or(session.database.as_deref());
    Ok(writer
        .store()
        .has_view(database.unwrap_or_default(), &name.name)?)
}
