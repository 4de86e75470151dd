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

/// Registers the files that only `current` lists for removal and makes `next` the index. Files that
/// an earlier purge could not remove stay registered.
///
/// When it fails, the index is one of the two; which one is to be read from it.
pub(super) fn unlist(
    storage: &dyn Storage,
    current: &LogIndex,
    next: &LogIndex,
) -> Result<(), LogError> {
    let register = register_name(next);
    let mut gone = registered(storage, &register)?;
    gone.extend(current.files().iter().cloned());
    gone.retain(|file| !next.contains(file));
    gone.sort();
    gone.dedup();
    let list: String = gone.iter().map(|file| format!("./{file}\n")).collect();
    replace_file(storage, &register, list.as_bytes())
        .map_err(|error| LogError::io("writing the purge register", &register, error))?;
    next.store(storage)
}

/// The files that the register names; a missing register names none.
fn registered(storage: &dyn Storage, register: &str) -> Result<Vec<LogFileName>, LogError> {
    let bytes = match read_small(storage, register, MAX_REGISTER_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LogError::io("reading the purge register", register, error)),
    };
    let lines = bytes.split(|&byte| byte == b'\n');
    let files = lines.filter_map(|line| LogFileName::parse_path(std::str::from_utf8(line).ok()?));
    Ok(files.collect())
}

/// Removes what the register names and the index does not list, in a purge or behind one that was
/// interrupted. Returns the removed files; with an error, what could not be removed stays
/// registered.
pub(super) fn remove_registered(
    storage: &dyn Storage,
    index: &LogIndex,
) -> Result<Vec<LogFileName>, LogError> {
    let register = register_name(index);
    let files = registered(storage, &register)?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut removed = Vec::new();
    let mut failure = None;
    for file in files.into_iter().filter(|file| !index.contains(file)) {
        // A schema snapshot that stays is in nobody's way.
        let _ = storage.remove(&side_file_name(file.as_str()));
        match storage.remove(file.as_str()) {
            Ok(()) => removed.push(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                failure.get_or_insert(LogError::io("removing", file.as_str(), error));
            }
        }
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    // The removals are durable before the list of them goes.
    storage
        .sync_dir()
        .and_then(|()| storage.remove(&register))
        .and_then(|()| storage.sync_dir())
        .map_err(|error| LogError::io("removing the purge register", &register, error))?;
    Ok(removed)
}
