//! The tables that row events name, from their table map to the end of its statement.
//!
//! A source repeats the table map of a table before every statement. A repeated one is recognised by
//! its bytes, so that its plan is made once.

use std::collections::HashMap;

use codec::DecodeError;

use crate::row::{Table, TableMap};
use crate::schema::SchemaSnapshots;

/// Tables beyond which all are forgotten: a source gives a table a new number at each change.
const TABLES_MAX: usize = 4096;

#[derive(Debug)]
struct Entry {
    table: Table,
    /// The table map event without header and checksum.
    body: Vec<u8>,
    /// The statement that the table map belongs to.
    statement: u64,
}

/// Tables by their number. Only those of the statement that is read are given out.
#[derive(Debug, Default)]
pub(super) struct Tables {
    by_id: HashMap<u64, Entry>,
    statement: u64,
}

impl Tables {
    /// Takes note of a table map that lies at `offset` of its file and whose event has this `body`.
    pub(super) fn learn(
        &mut self,
        map: &TableMap<'_>,
        body: &[u8],
        offset: u64,
        schemas: Option<&SchemaSnapshots>,
    ) -> Result<(), DecodeError> {
        let statement = self.statement;
        if let Some(known) = self.by_id.get_mut(&map.table_id)
            && known.body == body
            // What a snapshot says of a table depends on the place in the log.
            && schemas.is_none()
        {
            known.statement = statement;
            return Ok(());
        }
        let snapshot = schemas.and_then(|known| known.find(map, offset));
        let table = Table::described(map.clone(), snapshot)?;
        if self.by_id.len() >= TABLES_MAX {
            self.by_id.retain(|_, entry| entry.statement == statement);
        }
        let entry = Entry {
            table,
            body: body.to_vec(),
            statement,
        };
        self.by_id.insert(map.table_id, entry);
        Ok(())
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
