//! Figures by table.

use std::collections::HashMap;

use super::RowCounts;
use binlog::row::RowsKind;

/// Schema and table.
pub type TableName = (String, String);

/// What happened to one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableFigures {
    /// Its changed rows.
    pub rows: RowCounts,
    /// Its row events.
    pub row_events: u64,
    /// Bytes of its row events and table maps.
    pub bytes: u64,
}

impl TableFigures {
    pub(super) const fn add_map(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(super) const fn add_rows(&mut self, kind: RowsKind, rows: u64, bytes: u64) {
        self.rows.add(kind, rows);
        self.row_events += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Figures of all tables, of which no more than [`Tables::MAX`] are told apart.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    by_schema: HashMap<String, HashMap<String, TableFigures>>,
    count: usize,
    /// What was done to tables beyond [`Tables::MAX`].
    pub others: TableFigures,
}

impl Tables {
    /// How many tables are told apart: a damaged file must not fill the memory with names.
    pub const MAX: usize = 100_000;

    /// The figures of one table.
    pub fn get(&mut self, schema: &str, table: &str) -> &mut TableFigures {
        let is_known = self
            .by_schema
            .get(schema)
            .is_some_and(|tables| tables.contains_key(table));
        if !is_known {
            if self.count >= Self::MAX {
                return &mut self.others;
            }
            self.count += 1;
            let tables = self.by_schema.entry(schema.to_owned()).or_default();
            tables.insert(table.to_owned(), TableFigures::default());
        }
        match self
            .by_schema
            .get_mut(schema)
            .and_then(|tables| tables.get_mut(table))
        {
            Some(figures) => figures,
            None => &mut self.others,
        }
    }

    /// All tables, those with the most bytes first.
    #[must_use]
    pub fn by_bytes(&self) -> Vec<(TableName, TableFigures)> {
        let mut tables: Vec<_> = self
            .by_schema
            .iter()
            .flat_map(|(schema, tables)| {
                tables
                    .iter()
                    .map(|(table, figures)| ((schema.clone(), table.clone()), *figures))
            })
            .collect();
        tables.sort_by(|(a, left), (b, right)| right.bytes.cmp(&left.bytes).then(a.cmp(b)));
        tables
    }

    /// How many tables there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}
