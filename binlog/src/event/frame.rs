//! Whole events as bytes: taking one apart into header and body, and framing one for a log.

use std::fmt;

use codec::{DecodeError, DecodeErrorKind};

use super::checksum::{self, ChecksumAlgorithm};
use super::{EventFormat, EventHeader, EventType, format_description};

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
        check_size(&header, bytes)?;
        Ok(Self { header, bytes })
    }

    /// Takes `bytes` as one whole event of a stream of `format`, whose headers may be shorter.
    pub fn parse_as(bytes: &'a [u8], format: impl Into<EventFormat>) -> Result<Self, DecodeError> {
        if usize::from(format.into().header_len) >= EventHeader::LEN {
            return Self::parse(bytes);
        }
        let header = EventHeader::decode_v1(bytes)?;
        check_size(&header, bytes)?;
        Ok(Self { header, bytes })
    }

    /// Bytes of this event's header. A format description keeps to 19 whatever it announces.
    #[must_use]
    pub fn header_len(&self, format: impl Into<EventFormat>) -> usize {
        match self.header.event_type {
            EventType::FORMAT_DESCRIPTION => EventHeader::LEN,
            _ => usize::from(format.into().header_len),
        }
    }

    /// What patched servers put between the header's 19 bytes and the body; empty elsewhere.
    #[must_use]
    pub fn extra_header(&self, format: impl Into<EventFormat>) -> &'a [u8] {
        let range = EventHeader::LEN..self.header_len(format);
        self.bytes.get(range).unwrap_or(&[])
    }

    /// The bytes between header and checksum.
    pub fn body(&self, format: impl Into<EventFormat>) -> Result<&'a [u8], DecodeError> {
        let format = format.into();
        let (start, trailer) = (self.header_len(format), self.trailer_len(format));
        let end = self.bytes.len().checked_sub(trailer);
        end.and_then(|end| self.bytes.get(start..end))
            .ok_or(DecodeError {
                what: "event checksum",
                offset: start,
                kind: DecodeErrorKind::Truncated {
                    needed: trailer as u64,
                    available: self.bytes.len().saturating_sub(start),
                },
            })
    }

    /// Checks the event's checksum, if the stream has one.
    pub fn verify(&self, format: impl Into<EventFormat>) -> Result<(), EventError> {
        let format = format.into();
        if self.trailer_len(format) == 0 {
            return Ok(());
        }
        self.body(format)?;
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

    /// Bytes of this event's checksum. A format description of a server that knows checksums has
    /// one even where the other events have none.
    #[must_use]
    pub fn trailer_len(&self, format: impl Into<EventFormat>) -> usize {
        match self.header.event_type {
            EventType::FORMAT_DESCRIPTION if format_description::has_checksum(self.bytes) => {
                checksum::LEN
            }
            EventType::FORMAT_DESCRIPTION => 0,
            _ => format.into().checksum.trailer_len(),
        }
    }

    /// Appends this event with another body: header (its size corrected) and extra header as they
    /// are, the body that `body` appends, and the checksum.
    pub fn reframe(
        &self,
        out: &mut Vec<u8>,
        format: impl Into<EventFormat>,
        body: impl FnOnce(&mut Vec<u8>),
    ) {
        let format = format.into();
        let (at, trailer) = (out.len(), self.trailer_len(format));
        let head = self.bytes.get(..self.header_len(format));
        out.extend_from_slice(head.unwrap_or(&[]));
        body(out);
        let len = (out.len() - at + trailer) as u64;
        let [a, b, c, d, ..] = len.to_le_bytes();
        if let Some(field) = out.get_mut(at.saturating_add(9)..at.saturating_add(13)) {
            field.copy_from_slice(&[a, b, c, d]);
        }
        if trailer != 0 {
            checksum::append(out, at);
        }
    }
}

fn check_size(header: &EventHeader, bytes: &[u8]) -> Result<(), DecodeError> {
    if u32::try_from(bytes.len()) == Ok(header.event_size) {
        return Ok(());
    }
    let found = u64::from(header.event_size);
    let expected = "the number of bytes that the event has";
    Err(DecodeError::invalid("event size", 9, found, expected))
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
    let has_checksum = if header.event_type == EventType::FORMAT_DESCRIPTION {
        format_description::has_checksum(out.get(at..).unwrap_or(&[]))
    } else {
        algorithm == ChecksumAlgorithm::Crc32
    };
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
