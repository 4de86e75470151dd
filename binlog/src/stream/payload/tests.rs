//! Payloads: whole, damaged, hostile, and larger than memory.

use crate::event::{
    ChecksumAlgorithm, Event, EventFlags, EventType, PayloadCompression, RawEvent,
    TransactionPayload,
};
use crate::limits::Limits;
use crate::log::{ForwardFile, LogFileName, LogReader, ReadOptions};
use crate::stream::fixture::Log;
use crate::stream::payload::{DEFAULT_LEVEL, compress};
use crate::stream::{EventSource, EventStream};

/// The content of a payload with `statements` row events.
fn content(row_events: usize, rows: usize) -> Vec<u8> {
    let mut inner = Log::new("9.7.4", ChecksumAlgorithm::None);
    let from = inner.bytes.len() as u64;
    inner.query("BEGIN");
    for _ in 0..row_events {
        inner.table(1).big_rows(1, true, rows);
    }
    inner.xid();
    inner.content_from(from)
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, DEFAULT_LEVEL).unwrap()
}

fn log_of(compression: PayloadCompression, size: u64, payload: Vec<u8>) -> Log {
    let mut log = Log::mysql();
    log.gtid(1);
    log.event(&Event::TransactionPayload(TransactionPayload {
        compression: Some(compression),
        uncompressed_size: Some(size),
        unknown_fields: vec![9, 2, 1, 2],
        payload: payload.into(),
    }));
    log.gtid(2).query("DROP TABLE t");
    log
}

fn sound() -> Log {
    let content = content(3, 200);
    log_of(
        PayloadCompression::Zstd,
        content.len() as u64,
        zstd(&content),
    )
}

/// Types and inner offsets of all events, and the error that ended them.
fn walk<S: EventSource>(
    stream: &mut EventStream<S>,
) -> (Vec<(EventType, Option<u64>)>, Option<String>) {
    let mut events = Vec::new();
    loop {
        match stream.advance() {
            Ok(false) => return (events, None),
            Err(error) => return (events, Some(error.to_string())),
            Ok(true) => {
                let event = stream.current().unwrap();
                events.push((event.raw.header.event_type, event.place.inner));
            }
        }
    }
}

fn walk_log(log: &Log) -> (Vec<(EventType, Option<u64>)>, Option<String>) {
    walk(&mut EventStream::new(log.reader(), Limits::default()))
}

fn error_of(log: &Log) -> String {
    walk_log(log).1.expect("an error")
}

#[test]
fn payloads_come_out_the_same_however_they_are_stored_and_read() {
    let content = content(3, 200);
    let (first, second) = content.split_at(content.len() / 2);
    let frames = [zstd(first), zstd(second)].concat();
    let size = content.len() as u64;
    let (expected, error) = walk_log(&sound());
    assert_eq!(error, None);
    assert_eq!(expected.len(), 3 + 2 + 6 + 2);
    for log in [
        log_of(PayloadCompression::Zstd, size, frames),
        log_of(PayloadCompression::None, size, content),
        sound(),
    ] {
        assert_eq!(walk_log(&log), (expected.clone(), None));
        // Not held, read in pieces of any size, from a file and from a pipe.
        for most in [1, 7, 4096, usize::MAX] {
            let options = ReadOptions {
                held_max: 64,
                ..ReadOptions::default()
            };
            let mut file = log.file();
            file.most = most;
            let name = LogFileName::new("b", 1);
            let reader = LogReader::over_with(Box::new(file), name.clone(), &options).unwrap();
            let mut stream = EventStream::new(reader, Limits::default());
            assert_eq!(walk(&mut stream), (expected.clone(), None));
            let pipe = Trickle(log.bytes.clone(), 0, most);
            let file = Box::new(ForwardFile::new(pipe));
            let reader = LogReader::over_with(file, name, &options).unwrap();
            let mut stream = EventStream::new(reader, Limits::default());
            assert_eq!(walk(&mut stream), (expected.clone(), None));
        }
    }
}

/// A pipe that gives a few bytes at a time.
struct Trickle(Vec<u8>, usize, usize);

impl std::io::Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.0[self.1..];
        let len = rest.len().min(buffer.len()).min(self.2);
        buffer[..len].copy_from_slice(&rest[..len]);
        self.1 += len;
        Ok(len)
    }
}

#[test]
fn damage_of_a_payload_names_the_event_and_the_byte_inside() {
    let whole = content(1, 10);
    let size = whole.len() as u64;
    let check = |log: &Log, expected: &str| {
        let error = error_of(log);
        assert!(error.contains(expected), "{error}");
        assert!(error.starts_with("b.000001 at offset "), "{error}");
    };
    let zstd_log = |size, content: &[u8]| log_of(PayloadCompression::Zstd, size, zstd(content));
    check(
        &zstd_log(size + 1, &whole),
        "announces 184 bytes of content, but has 183",
    );
    check(
        &zstd_log(size - 1, &whole),
        "announces 182 bytes of content, but has 183",
    );
    let cut = &whole[..whole.len() - 1];
    check(
        &zstd_log(size - 1, cut),
        "byte 156 of its decompressed payload, event XID: the inner event needs 27 bytes, but the \
         payload ends after 26",
    );
    check(
        &zstd_log(size + 5, &[&whole[..], b"12345"].concat()),
        "byte 183 of its decompressed payload, event TRANSACTION_PAYLOAD: the inner event needs \
         19 bytes, but the payload ends after 5",
    );
    let mut small = whole.clone();
    small[9] = 18;
    check(
        &zstd_log(size, &small),
        "the inner event announces 18 bytes",
    );
    let mut frame = zstd(&whole);
    frame.pop();
    check(
        &log_of(PayloadCompression::Zstd, size, frame.clone()),
        "the payload ends inside a compressed frame",
    );
    frame.extend_from_slice(b"x12345678");
    check(
        &log_of(PayloadCompression::Zstd, size, frame),
        "the payload",
    );
    check(
        &log_of(PayloadCompression::Zstd, size, b"no zstd".to_vec()),
        "the payload cannot be inflated: Unknown frame descriptor",
    );
    check(
        &log_of(PayloadCompression::Unknown(7), size, whole.clone()),
        "the payload's compression has code 7",
    );
    let trailing = [zstd(&whole), b"garbage".to_vec()].concat();
    check(
        &log_of(PayloadCompression::Zstd, size, trailing),
        "cannot be inflated",
    );
}

#[test]
fn the_stream_goes_on_behind_a_damaged_payload() {
    let content = content(1, 10);
    let log = log_of(PayloadCompression::Zstd, 7, zstd(&content));
    let mut stream = EventStream::new(log.reader(), Limits::default());
    let (events, error) = walk(&mut stream);
    assert!(error.is_some());
    assert_eq!(events.last().unwrap().0, EventType::TRANSACTION_PAYLOAD);
    let (events, error) = walk(&mut stream);
    assert_eq!(error, None);
    let types: Vec<_> = events
        .into_iter()
        .map(|(event_type, _)| event_type)
        .collect();
    assert_eq!(types, [EventType::GTID, EventType::QUERY]);
}

#[test]
fn an_inner_event_larger_than_the_limit_is_refused_before_memory_is_taken() {
    let content = content(1, 10_000);
    let log = log_of(
        PayloadCompression::Zstd,
        content.len() as u64,
        zstd(&content),
    );
    let limits = Limits {
        inflated_max: 10_000,
    };
    let (_, error) = walk(&mut EventStream::new(log.reader(), limits));
    let error = error.unwrap();
    assert!(
        error.contains("event WRITE_ROWS: the inner event announces 50031 bytes"),
        "{error}"
    );
    assert!(error.contains("at most 10000 are read"), "{error}");
}

#[test]
fn a_wrong_checksum_of_a_large_payload_is_found_in_files_and_in_pipes() {
    let mut log = sound();
    let at = log.bytes.len() - 120;
    log.bytes[at] ^= 1;
    let options = ReadOptions {
        held_max: 64,
        ..ReadOptions::default()
    };
    let stream = EventStream::new(log.reader_with(&options), Limits::default());
    let mut stream = stream;
    let (events, error) = walk(&mut stream);
    assert!(
        error
            .unwrap()
            .contains("event TRANSACTION_PAYLOAD: the checksum does not match")
    );
    assert_eq!(
        events.len(),
        2,
        "a file is verified before the payload is shown"
    );
    let file = Box::new(ForwardFile::new(std::io::Cursor::new(log.bytes.clone())));
    let reader = LogReader::over_with(file, LogFileName::new("b", 1), &options).unwrap();
    let (_, error) = walk(&mut EventStream::new(reader, Limits::default()));
    assert!(error.is_some());
}

#[test]
fn a_payload_of_64_mib_passes_through_a_small_window() {
    // 1 024 row events of 64 KiB; what is held must not depend on how many there are.
    let content = content(1_024, 13_100);
    assert!(content.len() > 64 << 20);
    let log = log_of(PayloadCompression::None, content.len() as u64, content);
    let mut stream = EventStream::new(log.reader(), Limits::default());
    let mut most = 0;
    let mut inner = 0;
    while stream.advance().unwrap() {
        most = most.max(stream.bytes_held() + stream.source().bytes_held());
        inner += u64::from(stream.current().unwrap().place.inner.is_some());
    }
    assert_eq!(inner, 2 + 2 * 1_024);
    assert!(most < 2 << 20, "{most} bytes were held");
}

#[test]
fn what_is_compressed_is_read_again() {
    let mut log = Log::mysql();
    let from = log.bytes.len();
    log.query("BEGIN").table(1).rows(1, true).xid();
    let mut events = Vec::new();
    let mut rest = &log.bytes[from..];
    while !rest.is_empty() {
        let size = usize::try_from(u32::from_le_bytes(rest[9..13].try_into().unwrap())).unwrap();
        events.push(RawEvent::parse(&rest[..size]).unwrap());
        rest = &rest[size..];
    }
    for level in [1, 3, 22, 99] {
        let payload = compress(events.iter().copied(), log.format, level).unwrap();
        assert_eq!(
            payload.uncompressed_size,
            Some(log.content_from(from as u64).len() as u64)
        );
        let mut written = Log::mysql();
        written.gtid(1).event(&Event::TransactionPayload(payload));
        let (read, error) = walk_log(&written);
        assert_eq!(error, None);
        let types: Vec<_> = read
            .iter()
            .skip(3)
            .map(|(event_type, _)| *event_type)
            .collect();
        let expected: Vec<_> = events.iter().map(|event| event.header.event_type).collect();
        assert_eq!(types, expected);
    }
    let mut gtid = Log::mysql();
    let from = gtid.bytes.len();
    gtid.gtid(1).raw(EventType::STOP, EventFlags::NONE, b"");
    let event = RawEvent::parse(&gtid.bytes[from..from + 48]).unwrap();
    assert!(compress([event], gtid.format, 3).is_err());
}
