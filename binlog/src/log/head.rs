//! The head of a log file: magic, format description, and the set of all earlier transactions.

use gtid::GtidSet;

use super::error::{Damage, LogError};
use super::format::{FIRST_EVENT, MAGIC};
use super::name::LogFileName;
use super::reader::LogReader;
use super::storage::Storage;
use super::writer::{LogFlavour, LogOptions};
use crate::event::{
    ChecksumAlgorithm, EventFlags, EventHeader, EventType, FormatDescription, write_event,
};

/// Offset in the file of the low byte of the format description's flags, which holds the in-use
/// bit.
pub(super) const FLAGS_OFFSET: u64 = FIRST_EVENT + 17;

/// What stands in front of a file's first transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHead {
    /// When the file was begun, in seconds since 1970.
    pub timestamp: u32,
    /// The server that wrote it.
    pub server_version: String,
    /// Whether the file was not closed.
    pub in_use: bool,
    /// The low byte of the format description's flags.
    pub(super) flags: u8,
    /// The transactions of all earlier files; `None` if the file does not say (old servers,
    /// MariaDB).
    pub previous_gtids: Option<GtidSet>,
    /// Where the first event after these begins.
    pub first_event: u64,
}

impl LogHead {
    /// Reads the head of `name`.
    pub fn read(storage: &dyn Storage, name: &LogFileName) -> Result<Self, LogError> {
        let mut reader = LogReader::open(storage, name)?;
        Self::read_from(&mut reader)
    }

    /// Reads the head with `reader`, which then stands in front of the event after it.
    pub fn read_from(reader: &mut LogReader) -> Result<Self, LogError> {
        let name = reader.name().clone();
        reader.seek(FIRST_EVENT);
        reader.advance(None)?;
        let (timestamp, flags) = reader.current().map_or((0, EventFlags(0)), |(_, event)| {
            (event.header.timestamp, event.header.flags)
        });
        let [low, _] = flags.0.to_le_bytes();
        let mut head = Self {
            timestamp,
            server_version: reader.description().server_version.clone(),
            in_use: flags.contains(EventFlags::IN_USE),
            flags: low,
            previous_gtids: None,
            first_event: reader.next_offset(),
        };
        let checksum = reader.checksum();
        if reader.advance(None)?
            && let Some((offset, event)) = reader.current()
        {
            if event.header.event_type == EventType::PREVIOUS_GTIDS {
                let set = event
                    .body(checksum)
                    .and_then(GtidSet::decode)
                    .map_err(|error| {
                        let event_type = Some(EventType::PREVIOUS_GTIDS);
                        LogError::corrupt(&name, offset, event_type, Damage::Undecodable(error))
                    })?;
                head.previous_gtids = Some(set);
                head.first_event = reader.next_offset();
            } else {
                reader.seek(offset);
            }
        }
        Ok(head)
    }

    /// The bytes of a new file's head.
    pub(super) fn encode(
        options: &LogOptions,
        previous_gtids: &GtidSet,
        timestamp: u32,
        is_first_after_start: bool,
    ) -> Vec<u8> {
        let own = match options.flavour {
            LogFlavour::Binary => EventFlags(0),
            LogFlavour::Relay => EventFlags::RELAY_LOG,
        };
        let mut out = MAGIC.to_vec();
        let mut description = FormatDescription::current(&options.server_version, options.checksum);
        description.created = if is_first_after_start { timestamp } else { 0 };
        let header = EventHeader {
            timestamp,
            event_type: EventType::FORMAT_DESCRIPTION,
            server_id: options.server_id,
            event_size: 0,
            end_log_pos: 0,
            flags: own,
        };
        // The checksum is that of the closed file: the in-use bit is set after it was computed.
        write_event(
            &mut out,
            &header,
            FIRST_EVENT,
            ChecksumAlgorithm::Crc32,
            |body| {
                description.encode(body);
            },
        );
        if let Some(byte) = out.get_mut(usize::try_from(FLAGS_OFFSET).unwrap_or_default()) {
            *byte |= IN_USE;
        }
        let header = EventHeader {
            event_type: EventType::PREVIOUS_GTIDS,
            flags: own | EventFlags::IGNORABLE,
            ..header
        };
        let offset = out.len() as u64;
        write_event(&mut out, &header, offset, options.checksum, |body| {
            previous_gtids.encode(body);
        });
        out
    }
}

/// The in-use bit in the low byte of the flags.
pub(super) const IN_USE: u8 = 1;
