//! INSERT, REPLACE, UPDATE and DELETE: which rows a statement touches and what they become.
//!
//! SQLite finds the rows, all of them before the first is changed; their new values are evaluated in
//! Rust, coerced into their columns and written one row at a time by `rows::RowWriter`, which lists
//! the changes. Counts, warnings and generated ids are MySQL's.

mod computed;
mod delete;
mod direct;
mod evaluated;
mod insert;
mod replace;
mod row;
pub mod row_filter;
mod row_value;
mod source;
mod target;
mod update;

pub(crate) use computed::{Computed, kept_expression};
pub(crate) use row_value::RowValue;

use std::sync::Arc;

use binlog::value::Value;

use crate::execute::Writer;
use crate::expr::env::Env;
use crate::outcome::Outcome;
use crate::rows::RowChange;
use crate::select;
use crate::session::SessionContext;
use sql::ast::Write;
use sql::error::SqlError;

/// Executes a statement on rows within the writer's group, and appends the rows it changed. The
/// caller undoes what a failed statement did.
pub fn execute(
    writer: &mut Writer,
    statement: &Write,
    params: &[Value<'_>],
    session: &mut SessionContext,
    changes: &mut Vec<RowChange>,
) -> Result<Outcome, SqlError> {
    let params = owned(params);
    match statement {
        Write::Insert(insert) | Write::Replace(insert) => {
            insert::execute(writer, insert, &params, session, changes)
        }
        Write::Update(update) => update::execute(writer, update, &params, session, changes),
        Write::Delete(delete) => delete::execute(writer, delete, &params, session, changes),
        Write::Binlog(_) => match params.first() {
            Some(Value::Bytes(events)) => {
                writer.apply_binlog(events, session.binlog_format, changes)
            }
            _ => Err(SqlError::syntax_error()),
        },
    }
}

/// Answers a SELECT with what the writer's group sees.
pub fn select(
    writer: &mut Writer,
    query: &sqlparser::ast::Query,
    params: &[Value<'_>],
    session: &mut SessionContext,
) -> Result<Outcome, SqlError> {
    let catalog = Arc::clone(writer.catalog());
    let text = std::mem::take(&mut session.statement_text);
    let result = select::run(
        writer.connection(),
        &catalog,
        query,
        &text,
        &owned(params),
        session,
    );
    result.map(Outcome::Rows)
}

fn owned(params: &[Value<'_>]) -> Vec<Value<'static>> {
    let values = params.iter();
    values.map(|value| value.borrowed().into_owned()).collect()
}

/// Moves the warnings of a statement into the session; returns their number.
fn keep_warnings(
    env: &Env,
    coerced: Vec<sql::error::Warning>,
    session: &mut SessionContext,
) -> u16 {
    // What computing a value warns of comes before what storing it does.
    session.warnings.extend(env.take_warnings());
    session.warnings.extend(coerced);
    if let Some(id) = env.last_insert_id.take() {
        session.last_insert_id = id;
    }
    u16::try_from(session.warnings.len()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod change_tests;
#[cfg(test)]
mod tests;
