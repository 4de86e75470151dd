//! Which tables were changed since a snapshot began: what a transaction that reads one and writes needs
//! to know before it reads newer rows.

use std::collections::{HashMap, HashSet};

use crate::catalog::TableId;

/// The commits so far, as far as anybody may ask.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Number of the last commit.
    pub(crate) commits: u64,
    /// The last commit that changed rows of a table.
    tables: HashMap<TableId, u64>,
    /// The last commit that changed the schema.
    schema: u64,
}

impl Changes {
    /// Notes a commit.
    pub(crate) fn note(&mut self, tables: impl Iterator<Item = TableId>, is_schema: bool) {
        self.commits += 1;
        for table in tables {
            self.tables.insert(table, self.commits);
        }
        if is_schema {
            self.schema = self.commits;
        }
    }

    /// What was changed after the commit `mark`.
    pub(crate) fn since(&self, mark: u64) -> TableSet {
        if self.schema > mark {
            return TableSet::All;
        }
        let changed = self.tables.iter().filter(|(_, commit)| **commit > mark);
        TableSet::Some(changed.map(|(table, _)| *table).collect())
    }
}

/// Some tables or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableSet {
    /// These.
    Some(HashSet<TableId>),
    /// Every one.
    All,
}

impl Default for TableSet {
    fn default() -> Self {
        Self::Some(HashSet::new())
    }
}

impl TableSet {
    /// Whether a table is in it.
    #[must_use]
    pub fn contains(&self, table: TableId) -> bool {
        match self {
            Self::Some(tables) => tables.contains(&table),
            Self::All => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_before_the_mark_is_not_in_the_set() {
        let mut changes = Changes::default();
        changes.note([TableId(1)].into_iter(), false);
        let mark = changes.commits;
        changes.note([TableId(2)].into_iter(), false);
        let since = changes.since(mark);
        assert!(!since.contains(TableId(1)));
        assert!(since.contains(TableId(2)));
        changes.note(std::iter::empty(), true);
        assert_eq!(changes.since(mark), TableSet::All);
        assert_eq!(changes.since(changes.commits), TableSet::default());
    }
}
