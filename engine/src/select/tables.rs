//! Tables that are made up when a statement reads them, as those of information_schema are.

use std::fmt;

use binlog::value::Value;

use crate::outcome::ResultColumn;
use sql::error::SqlError;

/// The content of a made-up table.
#[derive(Debug, Clone, Default)]
pub struct VirtualTable {
    /// Columns with their result metadata; `name` is what statements call them.
    pub columns: Vec<ResultColumn>,
    /// Rows of values in result form.
    pub rows: Vec<Vec<Value<'static>>>,
}

/// Where tables of information_schema, performance_schema and the like come from; the server
/// supplies it.
pub trait VirtualTables: Send + Sync + fmt::Debug {
    /// Whether tables of this database are made up; letter case does not matter.
    fn has_database(&self, database: &str) -> bool;

    /// The table's content now; `None` when there is no such table.
    fn table(&self, database: &str, name: &str) -> Option<VirtualTable>;

    /// Fails unless the session may read the stored table: the last wall before its rows, behind
    /// the check of the whole statement. Error 1142.
    fn check_read(&self, database: &str, name: &str) -> Result<(), SqlError>;
}

/// No made-up tables at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoVirtualTables;

impl VirtualTables for NoVirtualTables {
    fn has_database(&self, _: &str) -> bool {
        false
    }

    fn table(&self, _: &str, _: &str) -> Option<VirtualTable> {
        None
    }

    fn check_read(&self, _: &str, _: &str) -> Result<(), SqlError> {
        Ok(())
    }
}
