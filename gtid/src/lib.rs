//! MySQL and MariaDB global transaction identifiers: sets, set algebra, text and binary forms.
//!
//! This crate knows identifiers and nothing else: no event, no file, no server. What it reads may be
//! hostile, so nothing here allocates by a count taken from input.
//!
//! Formats: MySQL 9.7 Reference Manual, "GTID Format and Storage"; MariaDB Knowledge Base, "Global
//! Transaction ID".

#![forbid(unsafe_code)]

mod error;
mod identifier;
mod mariadb;
mod set;
mod tag;

pub use error::ParseError;
pub use identifier::{Gno, Gtid, Tsid};
pub use mariadb::{MariaGtid, MariaPosition};
pub use set::{GnoInterval, GtidSet};
pub use tag::Tag;
pub use uuid::Uuid;
