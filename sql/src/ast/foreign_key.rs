//! FOREIGN KEY as written.

use super::TableName;

/// FOREIGN KEY, or REFERENCES on a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// CONSTRAINT name.
    pub name: Option<String>,
    /// Name of the index written behind FOREIGN KEY.
    pub index_name: Option<String>,
    /// Child columns; empty for a column-level REFERENCES.
    pub columns: Vec<String>,
    /// Parent table.
    pub parent: TableName,
    /// Parent columns; empty when left out.
    pub parent_columns: Vec<String>,
    /// ON DELETE.
    pub on_delete: Option<OnUpdateDelete>,
    /// ON UPDATE.
    pub on_update: Option<OnUpdateDelete>,
}

/// Referential actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "SQL's own words")]
pub enum OnUpdateDelete {
    Restrict,
    Cascade,
    SetNull,
    NoAction,
    SetDefault,
}
