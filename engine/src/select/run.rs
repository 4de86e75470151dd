//! Running a bound query: parameters bound, rows read, stored forms turned into result values.

use std::rc::Rc;
use std::sync::Arc;

use ::memory::Purpose;
use binlog::value::Value;
use rusqlite::types::Value as Stored;
use rusqlite::{CachedStatement, Connection, Rows};
use sqlparser::ast::Query;

use super::found_rows;
use super::query::Output;
use crate::catalog::Catalog;
use crate::error::query_failed;
use crate::expr::bind::Binder;
use crate::expr::emit::Emitter;
use crate::expr::env::Env;
use crate::expr::sqlite::{Program, Running, raw_size, row_too_large};
use crate::expr::types::{Kind, Type};
use crate::outcome::{ResultColumn, ResultSet};
use crate::session::SessionContext;
use crate::value::cell;
use crate::value::datum::Datum;
use crate::value::memory;
use crate::value::stored::expression;
use sql::error::SqlError;

/// Rows of a result.
pub type Row = Vec<Value<'static>>;

/// Takes rows of a result that is not complete, with its columns; an error ends the query.
pub type RowSink<'a> = &'a mut dyn FnMut(&[ResultColumn], Vec<Row>) -> Result<(), SqlError>;

/// How often a row is held until it is sent.
const COPIES: usize = 3;
/// Bytes of rows that are held before a sink gets them.
const BATCH_BYTES: usize = 1 << 20;
/// The same where memory is short.
const BATCH_BYTES_LEAST: usize = 64 << 10;
/// Bytes of rows of a result that is collected whole.
const RESULT_BYTES_MAX: usize = 64 << 20;

/// Runs a SELECT on a connection as [`run_into`] does, and collects its rows.
///
/// Differs from MySQL: a result that would take more than 64 MiB here is an error, 3170.
pub fn run(
    connection: &Connection,
    catalog: &Arc<Catalog>,
    query: &Query,
    text: &str,
    params: &[Value<'static>],
    session: &mut SessionContext,
) -> Result<ResultSet, SqlError> {
    let mut rows = Vec::new();
    let mut held = 0_usize;
    let mut sink = |_: &[ResultColumn], batch: Vec<Row>| {
        held = held.saturating_add(batch.iter().map(row_bytes).sum());
        rows.extend(batch);
        let has_room = ::memory::has_room(BATCH_BYTES, Purpose::GoOn);
        match has_room && held < RESULT_BYTES_MAX {
            true => Ok(()),
            false => Err(result_too_large()),
        }
    };
    let mut result = run_into(connection, catalog, query, text, params, session, &mut sink)?;
    rows.append(&mut result.rows);
    Ok(ResultSet { rows, ..result })
}

/// Runs a SELECT on a connection; `text` is the statement's text, for the names of its columns.
/// Rows go to `sink` as soon as there are many; the last ones come back. Leaves warnings and
/// FOUND_ROWS() in the session.
pub fn run_into(
    connection: &Connection,
    catalog: &Arc<Catalog>,
    query: &Query,
    text: &str,
    params: &[Value<'static>],
    session: &mut SessionContext,
    sink: RowSink<'_>,
) -> Result<ResultSet, SqlError> {
    let env = Env::of_session(session);
    let mut binder = Binder::new(catalog, session, params, text, env);
    binder.found_rows_place = found_rows::place(query);
    let bound = binder.query(query, None)?;
    let Binder { emitter, env, .. } = binder;
    let fetch = Fetch::new(&bound.outputs, sink);
    let result = fetch.all(connection, &bound.sql, emitter);
    session.warnings.extend(env.take_warnings());
    if let Some(id) = env.last_insert_id.get() {
        session.last_insert_id = id;
    }
    let (sent, rows) = result?;
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

/// Rows on their way from SQLite to a sink.
struct Fetch<'a> {
    outputs: &'a [Output],
    sink: RowSink<'a>,
    held: Vec<Row>,
    held_bytes: usize,
    /// Bytes at which room is asked for.
    asks_at: usize,
    found: u64,
}

impl<'a> Fetch<'a> {
    const fn new(outputs: &'a [Output], sink: RowSink<'a>) -> Self {
        Self {
            outputs,
            sink,
            held: Vec::new(),
            held_bytes: 0,
            asks_at: BATCH_BYTES_LEAST,
            found: 0,
        }
    }

    /// Reads every row: how many there were, and those that the sink did not get.
    fn all(
        mut self,
        connection: &Connection,
        sql: &str,
        emitter: Emitter,
    ) -> Result<(u64, Vec<Row>), SqlError> {
        let outputs = self.outputs;
        let types: Vec<&Type> = outputs.iter().map(|output| &output.ty).collect();
        let mut cursor = Cursor::open(connection, sql, emitter)?;
        let mut refused = None;
        let read = cursor.each(|row, program| {
            let zone = &program.env.zone;
            // Decoded, held, and put into the answer.
            let stored = (0..types.len()).map(|index| row.get_ref(index).map(raw_size));
            let bytes = stored
                .sum::<rusqlite::Result<usize>>()?
                .saturating_mul(COPIES);
            let _room = program.keep(program.env.room(bytes))?;
            let cells = types.iter().enumerate().map(|(index, ty)| {
                let stored = row.get_ref(index)?;
                Ok(result_value(expression::decode(stored, ty, zone), ty))
            });
            let cells = cells.collect::<rusqlite::Result<Row>>()?;
            self.push(cells).map_err(|error| {
                refused = Some(error);
                rusqlite::Error::InvalidQuery
            })
        });
        match refused {
            Some(error) => Err(error),
            None => read.map(|()| (self.found, self.held)),
        }
    }

    fn push(&mut self, row: Row) -> Result<(), SqlError> {
        self.found = self.found.saturating_add(1);
        self.held_bytes = self.held_bytes.saturating_add(row_bytes(&row));
        self.held.push(row);
        if self.held_bytes < BATCH_BYTES {
            // Where room is short few rows are held.
            let asks = self.held_bytes >= self.asks_at;
            if !asks || ::memory::has_room(BATCH_BYTES, Purpose::Begin) {
                if asks {
                    self.asks_at = self.held_bytes.saturating_add(BATCH_BYTES_LEAST);
                }
                return Ok(());
            }
        }
        self.asks_at = BATCH_BYTES_LEAST;
        self.held_bytes = 0;
        let columns: Vec<_> = self.outputs.iter().cloned().map(named).collect();
        (self.sink)(&columns, std::mem::take(&mut self.held))
    }
}

/// ER_CAPACITY_EXCEEDED.
fn result_too_large() -> SqlError {
    let text = format!(
        "Memory capacity of {RESULT_BYTES_MAX} bytes for 'a result that is collected' exceeded. \
         Read it outside a transaction that writes, or in parts by LIMIT."
    );
    SqlError::new(3170, "HY000", text)
}

/// Memory that a row takes, about.
fn row_bytes(row: &Row) -> usize {
    let cells = row.iter().map(|value| match value {
        Value::Bytes(bytes) | Value::Json(bytes) | Value::JsonDiffs(bytes) => bytes.len(),
        _ => 0,
    });
    cells
        .sum::<usize>()
        .saturating_add(size_of_val(row.as_slice()))
        .saturating_add(size_of::<Row>())
}

/// A statement ready to give its rows.
pub(crate) struct Cursor<'c> {
    /// Always there but while it is dropped.
    statement: Option<CachedStatement<'c>>,
    program: Rc<Program>,
    /// Whether the statement's text is long: one that is kept takes a multiple of it.
    is_long: bool,
}

/// Bytes of a text that is prepared anew each time.
const LONG: usize = 16 << 10;

impl Drop for Cursor<'_> {
    fn drop(&mut self) {
        if self.is_long
            && let Some(statement) = self.statement.take()
        {
            statement.discard();
        }
    }
}

impl<'c> Cursor<'c> {
    /// Prepares a statement and binds its parameters.
    pub(crate) fn open(
        connection: &'c Connection,
        sql: &str,
        emitter: Emitter,
    ) -> Result<Self, SqlError> {
        let bound = emitter.parameters.iter().map(stored_bytes);
        if bound.sum::<usize>() > memory::ROW_MAX {
            return Err(row_too_large());
        }
        let program = Rc::new(emitter.program);
        let failed = |error| finish_error(&error, &program);
        let mut statement = connection.prepare_cached(sql).map_err(failed)?;
        let count = statement.parameter_count();
        for (index, value) in emitter.parameters.iter().enumerate().take(count) {
            statement
                .raw_bind_parameter(index + 1, value)
                .map_err(failed)?;
        }
        Ok(Self {
            statement: Some(statement),
            program,
            is_long: sql.len() > LONG,
        })
    }

    /// Calls `read` for every row.
    pub(crate) fn each(
        &mut self,
        mut read: impl FnMut(&rusqlite::Row<'_>, &Program) -> rusqlite::Result<()>,
    ) -> Result<(), SqlError> {
        let running = Running::begin(&self.program);
        let Some(statement) = &mut self.statement else {
            return Ok(());
        };
        let mut rows: Rows<'_> = statement.raw_query();
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

fn stored_bytes(value: &Stored) -> usize {
    match value {
        Stored::Text(text) => text.len(),
        Stored::Blob(bytes) => bytes.len(),
        Stored::Null | Stored::Integer(_) | Stored::Real(_) => 0,
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
    query_failed(error)
}

/// A value as results carry it: a FLOAT as one, a DECIMAL with the digits of its type.
#[must_use]
pub fn result_value(value: Datum, ty: &Type) -> Value<'static> {
    match value {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a FLOAT result has 24 bits"
        )]
        Datum::Double(number) if ty.kind == Kind::Float => Value::Float(number as f32),
        Datum::Decimal(number) if ty.kind == Kind::Decimal => {
            Value::Decimal(number.round(i32::from(ty.decimals)).unwrap_or(number))
        }
        other => cell::carried(other),
    }
}
