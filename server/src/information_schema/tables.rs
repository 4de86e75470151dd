//! TABLES.

use engine::catalog::Table;

use super::definition::{Definition, NAME_LENGTH, numbers, texts};
use crate::show::{Cell, Grid};

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "TABLES",
    layout,
    fill: |grid, viewer| {
        viewer.each_table(|table| table_row(grid, table));
    },
};

fn layout(grid: Grid) -> Grid {
    let head = [
        "TABLE_CATALOG",
        "TABLE_SCHEMA",
        "TABLE_NAME",
        "TABLE_TYPE",
        "ENGINE",
    ];
    let sizes = [
        "TABLE_ROWS",
        "AVG_ROW_LENGTH",
        "DATA_LENGTH",
        "MAX_DATA_LENGTH",
    ];
    let grid = texts(grid, &head)
        .number("VERSION", 3)
        .text("ROW_FORMAT", 40);
    let more = ["INDEX_LENGTH", "DATA_FREE", "AUTO_INCREMENT"];
    numbers(numbers(grid, &sizes), &more)
        .moment("CREATE_TIME")
        .moment("UPDATE_TIME")
        .moment("CHECK_TIME")
        .text("TABLE_COLLATION", NAME_LENGTH)
        .number("CHECKSUM", 21)
        .text("CREATE_OPTIONS", NAME_LENGTH)
        .blob("TABLE_COMMENT", 24_576)
}

fn table_row(grid: &mut Grid, table: &Table) {
    let zero = || Cell::Number(0);
    grid.row([
        "def".into(),
        table.database.as_str().into(),
        table.name.as_str().into(),
        "BASE TABLE".into(),
        "InnoDB".into(),
        Cell::Number(10),
        "Dynamic".into(),
        zero(),
        zero(),
        zero(),
        zero(),
        zero(),
        zero(),
        Cell::Null,
        Cell::Null,
        Cell::Null,
        Cell::Null,
        table.collation.name.into(),
        Cell::Null,
        "".into(),
        table.comment.as_str().into(),
    ]);
}
