//! Events that a dump session makes itself, and the format description, which it changes.
//!
//! They lie in no file. Before the first format description their checksum follows what the replica
//! announced, after it what the file has; a format description always carries one.
//!
//! Spec: mysql-server 8.4, `sql/rpl_binlog_sender.cc`, `fake_rotate_event`,
//! `send_format_description_event`, `send_heartbeat_event_v1`, `send_heartbeat_event_v2`.

use std::borrow::Cow;

use binlog::event::{
    ChecksumAlgorithm, EventFlags, EventHeader, EventType, Heartbeat, Rotate, checksum,
};
use binlog::log::LogPosition;

/// Makes events in the name of one server, for one replica.
#[derive(Debug, Clone, Copy)]
pub(super) struct Artificial {
    /// The source's `server_id`.
    pub(super) server_id: u32,
    /// Whether the events carry a checksum.
    pub(super) checksum: ChecksumAlgorithm,
    /// Whether heartbeats are of version 2.
    pub(super) has_heartbeat_v2: bool,
}

impl Artificial {
    /// Says that what follows comes from `position`.
    pub(super) fn rotate(&self, position: &LogPosition) -> Vec<u8> {
        let header = EventHeader::new(EventType::ROTATE, 0, self.server_id)
            .with_flags(EventFlags::ARTIFICIAL);
        let rotate = Rotate {
            position: position.offset,
            file: Cow::Borrowed(position.file.as_str()),
        };
        self.frame(header, |out| rotate.encode(out))
    }

    /// Says that nothing is to be sent up to `position`. `None` where version 1 has no room for
    /// the offset; MySQL sends none then.
    pub(super) fn heartbeat(&self, position: &LogPosition) -> Option<Vec<u8>> {
        let heartbeat = Heartbeat {
            version: if self.has_heartbeat_v2 { 2 } else { 1 },
            file: Cow::Borrowed(position.file.as_str().as_bytes()),
            position: position.offset,
            unknown_fields: Vec::new(),
        };
        let mut header = EventHeader::new(heartbeat.event_type(), 0, self.server_id);
        header.end_log_pos = match u32::try_from(position.offset) {
            Ok(offset) => offset,
            Err(_) if self.has_heartbeat_v2 => {
                let [a, b, c, d, ..] = position.offset.to_le_bytes();
                u32::from_le_bytes([a, b, c, d])
            }
            Err(_) => return None,
        };
        Some(self.frame(header, |out| heartbeat.encode(out)))
    }

    fn frame(&self, mut header: EventHeader, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        body(&mut bytes);
        let len = EventHeader::LEN + bytes.len() + self.checksum.trailer_len();
        // Names of files are short.
        header.event_size = u32::try_from(len).unwrap_or(u32::MAX);
        let mut event = Vec::with_capacity(len);
        header.encode(&mut event);
        event.append(&mut bytes);
        if self.checksum == ChecksumAlgorithm::Crc32 {
            checksum::append(&mut event, 0);
        }
        event
    }
}

/// Offsets in a format description.
const END_LOG_POS: std::ops::Range<usize> = 13..17;
const FLAGS: std::ops::Range<usize> = 17..19;
const CREATED: std::ops::Range<usize> = 71..75;

/// The stored format description as replicas get it: not in use, and, when the dump begins in the
/// middle of the file, without position and creation time, which would make the replica drop its
/// temporary tables.
pub(super) fn format_description(stored: &[u8], is_mid_file: bool) -> Vec<u8> {
    let mut event = stored.to_vec();
    if let Some([low, _]) = event.get_mut(FLAGS) {
        let [in_use, _] = EventFlags::IN_USE.0.to_le_bytes();
        *low &= !in_use;
    }
    if is_mid_file {
        for range in [END_LOG_POS, CREATED] {
            if let Some(field) = event.get_mut(range) {
                field.fill(0);
            }
        }
    }
    event.truncate(event.len().saturating_sub(checksum::LEN));
    checksum::append(&mut event, 0);
    event
}

#[cfg(test)]
mod tests {
    use binlog::log::LogFileName;

    use super::*;
    use crate::dump::tests::hex;

    fn position(number: u32, offset: u64) -> LogPosition {
        LogPosition::new(LogFileName::new("binlog", number), offset)
    }

    #[test]
    fn makes_the_bytes_that_mysql_97_makes() {
        let mut artificial = Artificial {
            server_id: 1,
            checksum: ChecksumAlgorithm::Crc32,
            has_heartbeat_v2: true,
        };
        assert_eq!(
            artificial.rotate(&position(1, 4)),
            hex("000000000401000000 2c000000 00000000 2000 0400000000000000\
                 62696e6c6f672e303030303031e9d2ca6e")
        );
        assert_eq!(
            artificial.heartbeat(&position(1, 0x688)).unwrap(),
            hex(
                "0000000029010000002c000000880600000000010d62696e6c6f672e3030303030310203fc880600\
                 93ae0c4f"
            )
        );
        artificial.checksum = ChecksumAlgorithm::None;
        assert_eq!(
            artificial.rotate(&position(1, 4)),
            hex("00000000040100000028000000000000002000040000000000000062696e6c6f672e303030303031")
        );
    }

    #[test]
    fn a_heartbeat_of_version_1_cannot_name_a_position_beyond_4_gib() {
        let artificial = Artificial {
            server_id: 1,
            checksum: ChecksumAlgorithm::Crc32,
            has_heartbeat_v2: false,
        };
        assert!(artificial.heartbeat(&position(1, 1 << 32)).is_none());
        let heartbeat = artificial.heartbeat(&position(1, 0xffff_ffff)).unwrap();
        assert!(checksum::verify(&heartbeat));
        assert_eq!(&heartbeat[13..17], [0xff; 4]);
    }

    #[test]
    fn a_format_description_is_sent_as_not_in_use_and_without_its_place_in_mid_file() {
        // The file of a running MySQL 9.7, as it lies on disk and as it was sent.
        let sent = include_str!("testdata/mysql_97_by_position.txt");
        let sent = hex(sent.lines().nth(1).unwrap());
        let mut stored = sent.clone();
        stored[17] = 1;
        let start = stored.len() - 4;
        stored.truncate(start);
        checksum::append(&mut stored, 0);
        assert_eq!(format_description(&stored, false), sent);
        let mid_file = format_description(&stored, true);
        assert!(checksum::verify(&mid_file));
        assert_eq!(mid_file[13..17], [0; 4]);
        assert_eq!(mid_file[71..75], [0; 4]);
        assert_eq!(mid_file[..13], sent[..13]);
    }
}
