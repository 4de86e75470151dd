//! Telling a torn tail from damage: does the log go on behind a bad event?
//!
//! One write puts a whole commit group into the file, and the next group is written only when the
//! disk has confirmed it. All transactions of a group carry the same commit timestamp and later
//! groups a later one. So a sound GTID event of a *later* group behind a bad event proves that the
//! bad event was durable once; one of the *same* group proves nothing, because a power loss may
//! persist the end of a write and not its middle.

use super::error::LogError;
use super::name::LogFileName;
use super::storage::{StorageFile, read_full_at};
use crate::event::{ChecksumAlgorithm, Event, EventHeader, EventType, RawEvent};

/// The largest GTID event that is looked for: the tagged form with every field at its longest.
const MAX_GTID_EVENT: usize = 512;

const WINDOW: usize = 1 << 20;

/// Offset of the first sound GTID event behind `after` that was written with a later group than
/// the one of `group`; any, if `group` is unknown.
pub(super) fn first_transaction_after(
    file: &dyn StorageFile,
    name: &LogFileName,
    after: u64,
    group: Option<u64>,
) -> Result<Option<u64>, LogError> {
    let mut base = after.saturating_add(1);
    let mut window = vec![0; WINDOW + MAX_GTID_EVENT];
    loop {
        let read = read_full_at(file, base, &mut window)
            .map_err(|error| LogError::io("searching", name.as_str(), error))?;
        let bytes = window.get(..read).unwrap_or_default();
        for at in 0..read.min(WINDOW) {
            let offset = base.saturating_add(at as u64);
            let event = bytes.get(at..).unwrap_or_default();
            if let Some(timestamp) = gtid_event_at(event, offset)
                && (group.is_none() || timestamp != group)
            {
                return Ok(Some(offset));
            }
        }
        if read <= WINDOW {
            return Ok(None);
        }
        base = base.saturating_add(WINDOW as u64);
    }
}

/// The commit timestamp of the GTID event that `bytes` begin with, if they do: type, size,
/// position and checksum must all be right.
fn gtid_event_at(bytes: &[u8], offset: u64) -> Option<Option<u64>> {
    let event_type = EventType(*bytes.get(4)?);
    if !matches!(
        event_type,
        EventType::GTID | EventType::ANONYMOUS_GTID | EventType::GTID_TAGGED
    ) {
        return None;
    }
    let head = bytes.get(..EventHeader::LEN)?;
    let header = EventHeader::decode(head).ok()?;
    let end = offset.saturating_add(u64::from(header.event_size)) & 0xffff_ffff;
    if u64::from(header.end_log_pos) != end {
        return None;
    }
    let size = usize::try_from(header.event_size).ok()?;
    let bytes = bytes.get(..size).filter(|_| size <= MAX_GTID_EVENT)?;
    let event = RawEvent { header, bytes };
    event.verify(ChecksumAlgorithm::Crc32).ok()?;
    match Event::decode(&event, ChecksumAlgorithm::Crc32).ok()? {
        Event::Gtid(gtid) => Some(gtid.commit_timestamps.map(|at| at.immediate)),
        _ => None,
    }
}
