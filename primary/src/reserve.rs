//! The reserve: a file that keeps room on the engine's disk for what must not fail.
//!
//! What the log has, the engine must get. When the disk is full, the file goes, and its room is there
//! for the commit of a group that is in the log already, for rolling forward at a start, and for the
//! small files of a purge. It holds noise, because file systems keep no room for zeros.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use server::private_file;

/// What it keeps.
pub(crate) const RESERVE_BYTES: u64 = 4 << 20;
/// How much noise there is; then it comes again.
const NOISE: usize = 256 << 10;

/// The reserve of a data directory.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    pub(crate) fn in_datadir(datadir: &Path) -> Self {
        Self {
            path: datadir.join("weir.reserve"),
        }
    }

    /// Makes it whole, unless it is. What was begun is removed when there is no room.
    pub(crate) fn fill(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|found| found.len() == RESERVE_BYTES) {
            return Ok(());
        }
        take(&self.path, RESERVE_BYTES).inspect_err(|_| drop(fs::remove_file(&self.path)))
    }

    /// Gives its room away; false if there is none.
    pub(crate) fn spend(&self) -> bool {
        let is_spent = fs::remove_file(&self.path).is_ok();
        if is_spent {
            tracing::warn!(
                bytes = RESERVE_BYTES,
                "no space left; the reserve was given away, and writes fail until it is whole again"
            );
        }
        is_spent
    }
}

/// Fails unless a file of so many bytes has room in the directory; it does not stay.
pub(crate) fn probe(directory: &Path, bytes: u64) -> io::Result<()> {
    let path = directory.join("weir.probe");
    let taken = take(&path, bytes);
    fs::remove_file(&path).or(match &taken {
        Ok(()) => Ok(()),
        Err(error) => Err(io::Error::from(error.kind())),
    })?;
    taken
}

/// Writes a file of so many bytes of noise.
fn take(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(private_file::DATA)
        .open(path)?;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = Vec::with_capacity(NOISE);
    while noise.len() < NOISE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(state.to_le_bytes());
    }
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    while left > 0 {
        let part = noise.get(..left).unwrap_or(&noise);
        file.write_all(part)?;
        left = left.saturating_sub(part.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{RESERVE_BYTES, Reserve, probe};

    #[test]
    fn a_reserve_is_filled_once_and_spent_once() {
        let directory = tempfile::tempdir().unwrap();
        let reserve = Reserve::in_datadir(directory.path());
        assert!(!reserve.spend());
        reserve.fill().unwrap();
        reserve.fill().unwrap();
        let found = std::fs::metadata(directory.path().join("weir.reserve")).unwrap();
        assert_eq!(found.len(), RESERVE_BYTES);
        assert!(reserve.spend() && !reserve.spend());
        probe(directory.path(), 100_000).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        probe(&directory.path().join("gone"), 1).unwrap_err();
    }
}
