//! Taking a database file back to an earlier moment, after a power loss that its log did not survive
//! as far.
//!
//! The moments are the commits in the WAL, back to what the last checkpoint went up to: an older one
//! would be read from pages of different ages. The owner has made the log durable up to there in
//! front of the checkpoint, so none is needed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::settled::{self, Place, Settled};
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
    fits: impl FnMut(&EnginePosition) -> bool,
) -> Result<Option<EnginePosition>, EngineError> {
    let wal = beside(path, "-wal");
    let copy = beside(path, "-wal.ahead");
    let settled = Settled::open(path).map_err(failed)?;
    let Some(oldest) = settled.place().filter(|_| wal.exists()) else {
        return Ok(None);
    };
    fs::copy(&wal, &copy).map_err(failed)?;
    let found = cut(path, &wal, oldest, fits);
    if !matches!(found, Ok(Some(_))) {
        fs::rename(&copy, &wal).map_err(failed)?;
    }
    found
}

/// Cuts the WAL behind the youngest moment that `fits` and is not older than `oldest`.
fn cut(
    path: &Path,
    wal: &Path,
    oldest: &Place,
    mut fits: impl FnMut(&EnginePosition) -> bool,
) -> Result<Option<EnginePosition>, EngineError> {
    let file = OpenOptions::new().read(true).write(true).open(wal);
    let file = file.map_err(failed)?;
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
        if settled::place(&position) == *oldest {
            return Ok(None);
        }
    }
    Ok(None)
}

fn failed(source: io::Error) -> EngineError {
    EngineError::Io {
        doing: "taking the engine back behind its log",
        source,
    }
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
    use crate::execute::Writer;

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
            let mut writer = Writer::open(&database).unwrap();
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
        let mut writer = Writer::open(&database).unwrap();
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
        let refused = database.checkpoint_after(|_| {
            Err(EngineError::Misuse {
                what: "the log cannot be synced",
            })
        });
        refused.unwrap_err();
        commit(3);
        drop((writer, database));
        // An older moment would be made of pages of different ages.
        let mut seen = Vec::new();
        let found = rewind(&path, |position| {
            seen.push(position.offset);
            false
        });
        assert_eq!(found.unwrap(), None);
        assert_eq!(seen, [3, 2, 1]);
        assert_eq!(position(&path).unwrap(), at(3));
        let found = rewind(&path, |position| position.offset == 1);
        assert_eq!(found.unwrap(), Some(at(1)));
        let connection = connection::open(&path, &EngineOptions::default()).unwrap();
        let check = "PRAGMA integrity_check";
        let sound: String = connection.query_row(check, [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
    }

    #[test]
    fn a_moment_that_cannot_be_read_leaves_the_file_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        {
            let database = Database::open(&path, EngineOptions::default()).unwrap();
            let mut writer = Writer::open(&database).unwrap();
            database.checkpoint().unwrap();
            for offset in 1..=3 {
                writer.begin_group().unwrap();
                writer.commit_group(&at(offset)).unwrap();
            }
        }
        // What the WAL does not hold is gone with this.
        let wal = fs::read(beside(&path, "-wal")).unwrap();
        fs::write(&path, b"").unwrap();
        rewind(&path, |_| false).unwrap_err();
        assert_eq!(fs::read(beside(&path, "-wal")).unwrap(), wal);
    }

    #[test]
    fn closing_a_database_leaves_no_connection_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        let writer = Writer::open(&database).unwrap();
        drop((writer, database));
        let open = fs::read_dir("/proc/self/fd").unwrap();
        let open = open.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
        let own: Vec<_> = open
            .filter(|file| file.starts_with(directory.path()))
            .collect();
        assert!(own.is_empty(), "{own:?}");
    }
}
