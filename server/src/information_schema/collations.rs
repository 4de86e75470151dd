//! COLLATIONS, and the rows of SHOW COLLATION.

use engine::collation::{self, Collation};

use super::definition::{Definition, texts};
use crate::show::Cell;

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "COLLATIONS",
    layout: |grid| {
        texts(grid, &["COLLATION_NAME", "CHARACTER_SET_NAME"])
            .number("ID", 20)
            .text("IS_DEFAULT", 12)
            .text("IS_COMPILED", 12)
            .number("SORTLEN", 10)
            .text("PAD_ATTRIBUTE", 36)
    },
    fill: |grid, _| {
        for collation in collation::all() {
            grid.row(cells(collation));
        }
    },
};

/// A collation as both show it.
pub(crate) fn cells(collation: &Collation) -> [Cell; 7] {
    let is_default = collation.charset.default_collation().id == collation.id;
    let no_pad = collation.name.contains("_0900_") || collation.name == "binary";
    let sort_length = u64::from(!collation.name.ends_with("_0900_ai_ci"));
    [
        collation.name.into(),
        collation.charset.name().into(),
        u64::from(collation.id).into(),
        if is_default { "Yes" } else { "" }.into(),
        "Yes".into(),
        sort_length.into(),
        if no_pad { "NO PAD" } else { "PAD SPACE" }.into(),
    ]
}
