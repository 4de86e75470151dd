//! Events that no server here writes: those of old versions, of group replication, of the wire, and of
//! MariaDB's newest.

use binlog::event::{
    ChecksumAlgorithm, EventFlags, EventFormat, EventHeader, EventType, write_event,
};

/// Whether events of this type mean nothing without the table map before them.
#[must_use]
pub const fn follows_table_map(event_type: EventType) -> bool {
    matches!(event_type.0, 20..=25 | 30..=32 | 39 | 166..=172)
}

/// Format and events, the last of them the one that is meant.
#[must_use]
pub fn events() -> Vec<(EventFormat, Vec<Vec<u8>>)> {
    let mysql = EventFormat::mysql(ChecksumAlgorithm::Crc32);
    let mariadb = EventFormat::mariadb(ChecksumAlgorithm::Crc32);
    let mut events = Vec::new();
    for (code, body) in bodies() {
        for format in [mysql, mariadb] {
            let is_foreign = match code {
                160..=172 => format == mysql,
                33..=42 => format == mariadb,
                _ => false,
            };
            if is_foreign {
                continue;
            }
            let mut run = Vec::new();
            if follows_table_map(EventType(code)) {
                run.push(event(format, 19, TABLE_MAP));
            }
            run.push(event(format, code, &body));
            events.push((format, run));
        }
    }
    events.extend(old_streams());
    events
}

/// The same events as servers before checksums, and patched ones, frame them.
fn old_streams() -> Vec<(EventFormat, Vec<Vec<u8>>)> {
    let plain = EventFormat::mysql(ChecksumAlgorithm::None);
    let mut streams = Vec::new();
    for header_len in [23, 27, 31] {
        let format = EventFormat {
            header_len,
            ..plain
        };
        for (code, body) in bodies() {
            if code >= 160 {
                continue;
            }
            let mut bytes = vec![0xee; usize::from(header_len) - 19];
            bytes.extend_from_slice(&body);
            streams.push((format, vec![event(plain, code, &bytes)]));
        }
    }
    let short_ids = EventFormat {
        table_id_len: 4,
        ..plain
    };
    let map = with_short_id(TABLE_MAP);
    let rows = with_short_id(WRITE_V0);
    streams.push((
        short_ids,
        vec![event(plain, 19, &map), event(plain, 20, &rows)],
    ));
    for binlog_version in [1, 3] {
        let header_len = if binlog_version == 1 { 13 } else { 19 };
        let format = EventFormat {
            binlog_version,
            header_len,
            ..plain
        };
        for (code, body) in bodies().into_iter().take(OLD) {
            let mut bytes = event(plain, code, &body);
            if binlog_version == 1 {
                bytes.drain(13..19);
                let len = u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes();
                bytes.splice(9..13, len);
            }
            streams.push((format, vec![bytes]));
        }
    }
    streams
}

fn with_short_id(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.drain(4..6);
    body
}

fn event(format: EventFormat, code: u8, body: &[u8]) -> Vec<u8> {
    let header = EventHeader {
        timestamp: 1_700_000_000,
        event_type: EventType(code),
        server_id: 1,
        event_size: 0,
        end_log_pos: 0,
        flags: EventFlags::NONE,
    };
    let mut out = Vec::new();
    write_event(&mut out, &header, 4, format.checksum, |out| {
        out.extend_from_slice(body)
    });
    out
}

/// `shop.t (INT, VARCHAR(20), nullable)`, id 7.
const TABLE_MAP: &[u8] =
    b"\x07\0\0\0\0\0\x01\0\x04shop\0\x01t\0\x02\x03\x0f\x02\x14\0\x02\x01\x01\x80";

/// One row `(1, 'ab')` in the layout before 5.1.18.
const WRITE_V0: &[u8] = b"\x07\0\0\0\0\0\x01\0\x02\x03\xfc\x01\0\0\0\x02ab";

/// How many of [`bodies`] versions 1 and 3 of the format know.
const OLD: usize = 14;

/// Types and bodies, those of the oldest servers first.
fn bodies() -> Vec<(u8, Vec<u8>)> {
    let start = [&b"\x01\0"[..], &padded(b"4.0.27-log", 50), &[0; 4]].concat();
    let load_head = b"\x05\0\0\0\x01\0\0\0\0\0\0\0\x01\x04\x02\0\0\0";
    let load_tail = b"\x01\x02a\0bc\0t\0shop\0/tmp/x.txt";
    let delimiters = b"\x01\t\x01\"\x01\n\0\x01\\\x02";
    let load = [&load_head[..], b"\t\"\n\0\\\x02\x08", &load_tail[..]].concat();
    let new_load = [&load_head[..], &delimiters[..], &load_tail[..]].concat();
    let block = b"\0block of data";
    let create_file = [&load_head[..], b"\x01\0\0\0", delimiters, load_tail, block].concat();
    let query = b"\x05\0\0\0\x01\0\0\0\x04\0\0\0\0shop\0INSERT INTO t VALUES (1)".to_vec();
    let mut bodies = vec![
        (1, start),
        (2, query),
        (3, vec![]),
        (4, b"\x04\0\0\0\0\0\0\0binlog.000002".to_vec()),
        (5, b"\x02\x07\0\0\0\0\0\0\0".to_vec()),
        (6, load),
        (7, b"\x04\0\0\0\x08\0\0\0source\0binlog.000001\0".to_vec()),
        (8, create_file),
        (9, b"\x01\0\0\0block of data".to_vec()),
        (10, b"\x01\0\0\0".to_vec()),
        (11, b"\x01\0\0\0".to_vec()),
        (12, new_load),
        (13, vec![7; 16]),
        (14, b"\x01\0\0\0a\0\0\x08\0\0\0\x02\0\0\0xy".to_vec()),
        (17, b"\x01\0\0\0block of data".to_vec()),
    ];
    assert!(bodies.len() > OLD);
    let statement = b"LOAD DATA INFILE 'x' INTO TABLE t";
    let execute_load = b"\x05\0\0\0\x01\0\0\0\x04\0\0\0\0\x01\0\0\0\x09\0\0\0\x15\0\0\0\x02shop\0";
    bodies.push((18, [&execute_load[..], statement].concat()));
    bodies.extend(rows());
    bodies.extend([
        (0, b"unknown".to_vec()),
        (26, b"\x01\0\x04lost".to_vec()),
        (27, b"binlog.000001".to_vec()),
        (28, b"ignorable".to_vec()),
        (29, b"\x05hello".to_vec()),
        (41, b"\x01\x0dbinlog.000001\x02\x01\x04\0".to_vec()),
        (99, b"from a future".to_vec()),
    ]);
    bodies.extend(group_replication());
    bodies.extend(mariadb());
    bodies
}

/// TRANSACTION_CONTEXT and VIEW_CHANGE.
fn group_replication() -> Vec<(u8, Vec<u8>)> {
    let mut context = b"\x0b\x05\0\0\0\x01\x08\0\0\0\x02\0\0\0\x01\0\0\0".to_vec();
    context.extend_from_slice(b"server-uuid");
    context.extend([0; 8]);
    context.extend_from_slice(b"\x03\0abc\0\0\x02\0de");
    let mut view = padded(b"15:1", 40);
    view.extend(9_u64.to_le_bytes());
    view.extend(1_u32.to_le_bytes());
    view.extend_from_slice(b"\x04\0key1\x05\0\0\0value");
    vec![(36, context), (37, view)]
}

/// Row events of every layout, over the table map above.
fn rows() -> Vec<(u8, Vec<u8>)> {
    const ROW: &[u8] = b"\xfc\x01\0\0\0\x02ab";
    let head = b"\x07\0\0\0\0\0\x01\0";
    // 0x80 | zlib | one length byte, then a stored block
    let record = |row: &[u8]| {
        let len = u8::try_from(row.len()).unwrap_or_default();
        let mut record = vec![0x81, len, 0x78, 0x01, 0x01, len, 0, !len, 0xff];
        record.extend_from_slice(row);
        record.extend(adler32(row).to_be_bytes());
        record
    };
    let twice = [ROW, ROW].concat();
    let mut rows = Vec::new();
    for (code, is_v2, is_update, is_compressed) in [
        (20, false, false, false),
        (21, false, true, false),
        (22, false, false, false),
        (23, false, false, false),
        (24, false, true, false),
        (25, false, false, false),
        (30, true, false, false),
        (31, true, true, false),
        (32, true, false, false),
        (166, false, false, true),
        (167, false, true, true),
        (168, false, false, true),
        (169, true, false, true),
        (170, true, true, true),
        (171, true, false, true),
    ] {
        let images: &[u8] = if is_update { &twice } else { ROW };
        let mut body = head.to_vec();
        if is_v2 {
            body.extend_from_slice(b"\x02\0");
        }
        body.push(2);
        body.push(3);
        if is_update {
            body.push(3);
        }
        match is_compressed {
            true => body.extend(record(images)),
            false => body.extend_from_slice(images),
        }
        rows.push((code, body));
    }
    // Value options 0 stand before the after image.
    let partial = [&head[..], b"\x02\0\x02\x03\x03", ROW, b"\0", ROW].concat();
    rows.push((39, partial));
    rows
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    high << 16 | low
}

/// MariaDB's own events in the forms that its versions have.
fn mariadb() -> Vec<(u8, Vec<u8>)> {
    let gtid = b"\x05\0\0\0\0\0\0\0\x01\0\0\0";
    let with = |rest: &[u8]| padded(&[&gtid[..], rest].concat(), 19);
    vec![
        (160, b"INSERT INTO t VALUES (1)".to_vec()),
        (161, b"\x0d\0\0\0binlog.000001".to_vec()),
        (162, with(b"\x01")),
        (162, with(b"\x02\x09\0\0\0\0\0\0\0")),
        (162, with(b"\x44\x01\0\0\0\x03\x02gtrbq")),
        (162, with(b"\x84\x01\0\0\0\x03\x02gtrbq\x10\x07\0\0\0")),
        (162, with(b"\x0c\x01\xff")),
        (162, with(b"\x29\x14\x05\0\0\0\0\0\0\0\x07\0\0\0")),
        (162, with(b"\x29\x02")),
        (162, with(b"\x29\x08\x05\0\0\0\0\0\0\0")),
        (162, padded(&with(b"\x0c\x10\x07\0\0\0"), 400)),
        (
            163,
            b"\x01\0\0\x10\x01\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0".to_vec(),
        ),
        (163, vec![0; 6]),
        (164, b"\x01\x01\0\0\0abcdefghijkl".to_vec()),
        (165, compressed_query()),
        (172, b"\x01\0\0\0\x02\0\0\0\x01part of a row event".to_vec()),
    ]
}

fn compressed_query() -> Vec<u8> {
    let sql = b"INSERT INTO t VALUES (1)";
    let len = u8::try_from(sql.len()).unwrap_or_default();
    let mut body = b"\x05\0\0\0\x01\0\0\0\x04\0\0\0\0shop\0".to_vec();
    body.extend([0x81, len, 0x78, 0x01, 0x01, len, 0, !len, 0xff]);
    body.extend_from_slice(sql);
    body.extend(adler32(sql).to_be_bytes());
    body
}

fn padded(bytes: &[u8], len: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.len() < len {
        bytes.resize(len, 0);
    }
    bytes
}
