//! What keeps the rows of a target's tables apart and ties them together, for those who decide which
//! transactions may run at the same time.

use binlog::row::TableMap;
use inspect::declared::DeclaredTable;

use super::TargetError;

/// Definitions of a target's tables.
pub trait Definitions: Send {
    /// What the target says of a table; `None` if there is no such table.
    ///
    /// # Errors
    /// When the target cannot be asked.
    fn keys(&mut self, database: &str, table: &str) -> Result<Option<TableKeys>, TargetError>;

    /// Tables may be others now.
    fn forget(&mut self);
}

/// The keys of a table.
#[derive(Debug, Clone, Default)]
pub struct TableKeys {
    /// Every column, in order.
    pub columns: Vec<KeyColumn>,
    /// The unique keys, the primary one first.
    pub unique: Vec<UniqueKey>,
    /// The foreign keys of the table.
    pub foreign: Vec<ForeignKey>,
    /// The foreign keys, of any table, that name this one.
    pub referring: Vec<ForeignKey>,
    /// Whether a change of it may change, or need, what no key tells: by triggers, or as it does not roll
    /// back.
    pub is_unbounded: bool,
    /// How it is declared, if a log is to be compared with that.
    pub declared: Option<DeclaredTable>,
}

/// A column of such a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyColumn {
    /// The name of its collation; none for what is no text.
    pub collation: Option<String>,
    /// Whether it may be NULL.
    pub is_nullable: bool,
    /// Whether the target computes it.
    pub is_generated: bool,
}

/// A unique key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UniqueKey {
    /// Its name, one of its kind in the table.
    pub name: String,
    /// Its columns, in its order.
    pub parts: Vec<KeyPart>,
    /// Whether it has a part that is no column, or keeps more than equal values apart.
    pub is_of_more: bool,
}

/// A column of a unique key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPart {
    /// Its place in the table.
    pub column: usize,
    /// How much of the value counts: characters of a text, bytes of what is none. All of it without.
    pub prefix: Option<usize>,
}

/// A foreign key, as one of its two tables sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignKey {
    /// Database and name of the table that it refers to.
    pub parent: (String, String),
    /// The columns that it refers to, by name.
    pub referenced: Vec<String>,
    /// Its columns in the table that is looked at, by their places: those that refer, or those that are
    /// referred to.
    pub columns: Vec<usize>,
    /// Whether rows that refer are changed, or removed, with the row that is removed.
    pub acts_on_delete: bool,
    /// Whether rows that refer are changed with the row whose key is changed.
    pub acts_on_update: bool,
}

impl TableKeys {
    /// Whether rows that are logged as `map` says have the columns of this table.
    #[must_use]
    pub fn fits(&self, map: &TableMap<'_>) -> bool {
        let is_declared = |declared: &DeclaredTable| declared.difference(map, "").is_none();
        map.columns.len() == self.columns.len() && self.declared.as_ref().is_none_or(is_declared)
    }
}
