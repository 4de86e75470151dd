//! Values that go into a column as they are written, without being computed: parameters, which take
//! the column's type, and exact numbers too long for a computation.

use sqlparser::ast::Expr;

use super::evaluated::Evaluated;
use crate::catalog::Column;
use crate::expr::bind::Binder;
use crate::rows::parameter;
use crate::value::datum::Datum;
use crate::value::sourced::Sourced;
use sql::error::SqlError;

/// The value of `expr` for `column`; `None` when it must be computed.
pub(super) fn direct(
    binder: &Binder<'_>,
    expr: &Expr,
    column: &Column,
) -> Result<Option<Sourced>, SqlError> {
    if let Some(digits) = Binder::long_number(expr) {
        return Ok(Some(Sourced::digits(digits)));
    }
    let Some(node) = binder.parameter(expr)? else {
        return Ok(None);
    };
    let value = node.as_const().cloned().unwrap_or(Datum::Null);
    let value = Evaluated::computed(&node.ty).value(value, &column.column_type);
    parameter(binder.session, column, value).map(Some)
}
