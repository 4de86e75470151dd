//! Parts of administrative and replication statements.

use super::TableName;

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

/// One table of LOCK TABLES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockTable {
    /// Table.
    pub table: TableName,
    /// AS alias.
    pub alias: Option<String>,
    /// WRITE rather than READ \[LOCAL\].
    pub write: bool,
}

/// How far PURGE BINARY LOGS goes.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one per statement")]
pub enum BinaryLogPurge {
    /// TO 'file'.
    To(String),
    /// BEFORE datetime expression.
    Before(super::Expression),
}

/// `NAME = value` of CHANGE REPLICATION SOURCE and START REPLICA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionAssignment {
    /// Upper-cased, in today's vocabulary: `SOURCE_HOST`.
    pub name: String,
    /// Value.
    pub value: ReplicationOptionValue,
}

/// A value of a replication option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicationOptionValue {
    /// A string.
    Text(String),
    /// A number as written.
    Number(String),
    /// A bare word: NULL, ON, LOCAL, GENERATE ...
    Word(String),
    /// A parenthesised list: IGNORE_SERVER_IDS.
    List(Vec<String>),
}

/// One rule of CHANGE REPLICATION FILTER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationFilterRule {
    /// REPLICATE_DO_DB ..., upper-cased.
    pub name: String,
    /// Databases, `db.table` names or patterns; pairs of REPLICATE_REWRITE_DB are `from`, `to`
    /// in turn.
    pub values: Vec<String>,
}

/// Threads named by START or STOP REPLICA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaThreads {
    /// IO_THREAD.
    pub receiver: bool,
    /// SQL_THREAD.
    pub applier: bool,
}

/// START REPLICA UNTIL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UntilCondition {
    /// SQL_BEFORE_GTIDS.
    BeforeGtids(String),
    /// SQL_AFTER_GTIDS.
    AfterGtids(String),
    /// SQL_AFTER_MTS_GAPS.
    AfterGaps,
    /// SOURCE_LOG_FILE, SOURCE_LOG_POS.
    SourcePosition(String, u64),
    /// RELAY_LOG_FILE, RELAY_LOG_POS.
    RelayPosition(String, u64),
}
