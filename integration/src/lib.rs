//! Tests and benches that need more than one crate or real peers, and the harness they share.
//!
//! The harness starts real servers (MySQL 9.7 and 5.6, MariaDB 10.11 and 11.8, PostgreSQL 15, unpacked by
//! `scripts/peers`) and `weir` processes on free ports in temporary directories, talks to them,
//! and compares what they hold. It decides nothing about correctness itself: that is what the
//! files in `tests/` say. Nothing here skips: a missing peer is a failure that names the command
//! which installs it.

pub mod failure;
pub mod wait;

pub mod appliers;
pub mod chance;

pub mod process;

pub mod galera;
pub mod peers;
pub mod postgres;
pub mod postgres_rows;
pub mod real_replica;
pub mod real_server;
pub mod weir;

pub mod sql;
pub mod wire;

pub mod binlog_tools;
pub mod compare;
pub mod cutting;
pub mod event_listing;
pub mod incident;
pub mod kills;
pub mod large_log;
pub mod line;
pub mod mariadb;
pub mod measured;
pub mod metrics;
pub mod recipe;
pub mod steady_load;
pub mod sysbench;
pub mod workload;

pub use failure::{Failure, Result};
pub use galera::Galera;
pub use peers::Peer;
pub use postgres::Postgres;
pub use real_server::RealServer;
pub use sql::Client;
pub use weir::Weir;
