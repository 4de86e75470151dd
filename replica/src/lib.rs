//! The following node: receiver, relay log, applier, status and lag.

pub mod source_info;
