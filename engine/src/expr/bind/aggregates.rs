//! Aggregate calls: SQLite's own where they give MySQL's answer, ours elsewhere.

use sqlparser::ast::{
    FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, Value,
};

use super::{Binder, Place, Scope, unsupported};
use crate::expr::aggregate::{Aggregate, Specification, result_type};
use crate::expr::compare::Domain;
use crate::expr::node::{Leaf, Node, Op};
use crate::expr::types::{Kind, Type};
use crate::select::descends;
use sql::error::SqlError;

impl Binder<'_> {
    /// `name([DISTINCT] args [ORDER BY ...] [SEPARATOR ...])`.
    pub(super) fn aggregate(
        &mut self,
        name: &str,
        aggregate: Aggregate,
        distinct: bool,
        list: &FunctionArgumentList,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        if !place.aggregates {
            return Err(SqlError::invalid_group_func_use());
        }
        let inner = Place {
            aggregates: false,
            ..place
        };
        let mut args = Vec::with_capacity(list.args.len());
        for arg in &list.args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
                    args.push(self.bind(expr, scope, inner)?);
                }
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard)
                    if aggregate == Aggregate::Count && !distinct && list.args.len() == 1 =>
                {
                    return Ok(leaf(String::from("count(*)"), Type::integer(21)));
                }
                _ => return Err(SqlError::syntax_error()),
            }
        }
        let wanted = match aggregate {
            Aggregate::GroupConcat => 1..=usize::MAX,
            Aggregate::Count if distinct => 1..=usize::MAX,
            Aggregate::JsonObject => 2..=2,
            _ => 1..=1,
        };
        if !wanted.contains(&args.len()) {
            return Err(SqlError::wrong_paramcount_to_native_fct(name));
        }
        if matches!(
            aggregate,
            Aggregate::Sum
                | Aggregate::Avg
                | Aggregate::Variance { .. }
                | Aggregate::BitAnd
                | Aggregate::BitOr
                | Aggregate::BitXor
        ) {
            args = args.into_iter().map(super::numeric_hex).collect();
        }
        let ty = result_type(aggregate, &args, &self.env)?;
        let mut spec = Specification {
            aggregate,
            distinct,
            inputs: args.iter().map(|node| node.ty.clone()).collect(),
            arguments: args.len(),
            order: Vec::new(),
            separator: b",".to_vec(),
            ty,
        };
        let mut inputs = args;
        for clause in &list.clauses {
            self.aggregate_clause(clause, &mut spec, &mut inputs, scope, inner)?;
        }
        if let (Some(sql), [only]) = (native(aggregate, distinct, &inputs), inputs.as_slice()) {
            let argument = self.emitter.collated(only)?;
            return Ok(leaf(sql.replace('#', &argument), spec.ty));
        }
        self.own_aggregate(spec, &inputs)
    }

    fn aggregate_clause(
        &mut self,
        clause: &FunctionArgumentClause,
        spec: &mut Specification,
        inputs: &mut Vec<Node>,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<(), SqlError> {
        if spec.aggregate != Aggregate::GroupConcat {
            return Err(SqlError::syntax_error());
        }
        match clause {
            FunctionArgumentClause::OrderBy(keys) => {
                for key in keys {
                    let node = self.bind(&key.expr, scope, place)?;
                    let domain = self.domain(&node, &node)?;
                    let domain = match (node.ty.kind, domain) {
                        (Kind::Enum | Kind::Set, _) => Domain::Integer,
                        (_, domain) => domain,
                    };
                    spec.order.push((descends(key), domain));
                    spec.inputs.push(node.ty.clone());
                    inputs.push(node);
                }
                Ok(())
            }
            FunctionArgumentClause::Separator(value) => {
                let node = self.literal(&value.value)?;
                let Value::SingleQuotedString(_) = &value.value else {
                    return Err(SqlError::syntax_error());
                };
                spec.separator = node
                    .as_const()
                    .map(|text| text.to_text().into_owned())
                    .unwrap_or_default();
                Ok(())
            }
            _ => unsupported("this clause in an aggregate"),
        }
    }

    fn own_aggregate(&mut self, spec: Specification, inputs: &[Node]) -> Result<Node, SqlError> {
        let mut texts = Vec::with_capacity(inputs.len());
        for input in inputs {
            texts.push(self.emitter.value(input)?);
        }
        let number = self.emitter.program.aggregates.len();
        let ty = spec.ty.clone();
        let nothing = match spec.aggregate {
            Aggregate::BitAnd => Some("x'ffffffffffffffff'"),
            Aggregate::BitOr | Aggregate::BitXor | Aggregate::Count => Some("0"),
            _ => None,
        };
        self.emitter.program.aggregates.push(spec);
        let call = format!("my_agg({number},{})", texts.join(","));
        let sql = nothing.map_or(call.clone(), |value| format!("coalesce({call},{value})"));
        Ok(leaf(sql, ty))
    }
}

fn leaf(sql: String, ty: Type) -> Node {
    Node {
        op: Op::Leaf(Box::new(Leaf {
            aggregate: true,
            ..Leaf::computed(sql)
        })),
        ty,
    }
}

/// SQLite's aggregate, with `#` for the argument, where it gives MySQL's answer.
fn native(aggregate: Aggregate, distinct: bool, args: &[Node]) -> Option<&'static str> {
    let [only] = args else { return None };
    let comparable = !matches!(only.ty.kind, Kind::Enum | Kind::Set | Kind::Json);
    match aggregate {
        Aggregate::Count if !distinct => Some("count(#)"),
        Aggregate::Count if comparable => Some("count(DISTINCT #)"),
        Aggregate::Min if comparable => Some("min(#)"),
        Aggregate::Max if comparable => Some("max(#)"),
        _ => None,
    }
}
