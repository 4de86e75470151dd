//! The face both roles show to MySQL clients: sessions, accounts, statements, dump sessions.
//!
//! A role hands its parts to [`Server::bind`] and gets a listener that serves every client command;
//! what only a role can do is asked of it through [`executor::WriteExecutor`] and [`role::Role`].
//! Rows are read here, on snapshots, and never changed here.

pub mod accounts;
mod appetite;
pub mod checkpointer;
pub mod clock;
pub mod control;
pub mod datadir;
pub mod dump;
pub mod encryption;
pub mod executor;
pub mod feed;
pub mod fence;
mod information_schema;
mod listener;
pub mod log_source;
mod node;
pub mod owned_gtids;
mod persisted;
pub mod private_file;
mod processes;
mod readers;
pub mod registry;
mod result;
pub mod role;
mod session;
mod shelf;
mod show;
mod threads;
pub mod tls;
pub mod variables;
mod view;

pub use control::Control;
pub use listener::{Server, ServerError, ServerParts, initialize};
