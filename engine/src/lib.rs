//! Where rows live: the target seam and the embedded SQLite engine with its MySQL dialect.
//!
//! A statement comes in as MySQL text and leaves as an outcome and a list of row changes; which log
//! these are written to, and who sent the statement, is not this crate's business. Invariant: the
//! catalogue, the rows and the position they stand for change in one SQLite transaction.

pub mod apply;
pub mod catalog;
mod caught;
pub mod collation;
pub mod database;
pub mod ddl;
pub mod dml;
pub mod error;
pub mod execute;
pub mod expr;
pub mod functions;
pub mod image;
pub mod interrupt;
pub mod outcome;
pub mod rows;
pub mod select;
pub mod session;
pub mod tracker;
pub mod user_locks;
pub mod value;
