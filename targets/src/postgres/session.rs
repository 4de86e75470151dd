//! A session of a PostgreSQL server that takes transactions of a source.
//!
//! Units share a transaction of the target. Its rows are sent in batches, its DDL runs inside it, and
//! the last statement in front of its COMMIT says what is applied by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use binlog::event::XaName;
use binlog::row::Column;
use engine::apply::{DdlStatement, SEQUENCE_ROWS, readable};
use engine::catalog::Catalog;
use engine::image::table_map;
use engine::session::TimeZone;
use engine::tracker::Tracker;
use sql::ast::Ddl;
use sql::error::SqlError;
use sql::{ParseOptions, SqlMode, Statement, version_number};

use super::PostgresOptions;
use super::changes::{self, Step};
use super::columns::Context;
use super::error::{failed, is_lost};
use super::link::Link;
use super::marks::Marks;
use super::rows::Rows;
use crate::{
    Applied, Ending, Mark, RowRules, RowsChange, RowsOutcome, Session, SkippedErrors,
    StatementChange, StatementOutcome, TargetError, UnitHead,
};

/// Bytes that were sent and wait for their commit, from which it should come.
const SENT_MAX: usize = 16 << 20;

/// The one session.
pub(super) struct PostgresSession {
    options: Arc<PostgresOptions>,
    /// Whether nobody knows if the last commit took place.
    doubt: Arc<AtomicBool>,
    marks: Marks,
    /// What one connection knows; gone with it.
    open: Option<Open>,
    rows: Rows,
    rules: RowRules,
}

/// A connection that keeps others out, and what it found.
struct Open {
    link: Link,
    tracker: Tracker,
    applied: Applied,
    is_in_transaction: bool,
    /// Whether the definitions were changed since the last commit.
    has_ddl: bool,
}

impl PostgresSession {
    pub(super) fn new(
        options: Arc<PostgresOptions>,
        doubt: Arc<AtomicBool>,
    ) -> Result<Self, TargetError> {
        let marks = Marks::new(&options.channel);
        let mut session = Self {
            rows: Rows::new(options.zero_dates),
            options,
            doubt,
            marks,
            open: None,
            rules: RowRules::default(),
        };
        session.connect()?;
        Ok(session)
    }

    fn connect(&mut self) -> Result<(), TargetError> {
        self.open = None;
        let mut link = Link::connect(&self.options.connect)?;
        self.marks.create(&mut link)?;
        self.marks.fence(&mut link)?;
        let known = self.marks.definitions(&mut link)?;
        let applied = self.marks.read(&mut link)?.unwrap_or_default();
        let tracker = Tracker::open(&self.options.scratch, &known)?;
        self.doubt.store(false, Ordering::Release);
        self.open = Some(Open {
            link,
            tracker,
            applied,
            is_in_transaction: false,
            has_ddl: false,
        });
        Ok(())
    }

    /// The connection with what takes rows.
    fn parts(&mut self) -> Result<(&mut Open, &mut Rows, &Marks), TargetError> {
        let open = self.open.as_mut();
        let open = open.ok_or_else(|| TargetError::misuse("a change without a connection"))?;
        Ok((open, &mut self.rows, &self.marks))
    }

    fn context(&self, statement: &DdlStatement<'_>) -> Context {
        let zone = statement.time_zone.as_deref();
        Context {
            zero_dates: self.options.zero_dates,
            now_micros: statement.now_micros,
            zone: zone.and_then(|zone| TimeZone::by_name(zone).ok()),
        }
    }
}

/// The tree of a statement of DDL; none for another.
fn tree(change: &StatementChange<'_>) -> Option<Ddl> {
    let status = &change.query.status;
    let options = ParseOptions {
        sql_mode: status
            .sql_mode()
            .map_or(SqlMode::DEFAULT, SqlMode::from_bits),
        version: version_number(&change.logged.description.server_version),
        is_logged: true,
        ..ParseOptions::default()
    };
    let text = readable(&change.query.sql, status);
    match sql::parse(&text, &options).ok()?.statement {
        Statement::Ddl(ddl) => Some(ddl),
        Statement::Account(_)
        | Statement::Admin(_)
        | Statement::Write(_)
        | Statement::Query(_)
        | Statement::Transaction(_)
        | Statement::Replication(_)
        | Statement::Prepared(_)
        | Statement::NotSupported { .. }
        | Statement::Empty => None,
    }
}

/// The error of a statement, in MySQL's words.
fn statement_failed(change: &StatementChange<'_>, error: SqlError) -> TargetError {
    engine::apply::ApplyError::Statement {
        error,
        database: change.database.to_owned(),
        sql: String::from_utf8_lossy(&change.query.sql).into_owned(),
    }
    .into()
}

impl Open {
    /// Executes what makes the tables of `before` those of `after`.
    fn follow(
        &mut self,
        steps: Vec<Step>,
        change: &StatementChange<'_>,
    ) -> Result<(), TargetError> {
        for step in steps {
            match step {
                Step::Run(sql) => {
                    let done = self.link.run(&sql);
                    done.map_err(|error| match error {
                        TargetError::Statement(error)
                        | TargetError::Conflict(error)
                        | TargetError::Unsupported(error) => statement_failed(change, error),
                        other => other,
                    })?;
                }
                Step::Empty { table, what } => {
                    let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})::text");
                    if self.link.scalar(&sql, &[])?.as_deref() == Some("true") {
                        let text = format!(
                            "A statement that needs {what} of table {table}, which has rows in PostgreSQL: \
                             only the source could say them; make the change here by hand and skip the \
                             transaction, or filter the table out; that"
                        );
                        return Err(statement_failed(change, SqlError::not_supported(text)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps what a statement changed of the definitions.
    fn keep(
        &mut self,
        marks: &Marks,
        before: &Catalog,
        after: &Catalog,
    ) -> Result<(), TargetError> {
        let statements = marks.keep_definitions(before, after)?;
        for sql in statements {
            self.link.run(&sql)?;
        }
        Ok(())
    }
}

impl Session for PostgresSession {
    fn begin(&mut self, _first: &UnitHead) -> Result<(), TargetError> {
        // Between two commits nothing is in doubt that a caller does not know of.
        let is_lost = |open: &Open| open.link.is_lost() && !open.is_in_transaction;
        if self.open.as_ref().is_none_or(is_lost) {
            self.connect()?;
        }
        let (open, ..) = self.parts()?;
        if open.is_in_transaction {
            return Err(TargetError::misuse("begin within a commit"));
        }
        open.link.run("BEGIN")?;
        open.is_in_transaction = true;
        Ok(())
    }

    fn unit(&mut self, _head: &UnitHead) -> Result<(), TargetError> {
        let (open, ..) = self.parts()?;
        match open.is_in_transaction {
            true => Ok(()),
            false => Err(TargetError::misuse("a unit outside a commit")),
        }
    }

    /// Statements fail with the transaction that they share: no error of theirs is passed over.
    fn follow(&mut self, rules: &RowRules) -> Result<(), TargetError> {
        if rules.skips != SkippedErrors::None {
            let text = "A PostgreSQL target follows no replica_skip_errors";
            return Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)));
        }
        self.rules = rules.clone();
        Ok(())
    }

    fn known_columns(
        &mut self,
        database: &str,
        table: &str,
    ) -> Result<Vec<Column<'static>>, TargetError> {
        let (open, ..) = self.parts()?;
        let catalog = open.tracker.catalog();
        let table = catalog.find_table(database, table);
        Ok(table.map_or_else(Vec::new, |table| table_map(table, 0).columns))
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<RowsOutcome, TargetError> {
        let rules = self.rules.clone();
        let (open, rows, _) = self.parts()?;
        if open
            .tracker
            .has_sequence(change.database, &change.map.table)?
        {
            return Ok(RowsOutcome {
                applied: 0,
                not_kept: Some(SEQUENCE_ROWS),
                resolved: Vec::new(),
            });
        }
        let catalog = open.tracker.catalog();
        match rules.is_strict() {
            true => rows.take(&mut open.link, &catalog, change),
            false => rows.take_leniently(&mut open.link, &catalog, change, &rules),
        }
    }

    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        let statement = DdlStatement::new(
            change.database,
            &change.query.sql,
            &change.query.status,
            change.now_micros(),
            &change.logged.description.server_version,
        );
        let context = self.context(&statement);
        let (open, rows, marks) = self.parts()?;
        rows.flush(&mut open.link)?;
        let before = open.tracker.catalog();
        let names_before = open.tracker.names()?;
        open.has_ddl = true;
        let outcome = open.tracker.apply(&statement)?;
        let after = open.tracker.catalog();
        let names = open.tracker.names()?;
        if names != names_before {
            for sql in marks.keep_names(&names) {
                open.link.run(&sql)?;
            }
        }
        if before.version == after.version {
            return Ok(outcome);
        }
        let tree = tree(change);
        let plan = changes::plan(&before, &after, tree.as_ref(), &context);
        let plan = plan.map_err(|error| statement_failed(change, error))?;
        open.follow(plan.steps, change)?;
        open.keep(marks, &before, &after)?;
        let mut constructs = match outcome {
            StatementOutcome::Done => Vec::new(),
            StatementOutcome::Unenforced { constructs } => constructs,
            StatementOutcome::NotKept { construct } => {
                return Ok(StatementOutcome::NotKept { construct });
            }
        };
        constructs.extend(plan.left_out);
        Ok(match constructs.is_empty() {
            true => StatementOutcome::Done,
            false => StatementOutcome::Unenforced { constructs },
        })
    }

    fn prepare(&mut self, name: &XaName, _is_one_phase: bool) -> Result<(), TargetError> {
        let what = format!("PostgreSQL has no XA transaction {name} to prepare");
        Err(TargetError::misuse(&what))
    }

    fn keep(&mut self, name: &XaName, number: u32, piece: &[u8]) -> Result<(), TargetError> {
        let (open, rows, marks) = self.parts()?;
        rows.flush(&mut open.link)?;
        marks.keep(&mut open.link, name, number, piece)
    }

    fn kept(&mut self, name: &XaName, number: u32) -> Result<Option<Vec<u8>>, TargetError> {
        let (open, rows, marks) = self.parts()?;
        rows.flush(&mut open.link)?;
        marks.kept(&mut open.link, name, number)
    }

    fn forget(&mut self, name: &XaName) -> Result<(), TargetError> {
        let (open, rows, marks) = self.parts()?;
        rows.flush(&mut open.link)?;
        marks.forget(&mut open.link, name)
    }

    fn forget_tables(&mut self) {}

    fn units_committed(&self) -> usize {
        0
    }

    fn hand_over(&mut self) -> Result<Option<Box<dyn Ending>>, TargetError> {
        Ok(None)
    }

    fn ended(&mut self) -> Result<(), TargetError> {
        Err(TargetError::misuse("an end that was not handed over"))
    }

    /// Rows of units that share a commit are sent together.
    fn flush(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.rows.sent() >= SENT_MAX
    }

    /// What is sent is not that of the open unit alone, so that the caller undoes all.
    fn ready(&mut self) -> Result<(), TargetError> {
        self.flush()
    }

    fn undo_unit(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn commit(&mut self, mark: &Mark<'_>) -> Result<(), TargetError> {
        let doubt = Arc::clone(&self.doubt);
        let (open, rows, marks) = self.parts()?;
        rows.flush(&mut open.link)?;
        let mut applied = open.applied.clone();
        applied.executed.union(mark.added);
        applied.source = mark.source.cloned();
        applied.relay = mark.relay.cloned();
        // In one message: where the first fails, the second does not run.
        let sql = format!("{}; COMMIT", marks.replace(&applied));
        if let Err(error) = open.link.run_raw(&sql) {
            let error = match (is_lost(&error), failed(&error)) {
                (true, TargetError::Retry(error)) => {
                    doubt.store(true, Ordering::Release);
                    TargetError::CommitUnknown(error)
                }
                (_, other) => other,
            };
            return Err(error);
        }
        open.applied = applied;
        open.is_in_transaction = false;
        if std::mem::take(&mut open.has_ddl) {
            open.tracker.commit()?;
        }
        rows.committed();
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.rows.clear();
        let Some(open) = self.open.as_mut() else {
            return self.connect();
        };
        // Whatever becomes of what was begun is undone.
        let _ = open.link.settle();
        let is_undone = !open.link.is_lost()
            && (!open.is_in_transaction || open.link.run("ROLLBACK").is_ok())
            && (!open.has_ddl || open.tracker.rollback().is_ok());
        if is_undone {
            open.is_in_transaction = false;
            open.has_ddl = false;
            return Ok(());
        }
        // The next one waits until the server has ended this one, and sees what it left.
        self.connect()
    }
}
