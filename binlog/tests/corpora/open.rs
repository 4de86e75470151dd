//! Files of the corpora through the crate's own readers, keys at hand.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    reason = "each test uses its own part, and fails by panicking"
)]

use std::path::Path;

use binlog::limits::Limits;
use binlog::log::encryption::Keys;
use binlog::log::{Checksums, LogFileName, LogReader, OsStorage, ReadOptions, Storage as _};
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;

use super::Case;

/// The keys of a case; none for most.
pub fn keys(case: &Case) -> Keys {
    let mut keys = Keys::default();
    if case.needs_file_keys() {
        keys = keys.with(Keys::load_file_keys(case.file_keys()).unwrap());
    }
    if case.keyring().is_file() {
        keys = keys.with(Keys::load_keyring(case.keyring()).unwrap());
    }
    keys
}

/// A reader of one file, which may have any name.
pub fn log(path: &Path, keys: Keys, checksums: Checksums) -> LogReader {
    let options = ReadOptions {
        checksums,
        keys,
        ..ReadOptions::default()
    };
    let name = path.file_name().unwrap().to_str().unwrap();
    let storage = OsStorage::new(path.parent().unwrap());
    let file = storage.open_read(name).unwrap();
    let name = LogFileName::parse(name).unwrap_or_else(|| LogFileName::new(name, 1));
    LogReader::over_with(file, name, &options)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every event of a file, those in payloads too.
pub fn stream(path: &Path, keys: Keys) -> EventStream<LogReader> {
    EventStream::new(log(path, keys, Checksums::Stop), Limits::default())
}

/// A file, transaction by transaction.
pub fn transactions(path: &Path, keys: Keys) -> TransactionReader<LogReader> {
    TransactionReader::new(stream(path, keys))
}
