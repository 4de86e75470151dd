//! Files for what is too much for memory: they have no name, so that nothing of them is left behind
//! however the process ends, and nobody else can open them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Most names that are tried.
const ATTEMPTS: u32 = 1000;

/// Creates a file in `directory` and takes its name away.
///
/// # Errors
/// If nothing can be created there.
pub fn scratch(directory: &Path) -> io::Result<File> {
    let process = std::process::id();
    for attempt in 0..ATTEMPTS {
        let path = directory.join(format!(".weir-scratch-{process}-{attempt}"));
        let created = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match created {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
