//! The index: which files belong to the log, oldest first, one path per line.
//!
//! The file is only ever replaced as a whole (temporary file, sync, rename, sync of the
//! directory), so after a crash it is the old list or the new one. A file that is not in the index
//! is not part of the log.

use std::io;

use super::error::LogError;
use super::name::LogFileName;
use super::storage::{Storage, read_small, replace_file, stage_file};

/// An index of this size lists a quarter of a million files; a larger one is not an index.
const MAX_INDEX_BYTES: u64 = 16 << 20;

/// The list of a log's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogIndex {
    name: String,
    files: Vec<LogFileName>,
}

impl LogIndex {
    /// Reads the index `name`; a missing file is an empty index.
    pub fn load(storage: &dyn Storage, name: &str) -> Result<Self, LogError> {
        let bytes = match read_small(storage, name, MAX_INDEX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(LogError::io("reading the log index", name, error)),
        };
        let mut files: Vec<LogFileName> = Vec::new();
        for (at, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let bad = |found: &str| LogError::BadIndex {
                index: name.to_owned(),
                line: at + 1,
                found: found.to_owned(),
            };
            let text = std::str::from_utf8(line).map_err(|_| bad("bytes that are not text"))?;
            let file = LogFileName::parse_path(text).ok_or_else(|| bad(text))?;
            if files.last().is_some_and(|last| *last >= file) {
                return Err(bad(text));
            }
            files.push(file);
        }
        Ok(Self {
            name: name.to_owned(),
            files,
        })
    }

    /// The file that holds the index.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The files, oldest first.
    #[must_use]
    pub fn files(&self) -> &[LogFileName] {
        &self.files
    }

    /// The oldest file.
    #[must_use]
    pub fn first(&self) -> Option<&LogFileName> {
        self.files.first()
    }

    /// The newest file, the one that is written.
    #[must_use]
    pub fn last(&self) -> Option<&LogFileName> {
        self.files.last()
    }

    /// Whether `file` is listed.
    #[must_use]
    pub fn contains(&self, file: &LogFileName) -> bool {
        self.files.binary_search(file).is_ok()
    }

    /// The file after `file`, which need not be listed itself.
    #[must_use]
    pub fn next_after(&self, file: &LogFileName) -> Option<&LogFileName> {
        let at = self.files.partition_point(|listed| listed <= file);
        self.files.get(at)
    }

    /// The same index with `file` at its end.
    #[must_use]
    pub fn with(&self, file: LogFileName) -> Self {
        let mut next = self.clone();
        next.files.push(file);
        next
    }

    /// The same index without the files in front of `first`.
    #[must_use]
    pub fn starting_at(&self, first: &LogFileName) -> Self {
        let mut next = self.clone();
        next.files.retain(|file| file >= first);
        next
    }

    /// Makes this the durable index.
    pub fn store(&self, storage: &dyn Storage) -> Result<(), LogError> {
        replace_file(storage, &self.name, &self.bytes())
            .map_err(|error| LogError::io("replacing the log index", &self.name, error))
    }

    /// Writes this index under a temporary name, which is returned; renaming it is what makes it
    /// the index.
    pub fn stage(&self, storage: &dyn Storage) -> Result<String, LogError> {
        stage_file(storage, &self.name, &self.bytes())
            .map_err(|error| LogError::io("writing the log index", &self.name, error))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        for file in &self.files {
            text.push_str("./");
            text.push_str(file.as_str());
            text.push('\n');
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::storage::SimStorage;
    use super::*;

    #[test]
    fn an_index_is_read_back_as_it_was_stored() {
        let storage = SimStorage::new(0);
        let empty = LogIndex::load(&storage, "b.index").unwrap();
        assert_eq!(empty.first(), None);
        let index = empty
            .with(LogFileName::new("b", 1))
            .with(LogFileName::new("b", 2))
            .with(LogFileName::new("b", 5));
        index.store(&storage).unwrap();
        let bytes = read_small(&storage, "b.index", 100).unwrap();
        assert_eq!(bytes, b"./b.000001\n./b.000002\n./b.000005\n");
        assert_eq!(LogIndex::load(&storage, "b.index").unwrap(), index);
        assert_eq!(
            index.next_after(&LogFileName::new("b", 2)),
            Some(&LogFileName::new("b", 5))
        );
        assert_eq!(
            index.starting_at(&LogFileName::new("b", 2)).files().len(),
            2
        );
    }

    #[test]
    fn a_line_that_is_no_log_file_is_named() {
        let storage = SimStorage::new(0);
        for bad in ["./b.000001\nrubbish\n", "./b.000001\n./b.000001\n"] {
            replace_file(&storage, "b.index", bad.as_bytes()).unwrap();
            let error = LogIndex::load(&storage, "b.index").unwrap_err().to_string();
            assert!(error.contains("line 2 of b.index"), "{error}");
        }
    }
}
