//! Tests and benches that need more than one crate or real peers.
