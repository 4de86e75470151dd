//! One statement from its text to its outcome, and the books that are kept of it: counters,
//! diagnostics, process list.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use engine::outcome::Outcome;
use protocol::Capabilities;
use sql::error::{SqlError, WarningLevel};
use sql::{ParseOptions, Parsed};

use super::{Session, kinds};
use crate::appetite::{self, Portion};
use crate::result::RowFormat;

/// Entries that SHOW WARNINGS keeps, as `max_error_count`.
const WARNINGS_MAX: usize = 1024;
/// Bytes of a statement that the process list shows.
// Differs from MySQL: SHOW FULL PROCESSLIST shows all of it there.
const INFO_MAX: usize = 65_535;

/// Runs work on a text; other sessions of this thread need not wait for one that takes long.
pub(super) fn at_leisure<T>(text: &[u8], work: impl FnOnce() -> T) -> T {
    match appetite::is_large(text) {
        true => tokio::task::block_in_place(work),
        false => work(),
    }
}

/// Runs a statement that has its portion, if it has one.
pub(super) async fn during<T>(portion: Option<Portion>, work: impl Future<Output = T>) -> T {
    match portion {
        Some(portion) => portion.during(work).await,
        None => work.await,
    }
}

impl Session {
    /// COM_QUERY: one statement after the other, each answered before the next is read.
    pub(super) async fn query(&mut self, sql: Vec<u8>) -> Result<(), protocol::Error> {
        let mut sql = match self.decoded(&sql) {
            Ok(Cow::Borrowed(_)) => sql,
            Ok(Cow::Owned(decoded)) => decoded,
            Err(error) => {
                self.refuse(&error);
                return self.answer(Err(error), RowFormat::Text, false).await;
            }
        };
        let mut at = 0;
        loop {
            let rest = sql.get(at..).unwrap_or_default();
            let options = self
                .node
                .parse_options(self.context.sql_mode, &self.context);
            let mut portion = match self.portion(rest, &options).await {
                Ok(portion) => portion,
                Err(error) => {
                    self.refuse(&error);
                    return self.answer(Err(error), RowFormat::Text, false).await;
                }
            };
            let parsed = at_leisure(rest, || sql::parse_first(rest, &options));
            let (parsed, consumed) = match parsed {
                Ok(parsed) => parsed,
                Err(error) => {
                    self.begin_statement(rest);
                    self.refuse(&error);
                    return self.answer(Err(error), RowFormat::Text, false).await;
                }
            };
            if let Some(portion) = &mut portion {
                portion.settle(consumed, parsed.words, parsed.statement.is_select());
            }
            at += consumed;
            let rest = sql.get(at..).unwrap_or_default();
            let more = sql::has_statement(rest, &options);
            let several = self
                .connection
                .capabilities()
                .has(Capabilities::MULTI_STATEMENTS);
            if more && !several {
                let error = SqlError::parse(String::from_utf8_lossy(rest), 1);
                self.refuse(&error);
                return self.answer(Err(error), RowFormat::Text, false).await;
            }
            if !more {
                // The statement has its own; a large one is not kept twice.
                sql = Vec::new();
            }
            self.format = RowFormat::Text;
            let running = self.statement(Arc::new(parsed), Vec::new());
            let result = during(portion, running).await;
            let failed = result.is_err();
            self.answer(result, RowFormat::Text, more && !failed)
                .await?;
            if failed || !more || self.is_closing || self.registered.process.is_killed() {
                return Ok(());
            }
        }
    }

    /// What a text takes of the memory for statements.
    pub(super) async fn portion(
        &mut self,
        text: &[u8],
        options: &ParseOptions,
    ) -> Result<Option<Portion>, SqlError> {
        match appetite::asks(text.len()) {
            true => {
                let bytes = at_leisure(text, || appetite::needed(text, options));
                self.portion_of(bytes).await
            }
            false => Ok(None),
        }
    }

    /// So many bytes of the memory for statements.
    pub(super) async fn portion_of(&mut self, bytes: usize) -> Result<Option<Portion>, SqlError> {
        let node = Arc::clone(&self.node);
        let process = Arc::clone(&self.registered.process);
        // Others may wait for this session, and hold what it would wait for.
        if self.is_at_executor() || self.read_lock.is_some() {
            return node.appetite.portion_now(&process, bytes).map(Some);
        }
        let turn = async {
            tokio::select! {
                portion = node.appetite.portion(&process, bytes) => portion.map(Some),
                () = process.killed() => Err(SqlError::query_interrupted()),
            }
        };
        self.attend(turn).await
    }

    /// Executes a parsed statement and keeps the books: counters, diagnostics, process list.
    pub(super) async fn statement(
        &mut self,
        parsed: Arc<Parsed>,
        parameters: Vec<binlog::value::Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        self.begin_statement(&parsed.text);
        self.node.count(kinds::counter(&parsed.statement));
        if !kinds::keeps_diagnostics(&parsed.statement) {
            self.context.warnings.clear();
        }
        let result = self.execute(&parsed, parameters).await;
        let keeps_notes = self
            .variables
            .get("sql_notes")
            .is_none_or(|value| value.is_on());
        if !keeps_notes {
            let warnings = &mut self.context.warnings;
            warnings.retain(|warning| warning.level != WarningLevel::Note);
        }
        self.context.warnings.truncate(WARNINGS_MAX);
        self.announced_warnings = match kinds::keeps_diagnostics(&parsed.statement) {
            // SHOW WARNINGS says that it has none itself.
            true => 0,
            false => u16::try_from(self.context.warnings.len()).unwrap_or(u16::MAX),
        };
        match &result {
            Ok(Outcome::Rows(rows)) => {
                self.context.row_count = -1;
                if !parsed.statement.is_select() {
                    self.context.found_rows = rows.rows.len() as u64;
                }
            }
            Ok(Outcome::Ok { affected, .. }) => {
                self.context.row_count = i64::try_from(*affected).unwrap_or(i64::MAX);
            }
            Err(error) => self.fail(error),
        }
        self.show_state();
        result
    }

    /// Books the error of a statement that never began.
    pub(super) fn refuse(&mut self, error: &SqlError) {
        self.context.warnings.clear();
        self.fail(error);
        self.show_state();
    }

    /// Books an error: SHOW WARNINGS shows it, and some end the transaction.
    pub(super) fn fail(&mut self, error: &SqlError) {
        self.context.row_count = -1;
        self.node.processes.errors.fetch_add(1, Ordering::Relaxed);
        self.context
            .warnings
            .push(error.clone().into_warning(WarningLevel::Error));
        if crate::executor::ends_transaction(error.code) {
            self.release_reader();
            if self.transaction.is_open() {
                self.use_gtid_next();
            }
            self.transaction.reset();
        }
    }

    pub(super) fn begin_statement(&mut self, text: &[u8]) {
        self.registered.process.begin_statement();
        self.announced_warnings = 0;
        self.context.now_micros = self.fixed_now.unwrap_or_else(|| {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
        });
        let shown = text.get(..INFO_MAX).unwrap_or(text);
        let info = String::from_utf8_lossy(shown).into_owned();
        let database = self.context.database.clone();
        self.registered.process.set(|activity| {
            activity.database = database;
            activity.command = "Query";
            activity.state = "executing";
            activity.info = Some(info);
            activity.since = Instant::now();
        });
    }
}
