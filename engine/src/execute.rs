//! Execution: statements and logged rows, over the one connection that changes rows.
//!
//! [`Writer`] is that connection with what it keeps from statement to statement: plans of tables and
//! of table maps. A statement is one savepoint, in which its caller also says whether the changes can
//! be kept. The statements themselves are in [`crate::ddl`] and [`crate::dml`], logged rows in
//! [`crate::apply`].

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use binlog::row::TableMap;
use binlog::value::Value;

use crate::apply::Applier;
use crate::catalog::{Table, TableId};
use crate::caught::caught;
use crate::database::{Database, WriteConnection};
use crate::ddl;
use crate::error::EngineError;
use crate::outcome::Outcome;
use crate::rows::{RowChange, RowWriter, TablePlan};
use crate::session::SessionContext;
use sql::Statement;
use sql::ast::{Ddl, Query};
use sql::error::SqlError;

/// Table maps for which a writer keeps plans.
const APPLIERS_MAX: usize = 1024;

/// The connection that changes rows, and what it keeps from statement to statement.
pub struct Writer {
    connection: WriteConnection,
    plans: HashMap<TableId, (Arc<Table>, Arc<TablePlan>)>,
    /// What applying logged rows needs, by the log's table id.
    appliers: HashMap<u64, Applier>,
}

impl Deref for Writer {
    type Target = WriteConnection;

    fn deref(&self) -> &WriteConnection {
        &self.connection
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut WriteConnection {
        &mut self.connection
    }
}

impl Writer {
    /// The writer of a database.
    ///
    /// # Errors
    /// `Misuse` while another one exists.
    pub fn open(database: &Database) -> Result<Writer, EngineError> {
        Ok(Writer {
            connection: database.write_connection()?,
            plans: HashMap::new(),
            appliers: HashMap::new(),
        })
    }

    /// Executes a statement that may write, and appends the rows it changed. A statement that fails
    /// changes nothing and appends nothing.
    ///
    /// # Errors
    /// 1235 for statements that are not the engine's; any other error of the statement.
    pub fn execute(
        &mut self,
        statement: &Statement,
        parameters: &[Value<'_>],
        session: &mut SessionContext,
        changes: &mut Vec<RowChange>,
    ) -> Result<Outcome, SqlError> {
        self.execute_and(statement, parameters, session, changes, |_, _| Ok(()))
    }

    /// Executes a statement as [`Writer::execute`] does, and turns a panic of it into error 1105; `keep`
    /// sees the rows it changed while it can
    /// still be undone, and undoes it by an error.
    ///
    /// # Errors
    /// Those of [`Writer::execute`], and that of `keep`.
    pub fn execute_and(
        &mut self,
        statement: &Statement,
        parameters: &[Value<'_>],
        session: &mut SessionContext,
        changes: &mut Vec<RowChange>,
        keep: impl FnOnce(&mut SessionContext, &[RowChange]) -> Result<(), SqlError>,
    ) -> Result<Outcome, SqlError> {
        let mark = changes.len();
        let begun = self.connection.begin_statement()?;
        session.may_wait = false;
        let run = || caught(|| self.run(statement, parameters, session, changes));
        let (result, panicked) = match sql::with_stack(run) {
            Ok(result) => (result, None),
            Err(panicked) => (Err(panicked.error()), Some(panicked)),
        };
        session.may_wait = true;
        let result = result.and_then(|outcome| {
            keep(session, changes.get(mark..).unwrap_or_default())?;
            Ok(outcome)
        });
        if result.is_err() {
            changes.truncate(mark);
        }
        match (
            self.connection.end_statement(begun, result.is_ok()),
            panicked,
        ) {
            (Err(_), Some(panicked)) => panicked.go_on(),
            (ended, _) => ended?,
        }
        result
    }

    fn run(
        &mut self,
        statement: &Statement,
        parameters: &[Value<'_>],
        session: &mut SessionContext,
        changes: &mut Vec<RowChange>,
    ) -> Result<Outcome, SqlError> {
        match statement {
            Statement::Ddl(ddl) => self.execute_ddl(ddl, session),
            Statement::Write(write) => {
                crate::dml::execute(self, write, parameters, session, changes)
            }
            Statement::Query(Query::Select(query)) => {
                crate::dml::select(self, query, parameters, session)
            }
            Statement::Query(
                Query::Do(_) | Query::Show(_) | Query::Describe { .. } | Query::Explain { .. },
            )
            | Statement::Empty
            | Statement::Transaction(_)
            | Statement::Account(_)
            | Statement::Replication(_)
            | Statement::Admin(_)
            | Statement::Prepared(_)
            | Statement::NotSupported { .. } => Err(SqlError::not_supported("this statement")),
        }
    }

    /// DDL, which alone may begin counters anew: a failure puts them back.
    fn execute_ddl(
        &mut self,
        statement: &Ddl,
        session: &mut SessionContext,
    ) -> Result<Outcome, SqlError> {
        let counters = self.counters().clone();
        let result = caught(|| ddl::execute(self, statement, session));
        let result = result.unwrap_or_else(|panicked| Err(panicked.error()));
        match &result {
            Ok(_) => self.connection.keep_counters(counters),
            Err(_) => self.connection.restore_counters(counters),
        }
        result
    }

    /// Row operations on a table of this writer's catalogue.
    pub fn rows(&mut self, table: &Arc<Table>) -> Result<RowWriter<'_>, EngineError> {
        let known = self
            .plans
            .get(&table.id)
            .filter(|(known, _)| Arc::ptr_eq(known, table));
        let plan = match known {
            Some((_, plan)) => Arc::clone(plan),
            None => {
                let plan = Arc::new(TablePlan::new(table)?);
                self.plans
                    .insert(table.id, (Arc::clone(table), Arc::clone(&plan)));
                plan
            }
        };
        let (connection, counters) = self.connection.touch(table.id);
        Ok(RowWriter {
            listed: 0,
            connection,
            table: Arc::clone(table),
            plan,
            counters,
        })
    }

    /// What is kept for the rows of `map`, if it still fits; to be given back.
    pub(crate) fn take_applier(&mut self, database: &str, map: &TableMap<'_>) -> Option<Applier> {
        let applier = self.appliers.remove(&map.table_id)?;
        applier.fits(self, database, map).then_some(applier)
    }

    /// Keeps what the rows of a table map needed.
    pub(crate) fn put_applier(&mut self, table_id: u64, applier: Applier) {
        if self.appliers.len() >= APPLIERS_MAX {
            self.appliers.clear();
        }
        self.appliers.insert(table_id, applier);
    }
}
