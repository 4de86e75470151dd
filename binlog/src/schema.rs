//! Schema snapshots: what the columns of logged tables are called, kept beside a log file.
//!
//! A source that logs minimal row metadata says how a row is laid out and not what its columns are
//! called. Beside each log file that is written here lies a side file of that name and `.schema`
//! with one line of JSON for each table that the file changes, so that the log can be read with
//! names wherever both are copied to. A snapshot counts from its offset on, until the next one of
//! the same table.
//!
//! Invariant: a snapshot only adds what a table map leaves open, and only to a map whose columns
//! have the types that the snapshot was made for. It never changes how rows are decoded.
//!
//! ```text
//! {"offset":1234,"schema":"shop","table":"item","columns":[
//!    {"name":"id","type":"bigint unsigned","code":8,"metadata":0,"unsigned":true}, ...],
//!  "keys":[{"name":"PRIMARY","unique":true,"columns":[{"column":"id"}]}]}
//! ```

mod file;
#[cfg(test)]
mod tests;
mod writer;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use file::{SchemaError, SchemaSnapshots, side_file_name};
pub(crate) use writer::SchemaWriter;

use crate::row::{Column, TableMap};

/// Name of the primary key among the keys of a table.
pub const PRIMARY: &str = "PRIMARY";

/// A table as it was declared when rows of it were logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSnapshot {
    /// Schema of the table.
    pub schema: String,
    /// Name of the table.
    pub table: String,
    /// Every column, in the order of the table map.
    pub columns: Vec<ColumnSnapshot>,
    /// Primary and unique keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeySnapshot>,
}

/// Something that knows tables from elsewhere: a server, a dump.
pub trait Describe: fmt::Debug {
    /// What it knows of the table that `map` names, if that fits what the map says.
    fn describe(&self, map: &TableMap<'_>) -> Option<TableSnapshot>;
}

/// A column of a [`TableSnapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSnapshot {
    /// Its name.
    pub name: String,
    /// Its type in SQL, for instance `decimal(10,2)`; empty where nobody knew.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub declared: String,
    /// Type code in the table map.
    pub code: u8,
    /// Parameters of the type in the table map; see [`Column::metadata`].
    pub metadata: u16,
    /// Whether it may be NULL.
    #[serde(default)]
    pub nullable: bool,
    /// Whether a numeric column is unsigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsigned: Option<bool>,
    /// Collation id; 63 for bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<u16>,
    /// Members of an ENUM or SET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Member>>,
    /// Whether `SELECT *` shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible: Option<bool>,
    /// Whether its value is computed from other columns, so that no statement may set it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub generated: bool,
}

/// A member of an ENUM or SET, in the charset of its column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Member {
    /// Its bytes are UTF-8.
    Text(String),
    /// They are not.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// A key of a [`TableSnapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySnapshot {
    /// Its name; [`PRIMARY`] for the primary key.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<KeyPart>,
}

/// A column of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart {
    /// Name of the column.
    pub column: String,
    /// Characters of the column that the key covers; 0 for all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub prefix: u64,
}

impl TableSnapshot {
    /// The snapshot of a table whose map has full metadata. `None` if a column has no name.
    ///
    /// `declared` gives the type of a column by index in SQL, as far as it is known; keys other than
    /// the primary key are for the caller to add.
    #[must_use]
    pub fn of(map: &TableMap<'_>, declared: impl Fn(usize) -> String) -> Option<Self> {
        let columns = map.columns.iter().enumerate();
        let columns: Vec<ColumnSnapshot> = columns
            .map(|(index, column)| ColumnSnapshot::of(column, declared(index)))
            .collect::<Option<_>>()?;
        let keys = map.primary_key.iter().map(|parts| KeySnapshot {
            name: PRIMARY.to_owned(),
            columns: parts
                .iter()
                .filter_map(|&(index, prefix)| {
                    let column = columns.get(index)?.name.clone();
                    Some(KeyPart { column, prefix })
                })
                .collect(),
        });
        let keys = keys.collect();
        Some(Self {
            schema: map.schema.to_string(),
            table: map.table.to_string(),
            columns,
            keys,
        })
    }

    /// Whether the snapshot was made for the table and the column types that `map` announces.
    #[must_use]
    pub fn fits(&self, map: &TableMap<'_>) -> bool {
        let is_same = |(own, column): (&ColumnSnapshot, &Column<'_>)| {
            own.code == column.column_type.0 && own.metadata == column.metadata
        };
        self.schema == map.schema
            && self.table == map.table
            && self.columns.len() == map.columns.len()
            && self.columns.iter().zip(&map.columns).all(is_same)
    }

    /// Adds to `map` what it leaves open. Does nothing unless the snapshot fits it.
    pub fn complete(&self, map: &mut TableMap<'_>) {
        if !self.fits(map) {
            return;
        }
        for (own, column) in self.columns.iter().zip(&mut map.columns) {
            own.complete(column);
        }
        if map.primary_key.is_none() {
            let primary = self.keys.iter().find(|key| key.name == PRIMARY);
            map.primary_key = primary.and_then(|key| self.positions(key));
        }
    }

    /// Columns of a key by index, with the prefix length in characters (0: whole column).
    fn positions(&self, key: &KeySnapshot) -> Option<Vec<(usize, u64)>> {
        let position = |name: &str| self.columns.iter().position(|own| own.name == name);
        let parts = key.columns.iter();
        parts
            .map(|part| Some((position(&part.column)?, part.prefix)))
            .collect()
    }
}

impl ColumnSnapshot {
    fn of(column: &Column<'_>, declared: String) -> Option<Self> {
        let member = |bytes: &Cow<'_, [u8]>| match std::str::from_utf8(bytes) {
            Ok(text) => Member::Text(text.to_owned()),
            Err(_) => Member::Bytes {
                bytes: bytes.to_vec(),
            },
        };
        let members = column.members.as_ref();
        Some(Self {
            name: column.name.as_ref()?.to_string(),
            declared,
            code: column.column_type.0,
            metadata: column.metadata,
            nullable: column.nullable,
            unsigned: column.unsigned,
            collation: column.charset,
            members: members.map(|members| members.iter().map(member).collect()),
            visible: column.visible,
            generated: false,
        })
    }

    fn complete(&self, column: &mut Column<'_>) {
        if column.name.is_none() {
            column.name = Some(Cow::Owned(self.name.clone()));
        }
        column.unsigned = column.unsigned.or(self.unsigned);
        column.charset = column.charset.or(self.collation);
        column.visible = column.visible.or(self.visible);
        if let (None, Some(members)) = (&column.members, &self.members) {
            let bytes = |member: &Member| match member {
                Member::Text(text) => Cow::Owned(text.clone().into_bytes()),
                Member::Bytes { bytes } => Cow::Owned(bytes.clone()),
            };
            column.members = Some(members.iter().map(bytes).collect());
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
