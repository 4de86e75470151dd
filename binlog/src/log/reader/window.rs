//! The part of a file that is in memory.
//!
//! It grows with bytes that were really read, never by a size that bytes announce.

use std::io;

use crate::log::storage::StorageFile;

/// What is read from the file at once, at least.
pub(super) const CHUNK: usize = 256 << 10;

/// A stretch of a file.
#[derive(Debug)]
pub(super) struct Window {
    file: Box<dyn StorageFile>,
    buffer: Vec<u8>,
    /// Offset in the file of the buffer's first byte.
    offset: u64,
    /// Valid bytes of the buffer.
    filled: usize,
}

impl Window {
    pub(super) const fn new(file: Box<dyn StorageFile>) -> Self {
        Self {
            file,
            buffer: Vec::new(),
            offset: 0,
            filled: 0,
        }
    }

    pub(super) fn file(&self) -> &dyn StorageFile {
        self.file.as_ref()
    }

    /// Forgets what was read, so that the file is looked at again. A file that is read forward only
    /// gives nothing twice, so there nothing is forgotten.
    pub(super) fn forget(&mut self) {
        if !self.file.is_forward_only() {
            self.filled = 0;
        }
    }

    /// How many bytes from `offset` are in memory.
    pub(super) fn available(&self, offset: u64) -> usize {
        match self.index(offset) {
            Some(index) => self.filled.saturating_sub(index),
            None => 0,
        }
    }

    /// The `len` bytes from `offset`, or as many of them as are in memory.
    pub(super) fn bytes(&self, offset: u64, len: usize) -> &[u8] {
        let Some(start) = self.index(offset) else {
            return &[];
        };
        let end = start.saturating_add(len).min(self.filled);
        self.buffer.get(start..end).unwrap_or_default()
    }

    fn index(&self, offset: u64) -> Option<usize> {
        usize::try_from(offset.checked_sub(self.offset)?).ok()
    }

    /// Brings `len` bytes from `offset` into memory, as far as the file (or `end`, beyond which
    /// nothing is read) reaches; returns how many are there, at most `len`. Bytes before `offset`
    /// may be dropped.
    pub(super) fn fill(&mut self, offset: u64, len: usize, end: Option<u64>) -> io::Result<usize> {
        if self.available(offset) >= len {
            return Ok(len);
        }
        self.drop_before(offset);
        if self.buffer.len() > CHUNK && len <= CHUNK && self.filled <= CHUNK {
            // A large event has passed; its memory is given back.
            self.buffer.truncate(CHUNK);
            self.buffer.shrink_to_fit();
        }
        let limit = end.map_or(usize::MAX, |end| {
            usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX)
        });
        while self.filled < len {
            let doubled = self.filled.saturating_mul(2);
            let target = doubled.clamp(CHUNK, len.max(CHUNK)).min(limit);
            if target <= self.filled {
                break;
            }
            if self.buffer.len() < target {
                self.buffer.resize(target, 0);
            }
            let from = offset.saturating_add(self.filled as u64);
            let room = self.buffer.get_mut(self.filled..target);
            match self.file.read_at(from, room.unwrap_or_default()) {
                Ok(0) => break,
                Ok(read) => self.filled = self.filled.saturating_add(read).min(target),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.filled.min(len))
    }

    /// Moves the bytes from `offset` on to the front.
    fn drop_before(&mut self, offset: u64) {
        match self.index(offset) {
            Some(start) if start < self.filled => {
                self.buffer.copy_within(start..self.filled, 0);
                self.filled -= start;
            }
            _ => self.filled = 0,
        }
        self.offset = offset;
    }

    /// Bytes of memory that are held.
    #[cfg(test)]
    pub(super) const fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}
