//! Cascades of foreign keys that a log leaves out.
//!
//! InnoDB runs them below the row events: before MySQL 9.6, with `innodb_native_foreign_keys=ON`, and on
//! MariaDB, a log holds the parent's row alone. They are run here row by row, as there: the children of
//! a changed parent, then theirs. What a source has refused cannot be in a log, so RESTRICT and NO ACTION
//! ask nothing. Source: mysql-server 8.4, storage/innobase/row/row0ins.cc,
//! `row_ins_foreign_check_on_constraint`.

use std::sync::Arc;

use binlog::row::{RowsEvent, RowsFlags, RowsKind};
use binlog::value::Value;

use super::ApplyError;
use crate::catalog::{ForeignKey, Reference, ReferentialAction, Table};
use crate::dml::Computed;
use crate::execute::Writer;
use crate::rows::{Coercion, NullPolicy, RowChange, RowId, StoredRow};
use crate::session::SessionContext;
use sql::SqlMode;
use sql::error::SqlError;

/// How far cascades go in InnoDB, which refuses the statement beyond it.
const DEPTH_MAX: usize = 15;

/// Whether changes of this event may cascade in a way that the log does not show.
pub(super) fn is_unlogged(event: &RowsEvent<'_>) -> bool {
    event.kind != RowsKind::Write
        && !event.flags.contains(RowsFlags::USE_SQL_FOREIGN_KEY)
        && !event.flags.contains(RowsFlags::NO_FOREIGN_KEY_CHECKS)
}

/// A parent row that was changed.
struct Parent<'p> {
    table: &'p Table,
    before: &'p [Value<'static>],
    /// None for one that was deleted.
    after: Option<&'p [Value<'static>]>,
}

/// What becomes of the children of a parent row.
struct Effect {
    /// Values of the parent's columns that the children have.
    key: Vec<Value<'static>>,
    /// What they get in place of them; none if they go.
    new: Option<Vec<Value<'static>>>,
}

/// Does to children what a change of a row asks.
pub(super) fn follow(writer: &mut Writer, change: &RowChange) -> Result<(), ApplyError> {
    let Some(before) = change.before.as_deref() else {
        return Ok(());
    };
    let parent = Parent {
        table: &change.table,
        before,
        after: change.after.as_deref(),
    };
    descend(writer, &parent, 1)
}

fn descend(writer: &mut Writer, parent: &Parent<'_>, depth: usize) -> Result<(), ApplyError> {
    let table = parent.table;
    let references = writer.catalog().references_to(&table.database, &table.name);
    for reference in references.iter() {
        let Some(key) = reference.key() else { continue };
        let Some(effect) = effect(parent, key) else {
            continue;
        };
        if depth > DEPTH_MAX {
            let text = "Foreign key cascade delete/update exceeds max depth of 15";
            return Err(conflict(&effect, &reference.child, too_deep(text)));
        }
        let done = children(writer, reference, key, &effect, depth);
        done.map_err(|failure| match failure {
            Failure::Below(error) => error,
            Failure::Here(error) => conflict(&effect, &reference.child, error),
        })?;
    }
    Ok(())
}

fn too_deep(text: &str) -> SqlError {
    SqlError::new(3008, "HY000", text)
}

/// Why a child could not follow.
enum Failure {
    Here(SqlError),
    Below(ApplyError),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Failure::Here(error)
    }
}

/// What a foreign key asks when this row changes; none if nothing.
fn effect(parent: &Parent<'_>, key: &ForeignKey) -> Option<Effect> {
    let mut before = Vec::with_capacity(key.parent_columns.len());
    let mut after = Vec::with_capacity(key.parent_columns.len());
    for name in &key.parent_columns {
        let (at, _) = parent.table.column(name)?;
        // NULL is no key, and has no children.
        let value = parent.before.get(at).filter(|value| !value.is_null())?;
        before.push(value.clone());
        if let Some(row) = parent.after {
            after.push(row.get(at)?.clone());
        }
    }
    let (action, new) = match parent.after {
        None => (key.on_delete, None),
        // Bytes count: another letter case is another key to follow.
        Some(_) if before == after => return None,
        Some(_) => (key.on_update, Some(after)),
    };
    let nulls = || vec![Value::Null; before.len()];
    let new = match action {
        ReferentialAction::NoAction
        | ReferentialAction::Restrict
        | ReferentialAction::SetDefault => return None,
        ReferentialAction::Cascade => new,
        ReferentialAction::SetNull => Some(nulls()),
    };
    Some(Effect { key: before, new })
}

/// Refuses to look for children by a collation whose equality is not that of the source: some that the
/// source has found would not be.
fn check_equality(child: &Table, positions: &[usize]) -> Result<(), SqlError> {
    let mut columns = positions.iter().filter_map(|at| child.columns.get(*at));
    let not_kept = columns.find_map(|column| column.column_type.collation()?.not_kept());
    match not_kept {
        None => Ok(()),
        Some(what) => Err(SqlError::not_supported(format!(
            "a foreign key of '{}' that is followed by the {what}",
            child.name
        ))),
    }
}

/// Changes or deletes the children that have the key, one after the other.
fn children(
    writer: &mut Writer,
    reference: &Reference,
    key: &ForeignKey,
    effect: &Effect,
    depth: usize,
) -> Result<(), Failure> {
    let child = &reference.child;
    let positions: Option<Vec<usize>> = key
        .columns
        .iter()
        .map(|id| child.column_by_id(*id).map(|(at, _)| at))
        .collect();
    let Some(positions) = positions else {
        return Ok(());
    };
    check_equality(child, &positions)?;
    let mut computed = None;
    let mut last = None;
    while let Some(stored) = next_child(writer, child, (&positions, &effect.key), last)? {
        last = Some(stored.id);
        let Some(new) = &effect.new else {
            writer
                .rows(child)
                .map_err(SqlError::from)?
                .delete_unlisted(stored.id)?;
            let gone = Parent {
                table: child,
                before: &stored.values,
                after: None,
            };
            descend(writer, &gone, depth + 1).map_err(Failure::Below)?;
            continue;
        };
        let mut values = stored.values.clone();
        for (at, value) in positions.iter().zip(new) {
            if let Some(slot) = values.get_mut(*at) {
                slot.clone_from(value);
            }
        }
        if computed.is_none() {
            computed = Some(generated(writer, child)?);
        }
        if let Some(Some((computed, coercion))) = &mut computed {
            computed.refresh(&mut values, coercion)?;
        }
        let mut rows = writer.rows(child).map_err(SqlError::from)?;
        rows.update_unlisted(stored.id, &stored.values, &values)?;
        let changed = Parent {
            table: child,
            before: &stored.values,
            after: Some(&values),
        };
        descend(writer, &changed, depth + 1).map_err(Failure::Below)?;
    }
    Ok(())
}

/// The next row behind `last` that has the key.
fn next_child(
    writer: &mut Writer,
    child: &Arc<Table>,
    key: (&[usize], &[Value<'_>]),
    last: Option<RowId>,
) -> Result<Option<StoredRow>, SqlError> {
    let rows = writer.rows(child)?;
    rows.next_with(key.0, key.1, last)
}

/// What computes the generated columns of a child, if it has some.
fn generated(
    writer: &Writer,
    child: &Arc<Table>,
) -> Result<Option<(Computed, Coercion)>, SqlError> {
    let mut columns = child.columns.iter();
    if !columns.any(|column| column.generated.is_some()) {
        return Ok(None);
    }
    let mut session = SessionContext::new(0);
    session.sql_mode = SqlMode::default();
    let computed = Computed::new(writer.catalog(), child, &session)?;
    let coercion = Coercion::new(&session, true, NullPolicy::Adjust);
    Ok(Some((computed, coercion)))
}

fn conflict(effect: &Effect, child: &Table, error: SqlError) -> ApplyError {
    ApplyError::Conflict {
        event: match effect.new {
            Some(_) => "Update_rows",
            None => "Delete_rows",
        },
        table: format!("{}.{}", child.database, child.name),
        error,
    }
}
