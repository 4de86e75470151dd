//! SELECT: on a reader, or where the transaction's writes are.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use binlog::value::Value;
use engine::database::{Reader, TableSet};
use engine::outcome::{Outcome, ResultColumn, ResultSet};
use engine::session::SessionContext;
use sql::ast::{Expression, LockClause, NonBlock};
use sql::error::SqlError;
use sql::{Parsed, Statement};
use tokio::sync::mpsc;

use super::Session;
use super::execution_timer::{ExecutionTimer, timed_out};
use crate::executor::TransactionMode;
use crate::variables::VariableValue;

impl Session {
    /// SELECT whose rows the session keeps.
    pub(super) async fn select(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        self.select_with(parsed, parameters, false).await
    }

    /// SELECT whose rows go to the client: what of a large result has been sent is not returned.
    pub(super) async fn select_for_client(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        self.select_with(parsed, parameters, true).await
    }

    async fn select_with(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
        streams: bool,
    ) -> Result<Outcome, SqlError> {
        self.open_implicitly();
        // Under the session's own read lock nothing changes, so there is nothing to lock, nor where
        // nobody can write. A SERIALIZABLE transaction locks what it reads: here, as every lock, by
        // having the writer.
        self.context.reads_lock = self.is_serializable();
        let locks = locks_rows(&parsed.statement)? || self.context.reads_lock;
        let locks = locks && self.read_lock.is_none() && self.node.executor.takes_writes();
        if self.is_in_transaction() && (self.is_at_executor() || locks) {
            if self.has_snapshot() && !locks {
                return self.select_at_snapshot(parsed, parameters, streams).await;
            }
            let mode = TransactionMode::InTransaction;
            return self.at_executor(parsed, parameters, mode).await;
        }
        if locks && parsed.statement.locks().iter().any(is_nowait) {
            let mode = TransactionMode::Autocommit;
            return self.at_executor(parsed, parameters, mode).await;
        }
        let rows = self.read(parsed, parameters, streams).await;
        rows.map(Outcome::Rows)
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
        streams: bool,
    ) -> Result<Outcome, SqlError> {
        let own = self.context.changed_tables.clone();
        self.context.refused_tables = Arc::new(TableSet::Some(own));
        let result = self.read(parsed, parameters.clone(), streams).await;
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
    async fn read(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
        streams: bool,
    ) -> Result<ResultSet, SqlError> {
        let mut reader = self.reader(&parsed.statement)?;
        let status = self.status();
        let charset = self.context.character_set_results;
        let id = self.context.connection_id;
        let mut context = std::mem::replace(&mut self.context, Box::new(SessionContext::new(id)));
        let parsed = Arc::clone(parsed);
        let limit = self.execution_limit(&parsed);
        let timer = limit.map(|limit| ExecutionTimer::start(limit, Arc::clone(&context.interrupt)));
        let (parts, mut arriving) = mpsc::channel(1);
        let work = move || {
            let result = match streams {
                true => query_into(&mut reader, &parsed, &parameters, &mut context, &parts),
                false => query(&mut reader, &parsed, &parameters, &mut context),
            };
            let result = match timer.is_some_and(ExecutionTimer::has_stopped_it) {
                true => result.map_err(timed_out),
                false => result,
            };
            (reader, context, result)
        };
        let readers = Arc::clone(&self.node.readers);
        let mut running = pin!(readers.run(work));
        let done = loop {
            let part = tokio::select! {
                biased;
                Some(part) = arriving.recv() => part,
                done = self.attend(&mut running) => break done,
            };
            if self.send_part(part, charset, status).await.is_err() {
                self.abandon();
                arriving.close();
            }
        };
        // The last part may have come together with the end.
        while let Ok(part) = arriving.try_recv() {
            if self.send_part(part, charset, status).await.is_err() {
                self.abandon();
            }
        }
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

    fn reader(&mut self, statement: &Statement) -> Result<Reader, SqlError> {
        if let Some(reader) = self.take_snapshot() {
            return Ok(reader);
        }
        let keeps_one = self.is_in_transaction() && self.reads_one_snapshot();
        // What reads no table begins no snapshot: behind GET_LOCK() others' changes are to be seen.
        let begins = keeps_one && !statement.tables()?.is_empty();
        let mut reader = self.node.readers.take()?;
        if begins {
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

    /// Evaluates a SELECT without tables, made of expressions of a statement, to one row.
    pub(super) async fn evaluate(
        &mut self,
        parsed: Parsed,
        parameters: Vec<Value<'static>>,
    ) -> Result<(Vec<ResultColumn>, Vec<Value<'static>>), SqlError> {
        let result = match self.select(&Arc::new(parsed), parameters).await? {
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

    /// DO: evaluates and forgets. The evaluation comes from the tree that was checked.
    pub(super) async fn do_expressions(
        &mut self,
        expressions: &[Expression],
        parsed: &Parsed,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        let expressions = expressions.iter().map(|expression| &expression.expr);
        let evaluating = Parsed::evaluating(expressions, parsed.parameters, parsed.sql_mode);
        self.evaluate(evaluating, parameters).await?;
        Ok(Outcome::done())
    }
}

/// ER_CHECKREAD: the statement reads a table that it may not read there.
const READS_OWN_CHANGES: u16 = 1020;

/// Runs a query and collects its rows.
fn query(
    reader: &mut Reader,
    parsed: &Parsed,
    parameters: &[Value<'static>],
    context: &mut SessionContext,
) -> Result<ResultSet, SqlError> {
    let interrupt = Arc::clone(&context.interrupt);
    let _running = interrupt.running(reader.interrupt_handle())?;
    reader.query(parsed, parameters, context)
}

/// Runs a query whose rows go to `parts` as they come; the last ones come back.
fn query_into(
    reader: &mut Reader,
    parsed: &Parsed,
    parameters: &[Value<'static>],
    context: &mut SessionContext,
    parts: &mpsc::Sender<ResultSet>,
) -> Result<ResultSet, SqlError> {
    let interrupt = Arc::clone(&context.interrupt);
    let _running = interrupt.running(reader.interrupt_handle())?;
    let mut sink = |columns: &[ResultColumn], rows| {
        let columns = columns.to_vec();
        // Nobody takes them any more: the client is gone.
        let sent = parts.blocking_send(ResultSet { columns, rows });
        sent.map_err(|_| SqlError::query_interrupted())
    };
    reader.query_into(parsed, parameters, context, &mut sink)
}

fn is_nowait(lock: &LockClause) -> bool {
    lock.nonblock == Some(NonBlock::Nowait)
}

/// Whether rows are locked: FOR UPDATE, FOR SHARE. There are no locks of single rows here that
/// could be skipped.
fn locks_rows(statement: &Statement) -> Result<bool, SqlError> {
    let locks = statement.locks();
    match locks
        .iter()
        .any(|lock| lock.nonblock == Some(NonBlock::SkipLocked))
    {
        true => Err(SqlError::not_supported("SKIP LOCKED")),
        false => Ok(!locks.is_empty()),
    }
}
