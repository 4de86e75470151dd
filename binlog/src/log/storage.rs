//! The seam between the log and the machine's files.
//!
//! Every byte that a log file, an index or a saved tail consists of goes through [`Storage`], so
//! that the crash tests can take the disk away at any moment. It knows names and bytes, no events.
//!
//! Contract that both implementations keep: bytes are durable only after [`StorageFile::sync`]
//! returned `Ok`, and a created, renamed or removed name only after [`Storage::sync_dir`] did.

mod forward;
mod os;
mod sim;

use std::fmt::Debug;
use std::io;

pub use forward::ForwardFile;
pub use os::OsStorage;
pub use sim::{CrashKind, SimStorage};

/// One directory of log files.
pub trait Storage: Send + Sync + Debug {
    /// Creates an empty file for reading and writing. Fails with `AlreadyExists` if `name` exists.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Opens an existing file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Opens an existing file for reading only.
    fn open_read(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Names of the directory's files, sorted, without directories.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Replaces `to` by `from` in one step.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes the name. Fails with `NotFound` if there is none.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes every creation, renaming and removal so far durable.
    fn sync_dir(&self) -> io::Result<()>;

    /// [`Storage::create`] of a file that nobody but its owner can read.
    fn create_private(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.create(name)
    }

    /// What the file is on disk, which the lengths and offsets of its content do not tell.
    fn stored(&self, name: &str) -> io::Result<Stored> {
        Ok(Stored {
            bytes: self.open_read(name)?.len()?,
            is_encrypted: false,
        })
    }
}

/// A file as it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its size in bytes, encryption header included.
    pub bytes: u64,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
}

/// An open file. Reads may run beside the one writer.
pub trait StorageFile: Send + Sync + Debug {
    /// Reads at most `buffer.len()` bytes from `offset`; 0 means that the file ends there.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes a prefix of `bytes` at `offset`, at most the whole; returns how much, never 0 for
    /// bytes that are not empty.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Length in bytes now.
    fn len(&self) -> io::Result<u64>;

    /// Cuts the file to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;

    /// Makes the file's bytes and length durable.
    fn sync(&self) -> io::Result<()>;

    /// Whether the file can be read only once, from front to back, and its length is not known:
    /// it is a pipe.
    fn is_forward_only(&self) -> bool {
        false
    }

    /// Whether the file holds no byte.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// Writes all of `bytes` at `offset`, however often the device takes less than it was given.
pub fn write_all_at(file: &dyn StorageFile, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(offset, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset = offset.saturating_add(written as u64);
                bytes = bytes.get(written..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills `buffer` from `offset` as far as the file reaches; returns how many bytes that was.
pub fn read_full_at(file: &dyn StorageFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(offset.saturating_add(filled as u64), rest) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The whole of a small file. Fails with `InvalidData` beyond `limit` bytes.
pub fn read_small(storage: &dyn Storage, name: &str, limit: u64) -> io::Result<Vec<u8>> {
    let file = storage.open_read(name)?;
    let len = file.len()?;
    if len > limit {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{name} has {len} bytes, at most {limit} are expected"),
        ));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
    let read = read_full_at(file.as_ref(), 0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Replaces the file `name` by `bytes`, so that after a crash it holds either what it held or
/// `bytes`, whole: temporary file, sync, rename, sync of the directory.
pub fn replace_file(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = stage_file(storage, name, bytes)?;
    storage.rename(&temporary, name)?;
    storage.sync_dir()
}

/// Writes and syncs `bytes` under a temporary name, which is returned; renaming it to `name` is
/// left to the caller. A temporary file of an earlier attempt is overwritten, and nothing is left
/// behind when it fails.
pub fn stage_file(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<String> {
    let temporary = format!("{name}_crash_safe");
    match storage.remove(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = storage.create(&temporary)?;
    let written = write_all_at(file.as_ref(), 0, bytes).and_then(|()| file.sync());
    drop(file);
    match written {
        Ok(()) => Ok(temporary),
        Err(error) => {
            // The name is harmless if it stays; the error that matters is the first.
            let _ = storage.remove(&temporary);
            Err(error)
        }
    }
}

/// Whether the error says that there is no room: the disk is full or a quota is reached.
#[must_use]
pub fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
