//! MySQL's SQL: text in, statement tree out.
//!
//! The lexer knows `sql_mode`, version comments and MySQL's literals. A recursive-descent parser of
//! our own reads every statement except SELECT, INSERT, REPLACE, UPDATE and DELETE, whose tokens are
//! handed to `sqlparser` after normalisation. Nothing here looks at a catalogue or a session: names
//! are as written, features are not judged.

pub mod ast;
mod mode;

pub use ast::{Parsed, Statement};
pub use mode::{SqlMode, UnknownMode};
