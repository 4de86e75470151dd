//! Queries on a reader: the engine's SELECT, on the snapshot that the reader has.

use std::sync::Arc;

use binlog::value::Value;
use engine::catalog::Catalog;
use engine::database::Reader;
use engine::error::SqlError;
use engine::outcome::{ResultColumn, ResultSet};
use engine::session::SessionContext;
use engine::sql::{Parsed, Statement};

/// Runs a SELECT.
pub(crate) fn run(
    reader: &mut Reader,
    parsed: &Parsed,
    parameters: &[Value<'static>],
    session: &mut SessionContext,
) -> Result<ResultSet, SqlError> {
    let Statement::Select(_query) = &parsed.statement else {
        return Err(SqlError::unknown_command());
    };
    let _ = (reader, parameters, session);
    Err(SqlError::not_supported("SELECT"))
}

/// The columns that a SELECT will give.
pub(crate) fn columns(
    _catalog: &Arc<Catalog>,
    _parsed: &Parsed,
    _session: &SessionContext,
) -> Result<Vec<ResultColumn>, SqlError> {
    Ok(Vec::new())
}
