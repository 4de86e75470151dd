//! CHECK_CONSTRAINTS: the conditions of checks.

use engine::catalog::Table;

use super::definition::{Definition, texts};
use crate::show::Grid;

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "CHECK_CONSTRAINTS",
    layout: |grid| {
        let names = [
            "CONSTRAINT_CATALOG",
            "CONSTRAINT_SCHEMA",
            "CONSTRAINT_NAME",
            "CHECK_CLAUSE",
            // MariaDB's, which Django asks for when the version says so.
            "TABLE_NAME",
        ];
        texts(grid, &names)
    },
    fill: |grid, viewer| {
        viewer.each_table(|table| rows(grid, table));
    },
};

fn rows(grid: &mut Grid, table: &Table) {
    for check in &table.checks {
        // The names in it are in utf8mb3, and so is the text: quotes are escaped in the dictionary.
        let clause = check.condition.replace('\'', "\\'");
        grid.row([
            "def".into(),
            table.database.as_str().into(),
            check.name.as_str().into(),
            clause.as_str().into(),
            table.name.as_str().into(),
        ]);
    }
}
