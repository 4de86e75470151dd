//! Reading files from the back to the front in large pieces.

use std::io;

use binlog::log::StorageFile;

use super::rewind::LogFiles;

/// What is read at once, unless a single event is larger.
const PIECE: usize = 1 << 20;

/// The files of a log, by number; those that cannot be read again are none.
#[derive(Debug, Default)]
pub struct ReadBack {
    files: Vec<Option<Box<dyn StorageFile>>>,
    /// The file and the offset that `piece` was read from.
    at: Option<(usize, u64)>,
    piece: Vec<u8>,
}

impl ReadBack {
    /// Adds the next file.
    pub fn push(&mut self, file: Option<Box<dyn StorageFile>>) {
        self.files.push(file);
    }

    /// Where the bytes lie in the piece that is held.
    fn held(&self, number: usize, offset: u64, size: usize) -> Option<usize> {
        let (file, start) = self.at?;
        if file != number {
            return None;
        }
        let index = usize::try_from(offset.checked_sub(start)?).ok()?;
        let end = index.checked_add(size)?;
        (end <= self.piece.len()).then_some(index)
    }

    /// Reads the piece that ends behind the bytes.
    fn fill(&mut self, number: usize, offset: u64, size: usize) -> io::Result<usize> {
        self.at = None;
        let file = self.files.get(number).and_then(Option::as_ref);
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        let before = PIECE.saturating_sub(size) as u64;
        let start = offset.saturating_sub(before);
        let index = usize::try_from(offset - start).map_err(io::Error::other)?;
        let len = index.saturating_add(size);
        if self.piece.capacity() > 2 * PIECE && len <= PIECE {
            self.piece = Vec::new();
        }
        self.piece.resize(len, 0);
        let mut filled = 0;
        while filled < len {
            let room = self.piece.get_mut(filled..).unwrap_or_default();
            match file.read_at(start.saturating_add(filled as u64), room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled = filled.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.at = Some((number, start));
        Ok(index)
    }
}

impl LogFiles for ReadBack {
    fn read(&mut self, number: usize, offset: u64, size: usize) -> io::Result<&[u8]> {
        let index = match self.held(number, offset, size) {
            Some(index) => index,
            None => self.fill(number, offset, size)?,
        };
        let bytes = self.piece.get(index..index.saturating_add(size));
        bytes.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use binlog::log::storage::write_all_at;
    use binlog::log::{SimStorage, Storage};

    use super::*;

    #[test]
    fn events_are_read_from_the_back_to_the_front() {
        let storage = SimStorage::default();
        let content: Vec<u8> = (0..5 * PIECE)
            .map(|at| (at / 100).to_le_bytes()[0])
            .collect();
        let mut files = ReadBack::default();
        files.push(None);
        let file = storage.create("log").unwrap();
        write_all_at(file.as_ref(), 0, &content).unwrap();
        files.push(Some(file));
        let sizes = [1, 8192, 100, PIECE + 7, 3, 2 * PIECE, 50_000];
        let mut end = content.len();
        for size in sizes {
            let start = end - size;
            let read = files.read(1, start as u64, size).unwrap();
            assert!(
                read == content.get(start..end).unwrap(),
                "{size} at {start}"
            );
            end = start;
        }
        assert!(files.read(0, 0, 1).is_err());
        assert!(files.read(1, content.len() as u64, 1).is_err());
    }
}
