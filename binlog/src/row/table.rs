//! What a table cache keeps of a table between its table map and the end of its statement.

use codec::DecodeError;

use super::plan::RowPlan;
use super::table_map::TableMap;

/// A table's map and the plan of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Name and columns.
    pub map: TableMap<'static>,
    /// How its rows are laid out.
    pub plan: RowPlan,
}

impl Table {
    /// Keeps `map`. Fails for a column whose parameters its type cannot have.
    pub fn new(map: TableMap<'_>) -> Result<Self, DecodeError> {
        let plan = RowPlan::new(&map)?;
        Ok(Self {
            map: map.into_owned(),
            plan,
        })
    }

    /// Schema and name of the table, for messages: `schema.table`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.map.schema, self.map.table)
    }
}
