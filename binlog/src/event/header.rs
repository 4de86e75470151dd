//! The header that every event begins with.

use codec::{DecodeError, Reader, Write};

use super::EventType;

/// | offset | size | field         | meaning                                                       |
/// |-------:|-----:|---------------|---------------------------------------------------------------|
/// |      0 |    4 | `timestamp`   | seconds since 1970, start of the statement; 0 when artificial |
/// |      4 |    1 | `event_type`  |                                                               |
/// |      5 |    4 | `server_id`   | server that wrote the event first                             |
/// |      9 |    4 | `event_size`  | header, body and checksum                                     |
/// |     13 |    4 | `end_log_pos` | offset behind the event in the file it was first written to   |
/// |     17 |    2 | `flags`       |                                                               |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventHeader {
    /// Seconds since 1970 when the statement began; 0 in artificial events.
    pub timestamp: u32,
    /// What the body is.
    pub event_type: EventType,
    /// The server that wrote the event first.
    pub server_id: u32,
    /// Bytes of header, body and checksum.
    pub event_size: u32,
    /// Offset behind this event in the file it was first written to, cut to 32 bits. 0 where there
    /// is none: never compute positions from it.
    pub end_log_pos: u32,
    /// Marks of the event.
    pub flags: EventFlags,
}

impl EventHeader {
    /// Bytes of a header.
    pub const LEN: usize = 19;

    /// Bytes of a header in binlog version 1 (MySQL 3.23): it has no `end_log_pos` and no flags.
    pub const LEN_V1: usize = 13;

    /// [`EventHeader::LEN_V1`] as a format description would have it.
    pub const LEN_V1_U8: u8 = 13;

    /// [`EventHeader::LEN`] as a format description has it.
    pub const LEN_U8: u8 = 19;

    /// A header whose size and position are still to be filled, by [`super::write_event`].
    #[must_use]
    pub const fn new(event_type: EventType, timestamp: u32, server_id: u32) -> Self {
        Self {
            timestamp,
            event_type,
            server_id,
            event_size: 0,
            end_log_pos: 0,
            flags: EventFlags::NONE,
        }
    }

    /// The same header with `flags` set as well.
    #[must_use]
    pub const fn with_flags(mut self, flags: EventFlags) -> Self {
        self.flags = EventFlags(self.flags.0 | flags.0);
        self
    }

    /// Reads a header from the front of `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            timestamp: reader.u32("event timestamp")?,
            event_type: EventType(reader.u8("event type")?),
            server_id: reader.u32("event server id")?,
            event_size: reader.u32("event size")?,
            end_log_pos: reader.u32("event end_log_pos")?,
            flags: EventFlags(reader.u16("event flags")?),
        })
    }

    /// Reads a header of binlog version 1, which ends behind the size.
    pub fn decode_v1(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            timestamp: reader.u32("event timestamp")?,
            event_type: EventType(reader.u8("event type")?),
            server_id: reader.u32("event server id")?,
            event_size: reader.u32("event size")?,
            end_log_pos: 0,
            flags: EventFlags::NONE,
        })
    }

    /// Appends the header as it is.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.timestamp);
        out.put_u8(self.event_type.0);
        out.put_u32(self.server_id);
        out.put_u32(self.event_size);
        out.put_u32(self.end_log_pos);
        out.put_u16(self.flags.0);
    }
}

/// Flag bits of an event header. Unknown bits are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventFlags(
    /// The bits as written.
    pub u16,
);

impl EventFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The file is open, or its server crashed. Only on a format description.
    pub const IN_USE: Self = Self(0x0001);
    /// The statement depends on temporary tables of its session.
    pub const THREAD_SPECIFIC: Self = Self(0x0004);
    /// The statement does not need its default schema.
    pub const SUPPRESS_USE: Self = Self(0x0008);
    /// Made by the dump thread, in no file.
    pub const ARTIFICIAL: Self = Self(0x0020);
    /// Written by the replica itself into its relay log.
    pub const RELAY_LOG: Self = Self(0x0040);
    /// A reader that does not know the type may skip the event.
    pub const IGNORABLE: Self = Self(0x0080);
    /// Not to be filtered out.
    pub const NO_FILTER: Self = Self(0x0100);
    /// To be applied alone, with nothing beside it.
    pub const ISOLATED: Self = Self(0x0200);
    /// MariaDB: the session ran with `skip_replication=1`.
    pub const SKIP_REPLICATION: Self = Self(0x8000);

    /// Whether every bit of `flags` is set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl std::ops::BitOr for EventFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

const _: () = assert!(EventHeader::LEN == 4 + 1 + 4 + 4 + 4 + 2);
const _: () = assert!(EventHeader::LEN == EventHeader::LEN_U8 as usize);
