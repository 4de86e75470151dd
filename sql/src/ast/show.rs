//! SHOW in both vocabularies.

use super::{AccountName, SetScope, TableName};
use sqlparser::ast as sp;

/// LIKE or WHERE behind a SHOW.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one per statement")]
pub enum ShowFilter {
    /// LIKE 'pattern', escapes kept.
    Like(String),
    /// WHERE over the result's columns.
    Where(sp::Expr),
}

/// What SHOW CREATE names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowCreate {
    /// SHOW CREATE TABLE.
    Table(TableName),
    /// SHOW CREATE VIEW.
    View(TableName),
    /// SHOW CREATE DATABASE.
    Database {
        /// IF NOT EXISTS: put into the printed text.
        if_not_exists: bool,
        /// Name.
        name: String,
    },
    /// SHOW CREATE USER; None is CURRENT_USER.
    User(Option<AccountName>),
    /// TRIGGER, PROCEDURE, FUNCTION, EVENT: kind upper-cased, and name.
    Other(String, TableName),
}

/// A SHOW statement.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "each variant is the SHOW statement of that name"
)]
pub enum Show {
    Databases {
        filter: Option<ShowFilter>,
    },
    Tables {
        full: bool,
        database: Option<String>,
        filter: Option<ShowFilter>,
    },
    TableStatus {
        database: Option<String>,
        filter: Option<ShowFilter>,
    },
    OpenTables {
        database: Option<String>,
        filter: Option<ShowFilter>,
    },
    Columns {
        full: bool,
        extended: bool,
        table: TableName,
        filter: Option<ShowFilter>,
    },
    Index {
        table: TableName,
        filter: Option<ShowFilter>,
    },
    Create(ShowCreate),
    Variables {
        scope: SetScope,
        filter: Option<ShowFilter>,
    },
    Status {
        scope: SetScope,
        filter: Option<ShowFilter>,
    },
    /// SHOW WARNINGS; `count` is SHOW COUNT(*) WARNINGS; limit is (offset, rows).
    Warnings {
        count: bool,
        limit: Option<(u64, u64)>,
    },
    /// SHOW ERRORS.
    Errors {
        count: bool,
        limit: Option<(u64, u64)>,
    },
    ProcessList {
        full: bool,
    },
    Engines,
    /// SHOW ENGINE name STATUS | MUTEX | LOGS.
    Engine {
        engine: String,
        what: String,
    },
    Charset {
        filter: Option<ShowFilter>,
    },
    Collation {
        filter: Option<ShowFilter>,
    },
    /// None is the session's own account.
    Grants {
        user: Option<AccountName>,
    },
    Privileges,
    Plugins,
    Profiles,
    Triggers {
        database: Option<String>,
        filter: Option<ShowFilter>,
    },
    Events {
        database: Option<String>,
        filter: Option<ShowFilter>,
    },
    ProcedureStatus {
        filter: Option<ShowFilter>,
    },
    FunctionStatus {
        filter: Option<ShowFilter>,
    },
    /// SHOW BINARY LOG STATUS; `legacy` for SHOW MASTER STATUS.
    BinaryLogStatus {
        legacy: bool,
    },
    /// SHOW BINARY LOGS, SHOW MASTER LOGS.
    BinaryLogs,
    /// SHOW BINLOG EVENTS, or with `relay` SHOW RELAYLOG EVENTS.
    BinlogEvents {
        relay: bool,
        file: Option<String>,
        position: Option<u64>,
        limit: Option<(u64, u64)>,
        channel: Option<String>,
    },
    /// SHOW REPLICAS; `legacy` for SHOW SLAVE HOSTS.
    Replicas {
        legacy: bool,
    },
    /// SHOW REPLICA STATUS; `legacy` for SHOW SLAVE STATUS.
    ReplicaStatus {
        legacy: bool,
        channel: Option<String>,
    },
    /// MariaDB's SHOW ALL SLAVES STATUS.
    AllReplicasStatus,
}
