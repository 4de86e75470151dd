//! Expressions: typed trees bound from MySQL's syntax, evaluated in Rust or handed to SQLite.
//!
//! [`bind`] makes typed [`node::Node`]s; [`emit`] writes SQLite text for them; [`sqlite`] teaches
//! connections the functions that text calls. The functions themselves are in [`crate::functions`].
//! Invariant: SQLite never computes a MySQL value by itself, it only compares and orders stored
//! forms where that is MySQL's own order.

pub mod aggregate;
pub mod bind;
pub mod collate;
pub mod compare;
pub mod convert;
pub mod emit;
pub mod env;
pub mod function;
pub mod kept;
pub mod native;
pub mod node;
pub mod sqlite;
pub mod types;
mod union;

pub use crate::value::datum::Datum;
pub use sqlite::register;
