//! ENGINES, and the row of SHOW ENGINES.

use super::definition::{Definition, texts};
use crate::show::Cell;

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "ENGINES",
    layout: |grid| {
        let names = [
            "ENGINE",
            "SUPPORT",
            "COMMENT",
            "TRANSACTIONS",
            "XA",
            "SAVEPOINTS",
        ];
        texts(grid, &names)
    },
    fill: |grid, _| grid.row(cells()),
};

/// The engine as both show it.
pub(crate) fn cells() -> [Cell; 6] {
    let comment = "Weir's engine: transactions, on SQLite";
    ["InnoDB", "DEFAULT", comment, "YES", "NO", "YES"].map(Cell::from)
}
