//! SCHEMATA: the databases that the account sees, and those that are there for tools alone.

use engine::catalog::SYSTEM_SCHEMA;

use super::tables::Source;
use crate::show::{Cell, Grid};

/// The rows of SCHEMATA.
pub(super) fn fill(grid: &mut Grid, source: &Source<'_>) {
    let own = (super::NAME, "utf8mb3", "utf8mb3_general_ci");
    let has_system = source.catalog.databases.contains_key(SYSTEM_SCHEMA);
    let system = (!has_system && source.account.can_see(SYSTEM_SCHEMA)).then_some((
        SYSTEM_SCHEMA,
        "utf8mb4",
        "utf8mb4_0900_ai_ci",
    ));
    let databases = source.catalog.databases.values();
    let visible = databases.filter(|database| source.account.can_see(&database.name));
    let rows = visible
        .map(|database| {
            let collation = database.collation;
            (
                database.name.as_str(),
                collation.charset.name(),
                collation.name,
            )
        })
        .chain(std::iter::once(own))
        .chain(system);
    for (name, charset, collation) in rows {
        grid.row([
            "def".into(),
            name.into(),
            charset.into(),
            collation.into(),
            Cell::Null,
            "NO".into(),
        ]);
    }
}
