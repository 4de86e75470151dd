//! COLLATION_CHARACTER_SET_APPLICABILITY.

use engine::collation;

use super::definition::{Definition, texts};

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "COLLATION_CHARACTER_SET_APPLICABILITY",
    layout: |grid| texts(grid, &["COLLATION_NAME", "CHARACTER_SET_NAME"]),
    fill: |grid, _| {
        for collation in collation::all() {
            grid.row([collation.name.into(), collation.charset.name().into()]);
        }
    },
};
