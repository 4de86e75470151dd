//! Comparison, IN, and arithmetic: operands brought together, domains chosen.

use sqlparser::ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::expression::negate_if;
use super::literal::numeric_hex;
use super::{Binder, Place, Scope, unsupported};
use crate::expr::compare::Domain;
use crate::expr::node::{Comparison, Node, Op};
use crate::expr::types::{Kind, Type};
use crate::value::datum::Datum;
use sql::error::SqlError;

impl Binder<'_> {
    /// `left op right`; rows of expressions are compared element by element.
    pub(super) fn comparison(
        &mut self,
        op: Comparison,
        left: &Expr,
        right: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        if let (Some(left), Some(right)) = (row(left), row(right)) {
            return self.row_comparison(op, &left, &right, scope, place);
        }
        if let Expr::AnyOp { .. } | Expr::AllOp { .. } = right {
            return unsupported("ANY and ALL");
        }
        let left = self.bind(left, scope, place)?;
        let right = self.bind(right, scope, place)?;
        self.compare_nodes(op, left, right)
    }

    /// A comparison of two bound nodes.
    pub fn compare_nodes(&self, op: Comparison, left: Node, right: Node) -> Result<Node, SqlError> {
        let (left, right) = meet(left, right);
        let domain = Domain::of(&left, &right, &self.env, op_name(op))?;
        self.check_dates(domain, &left, &right)?;
        self.check_dates(domain, &right, &left)?;
        let nullable = op != Comparison::NullSafeEqual && (left.ty.nullable || right.ty.nullable);
        let op = Op::Compare(op, domain, Box::new(left), Box::new(right));
        self.fold(Node::boolean(op, nullable))
    }

    /// Error 1525 for a constant text that is no date where a column of dates is compared with it.
    fn check_dates(&self, domain: Domain, column: &Node, constant: &Node) -> Result<(), SqlError> {
        let Some(Datum::Text(text)) = constant.as_const() else {
            return Ok(());
        };
        // Definitions are judged apart, and rows are computed from any.
        if column.as_const().is_some() || self.is_kept {
            return Ok(());
        }
        let value = Datum::Text(text.clone());
        let kind = match column.ty.kind {
            Kind::Date => "DATE",
            Kind::DateTime => "DATETIME",
            Kind::Timestamp => "TIMESTAMP",
            _ => return Ok(()),
        };
        if domain == Domain::Moment && value.to_moment(&self.env.now).is_none() {
            return Err(SqlError::wrong_temporal_literal(kind, value.to_str()));
        }
        Ok(())
    }

    fn row_comparison(
        &mut self,
        op: Comparison,
        left: &[&Expr],
        right: &[&Expr],
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        if left.len() != right.len() {
            return Err(SqlError::operand_columns(left.len()));
        }
        let mut equal = Vec::with_capacity(left.len());
        let each = match op {
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Equal | Comparison::NullSafeEqual => op,
            _ => return unsupported("row comparison other than equality"),
        };
        for (left, right) in left.iter().zip(right) {
            equal.push(self.comparison(each, left, right, scope, place)?);
        }
        let nullable = equal.iter().any(|node| node.ty.nullable);
        let all = Node::boolean(Op::And(equal), nullable);
        Ok(negate_if(all, op == Comparison::NotEqual))
    }

    pub(super) fn in_list(
        &mut self,
        value: &Expr,
        list: &[Expr],
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        if row(value).is_some() {
            let mut any = Vec::with_capacity(list.len());
            for element in list {
                any.push(self.comparison(Comparison::Equal, value, element, scope, place)?);
            }
            let nullable = any.iter().any(|node| node.ty.nullable);
            return Ok(Node::boolean(Op::Or(any), nullable));
        }
        let mut value = self.bind(value, scope, place)?;
        let mut bound = Vec::with_capacity(list.len());
        for element in list {
            if row(element).is_some() {
                return Err(SqlError::operand_columns(1));
            }
            bound.push(self.bind(element, scope, place)?);
        }
        if bound.iter().all(|element| is_number(&element.ty)) {
            value = numeric_hex(value);
        }
        let mut elements = Vec::with_capacity(list.len());
        let mut nullable = value.ty.nullable;
        for element in bound {
            let (_, element) = meet(value.clone(), element);
            nullable |= element.ty.nullable;
            let domain = Domain::of(&value, &element, &self.env, " IN ")?;
            self.check_dates(domain, &value, &element)?;
            elements.push((domain, element));
        }
        Ok(Node::boolean(Op::In(Box::new(value), elements), nullable))
    }

    pub(super) fn arithmetic(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        if let Some(node) = self.date_arithmetic(left, op, right, scope, place)? {
            return Ok(node);
        }
        let name = match op {
            BinaryOperator::Plus => "+",
            BinaryOperator::Minus => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Modulo => "%",
            BinaryOperator::MyIntegerDivide => "DIV",
            BinaryOperator::BitwiseAnd => "&",
            BinaryOperator::BitwiseOr => "|",
            BinaryOperator::BitwiseXor | BinaryOperator::PGBitwiseXor => "^",
            BinaryOperator::PGBitwiseShiftLeft => "<<",
            BinaryOperator::PGBitwiseShiftRight => ">>",
            BinaryOperator::StringConcat => "concat",
            BinaryOperator::Arrow => "json_extract",
            BinaryOperator::LongArrow => {
                let left = self.bind(left, scope, place)?;
                let right = self.bind(right, scope, place)?;
                let extracted = self.call_named("json_extract", vec![left, right])?;
                return self.call_named("json_unquote", vec![extracted]);
            }
            BinaryOperator::Assignment => {
                return unsupported("assignment to a user variable in an expression");
            }
            other => return unsupported(&format!("operator {other}")),
        };
        let mut left = self.bind(left, scope, place)?;
        let mut right = self.bind(right, scope, place)?;
        if !matches!(name, "concat" | "json_extract") {
            left = numeric_hex(left);
            right = numeric_hex(right);
        }
        self.call_named(name, vec![left, right])
    }

    pub(super) fn negative(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        // -9223372036854775808 is a literal, though its digits alone are too large.
        if let Expr::Value(value) = expr
            && let sqlparser::ast::Value::Number(text, _) = &value.value
            && let Ok(number) = format!("-{text}").parse::<i64>()
        {
            let length = u32::try_from(text.len()).unwrap_or(20) + 1;
            return Ok(Node::constant(Datum::Int(number), Type::integer(length)));
        }
        let node = self.bind(expr, scope, place)?;
        self.call_named("neg", vec![numeric_hex(node)])
    }
}

/// Hexadecimal literals become numbers beside numbers.
fn meet(left: Node, right: Node) -> (Node, Node) {
    if is_number(&left.ty) {
        return (left, numeric_hex(right));
    }
    if is_number(&right.ty) {
        return (numeric_hex(left), right);
    }
    (left, right)
}

fn is_number(ty: &Type) -> bool {
    ty.kind.is_integer() || ty.kind == Kind::Decimal || ty.kind.is_approximate()
}

/// The elements of `(a, b)` or `ROW(a, b)`.
pub(super) fn row(expr: &Expr) -> Option<Vec<&Expr>> {
    match strip(expr) {
        Expr::Tuple(elements) => Some(elements.iter().collect()),
        Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("row") => {
            let FunctionArguments::List(list) = &call.args else {
                return None;
            };
            let elements = list.args.iter().map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            });
            elements.collect()
        }
        _ => None,
    }
}

/// An expression without the parentheses around it.
pub(super) fn strip(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => strip(inner),
        other => other,
    }
}

fn op_name(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::NullSafeEqual => "<=>",
    }
}
