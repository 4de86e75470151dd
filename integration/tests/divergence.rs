//! Engine and log, primary and replica, must not drift apart: live nodes, kill -9 and recovery in the
//! middle, a Weir and a MySQL 9.7 replica attached.

#[path = "divergence/checksums.rs"]
mod checksums;
#[path = "divergence/converted.rs"]
mod converted;
#[path = "divergence/counters.rs"]
mod counters;
#[path = "divergence/ddl.rs"]
mod ddl;
#[path = "divergence/definitions.rs"]
mod definitions;
#[path = "divergence/durability.rs"]
mod durability;
#[path = "divergence/filters.rs"]
mod filters;
#[path = "divergence/fleet.rs"]
mod fleet;
#[path = "divergence/full_disk.rs"]
mod full_disk;
#[path = "divergence/generated.rs"]
mod generated;
#[path = "divergence/locks.rs"]
mod locks;
#[path = "divergence/mariadb.rs"]
mod mariadb;
#[path = "divergence/pages.rs"]
mod pages;
#[path = "divergence/positions.rs"]
mod positions;
#[path = "divergence/read_only.rs"]
mod read_only;
#[path = "divergence/refusals.rs"]
mod refusals;
#[path = "divergence/row_order.rs"]
mod row_order;
#[path = "divergence/sessions.rs"]
mod sessions;
#[path = "divergence/snapshots.rs"]
mod snapshots;
#[path = "divergence/stored.rs"]
mod stored;
#[path = "divergence/transactions.rs"]
mod transactions;
#[path = "divergence/words.rs"]
mod words;
