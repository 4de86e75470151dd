//! Subqueries as expressions: scalar, IN and EXISTS.

use sqlparser::ast::{Expr, Query};

use crate::expr::bind::{Binder, Place, Scope, unsupported};
use crate::expr::compare::Domain;
use crate::expr::native;
use crate::expr::node::{Leaf, Node, Op};
use crate::expr::types::{Coercibility, Kind, Type};
use sql::error::SqlError;

impl Binder<'_> {
    /// `(SELECT ...)` as a value. Error 1241 for several columns; 1242 when it finds several rows.
    pub(crate) fn scalar_subquery(
        &mut self,
        query: &Query,
        scope: &Scope<'_>,
    ) -> Result<Node, SqlError> {
        let bound = self.query(query, Some(scope))?;
        let [output] = bound.outputs.as_slice() else {
            return Err(SqlError::operand_columns(1));
        };
        let ty = output.ty.clone().with_null(true);
        let sql = if bound.single_row {
            format!("({})", bound.sql)
        } else {
            let alias = self.alias('d');
            format!(
                "(SELECT my_one({alias}.o0) FROM ({}) AS {alias})",
                bound.sql
            )
        };
        Ok(Node {
            op: Op::Leaf(Box::new(Leaf::computed(sql))),
            ty,
        })
    }

    /// `EXISTS (SELECT ...)`.
    pub(crate) fn exists(&mut self, query: &Query, scope: &Scope<'_>) -> Result<Node, SqlError> {
        let bound = self.query(query, Some(scope))?;
        let sql = format!("EXISTS ({})", bound.sql);
        Ok(Node {
            op: Op::Leaf(Box::new(Leaf::computed(sql))),
            ty: Type::boolean(),
        })
    }

    /// `value IN (SELECT ...)`: both sides are brought to one stored form, then SQLite compares.
    pub(crate) fn in_subquery(
        &mut self,
        value: &Expr,
        query: &Query,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        let values: Vec<&Expr> = match value {
            Expr::Tuple(values) => values.iter().collect(),
            Expr::Nested(inner) if matches!(inner.as_ref(), Expr::Tuple(_)) => {
                return self.in_subquery(inner, query, scope, place);
            }
            single => vec![single],
        };
        let mut nodes = Vec::with_capacity(values.len());
        for value in values {
            nodes.push(self.bind(value, scope, place)?);
        }
        let mark = self.emitter.mark();
        let first = self.query(query, Some(scope))?;
        if first.outputs.len() != nodes.len() {
            return Err(SqlError::operand_columns(nodes.len()));
        }
        let mut plain = true;
        let mut wanted = Vec::with_capacity(nodes.len());
        let mut collations = Vec::with_capacity(nodes.len());
        for (node, output) in nodes.iter().zip(&first.outputs) {
            let other = Node {
                op: Op::Leaf(Box::new(Leaf::computed(String::new()))),
                ty: output.ty.clone(),
            };
            let domain = self.domain(node, &other)?;
            plain &= native::share(&node.ty, &output.ty, domain);
            collations.push(domain);
            wanted.push(common_type(domain)?);
        }
        let (bound, nodes) = if plain {
            (first, nodes)
        } else {
            self.emitter.reset(mark);
            let bound = self.query_as(query, Some(scope), Some(&wanted))?;
            let converted = nodes
                .into_iter()
                .zip(&wanted)
                .map(|(node, ty)| self.converted(node, ty));
            (bound, converted.collect::<Result<Vec<_>, _>>()?)
        };
        let mut left = Vec::with_capacity(nodes.len());
        for (node, domain) in nodes.iter().zip(&collations) {
            let text = self.emitter.value(node)?;
            left.push(match domain {
                Domain::Text(collation) if !collation.is_binary() => {
                    format!("{text} COLLATE \"{}\"", collation.name)
                }
                _ => text,
            });
        }
        let left = if let [only] = left.as_slice() {
            only.clone()
        } else {
            format!("({})", left.join(","))
        };
        let sql = format!("({left} IN ({}))", bound.sql);
        let nullable = true;
        let ty = Type::boolean().with_null(nullable);
        Ok(Node {
            op: Op::Leaf(Box::new(Leaf::computed(sql))),
            ty,
        })
    }
}

/// The type both sides of a comparison are brought to.
fn common_type(domain: Domain) -> Result<Type, SqlError> {
    Ok(match domain {
        Domain::Integer => Type::integer(21),
        Domain::Decimal => Type::decimal(65, 30, false),
        Domain::Double => Type::double(),
        Domain::Text(collation) => Type::text(u32::MAX, collation, Coercibility::Implicit),
        Domain::Moment => Type {
            kind: Kind::DateTime,
            ..Type::datetime(6)
        },
        Domain::Span => Type::time(6),
        Domain::Json => return unsupported("JSON in IN (SELECT ...)"),
    })
}
