//! Statements that change rows.

use sqlparser::ast as sp;

use super::{PrepareSource, Rows};

/// `INSERT` and `REPLACE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// Target, columns, assignments, query and what follows them. A VALUES without rows in it stands
    /// for those in `rows`.
    pub insert: sp::Insert,
    /// The rows of VALUES.
    pub rows: Option<Rows>,
}

/// `UPDATE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// `UPDATE IGNORE`.
    pub ignore: bool,
    /// Tables, assignments, condition, order and limit; a comma list of tables was turned into
    /// cross joins.
    pub update: sp::Update,
}

/// `DELETE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// `DELETE IGNORE`.
    pub ignore: bool,
    /// Tables, condition, order and limit.
    pub delete: sp::Delete,
}

/// A statement that changes rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// INSERT (`replace_into` is false).
    Insert(Box<Insert>),
    /// REPLACE (`replace_into` is true).
    Replace(Box<Insert>),
    /// UPDATE.
    Update(Box<Update>),
    /// DELETE.
    Delete(Box<Delete>),
    /// BINLOG: row events of a log as base 64, in up to two pieces.
    Binlog(Vec<PrepareSource>),
}
