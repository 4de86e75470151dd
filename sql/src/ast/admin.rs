//! Settings and administration of the server and its sessions.

use super::{SetItem, TableName};

/// A statement about settings, sessions, logs other than the binary one, or table maintenance.
#[derive(Debug, Clone, PartialEq)]
pub enum Admin {
    /// SET, every item in order; the statement is all or nothing where MySQL's is.
    Set(Vec<SetItem>),
    /// RESET PERSIST [IF EXISTS] \[name\].
    ResetPersist {
        /// Whether a name that is not persisted is only warned of.
        if_exists: bool,
        /// The variable, as written; None is every one.
        name: Option<String>,
    },
    /// USE.
    Use(String),
    /// HELP 'topic'.
    Help(String),
    /// KILL \[CONNECTION | QUERY\] id.
    Kill {
        /// What dies.
        target: KillTarget,
        /// Connection id.
        id: u64,
    },
    /// FLUSH.
    Flush(Vec<FlushTarget>),
    /// ANALYZE, CHECK, CHECKSUM, OPTIMIZE or REPAIR TABLE.
    Maintenance {
        /// Which.
        kind: MaintenanceKind,
        /// Tables, in order.
        tables: Vec<TableName>,
        /// Further words (QUICK, EXTENDED ...), upper-cased.
        options: Vec<String>,
    },
    /// SHUTDOWN.
    Shutdown,
}

/// What KILL ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillTarget {
    /// The connection.
    Connection,
    /// The statement it runs.
    Query,
}

/// One target of FLUSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlushTarget {
    /// FLUSH TABLES [t, ...] \[WITH READ LOCK | FOR EXPORT\].
    Tables {
        /// Named tables; empty for all.
        tables: Vec<TableName>,
        /// WITH READ LOCK.
        read_lock: bool,
        /// FOR EXPORT.
        export: bool,
    },
    /// FLUSH LOGS: every log.
    Logs,
    /// FLUSH BINARY LOGS.
    BinaryLogs,
    /// FLUSH RELAY LOGS [FOR CHANNEL c].
    RelayLogs {
        /// Channel.
        channel: Option<String>,
    },
    /// FLUSH ENGINE, ERROR, GENERAL, SLOW LOGS.
    OtherLogs(String),
    /// FLUSH PRIVILEGES.
    Privileges,
    /// FLUSH STATUS.
    Status,
    /// HOSTS, OPTIMIZER_COSTS, USER_RESOURCES, QUERY CACHE ...: no effect.
    Other(String),
}

/// Table maintenance statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "SQL's own words")]
pub enum MaintenanceKind {
    Analyze,
    Check,
    Checksum,
    Optimize,
    Repair,
}
