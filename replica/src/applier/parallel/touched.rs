//! What the transaction that is read touches, by the target's definitions.

use std::collections::HashMap;
use std::sync::Arc;

use binlog::event::Event;
use binlog::limits::Limits;
use binlog::row::{RowPair, RowsEvent, Table, TableMap};
use binlog::transaction::Step;
use codec::DecodeError;
use config::ReplicationFilter;
use targets::{Definitions, TargetError, is_system_table};

use super::write_set::{Bound, WriteSet};
use crate::applier::tables::Admissions;

/// Tables beyond which all are forgotten: a source gives a table a new number at each change.
const TABLES_MAX: usize = 1024;

/// The write set of the transaction that is read, and the tables that are known.
pub(super) struct Touched {
    definitions: Option<Box<dyn Definitions>>,
    /// By the source's number.
    tables: HashMap<u64, Known>,
    open: Option<WriteSet>,
}

/// A table as the source logs it, and its keys on the target.
struct Known {
    map: TableMap<'static>,
    database: Arc<str>,
    bound: Bound,
}

impl Known {
    fn is_of(&self, map: &TableMap<'_>, database: &str) -> bool {
        let is_named = self.map.schema == map.schema && self.map.table == map.table;
        is_named && *self.database == *database && self.map.columns == map.columns
    }
}

impl Touched {
    /// With these definitions; without, nothing is known of any table.
    pub(super) fn new(definitions: Option<Box<dyn Definitions>>) -> Self {
        Self {
            definitions,
            tables: HashMap::new(),
            open: None,
        }
    }

    /// Tables may be others now.
    pub(super) fn forget(&mut self) {
        self.open = None;
        self.tables.clear();
        if let Some(definitions) = &mut self.definitions {
            definitions.forget();
        }
    }

    /// A transaction begins, whose write set is asked for or not.
    pub(super) fn begin(&mut self, is_wanted: bool) {
        self.open = is_wanted.then(WriteSet::default);
    }

    /// The write set of the transaction that ended; none if nobody asked for it.
    pub(super) const fn end(&mut self) -> Option<WriteSet> {
        self.open.take()
    }

    /// Takes an event of the open transaction.
    pub(super) fn take(
        &mut self,
        step: &Step<'_>,
        filter: &ReplicationFilter,
        admissions: &mut Admissions,
    ) -> Result<(), TargetError> {
        let Event::Rows(rows) = &step.event else {
            return Ok(());
        };
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        match step.table {
            Some(table) => self.rows(&mut open, table, rows, filter, admissions)?,
            // It ends its statement.
            None if rows.rows.is_empty() => {}
            None => open.add_everything(),
        }
        self.open = Some(open);
        Ok(())
    }

    fn rows(
        &mut self,
        open: &mut WriteSet,
        table: &Table,
        rows: &RowsEvent<'_>,
        filter: &ReplicationFilter,
        admissions: &mut Admissions,
    ) -> Result<(), TargetError> {
        let admission = admissions.of(&table.map, filter);
        if !admission.is_admitted || open.hashes().is_none() {
            return Ok(());
        }
        let database = Arc::clone(&admission.database);
        let is_divided = filter.row_filter(&database, &table.map.table).is_some();
        let bound = self.bound(&table.map, database)?;
        // Whoever applies it says what is wrong with it.
        if add(open, bound, table, rows, is_divided).is_err() {
            open.add_everything();
        }
        Ok(())
    }

    fn bound(
        &mut self,
        map: &TableMap<'static>,
        database: Arc<str>,
    ) -> Result<&Bound, TargetError> {
        let known = self.tables.remove(&map.table_id);
        let known = match known.filter(|known| known.is_of(map, &database)) {
            Some(known) => known,
            None => {
                let keys = match &mut self.definitions {
                    Some(definitions) if !is_system_table(&database, &map.table) => {
                        definitions.keys(&database, &map.table)?
                    }
                    Some(_) | None => None,
                };
                let keys = keys.filter(|keys| keys.fits(map));
                let bound = keys.map_or_else(Bound::unknown, |keys| {
                    Bound::new(&database, &map.table, &keys)
                });
                Known {
                    map: map.clone(),
                    database,
                    bound,
                }
            }
        };
        if self.tables.len() >= TABLES_MAX {
            self.tables.clear();
        }
        let known = self.tables.entry(map.table_id).or_insert(known);
        Ok(&known.bound)
    }
}

/// Adds the rows of an event.
fn add(
    open: &mut WriteSet,
    bound: &Bound,
    table: &Table,
    rows: &RowsEvent<'_>,
    is_divided: bool,
) -> Result<(), DecodeError> {
    let limits = Limits::default();
    let mut chunks = rows.chunks(&table.plan, &limits)?;
    let mut pair = RowPair::default();
    while let Some(mut reader) = chunks.next_chunk()? {
        let mut row = pair.recycled();
        while reader.next_into(&mut row)? {
            open.add(bound, rows.kind, &row, is_divided);
            if open.hashes().is_none() {
                return Ok(());
            }
        }
        pair = row.recycled();
    }
    Ok(())
}
