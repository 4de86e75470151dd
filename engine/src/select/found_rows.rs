//! FOUND_ROWS() and SQL_CALC_FOUND_ROWS.
//!
//! Without the modifier it is how far the statement has counted: the rows sent and those skipped by
//! OFFSET. With it, it is what the statement would give without its outermost LIMIT; that is counted
//! by a second statement on the same moment of the database.

use std::sync::Arc;

use binlog::value::Value;
use rusqlite::Connection;
use sqlparser::ast::{LimitClause, Query, Select, SetExpr};

use super::run::Cursor;
use crate::catalog::Catalog;
use crate::expr::bind::Binder;
use crate::expr::env::Env;
use crate::session::SessionContext;
use sql::error::SqlError;

/// The SELECT that may have the modifier: the first of the statement.
pub(crate) fn place(query: &Query) -> Option<*const Select> {
    first(&query.body).map(std::ptr::from_ref)
}

fn first(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => first(&query.body),
        SetExpr::SetOperation { left, .. } => first(left),
        _ => None,
    }
}

fn asks(select: &Select) -> bool {
    let modifiers = select.select_modifiers.as_ref();
    modifiers.is_some_and(|modifiers| modifiers.sql_calc_found_rows)
}

impl Binder<'_> {
    /// Error 1234 for the modifier anywhere but in the statement's first SELECT.
    pub(super) fn check_found_rows(&self, select: &Select) -> Result<(), SqlError> {
        let is_first = self
            .found_rows_place
            .is_some_and(|place| std::ptr::eq(place, select));
        if asks(select) && !is_first {
            return Err(SqlError::cant_use_option_here("SQL_CALC_FOUND_ROWS"));
        }
        Ok(())
    }
}

/// FOUND_ROWS() after `query` has sent `sent` rows.
pub(super) fn after(
    connection: &Connection,
    catalog: &Arc<Catalog>,
    query: &Query,
    params: &[Value<'static>],
    session: &SessionContext,
    sent: u64,
) -> Result<u64, SqlError> {
    if first(&query.body).is_some_and(asks) {
        return count(connection, catalog, query, params, session);
    }
    let env = Env::of_session(session);
    let mut binder = Binder::new(catalog, session, params, "", env);
    let Some((limit, offset)) = binder.limits(query.limit_clause.as_ref())? else {
        return Ok(sent);
    };
    if offset == 0 || sent > 0 {
        return Ok(offset.saturating_add(sent));
    }
    let all = count(connection, catalog, query, params, session)?;
    Ok(all.min(offset.saturating_add(limit)))
}

/// How many rows `query` has without its LIMIT.
fn count(
    connection: &Connection,
    catalog: &Arc<Catalog>,
    query: &Query,
    params: &[Value<'static>],
    session: &SessionContext,
) -> Result<u64, SqlError> {
    let mut query = query.clone();
    unlimit(&mut query);
    let env = Env::of_session(session);
    let mut binder = Binder::new(catalog, session, params, "", env);
    binder.found_rows_place = place(&query);
    let bound = binder.query(&query, None)?;
    let sql = format!("SELECT count(*) FROM ({})", bound.sql);
    let mut rows = 0_i64;
    Cursor::open(connection, &sql, binder.emitter)?.each(|row, _| {
        rows = row.get(0)?;
        Ok(())
    })?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

fn unlimit(query: &mut Query) {
    query.limit_clause = None::<LimitClause>;
    if let SetExpr::Query(inner) = query.body.as_mut() {
        unlimit(inner);
    }
}
