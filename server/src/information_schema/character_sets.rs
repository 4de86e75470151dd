//! CHARACTER_SETS.

use engine::collation::Charset;

use super::definition::{Definition, texts};

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "CHARACTER_SETS",
    layout: |grid| {
        let names = ["CHARACTER_SET_NAME", "DEFAULT_COLLATE_NAME", "DESCRIPTION"];
        texts(grid, &names).number("MAXLEN", 10)
    },
    fill: |grid, _| {
        for charset in Charset::ALL {
            grid.row([
                charset.name().into(),
                charset.default_collation().name.into(),
                charset.description().into(),
                u64::from(charset.bytes_per_char_max()).into(),
            ]);
        }
    },
};
