//! The tables whose rows are taken back, each in the shapes that it had.

use std::collections::{BTreeSet, HashMap};

use binlog::row::Table;
use inspect::stats::RowCounts;

/// What is taken back of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCount {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// The changes, as they were made.
    pub rows: RowCounts,
    /// Whether what foreign keys did along with them would be in the log: MySQL since 9.6.
    pub logs_children: bool,
}

impl TableCount {
    /// Whether the log has all that foreign keys of other tables did along with the changes, and
    /// taking them back makes those do nothing more.
    #[must_use]
    pub const fn tells_children(&self) -> bool {
        self.logs_children && self.rows.inserts == 0
    }

    /// Schema and name, for people.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

#[derive(Debug)]
struct Shape {
    table: Table,
    /// Which table it is a shape of.
    name: u32,
    /// Columns that images lack and that must be computed ones.
    lacks: BTreeSet<usize>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Tables {
    shapes: Vec<Shape>,
    counts: Vec<TableCount>,
    /// By schema, then by name: the number of the table and its shapes.
    by_name: HashMap<String, HashMap<String, (u32, Vec<u32>)>>,
}

/// A shape of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShapeId {
    pub(super) shape: u32,
    pub(super) name: u32,
}

impl Tables {
    /// The number of a table and its shape, which are kept.
    pub(super) fn learn(&mut self, table: &Table) -> ShapeId {
        let (schema, name) = (table.map.schema.as_ref(), table.map.table.as_ref());
        if !self.by_name.contains_key(schema) {
            self.by_name.insert(schema.to_owned(), HashMap::new());
        }
        let number = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let Some(by_table) = self.by_name.get_mut(schema) else {
            return ShapeId { shape: 0, name: 0 };
        };
        if !by_table.contains_key(name) {
            by_table.insert(name.to_owned(), (number(self.counts.len()), Vec::new()));
            self.counts.push(TableCount {
                schema: schema.to_owned(),
                table: name.to_owned(),
                rows: RowCounts::default(),
                logs_children: true,
            });
        }
        let Some((id, shapes)) = by_table.get_mut(name) else {
            return ShapeId { shape: 0, name: 0 };
        };
        let known = shapes.iter().rev().find(|&&shape| {
            let known = self.shapes.get(shape as usize);
            known.is_some_and(|known| is_same(&known.table, table))
        });
        let shape = known.copied().unwrap_or_else(|| {
            let shape = number(self.shapes.len());
            self.shapes.push(Shape {
                table: table.clone(),
                name: *id,
                lacks: BTreeSet::new(),
            });
            shapes.push(shape);
            shape
        });
        ShapeId { shape, name: *id }
    }

    /// Images of this shape lack these columns.
    pub(super) fn lacks(&mut self, id: ShapeId, columns: Vec<usize>) {
        if let Some(shape) = self.shapes.get_mut(id.shape as usize) {
            shape.lacks.extend(columns);
        }
    }

    /// Columns that images of this shape lack.
    pub(super) fn lacking(&self, shape: u32) -> impl Iterator<Item = usize> {
        let shape = self.shapes.get(shape as usize);
        shape
            .into_iter()
            .flat_map(|shape| shape.lacks.iter().copied())
    }

    /// The number of a table that is kept.
    pub(super) fn name_of(&self, schema: &str, table: &str) -> Option<u32> {
        self.by_name.get(schema)?.get(table).map(|(name, _)| *name)
    }

    /// The shape with this number.
    pub(super) fn shape(&self, shape: u32) -> Option<(&Table, u32)> {
        let shape = self.shapes.get(shape as usize)?;
        Some((&shape.table, shape.name))
    }

    /// Every shape, with the number of its table.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&Table, u32)> {
        self.shapes.iter().map(|shape| (&shape.table, shape.name))
    }

    /// What is taken back of a table.
    pub(super) fn count_mut(&mut self, name: u32) -> Option<&mut TableCount> {
        self.counts.get_mut(name as usize)
    }

    /// What is taken back, by table.
    pub(super) fn counts(&self) -> &[TableCount] {
        &self.counts
    }
}

/// Whether two maps say the same of one table, whatever its number in the log.
fn is_same(left: &Table, right: &Table) -> bool {
    left.map.columns == right.map.columns
        && left.map.flags == right.map.flags
        && left.map.primary_key == right.map.primary_key
}
