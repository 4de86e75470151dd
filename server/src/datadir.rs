//! A data directory: one process at a time, one role, one format, closed to other users.
//!
//! What the directory is stands in `weir-node.json`. A directory of the other role is refused: its
//! rows would be opened without the log that they stand for, and the next commit would begin a
//! history that no replica can follow. One of a newer format is refused too. Modes that let other
//! users in are mended, and said.

mod modes;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::private_file;

/// The engine's file in a data directory.
const DATABASE_FILE: &str = "weir.db";
/// The file whose lock says that the data directory is in use.
const LOCK_FILE: &str = "weir.lock";
/// The file that says what the directory is.
const RECORD_FILE: &str = "weir-node.json";
/// Grows when an older program could not open the directory any more.
const FORMAT: u32 = 1;
/// How long a process that was killed a moment ago may still hold the lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PERIOD: Duration = Duration::from_millis(20);

/// What a data directory is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataRole {
    /// A primary's: its binary log is the record of its rows.
    Primary,
    /// A replica's: its rows stand for a place in its source's log.
    Replica,
}

impl DataRole {
    /// `primary` or `replica`, as the command of the same name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
        }
    }
}

/// Why a data directory is not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatadirError {
    /// Another process has it.
    #[error("the data directory {} is used by another process", .0.display())]
    InUse(PathBuf),
    /// It is the other role's.
    #[error(
        "the data directory {} is a {found}'s, and `weir {asked}` would lose what it has executed: \
         start it with `weir {found}`, or give `weir {asked}` an empty data directory",
        .path.display(), found = .found.name(), asked = .asked.name()
    )]
    OtherRole {
        /// The directory.
        path: PathBuf,
        /// What it is.
        found: DataRole,
        /// What it was opened as.
        asked: DataRole,
    },
    /// A later version has written it.
    #[error(
        "the data directory {} has format {found} and this version knows formats up to {known}: \
         start it with the version that wrote it or a later one", .path.display()
    )]
    NewerFormat {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The last one that is known here.
        known: u32,
    },
    /// What it says about itself cannot be understood.
    #[error("{} cannot be understood: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Other users may look into it, and that cannot be mended.
    #[error(
        "other users of this machine may look into {}, and it cannot be closed to them ({reason}): \
         take their rights away (chmod o= {}) or name another data directory",
        .path.display(), .path.display()
    )]
    Open {
        /// The directory or file.
        path: PathBuf,
        /// Why it stays so.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("{doing} {}: {source}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
}

impl DatadirError {
    fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

/// What the directory is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    format: u32,
    role: DataRole,
    /// Whether the binary log may lack its tail after a power loss, as with `sync_binlog` other
    /// than 1.
    #[serde(default)]
    may_lose_tail: bool,
}

/// An open data directory; the lock on it lasts as long as this.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    server_uuid: Uuid,
    record: Record,
    /// Held, never looked at.
    _lock: File,
}

impl DataDirectory {
    /// Opens `path` for this process as a directory of `role`, making it if it is not there.
    ///
    /// # Errors
    /// When another process has it, it is the other role's or a newer version's, other users may
    /// look into it and that cannot be mended, or a file cannot be read or written.
    pub fn open(path: &Path, role: DataRole) -> Result<Self, DatadirError> {
        private_file::make_directory(path)
            .map_err(|error| DatadirError::io("creating", path, error))?;
        let is_known = [LOCK_FILE, DATABASE_FILE, RECORD_FILE]
            .iter()
            .any(|file| path.join(file).exists());
        modes::close_directory(path, is_known)?;
        let lock = lock(path)?;
        let record = record(path, role)?;
        modes::close_files(path)?;
        let database = path.join(DATABASE_FILE);
        // SQLite gives its other files the mode of this one, and would make it for everybody.
        private_file::make_file(&database)
            .map_err(|error| DatadirError::io("creating", &database, error))?;
        let server_uuid = config::auto_cnf::server_uuid(path)
            .map_err(|error| DatadirError::io("reading the identity in", path, error))?;
        Ok(Self {
            path: path.to_owned(),
            server_uuid,
            record,
            _lock: lock,
        })
    }

    /// The identity of the node.
    #[must_use]
    pub const fn server_uuid(&self) -> Uuid {
        self.server_uuid
    }

    /// The engine's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE_FILE)
    }

    /// Whether the binary log may lack its tail if the machine lost power when it was last in use.
    #[must_use]
    pub const fn may_lose_tail(&self) -> bool {
        self.record.may_lose_tail
    }

    /// Says whether the binary log may lack its tail after a power loss from now on.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_may_lose_tail(&mut self, may: bool) -> Result<(), DatadirError> {
        if self.record.may_lose_tail != may {
            self.record.may_lose_tail = may;
            self.record.save(&self.path)?;
        }
        Ok(())
    }
}

impl Record {
    fn save(&self, datadir: &Path) -> Result<(), DatadirError> {
        let path = datadir.join(RECORD_FILE);
        let text = serde_json::to_vec_pretty(self)
            .map_err(io::Error::other)
            .and_then(|text| private_file::replace(&path, &text, private_file::DATA));
        text.map_err(|error| DatadirError::io("writing", &path, error))
    }
}

/// What `datadir` is; a directory that does not say so yet becomes one of `role`, unless its files
/// are the other role's.
fn record(datadir: &Path, role: DataRole) -> Result<Record, DatadirError> {
    let path = datadir.join(RECORD_FILE);
    let damaged = |error: serde_json::Error| DatadirError::Damaged {
        path: path.clone(),
        reason: error.to_string(),
    };
    let other_role = |found| DatadirError::OtherRole {
        path: datadir.to_owned(),
        found,
        asked: role,
    };
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(found) = role_by_files(datadir)?.filter(|found| *found != role) {
                return Err(other_role(found));
            }
            let record = Record {
                format: FORMAT,
                role,
                may_lose_tail: false,
            };
            record.save(datadir)?;
            return Ok(record);
        }
        Err(error) => return Err(DatadirError::io("reading", &path, error)),
    };
    // A newer record may have another shape; its format is all that is known of it.
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(damaged)?;
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    let format = format.map_or(0, |format| u32::try_from(format).unwrap_or(u32::MAX));
    if format > FORMAT {
        return Err(DatadirError::NewerFormat {
            path: datadir.to_owned(),
            found: format,
            known: FORMAT,
        });
    }
    let record: Record = serde_json::from_value(value).map_err(damaged)?;
    if record.role != role {
        return Err(other_role(record.role));
    }
    Ok(record)
}

/// The role of a directory from before roles were recorded, by the names of its logs.
fn role_by_files(datadir: &Path) -> Result<Option<DataRole>, DatadirError> {
    let failed = |error| DatadirError::io("listing", datadir, error);
    let mut has_log = false;
    for entry in fs::read_dir(datadir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        if name == "source-info.json" || name.ends_with("relay-bin.index") {
            return Ok(Some(DataRole::Replica));
        }
        has_log |= name.ends_with(".index");
    }
    Ok(has_log.then_some(DataRole::Primary))
}

/// Takes the data directory for this process.
fn lock(datadir: &Path) -> Result<File, DatadirError> {
    let path = datadir.join(LOCK_FILE);
    let failed = |error| DatadirError::io("locking", &path, error);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(private_file::DATA)
        .open(&path)
        .map_err(failed)?;
    let deadline = Instant::now().checked_add(LOCK_PATIENCE);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if deadline.is_some_and(|at| Instant::now() < at) => {
                std::thread::sleep(LOCK_PERIOD);
            }
            Err(TryLockError::WouldBlock) => return Err(DatadirError::InUse(datadir.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests;
