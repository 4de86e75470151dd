//! Keys: primary, unique and secondary indexes.

use serde::{Deserialize, Serialize};

use super::ColumnId;

/// Number of a key within its table; never used again after DROP INDEX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyId(pub u32);

/// What a key promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyKind {
    /// PRIMARY KEY: unique, without NULL, always named PRIMARY.
    Primary,
    /// UNIQUE KEY: NULLs differ from each other.
    Unique,
    /// KEY: for finding rows only.
    Index,
    /// FULLTEXT KEY: shown, and no index here.
    FullText,
    /// SPATIAL KEY: shown, and no index here.
    Spatial,
}

/// An index of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its number within the table.
    pub id: KeyId,
    /// Its name; compared without letter case.
    pub name: String,
    /// What it promises.
    pub kind: KeyKind,
    /// Its columns in order.
    pub parts: Vec<KeyPart>,
    /// Whether the optimizer may not use it.
    pub invisible: bool,
    /// Its COMMENT, empty if none.
    pub comment: String,
    /// `USING BTREE` or `USING HASH`, which only SHOW repeats.
    #[serde(default)]
    pub using: Option<String>,
    /// Whether it was made for a foreign key: it goes when another key does its work.
    #[serde(default)]
    pub generated: bool,
    /// WITH PARSER, which only SHOW repeats.
    #[serde(default)]
    pub parser: Option<String>,
}

/// One column of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart {
    /// The column.
    pub column: ColumnId,
    /// Only the first so many characters (bytes of a binary type) are indexed.
    pub prefix: Option<u32>,
    /// `DESC`.
    pub descending: bool,
    /// A part that is no column but an expression, as MySQL shows it; `column` is 0 then, which none is.
    #[serde(default)]
    pub expression: Option<Functional>,
}

/// The expression of a functional key part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Functional {
    /// Its text.
    pub text: String,
    /// Whether it may be NULL.
    pub nullable: bool,
}

impl Key {
    /// Whether two rows with the same values in all parts are refused here.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.is_declared_unique() && self.is_built()
    }

    /// Whether the key was declared unique: one of expressions is kept, and refuses nothing.
    #[must_use]
    pub const fn is_declared_unique(&self) -> bool {
        matches!(self.kind, KeyKind::Primary | KeyKind::Unique)
    }

    /// Whether there is an index of it: not of words, of shapes, nor of expressions.
    #[must_use]
    pub fn is_built(&self) -> bool {
        match self.kind {
            KeyKind::Primary | KeyKind::Unique | KeyKind::Index => {
                self.parts.iter().all(|part| part.expression.is_none())
            }
            KeyKind::FullText | KeyKind::Spatial => false,
        }
    }

    /// Whether this is the key that `name` means.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name || self.name.to_lowercase() == name.to_lowercase()
    }
}
