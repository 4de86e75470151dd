//! Places in a source's log, followed over the events that come from it.

use codec::Reader;

use crate::event::{ChecksumAlgorithm, EventFlags, EventHeader, EventType, RawEvent, Rotate};

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
