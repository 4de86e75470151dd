//! Reading one log file event by event, in bounded memory.
//!
//! Every event's size is checked against the file before a byte of it is stored, its checksum
//! before it is shown. Positions come from sizes; what an event says about its own position is
//! never trusted (MariaDB writes 0 there), only compared if asked to.

use super::encryption::{self, Keys};
use super::error::{Damage, LogError};
use super::name::LogFileName;
use super::storage::{Storage, StorageFile, read_full_at};
use crate::event::{
    ChecksumAlgorithm, EventFormat, EventHeader, EventType, FormatDescription, RawEvent, checksum,
};
use crate::limits::Limits;

/// The bytes in front of the first event.
pub const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];

/// Where the first event of a file begins.
pub const FIRST_EVENT: u64 = 4;

/// The largest event that is read: MySQL's largest packet and what stands around it.
pub const MAX_EVENT_BYTES: u64 = (1 << 30) + (1 << 20);

/// What is read from the file at once, at least.
const CHUNK: usize = 256 << 10;

/// What a reader does about an event whose checksum is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Checksums {
    /// It stops in front of the event.
    #[default]
    Stop,
    /// It shows the event and says so.
    Report,
}

/// How a file is read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// What to do about wrong checksums.
    pub checksums: Checksums,
    /// Bounds on memory.
    pub limits: Limits,
    /// Keys of encrypted files.
    pub keys: Keys,
}

/// A cursor over the events of one file.
#[derive(Debug)]
pub struct LogReader {
    file: Box<dyn StorageFile>,
    name: LogFileName,
    options: ReadOptions,
    description: FormatDescription,
    format: EventFormat,
    /// Offset of the event after the current one.
    next: u64,
    /// The current event: offset in the file and its bytes in `buffer`.
    current: Option<(u64, std::ops::Range<usize>)>,
    /// Whether the checksum of the current event is right.
    checksum_ok: bool,
    /// Bytes of the file from `buffer_offset`; `filled` of them are valid.
    buffer: Vec<u8>,
    buffer_offset: u64,
    filled: usize,
    check_positions: bool,
}

impl LogReader {
    /// Opens `name` and reads its format description, which is also the first event shown.
    pub fn open(storage: &dyn Storage, name: &LogFileName) -> Result<Self, LogError> {
        let file = storage
            .open_read(name.as_str())
            .map_err(|error| LogError::opening(name, error))?;
        Self::over(file, name.clone())
    }

    /// Reads an open file that is called `name` in errors.
    pub fn over(file: Box<dyn StorageFile>, name: LogFileName) -> Result<Self, LogError> {
        Self::over_with(file, name, &ReadOptions::default())
    }

    /// Reads an open file that is called `name` in errors, as `options` say.
    pub fn over_with(
        file: Box<dyn StorageFile>,
        name: LogFileName,
        options: &ReadOptions,
    ) -> Result<Self, LogError> {
        let file = encryption::decrypted(file, &options.keys)
            .map_err(|error| LogError::opening(&name, error))?;
        let mut magic = [0; 4];
        let read = read_full_at(file.as_ref(), 0, &mut magic)
            .map_err(|error| LogError::io("reading", name.as_str(), error))?;
        if magic != MAGIC {
            let found = magic.get(..read).unwrap_or_default().to_vec();
            let damage = Damage::BadMagic { found };
            return Err(LogError::corrupt(&name, 0, None, damage));
        }
        let mut reader = Self {
            file,
            name,
            options: options.clone(),
            description: FormatDescription::current("", ChecksumAlgorithm::None),
            format: ChecksumAlgorithm::None.into(),
            next: FIRST_EVENT,
            current: None,
            checksum_ok: true,
            buffer: Vec::new(),
            buffer_offset: 0,
            filled: 0,
            check_positions: false,
        };
        reader.read_description()?;
        Ok(reader)
    }

    fn read_description(&mut self) -> Result<(), LogError> {
        self.advance(None)?;
        let Some((offset, event)) = self.current() else {
            let damage = Damage::NoFormatDescription;
            return Err(LogError::corrupt(&self.name, FIRST_EVENT, None, damage));
        };
        let event_type = event.header.event_type;
        let fail = |damage| LogError::corrupt(&self.name, offset, Some(event_type), damage);
        if event_type != EventType::FORMAT_DESCRIPTION {
            return Err(fail(Damage::NoFormatDescription));
        }
        let description = FormatDescription::decode(event.bytes)
            .map_err(|error| fail(Damage::Undecodable(error)))?;
        self.format = description.format();
        self.description = description;
        self.rewind();
        Ok(())
    }

    fn rewind(&mut self) {
        self.next = FIRST_EVENT;
        self.current = None;
        // What was read ahead may lie beyond the end that the first caller will set.
        self.filled = 0;
    }

    /// Makes the next event the one at `offset`, which must be the start of one.
    pub fn seek(&mut self, offset: u64) {
        self.next = offset.max(FIRST_EVENT);
        self.current = None;
    }

    /// Compares from now on what events say about their end with where they end, except events
    /// that say nothing (0).
    pub const fn check_positions(&mut self) {
        self.check_positions = true;
    }

    /// The file.
    #[must_use]
    pub const fn name(&self) -> &LogFileName {
        &self.name
    }

    /// The file's format description.
    #[must_use]
    pub const fn description(&self) -> &FormatDescription {
        &self.description
    }

    /// The checksum that events of this file carry.
    #[must_use]
    pub const fn checksum(&self) -> ChecksumAlgorithm {
        self.format.checksum
    }

    /// How the events of this file are laid out.
    #[must_use]
    pub const fn format(&self) -> EventFormat {
        self.format
    }

    /// Whether the current event's checksum is right; true if it has none. Only with
    /// [`Checksums::Report`] it may be wrong.
    #[must_use]
    pub const fn is_checksum_ok(&self) -> bool {
        self.checksum_ok
    }

    /// How this file is read.
    #[must_use]
    pub const fn options(&self) -> &ReadOptions {
        &self.options
    }

    /// Where the next event begins.
    #[must_use]
    pub const fn next_offset(&self) -> u64 {
        self.next
    }

    /// The current event and its offset; `None` before the first and after the last.
    #[must_use]
    pub fn current(&self) -> Option<(u64, RawEvent<'_>)> {
        let (offset, range) = self.current.clone()?;
        let event = RawEvent::parse(self.buffer.get(range)?).ok()?;
        Some((offset, event))
    }

    /// The current event's bytes with their checksum, and its offset.
    #[must_use]
    pub fn current_bytes(&self) -> Option<(u64, &[u8])> {
        let (offset, range) = self.current.clone()?;
        Some((offset, self.buffer.get(range)?))
    }

    /// Moves to the next event. `false`: the file (or `end`, beyond which no byte is looked at)
    /// is reached exactly. After an error the reader stays in front of the bad event.
    pub fn advance(&mut self, end: Option<u64>) -> Result<bool, LogError> {
        self.current = None;
        let offset = self.next;
        let available = self.fill(offset, EventHeader::LEN, end)?;
        if available == 0 {
            return Ok(false);
        }
        if available < EventHeader::LEN {
            let damage = Damage::Truncated {
                needed: EventHeader::LEN as u64,
                available: available as u64,
            };
            return Err(LogError::corrupt(&self.name, offset, None, damage));
        }
        let header = self.header(offset)?;
        let event_type = Some(header.event_type);
        let fail = |damage| LogError::corrupt(&self.name, offset, event_type, damage);
        let size = u64::from(header.event_size);
        let smallest = EventHeader::LEN as u64;
        if size < smallest || size > MAX_EVENT_BYTES {
            return Err(fail(Damage::BadSize { size }));
        }
        let len = usize::try_from(size).map_err(|_| fail(Damage::BadSize { size }))?;
        let file_end = match end {
            Some(end) => end,
            None => self.len()?,
        };
        let left = file_end.saturating_sub(offset);
        if size > left {
            return Err(fail(Damage::Truncated {
                needed: size,
                available: left,
            }));
        }
        let available = self.fill(offset, len, end)?;
        let fail = |damage| LogError::corrupt(&self.name, offset, event_type, damage);
        if available < len {
            return Err(fail(Damage::Truncated {
                needed: size,
                available: available as u64,
            }));
        }
        let start = self.start_of(offset);
        let range = start..start.saturating_add(len);
        let bytes = self.buffer.get(range.clone()).unwrap_or_default();
        let trailer = RawEvent { header, bytes }.trailer_len(self.format);
        self.checksum_ok = trailer == 0 || checksum::verify(bytes);
        if len < usize::from(self.format.header_len).saturating_add(trailer)
            && header.event_type != EventType::FORMAT_DESCRIPTION
        {
            return Err(fail(Damage::BadSize { size }));
        }
        if !self.checksum_ok && self.options.checksums == Checksums::Stop {
            return Err(fail(Damage::BadChecksum));
        }
        let after = offset.saturating_add(size);
        let announced = u64::from(header.end_log_pos);
        if self.check_positions && announced != 0 && announced != after & 0xffff_ffff {
            return Err(fail(Damage::BadPosition {
                announced,
                expected: after,
            }));
        }
        self.current = Some((offset, range));
        self.next = after;
        Ok(true)
    }

    /// Length of the file now, in bytes.
    pub fn len(&self) -> Result<u64, LogError> {
        self.file
            .len()
            .map_err(|error| LogError::io("measuring", self.name.as_str(), error))
    }

    /// Whether the file holds no byte, which no log file does.
    pub fn is_empty(&self) -> Result<bool, LogError> {
        Ok(self.len()? == 0)
    }

    fn header(&self, offset: u64) -> Result<EventHeader, LogError> {
        let start = self.start_of(offset);
        let bytes = self
            .buffer
            .get(start..start.saturating_add(EventHeader::LEN))
            .unwrap_or_default();
        EventHeader::decode(bytes).map_err(|error| {
            LogError::corrupt(&self.name, offset, None, Damage::Undecodable(error))
        })
    }

    /// Index in `buffer` of the file's byte `offset`, which [`LogReader::fill`] made part of it.
    fn start_of(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.buffer_offset)).unwrap_or(usize::MAX)
    }

    /// Makes `len` bytes from `offset` part of the buffer, as far as the file (or `end`) reaches;
    /// returns how many bytes from `offset` are there, at most `len`.
    fn fill(&mut self, offset: u64, len: usize, end: Option<u64>) -> Result<usize, LogError> {
        let buffer_end = self.buffer_offset.saturating_add(self.filled as u64);
        let wanted_end = offset.saturating_add(len as u64);
        if offset >= self.buffer_offset && wanted_end <= buffer_end {
            return Ok(len);
        }
        let keep = if offset >= self.buffer_offset && offset < buffer_end {
            let start = self.start_of(offset);
            self.buffer.copy_within(start..self.filled, 0);
            self.filled - start
        } else {
            0
        };
        self.buffer_offset = offset;
        self.filled = keep;
        let mut target = len.max(CHUNK);
        if let Some(end) = end {
            let limit = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
            target = target.min(limit);
        }
        if self.buffer.len() > CHUNK && target <= CHUNK {
            // A large event has passed; its memory is given back.
            self.buffer.truncate(CHUNK.max(keep));
            self.buffer.shrink_to_fit();
        }
        if self.buffer.len() < target {
            self.buffer.resize(target, 0);
        }
        if let Some(rest) = self.buffer.get_mut(keep..target) {
            let read = read_full_at(self.file.as_ref(), offset.saturating_add(keep as u64), rest)
                .map_err(|error| LogError::io("reading", self.name.as_str(), error))?;
            self.filled = keep.saturating_add(read);
        }
        Ok(self.filled.min(len))
    }
}
