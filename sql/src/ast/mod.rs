//! The statement tree: what the parser produces and every executor consumes.
//!
//! Queries and row statements carry `sqlparser`'s expression trees, whose tokens were made by our own
//! lexer; everything else is typed here. A tree says what was written, not whether it can be done:
//! features that are not supported are refused by whoever executes the statement, except where
//! [`Statement::NotSupported`] already names them.
//!
//! Conventions inside `sqlparser` trees (see `sql::bridge`): a string literal is always
//! `Value::SingleQuotedString`; a literal that is not valid UTF-8 arrives as a hexadecimal literal;
//! `@name` is an identifier `@name`; `@@scope.name` is one identifier `@@scope.name`; a parameter
//! marker is `Value::Placeholder("?n")`, n counted from 1. Spans hold byte offsets: line 1, column =
//! offset in [`Parsed::text`] + 1.

mod account;
mod admin;
mod set;
mod show;
mod table;

use sqlparser::ast as sp;

pub use account::{
    AccountName, AccountOptions, Authentication, Grant, GrantObject, Privilege, Revoke, UserSpec,
};
pub use admin::{
    BinaryLogPurge, FlushTarget, KillTarget, LockTable, MaintenanceKind, OptionAssignment,
    ReplicaThreads, ReplicationFilterRule, ReplicationOptionValue, UntilCondition,
};
pub use set::{SetItem, SetScope, SetValue, TransactionCharacteristic};
pub use show::{Show, ShowCreate, ShowFilter};
pub use table::{
    AlterClause, AlterTable, Check, ColumnAttributes, ColumnDefinition, ColumnPosition,
    CreateIndex, CreateTable, CreateTableSource, DataType, DefaultValue, ForeignKey, Generated,
    IndexDefinition, IndexKind, IndexOptions, KeyPart, KeyPartTarget, OnUpdateDelete, TableElement,
    TableOptions, TextType,
};

/// A statement together with what only its text tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The tree.
    pub statement: Statement,
    /// The text as sent, without surrounding blanks, trailing NULs and semicolon. Query events carry
    /// it.
    pub text: Vec<u8>,
    /// Number of `?` markers.
    pub parameters: usize,
}

/// A possibly qualified table name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// Database as written, if written.
    pub database: Option<String>,
    /// Table as written.
    pub name: String,
}

/// An expression inside DDL or SET, with the text it was written as.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The tree.
    pub expr: sp::Expr,
    /// The source text.
    pub text: String,
}

/// `UPDATE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// `UPDATE IGNORE`.
    pub ignore: bool,
    /// Tables, assignments, condition, order and limit; a comma list of tables was turned into
    /// cross joins.
    pub update: sp::Update,
}

/// `DELETE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// `DELETE IGNORE`.
    pub ignore: bool,
    /// Tables, condition, order and limit.
    pub delete: sp::Delete,
}

/// Character set and collation of a database, table or column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CharsetSpec {
    /// `CHARACTER SET x`, lower-cased.
    pub charset: Option<String>,
    /// `COLLATE x`, lower-cased.
    pub collation: Option<String>,
    /// The `BINARY` attribute: the charset's `_bin` collation.
    pub binary: bool,
}

/// A parsed statement.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "statements live behind one Arc")]
pub enum Statement {
    /// Nothing but blanks and comments.
    Empty,
    /// SELECT, UNION, VALUES, TABLE, WITH ... SELECT.
    Select(Box<sp::Query>),
    /// INSERT (`replace_into` is false).
    Insert(Box<sp::Insert>),
    /// REPLACE (`replace_into` is true).
    Replace(Box<sp::Insert>),
    /// UPDATE.
    Update(Box<Update>),
    /// DELETE.
    Delete(Box<Delete>),
    /// DO expr, ...
    Do(Vec<sp::Expr>),

    /// CREATE DATABASE.
    CreateDatabase {
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// Name.
        name: String,
        /// Default character set and collation.
        charset: CharsetSpec,
    },
    /// ALTER DATABASE; only character set and collation can be changed.
    AlterDatabase {
        /// Name; the current database when left out.
        name: Option<String>,
        /// What is changed.
        charset: CharsetSpec,
    },
    /// DROP DATABASE.
    DropDatabase {
        /// IF EXISTS.
        if_exists: bool,
        /// Name.
        name: String,
    },
    /// CREATE TABLE.
    CreateTable(Box<CreateTable>),
    /// ALTER TABLE.
    AlterTable(Box<AlterTable>),
    /// DROP TABLE.
    DropTable {
        /// DROP TEMPORARY TABLE.
        temporary: bool,
        /// IF EXISTS.
        if_exists: bool,
        /// The tables, in order.
        tables: Vec<TableName>,
    },
    /// DROP VIEW; views do not exist, so this is 1051 or, with IF EXISTS, a note.
    DropView {
        /// IF EXISTS.
        if_exists: bool,
        /// The views, in order.
        views: Vec<TableName>,
    },
    /// TRUNCATE TABLE.
    TruncateTable(TableName),
    /// CREATE INDEX.
    CreateIndex(Box<CreateIndex>),
    /// DROP INDEX name ON table.
    DropIndex {
        /// Index.
        name: String,
        /// Table.
        table: TableName,
    },
    /// RENAME TABLE a TO b, ...
    RenameTable(Vec<(TableName, TableName)>),

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

    /// SET, every item in order; the statement is all or nothing where MySQL's is.
    Set(Vec<SetItem>),
    /// SHOW.
    Show(Box<Show>),
    /// USE.
    Use(String),
    /// DESCRIBE table [column | pattern].
    Describe {
        /// Table.
        table: TableName,
        /// One column or a LIKE pattern.
        column: Option<String>,
    },
    /// EXPLAIN of a statement.
    Explain {
        /// FORMAT=..., lower-cased.
        format: Option<String>,
        /// EXPLAIN ANALYZE.
        analyze: bool,
        /// What is explained.
        statement: Box<Statement>,
    },
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

    /// CREATE USER.
    CreateUser {
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// Accounts.
        users: Vec<UserSpec>,
        /// What follows the list.
        options: AccountOptions,
    },
    /// ALTER USER.
    AlterUser {
        /// IF EXISTS.
        if_exists: bool,
        /// Accounts.
        users: Vec<UserSpec>,
        /// What follows the list.
        options: AccountOptions,
    },
    /// DROP USER.
    DropUser {
        /// IF EXISTS.
        if_exists: bool,
        /// Accounts.
        users: Vec<AccountName>,
    },
    /// RENAME USER a TO b, ...
    RenameUser(Vec<(AccountName, AccountName)>),
    /// SET PASSWORD [FOR user] = 'text'.
    SetPassword {
        /// Account; the session's own when left out.
        user: Option<AccountName>,
        /// The new password, clear text.
        password: String,
    },
    /// GRANT.
    Grant(Box<Grant>),
    /// REVOKE.
    Revoke(Box<Revoke>),

    /// PREPARE name FROM 'text' | @variable.
    Prepare {
        /// Statement name.
        name: String,
        /// Text or user variable.
        source: PrepareSource,
    },
    /// EXECUTE name \[USING @a, ...\].
    Execute {
        /// Statement name.
        name: String,
        /// User variables, without `@`.
        using: Vec<String>,
    },
    /// DEALLOCATE PREPARE name, DROP PREPARE name.
    Deallocate {
        /// Statement name.
        name: String,
    },

    /// Recognised, but not done by this version: error 1235 names the construct.
    NotSupported {
        /// As shown to the user, for instance `CREATE TRIGGER`.
        construct: String,
    },
}

/// Where PREPARE takes its text from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrepareSource {
    /// A string literal.
    Text(Vec<u8>),
    /// A user variable, without `@`.
    Variable(String),
}
