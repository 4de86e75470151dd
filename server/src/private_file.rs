//! Files and directories that only their owner, or the owner's group, may look into.
//!
//! A node's data lie in them, so that nothing is made with what the process's umask happens to
//! leave: directories are 0750, files 0640, and what holds a secret 0600.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Directories.
pub const DIRECTORY: u32 = 0o750;
/// Files with data.
pub const DATA: u32 = 0o640;
/// Files with passwords or keys.
pub const SECRET: u32 = 0o600;

/// Makes a directory and those above it, as far as they are not there.
///
/// # Errors
/// When the file system refuses.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY)
        .create(path)
}

/// Makes an empty file unless there is one.
///
/// # Errors
/// When the file system refuses.
pub fn make_file(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(DATA)
        .open(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Puts a file with `content` in the place of `path`, whole and durable, or leaves it as it was.
///
/// # Errors
/// When the file system refuses.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    write(&temporary, content, mode)?;
    fs::rename(&temporary, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// Writes and syncs a new file in the place of an older one.
///
/// # Errors
/// When the file system refuses.
pub fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
