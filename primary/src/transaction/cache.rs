//! The events of a transaction until it commits, in bounded memory.
//!
//! Events are kept without position and checksum, which are known only when the transaction is
//! written to the log. What does not fit into memory goes to a file that has no name any more, so
//! that nothing is left behind by a crash.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use binlog::event::{ChecksumAlgorithm, EventHeader, RawEvent, checksum};

/// Bytes of a transaction that are kept in memory.
const MEMORY_MAX: usize = 1 << 20;

/// Bytes of the spill file that are read at once.
const CHUNK: usize = 256 << 10;

/// A place in the cache to cut back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CacheMark {
    bytes: u64,
    events: u64,
}

/// Framed events without position and checksum.
#[derive(Debug)]
pub(crate) struct EventCache {
    directory: PathBuf,
    spill: Option<File>,
    /// Bytes in the spill file; what is in memory follows them.
    spilled: u64,
    memory: Vec<u8>,
    events: u64,
}

impl EventCache {
    /// An empty cache that spills into `directory`.
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            spill: None,
            spilled: 0,
            memory: Vec::new(),
            events: 0,
        }
    }

    /// Whether there is no event.
    pub(crate) const fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Bytes that the events will take in a log with this checksum.
    pub(crate) fn len(&self, checksum: ChecksumAlgorithm) -> u64 {
        let trailers = self.events.saturating_mul(checksum.trailer_len() as u64);
        self.bytes().saturating_add(trailers)
    }

    fn bytes(&self) -> u64 {
        self.spilled.saturating_add(self.memory.len() as u64)
    }

    /// Adds an event.
    pub(crate) fn push(&mut self, header: &EventHeader, body: &[u8]) -> io::Result<()> {
        let len = EventHeader::LEN.saturating_add(body.len());
        let size = u32::try_from(len)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "an event beyond 4 GiB"))?;
        let header = EventHeader {
            event_size: size,
            ..*header
        };
        header.encode(&mut self.memory);
        self.memory.extend_from_slice(body);
        self.events += 1;
        if self.memory.len() > MEMORY_MAX {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &self.spill {
            Some(file) => file,
            None => self.spill.insert(nameless_file(&self.directory)?),
        };
        file.write_all_at(&self.memory, self.spilled)?;
        self.spilled = self.spilled.saturating_add(self.memory.len() as u64);
        self.memory.clear();
        Ok(())
    }

    /// The end now.
    pub(crate) fn mark(&self) -> CacheMark {
        CacheMark {
            bytes: self.bytes(),
            events: self.events,
        }
    }

    /// Forgets what was added since the mark.
    pub(crate) fn truncate(&mut self, mark: CacheMark) {
        match mark.bytes.checked_sub(self.spilled) {
            Some(kept) => self
                .memory
                .truncate(usize::try_from(kept).unwrap_or(usize::MAX)),
            None => {
                // The file's longer tail is overwritten by what is spilled next.
                self.spilled = mark.bytes;
                self.memory.clear();
            }
        }
        self.events = mark.events;
    }

    /// Calls `event` with each event, header and body, in order.
    pub(crate) fn for_each<E: From<io::Error>>(
        &self,
        mut event: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut buffer = Vec::new();
        let mut read = 0;
        while let Some(file) = self.spill.as_ref().filter(|_| read < self.spilled) {
            let left = usize::try_from(self.spilled - read).unwrap_or(usize::MAX);
            let start = buffer.len();
            buffer.resize(start.saturating_add(left.min(CHUNK)), 0);
            let target = buffer.get_mut(start..).unwrap_or_default();
            file.read_exact_at(target, read)?;
            read = read.saturating_add(target.len() as u64);
            let used = each_whole(&buffer, &mut event)?;
            buffer.drain(..used);
        }
        each_whole(&self.memory, &mut event)?;
        Ok(())
    }
}

/// Calls `event` with each whole event of `bytes`; returns the bytes of those.
fn each_whole<E>(bytes: &[u8], event: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<usize, E> {
    let mut used = 0;
    while let Some(rest) = bytes.get(used..)
        && let Ok(header) = EventHeader::decode(rest)
        && let Some(whole) = usize::try_from(header.event_size)
            .ok()
            .and_then(|size| rest.get(..size))
        && !whole.is_empty()
    {
        event(whole)?;
        used = used.saturating_add(whole.len());
    }
    Ok(used)
}

/// A file without a name, for as long as it is open.
fn nameless_file(directory: &Path) -> io::Result<File> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = directory.join(format!("#binlog_cache_{}_{number}", std::process::id()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Appends the cached event `whole` to `out` as it stands in a log at `offset`. Returns the offset
/// behind it.
pub(crate) fn place(
    out: &mut Vec<u8>,
    whole: &[u8],
    offset: u64,
    algorithm: ChecksumAlgorithm,
) -> u64 {
    let Ok(event) = RawEvent::parse(whole) else {
        return offset;
    };
    let len = (whole.len() as u64).saturating_add(algorithm.trailer_len() as u64);
    let end = offset.saturating_add(len);
    let [a, b, c, d, ..] = end.to_le_bytes();
    let header = EventHeader {
        event_size: u32::try_from(len).unwrap_or(u32::MAX),
        end_log_pos: u32::from_le_bytes([a, b, c, d]),
        ..event.header
    };
    let start = out.len();
    header.encode(out);
    out.extend_from_slice(whole.get(EventHeader::LEN..).unwrap_or_default());
    if algorithm == ChecksumAlgorithm::Crc32 {
        checksum::append(out, start);
    }
    end
}

#[cfg(test)]
mod tests {
    use binlog::event::EventType;

    use super::*;

    fn push(cache: &mut EventCache, body: &[u8]) {
        let header = EventHeader::new(EventType::ROWS_QUERY, 1, 2);
        cache.push(&header, body).unwrap();
    }

    fn bodies(cache: &EventCache) -> Vec<Vec<u8>> {
        let mut bodies = Vec::new();
        cache
            .for_each(|event| {
                bodies.push(event[EventHeader::LEN..].to_vec());
                Ok::<(), io::Error>(())
            })
            .unwrap();
        bodies
    }

    #[test]
    fn a_transaction_larger_than_memory_comes_back_whole_and_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let mut cache = EventCache::new(directory.path());
        let mut expected = Vec::new();
        for at in 0..500_u32 {
            let body = vec![u8::try_from(at % 251).unwrap(); 20_000];
            push(&mut cache, &body);
            expected.push(body);
        }
        assert!(cache.spilled > 0);
        assert_eq!(bodies(&cache), expected);
        assert_eq!(cache.len(ChecksumAlgorithm::Crc32), 500 * (20_000 + 19 + 4));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn cutting_back_works_in_memory_and_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut cache = EventCache::new(directory.path());
        push(&mut cache, b"first");
        let early = cache.mark();
        for _ in 0..200 {
            push(&mut cache, &[7; 20_000]);
        }
        let late = cache.mark();
        push(&mut cache, b"gone");
        cache.truncate(late);
        assert_eq!(bodies(&cache).len(), 201);
        cache.truncate(early);
        push(&mut cache, b"second");
        assert_eq!(bodies(&cache), [b"first".to_vec(), b"second".to_vec()]);
    }

    #[test]
    fn a_placed_event_has_its_position_and_checksum() {
        let directory = tempfile::tempdir().unwrap();
        let mut cache = EventCache::new(directory.path());
        push(&mut cache, b"body");
        let mut out = Vec::new();
        let place_one = |event: &[u8]| {
            assert_eq!(place(&mut out, event, 100, ChecksumAlgorithm::Crc32), 127);
            Ok::<(), io::Error>(())
        };
        cache.for_each(place_one).unwrap();
        let event = RawEvent::parse(&out).unwrap();
        assert_eq!(event.header.end_log_pos, 127);
        event.verify(ChecksumAlgorithm::Crc32).unwrap();
    }
}
