//! What becomes of a new row when one with its key is there already.

use binlog::value::Value;

use super::Computed;
use super::update::{Setting, apply_settings, is_ignorable};
use crate::expr::env::Env;
use crate::rows::{Coercion, RowChange, RowWriter};
use crate::session::SessionContext;
use sql::error::SqlError;

/// How an INSERT meets duplicates.
pub(super) enum Duplicates {
    /// Error 1062.
    Fail,
    /// Warning 1062, and the row is left out.
    Ignore,
    /// REPLACE: the stored rows go.
    Replace,
    /// ON DUPLICATE KEY UPDATE: the stored row changes.
    Update {
        /// The assignments.
        settings: Vec<Setting>,
        /// INSERT IGNORE ... ON DUPLICATE KEY UPDATE.
        ignore: bool,
    },
}

/// What a statement did so far.
#[derive(Default)]
pub(super) struct Counts {
    /// Rows given.
    pub(super) records: u64,
    /// Rows inserted.
    pub(super) inserted: u64,
    /// Rows deleted or changed in their place.
    pub(super) touched: u64,
    /// As MySQL counts.
    pub(super) affected: u64,
    /// Whether any row asked for an id.
    pub(super) generated: bool,
    pub(super) first_generated: u64,
    pub(super) last_explicit: u64,
}

impl Counts {
    /// The number behind `Duplicates:`.
    pub(super) fn duplicates(&self, ignore: bool) -> u64 {
        if ignore {
            self.records.saturating_sub(self.inserted)
        } else {
            self.touched
        }
    }
}

impl Duplicates {
    /// Writes one row.
    #[expect(clippy::too_many_arguments, reason = "one row's surroundings")]
    pub(super) fn write(
        &self,
        rows: &mut RowWriter<'_>,
        values: Vec<Value<'static>>,
        coercion: &mut Coercion,
        (env, computed): (&Env, &Computed),
        session: &mut SessionContext,
        changes: &mut Vec<RowChange>,
        counts: &mut Counts,
    ) -> Result<(), SqlError> {
        counts.records += 1;
        match self {
            Self::Fail => {
                rows.insert(values, changes)?;
                counts.inserted += 1;
                counts.affected += 1;
            }
            Self::Ignore => match rows.insert(values, changes) {
                Ok(_) => {
                    counts.inserted += 1;
                    counts.affected += 1;
                }
                Err(error) if is_ignorable(&error) => session.warn(error),
                Err(error) => return Err(error),
            },
            Self::Replace => replace(rows, values, changes, counts)?,
            Self::Update { settings, ignore } => {
                let Some(conflict) = rows.conflict(&values)? else {
                    rows.insert(values, changes)?;
                    counts.inserted += 1;
                    counts.affected += 1;
                    return Ok(());
                };
                let table = std::sync::Arc::clone(rows.table());
                let stored = conflict.row;
                let after = apply_settings(
                    settings,
                    &table,
                    rows,
                    &stored.values,
                    &values,
                    &[],
                    coercion,
                    (env, computed),
                    session,
                )?;
                let id = super::insert::explicit_id(&table, &after);
                match rows.update(&stored, after, changes) {
                    Ok(true) => {
                        counts.touched += 1;
                        counts.affected += 2;
                        counts.last_explicit = id;
                    }
                    Ok(false) => counts.affected += u64::from(session.client_found_rows),
                    Err(error) if *ignore && is_ignorable(&error) => session.warn(error),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Deletes every stored row that is in the way, then inserts. A row that is there already as it is
/// counts once and changes nothing.
fn replace(
    rows: &mut RowWriter<'_>,
    values: Vec<Value<'static>>,
    changes: &mut Vec<RowChange>,
    counts: &mut Counts,
) -> Result<(), SqlError> {
    let mut deleted = 0;
    while let Some(conflict) = rows.conflict(&values)? {
        if deleted == 0 && conflict.row.values == values {
            counts.inserted += 1;
            counts.affected += 1;
            return Ok(());
        }
        rows.delete(conflict.row, changes)?;
        deleted += 1;
    }
    rows.insert(values, changes)?;
    counts.inserted += 1;
    counts.touched += deleted;
    counts.affected += 1 + deleted;
    Ok(())
}
