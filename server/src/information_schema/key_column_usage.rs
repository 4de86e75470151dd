//! KEY_COLUMN_USAGE: the columns of primary, unique and foreign keys.

use engine::catalog::Table;

use super::definition::{Definition, numbers, texts};
use crate::show::{Cell, Grid};

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "KEY_COLUMN_USAGE",
    layout,
    fill: |grid, viewer| {
        viewer.each_table(|table| usage_rows(grid, table));
    },
};

fn layout(grid: Grid) -> Grid {
    let head = ["CONSTRAINT_CATALOG", "CONSTRAINT_SCHEMA", "CONSTRAINT_NAME"];
    let table = ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME"];
    let grid = texts(texts(grid, &head), &table);
    let grid = numbers(grid, &["ORDINAL_POSITION", "POSITION_IN_UNIQUE_CONSTRAINT"]);
    let parent = [
        "REFERENCED_TABLE_SCHEMA",
        "REFERENCED_TABLE_NAME",
        "REFERENCED_COLUMN_NAME",
    ];
    texts(grid, &parent)
}

fn usage_rows(grid: &mut Grid, table: &Table) {
    for key in table.keys.iter().filter(|key| key.is_declared_unique()) {
        for (ordinal, part) in (1_u64..).zip(&key.parts) {
            let Some((_, column)) = table.column_by_id(part.column) else {
                continue;
            };
            grid.row([
                "def".into(),
                table.database.as_str().into(),
                key.name.as_str().into(),
                "def".into(),
                table.database.as_str().into(),
                table.name.as_str().into(),
                column.name.as_str().into(),
                Cell::Number(ordinal),
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
            ]);
        }
    }
    for key in &table.foreign_keys {
        let pairs = key.columns.iter().zip(&key.parent_columns);
        for (ordinal, (id, parent)) in (1_u64..).zip(pairs) {
            let Some((_, column)) = table.column_by_id(*id) else {
                continue;
            };
            grid.row([
                "def".into(),
                table.database.as_str().into(),
                key.name.as_str().into(),
                "def".into(),
                table.database.as_str().into(),
                table.name.as_str().into(),
                column.name.as_str().into(),
                Cell::Number(ordinal),
                Cell::Number(ordinal),
                key.parent_database.as_str().into(),
                key.parent_table.as_str().into(),
                parent.as_str().into(),
            ]);
        }
    }
}
