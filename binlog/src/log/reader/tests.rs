//! Tests of the reader.

use std::io;
use std::sync::Arc;

use crate::event::{
    ChecksumAlgorithm, Event, EventFlags, EventFormat, EventHeader, EventType, FormatDescription,
    write_event,
};
use crate::limits::Limits;
use crate::log::storage::{replace_file, write_all_at};
use crate::log::{
    FIRST_EVENT, ForwardFile, LogCursor, LogFileName, LogPosition, LogReader, ReadOptions,
    SimStorage, Storage, StorageFile,
};
use crate::stream::EventStream;
use crate::stream::fixture::{Log, Memory};
use crate::transaction::TransactionReader;

fn events(reader: &mut LogReader) -> Vec<(u64, EventType)> {
    let mut events = Vec::new();
    while reader.advance(None).unwrap() {
        let (offset, event) = reader.current().unwrap();
        events.push((offset, event.header.event_type));
    }
    events
}

fn mixed() -> Log {
    let mut log = Log::mysql();
    log.gtid(1)
        .query("BEGIN")
        .table(1)
        .big_rows(1, true, 100_000)
        .xid();
    log.gtid(2).query("CREATE TABLE t (a int)");
    log
}

#[test]
fn any_split_of_reads_gives_the_same_events() {
    let log = mixed();
    let expected = events(&mut log.reader());
    assert_eq!(expected.len(), 8);
    for most in [1, 2, 3, 18, 19, 20, 4096, 262_143] {
        let mut file = log.file();
        file.most = most;
        let mut reader = LogReader::over(Box::new(file), LogFileName::new("b", 1)).unwrap();
        assert_eq!(events(&mut reader), expected);
    }
}

#[test]
fn a_pipe_gives_the_same_events_as_a_file() {
    let log = mixed();
    let pipe = ForwardFile::new(io::Cursor::new(log.bytes.clone()));
    let mut reader = LogReader::over(Box::new(pipe), LogFileName::new("b", 1)).unwrap();
    assert_eq!(events(&mut reader), events(&mut log.reader()));
    assert_eq!(reader.len().unwrap(), log.bytes.len() as u64);
}

#[test]
fn a_pipe_that_ends_inside_an_event_takes_no_more_memory_than_arrived() {
    let mut log = Log::mysql();
    log.query("BEGIN");
    let at = usize::try_from(log.last).unwrap();
    log.bytes[at + 9..at + 13].copy_from_slice(&0x3fff_ffff_u32.to_le_bytes());
    let pipe = ForwardFile::new(io::Cursor::new(log.bytes.clone()));
    let mut reader = LogReader::over(Box::new(pipe), LogFileName::new("b", 1)).unwrap();
    assert!(reader.advance(None).unwrap());
    let error = reader.advance(None).unwrap_err().to_string();
    assert!(
        error.contains("the event needs 1073741823 bytes, but the file ends after"),
        "{error}"
    );
    assert!(reader.bytes_held() <= 512 << 10);
}

#[test]
fn a_large_event_gives_its_memory_back() {
    let mut log = Log::mysql();
    log.query("BEGIN").table(1).big_rows(1, true, 1_000_000);
    for _ in 0..20_000 {
        log.query("SAVEPOINT `a`");
    }
    let mut reader = log.reader();
    let mut most = 0;
    while reader.advance(None).unwrap() {
        most = most.max(reader.bytes_held());
    }
    assert!(most > 4 << 20);
    assert!(reader.bytes_held() <= 512 << 10);
}

#[test]
fn a_relay_log_is_read_by_the_description_of_its_source() {
    let mut log = Log::new("9.7.4", ChecksumAlgorithm::Crc32);
    let source = FormatDescription::current("10.11.19-MariaDB", ChecksumAlgorithm::None);
    log.event(&Event::FormatDescription(source.clone()));
    log.format = source.format();
    log.query("BEGIN");
    let offset = log.last;
    log.xid();
    let mut reader = log.reader();
    assert_eq!(reader.description().server_version, "9.7.4");
    assert_eq!(events(&mut reader).len(), 4);
    assert_eq!(reader.description().server_version, "10.11.19-MariaDB");
    // Also where the reader is put behind it.
    let mut reader = log.reader();
    reader.seek(offset);
    assert_eq!(events(&mut reader).len(), 2);
    reader.seek(FIRST_EVENT);
    assert_eq!(events(&mut reader).len(), 4);
    reader.seek(offset);
    assert_eq!(events(&mut reader).len(), 2);
}

#[test]
fn extra_bytes_of_headers_are_no_part_of_the_body() {
    let mut log = Log::new("5.1.34", ChecksumAlgorithm::None);
    let mut description = FormatDescription::current("5.1.34", ChecksumAlgorithm::None);
    description.header_len = 27;
    log.bytes.truncate(4);
    let mut body = Vec::new();
    description.encode(&mut body);
    // A server of that age writes no checksum.
    let mut event = vec![0; 19];
    event[4] = EventType::FORMAT_DESCRIPTION.0;
    event[9] = u8::try_from(19 + body.len()).unwrap();
    log.bytes.extend_from_slice(&event);
    log.bytes.extend_from_slice(&body);
    log.format = description.format();
    log.raw(EventType::XID, EventFlags::NONE, &[[1; 8], [2; 8]].concat());
    let mut reader = log.reader_with(&ReadOptions::default());
    assert_eq!(reader.format().header_len, 27);
    assert!(reader.advance(None).unwrap() && reader.advance(None).unwrap());
    let format: EventFormat = reader.format();
    let (_, event) = reader.current().unwrap();
    assert_eq!(event.extra_header(format), [1; 8]);
    assert_eq!(event.body(format).unwrap(), [2; 8]);
}

#[test]
fn files_of_version_1_and_3_are_read() {
    for (version, header_len) in [(1_u8, 13_usize), (3, 19)] {
        let mut bytes = crate::log::MAGIC.to_vec();
        let mut event = |kind: EventType, body: &[u8]| {
            let mut header = vec![0; header_len];
            header[4] = kind.0;
            header[9] = u8::try_from(header_len + body.len()).unwrap();
            bytes.extend_from_slice(&header);
            bytes.extend_from_slice(body);
        };
        let mut start = vec![version, 0];
        start.extend_from_slice(b"3.23.58");
        start.resize(56, 0);
        event(EventType::START_V3, &start);
        event(EventType::INTVAR, &[2, 1, 0, 0, 0, 0, 0, 0, 0]);
        let mut query = vec![0; 11];
        query.push(0);
        query.extend_from_slice(b"INSERT INTO t VALUES (1)");
        event(EventType::QUERY, &query);
        event(EventType::STOP, b"");
        let file = Box::new(ForwardFile::new(io::Cursor::new(bytes)));
        let mut reader = LogReader::over(file, LogFileName::new("b", 1)).unwrap();
        assert_eq!(reader.description().binlog_version, u16::from(version));
        assert_eq!(reader.description().server_version, "3.23.58");
        let mut types = Vec::new();
        while reader.advance(None).unwrap() {
            let (_, event) = reader.current().unwrap();
            types.push(event.header.event_type);
            let decoded = Event::decode(&event, reader.format()).unwrap();
            if let Event::Query(query) = decoded {
                assert_eq!(query.sql, &b"INSERT INTO t VALUES (1)"[..]);
            }
        }
        let expected = [
            EventType::START_V3,
            EventType::INTVAR,
            EventType::QUERY,
            EventType::STOP,
        ];
        assert_eq!(types, expected, "version {version}");
    }
}

/// A head, nothing for gigabytes, and events from `far` on.
#[derive(Debug)]
struct Far {
    head: Memory,
    far: u64,
    tail: Memory,
}

impl StorageFile for Far {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match offset.checked_sub(self.far) {
            Some(offset) => self.tail.read_at(offset, buffer),
            None => self.head.read_at(offset, buffer),
        }
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.far + self.tail.len()?)
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[test]
fn positions_go_on_beyond_4_gib_where_events_wrap_theirs() {
    let far = (1_u64 << 32) - 30;
    let mut tail = Vec::new();
    let mut starts = Vec::new();
    for _ in 0..3 {
        let start = far + tail.len() as u64;
        starts.push((start, EventType::XID));
        let header = EventHeader::new(EventType::XID, 0, 1);
        write_event(&mut tail, &header, start, ChecksumAlgorithm::Crc32, |out| {
            out.extend_from_slice(&[0; 8]);
        });
    }
    let file = Far {
        head: Log::mysql().file(),
        far,
        tail: Memory {
            bytes: std::sync::Mutex::new(tail),
            most: usize::MAX,
        },
    };
    let mut reader = LogReader::over(Box::new(file), LogFileName::new("b", 1)).unwrap();
    reader.check_positions();
    reader.seek(far);
    assert_eq!(events(&mut reader), starts);
    assert_eq!(reader.next_offset(), far + 3 * 31);
}

#[test]
fn a_cursor_gives_transactions_across_files_up_to_a_moving_end() {
    let storage = SimStorage::new(1);
    let mut first = Log::mysql();
    first.gtid(1).query("BEGIN").xid();
    first.raw(
        EventType::ROTATE,
        EventFlags::NONE,
        b"\x04\0\0\0\0\0\0\0b.000002",
    );
    let mut second = Log::mysql();
    second.gtid(2).query("BEGIN");
    let middle = second.bytes.len() as u64;
    second.xid();
    for (number, log) in [(1, &first), (2, &second)] {
        let file = storage
            .create(LogFileName::new("b", number).as_str())
            .unwrap();
        write_all_at(file.as_ref(), 0, &log.bytes).unwrap();
    }
    replace_file(&storage, "b.index", b"b.000001\nb.000002\n").unwrap();
    let start = LogPosition::new(LogFileName::new("b", 1), FIRST_EVENT);
    let options = ReadOptions::default();
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let cursor = LogCursor::open_with(storage, "b.index", &start, None, options).unwrap();
    let mut reader = TransactionReader::new(EventStream::new(cursor, Limits::default()));
    assert!(reader.next().unwrap().is_none(), "no end was set");
    let mut ended = Vec::new();
    for end in [middle, second.bytes.len() as u64] {
        let end = LogPosition::new(LogFileName::new("b", 2), end);
        reader.source_mut().set_end(end);
        while let Some(step) = reader.next().unwrap() {
            let info = step.transaction.filter(|info| info.is_complete);
            ended.extend(info.map(|info| info.gtid.mysql().unwrap().gno.get()));
        }
        ended.push(0);
    }
    assert_eq!(ended, [1, 0, 2, 0]);
}
