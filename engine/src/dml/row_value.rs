//! The value that a kept expression has for a row of a table.

use std::rc::Rc;
use std::sync::Arc;

use binlog::value::Value;

use super::computed::kept_expression;
use super::row::{Extras, RowExpression};
use crate::catalog::{Catalog, Table};
use crate::expr::bind::{Binder, Place, Scope, unsupported};
use crate::expr::env::Env;
use crate::select::base_relation;
use crate::session::SessionContext;
use crate::value::datum::Datum;
use sql::error::SqlError;

/// An expression, bound to the columns of a table.
pub(crate) struct RowValue {
    table: Arc<Table>,
    expression: RowExpression,
    env: Rc<Env>,
}

impl RowValue {
    /// Binds an expression's text as the catalogue keeps it.
    pub(crate) fn new(
        catalog: &Arc<Catalog>,
        table: &Arc<Table>,
        text: &str,
        session: &SessionContext,
    ) -> Result<Self, SqlError> {
        let env = Env::of_write(session, false);
        let mut binder = Binder::new(catalog, session, &[], "", env);
        binder.is_kept = true;
        let database = table.database.clone();
        let scope = Scope {
            relations: vec![base_relation(table, &table.name, "t", 0, Some(database))],
            ..Scope::default()
        };
        let node = binder.bind(&kept_expression(text)?, &scope, Place::FIELDS)?;
        let mut extras = Extras::new();
        let expression = RowExpression::new(node, table.columns.len(), &mut extras);
        if !extras.is_empty() {
            return unsupported("a subquery in a kept expression");
        }
        Ok(Self {
            table: Arc::clone(table),
            expression,
            env: Rc::clone(&binder.env),
        })
    }

    /// Its value for a row; for none where it is one of constants.
    pub(crate) fn of(&self, row: &[Value<'static>]) -> Result<Datum, SqlError> {
        let (table, env) = (&self.table, &self.env);
        self.expression.eval(table, row, &[], &[], env)
    }
}
