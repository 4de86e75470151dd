//! Statements about objects that the embedded engine has no place for.

use super::TableName;

/// A statement about an object of a server that is not built here: a client is refused it by name, and
/// what a log says of it concerns no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectStatement {
    /// What it is, for instance `CREATE TRIGGER`.
    pub construct: &'static str,
    /// The view, where it is about one.
    pub view: Option<TableName>,
    /// Whether it may hold statements, so that its text ends where the whole text ends.
    pub has_body: bool,
}
