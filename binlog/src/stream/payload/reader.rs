//! Inflating a payload event by event.

use std::ops::Range;

use codec::{DecodeError, Reader};
use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::PayloadDamage;
use crate::event::{
    EventFormat, EventHeader, EventType, PayloadCompression, RawEvent, TransactionPayload,
};
use crate::limits::Limits;
use crate::log::{Damage, LogError};
use crate::stream::{EventSource, SourceEvent};

/// What the window has room for at least.
const CHUNK: usize = 128 << 10;

/// The largest window that a zstd frame may ask for, as a power of two: what MySQL's own reader
/// takes, and what its highest compression levels use. The memory is touched only as content
/// arrives.
const WINDOW_LOG_MAX: u32 = 27;

/// Yields the events inside the current event of a source.
pub(in crate::stream) struct PayloadReader {
    /// `None` when the payload is stored as it is.
    decoder: Option<Decoder<'static>>,
    /// The next byte of the payload that is not yet taken, from the start of the payload event.
    at: u64,
    /// Behind the payload.
    end: u64,
    announced: Option<u64>,
    header_len: usize,
    /// Whether a frame has begun and not ended.
    is_inside_frame: bool,
    /// Content that came out and is not yet shown, and the event that is shown.
    window: Vec<u8>,
    start: usize,
    filled: usize,
    /// Offset in the content of the byte `start`.
    inner: u64,
    /// Bytes of content so far.
    produced: u64,
    current: Option<Range<usize>>,
}

impl std::fmt::Debug for PayloadReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PayloadReader")
            .field("at", &self.at)
            .field("end", &self.end)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl PayloadReader {
    /// Begins with the payload of `event`, of which nothing is inflated yet.
    pub(in crate::stream) fn open(
        event: &SourceEvent<'_>,
        format: EventFormat,
    ) -> Result<Self, Damage> {
        let raw = RawEvent {
            header: event.header,
            bytes: event.bytes,
        };
        let header_len = raw.header_len(format);
        let trailer = raw.trailer_len(format);
        let fields_end = match event.is_whole() {
            true => event.bytes.len().saturating_sub(trailer),
            false => event.bytes.len(),
        };
        let body = event.bytes.get(header_len..fields_end).unwrap_or_default();
        let mut reader = Reader::at(body, header_len);
        let decoded = TransactionPayload::decode_fields(&mut reader);
        let (fields, size) = decoded.map_err(Damage::Undecodable)?;
        let start = reader.offset() as u64;
        let end = u64::from(event.header.event_size).saturating_sub(trailer as u64);
        if let Some((offset, size)) = size
            && size != end.saturating_sub(start)
        {
            let expected = "the number of bytes behind the fields";
            let error = DecodeError::invalid("payload size", offset, size, expected);
            return Err(Damage::Undecodable(error));
        }
        let decoder = match fields.compression {
            Some(PayloadCompression::None) | None => None,
            Some(PayloadCompression::Zstd) => Some(new_decoder().map_err(Damage::Payload)?),
            Some(PayloadCompression::Unknown(code)) => {
                return Err(Damage::Payload(PayloadDamage::Compression { code }));
            }
        };
        Ok(Self {
            decoder,
            at: start,
            end,
            announced: fields.uncompressed_size,
            header_len,
            is_inside_frame: false,
            window: Vec::new(),
            start: 0,
            filled: 0,
            inner: 0,
            produced: 0,
            current: None,
        })
    }

    #[cfg(test)]
    pub(in crate::stream) fn bytes_held(&self) -> usize {
        self.window.capacity()
    }

    /// The inner event and its offset in the content.
    pub(in crate::stream) fn current(&self) -> Option<(u64, &[u8])> {
        let range = self.current.clone()?;
        Some((self.inner, self.window.get(range)?))
    }

    /// Moves to the next inner event; false behind the last one, whose payload is then sound.
    pub(in crate::stream) fn advance<S: EventSource>(
        &mut self,
        source: &mut S,
        limits: &Limits,
    ) -> Result<bool, LogError> {
        if let Some(range) = self.current.take() {
            self.start = range.end;
            self.inner = self.inner.saturating_add(range.len() as u64);
        }
        let available = self.fill(source, self.header_len)?;
        if available == 0 {
            return self.check_size(source).map(|()| false);
        }
        if available < self.header_len {
            let (needed, available) = (self.header_len as u64, available as u64);
            let damage = PayloadDamage::CutEvent { needed, available };
            return Err(self.fail(source, None, damage));
        }
        let head = self.window.get(self.start..self.filled).unwrap_or_default();
        let header = EventHeader::decode(head)
            .map_err(|error| self.located(source, None, Damage::Undecodable(error)))?;
        let event_type = header.event_type;
        let size = u64::from(header.event_size);
        let max = limits.inflated_max;
        if size < self.header_len as u64 || size > max {
            let damage = PayloadDamage::EventSize { size, max };
            return Err(self.fail(source, Some(event_type), damage));
        }
        if matches!(
            event_type,
            EventType::TRANSACTION_PAYLOAD | EventType::FORMAT_DESCRIPTION
        ) {
            let damage = PayloadDamage::Nested { event_type };
            return Err(self.fail(source, Some(event_type), damage));
        }
        let len = usize::try_from(size).unwrap_or(usize::MAX);
        let available = self.fill(source, len)?;
        if available < len {
            let (needed, available) = (size, available as u64);
            let damage = PayloadDamage::CutEvent { needed, available };
            return Err(self.fail(source, Some(event_type), damage));
        }
        self.current = Some(self.start..self.start.saturating_add(len));
        Ok(true)
    }

    /// Type of the event behind the current one; `None` when there is none, and the payload is then
    /// sound. The current event stays the current one.
    pub(in crate::stream) fn peek<S: EventSource>(
        &mut self,
        source: &mut S,
    ) -> Result<Option<EventType>, LogError> {
        let len = self.current.take().map_or(0, |range| range.len());
        let filled = self.fill(source, len.saturating_add(self.header_len));
        self.current = Some(self.start..self.start.saturating_add(len));
        let behind = self.inner.saturating_add(len as u64);
        let next = match filled?.saturating_sub(len) {
            0 => return self.check_size(source).map(|()| None),
            available if available < self.header_len => {
                let (needed, available) = (self.header_len as u64, available as u64);
                let damage = PayloadDamage::CutEvent { needed, available };
                return Err(self.fail(source, None, damage).inside(behind));
            }
            _ => self.start.saturating_add(len)..self.filled,
        };
        let header = EventHeader::decode(self.window.get(next).unwrap_or_default());
        let header = header.map_err(|error| {
            let error = self.located(source, None, Damage::Undecodable(error));
            error.inside(behind)
        })?;
        Ok(Some(header.event_type))
    }

    /// Compares the size of the content with the announced one, behind the last event.
    fn check_size<S: EventSource>(&self, source: &S) -> Result<(), LogError> {
        match self.announced {
            Some(announced) if announced != self.produced => {
                let found = self.produced;
                let damage = PayloadDamage::Size { announced, found };
                Err(self.fail(source, None, damage))
            }
            _ => Ok(()),
        }
    }

    /// Makes `len` bytes of content stand from `start`, as far as there are; returns how many
    /// there are, at most `len`.
    fn fill<S: EventSource>(&mut self, source: &mut S, len: usize) -> Result<usize, LogError> {
        while self.filled - self.start < len {
            self.make_room(len);
            if !self.inflate_some(source)? {
                break;
            }
        }
        Ok((self.filled - self.start).min(len))
    }

    /// Makes room behind `filled`: by moving what is left to the front, or by growing in step with
    /// what came out. A window that was large for one event is given back.
    fn make_room(&mut self, len: usize) {
        if self.start > 0 {
            self.window.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.window.len() > CHUNK && len <= CHUNK && self.filled <= CHUNK {
            self.window.truncate(CHUNK);
            self.window.shrink_to_fit();
        }
        if self.filled == self.window.len() {
            let doubled = self.filled.saturating_mul(2);
            let target = doubled.clamp(CHUNK, len.max(CHUNK)).max(self.filled);
            self.window.resize(target, 0);
        }
    }

    /// Takes a piece of the payload and inflates it; false when there is nothing left.
    fn inflate_some<S: EventSource>(&mut self, source: &mut S) -> Result<bool, LogError> {
        let left = self.end.saturating_sub(self.at);
        if left == 0 && !self.is_inside_frame {
            return Ok(false);
        }
        let (read, written) = match self.step(source, left) {
            Ok(done) => done,
            Err(StepError::Source(error)) => return Err(error),
            Err(StepError::Inflate(message)) => {
                let damage = PayloadDamage::Inflate { message };
                return Err(self.fail(source, None, damage));
            }
        };
        if read == 0 && written == 0 {
            let damage = match left {
                0 => PayloadDamage::CutFrame,
                _ => PayloadDamage::Inflate {
                    message: "it makes no progress".to_owned(),
                },
            };
            return Err(self.fail(source, None, damage));
        }
        self.at = self.at.saturating_add(read as u64);
        self.filled = self.filled.saturating_add(written);
        self.produced = self.produced.saturating_add(written as u64);
        match self.announced {
            Some(announced) if self.produced > announced => {
                let found = self.produced;
                let damage = PayloadDamage::Size { announced, found };
                Err(self.fail(source, None, damage))
            }
            _ => Ok(true),
        }
    }

    /// Bytes of the payload taken and bytes of content written behind `filled`.
    fn step<S: EventSource>(
        &mut self,
        source: &mut S,
        left: u64,
    ) -> Result<(usize, usize), StepError> {
        let input = match left {
            0 => &[],
            _ => source.piece(self.at).map_err(StepError::Source)?,
        };
        let take = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let input = input.get(..take).unwrap_or_default();
        let output = self.window.get_mut(self.filled..).unwrap_or_default();
        let Some(decoder) = &mut self.decoder else {
            let len = input.len().min(output.len());
            if let (Some(to), Some(from)) = (output.get_mut(..len), input.get(..len)) {
                to.copy_from_slice(from);
            }
            return Ok((len, len));
        };
        let status = decoder
            .run_on_buffers(input, output)
            .map_err(|error| StepError::Inflate(error.to_string()))?;
        self.is_inside_frame = status.remaining != 0;
        Ok((status.bytes_read, status.bytes_written))
    }

    fn fail<S: EventSource>(
        &self,
        source: &S,
        event_type: Option<EventType>,
        damage: PayloadDamage,
    ) -> LogError {
        self.located(source, event_type, Damage::Payload(damage))
    }

    fn located<S: EventSource>(
        &self,
        source: &S,
        event_type: Option<EventType>,
        damage: Damage,
    ) -> LogError {
        let offset = source.current().map_or(0, |event| event.offset);
        let event_type = event_type.unwrap_or(EventType::TRANSACTION_PAYLOAD);
        LogError::corrupt(source.name(), offset, Some(event_type), damage).inside(self.inner)
    }
}

enum StepError {
    Source(LogError),
    Inflate(String),
}

fn new_decoder() -> Result<Decoder<'static>, PayloadDamage> {
    let inflate = |error: std::io::Error| PayloadDamage::Inflate {
        message: error.to_string(),
    };
    let mut decoder = Decoder::new().map_err(inflate)?;
    decoder
        .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
        .map_err(inflate)?;
    Ok(decoder)
}
