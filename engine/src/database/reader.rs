//! `Reader`: a connection that sees committed groups.
//!
//! Outside a snapshot each query sees the newest commit; within one, all queries see the same. The
//! catalogue that a query is bound to is that of its snapshot, never a newer one.

use std::sync::Arc;

use rusqlite::Connection;

use super::{EnginePosition, Shared, Store, TableSet, connection};
use crate::catalog::{Catalog, TableId};
use crate::error::EngineError;

/// Stops a query that runs on another thread; it then fails with error 1317.
pub type InterruptHandle = rusqlite::InterruptHandle;

/// A connection that reads.
pub struct Reader {
    connection: Connection,
    shared: Arc<Shared>,
    catalog: Arc<Catalog>,
    is_in_snapshot: bool,
    /// The last commit that the snapshot surely has.
    mark: u64,
}

impl Reader {
    pub(super) fn open(shared: Arc<Shared>) -> Result<Reader, EngineError> {
        let connection = connection::open_reader(&shared.path, &shared.options)?;
        let catalog = shared.catalog();
        Ok(Reader {
            connection,
            shared,
            catalog,
            is_in_snapshot: false,
            mark: 0,
        })
    }

    /// Begins a snapshot that lasts until [`Reader::end_snapshot`]; a snapshot that is open ends.
    pub fn begin_snapshot(&mut self) -> Result<(), EngineError> {
        self.end_snapshot()?;
        self.mark = self.shared.commits();
        self.begin()?;
        self.is_in_snapshot = true;
        Ok(())
    }

    /// Ends the snapshot, if there is one.
    pub fn end_snapshot(&mut self) -> Result<(), EngineError> {
        if std::mem::take(&mut self.is_in_snapshot) {
            self.end()?;
        }
        Ok(())
    }

    /// The tables that were changed since the snapshot began.
    #[must_use]
    pub fn changed_since(&self) -> TableSet {
        self.shared.changed_since(self.mark)
    }

    /// Whether a snapshot is open.
    #[must_use]
    pub fn is_in_snapshot(&self) -> bool {
        self.is_in_snapshot
    }

    /// Runs `read` on one moment of the database: the open snapshot, or the newest commit.
    pub fn read<T, E: From<EngineError>>(
        &mut self,
        read: impl FnOnce(&Connection, &Arc<Catalog>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_in_snapshot {
            return read(&self.connection, &self.catalog);
        }
        self.begin()?;
        let result = read(&self.connection, &self.catalog);
        self.end()?;
        result
    }

    /// The position in the own log that the rows of the snapshot stand for.
    pub fn position(&mut self) -> Result<EnginePosition, EngineError> {
        self.read(|connection, _| Store::new(connection).position())
    }

    /// The next value of a table's AUTO_INCREMENT counter, as committed.
    pub fn next_auto_increment(&mut self, table: TableId) -> Result<u64, EngineError> {
        self.read(|connection, _| {
            let counters = Store::new(connection).counters()?;
            let own = counters.into_iter().find(|(id, _)| *id == table);
            Ok(own.map_or(1, |(_, next)| next))
        })
    }

    /// A handle to stop this reader's queries from another thread.
    #[must_use]
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    fn begin(&mut self) -> Result<(), EngineError> {
        self.leave()?;
        self.run("BEGIN", "begin reading")?;
        // The version is the snapshot's first read, which fixes the snapshot.
        let version = Store::new(&self.connection).catalog_version()?;
        if version != self.catalog.version {
            let published = self.shared.catalog();
            self.catalog = match published.version == version {
                true => published,
                false => Arc::new(Store::new(&self.connection).load()?),
            };
        }
        Ok(())
    }

    fn end(&self) -> Result<(), EngineError> {
        self.run("COMMIT", "end reading")
    }

    /// Leaves a moment whose end failed, for example because it was interrupted: a reader goes from
    /// session to session and must not keep one's failure for the next.
    fn leave(&self) -> Result<(), EngineError> {
        match self.connection.is_autocommit() {
            true => Ok(()),
            false => self.run("ROLLBACK", "end reading"),
        }
    }

    fn run(&self, sql: &str, doing: &'static str) -> Result<(), EngineError> {
        let failed = |source| EngineError::Sqlite { doing, source };
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map_err(failed)?;
        Ok(())
    }
}
