//! What a relay log says about the source's files: the artificial rotate.
//!
//! Format: mysqld's relay logs begin each stretch of a source's file with a rotate event that no
//! file of the source holds (flag 0x20, timestamp 0, end_log_pos 0).

use binlog::event::{ChecksumAlgorithm, EventFlags, EventHeader, EventType, Rotate, checksum};
use binlog::log::SourceCoordinates;

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
