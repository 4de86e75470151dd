//! FOREIGN KEY: names, the keys that they need, and what renaming does to them.
//!
//! Only statements from a log get here. A foreign key needs a key that begins with its columns; one that
//! is made for it goes when another key does its work. Source: mysql-server 9.7, sql/sql_table.cc,
//! `mysql_prepare_create_table` and `foreign_key_prefix`.

use std::collections::HashSet;
use std::sync::Arc;

use super::columns::within_names;
use super::{keys, save};
use crate::catalog::{Catalog, ColumnId, ForeignKey, KeyId, KeyKind, ReferentialAction, Table};
use crate::execute::Writer;
use crate::session::SessionContext;
use sql::ast::{
    ColumnDefinition, ForeignKey as Written, IndexDefinition, IndexKind, IndexOptions, KeyPart,
    KeyPartTarget, OnUpdateDelete, TableElement,
};
use sql::error::SqlError;

/// What stands between a table's name and the number of a foreign key without a name.
const GENERATED: &str = "_ibfk_";

/// A foreign key with the columns that it is of: those in its parentheses, or the one it stands behind.
pub(super) struct Declared<'s> {
    written: &'s Written,
    columns: Vec<String>,
}

impl<'s> Declared<'s> {
    /// FOREIGN KEY.
    pub(super) fn of_table(written: &'s Written) -> Self {
        let columns = written.columns.clone();
        Self { written, columns }
    }

    /// REFERENCES behind a column, where the server that took the statement makes anything of it.
    pub(super) fn of_column(
        session: &SessionContext,
        column: &'s ColumnDefinition,
    ) -> Option<Self> {
        let heeds = |by: crate::session::Acceptor| by.heeds_column_references();
        let written = column.attributes.references.as_ref()?;
        session.accepted_by.is_some_and(heeds).then(|| Self {
            written,
            columns: vec![column.name.clone()],
        })
    }

    fn of_element(session: &SessionContext, element: &'s TableElement) -> Option<Self> {
        match element {
            TableElement::Column(column) => Self::of_column(session, column),
            TableElement::ForeignKey(key) => Some(Self::of_table(key)),
            TableElement::Index(_) | TableElement::Check(_) => None,
        }
    }
}

/// A key of a table that is being defined: its columns by name and length, and whether it is there for a
/// foreign key alone.
struct Candidate {
    columns: Vec<Option<(String, Option<u32>)>>,
    generated: bool,
}

/// The keys that a statement adds, in its order.
#[derive(Default)]
pub(super) struct Candidates(Vec<Candidate>);

impl Candidates {
    /// A key of one column.
    pub(super) fn column(&mut self, name: &str) {
        let columns = vec![Some((name.to_lowercase(), None))];
        let generated = false;
        self.0.push(Candidate { columns, generated });
    }

    /// A key with its parts.
    pub(super) fn index(&mut self, index: &IndexDefinition) {
        match index.kind {
            IndexKind::Primary | IndexKind::Unique | IndexKind::Plain => {}
            IndexKind::FullText | IndexKind::Spatial => return,
        }
        let part = |part: &KeyPart| match &part.target {
            KeyPartTarget::Column { name, prefix } => Some((name.to_lowercase(), *prefix)),
            KeyPartTarget::Expression(_) | KeyPartTarget::Array { .. } => None,
        };
        let columns = index.parts.iter().map(part).collect();
        let generated = false;
        self.0.push(Candidate { columns, generated });
    }

    /// What a foreign key needs.
    pub(super) fn foreign(&mut self, declared: &Declared<'_>) {
        let columns = declared.columns.iter();
        let columns = columns.map(|name| Some((name.to_lowercase(), None)));
        self.0.push(Candidate {
            columns: columns.collect(),
            generated: true,
        });
    }

    /// Those of a CREATE TABLE, column by column and key by key.
    pub(super) fn of_elements(session: &SessionContext, elements: &[TableElement]) -> Self {
        let mut all = Self::default();
        for element in elements {
            if let TableElement::Column(column) = element
                && column.attributes.primary_key
            {
                all.column(&column.name);
            }
        }
        for element in elements {
            match element {
                TableElement::Column(column) if column.attributes.unique => {
                    all.column(&column.name);
                }
                TableElement::Index(index) => all.index(index),
                TableElement::Column(_) | TableElement::ForeignKey(_) | TableElement::Check(_) => {}
            }
            if let Some(declared) = Declared::of_element(session, element) {
                all.foreign(&declared);
            }
        }
        all
    }

    /// Takes the keys out of the table that others make needless, and says of each foreign key in order
    /// whether it needs one.
    pub(super) fn settle(self, table: &mut Table) -> std::vec::IntoIter<bool> {
        let known: Vec<KeyId> = table.keys.iter().map(|key| key.id).collect();
        let mut all = known_keys(table);
        all.extend(self.0);
        let needless = needless(&all);
        let gone: HashSet<KeyId> = known
            .iter()
            .enumerate()
            .filter_map(|(at, id)| needless.contains(&at).then_some(*id))
            .collect();
        table.keys.retain(|key| !gone.contains(&key.id));
        let added = all.iter().enumerate().skip(known.len());
        let needed: Vec<bool> = added
            .filter(|(_, candidate)| candidate.generated)
            .map(|(at, _)| !needless.contains(&at))
            .collect();
        needed.into_iter()
    }
}

fn known_keys(table: &Table) -> Vec<Candidate> {
    let columns = |key: &crate::catalog::Key| {
        if matches!(key.kind, KeyKind::FullText | KeyKind::Spatial) {
            return Vec::new();
        }
        let parts = key.parts.iter().map(|part| {
            let (_, column) = table.column_by_id(part.column)?;
            Some((column.name.to_lowercase(), part.prefix))
        });
        parts.collect()
    };
    table
        .keys
        .iter()
        .map(|key| Candidate {
            columns: columns(key),
            generated: key.generated,
        })
        .collect()
}

/// Positions of the keys that were made for foreign keys and are the beginning of another.
fn needless(all: &[Candidate]) -> HashSet<usize> {
    let mut needless = HashSet::new();
    for (at, key) in all.iter().enumerate() {
        for (before, earlier) in all.iter().enumerate().take(at) {
            if needless.contains(&before) || !is_beginning(key, earlier) {
                continue;
            }
            let is_longer = key.columns.len() < earlier.columns.len();
            if !earlier.generated || key.generated && is_longer {
                needless.insert(at);
            } else {
                needless.insert(before);
            }
            break;
        }
    }
    needless
}

/// Whether one of the two is there for a foreign key and the other begins with its columns.
fn is_beginning(one: &Candidate, other: &Candidate) -> bool {
    let (short, long) = match (one.generated, other.generated) {
        (false, false) => return false,
        (true, true) if one.columns.len() > other.columns.len() => (other, one),
        (true, _) => (one, other),
        (false, true) => (other, one),
    };
    short.columns.len() <= long.columns.len()
        && short
            .columns
            .iter()
            .zip(&long.columns)
            .all(|(short, long)| short.is_some() && short == long)
}

/// The number for the next foreign key without a name.
pub(super) fn next_number(table: &Table) -> u32 {
    let prefix = format!("{}{GENERATED}", table.name);
    let numbers = table.foreign_keys.iter().filter_map(|key| {
        let digits = key.name.strip_prefix(&prefix)?;
        digits.parse::<u32>().ok()
    });
    numbers.max().unwrap_or(0).saturating_add(1)
}

/// Adds a foreign key, and the key that it needs if none does. Errors 1072 and 1239.
pub(super) fn add(
    session: &SessionContext,
    catalog: &Catalog,
    table: &mut Table,
    declared: &Declared<'_>,
    (number, needs_key): (&mut u32, bool),
) -> Result<(), SqlError> {
    let Declared { written, columns } = declared;
    let found: Option<Vec<ColumnId>> = columns
        .iter()
        .map(|name| table.column(name).map(|(_, column)| column.id))
        .collect();
    let missing = || SqlError::key_column_does_not_exist(columns.join(","));
    let ids = found.ok_or_else(missing)?;
    let is_mariadb = session.accepted_by.is_some_and(|by| by.is_mariadb);
    let given = written.name.as_ref();
    let index_name = written.index_name.as_ref();
    let name = match given.or(index_name.filter(|_| is_mariadb)) {
        Some(name) => name.clone(),
        None => {
            let name = format!("{}{GENERATED}{number}", table.name);
            *number = number.saturating_add(1);
            name
        }
    };
    if needs_key {
        keys::add(session, table, &supporting(given.or(index_name), columns))?;
        if let Some(key) = table.keys.last_mut() {
            key.generated = true;
        }
    }
    let parent_database = written.parent.database.as_ref();
    let mut key = ForeignKey {
        name: within_names(&name),
        columns: ids,
        parent_database: parent_database.unwrap_or(&table.database).clone(),
        parent_table: written.parent.name.clone(),
        parent_columns: written.parent_columns.clone(),
        on_delete: action(written.on_delete),
        on_update: action(written.on_update),
    };
    if key.parent_columns.is_empty() {
        key.parent_columns = parent_key(catalog, table, &key);
    }
    if key.parent_columns.len() != key.columns.len() {
        let text = format!(
            "Incorrect foreign key definition for '{}': Key reference and table reference don't match",
            key.name
        );
        return Err(SqlError::new(1239, "42000", text));
    }
    if table.options.keyless_engine.is_some() {
        // Read and forgotten there: nothing follows a row of such a table.
        return Ok(());
    }
    check_parent(session, catalog, table, &key)?;
    table.foreign_keys.push(key);
    sort(table);
    Ok(())
}

/// Error 1824 for a foreign key that would cascade from a table that is not here, because a rule renames or
/// leaves it out: its children would stay as they are. A source that checks foreign keys has the table.
fn check_parent(
    session: &SessionContext,
    catalog: &Catalog,
    table: &Table,
    key: &ForeignKey,
) -> Result<(), SqlError> {
    let cascades = |action| match action {
        ReferentialAction::Cascade | ReferentialAction::SetNull => true,
        ReferentialAction::NoAction
        | ReferentialAction::Restrict
        | ReferentialAction::SetDefault => false,
    };
    let is_own = (&key.parent_database, &key.parent_table) == (&table.database, &table.name);
    if !session.foreign_key_checks
        || is_own
        || !(cascades(key.on_delete) || cascades(key.on_update))
        || catalog
            .find_table(&key.parent_database, &key.parent_table)
            .is_some()
    {
        return Ok(());
    }
    let text = format!(
        "Failed to open the referenced table '{}' ({}.{} is not here; a foreign key would cascade from it)",
        key.parent_table, key.parent_database, key.parent_table
    );
    Err(SqlError::new(1824, "HY000", text))
}

/// In the order of their names, as MySQL shows them.
fn sort(table: &mut Table) {
    table
        .foreign_keys
        .sort_by_key(|key| key.name.to_lowercase());
}

fn supporting(name: Option<&String>, columns: &[String]) -> IndexDefinition {
    let part = |name: &String| KeyPart {
        target: KeyPartTarget::Column {
            name: name.clone(),
            prefix: None,
        },
        descending: false,
        is_ordered: false,
    };
    IndexDefinition {
        kind: IndexKind::Plain,
        name: name.cloned(),
        parts: columns.iter().map(part).collect(),
        options: IndexOptions::default(),
    }
}

const fn action(written: Option<OnUpdateDelete>) -> ReferentialAction {
    match written {
        None | Some(OnUpdateDelete::NoAction) => ReferentialAction::NoAction,
        Some(OnUpdateDelete::Restrict) => ReferentialAction::Restrict,
        Some(OnUpdateDelete::Cascade) => ReferentialAction::Cascade,
        Some(OnUpdateDelete::SetNull) => ReferentialAction::SetNull,
        Some(OnUpdateDelete::SetDefault) => ReferentialAction::SetDefault,
    }
}

/// The parent's primary key, which REFERENCES means where it names no columns.
fn parent_key(catalog: &Catalog, table: &Table, key: &ForeignKey) -> Vec<String> {
    let is_own = (&key.parent_database, &key.parent_table) == (&table.database, &table.name);
    let parent = match is_own {
        true => Some(table),
        false => catalog
            .find_table(&key.parent_database, &key.parent_table)
            .map(Arc::as_ref),
    };
    let columns = parent.and_then(|parent| {
        let primary = parent
            .keys
            .iter()
            .find(|key| key.kind == KeyKind::Primary)?;
        let name = |id| {
            parent
                .column_by_id(id)
                .map(|(_, column)| column.name.clone())
        };
        primary.parts.iter().map(|part| name(part.column)).collect()
    });
    columns.unwrap_or_default()
}

/// Drops a foreign key. Error 1091 if there is none of this name.
pub(super) fn drop(table: &mut Table, name: &str) -> Result<(), SqlError> {
    let at = position(table, name).ok_or_else(|| SqlError::cant_drop_field_or_key(name))?;
    table.foreign_keys.remove(at);
    Ok(())
}

/// Where a foreign key of this name is.
pub(super) fn position(table: &Table, name: &str) -> Option<usize> {
    let mut known = table.foreign_keys.iter();
    known.position(|key| key.name.to_lowercase() == name.to_lowercase())
}

/// Takes foreign keys out whose columns are gone: a server lets that happen with foreign_key_checks off.
pub(super) fn forget_dropped(table: &mut Table) {
    let known: HashSet<ColumnId> = table.columns.iter().map(|column| column.id).collect();
    let is_whole = |key: &ForeignKey| key.columns.iter().all(|id| known.contains(id));
    table.foreign_keys.retain(is_whole);
}

/// Gives names that were made of the table's the new one.
pub(super) fn rename_generated(table: &mut Table, old: &str) {
    let prefix = format!("{old}{GENERATED}");
    let name = table.name.clone();
    for key in &mut table.foreign_keys {
        if let Some(rest) = key.name.strip_prefix(&prefix) {
            key.name = format!("{name}{GENERATED}{rest}");
        }
    }
    sort(table);
}

/// Lets the foreign keys of others, and its own, follow a table that has got a new name.
pub(super) fn follow_table(
    writer: &mut Writer,
    (database, name): (&str, &str),
    renamed: &Table,
) -> Result<(), SqlError> {
    change_children(writer, (database, name), |key| {
        key.parent_database.clone_from(&renamed.database);
        key.parent_table.clone_from(&renamed.name);
    })
}

/// Lets foreign keys follow columns of their parent that have got new names.
pub(super) fn follow_columns(
    writer: &mut Writer,
    old: &Table,
    new: &Table,
) -> Result<(), SqlError> {
    let renamed: Vec<(String, String)> = old
        .columns
        .iter()
        .filter_map(|before| {
            let (_, after) = new.column_by_id(before.id)?;
            (before.name != after.name).then(|| (before.name.to_lowercase(), after.name.clone()))
        })
        .collect();
    if renamed.is_empty() {
        return Ok(());
    }
    change_children(writer, (&new.database, &new.name), |key| {
        for column in &mut key.parent_columns {
            let mut pairs = renamed.iter();
            if let Some((_, name)) = pairs.find(|(before, _)| *before == column.to_lowercase()) {
                column.clone_from(name);
            }
        }
    })
}

/// Changes every foreign key that refers to a table.
fn change_children(
    writer: &mut Writer,
    (database, name): (&str, &str),
    change: impl Fn(&mut ForeignKey),
) -> Result<(), SqlError> {
    let references = writer.catalog().references_to(database, name);
    let mut seen = HashSet::new();
    for reference in references.iter() {
        let child = &reference.child;
        if !seen.insert((child.database.clone(), child.name.clone())) {
            continue;
        }
        let mut changed = Table::clone(child);
        let is_meant = |key: &&mut ForeignKey| {
            (key.parent_database.as_str(), key.parent_table.as_str()) == (database, name)
        };
        changed
            .foreign_keys
            .iter_mut()
            .filter(is_meant)
            .for_each(&change);
        save(writer, changed)?;
    }
    Ok(())
}

/// Error 3730 for a table that clients want to drop while others refer to it: those in `dropped` go too.
pub(super) fn check_drop(
    writer: &Writer,
    session: &SessionContext,
    table: &Table,
    is_dropped: impl Fn(&Table) -> bool,
) -> Result<(), SqlError> {
    if session.applies_log || !session.foreign_key_checks {
        return Ok(());
    }
    let references = writer.catalog().references_to(&table.database, &table.name);
    let mut others = references.iter().filter(|found| !is_dropped(&found.child));
    match others.next().and_then(|found| Some((found, found.key()?))) {
        Some((found, key)) => {
            let text = format!(
                "Cannot drop table '{}' referenced by a foreign key constraint '{}' on table '{}'.",
                table.name, key.name, found.child.name
            );
            Err(SqlError::new(3730, "HY000", text))
        }
        None => Ok(()),
    }
}
