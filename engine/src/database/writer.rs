//! `WriteConnection`: the one connection that changes rows, in groups of transactions.
//!
//! ```text
//! begin_group (savepoint | change | rollback_to | release)* (commit_group | rollback_group)
//! ```
//! A group is one SQLite transaction; the position it leads to is stored in the same one. A failed
//! statement leaves nothing behind; the catalogue follows every rollback. Readers see a group after
//! `commit_group` returned. What changes rows stands above: `crate::execute`.

use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::{
    Applied, Counters, EnginePosition, InterruptHandle, Mark, Shared, Store, applied, connection,
    prepared,
};
use crate::catalog::{Catalog, TableId};
use crate::error::EngineError;
use sql::error::SqlError;

/// A name for the savepoint of a statement that no savepoint of a client has.
const STATEMENT: &str = "weir_statement";

/// The connection that changes rows.
pub struct WriteConnection {
    connection: Connection,
    shared: Arc<Shared>,
    /// The catalogue as the open group sees it.
    catalog: Arc<Catalog>,
    counters: Counters,
    /// The counters before the first DDL statement of the open group.
    counters_before_ddl: Option<Counters>,
    is_in_group: bool,
    /// Tables whose rows the group may have changed.
    touched: HashSet<TableId>,
    /// Open savepoints, oldest first, with the catalogue at their start.
    savepoints: Vec<(String, Arc<Catalog>)>,
    /// Held, never looked at; dropped behind the connection.
    _taken: Taken,
}

impl WriteConnection {
    pub(super) fn open(shared: Arc<Shared>) -> Result<WriteConnection, EngineError> {
        if shared.is_writer_taken.swap(true, Ordering::AcqRel) {
            return Err(EngineError::Misuse {
                what: "there is another writer of this database",
            });
        }
        let taken = Taken(Arc::clone(&shared));
        let connection = connection::open(&shared.path, &shared.options)?;
        let mut counters = Counters::default();
        for (table, next) in Store::new(&connection).counters()? {
            counters.set(table, next);
        }
        counters.take_moved();
        let catalog = shared.catalog();
        Ok(WriteConnection {
            connection,
            shared,
            catalog,
            counters,
            counters_before_ddl: None,
            is_in_group: false,
            touched: HashSet::new(),
            savepoints: Vec::new(),
            _taken: taken,
        })
    }

    /// Whether the next [`WriteConnection::begin_group`] moves WAL frames into the file first. What is
    /// committed must survive a power loss by then, wherever else it is recorded.
    #[must_use]
    pub fn checkpoints_next(&self) -> bool {
        self.shared.needs_help_with_wal()
    }

    /// Begins a group.
    pub fn begin_group(&mut self) -> Result<(), EngineError> {
        if self.is_in_group {
            return Err(EngineError::Misuse {
                what: "begin_group within a group",
            });
        }
        if self.shared.needs_help_with_wal() {
            // No frame is added meanwhile, so all can be moved and the WAL starts again.
            let position = Store::new(&self.connection).position()?;
            self.shared.note_checkpoint(&position)?;
            let (frames, moved) = connection::checkpoint(&self.connection)?;
            let left = frames.saturating_sub(moved);
            self.shared.wal_frames.store(left, Ordering::Relaxed);
        }
        self.run("BEGIN IMMEDIATE", "begin a group")?;
        self.is_in_group = true;
        Ok(())
    }

    /// Whether a group is open.
    #[must_use]
    pub fn is_in_group(&self) -> bool {
        self.is_in_group
    }

    /// Whether SQLite has undone the open group itself, as it does on a full disk.
    #[must_use]
    pub fn is_group_lost(&self) -> bool {
        self.is_in_group && self.connection.is_autocommit()
    }

    /// Writes what the group has changed so far, so that its commit needs little more room on disk.
    pub fn flush_group(&self) -> Result<(), EngineError> {
        let failed = |source| EngineError::Sqlite {
            doing: "write the changes of a group",
            source,
        };
        self.connection.cache_flush().map_err(failed)
    }

    /// Commits the group together with the position it leads to, and shows it to readers.
    pub fn commit_group(&mut self, position: &EnginePosition) -> Result<(), EngineError> {
        Store::new(&self.connection).save_position(position)?;
        self.commit()
    }

    /// Commits the group together with what it applied from a replication channel.
    pub fn commit_applied(&mut self, channel: &str, mark: &Mark<'_>) -> Result<(), EngineError> {
        applied::advance(&self.connection, channel, mark)?;
        self.commit()
    }

    /// Commits `applied`, and the group, in the place of what was known of a replication channel.
    pub fn commit_replaced(&mut self, channel: &str, applied: &Applied) -> Result<(), EngineError> {
        applied::replace(&self.connection, channel, applied)?;
        self.commit()
    }

    /// Keeps piece `number` of what a replication source has prepared under `name`, in the open group; the
    /// first piece takes the place of all that was kept under it.
    pub fn keep_prepared(
        &mut self,
        channel: &str,
        name: &str,
        number: u32,
        piece: &[u8],
    ) -> Result<(), EngineError> {
        prepared::keep(&self.connection, channel, name, number, piece)
    }

    /// Piece `number` of it; `None` if there are not as many.
    pub fn kept_prepared(
        &self,
        channel: &str,
        name: &str,
        number: u32,
    ) -> Result<Option<Vec<u8>>, EngineError> {
        prepared::kept(&self.connection, channel, name, number)
    }

    /// Keeps nothing under `name` any more, once the open group is committed.
    pub fn forget_prepared(&mut self, channel: &str, name: &str) -> Result<(), EngineError> {
        prepared::forget(&self.connection, channel, name)
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        if !self.is_in_group {
            return Err(EngineError::Misuse {
                what: "commit without begin_group",
            });
        }
        let moved = self.counters.take_moved();
        let result = self
            .save_counters(&moved)
            .and_then(|()| self.run("COMMIT", "commit a group"));
        if let Err(error) = result {
            self.counters
                .mark_moved(moved.into_iter().map(|(table, _)| table));
            return Err(error);
        }
        self.is_in_group = false;
        self.counters_before_ddl = None;
        self.savepoints.clear();
        self.shared.note(self.touched.drain(), &self.catalog);
        self.shared.publish(&self.catalog);
        Ok(())
    }

    fn save_counters(&self, moved: &[(TableId, u64)]) -> Result<(), EngineError> {
        let store = Store::new(&self.connection);
        moved
            .iter()
            .try_for_each(|(table, next)| store.save_counter(*table, *next))
    }

    /// Makes what was committed survive a loss of power, for changes that no log has.
    pub fn sync(&self) -> Result<(), EngineError> {
        let mut wal = self.shared.path.clone().into_os_string();
        wal.push("-wal");
        let failed = |error: std::io::Error| EngineError::Corrupt {
            found: format!("its write-ahead log cannot be synchronised: {error}"),
        };
        match File::open(&wal) {
            Ok(file) => file.sync_all().map_err(failed)?,
            // Everything was checkpointed, and checkpoints synchronise.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        match self.shared.path.parent() {
            Some(directory) => File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(failed),
            None => Ok(()),
        }
    }

    /// Undoes the group.
    pub fn rollback_group(&mut self) -> Result<(), EngineError> {
        if !std::mem::take(&mut self.is_in_group) {
            return Ok(());
        }
        self.savepoints.clear();
        self.touched.clear();
        self.catalog = self.shared.catalog();
        if let Some(counters) = self.counters_before_ddl.take() {
            self.counters = counters;
        }
        // SQLite ends a transaction itself after some failures, such as a full disk.
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.run("ROLLBACK", "undo a group")
    }

    /// Sets a savepoint. Names may repeat; the newest of a name counts.
    pub fn savepoint(&mut self, name: &str) -> Result<(), EngineError> {
        self.run(&format!("SAVEPOINT {}", quoted(name)), "set a savepoint")?;
        self.savepoints
            .push((name.to_owned(), Arc::clone(&self.catalog)));
        Ok(())
    }

    /// Undoes everything since the newest savepoint of this name, which stays.
    pub fn rollback_to(&mut self, name: &str) -> Result<(), EngineError> {
        let position = self.find_savepoint(name)?;
        self.run(
            &format!("ROLLBACK TO {}", quoted(name)),
            "go back to a savepoint",
        )?;
        self.savepoints.truncate(position + 1);
        if let Some((_, catalog)) = self.savepoints.last() {
            self.catalog = Arc::clone(catalog);
        }
        Ok(())
    }

    /// Forgets the newest savepoint of this name and those after it, keeping their changes.
    pub fn release(&mut self, name: &str) -> Result<(), EngineError> {
        let position = self.find_savepoint(name)?;
        self.run(&format!("RELEASE {}", quoted(name)), "release a savepoint")?;
        self.savepoints.truncate(position);
        Ok(())
    }

    fn find_savepoint(&self, name: &str) -> Result<usize, EngineError> {
        let found = self
            .savepoints
            .iter()
            .rposition(|(known, _)| known.eq_ignore_ascii_case(name));
        found.ok_or_else(|| EngineError::Sql(SqlError::sp_does_not_exist("SAVEPOINT", name)))
    }

    /// The catalogue as the open group sees it.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The position of the last committed group, or of the open one.
    pub fn position(&self) -> Result<EnginePosition, EngineError> {
        Store::new(&self.connection).position()
    }

    /// A handle to stop the running statement from another thread.
    #[must_use]
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    /// The connection, for reading rows within the group.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn store(&self) -> Store<'_> {
        Store::new(&self.connection)
    }

    pub(crate) fn counters(&mut self) -> &mut Counters {
        &mut self.counters
    }

    /// The next AUTO_INCREMENT value of a table, as SHOW TABLE STATUS shows it.
    #[must_use]
    pub fn next_auto_increment(&self, table: TableId) -> u64 {
        self.counters.peek(table)
    }

    /// Makes `catalog` the one that the open group sees, with the next version.
    pub(crate) fn replace_catalog(&mut self, mut catalog: Catalog) -> Result<(), EngineError> {
        catalog.version = self.catalog.version + 1;
        self.store().set_catalog_version(catalog.version)?;
        self.catalog = Arc::new(catalog);
        Ok(())
    }

    /// Notes that the group may change rows of a table; what row operations on it work with.
    pub(crate) fn touch(&mut self, table: TableId) -> (&Connection, &mut Counters) {
        self.touched.insert(table);
        (&self.connection, &mut self.counters)
    }

    /// Begins a statement, whose changes are kept or undone as a whole.
    pub(crate) fn begin_statement(&mut self) -> Result<Arc<Catalog>, EngineError> {
        if !self.is_in_group {
            return Err(EngineError::Misuse {
                what: "a statement outside of a group",
            });
        }
        self.run(&format!("SAVEPOINT {STATEMENT}"), "begin a statement")?;
        Ok(Arc::clone(&self.catalog))
    }

    /// Keeps the changes of a statement, or undoes them and has the catalogue from its beginning
    /// again. SQLite may have undone the whole group meanwhile.
    pub(crate) fn end_statement(
        &mut self,
        begun: Arc<Catalog>,
        is_kept: bool,
    ) -> Result<(), EngineError> {
        if !is_kept {
            self.catalog = begun;
        }
        if self.connection.is_autocommit() {
            return Ok(());
        }
        if !is_kept {
            self.run(&format!("ROLLBACK TO {STATEMENT}"), "undo a statement")?;
        }
        self.run(&format!("RELEASE {STATEMENT}"), "end a statement")
    }

    /// Takes the counters of a DDL statement back.
    pub(crate) fn restore_counters(&mut self, counters: Counters) {
        self.counters = counters;
    }

    /// Keeps the counters from before the first DDL statement of the group, for its end.
    pub(crate) fn keep_counters(&mut self, counters: Counters) {
        self.counters_before_ddl.get_or_insert(counters);
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

/// The writer's place, given back when dropped.
struct Taken(Arc<Shared>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.is_writer_taken.store(false, Ordering::Release);
    }
}

/// A SQLite identifier that cannot be one of ours.
fn quoted(name: &str) -> String {
    format!("\"s_{}\"", name.replace('"', "\"\""))
}
