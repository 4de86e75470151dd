//! Where rows live: the target seam and the embedded SQLite engine with its MySQL dialect.
pub mod sql;
