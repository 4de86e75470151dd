//! Branches of decoders that no file of the corpora reaches: what is refused there, and what only
//! large input meets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::Write as _;

use binlog::event::{ChecksumAlgorithm, Event, EventFormat, EventType, RawEvent};
use binlog::limits::Limits;
use binlog::row::{RowPair, RowPlan, RowsEvent, TableMap};
use binlog::value::{Value, json};
use codec::{DecodeError, Reader, Write};

/// A table of one LONGBLOB.
fn blob_table() -> TableMap<'static> {
    let body: &[u8] = b"\x07\0\0\0\0\0\x01\0\x04shop\0\x01t\0\x01\xfc\x01\x04\0";
    TableMap::decode(Reader::new(body), mariadb()).unwrap()
}

fn mariadb() -> EventFormat {
    EventFormat::mariadb(ChecksumAlgorithm::None)
}

/// The body of an event of compressed rows, each a blob of one of `lengths`.
fn compressed_rows(lengths: &[usize]) -> Vec<u8> {
    let mut rows = Vec::new();
    for (byte, len) in (b'a'..).zip(lengths) {
        rows.put_u8(0);
        rows.put_u32(u32::try_from(*len).unwrap());
        rows.extend(vec![byte; *len]);
    }
    let mut body = b"\x07\0\0\0\0\0\x01\0\x01\x01\x84".to_vec();
    body.extend(u32::try_from(rows.len()).unwrap().to_be_bytes());
    let mut zlib = flate2::write::ZlibEncoder::new(body, flate2::Compression::fast());
    zlib.write_all(&rows).unwrap();
    zlib.finish().unwrap()
}

/// Lengths of the blobs of an event, read in windows.
fn read(body: &[u8], limits: Limits) -> Result<Vec<usize>, DecodeError> {
    let map = blob_table();
    let plan = RowPlan::new(&map)?;
    let kind = EventType::WRITE_ROWS_COMPRESSED_V1;
    let event = RowsEvent::decode(kind, Reader::new(body), mariadb())?;
    let mut chunks = event.chunks(&plan, &limits)?;
    let mut lengths = Vec::new();
    while let Some(mut reader) = chunks.next_chunk()? {
        let mut pair = RowPair::default();
        while reader.next_into(&mut pair)? {
            if let [Some(Value::Bytes(bytes))] = &pair.after[..] {
                lengths.push(bytes.len());
            }
        }
    }
    Ok(lengths)
}

#[test]
fn compressed_rows_larger_than_a_window_are_read_in_several() {
    let lengths = [200_000, 200_000, 900_000, 0, 300_000, 5];
    let body = compressed_rows(&lengths);
    assert_eq!(read(&body, Limits::default()).unwrap(), lengths);
    for cut in [1, 5, 20] {
        assert!(
            read(&body[..body.len() - cut], Limits::default()).is_err(),
            "{cut} bytes less"
        );
    }
}

#[test]
fn a_compressed_row_larger_than_the_limits_is_refused() {
    let body = compressed_rows(&[10, 900_000]);
    let inflated_max = 300_000;
    assert!(read(&body, Limits { inflated_max }).is_err());
    let inflated_max = 900_100;
    assert_eq!(read(&body, Limits { inflated_max }).unwrap(), [10, 900_000]);
}

#[test]
fn compressed_rows_are_not_read_as_they_are() {
    let (map, body) = (blob_table(), compressed_rows(&[3]));
    let plan = RowPlan::new(&map).unwrap();
    let kind = EventType::WRITE_ROWS_COMPRESSED_V1;
    let event = RowsEvent::decode(kind, Reader::new(&body), mariadb()).unwrap();
    assert!(event.read(&plan).is_err());
}

#[test]
fn json_text_with_half_a_character_or_an_endless_number_is_refused() {
    for text in [
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83dA""#,
        r#""\ude00""#,
        "1e999",
        "-1e999",
    ] {
        assert!(json::from_text(text).is_err(), "{text}");
    }
    assert_eq!(
        json::to_text(&json::from_text(r#""\ud83d\ude00""#).unwrap()).unwrap(),
        "\"\u{1f600}\""
    );
}

fn change(path: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.put_lenenc_bytes(path.as_bytes());
    bytes.put_lenenc_bytes(&json::from_text(value).unwrap());
    bytes
}

#[test]
fn json_changes_at_no_path_or_too_deep_are_refused() {
    let before = json::from_text(r#"{"a": [1], "q\"": 2}"#).unwrap();
    for path in [
        "", "a", "$.", "$[", "$[x]", "$.\"a", "$**.a", "$.a b", "$.a[1",
    ] {
        assert!(
            json::apply_diffs(&before, &change(path, "1")).is_err(),
            "{path}"
        );
    }
    let deep = format!("${}", ".a".repeat(101));
    assert!(json::apply_diffs(&before, &change(&deep, "1")).is_err());
    let quoted = json::apply_diffs(&before, &change(r#"$."q\"x""#, "3")).unwrap();
    assert!(json::to_text(&quoted).unwrap().contains(r#""q\"x": 3"#));
}

#[test]
fn an_event_too_short_for_its_checksum_is_refused_and_not_verified() {
    let mut bytes = vec![0; 19];
    bytes[4] = EventType::XID.0;
    bytes[9] = 19;
    let raw = RawEvent::parse(&bytes).unwrap();
    assert!(raw.body(ChecksumAlgorithm::Crc32).is_err());
    assert!(raw.verify(ChecksumAlgorithm::Crc32).is_err());
    assert!(Event::decode(&raw, ChecksumAlgorithm::Crc32).is_err());
}
