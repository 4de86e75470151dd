//! information_schema: the tables that clients read, made from the catalogue when a query needs them.
//!
//! Tables of things that this server does not have (views, triggers, routines ...) exist and are
//! empty, because tools ask for them and take an error for a broken server. What an account may not
//! see is not in the rows.

mod absent;
mod applier_workers;
mod character_sets;
mod check_constraints;
mod collation_character_set_applicability;
pub(crate) mod collations;
pub(crate) mod column_info;
mod columns;
mod definition;
pub(crate) mod engines;
mod key_column_usage;
mod partitions;
mod performance_schema;
pub(crate) mod processlist;
mod referential_constraints;
mod schemata;
pub(crate) mod statistics;
mod table_constraints;
mod tables;

use std::sync::Arc;

use engine::select::{VirtualTable, VirtualTables};
use sql::error::SqlError;

use crate::accounts::{Account, Privilege};
use crate::node::Node;
use crate::show::Grid;
use crate::view::Viewer;
use definition::Definition;

/// Every table that exists, by name.
static TABLES: [Definition; 26] = [
    character_sets::TABLE,
    check_constraints::TABLE,
    collations::TABLE,
    collation_character_set_applicability::TABLE,
    columns::TABLE,
    absent::COLUMN_PRIVILEGES,
    engines::TABLE,
    absent::EVENTS,
    absent::FILES,
    key_column_usage::TABLE,
    absent::LIBRARIES,
    absent::PARAMETERS,
    partitions::TABLE,
    absent::PLUGINS,
    processlist::TABLE,
    referential_constraints::TABLE,
    absent::ROUTINES,
    schemata::TABLE,
    absent::SCHEMA_PRIVILEGES,
    statistics::TABLE,
    tables::TABLE,
    table_constraints::TABLE,
    absent::TABLE_PRIVILEGES,
    absent::TRIGGERS,
    absent::USER_PRIVILEGES,
    absent::VIEWS,
];

/// The schema's name.
pub(crate) const NAME: &str = "information_schema";

/// The schema of which only what tools cannot do without is there.
const PERFORMANCE_SCHEMA: &str = "performance_schema";

/// The schema's name as shown, if `name` is it in any letter case.
pub(crate) fn canonical(name: &str) -> Option<&'static str> {
    name.eq_ignore_ascii_case(NAME).then_some(NAME)
}

/// The names of its tables.
pub(crate) fn table_names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name)
}

/// The columns of one of its tables.
pub(crate) fn columns_of(table: &str) -> Option<Vec<String>> {
    let grid = (definition(table)?.layout)(Grid::new());
    Some(grid.columns.into_iter().map(|column| column.name).collect())
}

fn definition(name: &str) -> Option<&'static Definition> {
    let is_named = |table: &&Definition| table.name.eq_ignore_ascii_case(name);
    TABLES.iter().find(is_named)
}

/// Rows as a table whose names of databases and tables differ by letter case.
fn table_of(grid: Grid) -> VirtualTable {
    let result = grid.into_result();
    let mut columns = result.columns;
    for column in &mut columns {
        if sql::holds_table_names(&column.name) && !column.collation.is_binary() {
            column.collation = &engine::collation::UTF8MB3_BIN;
        }
    }
    VirtualTable {
        columns,
        rows: result.rows,
    }
}

/// information_schema as a session's statements see it.
pub(crate) struct SessionTables {
    pub(crate) node: Arc<Node>,
    pub(crate) account: Arc<Account>,
}

impl std::fmt::Debug for SessionTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionTables")
            .field("user", &self.account.name.user)
            .finish_non_exhaustive()
    }
}

impl VirtualTables for SessionTables {
    fn has_database(&self, database: &str) -> bool {
        canonical(database).is_some() || database.eq_ignore_ascii_case(PERFORMANCE_SCHEMA)
    }

    fn table(&self, database: &str, name: &str) -> Option<VirtualTable> {
        if database.eq_ignore_ascii_case(PERFORMANCE_SCHEMA) {
            return Some(table_of(performance_schema::table(name, &self.node)?));
        }
        let definition = definition(name)?;
        let viewer = Viewer {
            node: &self.node,
            account: &self.account,
        };
        let mut grid = (definition.layout)(Grid::new());
        (definition.fill)(&mut grid, &viewer);
        Some(table_of(grid))
    }

    fn check_read(&self, database: &str, name: &str) -> Result<(), SqlError> {
        if self.account.has_on(Privilege::Select, database) {
            return Ok(());
        }
        let account = &self.account.name;
        Err(SqlError::table_access_denied(
            Privilege::Select.name(),
            &account.user,
            &account.host,
            name,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_columns() {
        for table in &TABLES {
            let columns = columns_of(table.name);
            assert!(
                columns.is_some_and(|columns| !columns.is_empty()),
                "{}",
                table.name
            );
        }
        assert!(TABLES.is_sorted_by_key(|table| table.name));
    }
}
