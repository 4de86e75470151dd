//! `pid_file`: the number of the running process in a file, for scripts.

use std::io;
use std::path::{Path, PathBuf};

/// The file; removed when this is dropped, and only then: after a kill it is left behind, as
/// mysqld leaves its own.
pub(super) struct PidFile(Option<PathBuf>);

impl PidFile {
    /// Writes the number of this process to `path`, if one is set.
    pub(super) fn write(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self(None));
        };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(path, format!("{}\n", std::process::id()))?;
        Ok(Self(Some(path.to_owned())))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}
