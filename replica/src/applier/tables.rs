//! Table maps of the statement that is being applied, and what the filter says of their tables.
//!
//! A source repeats the table map of a table before every statement. A repeated one is recognised by
//! its bytes and not decoded again; whoever holds the `Arc` knows that the table is the same.

use std::collections::HashMap;
use std::sync::Arc;

use binlog::event::ChecksumAlgorithm;
use binlog::row::TableMap;
use codec::{DecodeError, Reader};
use config::ReplicationFilter;

/// A table of the source as row events name it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// What the source says of it.
    pub(super) map: Arc<TableMap<'static>>,
    /// Its database here.
    pub(super) database: Arc<str>,
    /// Whether the filter lets its rows through.
    pub(super) is_admitted: bool,
    body: Arc<[u8]>,
}

impl Table {
    /// `database.table` as it is called here.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.database, self.map.table)
    }
}

/// Known tables by their number.
#[derive(Debug, Default)]
pub(super) struct Tables {
    by_id: HashMap<u64, Table>,
}

/// Tables beyond which all are forgotten: a source gives a table a new number at each change.
const TABLES_MAX: usize = 4096;

impl Tables {
    /// Takes note of a table map event.
    pub(super) fn learn(
        &mut self,
        body: &[u8],
        offset: usize,
        filter: &ReplicationFilter,
    ) -> Result<(), DecodeError> {
        let table_id = Reader::at(body, offset).u48("table id")?;
        let known = self.by_id.get(&table_id);
        if known.is_some_and(|known| known.body.as_ref() == body) {
            return Ok(());
        }
        let map = TableMap::decode(Reader::at(body, offset), ChecksumAlgorithm::None)?.into_owned();
        let database: Arc<str> = filter.rewrite(&map.schema).into();
        let is_admitted = filter.admits_row_event(&map.schema, &map.table);
        let table = Table {
            map: Arc::new(map),
            database,
            is_admitted,
            body: body.into(),
        };
        if self.by_id.len() >= TABLES_MAX {
            self.by_id.clear();
        }
        self.by_id.insert(table_id, table);
        Ok(())
    }

    /// The table of a row event.
    pub(super) fn get(&self, table_id: u64) -> Option<&Table> {
        self.by_id.get(&table_id)
    }

    /// Forgets everything: another server's numbers follow.
    pub(super) fn clear(&mut self) {
        self.by_id.clear();
    }
}
