//! A connection for a thread that may block, with statements under way.

use std::time::Duration;

use protocol::client::{ClientOptions, Connection, QueryResult, Sender};
use sql::error::SqlError;
use tokio::runtime::Runtime;

use super::error::{failed, not_connected};
use crate::TargetError;

/// Statements without an answer, at most: their answers have to fit into the buffers of the system.
const WAITING_MAX: usize = 128;

/// Bytes of statements that are held back to leave together.
const HELD_MAX: usize = 64 << 10;

/// Time for each step of a login.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// A connection and the runtime it lives in.
pub(super) struct Pipe {
    /// None once it is of no more use: what a server held for it, it holds no longer.
    connection: Option<Connection>,
    runtime: Background,
    version: String,
    /// Statements without an answer.
    waiting: usize,
    held: usize,
}

/// A runtime that may be dropped by a thread of another one, which must not block.
struct Background(Option<Runtime>);

impl Background {
    fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, TargetError> {
        let runtime = self.0.as_ref();
        let runtime = runtime.ok_or_else(|| TargetError::misuse("a runtime that has ended"))?;
        Ok(runtime.block_on(work))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Pipe {
    /// Connects and logs in.
    pub(super) fn connect(options: &ClientOptions) -> Result<Self, TargetError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| {
            let text = format!("no runtime for the connection to the target: {error}");
            TargetError::Retry(SqlError::new(1135, "HY000", text))
        })?;
        let options = &ClientOptions {
            local_files: true,
            ..options.clone()
        };
        let connecting = Connection::connect_waiting(options, CONNECT_TIME);
        let connection = runtime.block_on(connecting).map_err(not_connected)?;
        Ok(Self {
            version: connection.greeting().version.clone(),
            connection: Some(connection),
            runtime: Background(Some(runtime)),
            waiting: 0,
            held: 0,
        })
    }

    /// The server's version text.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Whether everything that was sent has its answer.
    pub(super) const fn is_quiet(&self) -> bool {
        self.waiting == 0
    }

    /// Whether the connection is of no more use.
    pub(super) const fn is_lost(&self) -> bool {
        self.connection.is_none()
    }

    /// Puts a statement behind those under way. An error may be that of an earlier one.
    pub(super) fn send(&mut self, sql: &[u8]) -> Result<(), TargetError> {
        self.send_joined(sql, 1)
    }

    /// As [`Pipe::send`], of so many statements in one query.
    pub(super) fn send_joined(&mut self, sql: &[u8], count: usize) -> Result<(), TargetError> {
        while self.waiting >= WAITING_MAX {
            self.flush()?;
            self.answer(false)?;
        }
        open(&mut self.connection)?.send_joined(sql, count);
        self.waiting += 1;
        self.held = self.held.saturating_add(sql.len());
        match self.held > HELD_MAX {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Waits for the answers of everything that was sent; the first error comes back, once all have
    /// answered.
    pub(super) fn drain(&mut self) -> Result<(), TargetError> {
        self.drain_of(false)
    }

    /// As [`Pipe::drain`], where a COMMIT is among what was sent.
    pub(super) fn drain_commit(&mut self) -> Result<(), TargetError> {
        self.drain_of(true)
    }

    fn drain_of(&mut self, is_committing: bool) -> Result<(), TargetError> {
        self.flush()?;
        let mut first = Ok(());
        while self.waiting > 0 {
            let answer = self.answer(is_committing).map(drop);
            if self.is_lost() {
                return first.and(answer);
            }
            first = first.and(answer);
        }
        first
    }

    /// How many statements of the query that was answered last succeeded, as far as that was heard.
    pub(super) fn succeeded(&self) -> usize {
        self.connection.as_ref().map_or(0, Connection::succeeded)
    }

    /// Leaves the next statement to another thread, if that can be; its answer is to be waited for. Everything
    /// before it has its answer.
    pub(super) fn hand_over(&mut self) -> Result<Option<Sender>, TargetError> {
        let sender = open(&mut self.connection)?.hand_over();
        let sender = sender.map_err(|error| self.lost(error, false))?;
        self.waiting += usize::from(sender.is_some());
        Ok(sender)
    }

    /// Runs a statement alone.
    pub(super) fn ask(&mut self, sql: &str) -> Result<QueryResult, TargetError> {
        self.drain()?;
        self.send(sql.as_bytes())?;
        self.flush()?;
        self.answer(false)
    }

    /// Runs a LOAD DATA LOCAL INFILE alone, with this for the file.
    pub(super) fn load(
        &mut self,
        sql: &[u8],
        content: &mut (impl std::io::Read + Send),
    ) -> Result<QueryResult, TargetError> {
        self.drain()?;
        let answer = self
            .runtime
            .run(open(&mut self.connection)?.load(sql, content))?;
        answer.map_err(|error| self.lost(error, false))
    }

    /// The first cell of the first row; `None` for NULL and no row.
    pub(super) fn scalar(&mut self, sql: &str) -> Result<Option<String>, TargetError> {
        Ok(self.ask(sql)?.scalar())
    }

    /// Sends what is held back.
    pub(super) fn push(&mut self) -> Result<(), TargetError> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), TargetError> {
        self.held = 0;
        let flushed = self.runtime.run(open(&mut self.connection)?.flush())?;
        flushed.map_err(|error| self.lost(error, false))
    }

    fn answer(&mut self, is_committing: bool) -> Result<QueryResult, TargetError> {
        self.waiting = self.waiting.saturating_sub(1);
        let answer = self.runtime.run(open(&mut self.connection)?.answer())?;
        answer.map_err(|error| self.lost(error, is_committing))
    }

    fn lost(&mut self, error: protocol::Error, is_committing: bool) -> TargetError {
        let is_node_out = |error: &protocol::ErrPacket| error.code == super::cluster::NOT_READY;
        let is_refused = matches!(&error, protocol::Error::Refused(error) if !is_node_out(error));
        if !is_refused {
            self.connection = None;
            self.waiting = 0;
        }
        failed(error, is_committing)
    }
}

fn open(connection: &mut Option<Connection>) -> Result<&mut Connection, TargetError> {
    let connection = connection.as_mut();
    connection.ok_or_else(|| failed(protocol::Error::Closed, false))
}
