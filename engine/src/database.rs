//! `Database`: the engine's one SQLite file, and who may read and write it.
//!
//! The file holds the rows, the catalogue that gives them meaning and the position in the log that
//! they stand for; the three change together. Durability is the log's: SQLite runs in WAL mode with
//! synchronous=NORMAL, so a commit costs no sync, the file is never torn, and after a power loss it
//! may be older than the log but is a moment of it. Checkpoints are asked for by the owner.

mod applied;
mod changes;
mod connection;
mod counter;
mod page_sums;
mod prepared;
mod reader;
mod rewind;
mod schema;
mod settled;
mod store;
mod writer;

pub use applied::{Applied, Mark};
use changes::Changes;
pub use changes::TableSet;
pub use connection::SQLITE_VERSION_NEEDED;
pub use counter::Counters;
pub use reader::{InterruptHandle, Reader};
pub use rewind::rewind;
pub use writer::WriteConnection;

use page_sums::PageSums;
use settled::Settled;
pub(crate) use store::Store;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use rusqlite::Connection;

use crate::catalog::{Catalog, Table, TableId};
use crate::error::EngineError;

/// WAL frames of 4096 bytes from which the writer helps the checkpoint thread: 64 MiB.
const WAL_FRAMES_HELP: u64 = 16 * 1024;

/// How the file is opened.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// SQLite's page cache of the writer, in KiB. Each reader has an eighth of it.
    pub cache_kib: u32,
    /// Prepared statements that the writer keeps; each table in use needs about five.
    pub statements_max: usize,
}

impl Default for EngineOptions {
    fn default() -> EngineOptions {
        EngineOptions {
            cache_kib: 32 * 1024,
            statements_max: 512,
        }
    }
}

/// What part of the log the rows stand for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnginePosition {
    /// Name of the log file, empty before the first group.
    pub file: String,
    /// Offset in bytes behind the last transaction of the group.
    pub offset: u64,
    /// Every GTID whose changes are in the file, in MySQL's text form.
    pub gtid_executed: String,
}

/// The result of moving WAL frames into the database file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Frames in the WAL.
    pub frames: u64,
    /// Frames that are in the database file now.
    pub moved: u64,
    /// The newest position that is certain to survive a power loss, if all its frames were moved.
    pub durable: Option<EnginePosition>,
}

/// The engine's database. Clones share it.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

/// What the connections of one database share.
pub(crate) struct Shared {
    path: PathBuf,
    options: EngineOptions,
    /// The catalogue as of the last commit. Written by the writer after COMMIT, read by readers.
    catalog: RwLock<Arc<Catalog>>,
    is_writer_taken: AtomicBool,
    /// Written by the writer after COMMIT.
    changes: RwLock<Changes>,
    /// Frames in the WAL when last looked at. Written by checkpoints, read by the writer.
    wal_frames: AtomicU64,
    /// The connection that runs checkpoints; one at a time.
    checkpointer: Mutex<Connection>,
    /// A connection that keeps checkpoints from going further than a moment. Taken before
    /// `checkpointer`.
    pin: Mutex<Connection>,
    /// Noted before frames are moved. Taken behind `pin`.
    sums: Mutex<PageSums>,
    /// Noted before frames are moved. Taken behind `pin`.
    settled: Mutex<Settled>,
}

impl Database {
    /// Opens the database file, making a new one if there is none.
    pub fn open(path: &Path, options: EngineOptions) -> Result<Database, EngineError> {
        connection::check_version()?;
        let mut first = connection::open(path, &options)?;
        schema::prepare(&mut first)?;
        let catalog = Store::new(&first).load()?;
        let pin = connection::open_reader(path, &options)?;
        let sums = PageSums::open(path).map_err(|source| EngineError::Io {
            doing: "opening the sums of the engine's pages",
            source,
        })?;
        let settled = Settled::open(path).map_err(|source| EngineError::Io {
            doing: "opening the note of the last checkpoint",
            source,
        })?;
        Ok(Database {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                options,
                catalog: RwLock::new(Arc::new(catalog)),
                is_writer_taken: AtomicBool::new(false),
                changes: RwLock::default(),
                wal_frames: AtomicU64::new(0),
                checkpointer: Mutex::new(first),
                pin: Mutex::new(pin),
                sums: Mutex::new(sums),
                settled: Mutex::new(settled),
            }),
        })
    }

    /// The catalogue as of the last commit.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog()
    }

    /// A connection that reads.
    pub fn reader(&self) -> Result<Reader, EngineError> {
        Reader::open(Arc::clone(&self.shared))
    }

    /// The connection that writes. Error `Misuse` while another one exists.
    pub fn write_connection(&self) -> Result<WriteConnection, EngineError> {
        WriteConnection::open(Arc::clone(&self.shared))
    }

    /// The position that the committed rows stand for.
    pub fn position(&self) -> Result<EnginePosition, EngineError> {
        let connection = self
            .shared
            .checkpointer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Store::new(&connection).position()
    }

    /// Moves committed frames from the WAL into the database file and syncs it, as far as readers
    /// allow; waits for no one. Call it from a thread of its own, every few hundred milliseconds.
    pub fn checkpoint(&self) -> Result<Checkpoint, EngineError> {
        self.checkpoint_after(|_| Ok(()))
    }

    /// As [`Database::checkpoint`], after `settle` has made durable elsewhere what stands in front
    /// of the position it is given; no younger frame is moved. When it fails, none is.
    pub fn checkpoint_after<E: From<EngineError>>(
        &self,
        settle: impl FnOnce(&EnginePosition) -> Result<(), E>,
    ) -> Result<Checkpoint, E> {
        let pin = self.shared.pin.lock();
        let pin = pin.unwrap_or_else(PoisonError::into_inner);
        let run = |sql: &str| {
            pin.execute_batch(sql)
                .map_err(|source| EngineError::Sqlite {
                    doing: "hold a checkpoint back",
                    source,
                })
        };
        run("BEGIN")?;
        // SQLite moves no frame that is younger than what an open snapshot sees.
        let result = Store::new(&pin)
            .position()
            .map_err(E::from)
            .and_then(|position| settle(&position).map(|()| position))
            .and_then(|position| self.move_frames(position).map_err(E::from));
        run("COMMIT").or_else(|_| run("ROLLBACK"))?;
        result
    }

    fn move_frames(&self, position: EnginePosition) -> Result<Checkpoint, EngineError> {
        self.shared.note_checkpoint(&position)?;
        let connection = self.shared.checkpointer.lock();
        let connection = connection.unwrap_or_else(PoisonError::into_inner);
        let (frames, moved) = connection::checkpoint(&connection)?;
        self.shared.wal_frames.store(frames, Ordering::Relaxed);
        let durable = (frames == moved).then_some(position);
        Ok(Checkpoint {
            frames,
            moved,
            durable,
        })
    }

    /// What is committed of applying from the source of a replication channel; `None` if nothing is
    /// known of the channel.
    pub fn applied(&self, channel: &str) -> Result<Option<Applied>, EngineError> {
        let mut reader = self.reader()?;
        reader.read(|connection, _| applied::read(connection, channel))
    }

    /// What contradicts itself in a table: its tree, and what its indexes say of its rows.
    pub fn contradictions(&self, table: &Table) -> Result<Vec<String>, EngineError> {
        let connection = connection::open_reader(&self.shared.path, &self.shared.options)?;
        let sql = format!("PRAGMA integrity_check({})", table.sqlite_name());
        let found = connection.prepare(&sql).and_then(|mut statement| {
            let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
            lines.collect::<Result<Vec<_>, _>>()
        });
        Ok(match found {
            Ok(lines) => lines.into_iter().filter(|line| line != "ok").collect(),
            Err(error) => vec![error.to_string()],
        })
    }

    /// The numbers of those pages of the file that are not as they were written. Reads the whole
    /// file; nothing is checkpointed meanwhile.
    pub fn damaged_pages(&self) -> Result<Vec<u64>, EngineError> {
        let _pin = self.shared.pin.lock();
        let mut sums = self.shared.sums();
        sums.damaged().map_err(|source| EngineError::Io {
            doing: "checking the engine's pages",
            source,
        })
    }
}

impl Shared {
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a commit that changed rows of `tables` and led to `catalog`.
    pub(crate) fn note(&self, tables: impl Iterator<Item = TableId>, catalog: &Catalog) {
        let is_schema = self.catalog().version != catalog.version;
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        changes.note(tables, is_schema);
    }

    /// Number of the last commit.
    pub(crate) fn commits(&self) -> u64 {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        changes.commits
    }

    /// The tables that were changed after the commit `mark`.
    pub(crate) fn changed_since(&self, mark: u64) -> TableSet {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        changes.since(mark)
    }

    pub(crate) fn publish(&self, catalog: &Arc<Catalog>) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(catalog);
    }

    fn sums(&self) -> MutexGuard<'_, PageSums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes durable what must be known of the frames up to `position` before they are moved: where
    /// they end, and the sums of their pages.
    fn note_checkpoint(&self, position: &EnginePosition) -> Result<(), EngineError> {
        let settled = self.settled.lock();
        let mut settled = settled.unwrap_or_else(PoisonError::into_inner);
        let noted = settled.note(position);
        drop(settled);
        noted.map_err(|source| EngineError::Io {
            doing: "noting a checkpoint",
            source,
        })?;
        self.sums().note().map_err(|source| EngineError::Io {
            doing: "noting the sums of the engine's pages",
            source,
        })
    }

    fn needs_help_with_wal(&self) -> bool {
        self.wal_frames.load(Ordering::Relaxed) > WAL_FRAMES_HELP
    }
}

#[cfg(test)]
mod tests;
