//! Connections that read: made when needed, kept for the next statement.
//!
//! A query runs on a thread that may block, never on one that serves other sessions, and never
//! waits for another query. A transaction keeps its reader, and with it its snapshot, so the number
//! of readers follows the sessions.

use std::sync::{Mutex, PoisonError};

use engine::database::{Database, Reader};
use sql::error::SqlError;

use crate::threads::Threads;

/// Readers that are kept when nobody needs them.
const IDLE_MAX: usize = 16;

/// The readers of a node.
pub(crate) struct Readers {
    database: Database,
    /// Held for a push or a pop only.
    idle: Mutex<Vec<Reader>>,
    threads: Threads,
}

impl Readers {
    pub(crate) fn new(database: Database) -> Self {
        Self {
            database,
            idle: Mutex::new(Vec::new()),
            threads: Threads::default(),
        }
    }

    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// A reader without a snapshot.
    pub(crate) fn take(&self) -> Result<Reader, SqlError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(reader) => Ok(reader),
            None => Ok(self.database.reader()?),
        }
    }

    /// Ends the reader's snapshot and keeps it.
    pub(crate) fn give_back(&self, mut reader: Reader) {
        if reader.end_snapshot().is_err() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(reader);
        }
    }

    /// Runs `work` where it may block. Not cancellation-safe: `work` goes on and its result is lost.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SqlError> {
        // The usual way to fail is that `work` panicked; its session goes on.
        self.threads.run(work).await.ok_or_else(|| {
            tracing::error!("a query ended without an answer");
            SqlError::unknown_error()
        })
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}
