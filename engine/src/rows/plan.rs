//! The SQLite statements that read and write one table's rows.
//!
//! Texts are made once per table; SQLite's prepared statements are found by them in the
//! connection's cache, which must be large enough for the tables in use.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::default::{DefaultValue, defaults};
use crate::catalog::{Column, Key, KeyPart, Table};
use crate::error::EngineError;

/// Most columns of a table for which an UPDATE names only the changed ones.
const MASKED_COLUMNS_MAX: usize = 64;

/// Statement texts of one table.
#[derive(Debug)]
pub struct TablePlan {
    /// `INSERT` of all columns, in table order.
    pub insert: String,
    /// `DELETE` by rowid.
    pub delete: String,
    /// `SELECT rowid, columns` by rowid.
    pub by_rowid: String,
    /// `SELECT rowid, columns`, to which a condition is added.
    pub select: String,
    /// `SELECT rowid, columns` by each unique key, in the table's key order.
    pub unique: Vec<UniqueLookup>,
    /// The default of each column, in table order.
    pub defaults: Vec<DefaultValue>,
    table: Arc<Table>,
    updates: Mutex<HashMap<u64, Arc<str>>>,
}

/// Finding a row by a unique key.
#[derive(Debug)]
pub struct UniqueLookup {
    /// Position of the key in `Table::keys`.
    pub key: usize,
    /// Positions of the key's columns, which are the parameters.
    pub positions: Vec<usize>,
    /// Whether every part is the whole column.
    pub is_whole: bool,
    /// `SELECT rowid, columns ... WHERE`.
    pub sql: String,
}

impl TablePlan {
    /// The statements of `table`.
    pub fn new(table: &Arc<Table>) -> Result<TablePlan, EngineError> {
        let name = table.sqlite_name();
        let columns = list(table.columns.iter().map(Column::sqlite_name), ",");
        let markers = list((1..=table.columns.len()).map(|n| format!("?{n}")), ",");
        let select = format!("SELECT rowid,{columns} FROM {name}");
        Ok(TablePlan {
            insert: format!("INSERT INTO {name}({columns}) VALUES({markers})"),
            delete: format!("DELETE FROM {name} WHERE rowid=?1"),
            by_rowid: format!("{select} WHERE rowid=?1"),
            unique: unique_lookups(table, &select),
            defaults: defaults(table)?,
            select,
            table: Arc::clone(table),
            updates: Mutex::new(HashMap::new()),
        })
    }

    /// The `UPDATE` by rowid of the columns at these positions; the rowid is the last parameter.
    /// Columns that are not named keep their index entries untouched.
    #[must_use]
    pub fn update(&self, changed: &[usize]) -> Arc<str> {
        if self.table.columns.len() > MASKED_COLUMNS_MAX {
            return self.update_text(changed).into();
        }
        let mask = changed
            .iter()
            .fold(0_u64, |mask, position| mask | 1 << position);
        let mut updates = self.updates.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            updates
                .entry(mask)
                .or_insert_with(|| self.update_text(changed).into()),
        )
    }

    fn update_text(&self, changed: &[usize]) -> String {
        let columns = changed
            .iter()
            .filter_map(|position| self.table.columns.get(*position));
        let set = columns
            .enumerate()
            .map(|(n, column)| format!("{}=?{}", column.sqlite_name(), n + 1));
        let name = self.table.sqlite_name();
        format!(
            "UPDATE {name} SET {} WHERE rowid=?{}",
            list(set, ","),
            changed.len() + 1
        )
    }
}

fn unique_lookups(table: &Table, select: &str) -> Vec<UniqueLookup> {
    let unique = table
        .keys
        .iter()
        .enumerate()
        .filter(|(_, key)| key.is_unique());
    unique
        .map(|(position, key)| UniqueLookup {
            key: position,
            positions: table.key_positions(key),
            is_whole: key.parts.iter().all(|part| part.prefix.is_none()),
            sql: format!("{select} WHERE {}", key_condition(table, key)),
        })
        .collect()
}

fn key_condition(table: &Table, key: &Key) -> String {
    let parts = key.parts.iter().enumerate().filter_map(|(n, part)| {
        let column = column_of(table, part)?;
        let expression = key_part_expression(column, part);
        Some(match part.prefix {
            None => format!("{expression}=?{}", n + 1),
            Some(length) => {
                let given = prefix(column, &format!("?{}", n + 1), length);
                format!("{expression}={given}")
            }
        })
    });
    list(parts, " AND ")
}

pub(crate) fn column_of<'t>(table: &'t Table, part: &KeyPart) -> Option<&'t Column> {
    Some(table.column_by_id(part.column)?.1)
}

/// What SQLite indexes for a key part: the column, or its first characters under its collation.
pub(crate) fn key_part_expression(column: &Column, part: &KeyPart) -> String {
    let name = column.sqlite_name();
    match part.prefix {
        None => name,
        Some(length) => format!("{}{}", prefix(column, &name, length), collate(column)),
    }
}

/// The beginning of a value. SQLite has no substring of no bytes: they stay as they are.
fn prefix(column: &Column, value: &str, length: u32) -> String {
    let cut = format!("substr({value},1,{length})");
    match column.column_type.stored_collation().is_binary() {
        true => format!("ifnull({cut},{value})"),
        false => cut,
    }
}

/// ` COLLATE name` for a column of text, nothing for others.
pub(crate) fn collate(column: &Column) -> String {
    let collation = column.column_type.stored_collation();
    if collation.is_binary() {
        String::new()
    } else {
        format!(" COLLATE {}", collation.name)
    }
}

pub(crate) fn list(items: impl Iterator<Item = String>, separator: &str) -> String {
    let mut text = String::new();
    for (n, item) in items.enumerate() {
        let separator = if n == 0 { "" } else { separator };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{item}");
    }
    text
}
