//! What a table cache keeps of a table between its table map and the end of its statement.

use codec::DecodeError;

use super::plan::RowPlan;
use super::table_map::TableMap;
use crate::schema::TableSnapshot;

/// A table's map and the plan of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Name and columns.
    pub map: TableMap<'static>,
    /// How its rows are laid out.
    pub plan: RowPlan,
    /// What was kept of its schema beside the log; the map is completed by it already.
    pub snapshot: Option<TableSnapshot>,
}

impl Table {
    /// Keeps `map`. Fails for a column whose parameters its type cannot have.
    pub fn new(map: TableMap<'_>) -> Result<Self, DecodeError> {
        Self::described(map, None)
    }

    /// Keeps `map`, completed by a snapshot of the table's schema if it fits.
    pub fn described(
        mut map: TableMap<'_>,
        snapshot: Option<&TableSnapshot>,
    ) -> Result<Self, DecodeError> {
        let snapshot = snapshot.filter(|snapshot| snapshot.fits(&map));
        if let Some(snapshot) = snapshot {
            snapshot.complete(&mut map);
        }
        let plan = RowPlan::new(&map)?;
        Ok(Self {
            map: map.into_owned(),
            plan,
            snapshot: snapshot.cloned(),
        })
    }

    /// Schema and name of the table, for messages: `schema.table`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.map.schema, self.map.table)
    }
}
