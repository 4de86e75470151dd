//! SELECT: on a reader, or where the transaction's writes are.

use std::sync::Arc;
use std::time::Duration;

use binlog::value::Value;
use engine::database::{Reader, TableSet};
use engine::outcome::{Outcome, ResultColumn, ResultSet};
use engine::session::SessionContext;
use sql::ast::Expression;
use sql::ast::Query;
use sql::error::SqlError;
use sql::{Parsed, Statement};

use super::Session;
use super::execution_timer::{ExecutionTimer, timed_out};
use crate::executor::TransactionMode;
use crate::variables::VariableValue;

impl Session {
    pub(super) async fn select(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        self.open_implicitly();
        // Under the session's own read lock nothing changes, so there is nothing to lock. A
        // SERIALIZABLE transaction locks what it reads: here, as every lock, by having the writer.
        let locks = locks_rows(&parsed.statement) || self.is_serializable();
        let locks = locks && self.read_lock.is_none();
        if self.is_in_transaction() && (self.is_at_executor() || locks) {
            if self.has_snapshot() && !locks {
                return self.select_at_snapshot(parsed, parameters).await;
            }
            let mode = TransactionMode::InTransaction;
            return self.at_executor(parsed, parameters, mode).await;
        }
        self.read(parsed, parameters).await.map(Outcome::Rows)
    }

    /// A plain SELECT of a transaction that has read a snapshot and written since.
    ///
    /// Tables that it has not changed are read from the snapshot. With one that it has changed, the
    /// statement runs where the writes are, if that shows the snapshot's rows but for the
    /// transaction's own: if nobody else has changed its tables between snapshot and first write.
    ///
    /// Differs from MySQL: otherwise it is refused with error 1020; MySQL shows the snapshot's rows
    /// and the transaction's own (`a_snapshot_outlives_the_first_write`).
    async fn select_at_snapshot(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        let own = self.context.changed_tables.clone();
        self.context.refused_tables = Arc::new(TableSet::Some(own));
        let result = self.read(parsed, parameters.clone()).await;
        self.context.refused_tables = Arc::default();
        match result {
            Err(error) if error.code == READS_OWN_CHANGES => {}
            result => return result.map(Outcome::Rows),
        }
        self.context.refused_tables = Arc::new(self.changed_by_others());
        let mode = TransactionMode::InTransaction;
        let result = self.at_executor(parsed, parameters, mode).await;
        self.context.refused_tables = Arc::default();
        result
    }

    /// Reads on a reader: the transaction's, or any.
    pub(super) async fn read(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<ResultSet, SqlError> {
        let mut reader = self.reader()?;
        let id = self.context.connection_id;
        let mut context = std::mem::replace(&mut self.context, Box::new(SessionContext::new(id)));
        let process = Arc::clone(&self.registered.process);
        process.begin_query(reader.interrupt_handle());
        let parsed = Arc::clone(parsed);
        let limit = self.execution_limit(&parsed);
        let timer = limit.map(|limit| ExecutionTimer::start(limit, reader.interrupt_handle()));
        let work = move || {
            let result = reader.query(&parsed, &parameters, &mut context);
            let result = match timer.is_some_and(ExecutionTimer::has_stopped_it) {
                true => result.map_err(timed_out),
                false => result,
            };
            (reader, context, result)
        };
        let done = self.node.readers.run(work).await;
        process.end_query();
        let (reader, context, result) = match done {
            Ok(done) => done,
            Err(error) => {
                // The context is lost with the thread: the session starts anew.
                self.begin(None, None)?;
                return Err(error);
            }
        };
        self.context = context;
        self.keep_reader(reader);
        result
    }

    /// How long the SELECT may take: what its hint says, else `max_execution_time`.
    fn execution_limit(&self, parsed: &Parsed) -> Option<Duration> {
        if !parsed.statement.is_select() {
            return None;
        }
        let variable = || match self.variables.get("max_execution_time") {
            Some(VariableValue::Number(millis)) => millis,
            _ => 0,
        };
        let millis = parsed.max_execution_time.unwrap_or_else(variable);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    fn reader(&mut self) -> Result<Reader, SqlError> {
        if let Some(reader) = self.take_snapshot() {
            return Ok(reader);
        }
        let mut reader = self.node.readers.take()?;
        if self.is_in_transaction() && self.reads_one_snapshot() {
            reader.begin_snapshot()?;
        }
        Ok(reader)
    }

    fn keep_reader(&mut self, reader: Reader) {
        if reader.is_in_snapshot() {
            self.keep_snapshot(reader);
        } else {
            self.node.readers.give_back(reader);
        }
    }

    /// Evaluates `expressions`, a list as written in SELECT, to one row.
    pub(super) async fn evaluate(
        &mut self,
        expressions: &str,
    ) -> Result<(Vec<ResultColumn>, Vec<Value<'static>>), SqlError> {
        let options = self.node.parse_options(self.context.sql_mode);
        let text = format!("SELECT {expressions}");
        self.evaluate_parsed(sql::parse(text.as_bytes(), &options)?)
            .await
    }

    /// Evaluates one expression that was parsed before.
    pub(super) async fn evaluate_expression(
        &mut self,
        expression: &Expression,
    ) -> Result<(Vec<ResultColumn>, Vec<Value<'static>>), SqlError> {
        let options = self.node.parse_options(self.context.sql_mode);
        self.evaluate_parsed(sql::select_of(expression, &options)?)
            .await
    }

    async fn evaluate_parsed(
        &mut self,
        parsed: Parsed,
    ) -> Result<(Vec<ResultColumn>, Vec<Value<'static>>), SqlError> {
        let result = match self.select(&Arc::new(parsed), Vec::new()).await? {
            Outcome::Rows(result) => result,
            Outcome::Ok { .. } => return Err(SqlError::unknown_error()),
        };
        let row = result.rows.into_iter().next().unwrap_or_default();
        Ok((result.columns, row))
    }

    /// The columns that a SELECT will give, before its parameters are known.
    pub(super) fn describe_query(
        &mut self,
        parsed: &Parsed,
    ) -> Result<Vec<ResultColumn>, SqlError> {
        let mut reader = self.node.readers.take()?;
        let columns = reader.columns(parsed, &mut self.context);
        self.node.readers.give_back(reader);
        columns
    }

    /// DO: evaluates and forgets.
    pub(super) async fn do_expressions(
        &mut self,
        parsed: &Arc<Parsed>,
    ) -> Result<Outcome, SqlError> {
        let text = String::from_utf8_lossy(&parsed.text);
        let expressions = text.trim_start().get(2..).unwrap_or_default().to_owned();
        self.evaluate(&expressions).await?;
        Ok(Outcome::done())
    }
}

/// ER_CHECKREAD: the statement reads a table that it may not read there.
const READS_OWN_CHANGES: u16 = 1020;

/// FOR UPDATE, FOR SHARE.
fn locks_rows(statement: &Statement) -> bool {
    matches!(statement, Statement::Query(Query::Select(query)) if !query.locks.is_empty())
}
