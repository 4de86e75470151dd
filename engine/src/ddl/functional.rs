//! Parts of keys that are expressions: kept as MySQL shows them, with no index behind them.
//!
//! Only statements from a log get here. Rows of a source have satisfied its unique ones.

use super::checks;
use crate::catalog::{ColumnId, Functional, KeyPart, Table};
use crate::ddl::expression::column_names;
use crate::session::SessionContext;
use sql::ast::{KeyPart as Written, KeyPartTarget};
use sql::error::SqlError;
use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};

/// A part that is an expression. Error 1235 for one that no log holds.
pub(super) fn part(
    session: &SessionContext,
    table: &Table,
    part: &Written,
) -> Result<KeyPart, SqlError> {
    let refused = || SqlError::not_supported("functional index");
    let expression = match &part.target {
        _ if !session.applies_log => return Err(refused()),
        KeyPartTarget::Column { .. } => return Err(refused()),
        KeyPartTarget::Expression(written) => {
            let text = checks::condition(session, written);
            Functional {
                nullable: may_be_null(session, table, &written.expr, &text),
                text,
            }
        }
        KeyPartTarget::Array { of, element } => Functional {
            text: format!(
                "cast({} as {element} array)",
                checks::condition(session, of)
            ),
            nullable: true,
        },
    };
    Ok(KeyPart {
        column: ColumnId(0),
        prefix: None,
        descending: part.descending,
        expression: Some(expression),
    })
}

/// Whether MySQL takes the expression for one that may be NULL: only simple ones of columns that never are
/// are known not to be.
fn may_be_null(session: &SessionContext, table: &Table, expr: &Expr, text: &str) -> bool {
    if !is_total(expr) {
        return true;
    }
    let names = column_names(session, text).unwrap_or_default();
    let is_nullable = |name: &String| table.column(name).is_none_or(|(_, column)| column.nullable);
    names.iter().any(is_nullable)
}

/// Whether an expression has a value wherever its columns have.
fn is_total(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => true,
        Expr::Nested(inner) => is_total(inner),
        Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr,
        } => is_total(expr),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply,
            right,
        } => is_total(left) && is_total(right),
        Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("abs") => {
            let FunctionArguments::List(list) = &call.args else {
                return false;
            };
            list.args.iter().all(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => is_total(expr),
                _ => false,
            })
        }
        _ => false,
    }
}
