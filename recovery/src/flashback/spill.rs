//! Row events that cannot be read again where they came from: out of payloads and compressed events,
//! of encrypted files, pipes and servers, and those of which only some rows are taken back.
//!
//! They lie in a scratch file in blocks of 1 MiB, compressed each, and are read from the last to the
//! first. In memory is one block, or one event if that is larger.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// What a block holds, unless a single event is larger.
const BLOCK: usize = 1 << 20;

/// zstd's fastest level that still finds most of what rows repeat.
const LEVEL: i32 = 1;

/// Where an event lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpillPlace {
    pub(super) block: u32,
    pub(super) offset: u32,
    pub(super) len: u32,
}

/// One compressed block of the file.
#[derive(Debug, Clone, Copy)]
struct Block {
    offset: u64,
    len: u32,
    content_len: u32,
}

/// The file and its blocks.
#[derive(Debug)]
pub(super) struct Spill {
    file: File,
    blocks: Vec<Block>,
    end: u64,
    /// Events of the block that is filled.
    open: Vec<u8>,
    /// Compressed bytes on their way.
    packed: Vec<u8>,
    /// The block that was read last and its content.
    read: Option<(u32, Vec<u8>)>,
}

impl Spill {
    pub(super) const fn new(file: File) -> Self {
        Self {
            file,
            blocks: Vec::new(),
            end: 0,
            open: Vec::new(),
            packed: Vec::new(),
            read: None,
        }
    }

    /// Keeps an event.
    pub(super) fn push(&mut self, event: &[u8]) -> io::Result<SpillPlace> {
        if !self.open.is_empty() && self.open.len().saturating_add(event.len()) > BLOCK {
            self.close_block()?;
        }
        let too_large = |_| io::Error::other("an event of 4 GiB");
        let place = SpillPlace {
            block: u32::try_from(self.blocks.len()).map_err(too_large)?,
            offset: u32::try_from(self.open.len()).map_err(too_large)?,
            len: u32::try_from(event.len()).map_err(too_large)?,
        };
        self.open.extend_from_slice(event);
        Ok(place)
    }

    fn close_block(&mut self) -> io::Result<()> {
        let bound = zstd::zstd_safe::compress_bound(self.open.len());
        self.packed.clear();
        self.packed.resize(bound, 0);
        let len = zstd::bulk::compress_to_buffer(&self.open, &mut self.packed, LEVEL)?;
        let packed = self.packed.get(..len).unwrap_or_default();
        self.file.write_all_at(packed, self.end)?;
        let small = |len: usize| u32::try_from(len).map_err(io::Error::other);
        self.blocks.push(Block {
            offset: self.end,
            len: small(len)?,
            content_len: small(self.open.len())?,
        });
        self.end = self.end.saturating_add(len as u64);
        self.open.clear();
        if self.open.capacity() > 2 * BLOCK {
            self.open = Vec::new();
            self.packed = Vec::new();
        }
        Ok(())
    }

    /// The event at `place`. Blocks are read one after the other; events of one block cost nothing.
    pub(super) fn get(&mut self, place: SpillPlace) -> io::Result<&[u8]> {
        if !self.open.is_empty() {
            self.close_block()?;
        }
        if self
            .read
            .as_ref()
            .is_none_or(|(block, _)| *block != place.block)
        {
            let content = self.read_block(place.block)?;
            self.read = Some((place.block, content));
        }
        let start = place.offset as usize;
        let content = self.read.as_ref().map(|(_, content)| content.as_slice());
        content
            .and_then(|content| content.get(start..start.saturating_add(place.len as usize)))
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn read_block(&mut self, number: u32) -> io::Result<Vec<u8>> {
        let block = usize::try_from(number)
            .ok()
            .and_then(|number| self.blocks.get(number).copied());
        let block = block.ok_or(io::ErrorKind::NotFound)?;
        self.read = None;
        self.packed.clear();
        self.packed.resize(block.len as usize, 0);
        self.file.read_exact_at(&mut self.packed, block.offset)?;
        zstd::bulk::decompress(&self.packed, block.content_len as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_back_from_the_last_to_the_first() {
        let file = crate::scratch(&std::env::temp_dir()).unwrap();
        let mut spill = Spill::new(file);
        let event = |number: usize| vec![number.to_le_bytes()[0]; number * 977 % 70_000 + 1];
        let mut places = Vec::new();
        for number in 0..100 {
            places.push(spill.push(&event(number)).unwrap());
        }
        let large = vec![7; 3 * BLOCK];
        let place = spill.push(&large).unwrap();
        assert!(spill.get(place).unwrap() == large);
        for (number, place) in places.iter().enumerate().rev() {
            assert!(spill.get(*place).unwrap() == event(number), "{number}");
        }
        assert!(spill.blocks.len() > 3, "{}", spill.blocks.len());
        // A place that is none is an error.
        let nowhere = SpillPlace {
            block: 99,
            offset: 0,
            len: 1,
        };
        assert!(spill.get(nowhere).is_err());
    }
}
