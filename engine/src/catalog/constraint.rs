//! What a table promises beside its keys: foreign keys and checks.
//!
//! A replica keeps them as its source declared them. It checks neither, for the source did; cascades
//! that a log leaves out are run ([`crate::apply`]).

use serde::{Deserialize, Serialize};

use super::ColumnId;

/// FOREIGN KEY. The parent is meant by its name: it may come later, or never.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its name, unlike that of any other in the database.
    pub name: String,
    /// Columns of the child, in order.
    pub columns: Vec<ColumnId>,
    /// Database of the parent.
    pub parent_database: String,
    /// Table of the parent.
    pub parent_table: String,
    /// Names of the parent's columns, one for each of the child's.
    pub parent_columns: Vec<String>,
    /// What becomes of child rows when the parent row goes.
    pub on_delete: ReferentialAction,
    /// What becomes of child rows when the parent row gets another key.
    pub on_update: ReferentialAction,
}

/// What becomes of child rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferentialAction {
    /// The parent may not be changed while there are any; nothing was written.
    NoAction,
    /// The same, written out.
    Restrict,
    /// They follow.
    Cascade,
    /// Their columns become NULL.
    SetNull,
    /// InnoDB refuses it and the parser takes it: as [`ReferentialAction::NoAction`].
    SetDefault,
}

impl ReferentialAction {
    /// The words in SQL.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            ReferentialAction::NoAction => "NO ACTION",
            ReferentialAction::Restrict => "RESTRICT",
            ReferentialAction::Cascade => "CASCADE",
            ReferentialAction::SetNull => "SET NULL",
            ReferentialAction::SetDefault => "SET DEFAULT",
        }
    }
}

/// CHECK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name, unlike that of any other in the database.
    pub name: String,
    /// The condition as MySQL shows it, in its parentheses.
    pub condition: String,
    /// False for NOT ENFORCED.
    pub enforced: bool,
    /// The column that MariaDB declares it with: a new definition of the column replaces it.
    #[serde(default)]
    pub column: Option<ColumnId>,
}
