//! COLUMNS.

use engine::catalog::Table;

use super::column_info::ColumnInfo;
use super::definition::{Definition, numbers, texts};
use crate::show::{Cell, Grid};

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "COLUMNS",
    layout,
    fill: |grid, viewer| {
        viewer.each_table(|table| column_rows(grid, table));
    },
};

fn layout(grid: Grid) -> Grid {
    let head = ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME"];
    let lengths = [
        "CHARACTER_MAXIMUM_LENGTH",
        "CHARACTER_OCTET_LENGTH",
        "NUMERIC_PRECISION",
        "NUMERIC_SCALE",
        "DATETIME_PRECISION",
    ];
    let grid = texts(grid, &head)
        .number("ORDINAL_POSITION", 10)
        .blob("COLUMN_DEFAULT", 262_140)
        .text("IS_NULLABLE", 12)
        .blob("DATA_TYPE", 67_108_860);
    texts(
        numbers(grid, &lengths),
        &["CHARACTER_SET_NAME", "COLLATION_NAME"],
    )
    .blob("COLUMN_TYPE", 67_108_860)
    .text("COLUMN_KEY", 12)
    .text("EXTRA", 1024)
    .text("PRIVILEGES", 616)
    .blob("COLUMN_COMMENT", 24_576)
    .blob("GENERATION_EXPRESSION", u32::MAX)
    .number("SRS_ID", 10)
}

fn column_rows(grid: &mut Grid, table: &Table) {
    for (position, column) in table.columns.iter().enumerate() {
        let info = ColumnInfo::new(table, position, column);
        grid.row([
            "def".into(),
            table.database.as_str().into(),
            table.name.as_str().into(),
            info.name.into(),
            Cell::Number(position as u64 + 1),
            info.default.into(),
            if info.is_nullable { "YES" } else { "NO" }.into(),
            info.data_type.into(),
            info.characters.into(),
            info.octets.into(),
            info.precision.into(),
            info.scale.into(),
            info.fraction_digits.into(),
            info.collation
                .map(|collation| collation.charset.name())
                .into(),
            info.collation.map(|collation| collation.name).into(),
            info.column_type.into(),
            info.key.into(),
            info.extra.into(),
            "select,insert,update,references".into(),
            info.comment.into(),
            info.generation.into(),
            info.srid.into(),
        ]);
    }
}
