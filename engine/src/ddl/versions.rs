//! MariaDB's system-versioned tables: what their rows are now is kept, their history is not.

use crate::catalog::{RowEnd, Table};
use sql::ast::{RowTime, TableElement, TableOptions};
use sql::error::SqlError;

/// Takes over what CREATE TABLE says of them.
pub(super) fn create(table: &mut Table, elements: &[TableElement], options: &TableOptions) {
    let columns = elements.iter().filter_map(|element| match element {
        TableElement::Column(column) => Some(column),
        TableElement::Index(_) | TableElement::ForeignKey(_) | TableElement::Check(_) => None,
    });
    let mut is_versioned = options.system_versioning;
    let mut row_end = None;
    for column in columns {
        is_versioned |= column.attributes.system_versioning;
        if column.attributes.row_time == Some(RowTime::End) {
            row_end = table.column(&column.name).map(|(_, column)| column.id);
        }
    }
    if is_versioned {
        table.options.row_end = Some(row_end.map_or(RowEnd::Hidden, RowEnd::Column));
    }
}

/// A table as ADD or DROP SYSTEM VERSIONING leaves it. Error 1235 where columns of the table hold the time of its rows.
pub(super) fn altered(old: &Table, versioned: Option<bool>) -> Result<Table, SqlError> {
    let mut table = Table::clone(old);
    match (versioned, table.options.row_end) {
        (None, _) => {}
        (Some(true), None) => table.options.row_end = Some(RowEnd::Hidden),
        (Some(false), Some(RowEnd::Hidden)) => table.options.row_end = None,
        (Some(_), _) => {
            let construct = "ALTER TABLE ... SYSTEM VERSIONING of a table with columns for it";
            return Err(SqlError::not_supported(construct));
        }
    }
    Ok(table)
}
