//! The keys of a table, made ready for the hashes of its rows.

use engine::collation;
use targets::{ForeignKey, KeyColumn, TableKeys, UniqueKey};

use super::value::{Comparison, Fnv};

/// A table of the target.
#[derive(Debug, Clone)]
pub(in crate::applier::parallel) struct Bound {
    /// The hash of the table.
    pub(super) hash: u64,
    pub(super) keys: Vec<BoundKey>,
    /// Which of them tells a row from all others.
    pub(super) identity: Option<usize>,
    /// What its rows refer to.
    pub(super) foreign: Vec<Reference>,
    /// What rows refer to it by.
    pub(super) referring: Vec<Reference>,
    /// Whether a change of it may touch anything.
    pub(super) is_unbounded: bool,
}

/// Columns whose values together are one hash.
#[derive(Debug, Clone)]
pub(super) struct BoundKey {
    pub(super) seed: u64,
    pub(super) parts: Vec<BoundPart>,
    /// Whether it keeps apart more than equal values of its columns.
    pub(super) is_of_more: bool,
    /// Whether a column may be NULL.
    pub(super) is_of_nulls: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct BoundPart {
    pub(super) column: usize,
    pub(super) prefix: Option<usize>,
    pub(super) comparison: Comparison,
}

/// One side of a foreign key.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    /// The hash of the table that is referred to.
    pub(super) parent: u64,
    pub(super) key: BoundKey,
    pub(super) acts_on_delete: bool,
    pub(super) acts_on_update: bool,
}

impl BoundKey {
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().map(|part| part.column)
    }
}

/// Servers and their logs may write names in another case.
fn table_hash(database: &str, table: &str) -> u64 {
    let mut hasher = Fnv::new();
    hasher.write_name(database);
    hasher.write_name(table);
    hasher.finish()
}

impl Bound {
    /// The table of this name on the target.
    pub(in crate::applier::parallel) fn new(
        database: &str,
        table: &str,
        known: &TableKeys,
    ) -> Self {
        let hash = table_hash(database, table);
        let keys = known.unique.iter();
        let keys: Vec<BoundKey> = keys.map(|key| unique(hash, key, &known.columns)).collect();
        let identity = keys
            .iter()
            .position(|key| !key.is_of_nulls && !key.is_of_more);
        let bound = |keys: &[ForeignKey]| {
            let keys = keys.iter();
            keys.map(|key| reference(key, &known.columns)).collect()
        };
        Self {
            hash,
            keys,
            identity,
            foreign: bound(&known.foreign),
            referring: bound(&known.referring),
            is_unbounded: known.is_unbounded,
        }
    }

    /// A table of which nothing is known.
    pub(in crate::applier::parallel) const fn unknown() -> Self {
        Self {
            hash: 0,
            keys: Vec::new(),
            identity: None,
            foreign: Vec::new(),
            referring: Vec::new(),
            is_unbounded: true,
        }
    }
}

fn comparison(column: Option<&KeyColumn>) -> Comparison {
    match column {
        None => Comparison::Unknown,
        // What it is on the target need not be what the log says.
        Some(column) if column.is_generated => Comparison::Unknown,
        Some(column) => match &column.collation {
            None => Comparison::Plain,
            Some(name) => collation::exact(name).map_or(Comparison::Unknown, Comparison::Text),
        },
    }
}

fn unique(table: u64, key: &UniqueKey, columns: &[KeyColumn]) -> BoundKey {
    let mut seed = Fnv::of(table);
    seed.write(b"key");
    seed.write_name(&key.name);
    let parts = key.parts.iter().map(|part| BoundPart {
        column: part.column,
        prefix: part.prefix,
        comparison: comparison(columns.get(part.column)),
    });
    let is_nullable = |column: usize| {
        let column = columns.get(column);
        column.is_none_or(|column| column.is_nullable)
    };
    BoundKey {
        seed: seed.finish(),
        parts: parts.collect(),
        is_of_more: key.is_of_more || key.parts.is_empty(),
        is_of_nulls: key.parts.iter().any(|part| is_nullable(part.column)),
    }
}

fn reference(key: &ForeignKey, columns: &[KeyColumn]) -> Reference {
    let (database, table) = &key.parent;
    let parent = table_hash(database, table);
    let mut seed = Fnv::of(parent);
    seed.write(b"reference");
    key.referenced.iter().for_each(|name| seed.write_name(name));
    let parts = key.columns.iter().map(|&column| BoundPart {
        column,
        prefix: None,
        comparison: comparison(columns.get(column)),
    });
    Reference {
        parent,
        key: BoundKey {
            seed: seed.finish(),
            parts: parts.collect(),
            is_of_more: key.columns.is_empty(),
            is_of_nulls: true,
        },
        acts_on_delete: key.acts_on_delete,
        acts_on_update: key.acts_on_update,
    }
}
