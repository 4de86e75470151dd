//! Row events: which table, which rows, what they were and what they became.
//!
//! A [`TableMap`] says how the rows of the events behind it are laid out. A [`RowPlan`] is computed
//! from it once and then decodes or encodes every row. A table map is valid until the end of its
//! statement; the same id may name another table later.

mod cell;
mod cells;
mod chunks;
mod column;
pub(crate) mod compressed;
mod encoder;
mod metadata;
mod plan;
mod rows_event;
mod table;
mod table_map;
mod temporal_cell;
#[cfg(test)]
mod tests;

pub use cell::EncodeError;
pub use chunks::RowChunks;
pub use column::{Column, ColumnType};
pub use encoder::{ROW_EVENT_SIZE_MAX, RowsEncoder};
pub use plan::{Row, RowImages, RowPair, RowPlan, RowReader};
pub use rows_event::{RowsCompression, RowsEvent, RowsFlags, RowsKind, RowsPartition, RowsVersion};
pub use table::Table;
pub use table_map::TableMap;
