//! Expressions: which part of the binder each form of syntax belongs to.

use sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator};

use super::{Aliases, Binder, Place, Scope, unsupported};
use crate::expr::node::{Comparison, Node, Op};
use crate::expr::types::Type;
use sql::error::SqlError;

impl Binder<'_> {
    /// Binds an expression.
    pub fn bind(&mut self, expr: &Expr, scope: &Scope<'_>, place: Place) -> Result<Node, SqlError> {
        let node = self.bind_unfolded(expr, scope, place)?;
        self.fold(node)
    }

    fn bind_unfolded(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        match expr {
            Expr::Nested(inner) => self.bind(inner, scope, place),
            Expr::Value(value) => self.literal(&value.value),
            Expr::Identifier(ident) => self.identifier(ident, scope, place),
            Expr::CompoundIdentifier(path) => Ok(self.column(path, scope, place)?),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, scope, place),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, scope, place),
            Expr::Function(function) => self.function(function, scope, place),
            Expr::IsNull(inner) => self.is_null(inner, false, scope, place),
            Expr::IsNotNull(inner) => self.is_null(inner, true, scope, place),
            Expr::IsTrue(inner) => self.is_truth(inner, Some(true), false, scope, place),
            Expr::IsNotTrue(inner) => self.is_truth(inner, Some(true), true, scope, place),
            Expr::IsFalse(inner) => self.is_truth(inner, Some(false), false, scope, place),
            Expr::IsNotFalse(inner) => self.is_truth(inner, Some(false), true, scope, place),
            Expr::IsUnknown(inner) => self.is_truth(inner, None, false, scope, place),
            Expr::IsNotUnknown(inner) => self.is_truth(inner, None, true, scope, place),
            Expr::InList {
                expr,
                list,
                negated,
            } => {
                let node = self.in_list(expr, list, scope, place)?;
                Ok(negate_if(node, *negated))
            }
            Expr::InSubquery {
                expr,
                subquery,
                negated,
            } => {
                let node = self.in_subquery(expr, subquery, scope, place)?;
                Ok(negate_if(node, *negated))
            }
            Expr::Exists { subquery, negated } => {
                let node = self.exists(subquery, scope)?;
                Ok(negate_if(node, *negated))
            }
            Expr::Subquery(query) => self.scalar_subquery(query, scope),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let low = self.comparison(Comparison::GreaterOrEqual, expr, low, scope, place)?;
                let high = self.comparison(Comparison::LessOrEqual, expr, high, scope, place)?;
                let nullable = low.ty.nullable || high.ty.nullable;
                let both = Node::boolean(Op::And(vec![low, high]), nullable);
                Ok(negate_if(both, *negated))
            }
            other => self.special(other, scope, place),
        }
    }

    /// A column, alias, variable or bare word.
    fn identifier(
        &mut self,
        ident: &Ident,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        if ident.quote_style.is_none() && ident.value.starts_with('@') {
            return self.variable(&ident.value);
        }
        if place.aliases == Aliases::First
            && let Some(node) = scope.alias(&ident.value)
        {
            return Ok(node.clone());
        }
        self.column(std::slice::from_ref(ident), scope, place)
    }

    fn column(
        &mut self,
        path: &[Ident],
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        let own = scope.own_column(path, place.clause)?;
        if let Some(found) = own {
            return Ok(found.node);
        }
        if let [name] = path {
            if place.aliases != Aliases::Hidden
                && let Some(node) = scope.alias(&name.value)
            {
                return Ok(node.clone());
            }
            if name.quote_style.is_none()
                && let Some(node) = self.bare_word(&name.value)?
            {
                return Ok(node);
            }
        }
        Ok(scope.column(path, place.clause)?.node)
    }

    fn binary(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        let comparison = match op {
            BinaryOperator::Eq => Some(Comparison::Equal),
            BinaryOperator::NotEq => Some(Comparison::NotEqual),
            BinaryOperator::Lt => Some(Comparison::Less),
            BinaryOperator::LtEq => Some(Comparison::LessOrEqual),
            BinaryOperator::Gt => Some(Comparison::Greater),
            BinaryOperator::GtEq => Some(Comparison::GreaterOrEqual),
            BinaryOperator::Spaceship => Some(Comparison::NullSafeEqual),
            _ => None,
        };
        if let Some(comparison) = comparison {
            return self.comparison(comparison, left, right, scope, place);
        }
        match op {
            BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor => {
                let left = self.bind(left, scope, place)?;
                let right = self.bind(right, scope, place)?;
                let nullable = left.ty.nullable || right.ty.nullable;
                let op = match op {
                    BinaryOperator::And => Op::And(flatten(left, right, true)),
                    BinaryOperator::Or => Op::Or(flatten(left, right, false)),
                    _ => Op::Xor(Box::new(left), Box::new(right)),
                };
                Ok(Node::boolean(op, nullable))
            }
            other => self.arithmetic(left, other, right, scope, place),
        }
    }

    fn unary(
        &mut self,
        op: UnaryOperator,
        expr: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        match op {
            UnaryOperator::Not | UnaryOperator::BangNot => {
                let node = self.bind(expr, scope, place)?;
                Ok(negate_if(node, true))
            }
            UnaryOperator::Plus => self.bind(expr, scope, place),
            UnaryOperator::Minus => self.negative(expr, scope, place),
            UnaryOperator::BitwiseNot => {
                let node = self.bind(expr, scope, place)?;
                self.call_named("~", vec![super::literal::numeric_hex(node)])
            }
            _ => unsupported(&format!("operator {op}")),
        }
    }

    fn is_null(
        &mut self,
        expr: &Expr,
        negated: bool,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        let node = self.bind(expr, scope, place)?;
        Ok(negate_if(
            Node::boolean(Op::IsNull(Box::new(node)), false),
            negated,
        ))
    }

    fn is_truth(
        &mut self,
        expr: &Expr,
        wanted: Option<bool>,
        negated: bool,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        let node = self.bind(expr, scope, place)?;
        let op = match wanted {
            None => Op::IsNull(Box::new(node)),
            Some(wanted) => Op::IsTruth(Box::new(node), wanted),
        };
        Ok(negate_if(
            Node {
                op,
                ty: Type::boolean(),
            },
            negated,
        ))
    }
}

/// NOT around a node, when asked for.
pub(super) fn negate_if(node: Node, negated: bool) -> Node {
    if !negated {
        return node;
    }
    let nullable = node.ty.nullable;
    Node::boolean(Op::Not(Box::new(node)), nullable)
}

/// `a AND (b AND c)` as one list.
fn flatten(left: Node, right: Node, and: bool) -> Vec<Node> {
    let mut nodes = Vec::new();
    for node in [left, right] {
        match node.op {
            Op::And(inner) if and => nodes.extend(inner),
            Op::Or(inner) if !and => nodes.extend(inner),
            op => nodes.push(Node { op, ty: node.ty }),
        }
    }
    nodes
}
