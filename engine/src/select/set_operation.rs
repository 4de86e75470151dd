//! UNION, EXCEPT, INTERSECT, VALUES and recursive common table expressions.

use sqlparser::ast::{Query, SetExpr, SetOperator, SetQuantifier};

use super::from::Cte;
use super::metadata::result_column;
use super::query::{Bound, Output, Wanted};
use crate::expr::bind::{Binder, Place, Scope, unsupported};
use crate::expr::types::Type;
use sql::error::SqlError;

impl Binder<'_> {
    /// One side of a set operation, or a whole query in parentheses.
    fn operand(
        &mut self,
        body: &SetExpr,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        match body {
            SetExpr::Select(select) => self.select(select, None, parent, wanted),
            SetExpr::SetOperation { .. } => {
                let bound = self.set_operation(body, parent, wanted)?;
                let alias = self.alias('d');
                Ok(Bound {
                    sql: format!("SELECT * FROM ({}) AS {alias}", bound.sql),
                    ..bound
                })
            }
            SetExpr::Query(query) => {
                let bound = self.query_as(query, parent, wanted)?;
                let alias = self.alias('d');
                Ok(Bound {
                    sql: format!("SELECT * FROM ({}) AS {alias}", bound.sql),
                    ..bound
                })
            }
            SetExpr::Values(values) => self.values(values, parent, wanted),
            _ => Err(SqlError::syntax_error()),
        }
    }

    pub(super) fn set_operation(
        &mut self,
        body: &SetExpr,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        let SetExpr::SetOperation {
            left,
            op,
            set_quantifier,
            right,
        } = body
        else {
            return self.operand(body, parent, wanted);
        };
        let operator = match (op, set_quantifier) {
            (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
            (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => "UNION",
            (SetOperator::Except, SetQuantifier::None | SetQuantifier::Distinct) => "EXCEPT",
            (SetOperator::Intersect, SetQuantifier::None | SetQuantifier::Distinct) => "INTERSECT",
            _ => return unsupported("this set operation"),
        };
        let types = match wanted {
            Some(types) => types.to_vec(),
            None => {
                // Bound once to learn the types, and again to bring both sides to the common ones.
                let mark = self.emitter.mark();
                let first = self.operand(left, parent, None)?;
                let second = self.operand(right, parent, None)?;
                self.emitter.reset(mark);
                if first.outputs.len() != second.outputs.len() {
                    return Err(SqlError::wrong_number_of_columns_in_select());
                }
                let pairs = first.outputs.iter().zip(&second.outputs);
                let joined =
                    pairs.map(|(a, b)| Type::union_types(&[&a.ty, &b.ty], &self.env, "UNION"));
                joined.collect::<Result<Vec<_>, _>>()?
            }
        };
        // SQLite chains set operations from the left without parentheses.
        let left = match left.as_ref() {
            nested @ SetExpr::SetOperation { .. } => {
                self.set_operation(nested, parent, Some(&types))?
            }
            other => self.operand(other, parent, Some(&types))?,
        };
        let right = self.operand(right, parent, Some(&types))?;
        let outputs = left.outputs.iter().zip(&types).map(|(output, ty)| Output {
            name: output.name.clone(),
            ty: ty.clone(),
            origin: result_column(&output.name, ty),
            is_field: true,
        });
        Ok(Bound {
            sql: format!("{} {operator} {}", left.sql, right.sql),
            outputs: outputs.collect(),
            single_row: false,
        })
    }

    pub(super) fn values(
        &mut self,
        values: &sqlparser::ast::Values,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        let scope = Scope::inside(parent);
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let mut nodes = Vec::new();
            for expr in row.iter() {
                nodes.push(self.bind(expr, &scope, Place::SELECT)?);
            }
            rows.push(nodes);
        }
        let width = rows.first().map_or(0, Vec::len);
        let mut types = Vec::with_capacity(width);
        for index in 0..width {
            let column: Option<Vec<&Type>> = rows
                .iter()
                .map(|row| row.get(index).map(|node| &node.ty))
                .collect();
            let column = column.ok_or_else(SqlError::wrong_value_count)?;
            types.push(Type::union_types(&column, &self.env, "VALUES")?);
        }
        let types = wanted.map_or(types, <[Type]>::to_vec);
        let mut parts = Vec::with_capacity(rows.len());
        for row in rows {
            let mut cells = Vec::with_capacity(width);
            for (index, (node, ty)) in row.into_iter().zip(&types).enumerate() {
                let node = self.converted(node, ty)?;
                cells.push(format!("{} AS o{index}", self.emitter.value(&node)?));
            }
            parts.push(format!("SELECT {}", cells.join(",")));
        }
        let outputs = types.iter().enumerate().map(|(index, ty)| {
            let name = format!("column_{index}");
            Output {
                origin: result_column(&name, ty),
                name,
                ty: ty.clone(),
                is_field: false,
            }
        });
        Ok(Bound {
            outputs: outputs.collect(),
            single_row: parts.len() == 1,
            sql: parts.join(" UNION ALL "),
        })
    }

    /// A recursive common table expression: its first part gives the types.
    pub(super) fn recursive(&mut self, cte: &Cte, query: &Query) -> Result<Bound, SqlError> {
        let SetExpr::SetOperation {
            left,
            op: SetOperator::Union,
            set_quantifier,
            right,
        } = query.body.as_ref()
        else {
            return unsupported("a recursive query without UNION");
        };
        let anchor = self.operand(left, None, None)?;
        let sql_name = self.alias('r');
        let names = anchor.outputs.iter().enumerate().map(|(index, output)| {
            let name = cte.columns.get(index).unwrap_or(&output.name).clone();
            (name, output.ty.clone().with_null(true))
        });
        let columns: Vec<(String, Type)> = names.collect();
        let types: Vec<Type> = columns.iter().map(|(_, ty)| ty.clone()).collect();
        let recursive = Some((sql_name.clone(), columns));
        self.ctes.push(Cte {
            recursive,
            query: None,
            ..cte.clone()
        });
        let step = self.operand(right, None, Some(&types));
        self.ctes.pop();
        let step = step?;
        let cells: Vec<String> = (0..types.len()).map(|index| format!("o{index}")).collect();
        let list = cells.join(",");
        let sql = match set_quantifier {
            SetQuantifier::All => all_levels(&sql_name, &list, &anchor.sql, &step.sql)?,
            // Differs from MySQL: rows are counted here, not levels.
            _ => format!(
                "WITH RECURSIVE {sql_name}({list}) AS ({} UNION {}) SELECT {list} FROM {sql_name} \
                 WHERE my_step()",
                anchor.sql, step.sql
            ),
        };
        let outputs = anchor.outputs.into_iter().zip(types);
        let outputs = outputs
            .map(|(output, ty)| Output { ty, ..output })
            .collect();
        Ok(Bound {
            sql,
            outputs,
            single_row: false,
        })
    }
}

/// A recursive query whose rows know at which level they were found, for the limit of
/// `cte_max_recursion_depth`.
fn all_levels(name: &str, list: &str, anchor: &str, step: &str) -> Result<String, SqlError> {
    let Some(step) = step.strip_prefix("SELECT ") else {
        return unsupported("this form of a recursive query");
    };
    let level = format!("{name}level");
    Ok(format!(
        "WITH RECURSIVE {name}({level},{list}) AS (SELECT 0,* FROM ({anchor}) UNION ALL \
         SELECT my_level({level}),{step}) SELECT {list} FROM {name}"
    ))
}
