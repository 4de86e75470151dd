//! An INCIDENT in a log: a server's word that it lacks something, which none writes when it is asked to.

use std::path::{Path, PathBuf};

use binlog::event::{ChecksumAlgorithm, EventHeader, EventType, Incident, write_event};

use crate::failure::{Failure, Result};

/// The place of the last event of a kind, by the lengths in the headers.
fn last_event(log: &[u8], kind: EventType) -> Result<usize> {
    let (mut at, mut found) = (4, None);
    while let Some(header) = log.get(at..at + 19) {
        let size = header.get(9..13).and_then(|size| size.try_into().ok());
        let size = u32::from_le_bytes(size.unwrap_or_default());
        if header.get(4) == Some(&kind.0) {
            found = Some(at);
        }
        at += usize::try_from(size)?.max(19);
    }
    found.ok_or_else(|| Failure::new("the log has no such event"))
}

/// A copy of `file` whose last event of this kind, and what follows, is an INCIDENT instead.
///
/// # Errors
/// When there is no such event.
pub fn with_incident(file: &Path, kind: EventType, directory: &Path) -> Result<PathBuf> {
    let mut log = std::fs::read(file)?;
    let at = last_event(&log, kind)?;
    let checksum = ChecksumAlgorithm::Crc32;
    log.truncate(at);
    let incident = Incident {
        incident: 1,
        message: b"error writing to the binary log",
        rest: &[],
    };
    let header = EventHeader::new(EventType::INCIDENT, 1_795_000_000, 1);
    write_event(&mut log, &header, u64::try_from(at)?, checksum, |out| {
        incident.encode(out);
    });
    let copy = directory.join(file.file_name().unwrap_or_default());
    std::fs::write(&copy, log)?;
    Ok(copy)
}
