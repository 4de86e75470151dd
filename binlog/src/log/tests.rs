//! Tests of the log as a whole, on the simulated disk.

#![allow(
    clippy::cast_possible_truncation,
    reason = "the tests' numbers are small and chosen here"
)]

mod crashing;
mod encrypting;
mod writing;

use std::sync::Arc;

use gtid::GtidSet;

use super::encryption::LogEncryption;
use super::*;
use crate::event::{ChecksumAlgorithm, EventFlags, EventHeader, EventType, write_event};

pub(super) fn options() -> LogOptions {
    LogOptions {
        base: "b".to_owned(),
        index: "b.index".to_owned(),
        flavour: LogFlavour::Binary,
        max_size: 4096,
        server_id: 7,
        server_version: "8.4.5-weir".to_owned(),
        checksum: ChecksumAlgorithm::Crc32,
    }
}

pub(super) fn create(storage: &SimStorage) -> Result<LogWriter, LogError> {
    let index = LogIndex::load(storage, "b.index")?;
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    LogWriter::create(
        storage,
        options(),
        index,
        &GtidSet::default(),
        1_700_000_000,
    )
}

pub(super) fn set(text: &str) -> GtidSet {
    text.parse().unwrap()
}

/// An event of `len` bytes of body at `offset`.
pub(super) fn event(event_type: EventType, offset: u64, body: &[u8]) -> Vec<u8> {
    let header = EventHeader {
        timestamp: 1_700_000_000,
        event_type,
        server_id: 7,
        event_size: 0,
        end_log_pos: 0,
        flags: EventFlags(0),
    };
    let mut out = Vec::new();
    write_event(&mut out, &header, offset, ChecksumAlgorithm::Crc32, |out| {
        out.extend_from_slice(body);
    });
    out
}

/// The types of a file's events.
pub(super) fn types(storage: &dyn Storage, file: &LogFileName) -> Vec<EventType> {
    let mut reader = LogReader::open(storage, file).unwrap();
    reader.check_positions();
    let mut types = Vec::new();
    while reader.advance(None).unwrap() {
        types.push(reader.current().unwrap().1.header.event_type);
    }
    types
}
