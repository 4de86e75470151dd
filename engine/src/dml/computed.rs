//! Columns whose values an expression gives: generated ones, and those with DEFAULT (...).
//!
//! The expressions of a table are bound once per statement and evaluated on each row, from the first
//! column to the last, when everything else in the row is known. Every way in which a row comes to
//! be uses this: INSERT, REPLACE, UPDATE and the rebuilding of a table. Rows from a log carry the
//! values of their source.

use std::rc::Rc;
use std::sync::Arc;

use binlog::value::Value;
use sqlparser::ast::{Expr, SelectItem, SetExpr};

use super::row::{Extras, RowExpression};
use crate::catalog::{Catalog, ColumnDefault, Table};
use crate::expr::bind::{Binder, Place, Scope, unsupported};
use crate::expr::env::Env;
use crate::expr::kept;
use crate::expr::node::Node;
use crate::rows::Coercion;
use crate::select::base_relation;
use crate::session::SessionContext;
use crate::value::sourced::Sourced;
use sql::ast::Query;
use sql::error::SqlError;
use sql::{ParseOptions, Statement, parse};

/// The expressions of one table.
#[derive(Debug)]
pub(crate) struct Computed {
    table: Arc<Table>,
    columns: Vec<ComputedColumn>,
    env: Rc<Env>,
}

/// One column and its expression.
#[derive(Debug)]
struct ComputedColumn {
    position: usize,
    is_generated: bool,
    expression: RowExpression,
}

/// The tree of an expression that the catalogue keeps as text.
pub(crate) fn kept_expression(text: &str) -> Result<Expr, SqlError> {
    let select = format!("SELECT {text}");
    let parsed = parse(select.as_bytes(), &ParseOptions::default())?;
    if let Statement::Query(Query::Select(query)) = parsed.statement
        && let SetExpr::Select(select) = query.body.as_ref()
        && let [SelectItem::UnnamedExpr(expr)] = select.projection.as_slice()
    {
        return Ok(expr.clone());
    }
    unsupported("this expression of a column")
}

impl Computed {
    /// Binds the expressions of a table. Errors are those of the expressions.
    pub(crate) fn new(
        catalog: &Arc<Catalog>,
        table: &Arc<Table>,
        session: &SessionContext,
    ) -> Result<Self, SqlError> {
        Self::of_write(catalog, table, session, false)
    }

    /// The same for a statement that with `ignore` makes warnings of errors.
    pub(crate) fn of_write(
        catalog: &Arc<Catalog>,
        table: &Arc<Table>,
        session: &SessionContext,
        ignore: bool,
    ) -> Result<Self, SqlError> {
        Self::bind(catalog, table, session, ignore, &mut |_, _| Ok(()))
    }

    /// Binds the expressions of a new definition and looks at each of them as MySQL does.
    pub(crate) fn check(
        catalog: &Arc<Catalog>,
        table: &Arc<Table>,
        session: &SessionContext,
    ) -> Result<(), SqlError> {
        let judges = !session.applies_log;
        let mut judge = |node: &Node, env: &Env| match judges {
            true => kept::check(node, env),
            false => Ok(()),
        };
        Self::bind(catalog, table, session, false, &mut judge).map(drop)
    }

    fn bind(
        catalog: &Arc<Catalog>,
        table: &Arc<Table>,
        session: &SessionContext,
        ignore: bool,
        judge: &mut dyn FnMut(&Node, &Env) -> Result<(), SqlError>,
    ) -> Result<Self, SqlError> {
        let env = Env::of_write(session, ignore);
        let mut binder = Binder::new(catalog, session, &[], "", env);
        binder.is_kept = true;
        let database = table.database.clone();
        let scope = Scope {
            relations: vec![base_relation(table, &table.name, "t", 0, Some(database))],
            ..Scope::default()
        };
        let mut columns = Vec::new();
        for (position, column) in table.columns.iter().enumerate() {
            let text = match (&column.generated, &column.default) {
                (Some(generated), _) => &generated.expression,
                (None, ColumnDefault::Expression(text)) => text,
                (None, _) => continue,
            };
            let node = binder.bind(&kept_expression(text)?, &scope, Place::FIELDS)?;
            judge(&node, &binder.env)?;
            let mut extras = Extras::new();
            let expression = RowExpression::new(node, table.columns.len(), &mut extras);
            if !extras.is_empty() {
                return unsupported("a subquery in the expression of a column");
            }
            columns.push(ComputedColumn {
                position,
                is_generated: column.generated.is_some(),
                expression,
            });
        }
        Ok(Self {
            table: Arc::clone(table),
            columns,
            env: Rc::clone(&binder.env),
        })
    }

    /// Fills in a new row: all generated columns, and those with a default that `is_default` says
    /// were given no value.
    pub(crate) fn fill(
        &self,
        values: &mut [Value<'static>],
        is_default: impl Fn(usize) -> bool,
        coercion: &mut Coercion,
    ) -> Result<(), SqlError> {
        self.columns
            .iter()
            .filter(|column| column.is_generated || is_default(column.position))
            .try_for_each(|column| self.compute(column, values, coercion))
    }

    /// What completes a new row: [`Computed::fill`] for these given values.
    pub(crate) fn completion<'c>(
        &'c self,
        given: &[Option<Sourced>],
    ) -> impl FnOnce(&mut [Value<'static>], &mut Coercion) -> Result<(), SqlError> + use<'c> {
        let is_default: Vec<bool> = given.iter().map(Option::is_none).collect();
        move |values, coercion| {
            let is_default = |at: usize| is_default.get(at).copied().unwrap_or(true);
            self.fill(values, is_default, coercion)
        }
    }

    /// Computes the generated columns of a changed row.
    pub(crate) fn refresh(
        &self,
        values: &mut [Value<'static>],
        coercion: &mut Coercion,
    ) -> Result<(), SqlError> {
        self.fill(values, |_| false, coercion)
    }

    /// Computes those generated columns of a row that `is_wanted` names.
    pub(crate) fn refresh_where(
        &self,
        values: &mut [Value<'static>],
        is_wanted: impl Fn(usize) -> bool,
        coercion: &mut Coercion,
    ) -> Result<(), SqlError> {
        self.columns
            .iter()
            .filter(|column| column.is_generated && is_wanted(column.position))
            .try_for_each(|column| self.compute(column, values, coercion))
    }

    /// The generated columns, from the first to the last, and the columns that each of them reads.
    pub(crate) fn generated(&self) -> impl Iterator<Item = (usize, &[usize])> {
        let generated = self.columns.iter().filter(|column| column.is_generated);
        generated.map(|column| (column.position, column.expression.reads()))
    }

    /// The value that the default of a column gives in this row. `None` if it is no expression.
    pub(crate) fn default(
        &self,
        position: usize,
        values: &[Value<'static>],
        coercion: &mut Coercion,
    ) -> Result<Option<Value<'static>>, SqlError> {
        let found = self
            .columns
            .iter()
            .find(|column| column.position == position);
        let Some(column) = found.filter(|column| !column.is_generated) else {
            return Ok(None);
        };
        self.value(column, values, coercion).map(Some)
    }

    fn compute(
        &self,
        column: &ComputedColumn,
        values: &mut [Value<'static>],
        coercion: &mut Coercion,
    ) -> Result<(), SqlError> {
        let value = self.value(column, values, coercion)?;
        if let Some(slot) = values.get_mut(column.position) {
            *slot = value;
        }
        Ok(())
    }

    fn value(
        &self,
        column: &ComputedColumn,
        values: &[Value<'static>],
        coercion: &mut Coercion,
    ) -> Result<Value<'static>, SqlError> {
        let Some(target) = self.table.columns.get(column.position) else {
            return Ok(Value::Null);
        };
        let expression = &column.expression;
        let value = expression.eval(&self.table, values, &[], &[], &self.env)?;
        let stored = coercion.store(target, expression.given(value, &target.column_type))?;
        Ok(stored)
    }

    /// The warnings of all evaluations since the last call.
    pub(crate) fn take_warnings(&self) -> Vec<sql::error::Warning> {
        self.env.take_warnings()
    }
}
