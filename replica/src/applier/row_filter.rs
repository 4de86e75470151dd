//! `replicate_row_filter`: which rows of an event are applied, and as what.
//!
//! A row that is in before and behind an update is updated, one that leaves is deleted, one that comes is
//! inserted. Images keep their bytes; only the events around them are made anew. What an image does
//! not say is not guessed: the applier stops, before anything of the event was applied.

use std::borrow::Cow;
use std::collections::HashMap;

use binlog::limits::Limits;
use binlog::log::Damage;
use binlog::row::{Column, RowImages, RowPair, RowPlan, RowsEvent, RowsKind, TableMap};
use config::ReplicationFilter;
use engine::dml::row_filter::{self, NotDecided};
use sql::error::SqlError;
use targets::TargetError;

use super::error::Reason;

/// The conditions of a channel, bound to the tables that events name.
#[derive(Default)]
pub(super) struct RowFilters {
    by_id: HashMap<u64, Bound>,
}

/// Tables beyond which all are forgotten: a source gives a table a new number at each change.
const TABLES_MAX: usize = 1024;

/// A condition and the table it was read for.
struct Bound {
    map: TableMap<'static>,
    filter: row_filter::RowFilter,
    plan: RowPlan,
}

/// The part of an event that is applied.
#[derive(Default)]
pub(super) struct Admitted {
    /// The events, in their order.
    pub(super) events: Vec<RowsEvent<'static>>,
    /// Rows that are not applied.
    pub(super) left_out: u64,
}

impl RowFilters {
    /// Forgets what tables look like.
    pub(super) fn forget(&mut self) {
        self.by_id.clear();
    }

    /// What is applied of an event; `None` for a table without a condition: all of it. `known` is
    /// asked for the columns of the table as they are here, where the log does not say enough.
    pub(super) fn admitted(
        &mut self,
        filter: &ReplicationFilter,
        database: &str,
        (map, event): (&TableMap<'static>, &RowsEvent<'_>),
        known: impl FnOnce() -> Result<Vec<Column<'static>>, TargetError>,
    ) -> Result<Option<Admitted>, Reason> {
        let Some(rule) = filter.row_filter(database, &map.table) else {
            return Ok(None);
        };
        let name = rule.table.to_string();
        if self.by_id.len() >= TABLES_MAX {
            self.by_id.clear();
        }
        let bound = self.by_id.remove(&map.table_id);
        let bound = match bound.filter(|bound| is_same(&bound.map, map)) {
            Some(bound) => bound,
            None => {
                let bound = Bound::new(&rule.expression, map, known);
                bound.map_err(|error| about(&name, error))?
            }
        };
        let admitted = bound.divide(&name, event);
        self.by_id.insert(map.table_id, bound);
        admitted.map(Some)
    }
}

fn is_same(known: &TableMap<'_>, map: &TableMap<'_>) -> bool {
    known.schema == map.schema && known.table == map.table && known.columns == map.columns
}

/// An error of the condition on a table.
fn about(table: &str, error: TargetError) -> Reason {
    match error {
        TargetError::Unsupported(error) => {
            let text = format!("replicate_row_filter of {table}: {}", error.message);
            let error = SqlError::new(error.code, error.state, text);
            Reason::Target(TargetError::Unsupported(error))
        }
        error => Reason::Target(error),
    }
}

impl Bound {
    fn new(
        condition: &str,
        map: &TableMap<'static>,
        known: impl FnOnce() -> Result<Vec<Column<'static>>, TargetError>,
    ) -> Result<Self, TargetError> {
        let is_described = map.columns.iter().all(|column| column.name.is_some());
        let described = match is_described {
            true => map.clone(),
            false => row_filter::completed(map, &known()?),
        };
        let undecodable = |error: codec::DecodeError| {
            let text = format!("the rows cannot be decoded: {error}");
            TargetError::Unsupported(SqlError::new(1610, "HY000", text))
        };
        Ok(Self {
            map: map.clone(),
            plan: RowPlan::new(&described).map_err(undecodable)?,
            filter: row_filter::RowFilter::new(condition, &described)
                .map_err(TargetError::Unsupported)?,
        })
    }

    /// The rows of an event that are applied.
    fn divide(&self, table: &str, event: &RowsEvent<'_>) -> Result<Admitted, Reason> {
        let undecodable = |error| Reason::Damaged(Damage::Undecodable(error));
        let inflated;
        let event = match event.is_compressed() {
            true => {
                inflated = event.inflated(&Limits::default()).map_err(undecodable)?;
                &inflated
            }
            false => event,
        };
        let mut admitted = Admitted::default();
        let mut images = event.read(&self.plan).map_err(undecodable)?;
        let mut values = event.read(&self.plan).map_err(undecodable)?;
        let mut pair = RowPair::default();
        while let Some(row) = images.next_images().map_err(undecodable)? {
            values.next_into(&mut pair).map_err(undecodable)?;
            match self.fate(table, event.kind, &pair)? {
                Some(kind) => admitted.add(table, event, kind, row)?,
                None => admitted.left_out = admitted.left_out.saturating_add(1),
            }
        }
        Ok(admitted)
    }

    /// What happens to a row here; `None` for nothing.
    fn fate(
        &self,
        table: &str,
        kind: RowsKind,
        pair: &RowPair<'_>,
    ) -> Result<Option<RowsKind>, Reason> {
        let none = Vec::new();
        let decided = |image, otherwise| {
            let held = self.filter.admits(image, otherwise);
            held.map_err(|error| not_decided(table, error))
        };
        Ok(match kind {
            RowsKind::Write => decided(&pair.after, &none)?.then_some(kind),
            RowsKind::Delete => decided(&pair.before, &none)?.then_some(kind),
            RowsKind::Update => {
                let was = decided(&pair.before, &none)?;
                // A column that the image leaves out keeps its value.
                match (was, decided(&pair.after, &pair.before)?) {
                    (true, true) => Some(RowsKind::Update),
                    (true, false) => Some(RowsKind::Delete),
                    (false, true) => Some(RowsKind::Write),
                    (false, false) => None,
                }
            }
        })
    }
}

fn not_decided(table: &str, error: NotDecided) -> Reason {
    let what = match error {
        NotDecided::Missing(column) => format!(
            "replicate_row_filter of {table}: a row image without the column '{column}' (the source \
             needs binlog_row_image=FULL)"
        ),
        NotDecided::Error(error) => {
            format!("replicate_row_filter of {table}: a row ({})", error.message)
        }
    };
    Reason::Unsupported { what }
}

impl Admitted {
    /// Adds a row as one of `kind`, behind the others.
    fn add(
        &mut self,
        table: &str,
        event: &RowsEvent<'_>,
        kind: RowsKind,
        row: RowImages<'_>,
    ) -> Result<(), Reason> {
        if self.events.last().is_none_or(|last| last.kind != kind) {
            self.events.push(alike(table, event, kind)?);
        }
        if let Some(last) = self.events.last_mut() {
            let rows = last.rows.to_mut();
            if kind != RowsKind::Write {
                rows.extend_from_slice(row.before);
            }
            if kind != RowsKind::Delete {
                rows.extend_from_slice(row.after);
            }
        }
        Ok(())
    }
}

/// An event like `event` and of `kind`, without rows.
fn alike(table: &str, event: &RowsEvent<'_>, kind: RowsKind) -> Result<RowsEvent<'static>, Reason> {
    let mut own = event.without_rows();
    if kind == own.kind {
        return Ok(own);
    }
    let is_whole = |columns: &[u8]| {
        let has = |index: usize| {
            let byte = columns.get(index / 8).copied().unwrap_or_default();
            byte >> (index % 8) & 1 == 1
        };
        (0..own.column_count).all(has)
    };
    if kind == RowsKind::Write && (own.is_partial || !is_whole(&own.after_columns)) {
        let what = format!(
            "replicate_row_filter of {table}: a row that comes in by an update, of which the log does \
             not hold every column (the source needs binlog_row_image=FULL and no PARTIAL_JSON),"
        );
        return Err(Reason::Unsupported { what });
    }
    own.is_partial = false;
    own.kind = kind;
    // It names two partitions.
    own.extra = Cow::Borrowed(&[]);
    match kind {
        RowsKind::Write => own.before_columns = Cow::Borrowed(&[]),
        RowsKind::Delete => own.after_columns = Cow::Borrowed(&[]),
        RowsKind::Update => {}
    }
    Ok(own)
}
