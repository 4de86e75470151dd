//! Tables as a server or a dump declares them: what their columns look like in a table map, and in
//! what a table map differs from that.
//!
//! A log says of a column what is needed to read it: its type, most bytes of a text, mostly whether a
//! number has a sign. What it says is compared; names, members of ENUM and the primary key, which it
//! says only with full metadata, are added where it does not.
//!
//! Invariant: nothing is added to a table map that says anything else than the declaration.

mod shape;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;

use binlog::event::Flavour;
use binlog::row::{Column, ColumnType, TableMap};
use binlog::schema::{
    ColumnSnapshot, Describe, KeyPart, KeySnapshot, Member, PRIMARY, TableSnapshot,
};
use charset::Charset;
use sql::ParseOptions;
use sql::outline::{ColumnOutline, TableOutline, column_type};

use crate::cell::charset_of;
use crate::text::type_text;

/// Columns of `information_schema.COLUMNS` that [`DeclaredTable::add_column`] takes, in its order.
pub const SERVER_COLUMNS: &str = "COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, EXTRA, IS_NULLABLE";

/// A table as it is declared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeclaredTable {
    columns: Vec<DeclaredColumn>,
    /// Columns of the primary key with the characters of each that it covers; 0 for all.
    primary_key: Vec<(String, u64)>,
    /// Why it cannot be compared.
    unreadable: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct DeclaredColumn {
    name: String,
    /// Its type in SQL.
    declared: String,
    /// Type codes and parameters that a table map may have for it.
    shapes: Vec<(ColumnType, u16)>,
    unsigned: Option<bool>,
    /// The name of its character set, `binary` for bytes; none for what is no text, or not known.
    charset: Option<&'static str>,
    members: Option<Vec<Vec<u8>>>,
    is_nullable: bool,
    is_generated: bool,
    is_visible: bool,
}

impl DeclaredTable {
    /// The table of a CREATE TABLE statement of MySQL or MariaDB; `None` if it is not known of which.
    #[must_use]
    pub fn of_outline(outline: &TableOutline, is_mariadb: Option<bool>) -> Self {
        let charset = outline.charset.as_deref();
        let columns = outline.columns.iter();
        let key = outline.primary_key.iter();
        Self {
            columns: columns
                .map(|column| shape::column(column, charset, is_mariadb))
                .collect(),
            primary_key: key
                .map(|(name, prefix)| (name.clone(), u64::from(*prefix)))
                .collect(),
            unreadable: outline
                .unreadable
                .as_ref()
                .map(|error| error.message.clone()),
        }
    }

    /// A table that Weir knows itself.
    #[must_use]
    pub fn of_snapshot(snapshot: &TableSnapshot) -> Self {
        let column = |own: &ColumnSnapshot| {
            let collation = own.collation.and_then(Charset::of_mysql_collation);
            DeclaredColumn {
                name: own.name.clone(),
                declared: own.declared.clone(),
                shapes: vec![(ColumnType(own.code), own.metadata)],
                unsigned: own.unsigned,
                charset: collation.map(Charset::name),
                members: own.members.as_ref().map(|members| {
                    let members = members.iter();
                    members.map(|member| bytes_of(member).to_vec()).collect()
                }),
                is_nullable: own.nullable,
                is_generated: own.generated,
                is_visible: own.visible != Some(false),
            }
        };
        let primary = snapshot.keys.iter().find(|key| key.name == PRIMARY);
        let parts = primary.into_iter().flat_map(|key| &key.columns);
        Self {
            columns: snapshot.columns.iter().map(column).collect(),
            primary_key: parts
                .map(|part| (part.column.clone(), part.prefix))
                .collect(),
            unreadable: None,
        }
    }

    /// Adds the next column as a server tells it: [`SERVER_COLUMNS`].
    pub fn add_column(&mut self, cells: [&str; 5], is_mariadb: bool) {
        let [name, declared, charset, extra, nullable] = cells;
        let extra = extra.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| extra.contains(word));
        let data_type = match column_type(declared.as_bytes(), &ParseOptions::default()) {
            Ok(data_type) => data_type,
            Err(error) => {
                let text = format!("{name} {declared} is not understood: {}", error.message);
                self.unreadable.get_or_insert(text);
                return;
            }
        };
        let column = ColumnOutline {
            name: name.to_owned(),
            declared: declared.to_owned(),
            data_type,
            charset: (!charset.is_empty()).then(|| charset.to_owned()),
            is_nullable: nullable == "YES",
            is_generated: has(&["VIRTUAL", "STORED", "PERSISTENT"]),
            is_visible: !has(&["INVISIBLE"]),
            is_compressed: declared.contains("COMPRESSED"),
        };
        self.columns
            .push(shape::column(&column, None, Some(is_mariadb)));
    }

    /// Adds a column of the primary key.
    pub fn add_key_part(&mut self, column: &str, prefix: u64) {
        self.primary_key.push((column.to_owned(), prefix));
    }

    /// Whether it has no column, as a table that is not there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.unreadable.is_none()
    }

    /// Whether a column is computed.
    #[must_use]
    pub fn is_generated(&self, column: usize) -> bool {
        let column = self.columns.get(column);
        column.is_some_and(|column| column.is_generated)
    }

    /// In what it differs from what a log says, as a sentence without a subject; `None` if in nothing.
    /// `place` says where it is declared: "on the target".
    #[must_use]
    pub fn difference(&self, map: &TableMap<'_>, place: &str) -> Option<String> {
        if let Some(unreadable) = &self.unreadable {
            return Some(format!("cannot be compared: {unreadable}"));
        }
        if self.is_empty() {
            return Some(format!("is not {place}"));
        }
        let (there, here) = (self.columns.len(), map.columns.len());
        if there != here {
            return Some(format!("has {there} columns {place} and {here} in the log"));
        }
        let mut columns = self.columns.iter().zip(&map.columns).enumerate();
        columns.find_map(|(index, (own, column))| {
            own.difference(index + 1, column, map.flavour(), place)
        })
    }

    /// The snapshot that completes `map`; `None` if something differs.
    #[must_use]
    pub fn snapshot(&self, map: &TableMap<'_>) -> Option<TableSnapshot> {
        if self.difference(map, "").is_some() {
            return None;
        }
        let columns = self.columns.iter().zip(&map.columns);
        let keys = match self.primary_key.is_empty() {
            true => Vec::new(),
            false => vec![KeySnapshot {
                name: PRIMARY.to_owned(),
                columns: self
                    .primary_key
                    .iter()
                    .map(|(column, prefix)| KeyPart {
                        column: column.clone(),
                        prefix: *prefix,
                    })
                    .collect(),
            }],
        };
        Some(TableSnapshot {
            schema: map.schema.to_string(),
            table: map.table.to_string(),
            columns: columns
                .map(|(own, column)| own.snapshot(column, map.flavour()))
                .collect(),
            keys,
        })
    }
}

impl DeclaredColumn {
    fn difference(
        &self,
        number: usize,
        column: &Column<'_>,
        flavour: Flavour,
        place: &str,
    ) -> Option<String> {
        if let Some(name) = &column.name
            && !name.eq_ignore_ascii_case(&self.name)
        {
            let own = &self.name;
            return Some(format!(
                "has {own} {place} for column {number}, which the log calls {name}"
            ));
        }
        let is_shape = self.shapes.contains(&(column.column_type, column.metadata));
        let is_sign = match (self.unsigned, column.unsigned) {
            (Some(own), Some(logged)) => own == logged || column.column_type == ColumnType::YEAR,
            _ => true,
        };
        let logged = column.charset.and_then(|id| charset_of(id, flavour));
        let is_charset = match (self.charset, logged) {
            (Some(own), Some(logged)) => own == logged.name(),
            _ => true,
        };
        let is_members = match (&self.members, &column.members) {
            (Some(own), Some(logged)) => {
                own.len() == logged.len()
                    && own.iter().zip(logged).all(|(own, other)| *own == **other)
            }
            _ => true,
        };
        if is_shape && is_sign && is_charset && is_members {
            return None;
        }
        let mut own = self.declared.clone();
        if let Some(charset) = self.charset.filter(|_| !is_charset) {
            own.push_str(&format!(" {charset}"));
        }
        let (name, logged) = (&self.name, type_text(column, flavour));
        Some(format!(
            "has {own} {place} and {logged} in the log for column {number}, {name}"
        ))
    }

    fn snapshot(&self, column: &Column<'_>, flavour: Flavour) -> ColumnSnapshot {
        let members = self.members.as_ref();
        ColumnSnapshot {
            name: self.name.clone(),
            declared: self.declared.clone(),
            code: column.column_type.0,
            metadata: column.metadata,
            nullable: self.is_nullable,
            unsigned: column.is_numeric().then_some(self.unsigned).flatten(),
            collation: self
                .charset
                .filter(|_| column.is_character(flavour) || column.is_enum_or_set())
                .and_then(|name| collation_of(name, flavour)),
            members: members.map(|members| members.iter().map(|own| member(own)).collect()),
            visible: Some(self.is_visible),
            generated: self.is_generated,
        }
    }
}

/// Some collation of a character set: which one, a reader of values need not know.
fn collation_of(name: &str, flavour: Flavour) -> Option<u16> {
    if name == Charset::BINARY.name() {
        return Some(Charset::BINARY_COLLATION);
    }
    (1..1024).find(|id| charset_of(*id, flavour).is_some_and(|charset| charset.name() == name))
}

fn bytes_of(member: &Member) -> Cow<'_, [u8]> {
    match member {
        Member::Text(text) => Cow::Borrowed(text.as_bytes()),
        Member::Bytes { bytes } => Cow::Borrowed(bytes),
    }
}

fn member(bytes: &[u8]) -> Member {
    match std::str::from_utf8(bytes) {
        Ok(text) => Member::Text(text.to_owned()),
        Err(_) => Member::Bytes {
            bytes: bytes.to_vec(),
        },
    }
}

/// Declared tables by their names.
#[derive(Debug, Clone, Default)]
pub struct DeclaredTables {
    /// By schema and table; without a schema for a dump that does not name it.
    tables: HashMap<(String, String), DeclaredTable>,
}

impl DeclaredTables {
    /// Adds a table; without a schema it stands for that table in every schema.
    pub fn add(&mut self, schema: &str, table: &str, declared: DeclaredTable) {
        let name = (schema.to_owned(), table.to_owned());
        self.tables.insert(name, declared);
    }

    /// The table, to be told more of it; there is one afterwards.
    pub fn entry(&mut self, schema: &str, table: &str) -> &mut DeclaredTable {
        let name = (schema.to_owned(), table.to_owned());
        self.tables.entry(name).or_default()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The declaration of the table that `map` names.
    #[must_use]
    pub fn find(&self, map: &TableMap<'_>) -> Option<&DeclaredTable> {
        let name = |schema: &str| (schema.to_owned(), map.table.to_string());
        let named = self.tables.get(&name(&map.schema));
        named.or_else(|| self.tables.get(&name("")))
    }

    /// In what the table that `map` names is declared otherwise, as a sentence that names it.
    #[must_use]
    pub fn difference(&self, map: &TableMap<'_>) -> Option<String> {
        let difference = self.find(map)?.difference(map, "there")?;
        Some(format!("{}.{} {difference}", map.schema, map.table))
    }
}

impl Describe for DeclaredTables {
    fn describe(&self, map: &TableMap<'_>) -> Option<TableSnapshot> {
        self.find(map)?.snapshot(map)
    }
}
