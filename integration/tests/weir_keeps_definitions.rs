//! `weir replica` into the embedded engine keeps what a real source declares and the engine does not
//! enforce: SHOW CREATE TABLE is the source's, rows of cascades and partitions are the same on both.

#[path = "kept_definitions/follow.rs"]
mod follow;

#[path = "kept_definitions/cascades.rs"]
mod cascades;
#[path = "kept_definitions/constraints.rs"]
mod constraints;
#[path = "kept_definitions/indexes.rs"]
mod indexes;
#[path = "kept_definitions/partition_rows.rs"]
mod partition_rows;
#[path = "kept_definitions/partitions.rs"]
mod partitions;
