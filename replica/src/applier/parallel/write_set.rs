//! What a transaction touches, as hashes that two transactions share when they may not change places.
//! Pure.
//!
//! For every image of a changed row there is a hash of each unique key of the target's table: rows that
//! the target calls equal have the same one, so text goes in by its collation's weights. A key with a
//! NULL keeps nobody apart. A row that refers to another shares the hash of what it refers to, which
//! a change of the other has for itself. Every change shares the hash of its table; where an image does
//! not say enough, or what is equal is not known, a change has the table for itself.
//!
//! Invariant: what is not known makes more hashes, or wider ones, never fewer. A false conflict costs
//! time, a missed one the data.

mod bound;
mod value;

use std::collections::HashMap;

use binlog::row::{Row, RowPair, RowsKind};
use binlog::value::Value;

pub(super) use self::bound::Bound;
use self::bound::{BoundKey, BoundPart, Reference};
use self::value::{Comparison, Fnv, hash_value};

/// Hashes beyond which a transaction runs alone.
const HASHES_MAX: usize = 25_000;

/// How a transaction holds a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Others may share it.
    Shared,
    /// Nobody else may have it.
    Own,
}

/// What a transaction touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct WriteSet {
    hashes: HashMap<u64, Hold>,
    is_everything: bool,
}

/// A key of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Hash(u64),
    /// It has a NULL.
    Null,
    /// The image lacks a column.
    Missing,
    /// What is equal to it is not known.
    Unknown,
}

impl WriteSet {
    /// The hashes; `None` if nothing may run beside it.
    pub(super) fn hashes(&self) -> Option<&HashMap<u64, Hold>> {
        (!self.is_everything).then_some(&self.hashes)
    }

    #[cfg(test)]
    pub(super) fn of_hashes(hashes: &[(u64, Hold)]) -> Self {
        let mut set = Self::default();
        hashes
            .iter()
            .for_each(|(hash, hold)| set.hold(*hash, *hold));
        set
    }

    /// Nothing may run beside it.
    pub(super) fn add_everything(&mut self) {
        self.is_everything = true;
        self.hashes = HashMap::new();
    }

    fn hold(&mut self, hash: u64, hold: Hold) {
        if self.is_everything {
            return;
        }
        let held = self.hashes.entry(hash).or_insert(hold);
        if hold == Hold::Own {
            *held = Hold::Own;
        }
        if self.hashes.len() > HASHES_MAX {
            self.add_everything();
        }
    }

    /// Adds a changed row of a table. `is_divided`: an update may be applied as an insert or a delete.
    pub(super) fn add(
        &mut self,
        table: &Bound,
        kind: RowsKind,
        pair: &RowPair<'_>,
        is_divided: bool,
    ) {
        if table.is_unbounded {
            self.add_everything();
        }
        if self.is_everything {
            return;
        }
        let images = Images {
            kind,
            pair,
            is_divided,
        };
        self.hold(table.hash, Hold::Shared);
        let mut is_whole = table.identity.is_none();
        for (at, key) in table.keys.iter().enumerate() {
            let is_enough = match self.add_key(images, key, Hold::Own) {
                Told::Everything => true,
                Told::Enough => table.identity != Some(at),
                Told::TooLittle => false,
            };
            is_whole |= !is_enough;
        }
        for reference in &table.foreign {
            self.hold(reference.parent, Hold::Shared);
            if self.add_key(images, &reference.key, Hold::Shared) == Told::TooLittle {
                self.hold(reference.parent, Hold::Own);
            }
        }
        for reference in &table.referring {
            if reference.acts(images) {
                return self.add_everything();
            }
            is_whole |= self.add_key(images, &reference.key, Hold::Own) == Told::TooLittle;
        }
        if is_whole {
            self.hold(table.hash, Hold::Own);
        }
    }

    /// Adds a key of both images.
    fn add_key(&mut self, images: Images<'_>, key: &BoundKey, hold: Hold) -> Told {
        let is_touched = images.touches(key);
        let mut told = Told::Everything;
        for found in [images.before(key), images.after(key)] {
            told = told.min(match found {
                None | Some(Found::Null) => Told::Everything,
                Some(Found::Hash(hash)) => {
                    self.hold(hash, hold);
                    Told::Everything
                }
                // A value that is neither logged nor changed frees nothing and takes nothing.
                Some(Found::Missing) if !is_touched => Told::Enough,
                Some(Found::Missing | Found::Unknown) => Told::TooLittle,
            });
        }
        told
    }
}

/// What images tell of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// Not what it was, or what it is.
    TooLittle,
    /// Not its value, which stays.
    Enough,
    Everything,
}

/// The images of a row.
#[derive(Clone, Copy)]
struct Images<'a> {
    kind: RowsKind,
    pair: &'a RowPair<'a>,
    is_divided: bool,
}

impl<'a> Images<'a> {
    fn cell(row: &'a Row<'a>, column: usize) -> Option<&'a Value<'a>> {
        row.get(column).and_then(Option::as_ref)
    }

    /// Whether the change puts, or may put, something into a column of the key, or removes it.
    fn touches(self, key: &BoundKey) -> bool {
        match self.kind {
            RowsKind::Write | RowsKind::Delete => true,
            RowsKind::Update if self.is_divided => true,
            RowsKind::Update => {
                let mut columns = key.columns();
                columns.any(|column| Self::cell(&self.pair.after, column).is_some())
            }
        }
    }

    /// Whether the change may make another value of a column of the key.
    fn changes(self, key: &BoundKey) -> bool {
        let mut columns = key.columns();
        columns.any(|column| {
            let after = Self::cell(&self.pair.after, column);
            after.is_some() && after != Self::cell(&self.pair.before, column)
        })
    }

    /// The key before; `None` where there is no such image.
    fn before(self, key: &BoundKey) -> Option<Found> {
        let cell = |column| Self::cell(&self.pair.before, column);
        (self.kind != RowsKind::Write).then(|| found(key, cell))
    }

    /// The key behind; `None` where there is no such image.
    fn after(self, key: &BoundKey) -> Option<Found> {
        // What an update leaves out keeps its value.
        let kept = |column| match self.kind {
            RowsKind::Update => Self::cell(&self.pair.before, column),
            RowsKind::Write | RowsKind::Delete => None,
        };
        let cell = |column| Self::cell(&self.pair.after, column).or_else(|| kept(column));
        (self.kind != RowsKind::Delete).then(|| found(key, cell))
    }
}

impl Reference {
    /// Whether the change makes the target change rows that refer to this one.
    fn acts(&self, images: Images<'_>) -> bool {
        match images.kind {
            RowsKind::Write => false,
            RowsKind::Delete => self.acts_on_delete,
            RowsKind::Update if images.is_divided && self.acts_on_delete => true,
            RowsKind::Update => self.acts_on_update && images.changes(&self.key),
        }
    }
}

fn found<'a>(key: &BoundKey, cell: impl Fn(usize) -> Option<&'a Value<'a>>) -> Found {
    // What the target makes of a column that is not the log's may be another.
    let is_null = |part: &BoundPart| {
        !matches!(part.comparison, Comparison::Unknown) && cell(part.column) == Some(&Value::Null)
    };
    if key.parts.iter().any(is_null) {
        return Found::Null;
    }
    let mut hasher = Fnv::of(key.seed);
    for part in &key.parts {
        let Some(value) = cell(part.column) else {
            return Found::Missing;
        };
        if !hash_value(&mut hasher, part, value) {
            return Found::Unknown;
        }
    }
    match key.is_of_more {
        true => Found::Unknown,
        false => Found::Hash(hasher.finish()),
    }
}

#[cfg(test)]
mod tests;
