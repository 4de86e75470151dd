//! UPDATE of one table.
//!
//! Assignments are evaluated from left to right on the row as it has become so far, as MySQL does,
//! and the columns with ON UPDATE CURRENT_TIMESTAMP follow when anything really changed.

use std::rc::Rc;
use std::sync::Arc;

use binlog::value::Value;
use sqlparser::ast::Assignment;

use super::direct::direct;
use super::row::{Extras, RowExpression};
use super::source::Source;
use super::target::{Target, is_default};
use super::{Computed, keep_warnings};
use crate::catalog::Table;
use crate::execute::Writer;
use crate::expr::bind::{Binder, Place, Scope};
use crate::expr::env::Env;
use crate::outcome::Outcome;
use crate::rows::{Coercion, NullPolicy, RowChange, RowWriter};
use crate::session::SessionContext;
use crate::value::datum::Datum;
use crate::value::sourced::Sourced;
use sql::ast::Update;
use sql::error::SqlError;

/// `column = value`.
pub(super) struct Setting {
    position: usize,
    value: Assigned,
}

/// What a column is set to.
enum Assigned {
    /// DEFAULT.
    Default,
    /// A value that is not computed.
    Direct(Sourced),
    /// An expression.
    Expression(RowExpression),
}

/// The assignments of UPDATE or ON DUPLICATE KEY UPDATE.
pub(super) fn bind_settings(
    binder: &mut Binder<'_>,
    target: &Target,
    assignments: &[Assignment],
    scope: &Scope<'_>,
    extras: &mut Extras,
) -> Result<Vec<Setting>, SqlError> {
    let width = target.table.columns.len();
    let mut settings = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        let (position, column) = target.assigned(assignment)?;
        let value = if is_default(&assignment.value) {
            Assigned::Default
        } else if let Some(value) = direct(binder, &assignment.value, column)? {
            Assigned::Direct(value)
        } else {
            let node = binder.bind(&assignment.value, scope, Place::FIELDS)?;
            Assigned::Expression(RowExpression::new(node, width, extras))
        };
        settings.push(Setting { position, value });
    }
    Ok(settings)
}

/// The row that assignments make of `current`; `given` is what an INSERT gave.
#[expect(clippy::too_many_arguments, reason = "one row's surroundings")]
pub(super) fn apply_settings(
    settings: &[Setting],
    table: &Arc<Table>,
    rows: &RowWriter<'_>,
    current: &[Value<'static>],
    given: &[Value<'static>],
    extras: &[Datum],
    coercion: &mut Coercion,
    (env, computed): (&Env, &Computed),
    session: &SessionContext,
) -> Result<Vec<Value<'static>>, SqlError> {
    let mut after = current.to_vec();
    for setting in settings {
        let Some(column) = table.columns.get(setting.position) else {
            continue;
        };
        let value = match &setting.value {
            Assigned::Direct(value) => coercion.store(column, value.clone())?,
            Assigned::Expression(expression) => {
                let value = expression.eval(table, &after, given, extras, env)?;
                coercion.store(column, expression.given(value, &column.column_type))?
            }
            // DEFAULT of a generated column changes nothing: it is computed below.
            Assigned::Default if column.generated.is_some() => continue,
            Assigned::Default => match computed.default(setting.position, &after, coercion)? {
                Some(value) => value,
                None => rows.default_at(setting.position, column, coercion, session)?,
            },
        };
        if let Some(slot) = after.get_mut(setting.position) {
            *slot = value;
        }
    }
    let assigned: Vec<usize> = settings.iter().map(|setting| setting.position).collect();
    rows.touch(current, &mut after, &assigned, session);
    if after != current {
        computed.refresh(&mut after, coercion)?;
    }
    Ok(after)
}

/// The assignments, and the statement that finds the rows.
fn bind(
    mut binder: Binder<'_>,
    statement: &sqlparser::ast::Update,
    target: &Target,
) -> Result<(Vec<Setting>, Source), SqlError> {
    let scope = target.scope();
    let mut extras = Extras::new();
    let assignments = &statement.assignments;
    let settings = bind_settings(&mut binder, target, assignments, &scope, &mut extras)?;
    let source = Source::bind(
        binder,
        target,
        &scope,
        statement.selection.as_ref(),
        &statement.order_by,
        statement.limit.as_ref(),
        &extras,
    )?;
    Ok((settings, source))
}

pub(super) fn execute(
    writer: &mut Writer,
    update: &Update,
    params: &[Value<'static>],
    session: &mut SessionContext,
    changes: &mut Vec<RowChange>,
) -> Result<Outcome, SqlError> {
    let statement = &update.update;
    let catalog = Arc::clone(writer.catalog());
    let env = Env::of_write(session, update.ignore);
    let mut binder = Binder::new(&catalog, session, params, "", env);
    let target = Target::single(
        &mut binder,
        std::slice::from_ref(&statement.table),
        "UPDATE",
    )?;
    if statement.from.is_some() {
        return Err(SqlError::syntax_error());
    }
    let env = Rc::clone(&binder.env);
    let (settings, source) = bind(binder, statement, &target)?;
    let computed = Computed::of_write(&catalog, &target.table, session, update.ignore)?;
    let found = source.rows(writer.connection(), &target)?;
    let mut coercion = Coercion::new(session, update.ignore, NullPolicy::Adjust);
    coercion.table.clone_from(&target.table.name);
    let mut rows = writer.rows(&target.table)?;
    let matched = found.len();
    let mut changed: u64 = 0;
    for (index, found) in found.into_iter().enumerate() {
        coercion.row = u64::try_from(index + 1).unwrap_or(u64::MAX);
        let after = apply_settings(
            &settings,
            &target.table,
            &rows,
            &found.row.values,
            &[],
            &found.extras,
            &mut coercion,
            (&env, &computed),
            session,
        )?;
        match rows.update(&found.row, after, changes) {
            Ok(true) => changed += 1,
            Ok(false) => {}
            Err(error) if update.ignore && is_ignorable(&error) => session.warn(error),
            Err(error) => return Err(error),
        }
    }
    coercion.warnings.extend(computed.take_warnings());
    let warnings = keep_warnings(&env, coercion.warnings, session);
    let matched = u64::try_from(matched).unwrap_or(u64::MAX);
    Ok(Outcome::Ok {
        affected: if session.client_found_rows {
            matched
        } else {
            changed
        },
        last_insert_id: 0,
        info: format!("Rows matched: {matched}  Changed: {changed}  Warnings: {warnings}"),
        warnings,
    })
}

/// Errors of a row that IGNORE turns into warnings.
pub(super) fn is_ignorable(error: &SqlError) -> bool {
    matches!(
        error.code,
        1022 | 1048 | 1062 | 1451 | 1452 | 1557 | 1586 | 3819
    )
}
