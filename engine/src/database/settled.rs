//! The position up to which the log was durable when frames were last moved into the database file,
//! in a file beside it.
//!
//! A checkpoint moves the newest frame of each page only, so together with a WAL that was cut in
//! front of what it went up to, the file is no moment at all. Where that was is noted first.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use binlog::event::checksum;

use super::EnginePosition;

/// The place of a position in the log.
pub(super) type Place = (String, u64);

/// The file that says where the last checkpoint went up to.
#[derive(Debug)]
pub(super) struct Settled {
    file: File,
    noted: Option<Place>,
}

pub(super) fn place(position: &EnginePosition) -> Place {
    (position.file.clone(), position.offset)
}

impl Settled {
    /// Opens the file that belongs to the database file at `path`, making it if it is not there.
    pub(super) fn open(path: &Path) -> io::Result<Settled> {
        let name = super::rewind::beside(path, ".settled");
        let is_new = !name.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&name)?;
        if let Some(directory) = path.parent().filter(|_| is_new) {
            File::open(directory)?.sync_all()?;
        }
        let noted = read(&file)?;
        Ok(Settled { file, noted })
    }

    /// What was noted last; `None` if that is not known.
    pub(super) fn place(&self) -> Option<&Place> {
        self.noted.as_ref()
    }

    /// Makes durable that no frame younger than `position` is moved. To be called before any is.
    pub(super) fn note(&mut self, position: &EnginePosition) -> io::Result<()> {
        let place = place(position);
        if self.noted.as_ref() == Some(&place) {
            return Ok(());
        }
        self.noted = None;
        let text = format!("{}\n{}", place.1, place.0);
        let sum = checksum::compute(text.as_bytes());
        // The sum covers what counts, so what a longer one left behind it does no harm.
        let record = format!("{sum:08x} {:08x}\n{text}\n", text.len());
        self.file.write_all_at(record.as_bytes(), 0)?;
        self.file.sync_data()?;
        self.noted = Some(place);
        Ok(())
    }
}

fn read(file: &File) -> io::Result<Option<Place>> {
    let mut bytes = vec![
        0;
        usize::try_from(file.metadata()?.len())
            .unwrap_or(0)
            .min(4096)
    ];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(parse(&bytes))
}

fn parse(bytes: &[u8]) -> Option<Place> {
    let (head, rest) = bytes.split_at_checked(18)?;
    let (sum, len) = std::str::from_utf8(head).ok()?.trim_end().split_once(' ')?;
    let text = rest.get(..usize::from_str_radix(len, 16).ok()?)?;
    if checksum::compute(text) != u32::from_str_radix(sum, 16).ok()? {
        return None;
    }
    let (offset, name) = std::str::from_utf8(text).ok()?.split_once('\n')?;
    Some((name.to_owned(), offset.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_to_the_next_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        assert_eq!(Settled::open(&path).unwrap().place(), None);
        for (file, offset) in [("b.000001", u64::MAX), ("", 0), ("c.000002", 7)] {
            let position = EnginePosition {
                file: file.to_owned(),
                offset,
                gtid_executed: String::new(),
            };
            Settled::open(&path).unwrap().note(&position).unwrap();
            let settled = Settled::open(&path).unwrap();
            assert_eq!(settled.place(), Some(&(file.to_owned(), offset)));
        }
        let name = super::super::rewind::beside(&path, ".settled");
        std::fs::write(name, b"00000000 00000003\n7\nb").unwrap();
        assert_eq!(Settled::open(&path).unwrap().place(), None);
    }
}
