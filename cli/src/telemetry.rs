//! What a node tells the world: messages, metrics, health.

mod http;
mod listener;
mod messages;
mod metrics;

pub(crate) use http::serve;
pub(crate) use messages::Messages;
