//! Packet framing: payloads cut into packets of at most 16 MiB - 1, each with a sequence number.
//!
//! | offset | size | field                                  |
//! |-------:|-----:|----------------------------------------|
//! |      0 |    3 | length of this packet's part           |
//! |      3 |    1 | sequence number                        |
//! |      4 | rest | part of the payload                    |
//!
//! A part of `0xffffff` bytes is followed by another, which may be empty. The sequence number
//! starts at 0 with each command and is shared by both directions.
//!
//! This module knows no socket. Memory is bounded: the decoder never asks for more room than the
//! packet that is arriving needs, and refuses a payload above its limit before it has arrived.

use std::fmt;

use bytes::{Buf as _, Bytes, BytesMut};
use codec::Write as _;

/// Size of a packet's header.
pub const HEADER_LEN: usize = 4;
/// Largest part of a payload that one packet carries; a part of this size is continued.
pub const PART_MAX: usize = 0xff_ffff;
/// The largest payload of a login or an answer to it; nothing there is near this.
pub const LOGIN_PAYLOAD_MAX: usize = 64 << 10;

/// Bytes of a part that may share its room with what was received behind it.
const SHARED_MAX: usize = 64 << 10;

/// Why a packet cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketError {
    /// A packet with another sequence number than the next one.
    OutOfOrder {
        /// The number that was due.
        expected: u8,
        /// The number that came.
        found: u8,
    },
    /// The payload would be larger than `max_allowed_packet`.
    TooLarge {
        /// Bytes announced so far.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfOrder { expected, found } => {
                write!(
                    f,
                    "packet with sequence number {found}, expected {expected}"
                )
            }
            Self::TooLarge { size, limit } => {
                write!(
                    f,
                    "packet of at least {size} bytes, max_allowed_packet is {limit}"
                )
            }
        }
    }
}

impl std::error::Error for PacketError {}

/// Takes received bytes and yields payloads.
#[derive(Debug)]
pub struct Decoder {
    received: BytesMut,
    /// The parts of a payload that is continued.
    parts: Option<BytesMut>,
    limit: usize,
    /// Whether packets of other numbers than the due ones are taken.
    takes_any_sequence: bool,
}

impl Decoder {
    /// A decoder that accepts payloads of up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            received: BytesMut::new(),
            parts: None,
            limit,
            takes_any_sequence: false,
        }
    }

    /// Accepts payloads of up to `limit` bytes from now on.
    pub const fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes packets whatever their number, and goes on from it: inside a compressed stream, which
    /// has numbers of its own.
    pub(crate) const fn take_any_sequence(&mut self) {
        self.takes_any_sequence = true;
    }

    /// Where received bytes are appended.
    pub const fn buffer(&mut self) -> &mut BytesMut {
        &mut self.received
    }

    /// Bytes still missing from the packet that is arriving; a hint for the size of the next read.
    #[must_use]
    pub fn missing(&self) -> usize {
        match self.header() {
            Some((len, _)) => (len + HEADER_LEN).saturating_sub(self.received.len()),
            None => HEADER_LEN - self.received.len().min(HEADER_LEN),
        }
    }

    /// Bytes of the payload that is arriving, as far as they are announced.
    #[must_use]
    pub fn announced(&self) -> usize {
        let parts = self.parts.as_ref().map_or(0, BytesMut::len);
        self.header().map_or(parts, |(len, _)| parts + len)
    }

    /// Whether no byte of a next payload was received.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.received.is_empty() && self.parts.is_none()
    }

    /// The next payload, once it is complete. `sequence` is the number that is due, and is
    /// advanced over each packet taken.
    pub fn next(&mut self, sequence: &mut u8) -> Result<Option<Bytes>, PacketError> {
        loop {
            let Some((len, found)) = self.header() else {
                return Ok(None);
            };
            if self.takes_any_sequence {
                *sequence = found;
            } else if found != *sequence {
                let expected = *sequence;
                return Err(PacketError::OutOfOrder { expected, found });
            }
            let size = self.parts.as_ref().map_or(0, BytesMut::len) + len;
            if size > self.limit {
                return Err(PacketError::TooLarge {
                    size,
                    limit: self.limit,
                });
            }
            if self.received.len() < HEADER_LEN + len {
                return Ok(None);
            }
            *sequence = sequence.wrapping_add(1);
            self.received.advance(HEADER_LEN);
            let part = self.received.split_to(len);
            if len > SHARED_MAX {
                // What comes next must not keep the room of this part.
                self.received = BytesMut::from(&self.received[..]);
            }
            match (self.parts.take(), len == PART_MAX) {
                (None, false) => return Ok(Some(part.freeze())),
                (None, true) => self.parts = Some(part),
                (Some(mut parts), is_continued) => {
                    parts.extend_from_slice(&part);
                    if !is_continued {
                        return Ok(Some(parts.freeze()));
                    }
                    self.parts = Some(parts);
                }
            }
        }
    }

    fn header(&self) -> Option<(usize, u8)> {
        let [a, b, c, sequence] = *self.received.first_chunk()?;
        let len = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        Some((len, sequence))
    }
}

/// Collects payloads as packets, ready to be written.
#[derive(Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
}

impl Encoder {
    /// Appends the payload that `body` writes, cut into packets. `sequence` is the number of the
    /// first, and is advanced over each packet appended.
    pub fn packet(&mut self, sequence: &mut u8, body: impl FnOnce(&mut Vec<u8>)) {
        let start = self.out.len();
        self.out.put(&[0; HEADER_LEN]);
        body(&mut self.out);
        let len = self.out.len() - start - HEADER_LEN;
        if len < PART_MAX {
            let header = header(len, *sequence);
            *sequence = sequence.wrapping_add(1);
            if let Some(place) = self.out.get_mut(start..start + HEADER_LEN) {
                place.copy_from_slice(&header);
            }
        } else {
            self.split(start, sequence);
        }
    }

    /// The bytes to write.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.out
    }

    /// Forgets the pending bytes, which were written. Room of an unusually large response is
    /// given back.
    pub fn clear(&mut self) {
        const KEPT: usize = 512 << 10;
        self.out.clear();
        self.out.shrink_to(KEPT);
    }

    fn split(&mut self, start: usize, sequence: &mut u8) {
        let payload = self.out.split_off(start + HEADER_LEN);
        self.out.truncate(start);
        let mut parts = payload.chunks(PART_MAX);
        loop {
            let part = parts.next().unwrap_or_default();
            self.out.put(&header(part.len(), *sequence));
            self.out.put(part);
            *sequence = sequence.wrapping_add(1);
            if part.len() < PART_MAX {
                return;
            }
        }
    }
}

fn header(len: usize, sequence: u8) -> [u8; HEADER_LEN] {
    let [a, b, c, ..] = len.to_le_bytes();
    [a, b, c, sequence]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(sizes: &[usize], chunk: usize) {
        let mut encoder = Encoder::default();
        let mut sequence = 250;
        for &size in sizes {
            encoder.packet(&mut sequence, |out| out.resize(out.len() + size, 7));
        }
        let mut decoder = Decoder::new(usize::MAX);
        let mut due = 250;
        let mut found = Vec::new();
        for bytes in encoder.pending().chunks(chunk) {
            decoder.buffer().extend_from_slice(bytes);
            while let Some(payload) = decoder.next(&mut due).unwrap() {
                assert!(payload.iter().all(|&byte| byte == 7));
                found.push(payload.len());
            }
        }
        assert_eq!(found, sizes);
        assert_eq!(due, sequence);
        assert!(decoder.is_idle());
    }

    #[test]
    fn payloads_around_the_packet_size_round_trip() {
        let sizes = [0, 1, PART_MAX - 1, PART_MAX, PART_MAX + 1, 2 * PART_MAX, 3];
        round_trip(&sizes, 1 << 20);
    }

    #[test]
    fn a_payload_of_exactly_one_part_is_followed_by_an_empty_packet() {
        let mut encoder = Encoder::default();
        let mut sequence = 0;
        encoder.packet(&mut sequence, |out| out.resize(out.len() + PART_MAX, 0));
        assert_eq!(sequence, 2);
        assert!(encoder.pending().ends_with(&[0, 0, 0, 1]));
    }

    #[test]
    fn refuses_a_packet_out_of_order() {
        let mut decoder = Decoder::new(100);
        decoder.buffer().extend_from_slice(&[1, 0, 0, 3, 9]);
        let error = decoder.next(&mut 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "packet with sequence number 3, expected 2"
        );
    }

    #[test]
    fn refuses_a_payload_above_the_limit_before_it_arrives() {
        let mut decoder = Decoder::new(100);
        decoder.buffer().extend_from_slice(&[101, 0, 0, 0]);
        assert_eq!(
            decoder.next(&mut 0),
            Err(PacketError::TooLarge {
                size: 101,
                limit: 100
            })
        );
    }

    #[test]
    fn what_comes_behind_a_large_payload_does_not_keep_its_room() {
        let mut decoder = Decoder::new(usize::MAX);
        let mut encoder = Encoder::default();
        let mut sequence = 0;
        encoder.packet(&mut sequence, |out| out.resize(out.len() + (4 << 20), 7));
        encoder.packet(&mut sequence, |out| out.put(b"next"));
        decoder.buffer().extend_from_slice(encoder.pending());
        assert_eq!(decoder.announced(), 4 << 20);
        let mut due = 0;
        let large = decoder.next(&mut due).unwrap().unwrap();
        assert_eq!(large.len(), 4 << 20);
        assert!(decoder.buffer().capacity() < 1 << 20);
        assert_eq!(&decoder.next(&mut due).unwrap().unwrap()[..], b"next");
    }

    proptest! {
        #[test]
        fn payloads_round_trip_whatever_the_reads(
            sizes in prop::collection::vec(0usize..3000, 0..20), chunk in 1usize..2000,
        ) {
            round_trip(&sizes, chunk);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, limit in 0usize..100) {
            let mut decoder = Decoder::new(limit);
            decoder.buffer().extend_from_slice(&bytes);
            let mut sequence = 0;
            while let Ok(Some(_)) = decoder.next(&mut sequence) {}
            let _ = decoder.missing();
        }
    }
}
