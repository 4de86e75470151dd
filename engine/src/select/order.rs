//! ORDER BY: positions, aliases, columns and expressions.

use sqlparser::ast::{Expr, OrderBy, OrderByExpr, OrderByKind, Value};

use super::query::{Item, Output};
use crate::expr::bind::{Binder, Place, Scope, same_name, unsupported};
use crate::expr::node::{Node, Op};
use crate::expr::types::Kind;
use sql::error::SqlError;

impl Binder<'_> {
    /// The keys of ORDER BY with whether each descends.
    pub(super) fn orders(
        &mut self,
        order_by: Option<&OrderBy>,
        items: &[Item],
        scope: &Scope<'_>,
    ) -> Result<Vec<(Node, bool)>, SqlError> {
        let mut orders = Vec::new();
        for key in keys(order_by)? {
            let node = match position(&key.expr) {
                Some(position) => {
                    let item = position.checked_sub(1).and_then(|index| items.get(index));
                    let item = item.ok_or_else(|| SqlError::bad_field(position, "order clause"))?;
                    item.node.clone()
                }
                None => self.bind(&key.expr, scope, Place::ORDER)?,
            };
            orders.push((node, descends(key)));
        }
        Ok(orders)
    }

    /// The keys of ORDER BY in UPDATE and DELETE.
    pub(crate) fn plain_orders(
        &mut self,
        keys: &[OrderByExpr],
        scope: &Scope<'_>,
    ) -> Result<Vec<(Node, bool)>, SqlError> {
        let place = Place {
            aggregates: false,
            ..Place::ORDER
        };
        let bound = keys
            .iter()
            .map(|key| Ok((self.bind(&key.expr, scope, place)?, descends(key))));
        bound.collect()
    }

    /// SQLite's text for keys; `None` when nothing is left to order by.
    pub(crate) fn order_text(
        &mut self,
        orders: &[(Node, bool)],
    ) -> Result<Option<String>, SqlError> {
        let mut parts = Vec::with_capacity(orders.len());
        for (node, descending) in orders {
            // A constant does not order anything; MySQL's `ORDER BY NULL` is written for that.
            if matches!(node.op, Op::Const(_)) {
                continue;
            }
            if node.ty.kind == Kind::Json {
                return unsupported("ORDER BY a JSON value");
            }
            let text = self.emitter.collated(node)?;
            parts.push(if *descending {
                format!("{text} DESC")
            } else {
                text
            });
        }
        Ok((!parts.is_empty()).then(|| parts.join(",")))
    }

    /// ORDER BY behind a UNION: only its columns can be named.
    pub(super) fn order_by_outputs(
        &mut self,
        order_by: Option<&OrderBy>,
        outputs: &[Output],
    ) -> Result<Option<String>, SqlError> {
        let mut parts = Vec::new();
        for key in keys(order_by)? {
            let index = match (position(&key.expr), &key.expr) {
                (Some(position), _) => position.checked_sub(1),
                (None, Expr::Identifier(name)) => outputs
                    .iter()
                    .position(|output| same_name(&output.name, &name.value)),
                (None, Expr::Value(_)) => continue,
                _ => return unsupported("an expression in ORDER BY of a UNION"),
            };
            let Some((index, output)) = index.and_then(|index| Some((index, outputs.get(index)?)))
            else {
                return Err(SqlError::bad_field(shown(&key.expr), "order clause"));
            };
            let collate = if output.ty.kind == Kind::Text && !output.ty.is_binary() {
                format!(" COLLATE \"{}\"", output.ty.collation.name)
            } else {
                String::new()
            };
            let descending = if descends(key) { " DESC" } else { "" };
            parts.push(format!("{}{collate}{descending}", index + 1));
        }
        Ok((!parts.is_empty()).then(|| parts.join(",")))
    }
}

/// Whether a key is DESC.
pub(crate) fn descends(key: &OrderByExpr) -> bool {
    matches!(key.options.sort, Some(sqlparser::ast::OrderBySort::Desc))
}

fn keys(order_by: Option<&OrderBy>) -> Result<&[OrderByExpr], SqlError> {
    match order_by {
        None => Ok(&[]),
        Some(OrderBy {
            kind: OrderByKind::Expressions(keys),
            ..
        }) => Ok(keys),
        Some(_) => Err(SqlError::syntax_error()),
    }
}

/// The position that an integer literal stands for.
pub(super) fn position(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// An expression as messages show it.
pub(super) fn shown(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(ident) => ident.value.clone(),
        other => other.to_string(),
    }
}
