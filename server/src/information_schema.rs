//! information_schema: the tables that clients read, made from the catalogue when a query needs them.
//!
//! Tables of things that this server does not have (views, triggers, partitions ...) exist and are
//! empty, because tools ask for them and take an error for a broken server. What an account may not
//! see is not in the rows.

pub(crate) mod column_info;
mod performance_schema;
mod schemata;
mod tables;

use std::sync::Arc;

use engine::select::{VirtualTable, VirtualTables};
use sql::error::SqlError;

use crate::accounts::{Account, Privilege};
use crate::node::Node;
use tables::Source;

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
    tables::NAMES.iter().copied()
}

/// The columns of one of its tables.
pub(crate) fn columns_of(table: &str) -> Option<Vec<String>> {
    let grid = tables::layout(table)?;
    Some(grid.columns.into_iter().map(|column| column.name).collect())
}

/// information_schema as a session's statements see it.
pub(crate) struct SessionTables {
    pub(crate) node: Arc<Node>,
    pub(crate) account: Arc<Account>,
    pub(crate) user: String,
}

impl std::fmt::Debug for SessionTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionTables")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl VirtualTables for SessionTables {
    fn has_database(&self, database: &str) -> bool {
        canonical(database).is_some() || database.eq_ignore_ascii_case(PERFORMANCE_SCHEMA)
    }

    fn table(&self, database: &str, name: &str) -> Option<VirtualTable> {
        if database.eq_ignore_ascii_case(PERFORMANCE_SCHEMA) {
            let result = performance_schema::table(name)?.into_result();
            return Some(VirtualTable {
                columns: result.columns,
                rows: result.rows,
            });
        }
        let catalog = self.node.readers.database().catalog();
        let all = self.account.has(Privilege::Process);
        let mut processes = self.node.processes.all();
        processes.retain(|process| all || process.user() == self.user);
        let source = Source {
            catalog: &catalog,
            account: &self.account,
            processes,
        };
        let result = tables::filled(name, &source)?.into_result();
        Some(VirtualTable {
            columns: result.columns,
            rows: result.rows,
        })
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
