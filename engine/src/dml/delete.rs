//! DELETE from one table.

use std::rc::Rc;
use std::sync::Arc;

use binlog::value::Value;
use sqlparser::ast::FromTable;

use super::keep_warnings;
use super::row::Extras;
use super::source::Source;
use super::target::Target;
use crate::execute::Writer;
use crate::expr::bind::{Binder, unsupported};
use crate::expr::env::Env;
use crate::outcome::Outcome;
use crate::rows::RowChange;
use crate::session::SessionContext;
use sql::ast::Delete;
use sql::error::SqlError;

pub(super) fn execute(
    writer: &mut Writer,
    delete: &Delete,
    params: &[Value<'static>],
    session: &mut SessionContext,
    changes: &mut Vec<RowChange>,
) -> Result<Outcome, SqlError> {
    let statement = &delete.delete;
    if !statement.tables.is_empty() || statement.using.is_some() {
        return unsupported("multi-table DELETE");
    }
    let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &statement.from;
    let catalog = Arc::clone(writer.catalog());
    let env = Env::of_write(session, delete.ignore);
    let mut binder = Binder::new(&catalog, session, params, "", env);
    let target = Target::single(&mut binder, tables, "DELETE")?;
    let scope = target.scope();
    let env = Rc::clone(&binder.env);
    let source = Source::bind(
        binder,
        &target,
        &scope,
        statement.selection.as_ref(),
        &statement.order_by,
        statement.limit.as_ref(),
        &Extras::new(),
    )?;
    let found = source.rows(writer.connection(), &target)?;
    let affected = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let mut rows = writer.rows(&target.table)?;
    for found in found {
        rows.delete(found.row, changes)?;
    }
    let warnings = keep_warnings(&env, Vec::new(), session);
    Ok(Outcome::Ok {
        affected,
        last_insert_id: 0,
        info: String::new(),
        warnings,
    })
}
