//! STATISTICS, and the rows of SHOW INDEX: the columns of all keys.

use engine::catalog::{KeyKind, Table};

use super::definition::{Definition, numbers, texts};
use crate::show::{Cell, Grid};

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "STATISTICS",
    layout,
    fill: |grid, viewer| {
        viewer.each_table(|table| rows(grid, table));
    },
};

fn layout(grid: Grid) -> Grid {
    let head = ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"];
    let grid = texts(grid, &head).number("NON_UNIQUE", 1);
    let grid = texts(grid, &["INDEX_SCHEMA", "INDEX_NAME"]).number("SEQ_IN_INDEX", 10);
    let grid = texts(grid, &["COLUMN_NAME", "COLLATION"]);
    let grid = numbers(grid, &["CARDINALITY", "SUB_PART"]);
    let tail = [
        "PACKED",
        "NULLABLE",
        "INDEX_TYPE",
        "COMMENT",
        "INDEX_COMMENT",
        "IS_VISIBLE",
    ];
    texts(grid, &tail).blob("EXPRESSION", u32::MAX)
}

fn rows(grid: &mut Grid, table: &Table) {
    let database = || Cell::from(table.database.as_str());
    for cells in key_columns(table) {
        let [name, non_unique, key, cells @ ..] = cells;
        let head = ["def".into(), database(), name, non_unique, database(), key];
        grid.row(head.into_iter().chain(cells));
    }
}

/// The columns of the table's keys as both show them: from the table's name on, in the order of
/// SHOW INDEX.
pub(crate) fn key_columns(table: &Table) -> impl Iterator<Item = [Cell; 15]> {
    table.keys.iter().flat_map(move |key| {
        let parts = (1_u64..).zip(&key.parts);
        parts.filter_map(move |(sequence, part)| {
            let column = table.column_by_id(part.column).map(|(_, column)| column);
            if column.is_none() && part.expression.is_none() {
                return None;
            }
            let is_nullable = column.map_or_else(
                || part.expression.as_ref().is_some_and(|part| part.nullable),
                |column| column.nullable,
            );
            Some([
                table.name.as_str().into(),
                u64::from(!key.is_declared_unique()).into(),
                key.name.as_str().into(),
                sequence.into(),
                column.map_or(Cell::Null, |column| column.name.as_str().into()),
                match key.kind {
                    KeyKind::FullText => Cell::Null,
                    _ if part.descending => "D".into(),
                    _ => "A".into(),
                },
                Cell::Number(0),
                match key.kind {
                    // What InnoDB keeps of a shape: the four sides of its box.
                    KeyKind::Spatial => Cell::Number(32),
                    _ => part.prefix.map(u64::from).into(),
                },
                Cell::Null,
                if is_nullable { "YES" } else { "" }.into(),
                match key.kind {
                    KeyKind::FullText => "FULLTEXT",
                    KeyKind::Spatial => "SPATIAL",
                    KeyKind::Primary | KeyKind::Unique | KeyKind::Index => "BTREE",
                }
                .into(),
                "".into(),
                key.comment.as_str().into(),
                if key.invisible { "NO" } else { "YES" }.into(),
                part.expression.as_ref().map_or(Cell::Null, |part| {
                    // The dictionary escapes quotes.
                    part.text.replace('\'', "\\'").as_str().into()
                }),
            ])
        })
    })
}
