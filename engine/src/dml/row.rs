//! Expressions over a row in hand: columns become inputs by their position.

use binlog::value::Value;

use super::evaluated::Evaluated;
use crate::catalog::{ColumnType, Table};
use crate::expr::env::Env;
use crate::expr::node::{Node, Op};
use crate::value::cell;
use crate::value::datum::Datum;
use crate::value::sourced::Sourced;
use sql::error::SqlError;

/// An expression whose columns are inputs: those of relation 0 first, then those of relation 1,
/// then what SQLite computed for it.
#[derive(Debug)]
pub(super) struct RowExpression {
    node: Node,
    is_field: bool,
    /// Inputs below this are columns of relation 0.
    width: usize,
    reads: Vec<usize>,
}

/// What SQLite has to compute beside the row: subqueries.
pub(super) type Extras = Vec<Node>;

impl RowExpression {
    /// Turns leaves into inputs; subqueries are appended to `extras`.
    pub(super) fn new(mut node: Node, width: usize, extras: &mut Extras) -> Self {
        let mut reads = Vec::new();
        let is_field = node.is_field();
        lower(&mut node, width, extras, &mut reads);
        Self {
            node,
            is_field,
            width,
            reads,
        }
    }

    /// The inputs that it reads.
    pub(super) fn reads(&self) -> &[usize] {
        &self.reads
    }

    /// A value of it on its way into a column.
    pub(super) fn given(&self, value: Datum, target: &ColumnType) -> Sourced {
        let evaluated = Evaluated {
            ty: &self.node.ty,
            is_field: self.is_field,
        };
        evaluated.value(value, target)
    }

    /// The value for the current row, the row an INSERT gave, and what SQLite computed.
    pub(super) fn eval(
        &self,
        table: &Table,
        current: &[Value<'static>],
        given: &[Value<'static>],
        extras: &[Datum],
        env: &Env,
    ) -> Result<Datum, SqlError> {
        let Some(highest) = self.reads.iter().max() else {
            return self.node.eval(&[], env);
        };
        let mut inputs = vec![Datum::Null; highest + 1];
        for slot in &self.reads {
            let value = if *slot < self.width {
                column_datum(table, *slot, current, env)?
            } else if *slot < 2 * self.width {
                column_datum(table, slot - self.width, given, env)?
            } else {
                extras
                    .get(slot - 2 * self.width)
                    .cloned()
                    .unwrap_or(Datum::Null)
            };
            if let Some(input) = inputs.get_mut(*slot) {
                *input = value;
            }
        }
        self.node.eval(&inputs, env)
    }
}

fn lower(node: &mut Node, width: usize, extras: &mut Extras, reads: &mut Vec<usize>) {
    if let Op::Leaf(leaf) = &node.op {
        let slot = match &leaf.column {
            Some(column) if column.table < 2 => column.table * width + column.position,
            _ => {
                extras.push(node.clone());
                2 * width + extras.len() - 1
            }
        };
        let label = leaf
            .column
            .as_ref()
            .map_or("", |column| column.label.as_str());
        node.op = Op::Input(slot, label.into());
        reads.push(slot);
        return;
    }
    node.each_child_mut(&mut |child| lower(child, width, extras, reads));
}

fn column_datum(
    table: &Table,
    position: usize,
    row: &[Value<'static>],
    env: &Env,
) -> Result<Datum, SqlError> {
    match (table.columns.get(position), row.get(position)) {
        (Some(column), Some(value)) => cell::of_column(value, &column.column_type, &env.zone),
        _ => Ok(Datum::Null),
    }
}
