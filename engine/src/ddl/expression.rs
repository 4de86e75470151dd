//! Expressions in definitions: DEFAULT (...) and GENERATED ALWAYS AS (...).
//!
//! An expression is kept as the text that MySQL shows of it: names in backquotes, strings with their
//! character set, operators in parentheses. That text means the same under every sql_mode and
//! character set, whoever reads it later. What MySQL does not allow in it is refused here with
//! MySQL's numbers; what the engine cannot compute, with 1235.

mod allowed;
mod calls;
mod print;

use std::collections::HashSet;
use std::sync::Arc;

use crate::catalog::{Catalog, Column, ColumnDefault, Table};
use crate::dml::Computed;
use crate::session::SessionContext;
use crate::value::DateRules;
use sql::SqlMode;
use sql::ast::Expression;
use sql::error::SqlError;
use sqlparser::ast::Expr;

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// GENERATED ALWAYS AS (...).
    Generated,
    /// DEFAULT (...).
    Default,
}

/// An expression as it is kept, and what it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// MySQL's text of it.
    pub(super) text: String,
    /// The columns that it names, in the order of the text.
    pub(super) columns: Vec<String>,
    /// A function that gives a replica another value than its source.
    pub(super) unsafe_function: Option<String>,
}

/// The kept form of an expression of `column`. Errors 1111, 1235, 3102, 3593, 3763, 3764, 3772 and
/// their kin for defaults.
pub(super) fn written(
    session: &SessionContext,
    column: &str,
    purpose: Purpose,
    expression: &Expression,
) -> Result<Written, SqlError> {
    if let Expr::Tuple(_) = expression.expr {
        return Err(purpose.row_value(column));
    }
    let charset = session.collation_connection.charset.name();
    let mut printer = print::Printer::new(column, purpose, charset, session.applies_log);
    printer.client = Some(session.character_set_client);
    printer.reads_escapes =
        session.applies_log || !session.sql_mode.contains(SqlMode::NO_BACKSLASH_ESCAPES);
    if !session.applies_log {
        printer.dates = DateRules::of(session.sql_mode);
    }
    let text = printer.print(&expression.expr)?;
    Ok(printer.finish(text))
}

/// The kept form of a condition that gives the same for the same row, and the columns that it names: what
/// may stand in a generated column. Errors as there, of `what` in the place of the column.
pub(crate) fn deterministic(
    session: &SessionContext,
    what: &str,
    expression: &Expression,
) -> Result<(String, Vec<String>), SqlError> {
    let written = written(session, what, Purpose::Generated, expression)?;
    Ok((written.text, written.columns))
}

/// Checks what expressions refer to, and that each can be computed: errors 1054, 3107, 3109, 3767
/// and 3768.
pub(super) fn check(
    session: &SessionContext,
    catalog: &Arc<Catalog>,
    table: &Table,
) -> Result<(), SqlError> {
    let mut has_expressions = false;
    for (position, column) in table.columns.iter().enumerate() {
        for (purpose, text) in texts(column) {
            has_expressions = true;
            for name in column_names(session, text)? {
                check_reference(table, position, column, purpose, &name)?;
            }
        }
    }
    if has_expressions {
        Computed::check(catalog, &Arc::new(table.clone()), session)?;
    }
    Ok(())
}

/// Error 3108 or 3766 when a column is gone or has another name that an expression still means, itself
/// or through virtual columns. It names the first such column.
pub(super) fn check_dependents(
    session: &SessionContext,
    old: &Table,
    new: &Table,
) -> Result<(), SqlError> {
    let mut first: Option<(usize, Purpose)> = None;
    for column in &new.columns {
        for (purpose, text) in texts(column) {
            let mut names = column_names(session, text)?;
            let mut seen = HashSet::new();
            while let Some(name) = names.pop() {
                let Some((at, before)) = old.column(&name) else {
                    continue;
                };
                if !seen.insert(before.id) {
                    continue;
                }
                let now = new.column(&name).map(|(_, column)| column.id);
                if now != Some(before.id) && first.is_none_or(|(earlier, _)| at < earlier) {
                    first = Some((at, purpose));
                }
                if let Some(generated) = before.generated.as_ref().filter(|kept| !kept.stored) {
                    names.extend(column_names(session, &generated.expression)?);
                }
            }
        }
    }
    let Some((at, purpose)) = first else {
        return Ok(());
    };
    let name = old.columns.get(at).map(|column| column.name.clone());
    let name = name.unwrap_or_default();
    Err(match purpose {
        Purpose::Generated => SqlError::dependent_by_generated_column(name),
        Purpose::Default => SqlError::dependent_by_default_generated_value(name, &old.name),
    })
}

/// The expressions of a column.
fn texts(column: &Column) -> impl Iterator<Item = (Purpose, &str)> {
    let generated = column
        .generated
        .as_ref()
        .map(|generated| (Purpose::Generated, generated.expression.as_str()));
    let default = match &column.default {
        ColumnDefault::Expression(text) => Some((Purpose::Default, text.as_str())),
        _ => None,
    };
    generated.into_iter().chain(default)
}

/// The columns that a kept expression names.
pub(super) fn column_names(session: &SessionContext, text: &str) -> Result<Vec<String>, SqlError> {
    let expression = crate::dml::kept_expression(text)?;
    let charset = session.collation_connection.charset.name();
    // Every kept expression was allowed when it was written; only its names are wanted.
    let mut printer = print::Printer::new("", Purpose::Default, charset, true);
    match printer.print(&expression) {
        Ok(text) => Ok(printer.finish(text).columns),
        // Kept by an earlier version in another form: nothing is known of it.
        Err(_) => Ok(Vec::new()),
    }
}

fn check_reference(
    table: &Table,
    position: usize,
    column: &Column,
    purpose: Purpose,
    name: &str,
) -> Result<(), SqlError> {
    let (at, found) = table
        .column(name)
        .ok_or_else(|| SqlError::bad_field(name, purpose.clause()))?;
    let is_computed =
        found.generated.is_some() || matches!(found.default, ColumnDefault::Expression(_));
    match purpose {
        Purpose::Generated if found.auto_increment => {
            Err(SqlError::generated_column_ref_auto_inc(&column.name))
        }
        Purpose::Generated if is_computed && at >= position => {
            Err(SqlError::generated_column_non_prior())
        }
        Purpose::Default if found.auto_increment => {
            Err(SqlError::default_val_generated_ref_auto_inc(&column.name))
        }
        Purpose::Default if is_computed && at >= position => {
            Err(SqlError::default_val_generated_non_prior(&column.name))
        }
        Purpose::Generated | Purpose::Default => Ok(()),
    }
}

impl Purpose {
    /// MySQL's name of the clause in error 1054.
    fn clause(self) -> &'static str {
        match self {
            Purpose::Generated => "generated column function",
            Purpose::Default => "default value expression",
        }
    }

    fn row_value(self, column: &str) -> SqlError {
        match self {
            Purpose::Generated => SqlError::generated_column_row_value(column),
            Purpose::Default => SqlError::default_val_generated_row_value(column),
        }
    }

    /// A function or a form that is not allowed here.
    fn disallowed(self, column: &str, function: Option<&str>) -> SqlError {
        match (self, function) {
            (Purpose::Generated, Some(function)) => {
                SqlError::generated_column_named_function_is_not_allowed(column, function)
            }
            (Purpose::Generated, None) => {
                SqlError::generated_column_function_is_not_allowed(column)
            }
            (Purpose::Default, Some(function)) => {
                SqlError::default_val_generated_named_function_is_not_allowed(column, function)
            }
            (Purpose::Default, None) => {
                SqlError::default_val_generated_function_is_not_allowed(column)
            }
        }
    }
}
