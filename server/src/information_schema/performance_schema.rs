//! performance_schema: the one table that a tool cannot do without.

use super::definition::texts;
use crate::show::Grid;

/// A table of performance_schema: mysqldump 9.7 asks for the first and, if it is told of an error,
/// writes an empty dump.
pub(super) fn table(name: &str) -> Option<Grid> {
    name.eq_ignore_ascii_case("column_masking_policy")
        .then(|| texts(Grid::new(), &["POLICY_NAME"]))
}
