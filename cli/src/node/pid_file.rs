//! `pid_file`: the number of the running process in a file, for scripts.

use std::io;
use std::path::{Path, PathBuf};

use server::private_file;

/// The file; removed when this is dropped, and only then: after a kill it is left behind, as
/// mysqld leaves its own. One that another process has written meanwhile stays.
#[derive(Default)]
pub(super) struct PidFile(Option<PathBuf>);

impl PidFile {
    /// Writes the number of this process to `path`, if one is set. To be called by a process that
    /// serves: one that is about to be refused its data directory must not touch the file of the
    /// one that has it.
    pub(super) fn write(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self(None));
        };
        if let Some(directory) = path.parent() {
            private_file::make_directory(directory)?;
        }
        private_file::write(path, own_number().as_bytes(), private_file::DATA)?;
        Ok(Self(Some(path.to_owned())))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && std::fs::read_to_string(path).is_ok_and(|text| text == own_number())
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn own_number() -> String {
    format!("{}\n", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_number_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/weir.pid");
        drop(PidFile::write(Some(&path)).unwrap());
        assert!(!path.exists());
        let file = PidFile::write(Some(&path)).unwrap();
        std::fs::write(&path, "1\n").unwrap();
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n");
    }
}
