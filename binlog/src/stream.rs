//! Streams of events: one event after the other, wherever they come from, payloads expanded.
//!
//! An [`EventSource`] gives the events of a file or of a server as they are. [`EventStream`] yields
//! them too, and behind a `TRANSACTION_PAYLOAD` event the events inside it. Memory is bounded by
//! [`Limits`], never by the size of a payload: its bytes are taken from the source in pieces and
//! inflated into a window that holds one inner event.
//!
//! What an event means for its transaction is the matter of [`crate::transaction`].

#[cfg(test)]
pub(crate) mod fixture;
pub mod payload;
mod source;

pub use source::{EventSource, SourceEvent};

use payload::PayloadReader;

use crate::event::{ChecksumAlgorithm, EventFormat, EventHeader, EventType, RawEvent};
use crate::limits::Limits;
use crate::log::LogError;

/// Where an event lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// First byte of the event in its file; of an inner event, of the payload event around it.
    pub offset: u64,
    /// Behind the last byte of that event. Computed from sizes, never from what events say.
    pub end: u64,
    /// Of an inner event: offset of its first byte in the decompressed payload.
    pub inner: Option<u64>,
}

/// One event of a stream.
#[derive(Debug, Clone, Copy)]
pub struct StreamEvent<'a> {
    /// Where it lies.
    pub place: Place,
    /// Its bytes. Of a payload event that is too large to be held only the first bytes, fewer than
    /// its header announces.
    pub raw: RawEvent<'a>,
    /// How it is laid out. Inner events have no checksum.
    pub format: EventFormat,
    /// False if its checksum is wrong, which only [`crate::log::Checksums::Report`] lets pass.
    pub checksum_ok: bool,
}

/// The events of a source, with those inside payloads.
#[derive(Debug)]
pub struct EventStream<S> {
    source: S,
    limits: Limits,
    /// The payload of the source's current event.
    payload: Option<PayloadReader>,
}

impl<S: EventSource> EventStream<S> {
    /// Goes on where `source` stands. `limits` bound what an inner event may take.
    pub const fn new(source: S, limits: Limits) -> Self {
        Self {
            source,
            limits,
            payload: None,
        }
    }

    /// The source.
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// The source, to set its end; before it is moved an open payload has to be left by
    /// [`EventStream::skip_payload`].
    pub fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// Forgets the payload that is open, so that the source's next event is the next one.
    pub fn skip_payload(&mut self) {
        self.payload = None;
    }

    /// The source itself.
    pub fn into_source(self) -> S {
        self.source
    }

    /// Whether events of a payload are still to come.
    #[must_use]
    pub const fn is_inside_payload(&self) -> bool {
        self.payload.is_some()
    }

    /// Bytes of payload content in memory.
    #[cfg(test)]
    pub(crate) fn bytes_held(&self) -> usize {
        self.payload.as_ref().map_or(0, PayloadReader::bytes_held)
    }

    /// Moves to the next event; false at the end of what the source has now.
    ///
    /// # Errors
    /// Those of the source; damage of a payload, with the place of the payload event and the offset
    /// inside it. After damage of a payload the stream goes on behind the payload event.
    pub fn advance(&mut self) -> Result<bool, LogError> {
        if let Some(mut payload) = self.payload.take()
            && payload.advance(&mut self.source, &self.limits)?
        {
            self.payload = Some(payload);
            return Ok(true);
        }
        if !self.source.advance()? {
            return Ok(false);
        }
        let format = self.source.format();
        if let Some(event) = self.source.current()
            && event.header.event_type == EventType::TRANSACTION_PAYLOAD
        {
            let opened = PayloadReader::open(&event, format);
            self.payload =
                Some(opened.map_err(|damage| event.corrupt(self.source.name(), damage))?);
        }
        Ok(true)
    }

    /// Type of the event that follows the current one in its payload; `None` behind the last event
    /// of a payload, which is sound then, and outside payloads. The current event stays.
    ///
    /// # Errors
    /// As [`EventStream::advance`].
    pub fn peek_in_payload(&mut self) -> Result<Option<EventType>, LogError> {
        let Some(mut payload) = self.payload.take() else {
            return Ok(None);
        };
        let next = payload.peek(&mut self.source)?;
        self.payload = Some(payload);
        Ok(next)
    }

    /// The event that [`EventStream::advance`] moved to; `None` before the first and behind the
    /// last.
    #[must_use]
    pub fn current(&self) -> Option<StreamEvent<'_>> {
        let event = self.source.current()?;
        let format = self.source.format();
        let inner = self.payload.as_ref().and_then(PayloadReader::current);
        if let Some((at, bytes)) = inner {
            let header = EventHeader::decode(bytes).ok()?;
            return Some(StreamEvent {
                place: Place {
                    offset: event.offset,
                    end: event.end,
                    inner: Some(at),
                },
                raw: RawEvent { header, bytes },
                format: format.with_checksum(ChecksumAlgorithm::None),
                checksum_ok: true,
            });
        }
        Some(StreamEvent {
            place: Place {
                offset: event.offset,
                end: event.end,
                inner: None,
            },
            raw: RawEvent {
                header: event.header,
                bytes: event.bytes,
            },
            format,
            checksum_ok: event.checksum_ok,
        })
    }
}
