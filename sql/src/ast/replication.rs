//! Statements about binary logs, sources and replicas.

/// A statement about replication.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "statements live behind one Arc")]
pub enum Replication {
    /// PURGE BINARY LOGS.
    PurgeBinaryLogs(BinaryLogPurge),
    /// RESET BINARY LOGS AND GTIDS, RESET MASTER.
    ResetBinaryLogs {
        /// TO n: number of the first new file.
        to: Option<u64>,
    },
    /// ALTER INSTANCE ROTATE BINLOG MASTER KEY.
    RotateBinlogKey,
    /// CHANGE REPLICATION SOURCE TO, CHANGE MASTER TO; option names as in today's vocabulary
    /// (`SOURCE_HOST`), upper-cased.
    ChangeReplicationSource {
        /// Options, in order.
        options: Vec<OptionAssignment>,
        /// FOR CHANNEL.
        channel: Option<String>,
    },
    /// CHANGE REPLICATION FILTER.
    ChangeReplicationFilter {
        /// Rules, in order.
        rules: Vec<ReplicationFilterRule>,
        /// FOR CHANNEL.
        channel: Option<String>,
    },
    /// START REPLICA, START SLAVE.
    StartReplica {
        /// Which threads.
        threads: ReplicaThreads,
        /// UNTIL.
        until: Option<UntilCondition>,
        /// USER=, PASSWORD= and other connection options.
        options: Vec<OptionAssignment>,
        /// FOR CHANNEL.
        channel: Option<String>,
    },
    /// STOP REPLICA, STOP SLAVE.
    StopReplica {
        /// Which threads.
        threads: ReplicaThreads,
        /// FOR CHANNEL.
        channel: Option<String>,
    },
    /// RESET REPLICA, RESET SLAVE.
    ResetReplica {
        /// ALL.
        all: bool,
        /// FOR CHANNEL.
        channel: Option<String>,
    },
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
pub enum ReplicationFilterRule {
    /// REPLICATE_DO_DB.
    DoDb(Vec<String>),
    /// REPLICATE_IGNORE_DB.
    IgnoreDb(Vec<String>),
    /// REPLICATE_DO_TABLE.
    DoTable(Vec<TablePattern>),
    /// REPLICATE_IGNORE_TABLE.
    IgnoreTable(Vec<TablePattern>),
    /// REPLICATE_WILD_DO_TABLE: patterns of `db.table`.
    WildDoTable(Vec<String>),
    /// REPLICATE_WILD_IGNORE_TABLE.
    WildIgnoreTable(Vec<String>),
    /// REPLICATE_REWRITE_DB: from, to.
    RewriteDb(Vec<(String, String)>),
}

/// A table with its database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePattern {
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
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
    /// Places of which a part is missing, or in two logs.
    Incomplete,
}
