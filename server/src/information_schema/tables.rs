//! The tables: their columns and their rows.
//!
//! Columns: MySQL 8.4 Reference Manual 28.3, "INFORMATION_SCHEMA General Tables".

use std::sync::Arc;

use engine::catalog::{Catalog, KeyKind, Table};
use engine::collation::{self, Charset};

use super::column_info::ColumnInfo;
use crate::accounts::Account;
use crate::processes::Process;
use crate::show::{Cell, Grid};

/// What rows are made from.
pub(crate) struct Source<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) account: &'a Account,
    /// The sessions that the account sees.
    pub(crate) processes: Vec<Arc<Process>>,
}

/// Every table that exists.
pub(super) const NAMES: [&str; 26] = [
    "CHARACTER_SETS",
    "CHECK_CONSTRAINTS",
    "COLLATIONS",
    "COLLATION_CHARACTER_SET_APPLICABILITY",
    "COLUMNS",
    "COLUMN_PRIVILEGES",
    "ENGINES",
    "EVENTS",
    "FILES",
    "KEY_COLUMN_USAGE",
    "LIBRARIES",
    "PARAMETERS",
    "PARTITIONS",
    "PLUGINS",
    "PROCESSLIST",
    "REFERENTIAL_CONSTRAINTS",
    "ROUTINES",
    "SCHEMATA",
    "SCHEMA_PRIVILEGES",
    "STATISTICS",
    "TABLES",
    "TABLE_CONSTRAINTS",
    "TABLE_PRIVILEGES",
    "TRIGGERS",
    "USER_PRIVILEGES",
    "VIEWS",
];

const NAME_LENGTH: u32 = 256;

/// Text columns of the given names.
pub(super) fn texts(grid: Grid, names: &[&str]) -> Grid {
    names
        .iter()
        .fold(grid, |grid, name| grid.text(name, NAME_LENGTH))
}

fn numbers(grid: Grid, names: &[&str]) -> Grid {
    names.iter().fold(grid, |grid, name| grid.number(name, 21))
}

/// The columns of a table, without rows.
pub(super) fn layout(name: &str) -> Option<Grid> {
    let grid = Grid::new();
    let name = name.to_ascii_uppercase();
    let schema_layout = schema_layout(&name);
    if schema_layout.is_some() {
        return schema_layout;
    }
    Some(match name.as_str() {
        "CHARACTER_SETS" => {
            let names = ["CHARACTER_SET_NAME", "DEFAULT_COLLATE_NAME", "DESCRIPTION"];
            texts(grid, &names).number("MAXLEN", 10)
        }
        "COLLATIONS" => texts(grid, &["COLLATION_NAME", "CHARACTER_SET_NAME"])
            .number("ID", 20)
            .text("IS_DEFAULT", 12)
            .text("IS_COMPILED", 12)
            .number("SORTLEN", 10)
            .text("PAD_ATTRIBUTE", 36),
        "COLLATION_CHARACTER_SET_APPLICABILITY" => {
            texts(grid, &["COLLATION_NAME", "CHARACTER_SET_NAME"])
        }
        "ENGINES" => texts(
            grid,
            &[
                "ENGINE",
                "SUPPORT",
                "COMMENT",
                "TRANSACTIONS",
                "XA",
                "SAVEPOINTS",
            ],
        ),
        "PLUGINS" => texts(
            grid,
            &[
                "PLUGIN_NAME",
                "PLUGIN_STATUS",
                "PLUGIN_TYPE",
                "PLUGIN_LIBRARY",
            ],
        ),
        "PROCESSLIST" => texts(grid.number("ID", 21), &["USER", "HOST", "DB", "COMMAND"])
            .number("TIME", 21)
            .text("STATE", 256)
            .blob("INFO", 805_306_368),
        "FILES" => numbers(
            texts(
                grid,
                &[
                    "FILE_NAME",
                    "FILE_TYPE",
                    "TABLESPACE_NAME",
                    "LOGFILE_GROUP_NAME",
                    "ENGINE",
                ],
            ),
            &["TOTAL_EXTENTS", "EXTENT_SIZE", "INITIAL_SIZE"],
        )
        .text("EXTRA", NAME_LENGTH),
        "LIBRARIES" => texts(grid, &["LIBRARY_CATALOG", "LIBRARY_SCHEMA", "LIBRARY_NAME"]),
        "PARAMETERS" => texts(
            grid,
            &["SPECIFIC_SCHEMA", "SPECIFIC_NAME", "PARAMETER_NAME"],
        ),
        "EVENTS" => texts(
            grid,
            &["EVENT_CATALOG", "EVENT_SCHEMA", "EVENT_NAME", "DEFINER"],
        ),
        "USER_PRIVILEGES" => texts(
            grid,
            &["GRANTEE", "TABLE_CATALOG", "PRIVILEGE_TYPE", "IS_GRANTABLE"],
        ),
        "SCHEMA_PRIVILEGES" => texts(
            grid,
            &[
                "GRANTEE",
                "TABLE_CATALOG",
                "TABLE_SCHEMA",
                "PRIVILEGE_TYPE",
                "IS_GRANTABLE",
            ],
        ),
        "TABLE_PRIVILEGES" | "COLUMN_PRIVILEGES" => texts(
            grid,
            &[
                "GRANTEE",
                "TABLE_CATALOG",
                "TABLE_SCHEMA",
                "TABLE_NAME",
                "PRIVILEGE_TYPE",
            ],
        ),
        _ => return None,
    })
}

fn schema_layout(name: &str) -> Option<Grid> {
    let grid = Grid::new();
    Some(match name {
        "SCHEMATA" => texts(
            grid,
            &[
                "CATALOG_NAME",
                "SCHEMA_NAME",
                "DEFAULT_CHARACTER_SET_NAME",
                "DEFAULT_COLLATION_NAME",
                "SQL_PATH",
                "DEFAULT_ENCRYPTION",
            ],
        ),
        "TABLES" => {
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
        "COLUMNS" => columns_layout(),
        "STATISTICS" => {
            let head = ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"];
            let grid = texts(grid, &head).number("NON_UNIQUE", 1);
            let grid = texts(grid, &["INDEX_SCHEMA", "INDEX_NAME"]).number("SEQ_IN_INDEX", 10);
            let grid = texts(grid, &["COLUMN_NAME", "COLLATION"]);
            let grid = numbers(grid, &["CARDINALITY", "SUB_PART"]);
            texts(
                grid,
                &[
                    "PACKED",
                    "NULLABLE",
                    "INDEX_TYPE",
                    "COMMENT",
                    "INDEX_COMMENT",
                    "IS_VISIBLE",
                ],
            )
            .blob("EXPRESSION", u32::MAX)
        }
        "TABLE_CONSTRAINTS" => texts(
            grid,
            &[
                "CONSTRAINT_CATALOG",
                "CONSTRAINT_SCHEMA",
                "CONSTRAINT_NAME",
                "TABLE_SCHEMA",
                "TABLE_NAME",
                "CONSTRAINT_TYPE",
                "ENFORCED",
            ],
        ),
        "KEY_COLUMN_USAGE" => {
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
        "REFERENTIAL_CONSTRAINTS" => texts(
            grid,
            &[
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
            ],
        ),
        "CHECK_CONSTRAINTS" => texts(
            grid,
            &[
                "CONSTRAINT_CATALOG",
                "CONSTRAINT_SCHEMA",
                "CONSTRAINT_NAME",
                "CHECK_CLAUSE",
                // MariaDB's, which Django asks for when the version says so.
                "TABLE_NAME",
            ],
        ),
        "VIEWS" => texts(
            grid,
            &[
                "TABLE_CATALOG",
                "TABLE_SCHEMA",
                "TABLE_NAME",
                "VIEW_DEFINITION",
                "CHECK_OPTION",
                "IS_UPDATABLE",
                "DEFINER",
                "SECURITY_TYPE",
                "CHARACTER_SET_CLIENT",
                "COLLATION_CONNECTION",
            ],
        ),
        "TRIGGERS" => texts(
            grid,
            &[
                "TRIGGER_CATALOG",
                "TRIGGER_SCHEMA",
                "TRIGGER_NAME",
                "EVENT_MANIPULATION",
                "EVENT_OBJECT_SCHEMA",
                "EVENT_OBJECT_TABLE",
                "ACTION_STATEMENT",
                "ACTION_TIMING",
                "DEFINER",
            ],
        ),
        "ROUTINES" => texts(
            grid,
            &[
                "SPECIFIC_NAME",
                "ROUTINE_CATALOG",
                "ROUTINE_SCHEMA",
                "ROUTINE_NAME",
                "ROUTINE_TYPE",
                "DATA_TYPE",
                "DEFINER",
            ],
        ),
        "PARTITIONS" => texts(
            grid,
            &[
                "TABLE_CATALOG",
                "TABLE_SCHEMA",
                "TABLE_NAME",
                "PARTITION_NAME",
                "SUBPARTITION_NAME",
                "TABLESPACE_NAME",
            ],
        ),
        _ => return None,
    })
}

fn columns_layout() -> Grid {
    let head = ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME"];
    let lengths = [
        "CHARACTER_MAXIMUM_LENGTH",
        "CHARACTER_OCTET_LENGTH",
        "NUMERIC_PRECISION",
        "NUMERIC_SCALE",
        "DATETIME_PRECISION",
    ];
    let grid = texts(Grid::new(), &head)
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

/// A table with its rows.
pub(super) fn filled(name: &str, source: &Source<'_>) -> Option<Grid> {
    let mut grid = layout(name)?;
    match name.to_ascii_uppercase().as_str() {
        "SCHEMATA" => super::schemata::fill(&mut grid, source),
        "TABLES" => visible_tables(source).for_each(|table| table_row(&mut grid, table)),
        "COLUMNS" => visible_tables(source).for_each(|table| column_rows(&mut grid, table)),
        "STATISTICS" => visible_tables(source).for_each(|table| index_rows(&mut grid, table)),
        "TABLE_CONSTRAINTS" => {
            visible_tables(source).for_each(|table| constraint_rows(&mut grid, table));
        }
        "KEY_COLUMN_USAGE" => visible_tables(source).for_each(|table| usage_rows(&mut grid, table)),
        "CHARACTER_SETS" => character_sets(&mut grid),
        "COLLATIONS" => collations(&mut grid, true),
        "COLLATION_CHARACTER_SET_APPLICABILITY" => collations(&mut grid, false),
        "PROCESSLIST" => processes(&mut grid, source),
        "ENGINES" => {
            let texts = ["InnoDB", "DEFAULT", "Weir's engine", "YES", "NO", "YES"];
            grid.row(texts.map(Cell::from));
        }
        _ => {}
    }
    Some(grid)
}

fn visible_tables<'a>(source: &'a Source<'_>) -> impl Iterator<Item = &'a Arc<Table>> {
    source
        .catalog
        .tables()
        .filter(|table| source.account.has_any_on(&table.database))
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

fn index_rows(grid: &mut Grid, table: &Table) {
    for key in &table.keys {
        for (sequence, part) in (1_u64..).zip(&key.parts) {
            let Some((_, column)) = table.column_by_id(part.column) else {
                continue;
            };
            grid.row([
                "def".into(),
                table.database.as_str().into(),
                table.name.as_str().into(),
                Cell::Number(u64::from(!key.is_unique())),
                table.database.as_str().into(),
                key.name.as_str().into(),
                Cell::Number(sequence),
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
            ]);
        }
    }
}

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

fn usage_rows(grid: &mut Grid, table: &Table) {
    for key in table.unique_keys() {
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
}

fn character_sets(grid: &mut Grid) {
    for charset in Charset::ALL {
        grid.row([
            charset.name().into(),
            charset.default_collation().name.into(),
            charset.description().into(),
            u64::from(charset.bytes_per_char_max()).into(),
        ]);
    }
}

fn collations(grid: &mut Grid, all_columns: bool) {
    for collation in collation::all() {
        let mut cells: Vec<Cell> = vec![collation.name.into(), collation.charset.name().into()];
        if all_columns {
            let is_default = collation.charset.default_collation().id == collation.id;
            let no_pad = collation.name.contains("_0900_") || collation.name == "binary";
            cells.extend([
                u64::from(collation.id).into(),
                if is_default { "Yes" } else { "" }.into(),
                "Yes".into(),
                Cell::Number(1),
                if no_pad { "NO PAD" } else { "PAD SPACE" }.into(),
            ]);
        }
        grid.row(cells);
    }
}

fn processes(grid: &mut Grid, source: &Source<'_>) {
    for process in &source.processes {
        let activity = process.activity();
        grid.row([
            u64::from(process.id).into(),
            process.user().into(),
            process.host.as_str().into(),
            activity.database.into(),
            activity.command.into(),
            activity.since.elapsed().as_secs().into(),
            activity.state.into(),
            activity.info.into(),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_columns() {
        assert!(NAMES.iter().all(|name| layout(name).is_some()));
        assert!(NAMES.is_sorted());
    }
}
