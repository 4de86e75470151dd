//! A connection for a thread that may block.

use std::sync::Arc;
use std::time::Duration;

use binlog::row::RowsKind;
use engine::catalog::Table;
use sql::error::SqlError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::query::Query;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Postgres,
    Row as _,
};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::batch::{Batch, BatchFailure, Failed};
use super::error::{failed, is_lost, not_connected};
use crate::TargetError;

/// Time to log in.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// A connection and the runtime it lives in.
pub(super) struct Link {
    /// Where it is not while something is sent.
    connection: Option<PgConnection>,
    runtime: Option<Runtime>,
    /// What sends batches meanwhile.
    sending: Option<Sending>,
    is_lost: bool,
}

/// Batches on their way, and what the first of them is to do.
struct Sending {
    task: JoinHandle<(PgConnection, Result<(), Failed>)>,
    kind: RowsKind,
    table: Arc<Table>,
}

/// A row of texts.
pub(super) type Cells = Vec<Option<String>>;

/// One column of parameters: of each row its text.
pub(super) type Texts = Vec<Option<String>>;

impl Link {
    /// Connects and logs in.
    pub(super) fn connect(options: &PgConnectOptions) -> Result<Self, TargetError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("weir-postgres")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| {
            let text = format!("no runtime for the connection to the target: {error}");
            TargetError::Retry(SqlError::new(1135, "HY000", text))
        })?;
        let connecting = async {
            let timed_out = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
            tokio::time::timeout(CONNECT_TIME, options.connect())
                .await
                .unwrap_or_else(|_| Err(timed_out()))
        };
        let server = format!("{}:{}", options.get_host(), options.get_port());
        let connected = runtime.block_on(connecting);
        let connection = connected.map_err(|error| not_connected(&error, &server))?;
        let mut link = Self {
            connection: Some(connection),
            runtime: Some(runtime),
            sending: None,
            is_lost: false,
        };
        link.run(SET_UP)?;
        Ok(link)
    }

    /// Whether the connection is of no more use.
    pub(super) const fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Executes statements without parameters, in one message.
    pub(super) fn run(&mut self, sql: &str) -> Result<u64, TargetError> {
        self.run_raw(sql).map_err(|error| failed(&error))
    }

    /// The same, with the answer as it came.
    pub(super) fn run_raw(&mut self, sql: &str) -> Result<u64, sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        self.with(async |connection| {
            let done = connection.execute(sql).await?;
            Ok(done.rows_affected())
        })
    }

    /// The rows of a query, all of whose columns are texts.
    pub(super) fn ask(
        &mut self,
        sql: &str,
        parameters: &[Option<String>],
    ) -> Result<Vec<Cells>, TargetError> {
        let query = parameters.iter().fold(prepared(sql), |query, parameter| {
            query.bind(parameter.clone())
        });
        let rows = self.with(async |connection| connection.fetch_all(query).await);
        let rows = rows.map_err(|error| failed(&error))?;
        rows.iter().map(cells).collect()
    }

    /// The first cell of the first row.
    pub(super) fn scalar(
        &mut self,
        sql: &str,
        parameters: &[Option<String>],
    ) -> Result<Option<String>, TargetError> {
        let rows = self.ask(sql, parameters)?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next()?))
    }

    /// Executes a statement; how many rows it changed.
    pub(super) fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Option<String>>,
    ) -> Result<u64, sqlx::Error> {
        let query = parameters.into_iter().fold(prepared(sql), Query::bind);
        self.with(async |connection| Ok(connection.execute(query).await?.rows_affected()))
    }

    /// Begins to send batches, once those before them are done. Whether they do what they should, the next
    /// one tells, or [`Link::settle`].
    pub(super) fn begin(&mut self, batches: Vec<Batch>) -> Result<(), Failed> {
        self.settle()?;
        let Some((kind, table)) = batches.first().map(Batch::what) else {
            return Ok(());
        };
        let lost = || sqlx::Error::Io(std::io::ErrorKind::NotConnected.into());
        let (Some(mut connection), Some(runtime)) = (self.connection.take(), &self.runtime) else {
            return Err((kind, table, lost().into()));
        };
        if self.is_lost {
            self.connection = Some(connection);
            return Err((kind, table, lost().into()));
        }
        let task = runtime.spawn(async move {
            let mut done = Ok(());
            for batch in batches {
                done = batch.send(&mut connection).await;
                if done.is_err() {
                    break;
                }
            }
            (connection, done)
        });
        self.sending = Some(Sending { task, kind, table });
        Ok(())
    }

    /// Waits until everything that was begun is done.
    pub(super) fn settle(&mut self) -> Result<(), Failed> {
        let (Some(sending), Some(runtime)) = (self.sending.take(), &self.runtime) else {
            return Ok(());
        };
        let Sending { task, kind, table } = sending;
        let done = match runtime.block_on(task) {
            Ok((connection, done)) => {
                self.connection = Some(connection);
                done
            }
            // The connection went with it.
            Err(error) => Err((
                kind,
                table,
                sqlx::Error::Io(std::io::Error::other(error)).into(),
            )),
        };
        if let Err((_, _, BatchFailure::Answer(error))) = &done
            && is_lost(error)
        {
            self.is_lost = true;
        }
        done
    }

    /// Keeps bytes; `sql` has one parameter for them, `$1`.
    pub(super) fn execute_bytes(&mut self, sql: &str, bytes: &[u8]) -> Result<u64, TargetError> {
        let query = prepared(sql).bind(bytes.to_vec());
        let done =
            self.with(async |connection| Ok(connection.execute(query).await?.rows_affected()));
        done.map_err(|error| failed(&error))
    }

    /// The bytes of a query's first column, row by row.
    pub(super) fn ask_bytes(&mut self, sql: &str) -> Result<Vec<Vec<u8>>, TargetError> {
        let query = prepared(sql);
        let rows = self.with(async |connection| connection.fetch_all(query).await);
        let rows = rows.map_err(|error| failed(&error))?;
        let bytes = rows.iter().map(|row| row.try_get::<Vec<u8>, _>(0));
        bytes
            .collect::<Result<_, _>>()
            .map_err(|error| failed(&error))
    }

    fn with<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        // Who cares what becomes of what was begun has asked before.
        let settled = self.settle();
        let (Some(connection), Some(runtime)) = (&mut self.connection, &self.runtime) else {
            return Err(sqlx::Error::PoolClosed);
        };
        if self.is_lost || settled.is_err() {
            return Err(sqlx::Error::Io(std::io::ErrorKind::NotConnected.into()));
        }
        let done = runtime.block_on(work(connection));
        if let Err(error) = &done
            && is_lost(error)
        {
            self.is_lost = true;
        }
        done
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let connection = self.connection.take();
        if let (connection, Some(runtime)) = (connection, self.runtime.take()) {
            if let (Some(connection), false) = (connection, self.is_lost) {
                let closing = async {
                    // It is gone anyway.
                    let _ = tokio::time::timeout(Duration::from_secs(1), connection.close()).await;
                };
                if tokio::runtime::Handle::try_current().is_err() {
                    runtime.block_on(closing);
                }
            }
            runtime.shutdown_background();
        }
    }
}

/// For every connection. What is written must not depend on how a server or an account is set up. A
/// dead peer is noticed, so that its locks go. A batch of rows is looked up by key, however little the
/// planner knows of the table.
const SET_UP: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET TimeZone = 'GMT'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; \
    SET bytea_output = 'hex'; SET extra_float_digits = 1; SET standard_conforming_strings = on; \
    SET client_min_messages = warning; SET search_path = pg_catalog; SET statement_timeout = 0; \
    SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '50s'; \
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET jit = off";

/// Executes a statement whose parameters are columns; how many rows it changed.
pub(super) async fn execute_columns(
    connection: &mut PgConnection,
    sql: &str,
    columns: Vec<Texts>,
) -> Result<u64, sqlx::Error> {
    let query = columns.into_iter().fold(prepared(sql), Query::bind);
    Ok(connection.execute(query).await?.rows_affected())
}

/// COPY .. FROM STDIN; how many rows it added.
pub(super) async fn copy(
    connection: &mut PgConnection,
    sql: &str,
    text: Vec<u8>,
) -> Result<u64, sqlx::Error> {
    let mut copying = connection.copy_in_raw(sql).await?;
    // What is wrong with it, the end tells.
    copying.send(text).await?;
    copying.finish().await
}

fn prepared(sql: &str) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(AssertSqlSafe(sql.to_owned()))
}

fn cells(row: &PgRow) -> Result<Cells, TargetError> {
    let cells = (0..row.len()).map(|at| row.try_get::<Option<String>, _>(at));
    cells
        .collect::<Result<_, _>>()
        .map_err(|error| failed(&error))
}
