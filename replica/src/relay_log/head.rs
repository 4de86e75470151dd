//! What a relay log says about the source's files and about itself: the artificial rotate, and the
//! transactions of a MariaDB source that earlier files hold.
//!
//! Format: mysqld's relay logs begin each stretch of a source's file with a rotate event that no
//! file of the source holds (flag 0x20, timestamp 0, end_log_pos 0).

use binlog::event::{
    ChecksumAlgorithm, Event, EventFlags, EventHeader, EventType, GtidList, Rotate, checksum,
    write_event,
};
use binlog::log::{LogOptions, SourceCoordinates};
use gtid::MariaPosition;

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

/// The event that says which transactions of a MariaDB source earlier files hold, as PREVIOUS_GTIDS
/// says it of MySQL's. It begins at `start` and is the replica's own.
pub(super) fn gtid_list(
    position: &MariaPosition,
    options: &LogOptions,
    start: u64,
    timestamp: u32,
) -> Vec<u8> {
    let list = GtidList {
        gtids: position.iter().collect(),
        ..GtidList::default()
    };
    let header = EventHeader {
        timestamp,
        event_type: EventType::MARIADB_GTID_LIST,
        server_id: options.server_id,
        event_size: 0,
        end_log_pos: 0,
        flags: EventFlags::RELAY_LOG | EventFlags::IGNORABLE,
    };
    let mut event = Vec::new();
    write_event(&mut event, &header, start, options.checksum, |out| {
        list.encode(out);
    });
    event
}

/// The transactions that such an event names; `None` if `event` is another one.
pub(super) fn in_gtid_list(event: &Event<'_>, header: &EventHeader) -> Option<MariaPosition> {
    match event {
        Event::GtidList(list) if header.flags.contains(EventFlags::RELAY_LOG) => {
            Some(list.position())
        }
        _ => None,
    }
}
