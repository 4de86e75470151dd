//! SELECT: on a reader, or where the transaction's writes are.

use std::sync::Arc;

use binlog::value::Value;
use engine::database::Reader;
use engine::outcome::{Outcome, ResultColumn, ResultSet};
use engine::session::SessionContext;
use sql::ast::Query;
use sql::error::SqlError;
use sql::{Parsed, Statement};

use super::Session;
use crate::executor::TransactionMode;

impl Session {
    pub(super) async fn select(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        self.open_implicitly();
        // Under the session's own read lock nothing changes, so there is nothing to lock.
        let locks = locks_rows(&parsed.statement) && self.read_lock.is_none();
        if self.is_in_transaction() && (self.is_at_executor() || locks) {
            let mode = TransactionMode::InTransaction;
            return self.at_executor(parsed, parameters, mode).await;
        }
        self.read(parsed, parameters).await.map(Outcome::Rows)
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
        let work = move || {
            let result = reader.query(&parsed, &parameters, &mut context);
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
        let parsed = Arc::new(sql::parse(text.as_bytes(), &options)?);
        let result = match self.select(&parsed, Vec::new()).await? {
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

/// FOR UPDATE, FOR SHARE.
fn locks_rows(statement: &Statement) -> bool {
    matches!(statement, Statement::Query(Query::Select(query)) if !query.locks.is_empty())
}
