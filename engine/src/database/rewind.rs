//! Taking a database file back to an earlier moment, after a power loss that its log did not survive
//! as far.
//!
//! The moments are the commits in the WAL. Those that were moved into the file can not be undone;
//! the owner has made the log durable in front of every checkpoint, so they need not be.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::{EngineOptions, EnginePosition, Store, connection};
use crate::error::EngineError;

/// Bytes of the WAL's own header, and of the header of each of its frames.
const HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// Takes the file at `path` back to the youngest moment whose position `fits`, and returns that.
/// `None`, with the file as it was, if there is none. Nobody may have the file open.
///
/// A copy of the WAL as it was stays beside it.
pub fn rewind(
    path: &Path,
    mut fits: impl FnMut(&EnginePosition) -> bool,
) -> Result<Option<EnginePosition>, EngineError> {
    let failed = |source| EngineError::Io {
        doing: "taking the engine back behind its log",
        source,
    };
    let wal = beside(path, "-wal");
    let copy = beside(path, "-wal.ahead");
    if !wal.exists() {
        return Ok(None);
    }
    fs::copy(&wal, &copy).map_err(failed)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&wal)
        .map_err(failed)?;
    let mut ends = commits(&file).map_err(failed)?;
    // Without any frame the file is what the last checkpoint left.
    ends.insert(0, 0);
    for end in ends.into_iter().rev() {
        file.set_len(end).map_err(failed)?;
        let position = position(path)?;
        if fits(&position) {
            file.sync_all().map_err(failed)?;
            // They are those of pages that are no more.
            match fs::remove_file(super::page_sums::sums_file(path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(error));
                }
                _ => {}
            }
            return Ok(Some(position));
        }
    }
    drop(file);
    fs::rename(&copy, &wal).map_err(failed)?;
    Ok(None)
}

/// The position that the file stands for with its WAL as it is.
fn position(path: &Path) -> Result<EnginePosition, EngineError> {
    let options = EngineOptions {
        cache_kib: 64,
        ..EngineOptions::default()
    };
    let connection = connection::open(path, &options)?;
    Store::new(&connection).position()
}

/// Offsets behind the commits in a WAL, oldest first. SQLite itself finds out which frames count;
/// one too many here is only a moment that is looked at twice.
fn commits(wal: &File) -> io::Result<Vec<u64>> {
    let mut header = [0; 32];
    if wal.metadata()?.len() < HEADER {
        return Ok(Vec::new());
    }
    wal.read_exact_at(&mut header, 0)?;
    let [
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        p0,
        p1,
        p2,
        p3,
        _,
        _,
        _,
        _,
        salts @ ..,
    ] = header;
    let page = u64::from(u32::from_be_bytes([p0, p1, p2, p3]));
    let salts = salts.first_chunk::<8>().copied().unwrap_or_default();
    let len = wal.metadata()?.len();
    let mut ends = Vec::new();
    let mut at = HEADER;
    loop {
        let end = at.saturating_add(FRAME_HEADER).saturating_add(page);
        if page == 0 || end > len {
            return Ok(ends);
        }
        let mut frame = [0; 16];
        wal.read_exact_at(&mut frame, at)?;
        let [_, _, _, _, s0, s1, s2, s3, own @ ..] = frame;
        if own != salts {
            return Ok(ends);
        }
        if u32::from_be_bytes([s0, s1, s2, s3]) != 0 {
            ends.push(end);
        }
        at = end;
    }
}

/// The file whose name has `suffix` behind that of `path`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;

    fn at(offset: u64) -> EnginePosition {
        EnginePosition {
            file: "b.000001".to_owned(),
            offset,
            gtid_executed: String::new(),
        }
    }

    #[test]
    fn the_youngest_moment_that_fits_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        {
            let database = Database::open(&path, EngineOptions::default()).unwrap();
            let mut writer = database.writer().unwrap();
            for offset in 1..=20 {
                writer.begin_group().unwrap();
                writer.commit_group(&at(offset)).unwrap();
                if offset == 5 {
                    database.checkpoint().unwrap();
                }
            }
        }
        assert_eq!(rewind(&path, |_| false).unwrap(), None);
        assert_eq!(position(&path).unwrap(), at(20));
        let found = rewind(&path, |position| position.offset <= 12).unwrap();
        assert_eq!(found, Some(at(12)));
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        assert_eq!(database.position().unwrap(), at(12));
    }

    #[test]
    fn a_checkpoint_goes_no_further_than_what_was_settled() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        let mut writer = database.writer().unwrap();
        let mut commit = |offset| {
            writer.begin_group().unwrap();
            writer.commit_group(&at(offset)).unwrap();
        };
        commit(1);
        let mut settled = None;
        database
            .checkpoint_after(|position| {
                settled = Some(position.clone());
                commit(2);
                Ok::<(), EngineError>(())
            })
            .unwrap();
        assert_eq!(settled, Some(at(1)));
        // What the file alone holds is the settled moment or an earlier one.
        let alone = directory.path().join("alone.db");
        fs::copy(&path, &alone).unwrap();
        assert!(position(&alone).unwrap().offset <= 1);
        let refused = database.checkpoint_after(|_| {
            Err(EngineError::Misuse {
                what: "the log cannot be synced",
            })
        });
        refused.unwrap_err();
        database
            .checkpoint_after(|_| Ok::<(), EngineError>(()))
            .unwrap();
        fs::copy(&path, &alone).unwrap();
        assert_eq!(position(&alone).unwrap(), at(2));
    }
}
