//! STATISTICS, and the rows of SHOW INDEX: the columns of all keys.

use engine::catalog::Table;

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
            let (_, column) = table.column_by_id(part.column)?;
            Some([
                table.name.as_str().into(),
                u64::from(!key.is_unique()).into(),
                key.name.as_str().into(),
                sequence.into(),
                column.name.as_str().into(),
                if part.descending { "D" } else { "A" }.into(),
                Cell::Number(0),
                part.prefix.map(u64::from).into(),
                Cell::Null,
                if column.nullable { "YES" } else { "" }.into(),
                "BTREE".into(),
                "".into(),
                key.comment.as_str().into(),
                if key.invisible { "NO" } else { "YES" }.into(),
                Cell::Null,
            ])
        })
    })
}
