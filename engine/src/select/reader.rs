//! `Reader::query`: SELECT on a snapshot.

use binlog::value::Value;

use super::run::{describe, run};
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
        self.read(|connection, catalog| run(connection, catalog, query, &text, params, session))
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
        self.read(|_, catalog| describe(catalog, query, &text, session))
    }
}
