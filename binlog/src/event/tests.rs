mod bytes;
mod damage;
mod formats;
mod golden;
mod handmade;
mod properties;

use std::borrow::Cow;

use gtid::{Gno, Gtid, GtidSet, Tag, Tsid, Uuid};
use proptest::prelude::*;

use super::*;

/// Frames, verifies and decodes an event; what comes out must be what went in.
fn check(event: &Event<'_>) {
    for algorithm in [ChecksumAlgorithm::None, ChecksumAlgorithm::Crc32] {
        let mut out = Vec::new();
        let header = EventHeader::new(event.event_type(), 7, 1);
        let end = write_event(&mut out, &header, 120, algorithm, |body| event.encode(body));
        assert_eq!(end, 120 + out.len() as u64);
        let raw = RawEvent::parse(&out).unwrap();
        assert_eq!(u64::from(raw.header.end_log_pos), end);
        raw.verify(algorithm).unwrap();
        assert_eq!(&Event::decode(&raw, algorithm).unwrap(), event);
    }
}

fn gtid() -> impl Strategy<Value = Option<Gtid>> {
    let tag = prop_oneof![
        Just(Tag::NONE),
        "[a-z_]{1,32}".prop_map(|tag| tag.parse().unwrap())
    ];
    let gtid = (any::<u128>(), tag, 1..=Gno::MAX).prop_map(|(uuid, tag, gno)| Gtid {
        tsid: Tsid {
            uuid: Uuid::from_u128(uuid),
            tag,
        },
        gno: Gno::new(gno).unwrap(),
    });
    prop::option::of(gtid)
}

fn gtid_event() -> impl Strategy<Value = GtidEvent> {
    let parts = (
        any::<u8>(),
        0u64..1 << 62,
        0u64..1 << 62,
        0u64..1 << 55,
        0u64..1 << 55,
    );
    let rest = (
        any::<u64>(),
        0u32..1 << 31,
        0u32..1 << 31,
        prop::option::of(any::<u64>()),
    );
    (gtid(), parts, rest, 0..5).prop_map(|(gtid, parts, rest, known)| {
        let (flags, last_committed, sequence_number, immediate, original) = parts;
        let (length, immediate_version, original_version, ticket) = rest;
        let clock = LogicalClock {
            last_committed,
            sequence_number,
        };
        let times = CommitTimestamps {
            immediate,
            original,
        };
        let versions = ServerVersions {
            immediate: immediate_version,
            original: original_version,
        };
        GtidEvent {
            gtid,
            flags,
            // A later field is present only if all earlier ones are.
            logical_clock: (known > 0).then_some(clock),
            commit_timestamps: (known > 1).then_some(times),
            transaction_length: (known > 2).then_some(length),
            server_versions: (known > 3).then_some(versions),
            commit_group_ticket: ticket.filter(|_| known > 3),
            unknown_fields: Vec::new(),
        }
    })
}

proptest! {
    #[test]
    fn gtid_events_round_trip(event in gtid_event()) {
        check(&Event::Gtid(event));
    }

    #[test]
    fn transaction_length_counts_itself(mut event in gtid_event(), others in 0u64..1 << 60) {
        prop_assume!(event.commit_timestamps.is_some());
        event.fit_transaction_length(others, ChecksumAlgorithm::Crc32);
        let all = others + event.event_len(ChecksumAlgorithm::Crc32);
        prop_assert_eq!(event.transaction_length, Some(all));
    }

    #[test]
    fn heartbeats_round_trip(file in "[a-z.0-9-]{1,300}", position: u64) {
        let file = Cow::Owned(file.into_bytes());
        check(&Event::Heartbeat(Heartbeat { version: 2, file, position, unknown_fields: Vec::new() }));
    }

    #[test]
    fn queries_round_trip(sql: Vec<u8>, schema in "[a-z]{0,64}", mode: u64, micros in 0u32..1 << 24) {
        check(&Event::Query(Query {
            thread_id: 1,
            exec_time: 2,
            error_code: 3,
            status: StatusVariables(vec![
                StatusVariable::Flags2(4),
                StatusVariable::SqlMode(mode),
                StatusVariable::Charset(Charset { client: 255, connection: 255, server: 8 }),
                StatusVariable::TimeZone(Cow::Borrowed(b"SYSTEM")),
                StatusVariable::UpdatedSchemas(Some(vec![Cow::Borrowed(b"a")])),
                StatusVariable::UpdatedSchemas(None),
                StatusVariable::Microseconds(micros),
                StatusVariable::Unknown { code: 99, rest: Cow::Borrowed(b"rest") },
            ]),
            schema: Cow::Owned(schema.into_bytes()),
            sql: Cow::Owned(sql),
        }));
    }

    #[test]
    fn any_body_is_decoded_or_refused(kind: u8, body: Vec<u8>) {
        let mut out = Vec::new();
        let header = EventHeader::new(EventType(kind), 0, 1);
        let algorithm = ChecksumAlgorithm::None;
        write_event(&mut out, &header, 4, algorithm, |out| out.extend(&body));
        let _ = Event::decode(&RawEvent::parse(&out).unwrap(), algorithm);
    }
}

#[test]
fn simple_events_round_trip() {
    let description = FormatDescription::current("8.4.6-weir", ChecksumAlgorithm::Crc32);
    for event in [
        Event::Xid(Xid { xid: 42 }),
        Event::Rotate(Rotate {
            position: 4,
            file: Cow::Borrowed("binlog.000002"),
        }),
        Event::Stop,
        Event::PreviousGtids(PreviousGtids {
            gtids: GtidSet::new(),
        }),
        Event::FormatDescription(description),
        Event::Other {
            event_type: EventType(200),
            body: b"kept",
        },
    ] {
        check(&event);
    }
}

#[test]
fn the_in_use_flag_does_not_change_the_checksum() {
    let description = FormatDescription::current("8.4.6-weir", ChecksumAlgorithm::Crc32);
    let mut out = Vec::new();
    let header = EventHeader::new(EventType::FORMAT_DESCRIPTION, 0, 1);
    let header = header.with_flags(EventFlags::IN_USE);
    write_event(&mut out, &header, 4, ChecksumAlgorithm::Crc32, |out| {
        description.encode(out)
    });
    assert!(checksum::verify(&out));
    out[17] &= !1;
    assert!(checksum::verify(&out));
}

#[test]
fn a_changed_byte_is_a_checksum_error() {
    let mut out = Vec::new();
    let header = EventHeader::new(EventType::XID, 0, 1);
    write_event(&mut out, &header, 4, ChecksumAlgorithm::Crc32, |out| {
        Xid { xid: 1 }.encode(out)
    });
    out[20] ^= 1;
    let raw = RawEvent::parse(&out).unwrap();
    let error = raw.verify(ChecksumAlgorithm::Crc32);
    assert!(matches!(error, Err(EventError::Checksum { .. })));
}

#[test]
fn rotate_refuses_a_file_name_with_a_directory() {
    for name in [&b"../etc/passwd"[..], b"", b"a\0b", &[b'a'; 600]] {
        let mut body = vec![4, 0, 0, 0, 0, 0, 0, 0];
        body.extend(name);
        assert!(Rotate::decode(Reader::new(&body)).is_err());
    }
}

#[test]
fn every_type_has_one_name() {
    let mut names: Vec<_> = EventType::KNOWN.iter().map(|kind| kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    // MariaDB's GTID has the name of MySQL's.
    assert_eq!(names.len(), EventType::KNOWN.len() - 1);
    assert!(!EventType(200).is_known());
    assert_eq!(EventType(200).label(), "UNKNOWN_200");
    assert_eq!(EventType(0).label(), "UNKNOWN");
    assert_eq!(EventType::MARIADB_GTID.label(), "GTID");
    assert_eq!(EventType::MARIADB_GTID_LIST.label(), "GTID_LIST");
}
