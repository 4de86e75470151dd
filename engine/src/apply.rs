//! Changes from a log: row events and the DDL of Query events.
//!
//! The same code rolls a primary forward from its own log and applies a source's log on a replica.
//! Rows are found by key; what cannot be applied exactly as logged is an error, never a guess.

mod binlog_statement;
mod cascade;
mod columns;
mod ddl;
mod error;
mod images;
mod orders;
mod rows;
mod rules;
mod system;
mod unkept;
mod versions;

pub use binlog_statement::{BinlogEvents, binlog_events};
pub use ddl::{DROP_VIEW, DdlOutcome, DdlStatement, readable};
pub use error::ApplyError;
pub use images::{Image, ImageChange, Images};
pub use rules::{Resolution, Resolved, RowRules, Rule, SkippedErrors};
pub use system::{SYSTEM_ROWS, is_system_table};
pub use unkept::SEQUENCE_ROWS;
pub(crate) use unkept::Unkept;
pub use versions::HISTORY;

use std::sync::Arc;

use binlog::limits::Limits;
use binlog::row::{RowPair, RowPlan, RowsEvent, TableMap};

use self::columns::Mapping;
use self::rules::Leeway;
use self::versions::Versions;
use crate::catalog::Table;
use crate::caught::caught;
use crate::ddl::check_write;
use crate::dml::Computed;
use crate::execute::Writer;
use crate::rows::{Coercion, NullPolicy, RowChange};
use crate::session::SessionContext;
use sql::SqlMode;
use sql::error::SqlError;

/// What a stored row must agree on with the before image of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowCheck {
    /// The columns of the key it is found by, as MySQL checks.
    Key,
    /// Every column: for rolling forward from one's own log, where any difference is damage.
    BeforeImage,
}

/// How many rows of an event were applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppliedRows {
    /// All of them.
    pub count: u64,
    /// Those that say something of a table's history, which is not kept.
    pub history: u64,
}

impl AppliedRows {
    fn add(&mut self, is_history: bool) {
        self.count += 1;
        self.history += u64::from(is_history);
    }
}

/// What applying the rows of one table map needs, kept from event to event.
pub(crate) struct Applier {
    map: TableMap<'static>,
    table: Arc<Table>,
    plan: RowPlan,
    mapping: Mapping,
    versions: Option<Versions>,
}

impl Writer {
    /// Applies the rows of an event to the local table of the same name in `database`, which is the
    /// map's unless a filter renamed it.
    pub fn apply_rows(
        &mut self,
        database: &str,
        map: &TableMap<'_>,
        event: &RowsEvent<'_>,
        check: RowCheck,
    ) -> Result<AppliedRows, ApplyError> {
        let mut strict = Leeway::default();
        self.apply_within(database, map, event, (check, &mut strict), None)
    }

    /// As [`Writer::apply_rows`] by the key, where `rules` say what becomes of rows that do not fit:
    /// those are added to `resolved`.
    pub fn apply_rows_by(
        &mut self,
        database: &str,
        map: &TableMap<'_>,
        event: &RowsEvent<'_>,
        rules: &RowRules,
        resolved: &mut Vec<Resolved>,
    ) -> Result<AppliedRows, ApplyError> {
        let mut leeway = Leeway {
            rules: rules.clone(),
            resolved: Vec::new(),
        };
        let how = (RowCheck::Key, &mut leeway);
        let mut applied = self.apply_within(database, map, event, how, None)?;
        applied.count -= leeway.passed_over();
        resolved.append(&mut leeway.resolved);
        Ok(applied)
    }

    fn apply_within(
        &mut self,
        database: &str,
        map: &TableMap<'_>,
        event: &RowsEvent<'_>,
        how: (RowCheck, &mut Leeway),
        listed: Option<&mut Vec<RowChange>>,
    ) -> Result<AppliedRows, ApplyError> {
        let applier = match self.take_applier(database, map) {
            Some(applier) => applier,
            None => Applier::new(self, database, map)?,
        };
        let unlogged = cascade::is_unlogged(event) && applier.is_parent(self);
        let result = caught(|| match listed {
            // A client's event, which is logged again: cascades would have to be logged too.
            Some(listed) => applier
                .refuse_effects(self)
                .and_then(|()| applier.apply(self, event, how, Some(listed))),
            None if unlogged => applier.apply_and_cascade(self, event, how),
            None => applier.apply(self, event, how, None),
        });
        self.put_applier(map.table_id, applier);
        // Whoever applies undoes the transaction for any error.
        result.unwrap_or_else(|panicked| {
            let error = panicked.error();
            Err(ApplyError::Incompatible { error })
        })
    }

    /// Executes the DDL of a Query event.
    pub fn apply_ddl(&mut self, statement: &DdlStatement<'_>) -> Result<DdlOutcome, ApplyError> {
        ddl::apply(self, statement)
    }
}

impl Applier {
    fn new(writer: &Writer, database: &str, map: &TableMap<'_>) -> Result<Applier, ApplyError> {
        let table = writer
            .catalog()
            .find_table(database, &map.table)
            .map(Arc::clone);
        let table = table.ok_or_else(|| ApplyError::Incompatible {
            error: SqlError::no_such_table(database, &map.table),
        })?;
        let mut map = map.clone().into_owned();
        columns::assume_signedness(&mut map, &table);
        let mapping = Mapping::new(&map, &table)?;
        let plan = RowPlan::new(&map)?;
        let versions = Versions::of(&table, &map)?;
        Ok(Applier {
            map,
            table,
            plan,
            mapping,
            versions,
        })
    }

    /// Whether this was made for `map` and the table is still the same.
    pub(crate) fn fits(&self, writer: &Writer, database: &str, map: &TableMap<'_>) -> bool {
        let known = writer.catalog().find_table(database, &map.table);
        known.is_some_and(|known| Arc::ptr_eq(known, &self.table))
            && self.map.table_id == map.table_id
            && self.mapping.is_of(map)
    }

    /// What computes generated columns, for a table that has some.
    fn computed(&self, writer: &Writer) -> Result<Option<(Computed, Coercion)>, SqlError> {
        let mut columns = self.table.columns.iter();
        if !columns.any(|column| column.generated.is_some()) {
            return Ok(None);
        }
        // The source has accepted the row: nothing about it is an error here.
        let mut session = SessionContext::new(0);
        session.sql_mode = SqlMode::default();
        let computed = Computed::new(writer.catalog(), &self.table, &session)?;
        let coercion = Coercion::new(&session, true, NullPolicy::Adjust);
        Ok(Some((computed, coercion)))
    }

    /// Whether foreign keys refer to the table.
    fn is_parent(&self, writer: &Writer) -> bool {
        let (database, name) = (&self.table.database, &self.table.name);
        !writer.catalog().references_to(database, name).is_empty()
    }

    /// Error 1235 where a client's rows ask for more than is done here.
    fn refuse_effects(&self, writer: &Writer) -> Result<(), ApplyError> {
        let client = SessionContext::new(0);
        let checked = check_write(&client, writer.catalog(), &self.table);
        checked.map_err(|error| ApplyError::Incompatible { error })
    }

    /// Applies the rows one by one, and behind each what its log does not say of children.
    fn apply_and_cascade(
        &self,
        writer: &mut Writer,
        event: &RowsEvent<'_>,
        (check, leeway): (RowCheck, &mut Leeway),
    ) -> Result<AppliedRows, ApplyError> {
        let mut chunks = event.chunks(&self.plan, &Limits::default())?;
        let mut count = AppliedRows::default();
        let mut spare = RowPair::default();
        while let Some(mut reader) = chunks.next_chunk()? {
            let mut pair = spare.recycled();
            while reader.next_into(&mut pair)? {
                let computed = self
                    .computed(writer)
                    .map_err(|error| ApplyError::Incompatible { error })?;
                let mut changed = Vec::new();
                let of_table = writer.rows(&self.table)?;
                let listed = Some(&mut changed);
                let layout = (&self.mapping, self.versions);
                let mut rows = rows::Rows::new(of_table, layout, event, check, listed, computed);
                let is_history = rows.apply_within(&pair, leeway)?;
                drop(rows);
                for change in &changed {
                    cascade::follow(writer, change)?;
                }
                count.add(is_history);
            }
            spare = pair.recycled();
        }
        Ok(count)
    }

    fn apply(
        &self,
        writer: &mut Writer,
        event: &RowsEvent<'_>,
        (check, leeway): (RowCheck, &mut Leeway),
        listed: Option<&mut Vec<RowChange>>,
    ) -> Result<AppliedRows, ApplyError> {
        let mut chunks = event.chunks(&self.plan, &Limits::default())?;
        let computed = self
            .computed(writer)
            .map_err(|error| ApplyError::Incompatible { error })?;
        let rows_of_table = writer.rows(&self.table)?;
        let layout = (&self.mapping, self.versions);
        let mut rows = rows::Rows::new(rows_of_table, layout, event, check, listed, computed);
        let mut count = AppliedRows::default();
        let mut spare = RowPair::default();
        while let Some(mut reader) = chunks.next_chunk()? {
            let mut pair = spare.recycled();
            while reader.next_into(&mut pair)? {
                count.add(rows.apply_within(&pair, leeway)?);
            }
            spare = pair.recycled();
        }
        Ok(count)
    }
}

#[cfg(test)]
mod kept_tests;
#[cfg(test)]
mod tests;
