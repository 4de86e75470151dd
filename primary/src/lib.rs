//! The writable node: commit pipeline, GTID assignment, dependencies, crash recovery.
//!
//! One thread owns the engine's writer and the log's writer. It executes statements, forms groups
//! of transactions, writes a group to the log, makes it durable, commits it in the engine and only
//! then answers the clients. The log is the record: after a crash the engine is rolled forward from
//! it, so the two never diverge and nothing acknowledged is lost.
//!
//! What clients see (sessions, accounts, SHOW) is `server`'s; what a statement does is `engine`'s.

#![forbid(unsafe_code)]

mod checkpoint;
mod error;
mod executor;
mod node;
mod open;
mod pipeline;
mod reserve;
mod role;
mod roll_forward;
mod run;
mod show_events;

mod state;
mod transaction;

#[cfg(test)]
mod tests;

pub use error::PrimaryError;
pub use node::Primary;
pub use run::run;
