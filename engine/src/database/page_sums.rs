//! A checksum of each page of the database file, in a file beside it, so that a byte that the disk
//! changed is found.
//!
//! SQLite checks the frames of its WAL and not the pages of its file. Before frames are moved into
//! the file, the sums of their pages are noted and made durable; a page that the WAL still has is
//! not looked at, for the WAL's content is what counts. The frames that count are found by the
//! WAL's own chain of checksums (file format of SQLite, section 4).

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use binlog::event::checksum;

/// Bytes of the WAL's header, and of the header of each of its frames.
const HEADER: u64 = 32;
const FRAME_HEADER: usize = 24;
/// Bytes of a sum.
const SUM: u64 = 4;
/// The sum of a page that nobody has noted.
const UNKNOWN: u32 = 0;
/// Sums that are held to be written together: a page that changed often is written once.
const SUMS_AT_ONCE: usize = 1 << 15;

/// The sums of a database file.
#[derive(Debug)]
pub(super) struct PageSums {
    database: PathBuf,
    wal: PathBuf,
    sums: File,
    /// How far the WAL's frames were noted.
    noted: Option<Walk>,
}

/// A place between two frames of one generation of the WAL, and the chain of checksums up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Walk {
    header: [u8; 32],
    page: usize,
    is_big_endian: bool,
    at: u64,
    chain: (u32, u32),
}

impl PageSums {
    /// The sums of the file at `path`. A file without any is taken as it is.
    pub(super) fn open(path: &Path) -> io::Result<PageSums> {
        let name = sums_file(path);
        let is_new = !name.exists();
        let sums = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&name)?;
        let mut this = PageSums {
            database: path.to_owned(),
            wal: super::rewind::beside(path, "-wal"),
            sums,
            noted: None,
        };
        if is_new {
            this.adopt()?;
        }
        Ok(this)
    }

    /// Notes every page as it is now.
    fn adopt(&mut self) -> io::Result<()> {
        let database = File::open(&self.database)?;
        let Some(page) = page_size(&database)? else {
            return Ok(());
        };
        let mut buffer = vec![0; page];
        let pages = database.metadata()?.len() / page as u64;
        for number in 0..pages {
            database.read_exact_at(&mut buffer, number.saturating_mul(page as u64))?;
            self.put(number, sum(&buffer))?;
        }
        self.sums.sync_all()?;
        match self.database.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }

    fn put(&self, page: u64, sum: u32) -> io::Result<()> {
        let at = page.saturating_mul(SUM);
        self.sums.write_all_at(&sum.to_le_bytes(), at)
    }

    /// Notes the pages of the frames that were committed since the last time. To be called before
    /// any frame is moved: what a power loss leaves of the WAL are frames whose pages are noted, or
    /// none of them is.
    pub(super) fn note(&mut self) -> io::Result<()> {
        let Some(wal) = open_if_there(&self.wal)? else {
            return Ok(());
        };
        let Some(start) = Walk::begin(&wal)? else {
            return Ok(());
        };
        let start = match self.noted.take() {
            Some(noted) if noted.header == start.header => noted,
            _ => start,
        };
        let end = start.clone().committed(&wal)?;
        if end.at > start.at {
            wal.sync_data()?;
            let mut sums = HashMap::new();
            let is_whole = start.frames(&wal, &end, |number, page| {
                sums.insert(number, sum(page));
                match sums.len() < SUMS_AT_ONCE {
                    true => Ok(()),
                    false => self.put_all(&mut sums),
                }
            })?;
            self.put_all(&mut sums)?;
            self.sums.sync_data()?;
            if !is_whole {
                // Everything was moved before, and a new generation has begun.
                return Ok(());
            }
        }
        self.noted = Some(end);
        Ok(())
    }

    fn put_all(&self, sums: &mut HashMap<u32, u32>) -> io::Result<()> {
        for (number, sum) in sums.drain() {
            self.put(u64::from(number).saturating_sub(1), sum)?;
        }
        Ok(())
    }

    /// The numbers of the pages that are not as they were written. Nobody may move frames meanwhile.
    pub(super) fn damaged(&mut self) -> io::Result<Vec<u64>> {
        self.note()?;
        let database = File::open(&self.database)?;
        let Some(page) = page_size(&database)? else {
            return Ok(Vec::new());
        };
        let pages = database.metadata()?.len() / page as u64;
        let mut in_wal = PageSet::default();
        if let Some(wal) = open_if_there(&self.wal)?
            && let Some(start) = Walk::begin(&wal)?
        {
            let end = start.clone().committed(&wal)?;
            start.frames(&wal, &end, |number, _| {
                if u64::from(number) <= pages {
                    in_wal.insert(number);
                }
                Ok(())
            })?;
        }
        let known = self.sums.metadata()?.len() / SUM;
        let mut damaged = Vec::new();
        let mut buffer = vec![0; page];
        for number in 1..=pages.min(known) {
            if in_wal.contains(number) {
                continue;
            }
            let index = number.saturating_sub(1);
            let mut expected = [0; 4];
            self.sums
                .read_exact_at(&mut expected, index.saturating_mul(SUM))?;
            let expected = u32::from_le_bytes(expected);
            if expected == UNKNOWN {
                continue;
            }
            database.read_exact_at(&mut buffer, index.saturating_mul(page as u64))?;
            if sum(&buffer) != expected {
                damaged.push(number);
            }
        }
        Ok(damaged)
    }
}

/// Numbers of pages, a bit each.
#[derive(Debug, Default)]
struct PageSet(Vec<u64>);

impl PageSet {
    fn insert(&mut self, number: u32) {
        let Ok(at) = usize::try_from(number / u64::BITS) else {
            return;
        };
        if self.0.len() <= at {
            self.0.resize(at.saturating_add(1), 0);
        }
        if let Some(word) = self.0.get_mut(at) {
            *word |= 1 << (number % u64::BITS);
        }
    }

    fn contains(&self, number: u64) -> bool {
        let bits = u64::from(u64::BITS);
        let word = usize::try_from(number / bits)
            .ok()
            .and_then(|at| self.0.get(at));
        word.is_some_and(|word| word & (1 << (number % bits)) != 0)
    }
}

/// The file with the sums of the database file at `path`.
pub(super) fn sums_file(path: &Path) -> PathBuf {
    super::rewind::beside(path, ".sums")
}

fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A page's sum, which is never the one that means that there is none.
fn sum(page: &[u8]) -> u32 {
    match checksum::compute(page) {
        UNKNOWN => 1,
        sum => sum,
    }
}

/// The page size that the head of a database file names; `None` for an empty file.
fn page_size(database: &File) -> io::Result<Option<usize>> {
    let mut size = [0; 2];
    if database.metadata()?.len() < 100 {
        return Ok(None);
    }
    database.read_exact_at(&mut size, 16)?;
    Ok(match u16::from_be_bytes(size) {
        1 => Some(65_536),
        size if size >= 512 => Some(usize::from(size)),
        _ => None,
    })
}

impl Walk {
    /// In front of the first frame; `None` if the WAL has none.
    fn begin(wal: &File) -> io::Result<Option<Walk>> {
        let mut header = [0; 32];
        if wal.metadata()?.len() < HEADER {
            return Ok(None);
        }
        wal.read_exact_at(&mut header, 0)?;
        let word = |at: usize| word(&header, at, true);
        let is_big_endian = match word(0) {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return Ok(None),
        };
        let page = usize::try_from(word(8)).unwrap_or(0);
        let walk = Walk {
            header,
            page,
            is_big_endian,
            at: HEADER,
            chain: (word(24), word(28)),
        };
        let own = walk.chained((0, 0), header.get(..24).unwrap_or_default());
        let is_sound = own == walk.chain && (512..=65_536).contains(&page);
        Ok(is_sound.then_some(walk))
    }

    /// The place behind the last commit. A transaction of any size takes one frame of memory.
    fn committed(mut self, wal: &File) -> io::Result<Walk> {
        let len = wal.metadata()?.len();
        let mut end = self.clone();
        let mut bytes = vec![0; self.frame_size()];
        loop {
            let next = self.at.saturating_add(bytes.len() as u64);
            if next > len {
                return Ok(end);
            }
            wal.read_exact_at(&mut bytes, self.at)?;
            let (head, page) = bytes.split_at(FRAME_HEADER);
            let chain = self.chained(self.chain, head.get(..8).unwrap_or_default());
            let chain = self.chained(chain, page);
            let named = (word(head, 16, true), word(head, 20, true));
            if !self.is_own(head) || chain != named {
                return Ok(end);
            }
            self.at = next;
            self.chain = chain;
            let commits = word(head, 4, true) != 0;
            if commits {
                end = self.clone();
            }
        }
    }

    /// Calls `frame` with number and content of each page up to `end`, of whose chain it is. False when
    /// the WAL began anew meanwhile, which it may once everything was moved.
    fn frames(
        &self,
        wal: &File,
        end: &Walk,
        mut frame: impl FnMut(u32, &[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut bytes = vec![0; self.frame_size()];
        let mut at = self.at;
        while at < end.at {
            wal.read_exact_at(&mut bytes, at)?;
            let (head, page) = bytes.split_at(FRAME_HEADER);
            if !self.is_own(head) {
                return Ok(false);
            }
            frame(word(head, 0, true), page)?;
            at = at.saturating_add(bytes.len() as u64);
        }
        Ok(true)
    }

    const fn frame_size(&self) -> usize {
        FRAME_HEADER.saturating_add(self.page)
    }

    /// Whether a frame is of this generation of the WAL.
    fn is_own(&self, head: &[u8]) -> bool {
        head.get(8..16) == self.header.get(16..24)
    }

    /// The chain of checksums behind `bytes`.
    fn chained(&self, (mut a, mut b): (u32, u32), bytes: &[u8]) -> (u32, u32) {
        for pair in bytes.chunks_exact(8) {
            a = a
                .wrapping_add(word(pair, 0, self.is_big_endian))
                .wrapping_add(b);
            b = b
                .wrapping_add(word(pair, 4, self.is_big_endian))
                .wrapping_add(a);
        }
        (a, b)
    }
}

fn word(bytes: &[u8], at: usize, is_big_endian: bool) -> u32 {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>);
    let word = word.copied().unwrap_or_default();
    match is_big_endian {
        true => u32::from_be_bytes(word),
        false => u32::from_le_bytes(word),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Database, EngineOptions, EnginePosition};
    use super::*;
    use crate::execute::Writer;

    fn write(database: &Database, offsets: std::ops::Range<u64>) {
        let mut writer = Writer::open(database).unwrap();
        for offset in offsets {
            writer.begin_group().unwrap();
            let position = EnginePosition {
                file: "b.000001".to_owned(),
                offset,
                gtid_executed: "x".repeat(usize::try_from(offset).unwrap() * 50),
            };
            writer.commit_group(&position).unwrap();
        }
    }

    #[test]
    fn a_changed_byte_of_any_page_is_found_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        for round in 0..5 {
            write(&database, round * 20..round * 20 + 20);
            assert_eq!(database.damaged_pages().unwrap(), [0_u64; 0]);
            database.checkpoint().unwrap();
            assert_eq!(database.damaged_pages().unwrap(), [0_u64; 0]);
        }
        // Begins the WAL anew, so that the file's own pages count.
        write(&database, 100..101);
        let len = std::fs::metadata(&path).unwrap().len();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        let mut found = 0;
        for at in (300..len).step_by(1024) {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
            found += database.damaged_pages().unwrap().len();
            file.write_all_at(&byte, at).unwrap();
        }
        assert!(found > 4, "{found} of {len} bytes");
        assert_eq!(database.damaged_pages().unwrap(), [0_u64; 0]);
    }

    #[test]
    fn a_file_from_before_there_were_sums_is_taken_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        write(&database, 0..30);
        database.checkpoint().unwrap();
        drop(database);
        std::fs::remove_file(sums_file(&path)).unwrap();
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        assert_eq!(database.damaged_pages().unwrap(), [0_u64; 0]);
        write(&database, 30..60);
        database.checkpoint().unwrap();
        write(&database, 60..61);
        assert_eq!(database.damaged_pages().unwrap(), [0_u64; 0]);
    }
}
