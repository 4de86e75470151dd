//! The commit pipeline: one writer between all sessions and the log. Its decisions are in `core`,
//! which is stepped; `thread` has the channel and the clock.
//!
//! ```text
//! execute ... encode   a group collects transactions until nobody waits or it is full
//! A  write             one write of the group to the log
//! B  sync              as sync_binlog says
//! C  engine commit     rows and the log position they stand for, in one engine transaction
//! D  publish, answer   dump sessions may send, clients are acknowledged
//! ```
//! Order is everything: nothing is committed in the engine before the log has it, nothing is sent
//! or acknowledged before the engine has it. A failed sync, or a failed engine commit of what the
//! log already has, ends the process: only recovery knows what is true then.

mod commit;
mod core;
mod execute;
mod group;
mod hold;
mod invariants;
mod late;
mod log_side;
mod purge;
mod purged;
mod request;
mod room;
mod schema;
mod sessions;
#[cfg(test)]
mod tests;
mod thread;
mod ticket;
mod turns;
mod unlogged;

pub(crate) use self::core::{Now, Pipeline, PipelineOptions};
pub(crate) use commit::Durability;
pub(crate) use purge::log_error;
pub(crate) use purged::drop_empty_head;
pub(crate) use request::{
    Execute, Executed, PurgedChange, Request, SavepointAction, connection_gone,
};
pub(crate) use thread::{OnFatal, run};
pub(crate) use ticket::Ticket;
pub(crate) use unlogged::has_unlogged;
