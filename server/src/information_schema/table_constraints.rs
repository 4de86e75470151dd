//! TABLE_CONSTRAINTS: primary and unique keys, foreign keys, checks.

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
    for key in table.keys.iter().filter(|key| key.is_declared_unique()) {
        let kind = match key.kind {
            KeyKind::Primary => "PRIMARY KEY",
            _ => "UNIQUE",
        };
        constraint_row(grid, table, (&key.name, kind), true);
    }
    for key in &table.foreign_keys {
        constraint_row(grid, table, (&key.name, "FOREIGN KEY"), true);
    }
    for check in &table.checks {
        constraint_row(grid, table, (&check.name, "CHECK"), check.enforced);
    }
}

/// What is enforced, or was by the source.
fn constraint_row(grid: &mut Grid, table: &Table, (name, kind): (&str, &str), enforced: bool) {
    grid.row([
        "def".into(),
        table.database.as_str().into(),
        name.into(),
        table.database.as_str().into(),
        table.name.as_str().into(),
        kind.into(),
        if enforced { "YES" } else { "NO" }.into(),
    ]);
}
