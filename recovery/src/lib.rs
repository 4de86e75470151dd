//! Recovery from logs: where in a log to begin and to end, and taking back what it says was changed.
//!
//! Everything here is synchronous and has neither sockets nor a clock; whoever calls gives the files,
//! the servers and the time. Nothing is written before everything that stands against it was looked
//! for.

mod bound;
pub mod flashback;
pub mod replay;
mod scratch;

pub use bound::{Bound, commit_micros};
pub use scratch::scratch;

/// Logs made event by event, as the tests of `binlog` make them; they name its modules from the root.
#[cfg(test)]
#[allow(dead_code, reason = "made for the tests of another crate too")]
#[path = "../../binlog/src/stream/fixture.rs"]
mod fixture;

#[cfg(test)]
use binlog::{event, log};
