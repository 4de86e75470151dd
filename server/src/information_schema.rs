//! information_schema: the tables that clients read, made from the catalogue when a query needs them.
//!
//! Tables of things that this server does not have (views, triggers, partitions ...) exist and are
//! empty, because tools ask for them and take an error for a broken server. What an account may not
//! see is not in the rows.

pub(crate) mod column_info;
mod tables;

use crate::show::Grid;

/// The schema's name.
pub(crate) const NAME: &str = "information_schema";

/// The schema's name as shown, if `name` is it in any letter case.
pub(crate) fn canonical(name: &str) -> Option<&'static str> {
    name.eq_ignore_ascii_case(NAME).then_some(NAME)
}

/// The names of its tables.
pub(crate) fn table_names() -> impl Iterator<Item = &'static str> {
    tables::NAMES.iter().copied()
}

/// The columns of one of its tables.
pub(crate) fn columns_of(table: &str) -> Option<Vec<String>> {
    let grid = tables::layout(table)?;
    Some(grid.columns.into_iter().map(|column| column.name).collect())
}

pub(crate) use tables::Source;

/// The rows of one of its tables.
pub(crate) fn rows_of(table: &str, source: &Source<'_>) -> Option<Grid> {
    tables::filled(table, source)
}
