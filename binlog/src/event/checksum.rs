//! Event checksums: CRC-32 (IEEE) over everything before the last four bytes.
//!
//! The in-use flag of a format description is taken as cleared, so that the checksum stays right
//! when the flag is cleared in place.

use codec::Write;

use super::{EventFlags, EventType};

/// Bytes of a checksum.
pub const LEN: usize = 4;

/// How the events of a file or stream are checksummed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// Events end with their body.
    None,
    /// Every event ends in a CRC-32.
    Crc32,
}

impl ChecksumAlgorithm {
    /// The algorithm's code in a format description.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Crc32 => 1,
        }
    }

    /// The algorithm of a code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::Crc32),
            _ => None,
        }
    }

    /// Bytes that follow the body of every event but a format description.
    #[must_use]
    pub const fn trailer_len(self) -> usize {
        match self {
            Self::None => 0,
            Self::Crc32 => LEN,
        }
    }
}

/// The checksum that the event in `bytes`, given without its own, must carry.
#[must_use]
pub fn compute(bytes: &[u8]) -> u32 {
    let in_use = bytes.get(17).is_some_and(|flags| flags & 1 == 1);
    let is_format_description = bytes.get(4) == Some(&EventType::FORMAT_DESCRIPTION.0);
    if !(in_use && is_format_description) {
        return crc32fast::hash(bytes);
    }
    let (head, tail) = bytes.split_at(17);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    if let Some((flags, rest)) = tail.split_first() {
        let [in_use, _] = EventFlags::IN_USE.0.to_le_bytes();
        hasher.update(&[flags & !in_use]);
        hasher.update(rest);
    }
    hasher.finalize()
}

/// Whether the last four bytes of an event are its checksum.
#[must_use]
pub fn verify(event: &[u8]) -> bool {
    event
        .split_last_chunk::<LEN>()
        .is_some_and(|(bytes, stored)| compute(bytes) == u32::from_le_bytes(*stored))
}

/// Appends the checksum of the event that begins at `start` of `out` and is otherwise complete.
pub fn append(out: &mut Vec<u8>, start: usize) {
    let checksum = compute(out.get(start..).unwrap_or(&[]));
    out.put_u32(checksum);
}
