//! Tables with keys of every kind: what a change of them needs, does and locks, on a target that keeps
//! its rows as a server does.
//!
//! Rows are `(id, code, parent, v)`. `owners`, `things` and `parts` have `id` for their primary key and
//! a unique `code` that may be NULL and compares by `utf8mb4_general_ci`. Things refer to owners, which
//! stay as long as that; parts refer to things, and go and change with them. `alike` has no key at all.

use std::collections::BTreeMap;

use targets::{ForeignKey, KeyColumn, KeyPart, TableKeys, UniqueKey};

/// The tables.
pub(super) const TABLES: [&str; 4] = ["owners", "things", "parts", "alike"];

/// The one without keys.
pub(super) const ALIKE: usize = 3;

/// What each of the others refers to.
const PARENTS: [Option<usize>; 3] = [None, Some(0), Some(1)];

/// Texts by what `utf8mb4_general_ci` calls equal, in MySQL and in MariaDB.
pub(super) const TEXTS: [&[&str]; 6] = [
    &["a", "A", "á", "a ", "Á  "],
    &["b", "B "],
    &["s", "ß", "S"],
    &["ss"],
    &["ñ", "N"],
    &["ж", "Ж"],
];

fn class(text: &str) -> usize {
    let mut classes = TEXTS.iter();
    classes.position(|texts| texts.contains(&text)).unwrap()
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) code: Option<&'static str>,
    pub(super) parent: Option<i64>,
    pub(super) v: i64,
}

/// An image, which need not have every column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Image {
    pub(super) id: Option<i64>,
    pub(super) code: Option<Option<&'static str>>,
    pub(super) parent: Option<Option<i64>>,
    pub(super) v: Option<i64>,
}

impl Image {
    pub(super) fn whole(row: &Row) -> Self {
        Self {
            id: Some(row.id),
            code: Some(row.code),
            parent: Some(row.parent),
            v: Some(row.v),
        }
    }

    /// What an update makes of a row, or an insert of one of defaults.
    fn over(&self, row: &Row) -> Row {
        Row {
            id: self.id.unwrap_or(row.id),
            code: self.code.unwrap_or(row.code),
            parent: self.parent.unwrap_or(row.parent),
            v: self.v.unwrap_or(row.v),
        }
    }
}

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Row(usize, i64),
    Code(usize, usize),
    Table(usize),
}

/// What a change does.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Rows as they were and as they become.
    pub(super) rows: Vec<(usize, Option<Row>, Option<Row>)>,
    /// Locks, and whether each keeps out those who would share it.
    pub(super) locks: Vec<(Key, bool)>,
}

/// The rows of all tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    keyed: BTreeMap<(usize, i64), Row>,
    alike: Vec<Row>,
}

impl Rows {
    pub(super) fn all(&self, table: usize) -> Vec<&Row> {
        match table {
            ALIKE => self.alike.iter().collect(),
            _ => {
                let rows = self.keyed.iter();
                let rows = rows.filter(|((of, _), _)| *of == table);
                rows.map(|(_, row)| row).collect()
            }
        }
    }

    /// Puts one row in the place of another.
    pub(super) fn replace(&mut self, table: usize, old: Option<&Row>, new: Option<&Row>) {
        if table == ALIKE {
            if let Some(at) = old.and_then(|old| self.alike.iter().position(|row| row == old)) {
                self.alike.remove(at);
            }
            self.alike.extend(new.cloned());
            self.alike.sort();
            return;
        }
        if let Some(old) = old {
            self.keyed.remove(&(table, old.id));
        }
        if let Some(new) = new {
            self.keyed.insert((table, new.id), new.clone());
        }
    }

    /// What a change does; the number of the error that a server gives otherwise.
    pub(super) fn effects(
        &self,
        table: usize,
        before: Option<&Image>,
        after: Option<&Image>,
    ) -> Result<Effects, u16> {
        let old = match before {
            None => None,
            Some(image) => Some(self.found(table, image).ok_or(1032_u16)?),
        };
        let blank = Row {
            id: 0,
            code: None,
            parent: None,
            v: 0,
        };
        let new = after.map(|after| after.over(old.unwrap_or(&blank)));
        let mut effects = Effects::default();
        effects.rows.push((table, old.cloned(), new.clone()));
        if table == ALIKE {
            effects.locks.push((Key::Table(table), true));
            return Ok(effects);
        }
        self.keys(table, old, new.as_ref(), &mut effects)?;
        self.parents(table, old, new.as_ref(), &mut effects)?;
        self.children(table, old, new.as_ref(), &mut effects)?;
        Ok(effects)
    }

    fn found(&self, table: usize, image: &Image) -> Option<&Row> {
        let is_it = |row: &&Row| image.over(row) == **row;
        match table {
            ALIKE => self.alike.iter().find(is_it),
            _ => self.keyed.get(&(table, image.id?)).filter(is_it),
        }
    }

    fn keys(
        &self,
        table: usize,
        old: Option<&Row>,
        new: Option<&Row>,
        effects: &mut Effects,
    ) -> Result<(), u16> {
        for row in [old, new].into_iter().flatten() {
            effects.locks.push((Key::Row(table, row.id), true));
        }
        let [old_code, new_code] = [old, new].map(|row| row?.code.map(class));
        if old_code != new_code {
            let codes = [old_code, new_code].into_iter().flatten();
            let codes = codes.map(|code| (Key::Code(table, code), true));
            effects.locks.extend(codes);
        }
        let Some(new) = new else {
            return Ok(());
        };
        let is_other = |row: &&Row| old.is_none_or(|old| old.id != row.id);
        let others = self.all(table);
        let mut others = others.into_iter().filter(is_other);
        let is_taken = others
            .any(|row| row.id == new.id || (new_code.is_some() && row.code.map(class) == new_code));
        match is_taken {
            true => Err(1062),
            false => Ok(()),
        }
    }

    fn parents(
        &self,
        table: usize,
        old: Option<&Row>,
        new: Option<&Row>,
        effects: &mut Effects,
    ) -> Result<(), u16> {
        let Some(parent) = PARENTS[table] else {
            return Ok(());
        };
        let [old, new] = [old, new].map(|row| row?.parent);
        if old == new {
            return Ok(());
        }
        let ids = [old, new].into_iter().flatten();
        let locks = ids.map(|id| (Key::Row(parent, id), false));
        effects.locks.extend(locks);
        match new.is_none_or(|id| self.keyed.contains_key(&(parent, id))) {
            true => Ok(()),
            false => Err(1452),
        }
    }

    fn children(
        &self,
        table: usize,
        old: Option<&Row>,
        new: Option<&Row>,
        effects: &mut Effects,
    ) -> Result<(), u16> {
        let Some(old) = old.filter(|old| new.is_none_or(|new| new.id != old.id)) else {
            return Ok(());
        };
        let Some(child) = PARENTS.iter().position(|parent| *parent == Some(table)) else {
            return Ok(());
        };
        let refer = self.all(child).into_iter();
        for row in refer.filter(|row| row.parent == Some(old.id)) {
            // Things hold owners; parts go with things.
            if child == 1 {
                return Err(1451);
            }
            effects.locks.push((Key::Row(child, row.id), true));
            let code = row.code.filter(|_| new.is_none());
            let code = code.map(|code| (Key::Code(child, class(code)), true));
            effects.locks.extend(code);
            let moved = new.map(|new| Row {
                parent: Some(new.id),
                ..row.clone()
            });
            effects.rows.push((child, Some(row.clone()), moved));
        }
        Ok(())
    }
}

/// What a target leaves unsaid of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsaid {
    Nothing,
    /// All unique keys but the primary one.
    UniqueKeys,
    /// That text compares by anything but its bytes.
    Collations,
    /// That rows refer to others.
    ForeignKeys,
    /// That such rows change with them.
    Cascades,
}

/// What the target says of a table.
pub(super) fn keys(table: &str, unsaid: Unsaid) -> Option<TableKeys> {
    let table = TABLES.into_iter().position(|name| name == table)?;
    let column = |collation: Option<&str>, is_nullable| KeyColumn {
        collation: collation.map(str::to_owned),
        is_nullable,
        is_generated: false,
    };
    let collation = (unsaid != Unsaid::Collations).then_some("utf8mb4_general_ci");
    let columns = vec![
        column(None, table == ALIKE),
        column(collation, true),
        column(None, true),
        column(None, false),
    ];
    let unique = |name: &str, column| UniqueKey {
        name: name.to_owned(),
        parts: vec![KeyPart {
            column,
            prefix: None,
        }],
        is_of_more: false,
    };
    let mut known = TableKeys {
        columns,
        ..TableKeys::default()
    };
    if table == ALIKE {
        return Some(known);
    }
    known.unique = vec![unique("PRIMARY", 0), unique("code", 1)];
    if unsaid == Unsaid::UniqueKeys {
        known.unique.truncate(1);
    }
    let foreign = |parent: usize, column| ForeignKey {
        parent: ("d".to_owned(), TABLES[parent].to_owned()),
        referenced: vec!["id".to_owned()],
        columns: vec![column],
        acts_on_delete: parent == 1 && unsaid != Unsaid::Cascades,
        acts_on_update: parent == 1 && unsaid != Unsaid::Cascades,
    };
    if unsaid != Unsaid::ForeignKeys {
        known
            .foreign
            .extend(PARENTS[table].map(|parent| foreign(parent, 2)));
        let is_parent = PARENTS.contains(&Some(table));
        known.referring.extend(is_parent.then(|| foreign(table, 0)));
    }
    Some(known)
}
