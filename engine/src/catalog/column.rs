//! A column: its type, default and attributes.

use serde::{Deserialize, Serialize};

use super::{ColumnType, TextForm};

/// Number of a column within its table; never used again after DROP COLUMN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ColumnId(pub u32);

/// A column as declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its number within the table.
    pub id: ColumnId,
    /// Its name as written at creation; compared without letter case.
    pub name: String,
    /// Its exact MySQL type.
    pub column_type: ColumnType,
    /// What it is on its source, where its type here is that of a text shown for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<TextForm>,
    /// Whether a character set or collation was written for the column itself; SHOW CREATE TABLE
    /// repeats both then.
    #[serde(default)]
    pub has_explicit_collation: bool,
    /// Whether NULL may be stored.
    pub nullable: bool,
    /// What is stored when an INSERT leaves it out.
    pub default: ColumnDefault,
    /// Whether `ON UPDATE CURRENT_TIMESTAMP` is set; fractional digits are the type's.
    pub on_update_now: bool,
    /// Whether `AUTO_INCREMENT` is set.
    pub auto_increment: bool,
    /// The expression of a generated column.
    pub generated: Option<Generated>,
    /// Whether `SELECT *` leaves it out.
    pub invisible: bool,
    /// Its COMMENT, empty if none.
    pub comment: String,
    /// STORAGE and COLUMN_FORMAT, which only SHOW CREATE TABLE repeats: `STORAGE DISK`.
    #[serde(default)]
    pub storage: Vec<String>,
}

impl Column {
    /// The type as it was declared: `varchar(20)`, `uuid`.
    #[must_use]
    pub fn declared_type(&self) -> String {
        match self.shown {
            Some(form) => form.name().to_owned(),
            None => self.column_type.to_string(),
        }
    }

    /// The name of the column in its SQLite table.
    #[must_use]
    pub fn sqlite_name(&self) -> String {
        format!("c{}", self.id.0)
    }

    /// Whether this is the column that `name` means.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name || self.name.to_lowercase() == name.to_lowercase()
    }

    /// Whether an INSERT that leaves the column out must fail with error 1364 in strict mode. A column
    /// that may be NULL has lost its default by ALTER COLUMN ... DROP DEFAULT then.
    #[must_use]
    pub fn needs_value(&self) -> bool {
        self.default == ColumnDefault::None && !self.auto_increment && self.generated.is_none()
    }
}

/// What a column holds when an INSERT gives it no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnDefault {
    /// No default: error 1364.
    None,
    /// `DEFAULT NULL`, which MySQL also assumes for a nullable column without a default.
    Null,
    /// A literal, as the text that MySQL would store: `1`, `abc`, `2024-01-01 00:00:00`; for BIT
    /// its decimal number, for binary types the bytes as Latin-1 characters.
    Literal(String),
    /// `CURRENT_TIMESTAMP` with the fractional digits of the column's type.
    CurrentTimestamp,
    /// `DEFAULT (expression)`: the expression's text without its outer parentheses.
    Expression(String),
}

/// The definition of a generated column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// The expression's text without its outer parentheses.
    pub expression: String,
    /// `STORED` rather than `VIRTUAL`; the engine stores both.
    pub stored: bool,
}
