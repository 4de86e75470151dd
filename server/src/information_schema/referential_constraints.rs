//! REFERENTIAL_CONSTRAINTS: foreign keys and what they do.

use engine::catalog::{Catalog, ForeignKey, Table};

use super::definition::{Definition, texts};
use crate::show::{Cell, Grid};

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "REFERENTIAL_CONSTRAINTS",
    layout: |grid| {
        let names = [
            "CONSTRAINT_CATALOG",
            "CONSTRAINT_SCHEMA",
            "CONSTRAINT_NAME",
            "UNIQUE_CONSTRAINT_CATALOG",
            "UNIQUE_CONSTRAINT_SCHEMA",
            "UNIQUE_CONSTRAINT_NAME",
            "MATCH_OPTION",
            "UPDATE_RULE",
            "DELETE_RULE",
            "TABLE_NAME",
            "REFERENCED_TABLE_NAME",
        ];
        texts(grid, &names)
    },
    fill: |grid, viewer| {
        let catalog = viewer.catalog();
        viewer.each_table(|table| rows(grid, &catalog, table));
    },
};

fn rows(grid: &mut Grid, catalog: &Catalog, table: &Table) {
    for key in &table.foreign_keys {
        grid.row([
            "def".into(),
            table.database.as_str().into(),
            key.name.as_str().into(),
            "def".into(),
            key.parent_database.as_str().into(),
            parent_key(catalog, key),
            "NONE".into(),
            key.on_update.words().into(),
            key.on_delete.words().into(),
            table.name.as_str().into(),
            key.parent_table.as_str().into(),
        ]);
    }
}

/// The first unique key of the parent that has just the columns referred to.
fn parent_key(catalog: &Catalog, key: &ForeignKey) -> Cell {
    let parent = catalog.find_table(&key.parent_database, &key.parent_table);
    let found = parent.and_then(|parent| {
        parent.unique_keys().find(|unique| {
            let names = unique.parts.iter().map(|part| {
                let column = parent.column_by_id(part.column);
                column.map_or_else(String::new, |(_, column)| column.name.to_lowercase())
            });
            names.eq(key.parent_columns.iter().map(|name| name.to_lowercase()))
        })
    });
    found.map_or(Cell::Null, |found| found.name.as_str().into())
}
