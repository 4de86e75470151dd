//! How a table of information_schema is described: its columns, and what makes its rows.

use crate::show::Grid;
use crate::view::Viewer;

/// One table.
pub(super) struct Definition {
    /// In capitals.
    pub(super) name: &'static str,
    /// Adds its columns.
    pub(super) layout: fn(Grid) -> Grid,
    /// Adds its rows.
    pub(super) fill: fn(&mut Grid, &Viewer<'_>),
}

impl Definition {
    /// A table of things that this server does not have.
    pub(super) const fn empty(name: &'static str, layout: fn(Grid) -> Grid) -> Self {
        Self {
            name,
            layout,
            fill: |_, _| {},
        }
    }
}

/// Bytes of a name.
pub(super) const NAME_LENGTH: u32 = 256;

/// Text columns of the given names.
pub(super) fn texts(grid: Grid, names: &[&str]) -> Grid {
    names
        .iter()
        .fold(grid, |grid, name| grid.text(name, NAME_LENGTH))
}

/// BIGINT columns of the given names.
pub(super) fn numbers(grid: Grid, names: &[&str]) -> Grid {
    names.iter().fold(grid, |grid, name| grid.number(name, 21))
}
