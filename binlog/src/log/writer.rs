//! Appending to the log: one open file, whole units, rotation, a clean end.
//!
//! A unit is what a reader must see whole: a transaction or a group of them. Bytes are written as
//! they come and become part of the log by [`LogWriter::seal`]; until then they can be cut off
//! again. Nothing is ever read back to learn what was written.
//!
//! After a write or sync failed for any reason but a full disk nobody knows what the disk holds:
//! the writer is poisoned and refuses everything, and recovery decides on the next start.

use std::fmt;
use std::sync::Arc;

use codec::Write as _;
use gtid::GtidSet;

use super::error::LogError;
use super::format::FIRST_EVENT;
use super::head::{FLAGS_OFFSET, IN_USE, LogHead};
use super::index::LogIndex;
use super::name::{LogFileName, LogPosition, MAX_LOG_NUMBER};
use super::storage::{Storage, StorageFile, is_no_space, write_all_at};
use crate::event::{ChecksumAlgorithm, EventFlags, EventHeader, EventType, write_event};
use crate::schema::{SchemaWriter, TableSnapshot, side_file_name};

/// What the log is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFlavour {
    /// A binary log: its events are its own.
    Binary,
    /// A relay log: its own events carry the relay-log flag, the others are copies that keep the
    /// positions of their source.
    Relay,
}

/// How a log's files are named and what their heads say.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Name of the files in front of the number.
    pub base: String,
    /// Name of the index.
    pub index: String,
    /// Binary or relay log.
    pub flavour: LogFlavour,
    /// Size in bytes after which [`LogWriter::wants_rotation`]; `max_binlog_size`.
    pub max_size: u64,
    /// The server that writes.
    pub server_id: u32,
    /// The version in the format description, at most 50 bytes.
    pub server_version: String,
    /// The checksum of the events.
    pub checksum: ChecksumAlgorithm,
}

/// The writing end of a log.
pub struct LogWriter {
    storage: Arc<dyn Storage>,
    options: LogOptions,
    index: LogIndex,
    name: LogFileName,
    file: Box<dyn StorageFile>,
    /// The low byte of the format description's flags without the in-use bit.
    flags: u8,
    /// The checksum that the file's head announced.
    checksum: ChecksumAlgorithm,
    /// End of the last sealed unit.
    sealed: u64,
    /// End of what was written; `sealed <= written`.
    written: u64,
    /// End of what is durable; `synced <= sealed` between calls.
    synced: u64,
    is_poisoned: bool,
    /// The schema snapshots beside the file.
    schema: SchemaWriter,
    /// Head of the file that could not be made for want of room; until it is, `file` is the last
    /// one of those that were there, and nothing is added to it.
    unborn: Option<Vec<u8>>,
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter")
            .field("file", &self.name)
            .field("sealed", &self.sealed)
            .field("written", &self.written)
            .field("synced", &self.synced)
            .field("is_poisoned", &self.is_poisoned)
            .finish_non_exhaustive()
    }
}

impl LogWriter {
    /// Starts a new file behind those that `index` lists (see [`super::recover`]), with
    /// `previous_gtids` in its head. `timestamp` is now, in seconds since 1970.
    pub fn create(
        storage: Arc<dyn Storage>,
        options: LogOptions,
        index: LogIndex,
        previous_gtids: &GtidSet,
        timestamp: u32,
    ) -> Result<Self, LogError> {
        let head = LogHead::encode(&options, previous_gtids, timestamp, true);
        let name = next_name(storage.as_ref(), &options, &index)?;
        let file = create_file(storage.as_ref(), &name, &head)?;
        let index = index.with(name.clone());
        index.store(storage.as_ref())?;
        let end = head.len() as u64;
        Ok(Self {
            flags: own_flags(&options),
            checksum: options.checksum,
            storage,
            options,
            index,
            name,
            file,
            sealed: end,
            written: end,
            synced: end,
            is_poisoned: false,
            schema: SchemaWriter::default(),
            unborn: None,
        })
    }

    /// As [`LogWriter::create`], but a disk without room for the file is no error when the log has
    /// files: the log then ends at `end`, and [`LogWriter::ensure_file`] tries again.
    pub fn create_when_possible(
        storage: Arc<dyn Storage>,
        options: LogOptions,
        index: LogIndex,
        previous_gtids: &GtidSet,
        timestamp: u32,
        end: Option<&LogPosition>,
    ) -> Result<Self, LogError> {
        let created = Self::create(
            Arc::clone(&storage),
            options.clone(),
            index.clone(),
            previous_gtids,
            timestamp,
        );
        match (created, end) {
            (Err(LogError::NoSpace { .. }), Some(end)) => {
                let head = LogHead::encode(&options, previous_gtids, timestamp, true);
                let fail = |error| LogError::io("opening", end.file.as_str(), error);
                let file = storage.open(end.file.as_str()).map_err(fail)?;
                Ok(Self {
                    checksum: options.checksum,
                    flags: own_flags(&options),
                    storage,
                    options,
                    index,
                    name: end.file.clone(),
                    file,
                    sealed: end.offset,
                    written: end.offset,
                    synced: end.offset,
                    is_poisoned: false,
                    schema: SchemaWriter::default(),
                    unborn: Some(head),
                })
            }
            (created, _) => created,
        }
    }

    /// Whether the file to write to is still to be made.
    #[must_use]
    pub const fn lacks_file(&self) -> bool {
        self.unborn.is_some()
    }

    /// Makes the file to write to if it could not be made before. With [`LogError::NoSpace`] the log
    /// is as it was.
    pub fn ensure_file(&mut self) -> Result<(), LogError> {
        self.check()?;
        let Some(head) = &self.unborn else {
            return Ok(());
        };
        let storage = self.storage.as_ref();
        let name = next_name(storage, &self.options, &self.index)?;
        let file = create_file(storage, &name, head)?;
        let index = self.index.with(name.clone());
        if let Err(error) = index.store(storage) {
            // It holds no transaction; if it stays, the next start removes it.
            let _ = storage.remove(name.as_str());
            return Err(error);
        }
        let end = head.len() as u64;
        self.index = index;
        self.name = name;
        self.file = file;
        (self.sealed, self.written, self.synced) = (end, end, end);
        self.unborn = None;
        Ok(())
    }

    /// The file that is written.
    #[must_use]
    pub const fn active(&self) -> &LogFileName {
        &self.name
    }

    /// The files of the log.
    #[must_use]
    pub const fn index(&self) -> &LogIndex {
        &self.index
    }

    /// The options.
    #[must_use]
    pub const fn options(&self) -> &LogOptions {
        &self.options
    }

    /// The storage.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Where the next byte will be written; needed to give events their final positions.
    #[must_use]
    pub const fn next_offset(&self) -> u64 {
        self.written
    }

    /// End of the last sealed unit.
    #[must_use]
    pub fn end(&self) -> LogPosition {
        LogPosition::new(self.name.clone(), self.sealed)
    }

    /// End of what would survive a power loss.
    #[must_use]
    pub fn durable_end(&self) -> LogPosition {
        LogPosition::new(self.name.clone(), self.synced)
    }

    /// Whether the file has reached its size; rotate when a unit is sealed.
    #[must_use]
    pub const fn wants_rotation(&self) -> bool {
        self.sealed >= self.options.max_size
    }

    /// Whether a failed write or sync has stopped this writer.
    #[must_use]
    pub const fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }

    /// Changes the size after which a file is full.
    pub const fn set_max_size(&mut self, bytes: u64) {
        self.options.max_size = bytes;
    }

    /// Changes the checksum of the files that begin from now on; the file that is open keeps its own
    /// to its end.
    pub const fn set_checksum(&mut self, checksum: ChecksumAlgorithm) {
        self.options.checksum = checksum;
    }

    /// Writes whole framed events and seals them. Returns the new end.
    ///
    /// With [`LogError::NoSpace`] the log is as it was before the last unsealed unit, durably.
    pub fn append(&mut self, events: &[u8]) -> Result<LogPosition, LogError> {
        self.write(events)?;
        Ok(self.seal())
    }

    /// Writes a part of a unit. With [`LogError::NoSpace`] everything since the last
    /// [`LogWriter::seal`] is cut off, durably.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        self.check()?;
        if self.unborn.is_some() {
            let file = self.name.to_string();
            return Err(LogError::NoSpace { file });
        }
        match write_all_at(self.file.as_ref(), self.written, bytes) {
            Ok(()) => {
                self.written = self.written.saturating_add(bytes.len() as u64);
                Ok(())
            }
            Err(error) => {
                if is_no_space(&error) {
                    self.cut_back()?;
                } else {
                    self.is_poisoned = true;
                }
                Err(LogError::io("writing", self.name.as_str(), error))
            }
        }
    }

    /// Keeps the snapshot of a table beside the file, for events that will be written from here on;
    /// a snapshot that the file has already is not repeated. Says whether it was added.
    ///
    /// An error leaves the log as it is: it only lacks the names of this table's columns.
    pub fn note_table(&mut self, snapshot: &TableSnapshot) -> Result<bool, LogError> {
        let file = self.name.as_str();
        self.schema
            .note(self.storage.as_ref(), file, self.written, snapshot)
            .map_err(|error| LogError::io("writing", &side_file_name(file), error))
    }

    /// Makes what was written part of the log; it is durable only after [`LogWriter::sync`].
    pub fn seal(&mut self) -> LogPosition {
        self.sealed = self.written;
        self.end()
    }

    /// Cuts off what was written since the last seal.
    pub fn abandon(&mut self) -> Result<(), LogError> {
        self.check()?;
        if self.written == self.sealed {
            return Ok(());
        }
        self.cut_back()
    }

    /// Makes every sealed unit durable.
    pub fn sync(&mut self) -> Result<(), LogError> {
        self.check()?;
        if self.synced == self.sealed && self.written == self.sealed {
            return Ok(());
        }
        // Names come before the rows that need them.
        match self.schema.sync().and_then(|()| self.file.sync()) {
            Ok(()) => {
                self.synced = self.sealed;
                Ok(())
            }
            Err(source) => Err(self.poison("syncing", source)),
        }
    }

    /// Ends the file with a rotate event and goes on in a new one, whose head holds
    /// `previous_gtids`. Everything sealed is durable afterwards.
    ///
    /// Order: the new file, durable; the new index under a temporary name, durable; the rotate
    /// event and the cleared in-use flag, durable; then the index. A crash in between leaves
    /// either the old log, perhaps with a file that no index lists, or the new one. With
    /// [`LogError::NoSpace`] the log goes on in the old file.
    pub fn rotate(&mut self, previous_gtids: &GtidSet, timestamp: u32) -> Result<(), LogError> {
        self.check()?;
        if self.unborn.is_some() {
            return self.ensure_file();
        }
        self.sync()?;
        let head = LogHead::encode(&self.options, previous_gtids, timestamp, false);
        let next = next_name(self.storage.as_ref(), &self.options, &self.index)?;
        let file = create_file(self.storage.as_ref(), &next, &head)?;
        let index = self.index.with(next.clone());
        let result = self.switch(&index, &next, timestamp);
        if let Err(error) = result {
            if !self.is_poisoned {
                // It holds no transaction; if it stays, the next start removes it.
                let _ = self.storage.remove(next.as_str());
            }
            return Err(error);
        }
        let end = head.len() as u64;
        self.index = index;
        self.name = next;
        self.file = file;
        self.checksum = self.options.checksum;
        (self.sealed, self.written, self.synced) = (end, end, end);
        self.schema = SchemaWriter::default();
        Ok(())
    }

    fn switch(
        &mut self,
        index: &LogIndex,
        next: &LogFileName,
        timestamp: u32,
    ) -> Result<(), LogError> {
        let staged = index.stage(self.storage.as_ref())?;
        let before = self.sealed;
        let mut rotate = Vec::new();
        let header = self.own_header(EventType::ROTATE, timestamp);
        write_event(&mut rotate, &header, before, self.checksum, |body| {
            body.put_u64(FIRST_EVENT);
            body.put(next.as_str().as_bytes());
        });
        self.append(&rotate)?;
        self.close_flag()?;
        self.sync()?;
        if let Err(source) = self
            .storage
            .rename(&staged, index.name())
            .and_then(|()| self.storage.sync_dir())
        {
            return Err(self.poison("replacing the index for", source));
        }
        Ok(())
    }

    /// Ends the log cleanly: a stop event, everything durable, the in-use flag cleared.
    pub fn close(mut self, timestamp: u32) -> Result<LogPosition, LogError> {
        self.check()?;
        if self.unborn.is_some() {
            return Ok(self.end());
        }
        self.abandon()?;
        let mut stop = Vec::new();
        let header = self.own_header(EventType::STOP, timestamp);
        let (start, checksum) = (self.sealed, self.checksum);
        write_event(&mut stop, &header, start, checksum, |_| {});
        match self.append(&stop) {
            // The stop event is a courtesy; without room the file just ends.
            Ok(_) | Err(LogError::NoSpace { .. }) => {}
            Err(error) => return Err(error),
        }
        self.close_flag()?;
        self.sync_always()?;
        Ok(self.end())
    }

    /// Takes the files in front of `first` out of the log and removes them.
    ///
    /// The caller has made sure that nobody needs them. Order: a list of what will go, durable;
    /// the index, durable; then the files. A crash in between leaves files that the list names
    /// and the next start removes. Returns the files that are out of the log; with an error they
    /// may be too, and those that could not be removed go with the next purge.
    pub fn purge_before(&mut self, first: &LogFileName) -> Result<Vec<LogFileName>, LogError> {
        self.check()?;
        let storage = self.storage.as_ref();
        let index = self.index.starting_at(first.min(&self.name));
        let gone = self.index.files().iter();
        let gone: Vec<LogFileName> = gone.filter(|file| !index.contains(file)).cloned().collect();
        if gone.is_empty() {
            return Ok(gone);
        }
        match super::purge::unlist(storage, &self.index, &index) {
            Ok(()) => self.index = index,
            Err(error) => {
                // It may have come in place before it failed to become durable.
                self.index = LogIndex::load(storage, self.index.name())?;
                return Err(error);
            }
        }
        super::purge::remove_registered(storage, &self.index)?;
        Ok(gone)
    }

    fn own_header(&self, event_type: EventType, timestamp: u32) -> EventHeader {
        EventHeader {
            timestamp,
            event_type,
            server_id: self.options.server_id,
            event_size: 0,
            end_log_pos: 0,
            flags: match self.options.flavour {
                LogFlavour::Binary => EventFlags(0),
                LogFlavour::Relay => EventFlags::RELAY_LOG,
            },
        }
    }

    fn check(&self) -> Result<(), LogError> {
        if self.is_poisoned {
            let file = self.name.clone();
            return Err(LogError::Poisoned { file });
        }
        Ok(())
    }

    fn poison(&mut self, doing: &'static str, source: std::io::Error) -> LogError {
        self.is_poisoned = true;
        LogError::Io {
            doing,
            file: self.name.to_string(),
            source,
        }
    }

    /// Cuts the file to the last sealed unit and makes that durable: were it not, a power loss
    /// could bring a transaction back whose client was told that it failed.
    fn cut_back(&mut self) -> Result<(), LogError> {
        let result = self
            .file
            .truncate(self.sealed)
            .and_then(|()| self.file.sync());
        match result {
            Ok(()) => {
                self.written = self.sealed;
                self.synced = self.sealed;
                Ok(())
            }
            Err(source) => Err(self.poison("cutting a half-written unit off", source)),
        }
    }

    fn close_flag(&mut self) -> Result<(), LogError> {
        match write_all_at(self.file.as_ref(), FLAGS_OFFSET, &[self.flags]) {
            Ok(()) => Ok(()),
            Err(source) => Err(self.poison("clearing the in-use flag of", source)),
        }
    }

    fn sync_always(&mut self) -> Result<(), LogError> {
        match self.file.sync() {
            Ok(()) => {
                self.synced = self.sealed;
                Ok(())
            }
            Err(source) => Err(self.poison("syncing", source)),
        }
    }
}

fn own_flags(options: &LogOptions) -> u8 {
    let [low, _] = match options.flavour {
        LogFlavour::Binary => 0_u16.to_le_bytes(),
        LogFlavour::Relay => EventFlags::RELAY_LOG.0.to_le_bytes(),
    };
    low & !IN_USE
}

/// The name after every file that the index lists or the directory holds.
fn next_name(
    storage: &dyn Storage,
    options: &LogOptions,
    index: &LogIndex,
) -> Result<LogFileName, LogError> {
    let names = storage
        .list()
        .map_err(|error| LogError::io("listing the directory of", &options.index, error))?;
    let last = names
        .iter()
        .filter_map(|name| LogFileName::parse(name))
        .filter(|name| name.base() == options.base)
        .chain(index.files().iter().cloned())
        .max_by_key(LogFileName::number);
    let number = last.as_ref().map_or(0, LogFileName::number);
    match last {
        Some(last) if number >= MAX_LOG_NUMBER => Err(LogError::NumbersExhausted { last }),
        _ => Ok(LogFileName::new(&options.base, number.saturating_add(1))),
    }
}

/// Creates `name` with `head`, durable with its name.
fn create_file(
    storage: &dyn Storage,
    name: &LogFileName,
    head: &[u8],
) -> Result<Box<dyn StorageFile>, LogError> {
    let fail = |error| LogError::io("creating", name.as_str(), error);
    let file = storage.create(name.as_str()).map_err(fail)?;
    let written = write_all_at(file.as_ref(), 0, head)
        .and_then(|()| file.sync())
        .and_then(|()| storage.sync_dir());
    match written {
        Ok(()) => Ok(file),
        Err(error) => {
            let _ = storage.remove(name.as_str());
            Err(fail(error))
        }
    }
}
