//! The directory that holds the logs that are served. It goes with the replay; what a killed one left
//! behind goes with the next.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// What the names begin with.
const PREFIX: &str = "weir-replay-";
/// Held locked as long as the directory is in use.
const LOCK: &str = "lock";
/// Most names that are tried.
const ATTEMPTS: u32 = 1000;

/// A directory that only its owner can read, removed when this is dropped.
pub(super) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes one in `parent`.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        remove_left_behind(parent);
        let process = std::process::id();
        for attempt in 0..ATTEMPTS {
            let path = parent.join(format!("{PREFIX}{process}-{attempt}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            let lock = File::create_new(path.join(LOCK))?;
            lock.lock()?;
            let scratch = Self { path, _lock: lock };
            fs::create_dir(scratch.logs())?;
            fs::create_dir(scratch.source())?;
            return Ok(scratch);
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Where the logs are.
    pub(super) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Where the source keeps its account and keys.
    pub(super) fn source(&self) -> PathBuf {
        self.path.join("source")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            let path = self.path.display();
            crate::output::note(format_args!(
                "weir: warning: {path} is left behind: {error}"
            ));
        }
    }
}

/// Removes the directories of replays that are gone. Those of others cannot be opened and stay.
fn remove_left_behind(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let lock = File::open(entry.path().join(LOCK));
        if is_ours && lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            // The next one tries again.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_replay_left_goes_and_what_is_in_use_stays() -> io::Result<()> {
        let parent = tempfile::tempdir()?;
        let left = parent.path().join("weir-replay-1-7");
        fs::create_dir(&left)?;
        File::create_new(left.join(LOCK))?;
        let first = Scratch::new(parent.path())?;
        assert!(!left.exists());
        let second = Scratch::new(parent.path())?;
        assert!(first.logs().exists() && second.logs().exists());
        drop((first, second));
        assert_eq!(fs::read_dir(parent.path())?.count(), 0);
        Ok(())
    }
}
