//! performance_schema: the one table that a tool cannot do without, what SET PERSIST keeps, and how the
//! workers of an applier fare.

use super::applier_workers;
use super::definition::texts;
use crate::node::Node;
use crate::show::Grid;

/// A table of performance_schema: mysqldump 9.7 asks for the first and, if it is told of an error,
/// writes an empty dump.
pub(super) fn table(name: &str, node: &Node) -> Option<Grid> {
    if name.eq_ignore_ascii_case("column_masking_policy") {
        return Some(texts(Grid::new(), &["POLICY_NAME"]));
    }
    if name.eq_ignore_ascii_case(applier_workers::NAME) {
        return Some(applier_workers::table(node));
    }
    name.eq_ignore_ascii_case("persisted_variables")
        .then(|| persisted_variables(node))
}

fn persisted_variables(node: &Node) -> Grid {
    let mut grid = Grid::new()
        .text("VARIABLE_NAME", 64)
        .text("VARIABLE_VALUE", 1024);
    for (name, variable) in node.persisted.snapshot().iter() {
        grid.row([name.into(), variable.value.as_str().into()]);
    }
    grid
}
