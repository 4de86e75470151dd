//! USE, FORCE and IGNORE INDEX: the keys that they name must exist. Which key is used is decided
//! without them, and no result depends on it.

use sqlparser::ast::{ObjectName, TableAlias, TableIndexHints};

use super::from::split_name;
use crate::catalog::Table;
use crate::expr::bind::{Binder, same_name};
use sql::error::SqlError;

/// Error 1176 for a key that the table does not have.
pub(super) fn check(
    binder: &Binder<'_>,
    name: &ObjectName,
    alias: Option<&TableAlias>,
    hints: &[TableIndexHints],
) -> Result<(), SqlError> {
    if hints.is_empty() {
        return Ok(());
    }
    let (database, table) = split_name(name)?;
    let database = match database {
        Some(database) => database,
        None => binder.session.require_database()?.to_owned(),
    };
    // A common table expression or a table of information_schema has no keys.
    let found = binder.catalog.find_table(&database, &table);
    for key in hints.iter().flat_map(|hint| &hint.index_names) {
        if !found.is_some_and(|table| has_key(table, &key.value)) {
            let shown = alias.map_or(table.as_str(), |alias| alias.name.value.as_str());
            return Err(SqlError::key_does_not_exist(&key.value, shown));
        }
    }
    Ok(())
}

/// Whether a key has this name, or one key alone begins so, as MySQL takes it.
fn has_key(table: &Table, name: &str) -> bool {
    let begins = |key: &str| {
        key.get(..name.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(name))
    };
    let mut keys = table.keys.iter();
    let exact = keys.any(|key| same_name(&key.name, name));
    exact || table.keys.iter().filter(|key| begins(&key.name)).count() == 1
}
