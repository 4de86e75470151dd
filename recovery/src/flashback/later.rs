//! Who touched the same rows since: found by a hash of the primary key, or of the whole row where the
//! log does not tell the key.
//!
//! Memory is bounded: of more rows than fit no hashes are kept, and [`Later::finish`] says so.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use binlog::row::{Row, RowImages, RowPair, RowsKind, Table};
use binlog::value::Value;
use inspect::cell::Shape;
use inspect::put_value;

/// Hashes that are kept: the table that holds them has 2^22 places then, 38 MB.
const ROWS_MAX: usize = (1 << 22) / 8 * 7;

/// Transactions that are told by name.
const TOLD_MAX: usize = 20;

/// A transaction that touched rows behind those that are taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterTransaction {
    /// Its GTID, or where it begins.
    pub name: String,
    /// The table.
    pub table: String,
    /// How many of the rows; none: a statement, which may have touched any.
    pub rows: Option<u64>,
}

/// Rows that are taken back, and who touched them since.
#[derive(Debug, Default)]
pub(super) struct Later {
    rows: HashSet<u64>,
    is_over: bool,
    told: Vec<LaterTransaction>,
    more: u64,
    key: Vec<u8>,
}

impl Later {
    /// Whether no row is remembered yet.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether rows need not be told any more.
    pub(super) const fn is_full(&self) -> bool {
        self.is_over
    }

    /// Remembers a row that is taken back.
    pub(super) fn remember(
        &mut self,
        table: &Table,
        name: u32,
        kind: RowsKind,
        row: &RowPair<'_>,
        images: RowImages<'_>,
    ) {
        let hashes = self.hashes(table, name, kind, row, images);
        for hash in hashes.into_iter().flatten() {
            if self.rows.len() >= ROWS_MAX && !self.rows.contains(&hash) {
                self.is_over = true;
                return;
            }
            self.rows.insert(hash);
        }
    }

    /// Whether a row is one of those that are remembered.
    pub(super) fn is_known(
        &mut self,
        table: &Table,
        name: u32,
        kind: RowsKind,
        row: &RowPair<'_>,
        images: RowImages<'_>,
    ) -> bool {
        let hashes = self.hashes(table, name, kind, row, images);
        hashes
            .into_iter()
            .flatten()
            .any(|hash| self.rows.contains(&hash))
    }

    /// The hashes of a row before and after.
    fn hashes(
        &mut self,
        table: &Table,
        name: u32,
        kind: RowsKind,
        row: &RowPair<'_>,
        images: RowImages<'_>,
    ) -> [Option<u64>; 2] {
        let mut hash = |row: &Row<'_>, image: &[u8]| self.hash(table, name, row, image);
        match kind {
            RowsKind::Write => [Some(hash(&row.after, images.after)), None],
            RowsKind::Delete => [Some(hash(&row.before, images.before)), None],
            RowsKind::Update => {
                let before = hash(&row.before, images.before);
                let after = hash(&row.after, images.after);
                [Some(before), (after != before).then_some(after)]
            }
        }
    }

    fn hash(&mut self, table: &Table, name: u32, row: &Row<'_>, image: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        self.key.clear();
        match put_key(&mut self.key, table, row) {
            true => self.key.hash(&mut hasher),
            false => image.hash(&mut hasher),
        }
        hasher.finish()
    }

    /// Tells of a transaction behind.
    pub(super) fn tell(&mut self, later: impl FnOnce() -> LaterTransaction) {
        if self.told.len() < TOLD_MAX {
            self.told.push(later());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Those that are told, how many more there are, and whether every row was looked for.
    pub(super) fn finish(self) -> (Vec<LaterTransaction>, u64, bool) {
        (self.told, self.more, !self.is_over)
    }
}

/// Appends the values of the primary key, whole also where it covers only their beginning. False where the log does not tell it, or an image lacks
/// some of it.
pub(super) fn put_key(out: &mut Vec<u8>, table: &Table, row: &Row<'_>) -> bool {
    let Some(key) = table.map.primary_key.as_ref().filter(|key| !key.is_empty()) else {
        return false;
    };
    for &(index, _) in key {
        let value = row.get(index).and_then(Option::as_ref);
        let (Some(value), Some(column)) = (value, table.map.columns.get(index)) else {
            return false;
        };
        let shape = match value {
            Value::Bytes(_) => Shape::Bytes,
            _ => Shape::Moment { fsp: 6 },
        };
        put_value(out, value, shape, column, true);
        out.push(0);
    }
    true
}
