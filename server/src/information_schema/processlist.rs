//! PROCESSLIST, and the rows of SHOW PROCESSLIST.

use super::definition::{Definition, texts};
use crate::processes::Process;
use crate::show::Cell;

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "PROCESSLIST",
    layout: |grid| {
        texts(grid.number("ID", 21), &["USER", "HOST", "DB", "COMMAND"])
            .number("TIME", 21)
            .text("STATE", 256)
            .blob("INFO", 805_306_368)
    },
    fill: |grid, viewer| {
        for process in viewer.processes() {
            grid.row(cells(&process, usize::MAX));
        }
    },
};

/// A session as both show it, with at most `shown` characters of its statement.
pub(crate) fn cells(process: &Process, shown: usize) -> [Cell; 8] {
    let activity = process.activity();
    let info = activity.info.map(|info| match shown {
        usize::MAX => info,
        shown => info.chars().take(shown).collect(),
    });
    [
        u64::from(process.id).into(),
        process.who().user.into(),
        process.host.as_str().into(),
        activity.database.into(),
        activity.command.into(),
        activity.since.elapsed().as_secs().into(),
        activity.state.into(),
        info.into(),
    ]
}
