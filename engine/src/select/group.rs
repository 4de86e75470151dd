//! ONLY_FULL_GROUP_BY: every column outside of aggregates must be fixed by the group.
//!
//! A column is fixed when it is grouped by, equals a constant in WHERE, equals a fixed column there,
//! or belongs to a table of which a unique key without NULL is fixed. Dependencies through derived
//! tables are not followed: such a statement is refused with MySQL's error.

use super::query::Item;
use crate::expr::bind::{Scope, same_node};
use crate::expr::compare::Domain;
use crate::expr::node::{Comparison, Node, Op};
use sql::error::SqlError;

/// Errors 1055 and 1140.
pub(super) fn check(
    items: &[Item],
    orders: &[(Node, bool)],
    groups: &[Node],
    condition: Option<&Node>,
    scope: &Scope<'_>,
) -> Result<(), SqlError> {
    let fixed = Fixed::new(groups, condition, scope);
    for (index, item) in items.iter().enumerate() {
        if let Some(column) = fixed.loose_column(&item.node) {
            return Err(if groups.is_empty() {
                SqlError::mix_of_group_func_and_fields(index + 1, column)
            } else {
                SqlError::wrong_field_with_group(index + 1, "SELECT list", column)
            });
        }
    }
    for (index, (node, _)) in orders.iter().enumerate() {
        if let Some(column) = fixed.loose_column(node)
            && !groups.is_empty()
        {
            return Err(SqlError::wrong_field_with_group(
                index + 1,
                "ORDER BY clause",
                column,
            ));
        }
    }
    Ok(())
}

struct Fixed<'g> {
    groups: &'g [Node],
    columns: Vec<String>,
}

impl<'g> Fixed<'g> {
    fn new(groups: &'g [Node], condition: Option<&Node>, scope: &Scope<'_>) -> Self {
        let mut columns: Vec<String> = groups.iter().filter_map(leaf_text).collect();
        let mut equalities = Vec::new();
        if let Some(condition) = condition {
            collect(condition, &mut equalities);
        }
        let mut before = usize::MAX;
        while before != columns.len() {
            before = columns.len();
            for (left, right) in &equalities {
                let known =
                    |side: &Option<String>| side.as_ref().is_none_or(|text| columns.contains(text));
                let (left_known, right_known) = (known(left), known(right));
                for (side, other_known) in [(left, right_known), (right, left_known)] {
                    if let Some(text) = side
                        && other_known
                        && !columns.contains(text)
                    {
                        columns.push(text.clone());
                    }
                }
            }
            for relation in &scope.relations {
                let text_at = |at: &usize| {
                    relation
                        .columns
                        .get(*at)
                        .and_then(|column| leaf_text(&column.node))
                };
                let key_fixed = relation.unique_keys.iter().any(|key| {
                    key.iter()
                        .all(|at| text_at(at).is_some_and(|text| columns.contains(&text)))
                });
                if key_fixed {
                    let all: Vec<String> = (0..relation.columns.len())
                        .filter_map(|at| text_at(&at))
                        .filter(|text| !columns.contains(text))
                        .collect();
                    columns.extend(all);
                }
            }
        }
        Self { groups, columns }
    }

    /// The label of a column that the group does not fix.
    fn loose_column(&self, node: &Node) -> Option<String> {
        if self.groups.iter().any(|group| same_node(group, node)) {
            return None;
        }
        if let Op::Leaf(leaf) = &node.op {
            let column = leaf.column.as_ref().filter(|_| !leaf.aggregate)?;
            if self.columns.contains(&leaf.sql) {
                return None;
            }
            return Some(column.label.replace('`', ""));
        }
        let mut found = None;
        let mut copy = node.clone();
        copy.each_child_mut(&mut |child| {
            if found.is_none() {
                found = self.loose_column(child);
            }
        });
        found
    }
}

fn leaf_text(node: &Node) -> Option<String> {
    match &node.op {
        Op::Leaf(leaf) if leaf.column.is_some() => Some(leaf.sql.clone()),
        _ => None,
    }
}

/// Equalities that hold for every row; `None` stands for a constant side.
fn collect(node: &Node, into: &mut Vec<(Option<String>, Option<String>)>) {
    match &node.op {
        Op::And(nodes) => nodes.iter().for_each(|node| collect(node, into)),
        Op::Compare(Comparison::Equal, domain, left, right) => {
            let side = |node: &Node| match &node.op {
                Op::Const(_) => Some(None),
                _ => leaf_text(node).map(Some),
            };
            let exact = !matches!(domain, Domain::Double);
            if let (Some(left), Some(right)) = (side(left), side(right))
                && (exact || left.is_none() || right.is_none())
            {
                into.push((left, right));
            }
        }
        _ => {}
    }
}
