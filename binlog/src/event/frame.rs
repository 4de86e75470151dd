//! Whole events as bytes: taking one apart into header and body, and framing one for a log.

use std::fmt;

use codec::{DecodeError, DecodeErrorKind};

use super::checksum::{self, ChecksumAlgorithm};
use super::{EventHeader, EventType};

/// One event as it was read: header decoded, everything else untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawEvent<'a> {
    /// The decoded header.
    pub header: EventHeader,
    /// The whole event: header, body and checksum.
    pub bytes: &'a [u8],
}

/// Why an event cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// Its bytes do not follow the format.
    Decode(DecodeError),
    /// Its checksum is wrong: it was damaged on disk or on the way.
    Checksum {
        /// The checksum the event carries.
        stored: u32,
        /// The checksum of its bytes.
        computed: u32,
    },
}

impl<'a> RawEvent<'a> {
    /// Takes `bytes` as one whole event; its header must announce exactly their number.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let header = EventHeader::decode(bytes)?;
        if u32::try_from(bytes.len()) != Ok(header.event_size) {
            let kind = DecodeErrorKind::Invalid {
                found: u64::from(header.event_size),
                expected: "the number of bytes that the event has",
            };
            let (what, offset) = ("event size", 9);
            return Err(DecodeError { what, offset, kind });
        }
        Ok(Self { header, bytes })
    }

    /// The bytes between header and checksum. A format description always has a checksum.
    pub fn body(&self, algorithm: ChecksumAlgorithm) -> Result<&'a [u8], DecodeError> {
        let trailer = self.trailer_len(algorithm);
        let end = self.bytes.len().checked_sub(trailer);
        end.and_then(|end| self.bytes.get(EventHeader::LEN..end))
            .ok_or(DecodeError {
                what: "event checksum",
                offset: EventHeader::LEN,
                kind: DecodeErrorKind::Truncated {
                    needed: trailer as u64,
                    available: self.bytes.len().saturating_sub(EventHeader::LEN),
                },
            })
    }

    /// Checks the event's checksum, if the stream has one.
    pub fn verify(&self, algorithm: ChecksumAlgorithm) -> Result<(), EventError> {
        if self.trailer_len(algorithm) == 0 {
            return Ok(());
        }
        self.body(algorithm)?;
        let Some((bytes, stored)) = self.bytes.split_last_chunk() else {
            return Ok(());
        };
        let (stored, computed) = (u32::from_le_bytes(*stored), checksum::compute(bytes));
        if stored == computed {
            Ok(())
        } else {
            Err(EventError::Checksum { stored, computed })
        }
    }

    fn trailer_len(&self, algorithm: ChecksumAlgorithm) -> usize {
        match self.header.event_type {
            EventType::FORMAT_DESCRIPTION => checksum::LEN,
            _ => algorithm.trailer_len(),
        }
    }
}

/// Appends a whole event: `header` with size and position filled in, the body that `body` appends,
/// and the checksum. Returns the offset behind the event.
///
/// `start` is the offset at which the event will lie in its file; `end_log_pos` is the offset behind
/// it cut to 32 bits, as MySQL writes it. The body must stay below 4 GiB.
pub fn write_event(
    out: &mut Vec<u8>,
    header: &EventHeader,
    start: u64,
    algorithm: ChecksumAlgorithm,
    body: impl FnOnce(&mut Vec<u8>),
) -> u64 {
    let at = out.len();
    header.encode(out);
    body(out);
    let has_checksum =
        header.event_type == EventType::FORMAT_DESCRIPTION || algorithm == ChecksumAlgorithm::Crc32;
    let trailer = if has_checksum { checksum::LEN } else { 0 };
    let len = (out.len() - at + trailer) as u64;
    let end = start.saturating_add(len);
    let [a, b, c, d, ..] = len.to_le_bytes();
    let [e, f, g, h, ..] = end.to_le_bytes();
    if let Some(fields) = out.get_mut(at.saturating_add(9)..at.saturating_add(17)) {
        fields.copy_from_slice(&[a, b, c, d, e, f, g, h]);
    }
    if has_checksum {
        checksum::append(out, at);
    }
    end
}

impl From<DecodeError> for EventError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Checksum { stored, computed } => write!(
                f,
                "event checksum is {stored:#010x}, but its bytes have {computed:#010x}"
            ),
        }
    }
}

impl std::error::Error for EventError {}
