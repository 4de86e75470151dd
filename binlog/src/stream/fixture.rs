//! Logs made event by event, for tests.

use std::io;
use std::sync::Mutex;

use crate::event::{
    ChecksumAlgorithm, Event, EventFlags, EventFormat, EventHeader, EventType, FormatDescription,
    RawEvent, write_event,
};
use crate::log::{LogFileName, LogReader, MAGIC, ReadOptions, StorageFile};

/// Writes a log into memory.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) bytes: Vec<u8>,
    pub(crate) format: EventFormat,
    /// Where the last event begins.
    pub(crate) last: u64,
}

impl Log {
    /// A log with nothing but its head.
    pub(crate) fn new(server: &str, checksum: ChecksumAlgorithm) -> Self {
        let description = FormatDescription::current(server, checksum);
        let mut log = Self {
            bytes: MAGIC.to_vec(),
            format: description.format(),
            last: 4,
        };
        log.event(&Event::FormatDescription(description));
        log
    }

    pub(crate) fn mysql() -> Self {
        Self::new("9.7.4", ChecksumAlgorithm::Crc32)
    }

    pub(crate) fn mariadb() -> Self {
        Self::new("11.8.6-MariaDB", ChecksumAlgorithm::Crc32)
    }

    pub(crate) fn event(&mut self, event: &Event<'_>) -> &mut Self {
        let mut body = Vec::new();
        event.encode(&mut body);
        self.raw(event.event_type(), EventFlags::NONE, &body)
    }

    pub(crate) fn raw(&mut self, kind: EventType, flags: EventFlags, body: &[u8]) -> &mut Self {
        let header = EventHeader::new(kind, 7, 1).with_flags(flags);
        self.last = self.bytes.len() as u64;
        let (start, checksum) = (self.last, self.format.checksum);
        write_event(&mut self.bytes, &header, start, checksum, |out| {
            out.extend_from_slice(body);
        });
        self
    }

    pub(crate) fn query(&mut self, sql: &str) -> &mut Self {
        let mut body = vec![0; 13];
        body.push(0);
        body.extend_from_slice(sql.as_bytes());
        self.raw(EventType::QUERY, EventFlags::NONE, &body)
    }

    /// MySQL's GTID number `number` of a fixed source.
    pub(crate) fn gtid(&mut self, number: u64) -> &mut Self {
        let mut body = vec![0];
        body.extend_from_slice(&[0xaa; 16]);
        body.extend_from_slice(&number.to_le_bytes());
        self.raw(EventType::GTID, EventFlags::NONE, &body)
    }

    pub(crate) fn mariadb_gtid(&mut self, number: u64, flags: u8) -> &mut Self {
        let mut body = number.to_le_bytes().to_vec();
        body.extend_from_slice(&[0, 0, 0, 0, flags]);
        body.resize(19, 0);
        self.raw(EventType::MARIADB_GTID, EventFlags::NONE, &body)
    }

    /// Table `number` with one INT column.
    pub(crate) fn table(&mut self, number: u8) -> &mut Self {
        let body = [
            &[number, 0, 0, 0, 0, 0, 1, 0, 1, b's', 0, 1, b't', 0][..],
            &[1, 3, 0, 1],
        ];
        self.raw(EventType::TABLE_MAP, EventFlags::NONE, &body.concat())
    }

    /// One inserted row.
    pub(crate) fn rows(&mut self, table: u8, ends_statement: bool) -> &mut Self {
        self.big_rows(table, ends_statement, 1)
    }

    /// Inserted rows.
    pub(crate) fn big_rows(&mut self, table: u8, ends: bool, count: usize) -> &mut Self {
        let mut body = vec![table, 0, 0, 0, 0, 0, u8::from(ends), 0, 2, 0, 1, 1];
        for row in 0..count {
            body.push(0);
            body.extend_from_slice(&u32::try_from(row).unwrap().to_le_bytes());
        }
        self.raw(EventType::WRITE_ROWS, EventFlags::NONE, &body)
    }

    pub(crate) fn xid(&mut self) -> &mut Self {
        self.raw(EventType::XID, EventFlags::NONE, &9_u64.to_le_bytes())
    }

    pub(crate) fn xa_prepare(&mut self, one_phase: u8) -> &mut Self {
        let mut body = vec![one_phase, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        body.push(b'x');
        self.raw(EventType::XA_PREPARE, EventFlags::NONE, &body)
    }

    /// The events from offset `from` on, without their checksums.
    pub(crate) fn content_from(&self, from: u64) -> Vec<u8> {
        let mut content = Vec::new();
        let mut at = usize::try_from(from).unwrap();
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let header = EventHeader::decode(rest).unwrap();
            let size = usize::try_from(header.event_size).unwrap();
            let raw = RawEvent::parse(&rest[..size]).unwrap();
            let inner = EventHeader {
                event_size: header.event_size
                    - u32::try_from(raw.trailer_len(self.format)).unwrap(),
                end_log_pos: 0,
                ..header
            };
            inner.encode(&mut content);
            content.extend_from_slice(raw.body(self.format).unwrap());
            at += size;
        }
        content
    }

    pub(crate) fn file(&self) -> Memory {
        Memory {
            bytes: Mutex::new(self.bytes.clone()),
            most: usize::MAX,
        }
    }

    pub(crate) fn reader(&self) -> LogReader {
        self.reader_with(&ReadOptions::default())
    }

    pub(crate) fn reader_with(&self, options: &ReadOptions) -> LogReader {
        let name = LogFileName::new("b", 1);
        LogReader::over_with(Box::new(self.file()), name, options).unwrap()
    }
}

/// A file in memory that gives at most `most` bytes at once.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) bytes: Mutex<Vec<u8>>,
    pub(crate) most: usize,
}

impl StorageFile for Memory {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.bytes.lock().unwrap();
        let rest = usize::try_from(offset).ok().and_then(|at| bytes.get(at..));
        let rest = rest.unwrap_or_default();
        let len = rest.len().min(buffer.len()).min(self.most);
        buffer[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
