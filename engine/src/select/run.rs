//! Running a bound query: parameters bound, rows read, stored forms turned into result values.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use binlog::value::Value;
use rusqlite::{CachedStatement, Connection, Rows};
use sqlparser::ast::Query;

use super::found_rows;
use super::query::Output;
use crate::catalog::Catalog;
use crate::expr::bind::Binder;
use crate::expr::datum::Datum;
use crate::expr::emit::Emitter;
use crate::expr::env::Env;
use crate::expr::sqlite::{Program, Running};
use crate::expr::storage;
use crate::expr::types::{Kind, Type};
use crate::outcome::{ResultColumn, ResultSet};
use crate::session::SessionContext;
use sql::error::SqlError;

/// Runs a SELECT on a connection; `text` is the statement's text, for the names of its columns.
/// Leaves warnings and FOUND_ROWS() in the session.
pub fn run(
    connection: &Connection,
    catalog: &Arc<Catalog>,
    query: &Query,
    text: &str,
    params: &[Value<'static>],
    session: &mut SessionContext,
) -> Result<ResultSet, SqlError> {
    let env = Env::of_session(session);
    let mut binder = Binder::new(catalog, session, params, text, env);
    binder.found_rows_place = found_rows::place(query);
    let bound = binder.query(query, None)?;
    let Binder { emitter, env, .. } = binder;
    let result = fetch(connection, &bound.sql, emitter, &bound.outputs);
    session.warnings.extend(env.take_warnings());
    if let Some(id) = env.last_insert_id.get() {
        session.last_insert_id = id;
    }
    let rows = result?;
    let sent = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    session.found_rows = found_rows::after(connection, catalog, query, params, session, sent)?;
    let columns = bound.outputs.into_iter().map(named).collect();
    Ok(ResultSet { columns, rows })
}

/// The columns a SELECT will have, before its parameters are known.
pub fn describe(
    catalog: &Arc<Catalog>,
    query: &Query,
    text: &str,
    session: &SessionContext,
) -> Result<Vec<ResultColumn>, SqlError> {
    let mut binder = Binder::new(catalog, session, &[], text, Env::of_session(session));
    binder.describing = true;
    binder.found_rows_place = found_rows::place(query);
    let bound = binder.query(query, None)?;
    Ok(bound.outputs.into_iter().map(named).collect())
}

fn named(output: Output) -> ResultColumn {
    ResultColumn {
        name: output.name,
        ..output.origin
    }
}

fn fetch(
    connection: &Connection,
    sql: &str,
    emitter: Emitter,
    outputs: &[Output],
) -> Result<Vec<Vec<Value<'static>>>, SqlError> {
    let mut cursor = Cursor::open(connection, sql, emitter)?;
    let types: Vec<&Type> = outputs.iter().map(|output| &output.ty).collect();
    let mut out = Vec::new();
    cursor.each(|row, program| {
        let zone = &program.env.zone;
        let cells = types.iter().enumerate().map(|(index, ty)| {
            let stored = row.get_ref(index)?;
            Ok(result_value(storage::decode(stored, ty, zone), ty))
        });
        out.push(cells.collect::<rusqlite::Result<Vec<_>>>()?);
        Ok(())
    })?;
    Ok(out)
}

/// A statement ready to give its rows.
pub(crate) struct Cursor<'c> {
    statement: CachedStatement<'c>,
    program: Rc<Program>,
}

impl<'c> Cursor<'c> {
    /// Prepares a statement and binds its parameters.
    pub(crate) fn open(
        connection: &'c Connection,
        sql: &str,
        emitter: Emitter,
    ) -> Result<Self, SqlError> {
        let program = Rc::new(emitter.program);
        let failed = |error| finish_error(&error, &program);
        let mut statement = connection.prepare_cached(sql).map_err(failed)?;
        let count = statement.parameter_count();
        for (index, value) in emitter.parameters.iter().enumerate().take(count) {
            statement
                .raw_bind_parameter(index + 1, value)
                .map_err(failed)?;
        }
        Ok(Self { statement, program })
    }

    /// Calls `read` for every row.
    pub(crate) fn each(
        &mut self,
        mut read: impl FnMut(&rusqlite::Row<'_>, &Program) -> rusqlite::Result<()>,
    ) -> Result<(), SqlError> {
        let running = Running::begin(&self.program);
        let mut rows: Rows<'_> = self.statement.raw_query();
        let result = loop {
            match rows.next() {
                Ok(Some(row)) => {
                    if let Err(error) = read(row, &self.program) {
                        break Err(error);
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(rows);
        drop(running);
        result.map_err(|error| finish_error(&error, &self.program))
    }
}

/// The MySQL error of a statement that SQLite stopped.
pub(crate) fn finish_error(error: &rusqlite::Error, program: &Program) -> SqlError {
    if let Some(own) = program.take_error() {
        return own;
    }
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) {
        return SqlError::query_interrupted();
    }
    SqlError::storage_engine(error)
}

/// A value as results carry it: members of ENUM and SET by name, JSON as text, BIT as bytes.
#[must_use]
pub fn result_value(value: Datum, ty: &Type) -> Value<'static> {
    match value {
        Datum::Null => Value::Null,
        Datum::Int(number) => Value::Int(number),
        Datum::UInt(number) => Value::UInt(number),
        Datum::Float(number) => Value::Float(number),
        Datum::Double(number) if ty.kind == Kind::Float =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a FLOAT result has 24 bits"
            )]
            Value::Float(number as f32)
        }
        Datum::Double(number) => Value::Double(number),
        Datum::Decimal(number) => {
            let scaled = number.round(i32::from(ty.decimals)).unwrap_or(number);
            Value::Decimal(if ty.kind == Kind::Decimal {
                scaled
            } else {
                number
            })
        }
        Datum::Date(moment) => {
            let moment: binlog::value::DateTime = moment.into();
            Value::Date(moment.date())
        }
        Datum::DateTime(moment, _) => Value::DateTime(moment.into()),
        Datum::Time(span, _) => Value::Time(span.into()),
        Datum::Year(year) => Value::Year(year),
        Datum::Text(bytes) => Value::Bytes(Cow::Owned(bytes)),
        other => Value::Bytes(Cow::Owned(other.to_text().into_owned())),
    }
}
