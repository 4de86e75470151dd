//! SCHEMATA: the databases that the account sees, and those that are there for tools alone.

use engine::catalog::SYSTEM_SCHEMA;

use super::definition::{Definition, texts};
use crate::show::{Cell, Grid};
use crate::view::Viewer;

/// The table.
pub(super) const TABLE: Definition = Definition {
    name: "SCHEMATA",
    layout: |grid| {
        let names = [
            "CATALOG_NAME",
            "SCHEMA_NAME",
            "DEFAULT_CHARACTER_SET_NAME",
            "DEFAULT_COLLATION_NAME",
            "SQL_PATH",
            "DEFAULT_ENCRYPTION",
        ];
        texts(grid, &names)
    },
    fill,
};

fn fill(grid: &mut Grid, viewer: &Viewer<'_>) {
    let catalog = viewer.catalog();
    let own = (super::NAME, "utf8mb3", "utf8mb3_general_ci");
    let has_system = catalog.databases.contains_key(SYSTEM_SCHEMA);
    let system = (!has_system && viewer.account.can_see(SYSTEM_SCHEMA)).then_some((
        SYSTEM_SCHEMA,
        "utf8mb4",
        "utf8mb4_0900_ai_ci",
    ));
    let databases = catalog.databases.values();
    let visible = databases.filter(|database| viewer.account.can_see(&database.name));
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
