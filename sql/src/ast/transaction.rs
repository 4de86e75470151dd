//! Statements that begin, end or divide transactions, and table locks.

use super::TableName;

/// A statement about transactions or locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transaction {
    /// BEGIN or START TRANSACTION.
    Begin {
        /// WITH CONSISTENT SNAPSHOT.
        consistent_snapshot: bool,
        /// READ ONLY (true) or READ WRITE (false), if given.
        read_only: Option<bool>,
    },
    /// COMMIT.
    Commit {
        /// AND CHAIN.
        chain: bool,
        /// RELEASE.
        release: bool,
    },
    /// ROLLBACK.
    Rollback {
        /// AND CHAIN.
        chain: bool,
        /// RELEASE.
        release: bool,
    },
    /// SAVEPOINT name.
    Savepoint(String),
    /// ROLLBACK TO \[SAVEPOINT\] name.
    RollbackToSavepoint(String),
    /// RELEASE SAVEPOINT name.
    ReleaseSavepoint(String),
    /// LOCK TABLES.
    LockTables(Vec<LockTable>),
    /// UNLOCK TABLES.
    UnlockTables,
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
