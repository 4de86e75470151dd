//! Following a log across its files, up to a moving end.
//!
//! The cursor shows events of files as they are, heads and rotates included; it skips nothing.
//! It never looks at a byte beyond the end it is given, because bytes beyond the durable end may
//! still be cut off and written anew.

use std::sync::Arc;

use super::error::LogError;
use super::format::FIRST_EVENT;
use super::guards::{FileGuard, FileGuards};
use super::index::LogIndex;
use super::name::{LogFileName, LogPosition};
use super::options::ReadOptions;
use super::reader::LogReader;
use super::storage::Storage;
use crate::event::RawEvent;

/// A reader of a log that may still grow.
#[derive(Debug)]
pub struct LogCursor {
    storage: Arc<dyn Storage>,
    index_name: String,
    reader: LogReader,
    guard: Option<FileGuard>,
    options: ReadOptions,
    end: Option<LogPosition>,
}

/// Where a step of the cursor led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// [`LogCursor::current`] shows the next event of the same file.
    Event,
    /// The next file begins; its format description is the next event.
    NextFile,
    /// The end that was given is reached.
    End,
}

impl LogCursor {
    /// Starts at `position`, whose offset is the start of an event. With `guards` the file and
    /// all after it are kept from being purged as long as the cursor needs them. Every event is
    /// held whole.
    pub fn open(
        storage: Arc<dyn Storage>,
        index_name: &str,
        position: &LogPosition,
        guards: Option<&FileGuards>,
    ) -> Result<Self, LogError> {
        let options = ReadOptions::whole_events();
        Self::open_with(storage, index_name, position, guards, options)
    }

    /// Starts at `position` as [`LogCursor::open`] does, and reads as `options` say.
    pub fn open_with(
        storage: Arc<dyn Storage>,
        index_name: &str,
        position: &LogPosition,
        guards: Option<&FileGuards>,
        options: ReadOptions,
    ) -> Result<Self, LogError> {
        let guard = guards.map(|guards| guards.hold(position.file.clone()));
        let index = LogIndex::load(storage.as_ref(), index_name)?;
        if !index.contains(&position.file) {
            return Err(LogError::UnknownFile {
                file: position.file.to_string(),
            });
        }
        let mut reader = LogReader::open_with(storage.as_ref(), &position.file, &options)?;
        reader.seek(position.offset.max(FIRST_EVENT));
        Ok(Self {
            storage,
            index_name: index_name.to_owned(),
            reader,
            guard,
            options,
            end: None,
        })
    }

    /// The place behind the current event.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        LogPosition::new(self.reader.name().clone(), self.reader.next_offset())
    }

    /// The file that is read.
    #[must_use]
    pub const fn file(&self) -> &LogFileName {
        self.reader.name()
    }

    /// The reader of the current file.
    #[must_use]
    pub const fn reader(&self) -> &LogReader {
        &self.reader
    }

    /// The current event and its offset.
    #[must_use]
    pub fn current(&self) -> Option<(u64, RawEvent<'_>)> {
        self.reader.current()
    }

    /// The current event's bytes with their checksum, and its offset.
    #[must_use]
    pub fn current_bytes(&self) -> Option<(u64, &[u8])> {
        self.reader.current_bytes()
    }

    /// Bytes of the current event from its byte `at`; see [`LogReader::piece`].
    pub fn piece(&mut self, at: u64) -> Result<&[u8], LogError> {
        self.reader.piece(at)
    }

    /// Sets how far [`crate::stream::EventSource::advance`] goes; before that it goes nowhere.
    pub fn set_end(&mut self, end: LogPosition) {
        self.end = Some(end);
    }

    /// The end that was set.
    #[must_use]
    pub const fn end(&self) -> Option<&LogPosition> {
        self.end.as_ref()
    }

    /// Moves on, at most to `end`.
    pub fn advance(&mut self, end: &LogPosition) -> Result<Step, LogError> {
        let here = self.reader.name();
        if here >= &end.file {
            let limit = if *here == end.file { end.offset } else { 0 };
            let limit = limit.max(self.reader.next_offset());
            return Ok(match self.reader.advance(Some(limit))? {
                true => Step::Event,
                false => Step::End,
            });
        }
        if self.reader.advance(None)? {
            return Ok(Step::Event);
        }
        let index = LogIndex::load(self.storage.as_ref(), &self.index_name)?;
        let Some(next) = index.next_after(self.reader.name()) else {
            return Ok(Step::End);
        };
        self.reader = LogReader::open_with(self.storage.as_ref(), next, &self.options)?;
        if let Some(guard) = &self.guard {
            guard.move_to(next.clone());
        }
        Ok(Step::NextFile)
    }
}
