//! What a relay log says about the source's files: the artificial rotate, and source coordinates
//! followed over events.
//!
//! Format: mysqld's relay logs begin each stretch of a source's file with a rotate event that no
//! file of the source holds (flag 0x20, timestamp 0, end_log_pos 0).

use binlog::event::{
    ChecksumAlgorithm, EventFlags, EventHeader, EventType, RawEvent, Rotate, checksum,
};
use codec::Reader;

/// A place in the source's binary log: where its next event begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCoordinates {
    /// The source's file name.
    pub file: String,
    /// Bytes from the start of the file.
    pub offset: u64,
}

impl SourceCoordinates {
    /// The place behind `event`, read at this place.
    ///
    /// `end_log_pos` holds 32 bits only, and MariaDB 11.4 and later leave it 0 for events that
    /// went through the transaction cache, so it is a hint that the sizes confirm: what it says is
    /// taken as the low half of a position that never goes back.
    #[must_use]
    pub fn after(&self, event: &RawEvent<'_>, algorithm: ChecksumAlgorithm) -> Self {
        let header = &event.header;
        if header.event_type == EventType::ROTATE {
            return Self::named_by_rotate(event, algorithm).unwrap_or_else(|| self.clone());
        }
        if header.flags.contains(EventFlags::ARTIFICIAL) {
            return self.clone();
        }
        let offset = match u64::from(header.end_log_pos) {
            // It may be sent, or repeated by a relay log, in the middle of a file.
            end if header.event_type == EventType::FORMAT_DESCRIPTION => self.offset.max(end),
            0 => self.offset.saturating_add(u64::from(header.event_size)),
            low => self.forward_to_low_half(low),
        };
        Self {
            file: self.file.clone(),
            offset,
        }
    }

    /// The place that a rotate event names.
    #[must_use]
    pub fn named_by_rotate(event: &RawEvent<'_>, algorithm: ChecksumAlgorithm) -> Option<Self> {
        let body = event.body(algorithm).ok()?;
        let rotate = Rotate::decode(Reader::at(body, EventHeader::LEN)).ok()?;
        Some(Self {
            file: rotate.file.into_owned(),
            offset: rotate.position,
        })
    }

    /// The lowest position not before this one whose low 32 bits are `low`.
    #[must_use]
    pub fn forward_to_low_half(&self, low: u64) -> u64 {
        let candidate = self.offset & !0xffff_ffff | low;
        if candidate < self.offset {
            candidate.saturating_add(1 << 32)
        } else {
            candidate
        }
    }
}

/// The event that says where the following ones come from.
#[must_use]
pub fn artificial_rotate(source: &SourceCoordinates, algorithm: ChecksumAlgorithm) -> Vec<u8> {
    let rotate = Rotate {
        position: source.offset,
        file: source.file.as_str().into(),
    };
    let mut body = Vec::new();
    rotate.encode(&mut body);
    let size = EventHeader::LEN + body.len() + algorithm.trailer_len();
    let header = EventHeader {
        timestamp: 0,
        event_type: EventType::ROTATE,
        server_id: 0,
        event_size: u32::try_from(size).unwrap_or(u32::MAX),
        end_log_pos: 0,
        flags: EventFlags::ARTIFICIAL,
    };
    let mut event = Vec::with_capacity(size);
    header.encode(&mut event);
    event.extend_from_slice(&body);
    if algorithm == ChecksumAlgorithm::Crc32 {
        checksum::append(&mut event, 0);
    }
    event
}
