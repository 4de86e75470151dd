//! What the filter makes of the tables that row events name.

use std::collections::HashMap;
use std::sync::Arc;

use binlog::row::TableMap;
use config::ReplicationFilter;

/// What the filter says of a table of the source.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    /// Its database here.
    pub(super) database: Arc<str>,
    /// Whether the filter lets its rows through.
    pub(super) is_admitted: bool,
    schema: String,
    table: String,
}

impl Admission {
    fn new(map: &TableMap<'_>, filter: &ReplicationFilter) -> Self {
        Self {
            database: filter.rewrite(&map.schema).into(),
            is_admitted: filter.admits_row_event(&map.schema, &map.table),
            schema: map.schema.to_string(),
            table: map.table.to_string(),
        }
    }

    fn is_of(&self, map: &TableMap<'_>) -> bool {
        self.schema == map.schema && self.table == map.table
    }

    /// `database.table` as it is called here.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.database, self.table)
    }
}

/// What was found out before, by the numbers of the tables.
#[derive(Debug, Default)]
pub(super) struct Admissions {
    by_id: HashMap<u64, Admission>,
}

/// Tables beyond which all are forgotten: a source gives a table a new number at each change.
const TABLES_MAX: usize = 4096;

impl Admissions {
    /// What `filter` says of the table of `map`.
    pub(super) fn of(&mut self, map: &TableMap<'_>, filter: &ReplicationFilter) -> &Admission {
        if self.by_id.len() >= TABLES_MAX && !self.by_id.contains_key(&map.table_id) {
            self.by_id.clear();
        }
        let known = self
            .by_id
            .entry(map.table_id)
            .or_insert_with(|| Admission::new(map, filter));
        // Another server, or the source after a restart, may mean another table by the number.
        if !known.is_of(map) {
            *known = Admission::new(map, filter);
        }
        known
    }
}
