//! `Reader::query`: SELECT on a snapshot.

use binlog::value::Value;

use super::run::{RowSink, describe, run, run_into};
use crate::database::Reader;
use crate::outcome::{ResultColumn, ResultSet};
use crate::session::SessionContext;
use sql::ast::Query;
use sql::error::SqlError;
use sql::{Parsed, Statement};

impl Reader {
    /// Runs a SELECT with the values of its `?` markers. Leaves warnings and FOUND_ROWS() in the
    /// session. Error 1235 for any other statement.
    pub fn query(
        &mut self,
        parsed: &Parsed,
        params: &[Value<'static>],
        session: &mut SessionContext,
    ) -> Result<ResultSet, SqlError> {
        let Statement::Query(Query::Select(query)) = &parsed.statement else {
            return Err(SqlError::not_supported("this statement on a reader"));
        };
        let text = String::from_utf8_lossy(&parsed.text);
        sql::with_stack(|| {
            self.read(|connection, catalog| run(connection, catalog, query, &text, params, session))
        })
    }

    /// [`Reader::query`] whose rows go to `sink` as soon as there are many; the last ones come back.
    pub fn query_into(
        &mut self,
        parsed: &Parsed,
        params: &[Value<'static>],
        session: &mut SessionContext,
        sink: RowSink<'_>,
    ) -> Result<ResultSet, SqlError> {
        let Statement::Query(Query::Select(query)) = &parsed.statement else {
            return Err(SqlError::not_supported("this statement on a reader"));
        };
        let text = String::from_utf8_lossy(&parsed.text);
        self.read(|connection, catalog| {
            run_into(connection, catalog, query, &text, params, session, sink)
        })
    }

    /// The columns that a SELECT will have, while its parameters are not known.
    pub fn columns(
        &mut self,
        parsed: &Parsed,
        session: &mut SessionContext,
    ) -> Result<Vec<ResultColumn>, SqlError> {
        let Statement::Query(Query::Select(query)) = &parsed.statement else {
            return Ok(Vec::new());
        };
        let text = String::from_utf8_lossy(&parsed.text);
        sql::with_stack(|| self.read(|_, catalog| describe(catalog, query, &text, session)))
    }
}
