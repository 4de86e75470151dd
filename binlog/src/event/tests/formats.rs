//! Streams older than today's format, and streams with longer headers.

use super::golden::unhex;
use super::*;

/// An event with a header of format 1.
fn event_v1(event_type: EventType, body: &[u8]) -> Vec<u8> {
    let mut out = vec![1, 0, 0, 0, event_type.0, 2, 0, 0, 0];
    let size = u32::try_from(EventHeader::LEN_V1 + body.len()).unwrap();
    out.extend(size.to_le_bytes());
    out.extend(body);
    out
}

fn start(version: u16) -> StartV3 {
    let mut server_version = [0; 50];
    server_version[..7].copy_from_slice(b"3.23.58");
    StartV3 {
        binlog_version: version,
        server_version,
        created: 9,
    }
}

#[test]
fn a_file_of_format_1_has_headers_of_13_bytes() {
    let mut body = Vec::new();
    start(1).encode(&mut body);
    let bytes = event_v1(EventType::START_V3, &body);
    let size = u32::try_from(bytes.len()).unwrap();
    assert!(StartV3::is_v1(size));
    let description = start(1).description(size);
    let format = description.format();
    assert_eq!((format.header_len, format.binlog_version), (13, 1));
    assert_eq!(description.server_version, "3.23.58");

    let raw = RawEvent::parse_as(&bytes, format).unwrap();
    assert_eq!((raw.header.timestamp, raw.header.server_id), (1, 2));
    assert_eq!(
        Event::decode(&raw, format).unwrap(),
        Event::StartV3(start(1))
    );

    let query = b"\x05\0\0\0\x01\0\0\0\x02\0\0d1\0INSERT INTO t VALUES (1)";
    let bytes = event_v1(EventType::QUERY, query);
    let raw = RawEvent::parse_as(&bytes, format).unwrap();
    let event = Event::decode(&raw, format).unwrap();
    let Event::Query(query) = &event else {
        panic!("{event:?}")
    };
    assert_eq!((query.thread_id, query.exec_time), (5, 1));
    assert_eq!(
        (query.schema.as_ref(), query.status.0.len()),
        (&b"d1"[..], 0)
    );
    assert_eq!(query.sql.as_ref(), b"INSERT INTO t VALUES (1)");
    let mut again = Vec::new();
    raw.reframe(&mut again, format, |out| event.encode_as(out, format));
    assert_eq!(again, bytes);
}

#[test]
fn a_rotate_of_format_1_is_kept_as_it_is() {
    let format = start(1).description(69).format();
    let bytes = event_v1(EventType::ROTATE, b"log.002");
    let raw = RawEvent::parse_as(&bytes, format).unwrap();
    let event = Event::decode(&raw, format).unwrap();
    assert!(matches!(
        event,
        Event::Other {
            body: b"log.002",
            ..
        }
    ));
}

#[test]
fn a_file_of_format_3_has_headers_of_19_bytes_and_no_status_variables() {
    let mut out = Vec::new();
    let header = EventHeader::new(EventType::START_V3, 0, 1);
    write_event(&mut out, &header, 4, ChecksumAlgorithm::None, |body| {
        start(3).encode(body)
    });
    assert_eq!(out.len(), 75);
    assert!(!StartV3::is_v1(75));
    let format = start(3).description(75).format();
    assert_eq!((format.header_len, format.binlog_version), (19, 3));
    let body = b"\x05\0\0\0\x01\0\0\0\0\0\0\0BEGIN";
    let mut out = Vec::new();
    let header = EventHeader::new(EventType::QUERY, 0, 1);
    write_event(&mut out, &header, 4, format.checksum, |out| {
        out.extend(body)
    });
    let raw = RawEvent::parse_as(&out, format).unwrap();
    let event = Event::decode(&raw, format).unwrap();
    assert!(matches!(&event, Event::Query(query) if query.sql.as_ref() == b"BEGIN"));
    let mut again = Vec::new();
    raw.reframe(&mut again, format, |out| event.encode_as(out, format));
    assert_eq!(again, out);
}

#[test]
fn longer_headers_of_patched_servers_are_stepped_over_and_kept() {
    for extra in [4, 8, 12] {
        let mut description = FormatDescription::current("5.1.24-patched", ChecksumAlgorithm::None);
        description.header_len = EventHeader::LEN_U8 + extra;
        let (mut body, mut out) = (Vec::new(), Vec::new());
        description.encode(&mut body);
        let header = EventHeader::new(EventType::FORMAT_DESCRIPTION, 0, 1);
        // It is older than checksums: there is none whatever is asked for.
        write_event(&mut out, &header, 4, ChecksumAlgorithm::Crc32, |out| {
            out.extend(&body);
        });
        assert_eq!(out.len(), EventHeader::LEN + body.len());
        let raw = RawEvent::parse(&out).unwrap();
        let again = FormatDescription::decode(raw.bytes).unwrap();
        assert_eq!(again, description);
        let format = again.format();
        assert_eq!(raw.body(format).unwrap(), body);
        raw.verify(format).unwrap();

        let mut out = Vec::new();
        let header = EventHeader::new(EventType::XID, 0, 1);
        write_event(&mut out, &header, 4, format.checksum, |body| {
            body.extend(vec![0xaa; usize::from(extra)]);
            Xid { xid: 42 }.encode(body);
        });
        let raw = RawEvent::parse_as(&out, format).unwrap();
        assert_eq!(raw.extra_header(format), vec![0xaa; usize::from(extra)]);
        let event = Event::decode(&raw, format).unwrap();
        assert_eq!(event, Event::Xid(Xid { xid: 42 }));
        let mut again = Vec::new();
        raw.reframe(&mut again, format, |out| event.encode_as(out, format));
        assert_eq!(again, out);
        assert_eq!(
            raw.body(ChecksumAlgorithm::None).unwrap().len(),
            8 + usize::from(extra)
        );
    }
}

#[test]
fn the_version_of_the_server_decides_about_checksums() {
    for (version, has_checksum) in [
        ("5.0.96-log", false),
        ("5.1.34sp1-enterprise", false),
        ("5.5.62", false),
        ("5.6.0-m4", false),
        ("5.6.1-m5", true),
        ("8.4.6-weir", true),
        ("5.2.14-MariaDB", false),
        ("5.3.0-MariaDB", true),
        ("10.11.19-MariaDB-0+deb12u1-log", true),
        ("no version", true),
    ] {
        let description = FormatDescription::current(version, ChecksumAlgorithm::None);
        let mut body = Vec::new();
        description.encode(&mut body);
        let expected = 57 + 42 + usize::from(has_checksum);
        assert_eq!(body.len(), expected, "{version}");
    }
}

#[test]
fn a_description_of_shorter_headers_or_another_format_is_refused() {
    let good = unhex(bytes::FORMAT_DESCRIPTION_97);
    for (at, value) in [(75, 18), (19, 3), (118, 2)] {
        let mut bad = good.clone();
        bad[at] = value;
        assert!(FormatDescription::decode(&bad).is_err(), "{at}");
    }
}

#[test]
fn what_stands_behind_the_version_text_is_kept() {
    let mut event = unhex(bytes::FORMAT_DESCRIPTION_97);
    event[40..44].copy_from_slice(b"rest");
    let description = FormatDescription::decode(&event).unwrap();
    assert_eq!(description.server_version, "9.7.4-2");
    let mut body = Vec::new();
    description.encode(&mut body);
    assert_eq!(body, event[EventHeader::LEN..event.len() - checksum::LEN]);
}

#[test]
fn table_ids_are_of_4_bytes_where_the_description_says_so() {
    let mut description = FormatDescription::current("5.1.12-beta", ChecksumAlgorithm::None);
    assert_eq!(description.format().table_id_len, 6);
    description.post_header_lengths[18] = 6;
    assert_eq!(description.format().table_id_len, 4);
}
