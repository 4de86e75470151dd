//! What a statement touches: every table, with the privilege that it needs there.
//!
//! Read off the tree the statement is executed from, so that no second reading of the text can find
//! other names. Nothing is skipped: a kind of node that has no arm of its own is refused by name.
//! Where MySQL asks for the privilege on single columns, the table's is asked.

mod ddl;
mod expression;
mod query;
mod write;

use std::collections::HashSet;

use sqlparser::ast as sp;

use crate::ast::{
    Admin, BinaryLogPurge, Expression, FlushTarget, MaintenanceKind, Query, Replication, SetItem,
    SetValue, Show, ShowFilter, Statement, TableName, Transaction,
};
use crate::error::SqlError;

/// A privilege on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "SQL's own words")]
pub enum Right {
    Select,
    Insert,
    Update,
    Delete,
    Create,
    Drop,
    References,
    Index,
    Alter,
    LockTables,
    /// Of FOR UPDATE: UPDATE, DELETE or LOCK TABLES, whichever is there.
    LockRows,
}

/// A table that a statement touches, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Access {
    /// The table as written.
    pub table: TableName,
    /// The privilege that is needed.
    pub right: Right,
}

impl Statement {
    /// Every table that the statement touches with the privileges that it needs there, in the order
    /// of the text, each pair once.
    ///
    /// # Errors
    /// 1235 for a construct whose tables are not known; 1436 when it is nested too deeply; 1116 for
    /// more tables in one FROM than MySQL takes.
    pub fn access(&self) -> Result<Vec<Access>, SqlError> {
        let mut walk = Walk::default();
        match crate::with_stack(|| walk.statement(self)) {
            Ok(()) => Ok(walk.found),
            Err(Refusal::Limit(error)) => Err(error),
            Err(Refusal::Unknown(construct)) => Err(SqlError::not_supported(construct)),
        }
    }

    /// Every table that the statement touches, each once.
    ///
    /// # Errors
    /// As [`Statement::access`].
    pub fn tables(&self) -> Result<Vec<TableName>, SqlError> {
        let mut tables: Vec<TableName> = Vec::new();
        for access in self.access()? {
            if !tables.contains(&access.table) {
                tables.push(access.table);
            }
        }
        Ok(tables)
    }

    /// Every database that the statement touches, each once; `default` is the session's.
    ///
    /// # Errors
    /// As [`Statement::access`].
    pub fn databases(&self, default: Option<&str>) -> Result<Vec<String>, SqlError> {
        let mut databases: Vec<String> = match self {
            Statement::Ddl(ddl) => ddl.changed_databases(default),
            Statement::Admin(Admin::Use(name)) => vec![name.clone()],
            Statement::Admin(_)
            | Statement::Empty
            | Statement::Write(_)
            | Statement::Query(_)
            | Statement::Transaction(_)
            | Statement::Account(_)
            | Statement::Replication(_)
            | Statement::Prepared(_)
            | Statement::NotSupported { .. } => Vec::new(),
        };
        for table in self.tables()? {
            let database = table.database.or_else(|| default.map(str::to_owned));
            databases.extend(database);
        }
        databases.sort();
        databases.dedup();
        Ok(databases)
    }

    /// Whether the tree keeps the limits that everything behind the parser relies on.
    ///
    /// # Errors
    /// 1436 when it is nested too deeply, 1116 for too many tables in one FROM.
    pub(crate) fn check_limits(&self) -> Result<(), SqlError> {
        match crate::with_stack(|| Walk::default().statement(self)) {
            Err(Refusal::Limit(error)) => Err(error),
            Ok(()) | Err(Refusal::Unknown(_)) => Ok(()),
        }
    }
}

/// Whether an expression that is still being read keeps the limits, its chains of AND and OR
/// balanced.
pub(crate) fn is_within_limits(expr: &sp::Expr) -> bool {
    let mut walk = Walk {
        balances: true,
        ..Walk::default()
    };
    !matches!(walk.expr(expr), Err(Refusal::Limit(_)))
}

/// Why a walk ended early.
enum Refusal {
    /// A limit, with its error.
    Limit(SqlError),
    /// A construct that no arm is for.
    Unknown(String),
}

type Walked = Result<(), Refusal>;

/// How deeply a tree may nest, chains of operators included; SQLite takes expressions of 1000.
pub(crate) const DEPTH_MAX: usize = 750;

/// How much deeper an expression of DDL may stand when it is used.
const KEPT_DEEPER: usize = 20;

/// How deeply operands may nest that are evaluated more than once, such as that of BETWEEN.
const REPETITIONS_MAX: usize = 8;

/// How many tables MySQL takes in one FROM.
const TABLES_MAX: usize = 61;

/// A walk over one statement.
#[derive(Default)]
struct Walk {
    found: Vec<Access>,
    /// What is in `found`.
    seen: HashSet<Access>,
    /// Names of common table expressions in scope; the last hides those before it.
    ctes: Vec<String>,
    depth: usize,
    repetitions: usize,
    /// Whether chains of AND and OR count as balanced.
    balances: bool,
    /// Whether a column was read since this was last cleared.
    reads_columns: bool,
}

fn refuse<T>(construct: &str) -> Result<T, Refusal> {
    Err(Refusal::Unknown(construct.to_owned()))
}

/// Refuses `construct` if it is there.
fn none<T>(part: Option<&T>, construct: &str) -> Walked {
    match part {
        None => Ok(()),
        Some(_) => refuse(construct),
    }
}

/// Refuses `construct` if there are any.
fn empty<T>(parts: &[T], construct: &str) -> Walked {
    match parts {
        [] => Ok(()),
        [..] => refuse(construct),
    }
}

impl Walk {
    /// Notes a table and what it is needed for.
    fn note(&mut self, table: &TableName, right: Right) {
        let access = Access {
            table: table.clone(),
            right,
        };
        if self.seen.insert(access.clone()) {
            self.found.push(access);
        }
    }

    /// Runs `inner` one level (or `levels`) deeper.
    fn deeper(&mut self, levels: usize, inner: impl FnOnce(&mut Self) -> Walked) -> Walked {
        self.depth += levels;
        if self.depth > DEPTH_MAX {
            return Err(Refusal::Limit(crate::depth::too_deep()));
        }
        let result = inner(self);
        self.depth -= levels;
        result
    }

    /// Whether `inner` reads a column.
    fn reading(&mut self, inner: impl FnOnce(&mut Self) -> Walked) -> Result<bool, Refusal> {
        let before = std::mem::take(&mut self.reads_columns);
        inner(self)?;
        let reads = self.reads_columns;
        self.reads_columns |= before;
        Ok(reads)
    }

    fn statement(&mut self, statement: &Statement) -> Walked {
        match statement {
            Statement::Empty
            | Statement::Account(_)
            | Statement::Prepared(_)
            | Statement::NotSupported { .. } => Ok(()),
            // Its expressions are kept as text and read again inside of others.
            Statement::Ddl(ddl) => self.deeper(KEPT_DEEPER, |walk| walk.ddl(ddl)),
            Statement::Write(write) => self.write(write),
            Statement::Query(query) => self.reading_statement(query),
            Statement::Transaction(transaction) => {
                self.transaction(transaction);
                Ok(())
            }
            Statement::Replication(replication) => match replication {
                Replication::PurgeBinaryLogs(BinaryLogPurge::Before(moment)) => {
                    self.expr(&moment.expr)
                }
                Replication::PurgeBinaryLogs(BinaryLogPurge::To(_))
                | Replication::ResetBinaryLogs { .. }
                | Replication::RotateBinlogKey
                | Replication::ChangeReplicationSource { .. }
                | Replication::ChangeReplicationFilter { .. }
                | Replication::StartReplica { .. }
                | Replication::StopReplica { .. }
                | Replication::ResetReplica { .. } => Ok(()),
            },
            Statement::Admin(admin) => self.admin(admin),
        }
    }

    fn reading_statement(&mut self, query: &Query) -> Walked {
        match query {
            Query::Select(query) => self.query(query),
            Query::Do(expressions) => expressions
                .iter()
                .try_for_each(|expression| self.expr(&expression.expr)),
            Query::Show(show) => match show_filter(show) {
                Some(ShowFilter::Where(condition)) => self.expr(condition),
                Some(ShowFilter::Like(_)) | None => Ok(()),
            },
            // Whether the table may be seen is another question than whether it may be read.
            Query::Describe { .. } => Ok(()),
            Query::Explain { statement, .. } => self.deeper(1, |walk| walk.statement(statement)),
        }
    }

    fn transaction(&mut self, transaction: &Transaction) {
        match transaction {
            Transaction::LockTables(locks) => {
                for lock in locks {
                    self.note(&lock.table, Right::Select);
                    self.note(&lock.table, Right::LockTables);
                }
            }
            Transaction::Begin { .. }
            | Transaction::Commit { .. }
            | Transaction::Rollback { .. }
            | Transaction::Savepoint(_)
            | Transaction::RollbackToSavepoint(_)
            | Transaction::ReleaseSavepoint(_)
            | Transaction::UnlockTables => {}
        }
    }

    fn admin(&mut self, admin: &Admin) -> Walked {
        match admin {
            Admin::Set(items) => items.iter().try_for_each(|item| self.set_item(item)),
            Admin::Maintenance { kind, tables, .. } => {
                for table in tables {
                    self.note(table, Right::Select);
                    match kind {
                        MaintenanceKind::Analyze
                        | MaintenanceKind::Optimize
                        | MaintenanceKind::Repair => self.note(table, Right::Insert),
                        MaintenanceKind::Check | MaintenanceKind::Checksum => {}
                    }
                }
                Ok(())
            }
            Admin::Flush(targets) => {
                for target in targets {
                    if let FlushTarget::Tables {
                        tables,
                        read_lock,
                        export,
                    } = target
                        && (*read_lock || *export)
                    {
                        for table in tables {
                            self.note(table, Right::Select);
                            self.note(table, Right::LockTables);
                        }
                    }
                }
                Ok(())
            }
            Admin::ResetPersist { .. }
            | Admin::Use(_)
            | Admin::Help(_)
            | Admin::Kill { .. }
            | Admin::Shutdown => Ok(()),
        }
    }

    fn set_item(&mut self, item: &SetItem) -> Walked {
        let expression: &Expression = match item {
            SetItem::User { value, .. }
            | SetItem::System {
                value: SetValue::Expression(value),
                ..
            } => value,
            SetItem::System {
                value: SetValue::Default | SetValue::Word(_),
                ..
            }
            | SetItem::Names { .. }
            | SetItem::CharacterSet(_)
            | SetItem::Transaction { .. } => return Ok(()),
        };
        self.expr(&expression.expr)
    }
}

/// LIKE or WHERE of a SHOW.
fn show_filter(show: &Show) -> Option<&ShowFilter> {
    match show {
        Show::Databases { filter }
        | Show::Tables { filter, .. }
        | Show::TableStatus { filter, .. }
        | Show::OpenTables { filter, .. }
        | Show::Columns { filter, .. }
        | Show::Index { filter, .. }
        | Show::Variables { filter, .. }
        | Show::Status { filter, .. }
        | Show::Charset { filter }
        | Show::Collation { filter }
        | Show::Triggers { filter, .. }
        | Show::Events { filter, .. }
        | Show::ProcedureStatus { filter }
        | Show::FunctionStatus { filter } => filter.as_ref(),
        Show::Create(_)
        | Show::Warnings { .. }
        | Show::Errors { .. }
        | Show::ProcessList { .. }
        | Show::Engines
        | Show::Engine { .. }
        | Show::Grants { .. }
        | Show::Privileges
        | Show::Plugins
        | Show::Profiles
        | Show::BinaryLogStatus { .. }
        | Show::BinaryLogs
        | Show::BinlogEvents { .. }
        | Show::Replicas { .. }
        | Show::ReplicaStatus { .. }
        | Show::AllReplicasStatus => None,
    }
}

/// The table of an object name of one or two parts.
fn table_name(name: &sp::ObjectName) -> Result<TableName, Refusal> {
    // `sqlparser` takes a string for a name; it is none.
    for ident in name.0.iter().filter_map(sp::ObjectNamePart::as_ident) {
        if ident.quote_style == Some('\'') {
            let near = format!("'{}'", ident.value);
            return Err(Refusal::Limit(SqlError::parse(near, 1)));
        }
    }
    let word = |part: &sp::ObjectNamePart| part.as_ident().map(|ident| ident.value.clone());
    let named = match name.0.as_slice() {
        [table] => word(table).map(|name| (None, name)),
        [database, table] => word(database).zip(word(table)).map(|(d, t)| (Some(d), t)),
        [..] => None,
    };
    match named {
        Some((database, name)) => Ok(TableName { database, name }),
        None => refuse("a table name of this form"),
    }
}

/// Whether two names of tables or common table expressions are the same to the binder.
fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

#[cfg(test)]
mod tests;
