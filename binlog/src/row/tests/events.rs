//! Row events of every form: compressed, partial, partitioned, old; and table maps of both servers.

use std::io::Write as _;

use codec::DecodeErrorKind;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::*;
use crate::event::EventFormat;
use crate::limits::Limits;
use crate::value::json;

/// MariaDB's compressed record of `rows`, announced as `len` bytes.
fn compressed(rows: &[u8], len: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(rows).unwrap();
    let mut record = vec![0x84];
    record.extend_from_slice(&u32::try_from(len).unwrap().to_be_bytes());
    record.extend_from_slice(&encoder.finish().unwrap());
    record
}

/// Body of a WRITE_ROWS_COMPRESSED_V1 of a table of one column.
fn compressed_body(record: &[u8]) -> Vec<u8> {
    let mut body = vec![108, 0, 0, 0, 0, 0, 1, 0, 1, 0xff];
    body.extend_from_slice(record);
    body
}

fn blobs(rows: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in rows {
        bytes.push(0xfe);
        bytes.extend_from_slice(&u32::try_from(row.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(row);
    }
    bytes
}

fn blob_plan() -> RowPlan {
    RowPlan::new(&map(vec![column(ColumnType::BLOB, 4)])).unwrap()
}

/// Rows of an event by way of its chunks, and how many chunks there were.
fn read_chunks(body: &[u8], limits: Limits) -> Result<(Vec<Vec<u8>>, usize), codec::DecodeError> {
    let kind = EventType(166);
    let event = RowsEvent::decode(kind, Reader::at(body, 19), NONE)?;
    let plan = blob_plan();
    let mut chunks = event.chunks(&plan, &limits)?;
    let (mut rows, mut count) = (Vec::new(), 0);
    let mut pair = RowPair::default();
    while let Some(mut reader) = chunks.next_chunk()? {
        let mut own = pair.recycled();
        count += 1;
        while reader.next_into(&mut own)? {
            match own.after[0].as_ref().unwrap() {
                Value::Bytes(bytes) => rows.push(bytes.to_vec()),
                other => panic!("{other:?}"),
            }
        }
        pair = own.recycled();
    }
    Ok((rows, count))
}

#[test]
fn compressed_rows_come_in_windows_of_whole_rows() {
    let rows: Vec<Vec<u8>> = (0..3000_usize)
        .map(|n| vec![u8::try_from(n % 251).unwrap(); 1 + n % 700])
        .chain([vec![7; 1 << 20], vec![8; 3]])
        .collect();
    let bytes = blobs(&rows);
    let body = compressed_body(&compressed(&bytes, bytes.len()));
    let (read, chunks) = read_chunks(&body, Limits::default()).unwrap();
    assert!(read == rows);
    assert!(chunks > 3, "{chunks}");
    let event = RowsEvent::decode(EventType(166), Reader::at(&body, 19), NONE).unwrap();
    let mut again = Vec::new();
    event.encode(&mut again);
    assert_eq!(again, body);
    assert_eq!(event.event_type(), EventType(166));
    assert!(event.read(&blob_plan()).is_err());
    let inflated = event.inflated(&Limits::default()).unwrap();
    assert_eq!(inflated.read(&blob_plan()).unwrap().count(), rows.len());
    assert_eq!(inflated.event_type(), EventType::WRITE_ROWS_V1);
}

#[test]
fn damaged_and_oversized_compressed_rows_end_in_an_error() {
    let bytes = blobs(&[vec![1; 100_000], vec![2; 10]]);
    let whole = compressed(&bytes, bytes.len());
    let small = Limits {
        inflated_max: 50_000,
    };
    for body in [
        compressed_body(&compressed(&bytes, bytes.len() - 1)),
        compressed_body(&compressed(&bytes, bytes.len() + 1)),
        compressed_body(&whole[..whole.len() - 1]),
        compressed_body(&whole[..4]),
        compressed_body(&[0x94, 0, 0, 0, 1, 0]),
        compressed_body(&[]),
        compressed_body(&compressed(&bytes[..bytes.len() - 1], bytes.len() - 1)),
    ] {
        assert!(read_chunks(&body, Limits::default()).is_err());
    }
    let error = read_chunks(&compressed_body(&whole), small).unwrap_err();
    assert!(
        matches!(error.kind, DecodeErrorKind::TooLarge { .. }),
        "{error}"
    );
    // One row of 4 GiB of zeros, announced as such, in 4 MB.
    let mut bomb = blobs(&[vec![0; 0]]);
    bomb[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
    bomb.resize(80 << 20, 0);
    let error = read_chunks(
        &compressed_body(&compressed(&bomb, bomb.len())),
        Limits::default(),
    );
    assert!(matches!(
        error.unwrap_err().kind,
        DecodeErrorKind::TooLarge { .. }
    ));
}

#[test]
fn every_row_event_type_keeps_its_bytes() {
    for code in (20..=25).chain(30..=32).chain([39]).chain(166..=171) {
        let event_type = EventType(code);
        assert!(RowsEvent::is_rows(event_type));
        for len in [6, 4] {
            let format = EventFormat {
                table_id_len: len,
                ..EventFormat::from(NONE)
            };
            let mut body = vec![9; usize::from(len)];
            body.extend_from_slice(&[1, 0]);
            if matches!(code, 30..=32 | 39 | 169..=171) {
                body.extend_from_slice(&[5, 0, 1, 7, 0]);
            }
            body.extend_from_slice(&[2, 0xff, 0xff, 1, 2, 3]);
            let event = RowsEvent::decode(event_type, Reader::at(&body, 19), format).unwrap();
            assert_eq!(event.event_type(), event_type);
            let mut again = Vec::new();
            event.encode(&mut again);
            assert_eq!(again, body, "{code}");
            for cut in 0..body.len() - 5 {
                let reader = Reader::at(&body[..cut], 19);
                assert!(
                    RowsEvent::decode(event_type, reader, format).is_err(),
                    "{code} {cut}"
                );
            }
        }
    }
    assert!(!RowsEvent::is_rows(EventType::QUERY));
    assert!(RowsEvent::decode(EventType::QUERY, Reader::new(&[0; 30]), NONE).is_err());
}

#[test]
fn rows_of_a_version_never_released_are_kept_and_not_guessed() {
    let body = [108, 0, 0, 0, 0, 0, 1, 0, 1, 0xff, 0xfe, 1];
    let event = RowsEvent::decode(EventType(20), Reader::at(&body, 19), NONE).unwrap();
    assert_eq!(event.version, RowsVersion::PreGa);
    let plan = RowPlan::new(&map(vec![column(ColumnType::TINY, 0)])).unwrap();
    assert!(event.read(&plan).is_err());
}

#[test]
fn partitions_are_read_from_the_extra_data() {
    let with = |extra: &[u8]| {
        let mut body = vec![108, 0, 0, 0, 0, 0, 1, 0];
        body.extend_from_slice(&u16::try_from(extra.len() + 2).unwrap().to_le_bytes());
        body.extend_from_slice(extra);
        body.extend_from_slice(&[1, 1, 1]);
        let reader = Reader::at(&body, 19);
        RowsEvent::decode(EventType::UPDATE_ROWS, reader, NONE)
            .unwrap()
            .partition()
    };
    let partition = |target, source| Some(RowsPartition { target, source });
    assert_eq!(with(&[1, 2, 0]), partition(2, None));
    assert_eq!(with(&[1, 2, 0, 3, 1]), partition(2, Some(0x103)));
    assert_eq!(with(&[]), None);
    assert_eq!(with(&[0, 2, 0]), None);
}

/// Body of a PARTIAL_UPDATE_ROWS of a table with a number and two JSON columns; `after` follows the
/// before image, which has no JSON.
fn partial(after_columns: u8, after: &[u8]) -> Vec<u8> {
    let mut body = vec![108, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 1, after_columns];
    body.extend_from_slice(&[0, 5]);
    body.extend_from_slice(after);
    body
}

#[test]
fn partial_updates_say_which_json_columns_hold_changes() {
    let json = || column(ColumnType::JSON, 4);
    let plan = RowPlan::new(&map(vec![column(ColumnType::TINY, 0), json(), json()])).unwrap();
    let read = |body: &[u8]| {
        let kind = EventType::PARTIAL_UPDATE_ROWS;
        let event = RowsEvent::decode(kind, Reader::at(body, 19), NONE)?;
        let mut skipping = event.read(&plan)?;
        skipping.skip_row()?;
        assert!(!skipping.skip_row()?);
        let pair = event.read(&plan)?.next().unwrap()?;
        let own = |value: Option<Value<'_>>| value.map(Value::into_owned);
        Ok::<Vec<_>, codec::DecodeError>(pair.after.into_iter().map(own).collect())
    };
    let diffs = |bytes: &'static [u8]| Some(Value::JsonDiffs(Cow::Borrowed(bytes)));
    let whole = |bytes: &'static [u8]| Some(Value::Json(Cow::Borrowed(bytes)));
    // The second JSON column holds changes, the first a value; then only the second is present.
    let both = partial(7, b"\x01\x02\0\x05\x02\0\0\0\x04\x01\x03\0\0\0abc");
    assert_eq!(
        read(&both).unwrap(),
        [Some(Value::Int(5)), whole(b"\x04\x01"), diffs(b"abc")]
    );
    let second = partial(4, b"\x01\x02\0\0\0\0\0");
    assert_eq!(read(&second).unwrap(), [None, None, diffs(b"")]);
    let null = partial(6, b"\x01\x03\x02\x01\0\0\0d");
    assert_eq!(read(&null).unwrap(), [None, diffs(b"d"), Some(Value::Null)]);
    let plain = partial(4, b"\0\0\x02\0\0\0\x04\x02");
    assert_eq!(read(&plain).unwrap(), [None, None, whole(b"\x04\x02")]);
    assert!(read(&partial(4, b"\x02\0\0\0\0\0\0")).is_err());
    for len in 13..both.len() {
        if len != 13 {
            assert!(read(&both[..len]).is_err(), "{len}");
        }
    }
}

#[test]
fn changes_apply_to_the_json_value_before() {
    let before = json::from_text(r#"{"a": 1, "b": [1, [2], 3], "key with space": {}}"#).unwrap();
    let diff = |operation: u8, path: &str, value: Option<&str>| {
        let mut bytes = vec![operation, u8::try_from(path.len()).unwrap()];
        bytes.extend_from_slice(path.as_bytes());
        if let Some(value) = value {
            let value = json::from_text(value).unwrap();
            bytes.push(u8::try_from(value.len()).unwrap());
            bytes.extend_from_slice(&value);
        }
        bytes
    };
    let apply = |diffs: &[u8]| {
        let after = json::apply_diffs(&before, diffs)?;
        Ok::<_, json::JsonDiffError>(json::to_text(&after).unwrap())
    };
    for (operation, path, value, after) in [
        (
            0,
            "$.a",
            Some("2"),
            r#"{"a": 2, "b": [1, [2], 3], "key with space": {}}"#,
        ),
        (0, "$", Some("[]"), "[]"),
        (
            0,
            "$.b[last]",
            Some("4"),
            r#"{"a": 1, "b": [1, [2], 4], "key with space": {}}"#,
        ),
        (
            0,
            "$.b[last-1][0]",
            Some("9"),
            r#"{"a": 1, "b": [1, [9], 3], "key with space": {}}"#,
        ),
        (
            0,
            "$.a[0]",
            Some("7"),
            r#"{"a": 7, "b": [1, [2], 3], "key with space": {}}"#,
        ),
        (
            1,
            "$.\"key with space\".\"\\u0078\"",
            Some("true"),
            r#"{"a": 1, "b": [1, [2], 3], "key with space": {"x": true}}"#,
        ),
        (
            1,
            "$.b[1]",
            Some("8"),
            r#"{"a": 1, "b": [1, 8, [2], 3], "key with space": {}}"#,
        ),
        (
            1,
            "$.b[9]",
            Some("8"),
            r#"{"a": 1, "b": [1, [2], 3, 8], "key with space": {}}"#,
        ),
        (
            2,
            "$.b[0]",
            None,
            r#"{"a": 1, "b": [[2], 3], "key with space": {}}"#,
        ),
        (2, "$.b", None, r#"{"a": 1, "key with space": {}}"#),
    ] {
        assert_eq!(
            apply(&diff(operation, path, value)).unwrap(),
            after,
            "{path}"
        );
    }
    for (operation, path, value) in [
        (0, "$.c", Some("1")),
        (0, "$.b[3]", Some("1")),
        (0, "a", Some("1")),
        (0, "$.b[x]", Some("1")),
        (0, "$.", Some("1")),
        (0, "$.\"a", Some("1")),
        (0, "$[last-x]", Some("1")),
        (1, "$", Some("1")),
        (1, "$.a", Some("1")),
        (1, "$.b.c", Some("1")),
        (1, "$.a[1]", Some("1")),
        (2, "$", None),
        (2, "$.b[3]", None),
        (2, "$.c", None),
    ] {
        let error = apply(&diff(operation, path, value)).unwrap_err();
        assert!(
            matches!(error, json::JsonDiffError::Mismatch { .. }),
            "{path}: {error}"
        );
        assert!(error.to_string().contains(path), "{error}");
    }
    let deep = format!("${}", "[0]".repeat(101));
    let mut nested = vec![0, 0xfc];
    nested.extend_from_slice(&u16::try_from(deep.len()).unwrap().to_le_bytes());
    nested.extend_from_slice(deep.as_bytes());
    nested.extend_from_slice(&[2, 4, 1]);
    assert!(apply(&nested).is_err());
    assert_eq!(json::apply_diffs(&before, &[]).unwrap(), before);
    let two = [diff(2, "$.a", None), diff(1, "$.a", Some("3"))].concat();
    assert!(apply(&two).unwrap().starts_with(r#"{"a": 3"#));
    for len in 1..two.len() {
        if len != 5 {
            assert!(
                matches!(apply(&two[..len]), Err(json::JsonDiffError::Damaged(_))),
                "{len}"
            );
        }
    }
    assert!(apply(&[3, 1, b'$']).is_err());
    assert_eq!(json::diffs(&two).count(), 2);
}

/// A table map with full metadata of many types, in the order of `flavour`'s server.
fn full_map() -> TableMap<'static> {
    let mut geometry = Column::new(ColumnType::GEOMETRY, 4, true);
    geometry.geometry_type = Some(1);
    let mut kind = column(ColumnType::STRING, 0xf701);
    kind.charset = Some(8);
    kind.members = Some(vec![Cow::Borrowed(b"x"), Cow::Borrowed(b"\xff")]);
    let mut flags = column(ColumnType::STRING, 0xf801);
    flags.charset = Some(255);
    flags.members = Some(vec![Cow::Borrowed(b"y")]);
    let mut vector = column(ColumnType::VECTOR, 4);
    vector.charset = Some(63);
    vector.vector_dimensions = Some(300);
    let mut latin = column(ColumnType::VARCHAR, 40);
    latin.charset = Some(8);
    let numbers = [column(ColumnType::TINY, 0), column(ColumnType::YEAR, 0)];
    let mut columns: Vec<_> = numbers.into_iter().collect();
    columns.extend([
        geometry,
        kind,
        flags,
        vector,
        latin,
        column(ColumnType::BLOB, 2),
    ]);
    for (index, column) in columns.iter_mut().enumerate() {
        column.name = Some(format!("c{index}").into());
        column.visible = Some(index % 2 == 0);
    }
    let mut map = map(columns);
    map.primary_key = Some(vec![(0, 0), (6, 10)]);
    map
}

#[test]
fn table_maps_keep_their_bytes_until_they_are_changed() {
    let map = full_map();
    let mut body = Vec::new();
    map.encode(&mut body);
    // An unknown field in front of the known ones, as a later server may write.
    let bare = {
        let mut bare = map.clone().without_full_metadata();
        for column in &mut bare.columns {
            *column = Column::new(column.column_type, column.metadata, column.nullable);
        }
        let mut bytes = Vec::new();
        bare.encode(&mut bytes);
        bytes
    };
    let mut odd = bare.clone();
    odd.extend_from_slice(&[200, 1, 9]);
    odd.extend_from_slice(&body[bare.len()..]);
    for bytes in [&body, &odd] {
        let mut read = TableMap::decode(Reader::new(bytes), NONE).unwrap();
        let mut again = Vec::new();
        read.encode(&mut again);
        assert_eq!(&again, bytes);
        read.columns[0].name = Some(Cow::Borrowed("renamed"));
        let mut changed = Vec::new();
        read.encode(&mut changed);
        assert_ne!(&changed, bytes);
        assert_eq!(TableMap::decode(Reader::new(&changed), NONE).unwrap(), read);
    }
    assert_eq!(TableMap::decode(Reader::new(&body), NONE).unwrap(), map);
    for len in 0..body.len() {
        if let Ok(cut) = TableMap::decode(Reader::new(&body[..len]), NONE) {
            // Whole fields may be missing: that is another map, not a damaged one.
            assert_ne!(cut, map, "{len}");
        }
    }
    for len in 0..bare.len() {
        assert!(
            TableMap::decode(Reader::new(&bare[..len]), NONE).is_err(),
            "{len}"
        );
    }
}

#[test]
fn each_server_counts_its_own_columns_as_text() {
    let columns = |charsets: &[u8]| {
        let mut body = vec![1, 0, 0, 0, 0, 0, 1, 0, 1, b'd', 0, 1, b't', 0];
        body.extend_from_slice(&[3, 255, 252, 242, 3, 4, 2, 4, 0]);
        body.extend_from_slice(&[3, u8::try_from(charsets.len()).unwrap()]);
        body.extend_from_slice(charsets);
        body
    };
    let body = columns(&[63, 8]);
    let charsets = |format: EventFormat| {
        let map = TableMap::decode(Reader::new(&body), format).unwrap();
        let mut again = Vec::new();
        map.encode(&mut again);
        assert_eq!(again, body);
        assert_eq!(map.clone().into_owned(), map);
        map.columns
            .iter()
            .map(|column| column.charset)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        charsets(EventFormat::mysql(NONE)),
        [None, Some(63), Some(8)]
    );
    assert_eq!(
        charsets(EventFormat::mariadb(NONE)),
        [Some(63), Some(8), None]
    );
}

#[test]
fn table_maps_that_no_server_writes_are_refused() {
    let head = [1, 0, 0, 0, 0, 0, 1, 0, 1, b'd', 0, 1, b't', 0];
    for rest in [
        // An unknown type, a name without its NUL, lying counts of members, bits and columns.
        &[1, 100, 0, 0][..],
        &[1, 254, 2, 0xf7, 1, 0, 6, 2, 0xfe, 1],
        &[1, 254, 2, 0xf8, 1, 0, 5, 2, 65, 0],
        &[1, 1, 0, 0, 1, 2, 0, 0],
        &[1, 1, 0, 0, 12, 2, 0, 0],
        &[1, 1, 0, 0, 8, 1, 1],
        &[1, 15, 2, 9, 0, 0, 2, 3, 8, 1, 8],
        &[0xfc, 0x01, 0x10],
        &[1, 1, 1, 0, 0],
    ] {
        let body = [&head[..], rest].concat();
        assert!(
            TableMap::decode(Reader::new(&body), NONE).is_err(),
            "{rest:?}"
        );
    }
    let mut no_nul = head.to_vec();
    no_nul[10] = 1;
    no_nul.extend_from_slice(&[1, 1, 0, 0]);
    assert!(TableMap::decode(Reader::new(&no_nul), NONE).is_err());
}
