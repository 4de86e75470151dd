//! Looking into log files from outside: as text, as JSON, as SQL, in numbers, and judged.
//!
//! For people and tools; servers read files through [`binlog::log::LogCursor`]. Everything here takes
//! the steps of [`binlog::transaction::TransactionReader`], and memory is bounded by the largest
//! event, never by the file.

pub mod cell;
pub mod cut;
pub mod declared;
mod fields;
pub mod filter;
pub mod find;
mod json;
pub mod measure;
mod output;
mod render;
mod sql;
pub mod stats;
mod text;
pub mod timeline;
pub mod verify;

pub use json::{JsonLines, JsonOptions};
pub use output::Output;
pub use render::{Render, RenderError, Source};
pub use sql::{
    Destination, Find, Generated, Inexpressible, NoNames, RowSql, Session as SqlSession, SqlForm,
    SqlLines, SqlOptions, SqlSink, load_local, put_base64, put_text_literal, put_variable,
    put_versioned, without_start,
};
pub use text::{TextLines, TextOptions, put_value};

/// Logs made event by event, as the tests of `binlog` make them; they name its modules from the root.
#[cfg(test)]
#[allow(dead_code, reason = "made for the tests of another crate too")]
#[path = "../../binlog/src/stream/fixture.rs"]
mod fixture;

#[cfg(test)]
use binlog::{event, log};
