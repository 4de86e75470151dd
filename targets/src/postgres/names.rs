//! Names in PostgreSQL's SQL.

use engine::catalog::{Key, Table};
use sql::error::SqlError;

/// The schema of the applier's own tables.
pub(super) const OWN_SCHEMA: &str = "weir";

/// Bytes of a name; PostgreSQL cuts longer ones in silence.
const NAME_MAX: usize = 63;

/// Columns that every table of PostgreSQL has.
const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// A name, quoted.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text, as a literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A table of a schema.
pub(super) fn table_name(table: &Table) -> String {
    format!("{}.{}", quoted(&table.database), quoted(&table.name))
}

/// The name of a key's index within its schema. It follows from numbers, as MySQL's names repeat from
/// table to table.
pub(super) fn index_name(table: &Table, key: &Key) -> String {
    format!("weir_{}_{}", table.id.0, key.id.0)
}

/// Refuses a name that PostgreSQL does not take as it is.
pub(super) fn check(name: &str, what: &str) -> Result<(), SqlError> {
    match name.len() > NAME_MAX {
        true => Err(SqlError::not_supported(format!(
            "The name of {what} '{name}', which has more than {NAME_MAX} bytes and would be cut by PostgreSQL,"
        ))),
        false => Ok(()),
    }
}

/// Refuses a database whose name PostgreSQL or the applier has for itself.
pub(super) fn check_database(name: &str) -> Result<(), SqlError> {
    check(name, "the database")?;
    let is_taken = name == OWN_SCHEMA || name == "information_schema" || name.starts_with("pg_");
    match is_taken {
        true => Err(SqlError::not_supported(format!(
            "A database of the name '{name}', which is taken in PostgreSQL (rename it here with \
             replicate_rewrite_db, or filter it out),"
        ))),
        false => Ok(()),
    }
}

/// Refuses a table with a name that PostgreSQL does not take as it is.
pub(super) fn check_table(table: &Table) -> Result<(), SqlError> {
    check(&table.name, "the table")?;
    for column in &table.columns {
        check(&column.name, "the column")?;
        if SYSTEM_COLUMNS.contains(&column.name.as_str()) {
            return Err(SqlError::not_supported(format!(
                "A column of the name '{}', which every table of PostgreSQL has already,",
                column.name
            )));
        }
    }
    Ok(())
}
