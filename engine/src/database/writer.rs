//! `Writer`: the one connection that changes rows, in groups of transactions.
//!
//! ```text
//! begin_group (savepoint | execute | rollback_to | release)* (commit_group | rollback_group)
//! ```
//! A group is one SQLite transaction; the position it leads to is stored in the same one. A failed
//! statement leaves nothing behind; the catalogue follows every rollback. Readers see a group after
//! `commit_group` returned.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use binlog::row::TableMap;
use binlog::value::Value;
use rusqlite::Connection;

use super::{Applied, EnginePosition, InterruptHandle, Shared, Store, connection};
use crate::apply::Applier;
use crate::catalog::{Catalog, Table, TableId};
use crate::ddl;
use crate::error::EngineError;
use crate::outcome::Outcome;
use crate::rows::{Counters, RowChange, RowWriter, TablePlan};
use crate::session::SessionContext;
use sql::Statement;
use sql::ast::{Ddl, Query};
use sql::error::SqlError;

/// Table maps for which a writer keeps plans.
const APPLIERS_MAX: usize = 1024;

/// The connection that changes rows.
pub struct Writer {
    connection: Connection,
    shared: Arc<Shared>,
    /// The catalogue as the open group sees it.
    catalog: Arc<Catalog>,
    plans: HashMap<TableId, (Arc<Table>, Arc<TablePlan>)>,
    counters: Counters,
    /// The counters before the first DDL statement of the open group.
    counters_before_ddl: Option<Counters>,
    /// What applying logged rows needs, by the log's table id.
    appliers: HashMap<u64, Applier>,
    is_in_group: bool,
    /// Tables whose rows the group may have changed.
    touched: HashSet<TableId>,
    /// Open savepoints, oldest first, with the catalogue at their start.
    savepoints: Vec<(String, Arc<Catalog>)>,
    /// Held, never looked at; dropped behind the connection.
    _taken: Taken,
}

impl Writer {
    pub(super) fn open(shared: Arc<Shared>) -> Result<Writer, EngineError> {
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
        Ok(Writer {
            connection,
            shared,
            catalog,
            plans: HashMap::new(),
            counters,
            counters_before_ddl: None,
            appliers: HashMap::new(),
            is_in_group: false,
            touched: HashSet::new(),
            savepoints: Vec::new(),
            _taken: taken,
        })
    }

    /// Whether the next [`Writer::begin_group`] moves WAL frames into the file first. What is
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

    /// Commits the group together with the position it leads to, and shows it to readers.
    pub fn commit_group(&mut self, position: &EnginePosition) -> Result<(), EngineError> {
        Store::new(&self.connection).save_position(position)?;
        self.commit()
    }

    /// Commits the group together with what it applied from a replication channel.
    pub fn commit_applied(&mut self, channel: &str, applied: &Applied) -> Result<(), EngineError> {
        Store::new(&self.connection).save_applied(channel, applied)?;
        self.commit()
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

    /// Executes a statement that may write, and appends the rows it changed. A statement that fails
    /// changes nothing and appends nothing. Error 1235 for statements that are not the engine's.
    pub fn execute(
        &mut self,
        statement: &Statement,
        parameters: &[Value<'_>],
        session: &mut SessionContext,
        changes: &mut Vec<RowChange>,
    ) -> Result<Outcome, SqlError> {
        if !self.is_in_group {
            return Err(EngineError::Misuse {
                what: "execute needs begin_group",
            }
            .into());
        }
        let mark = changes.len();
        let catalog = Arc::clone(&self.catalog);
        self.run("SAVEPOINT weir_statement", "begin a statement")?;
        session.may_wait = false;
        let result = sql::with_stack(|| match statement {
            Statement::Ddl(ddl) => self.execute_ddl(ddl, session),
            Statement::Write(write) => {
                crate::dml::execute(self, write, parameters, session, changes)
            }
            Statement::Query(Query::Select(query)) => {
                crate::dml::select(self, query, parameters, session)
            }
            Statement::Query(
                Query::Do(_) | Query::Show(_) | Query::Describe { .. } | Query::Explain { .. },
            )
            | Statement::Empty
            | Statement::Transaction(_)
            | Statement::Account(_)
            | Statement::Replication(_)
            | Statement::Admin(_)
            | Statement::Prepared(_)
            | Statement::NotSupported { .. } => Err(SqlError::not_supported("this statement")),
        });
        session.may_wait = true;
        if result.is_err() {
            changes.truncate(mark);
            self.catalog = catalog;
            if !self.connection.is_autocommit() {
                self.run("ROLLBACK TO weir_statement", "undo a statement")?;
            }
        }
        if !self.connection.is_autocommit() {
            self.run("RELEASE weir_statement", "end a statement")?;
        }
        result
    }

    /// DDL, which alone may begin counters anew: a failure puts them back.
    fn execute_ddl(
        &mut self,
        statement: &Ddl,
        session: &mut SessionContext,
    ) -> Result<Outcome, SqlError> {
        let counters = self.counters.clone();
        let result = ddl::execute(self, statement, session);
        if result.is_err() {
            self.counters = counters;
        } else {
            self.counters_before_ddl.get_or_insert(counters);
        }
        result
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

    /// What was applied from a replication channel; `None` if nothing ever was.
    pub fn applied(&self, channel: &str) -> Result<Option<Applied>, EngineError> {
        Store::new(&self.connection).applied(channel)
    }

    /// Forgets what was applied from a replication channel.
    pub fn forget_applied(&mut self, channel: &str) -> Result<(), EngineError> {
        Store::new(&self.connection).delete_applied(channel)
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

    /// Row operations on a table of this writer's catalogue.
    pub fn rows(&mut self, table: &Arc<Table>) -> Result<RowWriter<'_>, EngineError> {
        self.touched.insert(table.id);
        let known = self
            .plans
            .get(&table.id)
            .filter(|(known, _)| Arc::ptr_eq(known, table));
        let plan = match known {
            Some((_, plan)) => Arc::clone(plan),
            None => {
                let plan = Arc::new(TablePlan::new(table)?);
                self.plans
                    .insert(table.id, (Arc::clone(table), Arc::clone(&plan)));
                plan
            }
        };
        Ok(RowWriter {
            connection: &self.connection,
            table: Arc::clone(table),
            plan,
            counters: &mut self.counters,
        })
    }

    /// What is kept for the rows of `map`, if it still fits; to be given back.
    pub(crate) fn take_applier(&mut self, database: &str, map: &TableMap<'_>) -> Option<Applier> {
        let applier = self.appliers.remove(&map.table_id)?;
        applier.fits(self, database, map).then_some(applier)
    }

    /// Keeps what the rows of a table map needed.
    pub(crate) fn put_applier(&mut self, table_id: u64, applier: Applier) {
        if self.appliers.len() >= APPLIERS_MAX {
            self.appliers.clear();
        }
        self.appliers.insert(table_id, applier);
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
