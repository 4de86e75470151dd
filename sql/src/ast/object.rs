//! Statements about objects that the embedded engine has no place for.

use super::TableName;

/// A statement about an object of a server that is not built here: a client is refused it by name, and
/// what a log says of it concerns no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectStatement {
    /// What it is, for instance `CREATE TRIGGER`.
    pub construct: &'static str,
    /// What it says of the names that tables share with it.
    pub names: ObjectNames,
    /// Whether it may hold statements, so that its text ends where the whole text ends.
    pub has_body: bool,
}

/// What a statement about an object says of names that are no others' among tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectNames {
    /// Nothing: its object has a name among its like alone.
    None,
    /// There is a view of this name.
    View(TableName),
    /// There is a sequence of this name.
    Sequence(TableName),
    /// There are no sequences of these names any more.
    NoSequences(Vec<TableName>),
}

impl ObjectNames {
    /// The names, which replication filters see as those of tables.
    #[must_use]
    pub fn all(&self) -> &[TableName] {
        match self {
            Self::None => &[],
            Self::View(name) | Self::Sequence(name) => std::slice::from_ref(name),
            Self::NoSequences(names) => names,
        }
    }
}
