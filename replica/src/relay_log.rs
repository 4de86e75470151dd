//! The relay log: what was received, on disk, until it is applied.
//!
//! Events are the source's bytes, untouched. The replica's own are the head of each file, rotates
//! between files, and the artificial rotate that says which file of the source follows. Readers see
//! sealed transactions only: [`RelayLog::end`] never points into one, and a transaction that the
//! stream broke off is cut off again. Every file's events carry the checksum that its own format
//! description announces, because a source whose checksum differs gets a new file.
//!
//! Invariants: `synced <= sealed <= written`, and the files from the applier's on are kept.
//!
//! Format: MySQL 8.4 Reference Manual 19.2.4.1, "The Relay Log"; layout as mysqld's files show it.

mod head;
mod recovery;
mod waiting;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use binlog::event::ChecksumAlgorithm;
use binlog::log::{
    FileGuards, LogCursor, LogError, LogFileName, LogPosition, LogWriter, ReadOptions,
    SourceCoordinates, Storage,
};
use binlog::transaction::{Executed, TransactionGtid};
use tokio::sync::watch;

pub use head::artificial_rotate;
use head::gtid_list;
pub use recovery::RelayLogOptions;
use waiting::Waiting;

/// Totals over what the relay log holds beyond the applier; for lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Transactions sealed since the relay log was opened or made.
    pub transactions_received: u64,
    /// Bytes of events sealed since then.
    pub bytes_received: u64,
}

/// What readers wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayEnd {
    /// End of the last sealed transaction.
    pub position: LogPosition,
    /// What it took to get there.
    pub backlog: Backlog,
    /// Counts the times the log was thrown away: positions of an earlier epoch mean nothing.
    pub epoch: u64,
}

/// The relay log of one channel. Shared by its receiver, its applier and those who ask for status.
#[derive(Debug)]
pub struct RelayLog {
    /// Held for a write, a sync or a purge; never across an await.
    inner: Mutex<Inner>,
    end: watch::Sender<RelayEnd>,
    /// Up to where the applier is, as [`RelayLog::purge`] was told.
    applied: watch::Sender<Option<LogPosition>>,
    guards: FileGuards,
    options: RelayLogOptions,
    storage: Arc<dyn Storage>,
}

#[derive(Debug)]
struct Inner {
    writer: LogWriter,
    /// The sealed transactions in the files and those purged from them.
    retrieved: Executed,
    /// Whether the file does not say yet which of MariaDB's transactions earlier files hold.
    lacks_gtid_list: bool,
    /// Where the source's next event comes from, once the source said so.
    source: Option<SourceCoordinates>,
    /// The source's format description as it sent it, repeated at the head of each file.
    description: Option<Vec<u8>>,
    /// Transactions sealed since the last sync.
    unsynced: u32,
    /// Sizes of the finished files, oldest first; for the space limit.
    finished: VecDeque<(LogFileName, u64)>,
    bytes_in_transaction: u64,
    /// The oldest transactions that are not applied.
    waiting: Waiting,
}

/// A whole event from the source and what it means for the log.
#[derive(Debug)]
pub struct Relayed<'a> {
    /// The event's bytes, checksum included.
    pub bytes: &'a [u8],
    /// What follows it.
    pub then: Then,
    /// Where the source's next event begins.
    pub source: &'a SourceCoordinates,
    /// When its transaction was committed on the source, µs since 1970, if that is known.
    pub commit_micros: Option<u64>,
}

/// Whether a transaction goes on behind an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// It does.
    Continue,
    /// It ended; its identifier.
    Seal(TransactionGtid),
    /// The event belongs to no transaction.
    Between,
}

impl RelayLog {
    /// Opens the relay log, cutting a torn tail back to the last whole transaction. `now` is in
    /// seconds since 1970.
    ///
    /// # Errors
    /// When files are damaged elsewhere than at the tail, or the file system refuses.
    pub fn open(
        storage: Arc<dyn Storage>,
        options: RelayLogOptions,
        now: u32,
    ) -> Result<Self, LogError> {
        let opened = recovery::open(&storage, &options, now)?;
        let mut inner = Inner {
            writer: opened.writer,
            retrieved: opened.retrieved,
            lacks_gtid_list: true,
            source: opened.source,
            description: None,
            unsynced: 0,
            finished: opened.finished,
            bytes_in_transaction: 0,
            waiting: Waiting::default(),
        };
        inner.put_gtid_list(now)?;
        let end = RelayEnd {
            position: inner.writer.end(),
            backlog: Backlog::default(),
            epoch: 0,
        };
        Ok(Self {
            inner: Mutex::new(inner),
            end: watch::Sender::new(end),
            applied: watch::Sender::new(None),
            guards: FileGuards::new(),
            options,
            storage,
        })
    }

    /// Announces each new end to who waits for it.
    #[must_use]
    pub fn end(&self) -> watch::Receiver<RelayEnd> {
        self.end.subscribe()
    }

    /// Every transaction that was received whole; of MariaDB's the last one of each domain.
    #[must_use]
    pub fn retrieved(&self) -> Executed {
        self.lock().retrieved.clone()
    }

    /// Where the source's event behind the last sealed transaction begins, if it is known.
    #[must_use]
    pub fn source_coordinates(&self) -> Option<SourceCoordinates> {
        self.lock().source.clone()
    }

    /// The first file, from which an applier without a position starts.
    #[must_use]
    pub fn start(&self) -> LogPosition {
        let inner = self.lock();
        let first = inner
            .writer
            .index()
            .first()
            .unwrap_or(inner.writer.active());
        LogPosition::new(first.clone(), binlog::log::FIRST_EVENT)
    }

    /// Whether `position` lies in the log: in one of its files, at or before the end that this file
    /// has. What a crash cut off a file is not in the log, even if later files are.
    #[must_use]
    pub fn contains(&self, position: &LogPosition) -> bool {
        let inner = self.lock();
        inner
            .len(&position.file)
            .is_some_and(|len| (binlog::log::FIRST_EVENT..=len).contains(&position.offset))
    }

    /// A reader from `position`, whose files are kept as long as it needs them. It gives large
    /// payload events in pieces.
    ///
    /// # Errors
    /// When the file is not part of the log or cannot be read.
    pub fn cursor(&self, position: &LogPosition) -> Result<LogCursor, LogError> {
        let storage = Arc::clone(&self.storage);
        let (index, guards) = (&self.options.index, Some(&self.guards));
        LogCursor::open_with(storage, index, position, guards, ReadOptions::default())
    }

    /// Bytes of all files: `Relay_Log_Space`.
    #[must_use]
    pub fn space(&self) -> u64 {
        let inner = self.lock();
        let finished: u64 = inner.finished.iter().map(|(_, size)| size).sum();
        finished.saturating_add(inner.writer.next_offset())
    }

    /// Bytes from `position` to the end of the last sealed transaction; 0 for a position that is
    /// not in the log.
    #[must_use]
    pub fn bytes_behind(&self, position: &LogPosition) -> u64 {
        let inner = self.lock();
        let end = inner.writer.end();
        if end.file == position.file {
            return end.offset.saturating_sub(position.offset);
        }
        let later = inner
            .finished
            .iter()
            .filter(|(file, _)| *file >= position.file);
        let before_end: u64 = later.map(|(_, size)| size).sum();
        before_end
            .saturating_add(end.offset)
            .saturating_sub(position.offset)
    }

    /// When the oldest transaction behind `applied` was committed on the source, µs since 1970.
    /// `None`: there is none, or it is not known.
    #[must_use]
    pub fn oldest_waiting(&self, applied: &LogPosition) -> Option<u64> {
        self.lock().waiting.oldest(applied)
    }

    /// Whether the log has reached its size limit. Where applied files are kept, only what is not
    /// applied counts: waiting would not make the rest smaller.
    // Differs from MySQL: there the receiver goes on alone once all is applied.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let limit = self.options.space_limit;
        if limit == 0 {
            return false;
        }
        // Copied, so that nothing is held while the log is locked.
        let applied = self.applied.borrow().clone();
        let held = match applied {
            Some(applied) if !self.options.purge => self.bytes_behind(&applied),
            _ => self.space(),
        };
        held >= limit
    }

    /// Where a stream begins: at its start, and at each file of the source. `artificial_rotate`
    /// and `description` are the source's events.
    ///
    /// # Errors
    /// When the file system refuses. The log then holds whole transactions only, as before.
    pub fn begin_source_file(
        &self,
        artificial_rotate: &[u8],
        description: &[u8],
        source: &SourceCoordinates,
        checksum: ChecksumAlgorithm,
        now: u32,
    ) -> Result<(), LogError> {
        let mut inner = self.lock();
        inner.writer.abandon()?;
        inner.bytes_in_transaction = 0;
        if inner.writer.options().checksum != checksum {
            inner.writer.set_checksum(checksum);
            inner.rotate(now)?;
        }
        inner.put_gtid_list(now)?;
        inner.writer.append(artificial_rotate)?;
        inner.writer.append(description)?;
        inner.description = Some(description.to_vec());
        inner.source = Some(source.clone());
        self.announce(&inner, 0);
        Ok(())
    }

    /// Stores an event. When it ends a transaction, the transaction becomes visible to readers,
    /// durable as `sync_relay_log` says, and the file is changed when it is full.
    ///
    /// # Errors
    /// When the file system refuses. With [`LogError::NoSpace`] the unfinished transaction is gone
    /// from the log and the stream has to be begun again.
    pub fn store(&self, event: &Relayed<'_>, now: u32) -> Result<(), LogError> {
        let mut inner = self.lock();
        let is_inside = inner.bytes_in_transaction != 0;
        inner.put_gtid_list(now)?;
        inner.writer.write(event.bytes)?;
        let len = event.bytes.len() as u64;
        inner.bytes_in_transaction = inner.bytes_in_transaction.saturating_add(len);
        let transactions = match &event.then {
            Then::Continue => return Ok(()),
            // It ends nothing: what is open in front of it stays invisible.
            Then::Between if is_inside => return Ok(()),
            Then::Between => 0,
            Then::Seal(gtid) => {
                inner.retrieved.add(*gtid);
                1
            }
        };
        inner.writer.seal();
        if transactions != 0 {
            let end = inner.writer.end();
            inner.waiting.push(end, event.commit_micros);
        }
        inner.source = Some(event.source.clone());
        inner.unsynced = inner.unsynced.saturating_add(1);
        if self.options.sync_every != 0 && inner.unsynced >= self.options.sync_every {
            inner.writer.sync()?;
            inner.unsynced = 0;
        }
        self.announce(&inner, transactions);
        inner.bytes_in_transaction = 0;
        if inner.writer.wants_rotation() {
            self.rotate_locked(&mut inner, now)?;
        }
        Ok(())
    }

    /// Moves the source's coordinates over a stretch that held nothing for this replica. The applier
    /// learns it by an artificial rotate, as from MySQL's relay logs.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn skip_to(&self, source: &SourceCoordinates) -> Result<(), LogError> {
        let mut inner = self.lock();
        if inner.bytes_in_transaction != 0 || inner.source.as_ref() == Some(source) {
            return Ok(());
        }
        let rotate = artificial_rotate(source, inner.writer.options().checksum);
        inner.writer.append(&rotate)?;
        inner.source = Some(source.clone());
        self.announce(&inner, 0);
        Ok(())
    }

    /// Cuts off a transaction that the stream broke off.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn abandon(&self) -> Result<(), LogError> {
        let mut inner = self.lock();
        inner.bytes_in_transaction = 0;
        inner.writer.abandon()
    }

    /// Makes everything sealed durable.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn sync(&self) -> Result<(), LogError> {
        let mut inner = self.lock();
        inner.unsynced = 0;
        inner.writer.sync()
    }

    /// Goes on in a new file: FLUSH RELAY LOGS, and when the log is full but applied.
    ///
    /// # Errors
    /// When the file system refuses, or inside a transaction.
    pub fn rotate(&self, now: u32) -> Result<(), LogError> {
        let mut inner = self.lock();
        if inner.bytes_in_transaction == 0 {
            self.rotate_locked(&mut inner, now)?;
        }
        Ok(())
    }

    /// Whether [`RelayLog::purge`] would remove files: `applied` must be durable in the target first,
    /// for a power loss may take the target back to a place in them.
    #[must_use]
    pub fn wants_purge(&self, applied: &LogPosition) -> bool {
        let inner = self.lock();
        let oldest = inner.writer.index().first();
        self.options.purge && oldest.is_some_and(|oldest| *oldest < applied.file)
    }

    /// Takes note that everything in front of `applied` is applied, durably if files in front of it
    /// are to go; removes those that nobody reads, if `relay_log_purge` says so.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn purge(&self, applied: &LogPosition) -> Result<(), LogError> {
        let removed = self.remove_before(applied);
        self.applied.send_replace(Some(applied.clone()));
        removed
    }

    fn remove_before(&self, applied: &LogPosition) -> Result<(), LogError> {
        if !self.options.purge {
            return Ok(());
        }
        let mut inner = self.lock();
        let first = match self.guards.oldest() {
            Some(held) => held.min(applied.file.clone()),
            None => applied.file.clone(),
        };
        if inner
            .writer
            .index()
            .first()
            .is_some_and(|oldest| *oldest < first)
        {
            inner.writer.purge_before(&first)?;
            inner.finished.retain(|(file, _)| *file >= first);
        }
        Ok(())
    }

    /// Waits until the log is below its size limit, or until everything in it is applied: then the
    /// limit cannot be kept by waiting, and the log goes on in a new file so that the applier can
    /// let go of the old one. Cancellation-safe.
    ///
    /// # Errors
    /// When the file system refuses.
    pub async fn make_room(&self, now: u32) -> Result<(), LogError> {
        let mut applied = self.applied.subscribe();
        while self.is_full() {
            let end = self.end.borrow().position.clone();
            let has_caught_up = applied.borrow_and_update().as_ref() == Some(&end);
            if has_caught_up {
                return self.rotate(now);
            }
            if applied.changed().await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Throws everything away: RESET REPLICA, and CHANGE REPLICATION SOURCE to another place.
    /// `retrieved` is what counts as received afterwards.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn reset(&self, retrieved: Executed, now: u32) -> Result<(), LogError> {
        let mut inner = self.lock();
        inner.writer.abandon()?;
        inner.bytes_in_transaction = 0;
        inner.source = None;
        inner.description = None;
        inner.retrieved = retrieved;
        inner.rotate(now)?;
        let first = inner.writer.active().clone();
        inner.writer.purge_before(&first)?;
        inner.finished.clear();
        inner.waiting = Waiting::default();
        self.applied.send_replace(None);
        let position = inner.writer.end();
        self.end.send_modify(|end| {
            let epoch = end.epoch.saturating_add(1);
            *end = RelayEnd {
                position,
                backlog: Backlog::default(),
                epoch,
            };
        });
        Ok(())
    }

    /// Ends the log cleanly. The log takes nothing afterwards.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn close(self, now: u32) -> Result<(), LogError> {
        let inner = self
            .inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        inner.writer.close(now).map(drop)
    }

    fn rotate_locked(&self, inner: &mut Inner, now: u32) -> Result<(), LogError> {
        inner.rotate(now)?;
        if let (Some(source), Some(description)) = (&inner.source, &inner.description) {
            let checksum = inner.writer.options().checksum;
            let rotate = artificial_rotate(source, checksum);
            inner.writer.append(&rotate)?;
            inner.writer.append(description)?;
        }
        self.announce(inner, 0);
        Ok(())
    }

    fn announce(&self, inner: &Inner, transactions: u64) {
        let position = inner.writer.end();
        let bytes = inner.bytes_in_transaction;
        self.end.send_modify(|end| {
            end.position = position;
            let backlog = &mut end.backlog;
            backlog.transactions_received =
                backlog.transactions_received.saturating_add(transactions);
            backlog.bytes_received = backlog.bytes_received.saturating_add(bytes);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Bytes of a file, up to the last sealed transaction of the one that is written; `None` when
    /// it is not part of the log.
    fn len(&self, file: &LogFileName) -> Option<u64> {
        let end = self.writer.end();
        if *file == end.file {
            return Some(end.offset);
        }
        let mut finished = self.finished.iter();
        let found = finished.find(|(name, _)| name == file);
        found.map(|(_, len)| *len)
    }

    fn rotate(&mut self, now: u32) -> Result<(), LogError> {
        let full = (self.writer.active().clone(), self.writer.next_offset());
        self.writer.rotate(&self.retrieved.mysql, now)?;
        self.unsynced = 0;
        self.finished.push_back(full);
        self.lacks_gtid_list = true;
        self.put_gtid_list(now)
    }

    /// Says at the beginning of a file which of MariaDB's transactions earlier files hold. Nothing of
    /// the source comes in front of it.
    fn put_gtid_list(&mut self, now: u32) -> Result<(), LogError> {
        if !self.lacks_gtid_list {
            return Ok(());
        }
        if !self.retrieved.mariadb.is_empty() {
            let options = self.writer.options();
            let start = self.writer.next_offset();
            let list = gtid_list(&self.retrieved.mariadb, options, start, now);
            self.writer.append(&list)?;
        }
        self.lacks_gtid_list = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
