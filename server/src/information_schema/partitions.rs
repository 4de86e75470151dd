//! PARTITIONS: those that a source declared, and every other table as one.

use engine::catalog::{Partition, PartitionMethod, Partitioning, Table};

use super::definition::{Definition, numbers, texts};
use crate::show::{Cell, Grid};

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "PARTITIONS",
    layout,
    fill: |grid, viewer| {
        viewer.each_table(|table| rows(grid, table));
    },
};

fn layout(grid: Grid) -> Grid {
    let head = ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"];
    let grid = texts(grid, &head);
    let grid = texts(grid, &["PARTITION_NAME", "SUBPARTITION_NAME"]);
    let positions = [
        "PARTITION_ORDINAL_POSITION",
        "SUBPARTITION_ORDINAL_POSITION",
    ];
    let grid = numbers(grid, &positions);
    let methods = [
        "PARTITION_METHOD",
        "SUBPARTITION_METHOD",
        "PARTITION_EXPRESSION",
        "SUBPARTITION_EXPRESSION",
        "PARTITION_DESCRIPTION",
    ];
    let grid = texts(grid, &methods);
    texts(grid, &["PARTITION_COMMENT", "NODEGROUP", "TABLESPACE_NAME"])
}

fn rows(grid: &mut Grid, table: &Table) {
    let Some(partitioning) = &table.partitioning else {
        row(grid, table, std::array::from_fn(|_| Cell::Null), "");
        return;
    };
    for (at, partition) in (1_u64..).zip(&partitioning.partitions) {
        let names = subpartitions(partitioning, partition);
        if names.is_empty() {
            let cells = cells(table, partitioning, (at, partition), None);
            row(grid, table, cells, &partition.comment);
        }
        for (sub, name) in (1_u64..).zip(names) {
            let cells = cells(table, partitioning, (at, partition), Some((sub, &name)));
            row(grid, table, cells, &partition.comment);
        }
    }
}

/// Names of the subpartitions: those that were given, or MySQL's.
fn subpartitions(partitioning: &Partitioning, partition: &Partition) -> Vec<String> {
    let Some(sub) = &partitioning.subpartitions else {
        return Vec::new();
    };
    let given = partition.subpartitions.iter().map(|(name, _)| name.clone());
    let given: Vec<String> = given.collect();
    match given.is_empty() {
        true => (0..sub.count)
            .map(|number| format!("{}sp{number}", partition.name))
            .collect(),
        false => given,
    }
}

/// From PARTITION_NAME to PARTITION_DESCRIPTION.
fn cells(
    table: &Table,
    partitioning: &Partitioning,
    (at, partition): (u64, &Partition),
    sub: Option<(u64, &str)>,
) -> [Cell; 9] {
    let by = partitioning.subpartitions.as_ref().map(|sub| &sub.method);
    let text = |text: Option<String>| text.map_or(Cell::Null, |text| text.as_str().into());
    [
        partition.name.as_str().into(),
        sub.map_or(Cell::Null, |(_, name)| name.into()),
        Cell::Number(at),
        sub.map_or(Cell::Null, |(number, _)| Cell::Number(number)),
        method(&partitioning.method).into(),
        by.map_or(Cell::Null, |by| method(by).into()),
        text(expression(table, &partitioning.method)),
        text(by.and_then(|by| expression(table, by))),
        text(partition.description()),
    ]
}

const fn method(method: &PartitionMethod) -> &'static str {
    match method {
        PartitionMethod::Range(_) => "RANGE",
        PartitionMethod::RangeColumns(_) => "RANGE COLUMNS",
        PartitionMethod::List(_) => "LIST",
        PartitionMethod::ListColumns(_) => "LIST COLUMNS",
        PartitionMethod::Hash { linear: false, .. } => "HASH",
        PartitionMethod::Hash { linear: true, .. } => "LINEAR HASH",
        PartitionMethod::Key { linear: false, .. } => "KEY",
        PartitionMethod::Key { linear: true, .. } => "LINEAR KEY",
    }
}

/// The expression or the columns; none where KEY names none.
fn expression(table: &Table, method: &PartitionMethod) -> Option<String> {
    match method {
        PartitionMethod::Range(text)
        | PartitionMethod::List(text)
        | PartitionMethod::Hash {
            expression: text, ..
        } => Some(text.clone()),
        PartitionMethod::RangeColumns(ids)
        | PartitionMethod::ListColumns(ids)
        | PartitionMethod::Key { columns: ids, .. } => {
            let columns = ids.iter().filter_map(|id| table.column_by_id(*id));
            let names: Vec<String> = columns
                .map(|(_, column)| format!("`{}`", column.name.replace('`', "``")))
                .collect();
            (!names.is_empty()).then(|| names.join(","))
        }
    }
}

fn row(grid: &mut Grid, table: &Table, cells: [Cell; 9], comment: &str) {
    let head = [
        "def".into(),
        table.database.as_str().into(),
        table.name.as_str().into(),
    ];
    let nodegroup = match table.partitioning {
        Some(_) => "default".into(),
        None => "".into(),
    };
    let tail = [comment.into(), nodegroup, Cell::Null];
    grid.row(head.into_iter().chain(cells).chain(tail));
}
