//! Where an applier puts the changes of a source.
//!
//! A [`Store`] is one target: an embedded database, later a server. It gives out [`Session`]s, which
//! take whole transactions of the source and commit them together with how far they lead. That is
//! what makes applying exactly once: what is applied and the word that it is are one commit. A store
//! knows no log, no filter and no source; what it cannot take it refuses, it never approximates.
//!
//! The seam is synchronous: the embedded engine needs a thread that may block, and a session over a
//! network brings its own runtime.

#![forbid(unsafe_code)]

mod change;
pub mod conformance;
mod error;
mod keys;
mod mysql;
mod postgres;
mod seam;
mod sqlite;

pub use change::{
    LoadedFile, Logged, RowsChange, RowsOutcome, StatementChange, StatementOutcome, UnitHead,
    Variables,
};
pub use engine::apply::{
    Resolution, Resolved, RowRules, Rule, SYSTEM_ROWS, SkippedErrors, is_system_table,
};
pub use engine::database::{Applied, Mark};
pub use error::TargetError;
pub use keys::{Definitions, ForeignKey, KeyColumn, KeyPart, TableKeys, UniqueKey};
pub use mysql::{MarkTable, MysqlOptions, MysqlStore, Nodes, ServerFacts, Truth, Uneven};
pub use postgres::{PostgresAddress, PostgresOptions, PostgresStore, ZeroDates};
pub use seam::{Ending, Session, Store, Traits};
pub use sqlite::SqliteStore;
