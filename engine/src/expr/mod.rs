//! Expressions: typed trees bound from MySQL's syntax, evaluated in Rust or handed to SQLite.

pub mod double;
pub mod temporal;
pub mod temporal_text;
