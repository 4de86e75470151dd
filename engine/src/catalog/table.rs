//! A table: its columns and keys, and its names in SQLite.

use serde::{Deserialize, Serialize};

use super::column_type::by_name;
use super::{Check, Column, ColumnId, ForeignKey, Key, KeyId, KeyKind, KeyPart, Partitioning};
use crate::collation::Collation;
use sql::error::SqlError;

/// Number of a table; never used again after DROP TABLE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableId(pub u64);

/// A table as declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its number; the SQLite table is `t<id>`.
    pub id: TableId,
    /// Name of its database.
    pub database: String,
    /// Its name.
    pub name: String,
    /// Columns in the order clients see. Column positions everywhere else index this list.
    pub columns: Vec<Column>,
    /// Keys in MySQL's order: the primary key, unique keys without NULL, other unique keys, the rest.
    pub keys: Vec<Key>,
    /// Foreign keys, as they were declared.
    #[serde(default)]
    pub foreign_keys: Vec<ForeignKey>,
    /// Checks, as they were declared.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// Partitions, as they were declared.
    #[serde(default)]
    pub partitioning: Option<Partitioning>,
    /// Collation of columns that name none.
    #[serde(with = "by_name")]
    pub collation: &'static Collation,
    /// Its COMMENT, empty if none.
    pub comment: String,
    /// What else CREATE TABLE said.
    pub options: TableOptions,
    /// Id for the next column.
    pub next_column_id: u32,
    /// Id for the next key.
    pub next_key_id: u32,
}

/// Clauses after the column list that only SHOW CREATE TABLE repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableOptions {
    /// ROW_FORMAT=.
    pub row_format: Option<String>,
    /// Other clauses in SHOW CREATE TABLE's order and form, for instance `STATS_PERSISTENT=0`.
    pub others: Vec<String>,
    /// Where the rows of a log say until when they are as they are, of a table that MariaDB keeps the
    /// history of. The history is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_end: Option<RowEnd>,
    /// The engine that the source named, where its tables keep no foreign keys. It is not shown: here
    /// every table is kept as InnoDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyless_engine: Option<String>,
}

/// Where a row of a system-versioned table says until when it is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowEnd {
    /// In the last of two columns that no definition names, behind the others.
    Hidden,
    /// In a column.
    Column(ColumnId),
}

impl Table {
    /// The table's name in SQLite.
    #[must_use]
    pub fn sqlite_name(&self) -> String {
        format!("t{}", self.id.0)
    }

    /// The name in SQLite of one of its keys; a primary key that is the rowid has no index.
    #[must_use]
    pub fn sqlite_index_name(&self, key: KeyId) -> String {
        format!("t{}_k{}", self.id.0, key.0)
    }

    /// Position and column of this name. Letter case does not matter.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<(usize, &Column)> {
        self.columns
            .iter()
            .enumerate()
            .find(|(_, column)| column.is_named(name))
    }

    /// Position and column of this id.
    #[must_use]
    pub fn column_by_id(&self, id: ColumnId) -> Option<(usize, &Column)> {
        self.columns
            .iter()
            .enumerate()
            .find(|(_, column)| column.id == id)
    }

    /// Position and column of this name. Error 1054 naming `clause` if there is none.
    pub fn require_column(&self, name: &str, clause: &str) -> Result<(usize, &Column), SqlError> {
        self.column(name)
            .ok_or_else(|| SqlError::bad_field(name, clause))
    }

    /// Position of the AUTO_INCREMENT column.
    #[must_use]
    pub fn auto_increment_column(&self) -> Option<usize> {
        self.columns.iter().position(|column| column.auto_increment)
    }

    /// The primary key.
    #[must_use]
    pub fn primary_key(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.kind == KeyKind::Primary)
    }

    /// The key by which MySQL lays the rows: the primary key, else the first unique one whose parts
    /// are whole columns that are stored and never NULL. Without one, rows lie as they came.
    #[must_use]
    pub fn clustered_key(&self) -> Option<&Key> {
        self.unique_keys().find(|key| self.may_cluster(key))
    }

    /// Whether MySQL could lay the rows by this key.
    #[must_use]
    pub fn may_cluster(&self, key: &Key) -> bool {
        let is_whole = |part: &KeyPart| {
            let column = self.column_by_id(part.column);
            let is_stored = |column: &Column| {
                let generated = column.generated.as_ref();
                !column.nullable && generated.is_none_or(|generated| generated.stored)
            };
            part.prefix.is_none() && column.is_some_and(|(_, column)| is_stored(column))
        };
        match key.kind {
            KeyKind::Primary => true,
            KeyKind::Unique => key.parts.iter().all(is_whole),
            KeyKind::Index | KeyKind::FullText | KeyKind::Spatial => false,
        }
    }

    /// Primary and unique keys in MySQL's order, which is the order in which duplicates are found.
    pub fn unique_keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| key.is_unique())
    }

    /// The key of this name. Letter case does not matter.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.is_named(name))
    }

    /// The name in error 1062: `table.key`.
    #[must_use]
    pub fn key_label(&self, key: &Key) -> String {
        format!("{}.{}", self.name, key.name)
    }

    /// Positions of a key's columns, in the key's order.
    #[must_use]
    pub fn key_positions(&self, key: &Key) -> Vec<usize> {
        key.parts
            .iter()
            .filter_map(|part| Some(self.column_by_id(part.column)?.0))
            .collect()
    }
}
