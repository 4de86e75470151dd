//! Dump sessions: replicas being sent the binlog.
//!
//! [`serve`] is the shell. Under it `reader` turns files into a stream, `filter` decides what
//! is sent, `artificial` makes the events that lie in no file, `refusal` has MySQL's texts.

mod artificial;
mod filter;
mod mariadb;
mod reader;
mod refusal;
mod request;
mod session;
#[cfg(test)]
mod tests;

pub use refusal::Refusal;
pub use request::{DumpRequest, DumpStart, ReplicaVariables};
pub use session::{DumpState, serve};
