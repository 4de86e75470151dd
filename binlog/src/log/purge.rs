//! Taking old files out of the log: the index first, then the files, crash-safe.
//!
//! What is about to go is written to a register beside the index (MySQL's `.~rec~` file) before
//! the index changes. Only files of that register that the index does not list are ever removed
//! at a start, so a file that somebody put beside the log is left alone.

use std::io;

use super::error::LogError;
use super::index::LogIndex;
use super::name::LogFileName;
use super::storage::{Storage, read_small, replace_file};
use crate::schema::side_file_name;

/// A register of this size names a quarter of a million files.
const MAX_REGISTER_BYTES: u64 = 16 << 20;

fn register_name(index: &LogIndex) -> String {
    let base = index.name().strip_suffix(".index").unwrap_or(index.name());
    format!("{base}.~rec~")
}

/// Makes `next` the index and removes the files that only `current` lists. Returns those files.
pub(super) fn remove_unlisted(
    storage: &dyn Storage,
    current: &LogIndex,
    next: &LogIndex,
) -> Result<Vec<LogFileName>, LogError> {
    let gone: Vec<LogFileName> = current
        .files()
        .iter()
        .filter(|file| !next.contains(file))
        .cloned()
        .collect();
    if gone.is_empty() {
        return Ok(gone);
    }
    let register = register_name(next);
    let list: String = gone.iter().map(|file| format!("./{file}\n")).collect();
    replace_file(storage, &register, list.as_bytes())
        .map_err(|error| LogError::io("writing the purge register", &register, error))?;
    next.store(storage)?;
    remove_registered(storage, next)?;
    Ok(gone)
}

/// Removes what an interrupted purge left: files that its register names and the index does not
/// list. Returns the removed files.
pub(super) fn remove_registered(
    storage: &dyn Storage,
    index: &LogIndex,
) -> Result<Vec<LogFileName>, LogError> {
    let register = register_name(index);
    let bytes = match read_small(storage, &register, MAX_REGISTER_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LogError::io("reading the purge register", &register, error)),
    };
    let mut removed = Vec::new();
    let files = bytes
        .split(|&byte| byte == b'\n')
        .filter_map(|line| LogFileName::parse_path(std::str::from_utf8(line).ok()?));
    for file in files.filter(|file| !index.contains(file)) {
        // A schema snapshot that stays is in nobody's way.
        let _ = storage.remove(&side_file_name(file.as_str()));
        match storage.remove(file.as_str()) {
            Ok(()) => removed.push(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(LogError::io("removing", file.as_str(), error)),
        }
    }
    // The removals are durable before the list of them goes.
    storage
        .sync_dir()
        .and_then(|()| storage.remove(&register))
        .and_then(|()| storage.sync_dir())
        .map_err(|error| LogError::io("removing the purge register", &register, error))?;
    Ok(removed)
}
