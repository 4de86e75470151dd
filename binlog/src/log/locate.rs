//! Which file to start reading from: for a set of transactions that is already there, or a time.

use gtid::GtidSet;

use super::error::LogError;
use super::head::LogHead;
use super::index::LogIndex;
use super::name::LogFileName;
use super::storage::Storage;

/// The newest file from which nothing is missing for a reader that has `held`: all transactions
/// of earlier files are in it.
///
/// Fails with [`LogError::Purged`] if the reader lacks a transaction that is in no file any more.
pub fn locate_by_gtid_set(
    storage: &dyn Storage,
    index: &LogIndex,
    held: &GtidSet,
) -> Result<LogFileName, LogError> {
    let mut missing = GtidSet::default();
    for file in index.files().iter().rev() {
        let previous = LogHead::read(storage, file)?
            .previous_gtids
            .unwrap_or_default();
        if previous.is_subset_of(held) {
            return Ok(file.clone());
        }
        missing = previous;
        missing.subtract(held);
    }
    if index.files().is_empty() {
        return Err(LogError::UnknownFile {
            file: index.name().to_owned(),
        });
    }
    Err(LogError::Purged { missing })
}

/// The oldest file that may hold an event of `time` (seconds since 1970) or later: files in front
/// of it were ended earlier. The file that is written is the last that can be returned.
pub fn first_file_since(
    storage: &dyn Storage,
    index: &LogIndex,
    time: u32,
) -> Result<Option<LogFileName>, LogError> {
    for (file, next) in index.files().iter().zip(index.files().iter().skip(1)) {
        // A file was ended when the next one was begun.
        if LogHead::read(storage, next)?.timestamp >= time {
            return Ok(Some(file.clone()));
        }
    }
    Ok(index.last().cloned())
}
