//! TABLE_CONSTRAINTS: primary and unique keys.

use engine::catalog::{KeyKind, Table};

use super::definition::{Definition, texts};
use crate::show::Grid;

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "TABLE_CONSTRAINTS",
    layout: |grid| {
        let names = [
            "CONSTRAINT_CATALOG",
            "CONSTRAINT_SCHEMA",
            "CONSTRAINT_NAME",
            "TABLE_SCHEMA",
            "TABLE_NAME",
            "CONSTRAINT_TYPE",
            "ENFORCED",
        ];
        texts(grid, &names)
    },
    fill: |grid, viewer| {
        viewer.each_table(|table| constraint_rows(grid, table));
    },
};

fn constraint_rows(grid: &mut Grid, table: &Table) {
    for key in table.unique_keys() {
        let kind = match key.kind {
            KeyKind::Primary => "PRIMARY KEY",
            _ => "UNIQUE",
        };
        grid.row([
            "def".into(),
            table.database.as_str().into(),
            key.name.as_str().into(),
            table.database.as_str().into(),
            table.name.as_str().into(),
            kind.into(),
            "YES".into(),
        ]);
    }
}
