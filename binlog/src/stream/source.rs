//! Where whole events come from: a file, standard input, a live server.

use crate::event::{EventFormat, EventHeader, FormatDescription};
use crate::log::{Damage, LogCursor, LogError, LogFileName, LogReader, Step};

/// One event as its source gives it.
#[derive(Debug, Clone, Copy)]
pub struct SourceEvent<'a> {
    /// First byte of the event in its file.
    pub offset: u64,
    /// Behind its last byte.
    pub end: u64,
    /// Its header.
    pub header: EventHeader,
    /// The event: whole, or only its first bytes if it is a payload event too large to be held.
    pub bytes: &'a [u8],
    /// Whether its checksum is right, as far as it is known; true if it has none.
    pub checksum_ok: bool,
}

impl SourceEvent<'_> {
    /// Whether `bytes` are all of the event.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        u64::try_from(self.bytes.len()) == Ok(u64::from(self.header.event_size))
    }

    /// The error that says that this event of `file` is damaged.
    #[must_use]
    pub fn corrupt(&self, file: &LogFileName, damage: Damage) -> LogError {
        LogError::corrupt(file, self.offset, Some(self.header.event_type), damage)
    }
}

/// Gives the events of a log one by one, as they were written.
pub trait EventSource {
    /// Moves to the next event. False: there is none now; a source that grows may have one later.
    fn advance(&mut self) -> Result<bool, LogError>;

    /// The event that [`EventSource::advance`] moved to.
    fn current(&self) -> Option<SourceEvent<'_>>;

    /// Bytes of the current event from its byte `at`, as many as are at hand: at least one, if the
    /// event has a byte `at`. `at` never goes back within one event.
    fn piece(&mut self, at: u64) -> Result<&[u8], LogError>;

    /// How the current event is laid out.
    fn format(&self) -> EventFormat;

    /// The file that the current event is in.
    fn name(&self) -> &LogFileName;

    /// The format description that is in force.
    fn description(&self) -> &FormatDescription;

    /// Where the next event begins.
    fn next_offset(&self) -> u64;
}

impl<S: EventSource + ?Sized> EventSource for Box<S> {
    fn advance(&mut self) -> Result<bool, LogError> {
        (**self).advance()
    }

    fn current(&self) -> Option<SourceEvent<'_>> {
        (**self).current()
    }

    fn piece(&mut self, at: u64) -> Result<&[u8], LogError> {
        (**self).piece(at)
    }

    fn format(&self) -> EventFormat {
        (**self).format()
    }

    fn name(&self) -> &LogFileName {
        (**self).name()
    }

    fn description(&self) -> &FormatDescription {
        (**self).description()
    }

    fn next_offset(&self) -> u64 {
        (**self).next_offset()
    }
}

impl EventSource for LogReader {
    fn advance(&mut self) -> Result<bool, LogError> {
        Self::advance(self, self.end())
    }

    fn current(&self) -> Option<SourceEvent<'_>> {
        let (offset, event) = Self::current(self)?;
        Some(SourceEvent {
            offset,
            end: self.next_offset(),
            header: event.header,
            bytes: event.bytes,
            checksum_ok: self.is_checksum_ok(),
        })
    }

    fn piece(&mut self, at: u64) -> Result<&[u8], LogError> {
        Self::piece(self, at)
    }

    fn format(&self) -> EventFormat {
        Self::format(self)
    }

    fn name(&self) -> &LogFileName {
        Self::name(self)
    }

    fn description(&self) -> &FormatDescription {
        Self::description(self)
    }

    fn next_offset(&self) -> u64 {
        Self::next_offset(self)
    }
}

/// Goes from file to file up to the end that [`LogCursor::set_end`] set.
impl EventSource for LogCursor {
    fn advance(&mut self) -> Result<bool, LogError> {
        let Some(end) = self.end().cloned() else {
            return Ok(false);
        };
        loop {
            match Self::advance(self, &end)? {
                Step::Event => return Ok(true),
                Step::NextFile => {}
                Step::End => return Ok(false),
            }
        }
    }

    fn current(&self) -> Option<SourceEvent<'_>> {
        EventSource::current(self.reader())
    }

    fn piece(&mut self, at: u64) -> Result<&[u8], LogError> {
        Self::piece(self, at)
    }

    fn format(&self) -> EventFormat {
        self.reader().format()
    }

    fn name(&self) -> &LogFileName {
        self.file()
    }

    fn description(&self) -> &FormatDescription {
        self.reader().description()
    }

    fn next_offset(&self) -> u64 {
        self.reader().next_offset()
    }
}
