//! ORDER BY of SELECT DISTINCT: a column that is not selected has no one value to order by.

use super::query::Item;
use crate::expr::bind::same_node;
use crate::expr::node::{Node, Op};
use sql::error::SqlError;

/// Error 3065, as `ONLY_FULL_GROUP_BY` has it.
pub(super) fn check(items: &[Item], orders: &[(Node, bool)]) -> Result<(), SqlError> {
    for (index, (order, _)) in orders.iter().enumerate() {
        if let Some(column) = foreign_column(items, order) {
            return Err(SqlError::order_by_not_in_distinct(index + 1, column));
        }
    }
    Ok(())
}

/// The label of a column in `node` that is no item.
fn foreign_column(items: &[Item], node: &Node) -> Option<String> {
    if items.iter().any(|item| same_node(&item.node, node)) {
        return None;
    }
    if let Op::Leaf(leaf) = &node.op {
        let column = leaf.column.as_ref().filter(|_| !leaf.aggregate)?;
        return Some(column.label.replace('`', ""));
    }
    let mut found = None;
    let mut copy = node.clone();
    copy.each_child_mut(&mut |child| {
        if found.is_none() {
            found = foreign_column(items, child);
        }
    });
    found
}
