//! The rows that UPDATE and DELETE touch, found before any of them is changed.

use rusqlite::Connection;
use sqlparser::ast::{Expr, OrderByExpr};

use super::row::Extras;
use super::target::Target;
use crate::expr::bind::{Binder, Place, Scope};
use crate::expr::emit::Emitter;
use crate::expr::types::Type;
use crate::rows::{RowId, StoredRow};
use crate::select::Cursor;
use crate::value::datum::Datum;
use crate::value::memory;
use crate::value::stored::column::decode_row;
use crate::value::stored::expression;
use sql::error::SqlError;

/// The statement that finds the rows.
pub(super) struct Source {
    sql: String,
    emitter: Emitter,
    extras: Vec<Type>,
}

/// A row to change, with what SQLite computed beside it.
pub(super) struct Found {
    pub(super) row: StoredRow,
    pub(super) extras: Vec<Datum>,
}

impl Source {
    /// Binds WHERE, ORDER BY and LIMIT of a statement on one table.
    pub(super) fn bind(
        mut binder: Binder<'_>,
        target: &Target,
        scope: &Scope<'_>,
        condition: Option<&Expr>,
        order: &[OrderByExpr],
        limit: Option<&Expr>,
        extras: &Extras,
    ) -> Result<Self, SqlError> {
        let alias = &target.sql_alias;
        let mut sql = format!("SELECT {alias}.rowid");
        for column in &target.table.columns {
            sql.push_str(&format!(",{alias}.{}", column.sqlite_name()));
        }
        for extra in extras {
            sql.push_str(&format!(",{}", binder.emitter.value(extra)?));
        }
        sql.push_str(&format!(" FROM {} AS {alias}", target.table.sqlite_name()));
        if let Some(condition) = condition {
            let node = binder.bind(condition, scope, Place::WHERE)?;
            sql.push_str(" WHERE ");
            sql.push_str(&binder.emitter.truth(&node)?);
        }
        let orders = binder.plain_orders(order, scope)?;
        if let Some(order) = binder.order_text(&orders)? {
            sql.push_str(" ORDER BY ");
            sql.push_str(&order);
        }
        if let Some(limit) = limit {
            sql.push_str(" LIMIT ");
            sql.push_str(&binder.row_count(limit)?);
        }
        let extras = extras.iter().map(|node| node.ty.clone()).collect();
        Ok(Self {
            sql,
            emitter: binder.emitter,
            extras,
        })
    }

    /// Reads all rows.
    pub(super) fn rows(
        self,
        connection: &Connection,
        target: &Target,
    ) -> Result<Vec<Found>, SqlError> {
        let width = target.table.columns.len();
        let mut out = Vec::new();
        let mut held = 0_usize;
        let mut failure: Option<SqlError> = None;
        let mut cursor = Cursor::open(connection, &self.sql, self.emitter)?;
        let read = cursor.each(|row, program| {
            let zone = &program.env.zone;
            let extras = self.extras.iter().enumerate().map(|(index, ty)| {
                Ok(expression::decode(
                    row.get_ref(width + 1 + index)?,
                    ty,
                    zone,
                ))
            });
            let extras = extras.collect::<rusqlite::Result<Vec<_>>>()?;
            match decode_row(&target.table, row, 1) {
                Ok(values) => {
                    let texts = extras.iter().map(memory::size).sum::<usize>();
                    held = held
                        .saturating_add(memory::row_size(&values))
                        .saturating_add(texts)
                        .saturating_add(size_of_val(extras.as_slice()));
                    if let Err(error) = memory::check_changes(held) {
                        failure = Some(error);
                        return Err(rusqlite::Error::InvalidQuery);
                    }
                    let row = StoredRow {
                        id: RowId(row.get(0)?),
                        values,
                    };
                    out.push(Found { row, extras });
                }
                Err(error) => failure = Some(error.into()),
            }
            Ok(())
        });
        match failure {
            Some(error) => Err(error),
            None => read.map(|()| out),
        }
    }
}
