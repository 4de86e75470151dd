//! SELECT: queries bound into one SQLite statement, and run.
//!
//! SQLite joins, groups, orders and limits; every value it computes is a stored form or comes from
//! [`crate::expr`]. Reading rows turns stored forms into result values. Nothing here writes.

mod distinct;
pub(crate) mod found_rows;
mod from;
mod group;
mod index_hint;
mod metadata;
mod naming;
mod order;
mod query;
mod reader;
mod run;
mod set_operation;
mod subquery;
mod tables;

pub use from::Cte;
pub use metadata::{result_column, result_text};
pub use query::{Bound, Output};
pub use run::{Row, RowSink, describe, result_value, run, run_into};
pub use tables::{NoVirtualTables, VirtualTable, VirtualTables};

pub(crate) use from::{base_relation, split_name};
pub(crate) use order::descends;
pub(crate) use run::Cursor;

#[cfg(test)]
mod tests;
