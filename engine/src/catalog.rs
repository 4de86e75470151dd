//! The MySQL schema: databases, tables, columns and keys as clients declared them.
//!
//! A [`Catalog`] is an immutable snapshot; DDL builds the next one beside it. It says nothing about
//! where SQLite keeps a value except the ids in names ([`Table::sqlite_name`], [`Column::sqlite_name`]),
//! so renaming never touches data.

mod column;
mod column_type;
mod constraint;
mod key;
mod keywords;
mod partitioning;
mod references;
mod show_create;
mod show_partitions;
mod table;
mod text_form;

pub use column::{Column, ColumnDefault, ColumnId, Generated};
pub use column_type::{BlobSize, ColumnType, GeometryKind, IntegerSize};
pub use constraint::{Check, ForeignKey, ReferentialAction};
pub use key::{Functional, Key, KeyId, KeyKind, KeyPart};
pub use partitioning::{
    Partition, PartitionMethod, PartitionValue, PartitionValues, Partitioning, Subpartitioning,
};
pub use references::Reference;
use references::References;
pub(crate) use show_create::{literal, quoted};
pub use table::{RowEnd, Table, TableId, TableOptions};
pub use text_form::TextForm;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collation::Collation;
use sql::error::SqlError;

/// A database, which MySQL also calls a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its name; letter case matters.
    pub name: String,
    /// Collation of tables that name none; its character set is the database's.
    pub collation: &'static Collation,
    /// Its tables by name; letter case matters.
    pub tables: BTreeMap<String, Arc<Table>>,
}

/// All databases at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Grows by one with each DDL statement.
    pub version: u64,
    /// Databases by name; letter case matters.
    pub databases: BTreeMap<String, Arc<Database>>,
    pub(crate) references: References,
}

impl Database {
    /// What stands for [`SYSTEM_SCHEMA`].
    #[must_use]
    pub fn system_schema() -> Database {
        Database {
            name: SYSTEM_SCHEMA.to_owned(),
            collation: &crate::collation::UTF8MB4_0900_AI_CI,
            tables: BTreeMap::new(),
        }
    }
}

/// The schema that every MySQL server has. Here it has nothing in it.
pub const SYSTEM_SCHEMA: &str = "mysql";

impl Catalog {
    /// The database of this name. Error 1049 if there is none.
    pub fn database(&self, name: &str) -> Result<&Arc<Database>, SqlError> {
        self.databases.get(name).ok_or_else(|| match name {
            // It is shown, because mysqldump looks for it, and has nothing in it.
            SYSTEM_SCHEMA => SqlError::no_system_schema_access(name),
            name => SqlError::bad_db(name),
        })
    }

    /// The table of this name. Error 1049 if there is no such database, 1146 if no such table.
    pub fn table(&self, database: &str, name: &str) -> Result<&Arc<Table>, SqlError> {
        let tables = &self.database(database)?.tables;
        tables
            .get(name)
            .ok_or_else(|| SqlError::no_such_table(database, name))
    }

    /// The table of this name, if there is one.
    #[must_use]
    pub fn find_table(&self, database: &str, name: &str) -> Option<&Arc<Table>> {
        self.databases.get(database)?.tables.get(name)
    }

    /// Every table of every database, ordered by their names.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.databases
            .values()
            .flat_map(|database| database.tables.values())
    }
}

#[cfg(test)]
mod tests;
