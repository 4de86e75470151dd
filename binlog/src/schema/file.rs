//! The side file: reading it, and finding the snapshot that holds for an event.
//!
//! It helps to read a log and is no part of it: without it the log is as good as ever. So a last line
//! that a crash tore is passed over, and nothing else.

use std::collections::HashMap;
use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use super::TableSnapshot;
use crate::log::storage::read_small;
use crate::log::{LogFileName, Storage};
use crate::row::TableMap;

/// The largest side file that is read.
const BYTES_MAX: u64 = 256 << 20;

/// Name of the side file of a log file, whether its name is that of a log or not.
#[must_use]
pub fn side_file_name(log_file: &str) -> String {
    format!("{log_file}.schema")
}

/// One line of a side file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line<T> {
    /// First byte of the log file from which on the snapshot holds.
    pub(super) offset: u64,
    #[serde(flatten)]
    pub(super) snapshot: T,
}

/// Why a side file cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum SchemaError {
    /// The machine refused to read it.
    Io {
        /// Its name.
        file: String,
        /// What the machine said.
        source: io::Error,
    },
    /// A line of it is no snapshot.
    Damaged {
        /// Its name.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with the line.
        message: String,
    },
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { file, source } => write!(f, "{file} cannot be read: {source}"),
            Self::Damaged {
                file,
                line,
                message,
            } => write!(f, "line {line} of {file} is no schema snapshot: {message}"),
        }
    }
}

impl std::error::Error for SchemaError {}

/// The snapshots of one log file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaSnapshots {
    /// By schema and table: offset and snapshot, in the order of the offsets.
    tables: HashMap<(String, String), Vec<(u64, TableSnapshot)>>,
}

impl SchemaSnapshots {
    /// Reads the side file of the log file `name`; `None` if it has none.
    pub fn load(storage: &dyn Storage, name: &LogFileName) -> Result<Option<Self>, SchemaError> {
        Self::read(storage, &side_file_name(name.as_str()))
    }

    /// Reads the side file that is called `file`; `None` if there is none.
    pub fn read(storage: &dyn Storage, file: &str) -> Result<Option<Self>, SchemaError> {
        match read_small(storage, file, BYTES_MAX) {
            Ok(bytes) => Self::parse(file, &bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SchemaError::Io {
                file: file.to_owned(),
                source,
            }),
        }
    }

    /// Takes the bytes of a side file, which is called `file` in errors.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, SchemaError> {
        let mut snapshots = Self::default();
        let whole = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .and_then(|end| bytes.get(..end))
            .unwrap_or_default();
        for (index, line) in whole.split(|&byte| byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let line: Line<TableSnapshot> =
                serde_json::from_slice(line).map_err(|error| SchemaError::Damaged {
                    file: file.to_owned(),
                    line: index.saturating_add(1),
                    message: error.to_string(),
                })?;
            snapshots.add(line.offset, line.snapshot);
        }
        Ok(snapshots)
    }

    /// Adds a snapshot that holds from `offset` on.
    pub fn add(&mut self, offset: u64, snapshot: TableSnapshot) {
        let name = (snapshot.schema.clone(), snapshot.table.clone());
        let versions = self.tables.entry(name).or_default();
        let at = versions.partition_point(|(other, _)| *other <= offset);
        versions.insert(at, (offset, snapshot));
    }

    /// The snapshot of the table that a map at `offset` names: the last one before it, or else the
    /// first one behind it, that was made for columns of these types.
    #[must_use]
    pub fn find(&self, map: &TableMap<'_>, offset: u64) -> Option<&TableSnapshot> {
        let name = (map.schema.to_string(), map.table.to_string());
        let versions = self.tables.get(&name)?;
        let at = versions.partition_point(|(other, _)| *other <= offset);
        let (before, after) = versions.split_at_checked(at)?;
        before
            .iter()
            .rev()
            .chain(after)
            .map(|(_, snapshot)| snapshot)
            .find(|snapshot| snapshot.fits(map))
    }

    /// How many tables there are snapshots of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables.len()
    }

    /// Whether there is no snapshot.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }
}
