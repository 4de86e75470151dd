//! The following node: receiver, relay log, applier, status and lag.
//!
//! Events go from the source's socket into the relay log and from there into the target, by two
//! threads that know each other only through the relay log. What is applied and how far is committed
//! together in the target, so that a crash anywhere loses nothing and repeats nothing.

#![forbid(unsafe_code)]

/// Target of the messages about the life of a replica, which are written at every verbosity.
pub(crate) const LIFE: &str = "weir::node";

pub mod relay_log;

pub mod receiver;

pub mod applier;

pub mod source_info;
mod target;

pub mod channel;
mod filter_rules;

pub mod gate;
mod lag;

mod error;
mod node;
pub mod read_only;
mod reconcile;
pub mod role;

pub use error::ReplicaError;
pub use node::run;
