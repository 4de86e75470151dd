//! The order in which the rows of a table are copied.
//!
//! It is MySQL's: the rows lie by the clustered key of the table as it was, or as they came. New ids
//! are given in this order, and where rows have no key to lie by they stay in it.

use crate::catalog::{Column, Key, Table};
use crate::ddl::physical;
use crate::error::sqlite_failed;
use crate::execute::Writer;
use crate::rows::{StoredRow, column_of, key_part_expression, list, stored_row};
use crate::session::SessionContext;
use sql::ast::{AlterClause, RowOrder};
use sql::error::SqlError;

/// Rows that are read at once.
const BATCH: usize = 1000;

/// SQLite's ORDER BY list of `old`'s rows; empty for the order of their rowids.
pub(super) fn of(
    session: &mut SessionContext,
    old: &Table,
    new: &Table,
    clauses: &[AlterClause],
) -> Result<String, SqlError> {
    let mut parts = Vec::new();
    for clause in clauses {
        if let AlterClause::OrderBy(wanted) = clause {
            match new.clustered_key() {
                Some(_) => session.warn(SqlError::new(
                    1105,
                    "HY000",
                    format!(
                        "ORDER BY ignored as there is a user-defined clustered index in the table \
                         '{}'",
                        old.name
                    ),
                )),
                None => written(old, wanted, &mut parts)?,
            }
        }
    }
    match old.clustered_key() {
        None => {}
        Some(key) if parts.is_empty() && is_rowid_ascending(old, key) => {}
        Some(key) => by_key(old, key, &mut parts),
    }
    Ok(list(parts.into_iter(), ","))
}

/// ORDER BY names columns of the table as it was. Error 1054 for a column that it did not have.
fn written(old: &Table, wanted: &[RowOrder], parts: &mut Vec<String>) -> Result<(), SqlError> {
    for one in wanted {
        let (_, column) = old.require_column(&one.column, "order clause")?;
        parts.push(directed(column.sqlite_name(), one.descending));
    }
    Ok(())
}

fn by_key(table: &Table, key: &Key, parts: &mut Vec<String>) {
    let of_key = key.parts.iter().filter_map(|part| {
        let expression = key_part_expression(column_of(table, part)?, part);
        Some(directed(expression, part.descending))
    });
    parts.extend(of_key);
}

fn directed(expression: String, descending: bool) -> String {
    match descending {
        true => expression + " DESC",
        false => expression,
    }
}

fn is_rowid_ascending(table: &Table, key: &Key) -> bool {
    physical::is_rowid_key(table, key) && key.parts.iter().all(|part| !part.descending)
}

/// Reads the rows of a table in an order, some at a time, so that reading never meets what is
/// written.
pub(super) struct Rows<'t> {
    table: &'t Table,
    /// The SQLite table that lists the rowids in order, unless they are in order themselves.
    listed: Option<String>,
    /// Where the last batch ended.
    last: Option<i64>,
}

impl<'t> Rows<'t> {
    /// The rows of `table`; `name` is that of no SQLite table.
    pub(super) fn begin(
        writer: &Writer,
        table: &'t Table,
        order: &str,
        name: String,
    ) -> Result<Rows<'t>, SqlError> {
        let mut listed = None;
        if !order.is_empty() {
            let create = format!("CREATE TABLE {name} (n INTEGER PRIMARY KEY, r)");
            physical::run(writer, &create, "list rows in order")?;
            let table = table.sqlite_name();
            let fill =
                format!("INSERT INTO {name}(r) SELECT rowid FROM {table} ORDER BY {order},rowid");
            physical::run(writer, &fill, "list rows in order")?;
            listed = Some(name);
        }
        Ok(Rows {
            table,
            listed,
            last: None,
        })
    }

    /// The next rows, none at the end.
    pub(super) fn next(&mut self, writer: &Writer) -> Result<Vec<StoredRow>, SqlError> {
        let columns = list(self.table.columns.iter().map(Column::sqlite_name), ",");
        let name = self.table.sqlite_name();
        let (place, from) = match &self.listed {
            None => ("rowid", name),
            // CROSS JOIN keeps the order of the loops.
            Some(listed) => (
                "n",
                format!("{listed} CROSS JOIN {name} ON {name}.rowid={listed}.r"),
            ),
        };
        let beyond = match self.last {
            None => String::new(),
            Some(_) => format!("WHERE {place} > ?1"),
        };
        let sql = format!(
            "SELECT {name}.rowid,{columns},{place} FROM {from} {beyond} ORDER BY {place} LIMIT {BATCH}",
            name = self.table.sqlite_name()
        );
        let mut statement = writer
            .connection()
            .prepare_cached(&sql)
            .map_err(sqlite_failed)?;
        let mut rows = statement
            .query(rusqlite::params_from_iter(self.last))
            .map_err(sqlite_failed)?;
        let mut batch = Vec::new();
        while let Some(row) = rows.next().map_err(sqlite_failed)? {
            let place = row.get(self.table.columns.len() + 1);
            self.last = Some(place.map_err(sqlite_failed)?);
            batch.push(stored_row(self.table, row)?);
        }
        Ok(batch)
    }

    /// Forgets the order.
    pub(super) fn end(self, writer: &Writer) -> Result<(), SqlError> {
        match self.listed {
            Some(name) => physical::run(writer, &format!("DROP TABLE {name}"), "drop a table"),
            None => Ok(()),
        }
    }
}
