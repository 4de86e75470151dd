//! SQLite's side of a table: its columns and indexes.
//!
//! Columns have no declared type (see `value::stored`), text columns have their collation. A
//! primary key of one small integer is the rowid itself; every other key is an index.

use crate::catalog::{Column, ColumnType, IntegerSize, Key, KeyKind, Table};
use crate::error::EngineError;
use crate::error::sqlite_failed;
use crate::execute::Writer;
use crate::rows::{collate, column_of, key_part_expression, key_text, list, stored_row};
use crate::session::TimeZone;
use sql::error::SqlError;

/// Creates the SQLite table and all its indexes.
pub(super) fn create_table(writer: &Writer, table: &Table) -> Result<(), SqlError> {
    run(writer, &create_table_sql(table), "create a table")?;
    table
        .keys
        .iter()
        .filter(|key| key.is_built())
        .try_for_each(|key| create_index(writer, table, key))
}

/// Drops the SQLite table with its indexes.
pub(super) fn drop_table(writer: &Writer, table: &Table) -> Result<(), SqlError> {
    run(
        writer,
        &format!("DROP TABLE {}", table.sqlite_name()),
        "drop a table",
    )
}

/// Creates the index of a key. Error 1062 when rows are duplicates under it.
pub(super) fn create_index(writer: &Writer, table: &Table, key: &Key) -> Result<(), SqlError> {
    if is_rowid_key(table, key) {
        return Ok(());
    }
    match writer
        .connection()
        .execute_batch(&create_index_sql(table, key))
    {
        Ok(()) => Ok(()),
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
        {
            Err(first_duplicate(writer, table, key)?)
        }
        Err(source) => Err(EngineError::Sqlite {
            doing: "create an index",
            source,
        }
        .into()),
    }
}

/// Drops the index of a key.
pub(super) fn drop_index(writer: &Writer, table: &Table, key: &Key) -> Result<(), SqlError> {
    if is_rowid_key(table, key) {
        return Ok(());
    }
    run(
        writer,
        &format!("DROP INDEX {}", table.sqlite_index_name(key.id)),
        "drop an index",
    )
}

/// Whether a key is the table's rowid: the primary key of one integer that fits 63 bits.
pub(super) fn is_rowid_key(table: &Table, key: &Key) -> bool {
    match key.parts.as_slice() {
        [part] if key.kind == KeyKind::Primary => column_of(table, part).is_some_and(is_rowid_type),
        _ => false,
    }
}

fn is_rowid_type(column: &Column) -> bool {
    match column.column_type {
        ColumnType::Integer { size, unsigned, .. } => !(unsigned && size == IntegerSize::Big),
        _ => false,
    }
}

fn create_table_sql(table: &Table) -> String {
    let rowid = table.primary_key().filter(|key| is_rowid_key(table, key));
    let rowid = rowid
        .and_then(|key| key.parts.first())
        .map(|part| part.column);
    let columns = table.columns.iter().map(|column| {
        let name = column.sqlite_name();
        match rowid == Some(column.id) {
            true => format!("{name} INTEGER PRIMARY KEY"),
            false => format!("{name}{}", collate(column)),
        }
    });
    format!(
        "CREATE TABLE {} ({})",
        table.sqlite_name(),
        list(columns, ",")
    )
}

fn create_index_sql(table: &Table, key: &Key) -> String {
    let parts = key.parts.iter().filter_map(|part| {
        let expression = key_part_expression(column_of(table, part)?, part);
        Some(if part.descending {
            format!("{expression} DESC")
        } else {
            expression
        })
    });
    let unique = if key.is_unique() { "UNIQUE " } else { "" };
    let name = table.sqlite_index_name(key.id);
    format!(
        "CREATE {unique}INDEX {name} ON {} ({})",
        table.sqlite_name(),
        list(parts, ",")
    )
}

/// Error 1062 for the first value that occurs twice under a key.
fn first_duplicate(writer: &Writer, table: &Table, key: &Key) -> Result<SqlError, SqlError> {
    let parts = key
        .parts
        .iter()
        .filter_map(|part| Some(key_part_expression(column_of(table, part)?, part)));
    let parts: Vec<String> = parts.collect();
    let not_null = list(
        parts.iter().map(|part| format!("{part} IS NOT NULL")),
        " AND ",
    );
    let columns = list(table.columns.iter().map(Column::sqlite_name), ",");
    let sql = format!(
        "SELECT max(rowid),{columns} FROM {} WHERE {not_null} GROUP BY {} HAVING count(*) > 1 LIMIT 1",
        table.sqlite_name(),
        parts.join(",")
    );
    let mut statement = writer.connection().prepare(&sql).map_err(sqlite_failed)?;
    let mut rows = statement.query([]).map_err(sqlite_failed)?;
    let Some(row) = rows.next().map_err(sqlite_failed)? else {
        return Ok(SqlError::dup_key_write(&table.name));
    };
    let values = stored_row(table, row)?.values;
    Ok(SqlError::dup_entry(
        key_text(table, key, &values, &TimeZone::utc()),
        table.key_label(key),
    ))
}

pub(super) fn run(writer: &Writer, sql: &str, doing: &'static str) -> Result<(), SqlError> {
    let failed = |source| EngineError::Sqlite { doing, source };
    Ok(writer.connection().execute_batch(sql).map_err(failed)?)
}
