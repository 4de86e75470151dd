//! The tables that row events name, from their table map to the end of its statement.
//!
//! A source repeats the table map of a table before every statement. A repeated one is recognised by
//! its bytes, so that its plan is made once.

use std::collections::HashMap;

use codec::DecodeError;

use crate::row::{Table, TableMap};
use crate::schema::{Describe, SchemaSnapshots};

/// Tables beyond which all are forgotten: a source gives a table a new number at each change.
const TABLES_MAX: usize = 4096;

/// Columns that all tables that are kept may have: 64 tables of the most columns that one can have.
const COLUMNS_MAX: usize = 64 * TableMap::COLUMNS_MAX;

#[derive(Debug)]
struct Entry {
    table: Table,
    /// The table map event without header and checksum.
    body: Vec<u8>,
    /// The statement that the table map belongs to.
    statement: u64,
}

/// What is known of tables beside the log.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TableKnowledge<'a> {
    /// What was kept beside the file.
    pub(super) schemas: Option<&'a SchemaSnapshots>,
    /// What somebody else says.
    pub(super) described: Option<&'a dyn Describe>,
}

/// Tables by their number. Only those of the statement that is read are given out.
#[derive(Debug, Default)]
pub(super) struct Tables {
    by_id: HashMap<u64, Entry>,
    statement: u64,
    /// Columns of the tables that are kept.
    columns: usize,
}

impl Tables {
    /// Takes note of a table map that lies at `offset` of its file and whose event has this `body`.
    pub(super) fn learn(
        &mut self,
        map: &TableMap<'_>,
        body: &[u8],
        offset: u64,
        known: TableKnowledge<'_>,
    ) -> Result<(), DecodeError> {
        let statement = self.statement;
        if let Some(entry) = self.by_id.get_mut(&map.table_id)
            && entry.body == body
            // What a snapshot says of a table depends on the place in the log.
            && known.schemas.is_none()
        {
            entry.statement = statement;
            return Ok(());
        }
        let kept = known.schemas.and_then(|schemas| schemas.find(map, offset));
        let described = match kept {
            Some(_) => None,
            None => known.described.and_then(|known| known.describe(map)),
        };
        let table = Table::described(map.clone(), kept.or(described.as_ref()))?;
        self.make_room(map.columns.len())?;
        let entry = Entry {
            table,
            body: body.to_vec(),
            statement,
        };
        self.columns += entry.table.map.columns.len();
        if let Some(old) = self.by_id.insert(map.table_id, entry) {
            self.columns -= old.table.map.columns.len();
        }
        Ok(())
    }

    /// Forgets tables of earlier statements if there are many. Fails if those of this one are too
    /// many: no server writes them, and they would take memory out of proportion to their bytes.
    fn make_room(&mut self, columns: usize) -> Result<(), DecodeError> {
        if self.by_id.len() < TABLES_MAX && self.columns + columns <= COLUMNS_MAX {
            return Ok(());
        }
        let statement = self.statement;
        self.by_id.retain(|_, entry| entry.statement == statement);
        let kept = self
            .by_id
            .values()
            .map(|entry| entry.table.map.columns.len());
        self.columns = kept.sum();
        let found = self.columns + columns;
        if found <= COLUMNS_MAX {
            return Ok(());
        }
        let expected = "a statement whose tables have at most 262144 columns together";
        Err(DecodeError::invalid("table map", 0, found as u64, expected))
    }

    /// The table with this number in the statement that is read.
    pub(super) fn get(&self, table_id: u64) -> Option<&Table> {
        let entry = self.by_id.get(&table_id)?;
        (entry.statement == self.statement).then_some(&entry.table)
    }

    /// Drops the table maps: the statement has ended.
    pub(super) const fn end_statement(&mut self) {
        self.statement = self.statement.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Column, ColumnType};

    #[test]
    fn tables_of_one_statement_take_memory_within_bounds() {
        let columns = vec![Column::new(ColumnType::TINY, 0, true); TableMap::COLUMNS_MAX];
        let mut tables = Tables::default();
        for number in 0..200 {
            let map = TableMap::new(number, "a", "b", columns.clone());
            let body = number.to_le_bytes();
            let learnt = tables.learn(&map, &body, 4, TableKnowledge::default());
            assert_eq!(learnt.is_ok(), number < 64, "{number}: {learnt:?}");
        }
        // Those of the next statement take the place of those.
        tables.end_statement();
        let map = TableMap::new(500, "a", "b", columns);
        let known = TableKnowledge::default();
        tables.learn(&map, b"500", 4, known).unwrap();
        assert!(tables.get(500).is_some());
        assert!(tables.by_id.len() == 1 && tables.columns == TableMap::COLUMNS_MAX);
    }
}
