//! The following node: receiver, relay log, applier, status and lag.

pub mod applier;
pub mod receiver;
pub mod relay_log;
pub mod source_info;
