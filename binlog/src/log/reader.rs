//! Reading one log file event by event, in bounded memory.
//!
//! Every event's size is checked against the file before it is read, its checksum before it is
//! shown; memory grows only with bytes that are there. Positions come from sizes; what an event says
//! about its own position is never trusted (MariaDB writes 0 there, files over 4 GiB wrap), only
//! compared if asked to.

mod large;
mod open;
#[cfg(test)]
mod tests;
mod window;

use large::{HEAD, Large, LargeError};
use window::Window;

use super::error::{Damage, LogError};
use super::format::{FIRST_EVENT, MAX_EVENT_BYTES};
use super::name::LogFileName;
use super::options::{Checksums, ReadOptions};
use crate::event::{
    ChecksumAlgorithm, EventFormat, EventHeader, EventType, FormatDescription, RawEvent, checksum,
};

/// A cursor over the events of one file.
#[derive(Debug)]
pub struct LogReader {
    window: Window,
    name: LogFileName,
    options: ReadOptions,
    /// What is in force at `next`.
    layout: Layout,
    /// What is in force at the first event.
    first_layout: Layout,
    /// What is in force behind the head, once that was found out.
    head_layout: Option<Layout>,
    /// Whether the reader was put behind a head that it did not read.
    skips_head: bool,
    /// Offset of the event after the current one.
    next: u64,
    /// Beyond it no byte is looked at.
    end: Option<u64>,
    current: Option<Current>,
    check_positions: bool,
}

/// How events are laid out.
#[derive(Debug, Clone)]
struct Layout {
    description: FormatDescription,
    format: EventFormat,
}

#[derive(Debug)]
struct Current {
    offset: u64,
    header: EventHeader,
    checksum_ok: bool,
    held: Held,
}

/// Where the bytes of the current event are.
#[derive(Debug)]
enum Held {
    /// In the window, this many.
    Window(usize),
    /// Only its head.
    Large(Large),
}

/// An event whose place and size are known and whose bytes are not yet checked.
struct Frame {
    offset: u64,
    size: u64,
    header: EventHeader,
}

impl LogReader {
    /// Makes the next event the one at `offset`, which must be the start of one.
    pub fn seek(&mut self, offset: u64) {
        self.next = offset.max(FIRST_EVENT);
        self.current = None;
        self.skips_head = self.next > FIRST_EVENT && self.head_layout.is_none();
        self.layout = match &self.head_layout {
            Some(layout) if self.next > FIRST_EVENT => layout.clone(),
            _ => self.first_layout.clone(),
        };
    }

    /// Compares from now on what events say about their end with where they end, except events
    /// that say nothing (0).
    pub const fn check_positions(&mut self) {
        self.check_positions = true;
    }

    /// Sets how far [`crate::stream::EventSource::advance`] goes: it looks at no byte beyond `end`,
    /// or at all that the file has.
    pub const fn set_end(&mut self, end: Option<u64>) {
        self.end = end;
    }

    /// The end that was set.
    #[must_use]
    pub const fn end(&self) -> Option<u64> {
        self.end
    }

    /// The file.
    #[must_use]
    pub const fn name(&self) -> &LogFileName {
        &self.name
    }

    /// The format description that is in force: of a relay log, the source's once it was passed.
    #[must_use]
    pub const fn description(&self) -> &FormatDescription {
        &self.layout.description
    }

    /// The checksum that events of this file carry.
    #[must_use]
    pub const fn checksum(&self) -> ChecksumAlgorithm {
        self.layout.format.checksum
    }

    /// How the events of this file are laid out.
    #[must_use]
    pub const fn format(&self) -> EventFormat {
        self.layout.format
    }

    /// Whether the current event's checksum is right; true if it has none. Only with
    /// [`Checksums::Report`] it may be wrong.
    #[must_use]
    pub fn is_checksum_ok(&self) -> bool {
        self.current
            .as_ref()
            .is_none_or(|current| current.checksum_ok)
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

    /// The current event and its offset; `None` before the first and after the last. Of a payload
    /// event larger than [`ReadOptions::held_max`] only the first bytes are there.
    #[must_use]
    pub fn current(&self) -> Option<(u64, RawEvent<'_>)> {
        let current = self.current.as_ref()?;
        let bytes = match &current.held {
            Held::Window(len) => self.window.bytes(current.offset, *len),
            Held::Large(large) => &large.head,
        };
        let header = current.header;
        Some((current.offset, RawEvent { header, bytes }))
    }

    /// The current event's bytes with their checksum, and its offset.
    #[must_use]
    pub fn current_bytes(&self) -> Option<(u64, &[u8])> {
        let (offset, event) = self.current()?;
        Some((offset, event.bytes))
    }

    /// Bytes of the current event from its byte `at`, as many as are at hand: one at least, if it
    /// has a byte `at`. In a file that is read forward only, `at` must not go back.
    pub fn piece(&mut self, at: u64) -> Result<&[u8], LogError> {
        let Some(current) = &mut self.current else {
            return Ok(&[]);
        };
        let index = usize::try_from(at).unwrap_or(usize::MAX);
        let bytes = match &mut current.held {
            Held::Large(large) => {
                let (name, offset) = (&self.name, current.offset);
                let event_type = Some(current.header.event_type);
                let corrupt = |damage| LogError::corrupt(name, offset, event_type, damage);
                let piece = large.piece(&mut self.window, at);
                return piece.map_err(|error| error.into_log_error(name, corrupt));
            }
            Held::Window(len) => self.window.bytes(current.offset, *len),
        };
        Ok(bytes.get(index..).unwrap_or_default())
    }

    /// Moves to the next event. `false`: the file (or `end`, beyond which no byte is looked at)
    /// is reached exactly. After an error the reader stays in front of the bad event.
    pub fn advance(&mut self, end: Option<u64>) -> Result<bool, LogError> {
        self.leave()?;
        if std::mem::take(&mut self.skips_head) {
            self.pass_head();
        }
        self.step(end)
    }

    /// Moves to the next event by the layout that is in force.
    fn step(&mut self, end: Option<u64>) -> Result<bool, LogError> {
        self.current = None;
        let Some(frame) = self.frame(end)? else {
            return Ok(false);
        };
        let current = match self.is_large(&frame.header) {
            true => self.large(&frame, end)?,
            false => self.whole(&frame, end)?,
        };
        let Current { offset, header, .. } = current;
        let fail = |damage| {
            let event_type = Some(header.event_type);
            LogError::corrupt(&self.name, offset, event_type, damage)
        };
        if !current.checksum_ok && self.options.checksums == Checksums::Stop {
            return Err(fail(Damage::BadChecksum));
        }
        let after = offset.saturating_add(frame.size);
        let announced = u64::from(header.end_log_pos);
        if self.check_positions && announced != 0 && announced != after & 0xffff_ffff {
            return Err(fail(Damage::BadPosition {
                announced,
                expected: after,
            }));
        }
        self.current = Some(current);
        if let Err(error) = self.take_layout() {
            self.current = None;
            return Err(error);
        }
        self.next = after;
        Ok(true)
    }

    /// Finds out how large the next event is and whether it is there. `None` at the end.
    fn frame(&mut self, end: Option<u64>) -> Result<Option<Frame>, LogError> {
        let offset = self.next;
        let format = self.layout.format;
        let needed = usize::from(format.header_len).min(EventHeader::LEN);
        let available = self.fill(offset, needed, end)?;
        if available == 0 {
            return Ok(None);
        }
        if available < needed {
            let damage = Damage::Truncated {
                needed: needed as u64,
                available: available as u64,
            };
            return Err(LogError::corrupt(&self.name, offset, None, damage));
        }
        let bytes = self.window.bytes(offset, needed);
        let header = match needed {
            EventHeader::LEN => EventHeader::decode(bytes),
            _ => EventHeader::decode_v1(bytes),
        };
        let header = header.map_err(|error| {
            LogError::corrupt(&self.name, offset, None, Damage::Undecodable(error))
        })?;
        let size = u64::from(header.event_size);
        let event_type = Some(header.event_type);
        let fail = |damage| LogError::corrupt(&self.name, offset, event_type, damage);
        if size < needed as u64 || (size > MAX_EVENT_BYTES && !self.is_large(&header)) {
            return Err(fail(Damage::BadSize { size }));
        }
        let is_here = self.window.available(offset) as u64 >= size;
        if !is_here && !self.window.file().is_forward_only() {
            let file_end = match end {
                Some(end) => end,
                None => self.len()?,
            };
            let available = file_end.saturating_sub(offset);
            if size > available {
                let needed = size;
                return Err(fail(Damage::Truncated { needed, available }));
            }
        }
        Ok(Some(Frame {
            offset,
            size,
            header,
        }))
    }

    /// Reads the event of `frame` into memory.
    fn whole(&mut self, frame: &Frame, end: Option<u64>) -> Result<Current, LogError> {
        let &Frame {
            offset,
            size,
            header,
        } = frame;
        let len = usize::try_from(size).unwrap_or(usize::MAX);
        let available = self.fill(offset, len, end)?;
        let event_type = Some(header.event_type);
        let fail = |damage| LogError::corrupt(&self.name, offset, event_type, damage);
        if available < len {
            let (needed, available) = (size, available as u64);
            return Err(fail(Damage::Truncated { needed, available }));
        }
        let bytes = self.window.bytes(offset, len);
        let event = RawEvent { header, bytes };
        let format = self.layout.format;
        let trailer = event.trailer_len(format);
        if len < event.header_len(format).saturating_add(trailer) {
            return Err(fail(Damage::BadSize { size }));
        }
        Ok(Current {
            offset,
            header,
            checksum_ok: trailer == 0 || checksum::verify(bytes),
            held: Held::Window(len),
        })
    }

    fn is_large(&self, header: &EventHeader) -> bool {
        header.event_type == EventType::TRANSACTION_PAYLOAD
            && u64::from(header.event_size) > self.options.held_max
    }

    /// Reads the head of a large event, and all of it for its checksum where that can be done.
    fn large(&mut self, frame: &Frame, end: Option<u64>) -> Result<Current, LogError> {
        let &Frame {
            offset,
            size,
            header,
        } = frame;
        let len = usize::try_from(size).map_or(HEAD, |size| size.min(HEAD));
        self.fill(offset, len, end)?;
        let trailer = self.layout.format.checksum.trailer_len();
        let large = Large::new(&self.window, offset, size, trailer);
        let corrupt = |damage| {
            let event_type = Some(header.event_type);
            LogError::corrupt(&self.name, offset, event_type, damage)
        };
        let verified = large.verify(&mut self.window, end);
        let checksum_ok = verified.map_err(|error| error.into_log_error(&self.name, corrupt))?;
        Ok(Current {
            offset,
            header,
            checksum_ok,
            held: Held::Large(large),
        })
    }

    /// Leaves the current event. A large one that is read forward only is read to its end here, and
    /// a wrong checksum of it is an error whatever the options say: it was shown as sound.
    fn leave(&mut self) -> Result<(), LogError> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let Held::Large(large) = current.held else {
            return Ok(());
        };
        let sound = match large.finish(&mut self.window) {
            Ok(true) => Ok(()),
            Ok(false) => Err(LargeError::Damage(Damage::BadChecksum)),
            Err(error) => Err(error),
        };
        let event_type = Some(current.header.event_type);
        let corrupt = |damage| LogError::corrupt(&self.name, current.offset, event_type, damage);
        sound.map_err(|error| error.into_log_error(&self.name, corrupt))
    }

    /// Length of the file now, in bytes; of a pipe, how much was read.
    pub fn len(&self) -> Result<u64, LogError> {
        let len = self.window.file().len();
        len.map_err(|error| LogError::io("measuring", self.name.as_str(), error))
    }

    /// Whether the file holds no byte, which no log file does.
    pub fn is_empty(&self) -> Result<bool, LogError> {
        Ok(self.len()? == 0)
    }

    /// Bytes of the file in memory.
    #[cfg(test)]
    pub(crate) fn bytes_held(&self) -> usize {
        self.window.capacity()
    }

    fn fill(&mut self, offset: u64, len: usize, end: Option<u64>) -> Result<usize, LogError> {
        let filled = self.window.fill(offset, len, end);
        filled.map_err(|error| LogError::io("reading", self.name.as_str(), error))
    }
}
