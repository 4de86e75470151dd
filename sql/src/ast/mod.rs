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
mod ddl;
mod foreign_key;
mod mariadb;
mod object;
mod partition;
mod prepared;
mod query;
mod replication;
mod rows;
mod set;
mod show;
mod table;
mod transaction;
mod write;

use sqlparser::ast as sp;
pub use sqlparser::ast::{LockClause, LockType, NonBlock};

use crate::SqlMode;

pub use account::{
    Account, AccountName, AccountOptions, Authentication, Grant, GrantObject, Privilege, Revoke,
    UserSpec,
};
pub use admin::{Admin, FlushTarget, KillTarget, MaintenanceKind};
pub use ddl::Ddl;
pub use foreign_key::{ForeignKey, OnUpdateDelete};
pub use mariadb::{RowTime, TextForm};
pub use object::{ObjectNames, ObjectStatement};
pub use partition::{
    PartitionBy, PartitionClause, PartitionDefinition, PartitionMethod, PartitionOptions,
    PartitionValue, PartitionValues, SubpartitionBy,
};
pub use prepared::{PrepareSource, Prepared};
pub use query::Query;
pub use replication::{
    BinaryLogPurge, OptionAssignment, ReplicaThreads, Replication, ReplicationFilterRule,
    ReplicationOptionValue, TablePattern, UntilCondition,
};
pub use rows::Rows;
pub(crate) use rows::{Literal, TooMany};
pub use set::{SetItem, SetScope, SetValue, TransactionCharacteristic};
pub use show::{Show, ShowCreate, ShowFilter};
pub use table::{
    AlterClause, AlterTable, Check, ColumnAttributes, ColumnDefinition, ColumnPosition,
    CreateIndex, CreateTable, CreateTableSource, DataType, DefaultValue, Generated,
    IndexDefinition, IndexKind, IndexOptions, KeyPart, KeyPartTarget, Member, RowOrder,
    TableElement, TableOptions, TextType,
};
pub use transaction::{LockTable, Transaction};
pub use write::{Delete, Insert, Update, Write};

/// A statement together with what only its text tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The tree.
    pub statement: Statement,
    /// The text as sent, without surrounding blanks, trailing NULs and semicolon; version comments
    /// that were not entered are plain ones in it. Query events carry it.
    pub text: Vec<u8>,
    /// Number of `?` markers.
    pub parameters: usize,
    /// Number of words, those of listed rows that are literals apart: what the tree may take.
    pub words: usize,
    /// What its MAX_EXECUTION_TIME hint says, in milliseconds.
    pub max_execution_time: Option<u64>,
    /// The `sql_mode` it was read with; the text means something else under another.
    pub sql_mode: SqlMode,
}

impl Parsed {
    /// `SELECT expression, ...` of expressions that were read with `sql_mode`.
    #[must_use]
    pub fn evaluating<'a>(
        expressions: impl IntoIterator<Item = &'a sp::Expr>,
        parameters: usize,
        sql_mode: SqlMode,
    ) -> Parsed {
        let items = expressions.into_iter().cloned();
        let select = crate::bridge::select_of(items.map(sp::SelectItem::UnnamedExpr).collect());
        Parsed {
            statement: Statement::Query(Query::Select(Box::new(select))),
            text: Vec::new(),
            parameters,
            words: 0,
            sql_mode,
            max_execution_time: None,
        }
    }
}

impl Expression {
    /// `function(expression)`.
    #[must_use]
    pub fn inside(&self, function: &str) -> sp::Expr {
        crate::bridge::call(function, self.expr.clone())
    }
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// The tree.
    pub expr: sp::Expr,
    /// The source text.
    pub text: String,
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

/// A parsed statement, by what it is for.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "statements live behind one Arc")]
pub enum Statement {
    /// Nothing but blanks and comments.
    Empty,
    /// Changes the schema.
    Ddl(Ddl),
    /// Changes rows.
    Write(Write),
    /// Reads.
    Query(Query),
    /// Begins, ends or divides a transaction, or locks.
    Transaction(Transaction),
    /// Is about accounts.
    Account(Account),
    /// Is about binary logs, sources and replicas.
    Replication(Replication),
    /// Is about settings and the server itself.
    Admin(Admin),
    /// Prepares a statement or runs a prepared one.
    Prepared(Prepared),
    /// Recognised, but not done by this version: error 1235 names the construct.
    NotSupported {
        /// As shown to the user, for instance `CREATE TRIGGER`.
        construct: String,
        /// The statement, where it is about an object that is not built, such as a trigger.
        object: Option<ObjectStatement>,
    },
}

impl Statement {
    /// Whether the statement changes the schema: it commits the open transaction and is logged as
    /// its text.
    #[must_use]
    pub const fn is_ddl(&self) -> bool {
        matches!(self, Statement::Ddl(_))
    }

    /// Whether the statement changes rows.
    #[must_use]
    pub const fn is_write(&self) -> bool {
        matches!(self, Statement::Write(_))
    }

    /// Whether the statement is SELECT, VALUES or TABLE.
    #[must_use]
    pub const fn is_select(&self) -> bool {
        matches!(self, Statement::Query(Query::Select(_)))
    }

    /// FOR UPDATE, FOR SHARE and how they wait.
    #[must_use]
    pub fn locks(&self) -> &[LockClause] {
        match self.as_select() {
            Some(query) => &query.locks,
            None => &[],
        }
    }

    /// The query of SELECT, VALUES or TABLE.
    #[must_use]
    pub const fn as_select(&self) -> Option<&sp::Query> {
        if let Statement::Query(Query::Select(query)) = self {
            Some(query)
        } else {
            None
        }
    }
}

impl From<Ddl> for Statement {
    fn from(statement: Ddl) -> Self {
        Statement::Ddl(statement)
    }
}

impl From<Write> for Statement {
    fn from(statement: Write) -> Self {
        Statement::Write(statement)
    }
}

impl From<Query> for Statement {
    fn from(statement: Query) -> Self {
        Statement::Query(statement)
    }
}

impl From<Transaction> for Statement {
    fn from(statement: Transaction) -> Self {
        Statement::Transaction(statement)
    }
}

impl From<Account> for Statement {
    fn from(statement: Account) -> Self {
        Statement::Account(statement)
    }
}

impl From<Replication> for Statement {
    fn from(statement: Replication) -> Self {
        Statement::Replication(statement)
    }
}

impl From<Admin> for Statement {
    fn from(statement: Admin) -> Self {
        Statement::Admin(statement)
    }
}

impl From<Prepared> for Statement {
    fn from(statement: Prepared) -> Self {
        Statement::Prepared(statement)
    }
}
