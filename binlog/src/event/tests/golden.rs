//! What the events of real servers say, field by field.

use gtid::MariaGtid;

use super::bytes::ALL;
use super::*;
use crate::limits::Limits;
use crate::row::{RowsKind, RowsVersion};

/// The bytes that `hex` spells.
pub(super) fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).unwrap().try_into().unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// The format of the stream that `event` came from.
pub(super) fn format_of(event: &[u8]) -> EventFormat {
    let algorithm = if checksum::verify(event) {
        ChecksumAlgorithm::Crc32
    } else {
        ChecksumAlgorithm::None
    };
    if EventType(event[4]).is_mariadb() {
        EventFormat::mariadb(algorithm)
    } else {
        EventFormat::mysql(algorithm)
    }
}

/// Decodes the event that `hex` spells and lets `see` look at it.
fn golden(hex: &str, see: impl FnOnce(Event<'_>)) {
    let bytes = unhex(hex);
    let raw = RawEvent::parse(&bytes).unwrap();
    see(Event::decode(&raw, format_of(&bytes)).unwrap());
}

macro_rules! fields {
    ($hex:expr, $event:pat => $check:expr) => {
        golden($hex, |event| {
            let $event = event else { panic!("{event:?}") };
            $check
        })
    };
}

#[test]
fn every_event_of_a_server_encodes_back_to_its_bytes() {
    for (name, hex) in ALL {
        let bytes = unhex(hex);
        let format = format_of(&bytes);
        let raw = RawEvent::parse(&bytes).unwrap();
        let event = Event::decode(&raw, format).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!matches!(event, Event::Other { .. }), "{name}");
        assert_eq!(event.event_type(), raw.header.event_type, "{name}");
        let mut again = Vec::new();
        raw.reframe(&mut again, format, |body| event.encode_as(body, format));
        assert_eq!(again, bytes, "{name}");
    }
}

#[test]
fn a_description_says_who_wrote_the_log_and_how() {
    fields!(bytes::FORMAT_DESCRIPTION_97, Event::FormatDescription(it) => {
        assert_eq!(it.server_version, "9.7.4-2");
        assert_eq!(it.created, 1_795_203_199);
        assert_eq!(it.post_header_lengths.len(), 42);
        assert_eq!(it.format(), EventFormat::mysql(ChecksumAlgorithm::Crc32));
    });
    fields!(bytes::FORMAT_DESCRIPTION_56, Event::FormatDescription(it) => {
        assert_eq!(it.server_version, "5.6.24-log");
        assert_eq!(it.post_header_lengths.len(), 35);
    });
    fields!(bytes::FORMAT_DESCRIPTION_MARIADB, Event::FormatDescription(it) => {
        assert_eq!(it.post_header_lengths.len(), 171);
        assert!(it.is_mariadb());
        assert_eq!(it.format(), EventFormat::mariadb(ChecksumAlgorithm::Crc32));
    });
}

#[test]
fn a_description_older_than_checksums_ends_with_its_lengths() {
    fields!(bytes::FORMAT_DESCRIPTION_51, Event::FormatDescription(it) => {
        assert_eq!(it.server_version, "5.1.34sp1-enterprise-gpl-advanced-log");
        assert_eq!(it.post_header_lengths.len(), 26);
        assert_eq!(it.post_header_lengths.last(), Some(&2));
        assert_eq!(it.checksum, ChecksumAlgorithm::None);
    });
}

#[test]
fn previous_gtids_are_sets_with_and_without_tags() {
    fields!(bytes::PREVIOUS_GTIDS_EMPTY, Event::PreviousGtids(it) => {
        assert!(it.gtids.is_empty());
    });
    fields!(bytes::PREVIOUS_GTIDS, Event::PreviousGtids(it) => {
        assert_eq!(
            it.gtids.to_string().replace('\n', ""),
            "11111111-2222-3333-4444-555555555555:1-2:1000000000000,\
             97979797-0000-11f0-8000-000000000001:1-3,\
             aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:5:7"
        );
    });
    fields!(bytes::PREVIOUS_GTIDS_TAGGED, Event::PreviousGtids(it) => {
        assert!(it.gtids.to_string().contains("blue:1-3"));
    });
}

#[test]
fn a_gtid_has_the_fields_of_its_servers_version() {
    fields!(bytes::GTID_56, Event::Gtid(it) => {
        assert_eq!(it.gtid.unwrap().to_string(), "56565656-0000-11f0-8000-000000000001:1");
        assert_eq!((it.flags, it.logical_clock), (1, None));
    });
    fields!(bytes::GTID_97, Event::Gtid(it) => {
        assert_eq!(it.gtid.unwrap().to_string(), "97979797-0000-11f0-8000-000000000001:3");
        let clock = LogicalClock { last_committed: 2, sequence_number: 3 };
        assert_eq!(it.logical_clock, Some(clock));
        let at = 1_795_203_200_232_650;
        let times = CommitTimestamps { immediate: at, original: at };
        assert_eq!(it.commit_timestamps, Some(times));
        assert_eq!(it.transaction_length, Some(282));
        let versions = ServerVersions { immediate: 90_704, original: 90_704 };
        assert_eq!(it.server_versions, Some(versions));
        assert_eq!(it.commit_group_ticket, None);
    });
    fields!(bytes::GTID_TWO_TIMESTAMPS, Event::Gtid(it) => {
        let times = CommitTimestamps {
            immediate: 1_795_204_248_345_438,
            original: 1_795_204_248_344_952,
        };
        assert_eq!(it.commit_timestamps, Some(times));
    });
    fields!(bytes::ANONYMOUS_GTID_57, Event::Gtid(it) => {
        assert_eq!(it.event_type(), EventType::ANONYMOUS_GTID);
        assert_eq!((it.gtid, it.commit_timestamps), (None, None));
    });
    fields!(bytes::ANONYMOUS_GTID_80, Event::Gtid(it) => {
        assert_eq!(it.gtid, None);
        assert_eq!(it.server_versions.unwrap().original, 90_001);
    });
}

#[test]
fn a_tagged_gtid_is_a_serialised_message() {
    fields!(bytes::GTID_TAGGED, Event::Gtid(it) => {
        assert_eq!(it.gtid.unwrap().to_string(), "97979797-0000-11f0-8000-000000000001:blue:1");
        let clock = LogicalClock { last_committed: 2, sequence_number: 3 };
        assert_eq!(it.logical_clock, Some(clock));
        assert_eq!(it.commit_timestamps.unwrap().immediate, 1_795_203_234_001_906);
        assert_eq!(it.transaction_length, Some(281));
        assert_eq!(it.server_versions.unwrap().immediate, 90_704);
    });
    fields!(bytes::GTID_TAGGED_LAST, Event::Gtid(it) => {
        assert_eq!(it.gtid.unwrap().gno.get(), i64::MAX as u64 - 1);
    });
}

#[test]
fn a_commit_group_ticket_and_what_later_versions_append_are_kept() {
    let bytes = unhex(bytes::GTID_97);
    let body = &bytes[19..bytes.len() - 4];
    let longer = [body, &9u64.to_le_bytes(), b"later"].concat();
    let event = GtidEvent::decode(Reader::new(&longer), false).unwrap();
    assert_eq!(event.commit_group_ticket, Some(9));
    assert_eq!(event.unknown_fields, b"later");
    let mut again = Vec::new();
    event.encode(&mut again);
    assert_eq!(again, longer);

    // Field 13 of the message: its size counts the seven bytes more.
    let bytes = unhex(bytes::GTID_TAGGED);
    let mut longer = [&bytes[19..bytes.len() - 4], &[13 << 1], b"later!"].concat();
    longer[1] += 7 << 1;
    let event = GtidEvent::decode_tagged(Reader::new(&longer)).unwrap();
    assert_eq!(event.unknown_fields, [&[13 << 1], &b"later!"[..]].concat());
    let mut again = Vec::new();
    event.encode(&mut again);
    assert_eq!(again, longer);
}

#[test]
fn a_statement_carries_the_state_of_its_session() {
    fields!(bytes::QUERY_BEGIN, Event::Query(it) => assert_eq!(it.sql.as_ref(), b"BEGIN"));
    fields!(bytes::QUERY_DDL, Event::Query(it) => {
        assert_eq!(it.schema.as_ref(), b"d1");
        assert!(it.sql.starts_with(b"CREATE TABLE"));
        assert_eq!(it.status.charset().unwrap().client, 255);
    });
    let has = |hex, variable: StatusVariable<'static>| {
        fields!(hex, Event::Query(it) => {
            assert!(it.status.0.contains(&variable), "{variable:?} in {:?}", it.status);
        });
    };
    has(
        bytes::QUERY_AUTO_INCREMENT,
        StatusVariable::AutoIncrement {
            increment: 10,
            offset: 3,
        },
    );
    has(bytes::QUERY_LC_TIME_NAMES, StatusVariable::LcTimeNames(4));
    has(
        bytes::QUERY_TIME_ZONE,
        StatusVariable::TimeZone(Cow::Borrowed(b"+00:00")),
    );
    has(
        bytes::QUERY_TIME_ZONE,
        StatusVariable::Microseconds(697_335),
    );
    has(bytes::QUERY_TABLE_MAP, StatusVariable::TableMapForUpdate(1));
    has(
        bytes::QUERY_INVOKER,
        StatusVariable::Invoker {
            user: Cow::Borrowed(b"root"),
            host: Cow::Borrowed(b"localhost"),
        },
    );
    has(
        bytes::QUERY_TOO_MANY_SCHEMAS,
        StatusVariable::UpdatedSchemas(None),
    );
    has(
        bytes::QUERY_EXPLICIT_DEFAULTS,
        StatusVariable::ExplicitDefaultsForTimestamp(1),
    );
    has(
        bytes::QUERY_CREATE_TABLE,
        StatusVariable::RequirePrimaryKey(0),
    );
    has(bytes::QUERY_CREATE_TABLE, StatusVariable::DdlXid(0x1c));
    has(
        bytes::QUERY_CREATE_DATABASE,
        StatusVariable::DefaultTableEncryption(0),
    );
    has(
        bytes::QUERY_CREATE_DATABASE,
        StatusVariable::DefaultCollationForUtf8mb4(255),
    );
    has(
        bytes::QUERY_CASCADE_TRIGGERS,
        StatusVariable::EnableCascadeTriggers(0),
    );
}

#[test]
fn statements_of_mariadb_have_variables_of_their_own() {
    let has = |hex, variable: StatusVariable<'static>| {
        fields!(hex, Event::Query(it) => {
            assert!(it.status.0.contains(&variable), "{variable:?} in {:?}", it.status);
        });
    };
    has(
        bytes::QUERY_MARIADB_MICROSECONDS,
        StatusVariable::MariaMicroseconds(69_538),
    );
    has(bytes::QUERY_MARIADB, StatusVariable::MariaXid(0x13));
    has(
        bytes::QUERY_START_ALTER,
        StatusVariable::MariaAlter {
            flags: 2,
            start_sequence: None,
        },
    );
    has(
        bytes::QUERY_COMMIT_ALTER,
        StatusVariable::MariaAlter {
            flags: 4,
            start_sequence: Some(8),
        },
    );
    has(
        bytes::QUERY_ROLLBACK_ALTER,
        StatusVariable::MariaAlter {
            flags: 8,
            start_sequence: Some(6),
        },
    );
    fields!(bytes::QUERY_MARIADB_COLLATIONS, Event::Query(it) => {
        let pairs = it.status.0.iter().find_map(|variable| match variable {
            StatusVariable::MariaCharsetCollations(pairs) => Some(pairs.clone()),
            _ => None,
        });
        let expected = [(33, 2048), (35, 2560), (45, 2304), (54, 2816), (60, 3072)];
        assert_eq!(pairs.unwrap(), expected);
    });
}

#[test]
fn a_compressed_statement_is_inflated_within_its_limit() {
    fields!(bytes::QUERY_COMPRESSED, Event::QueryCompressed(it) => {
        let sql = b"CREATE TABLE z (id INT PRIMARY KEY, v VARCHAR(2000), b BLOB)";
        let query = it.inflate(&Limits::default()).unwrap();
        assert_eq!((query.sql.as_ref(), query.schema.as_ref()), (&sql[..], &b"d1"[..]));
        assert_eq!(query.status, it.query.status);
        let error = it.inflate(&Limits { inflated_max: 59 }).unwrap_err();
        assert_eq!((error.what, error.offset), ("inflated data", 70));
        assert_eq!(it.inflate(&Limits { inflated_max: 60 }).unwrap().sql.len(), 60);
    });
}

#[test]
fn integers_seeds_and_user_variables_stand_before_their_statement() {
    fields!(bytes::INTVAR, Event::IntVar(it) => {
        assert_eq!(it, IntVar { kind: IntVarKind::INSERT_ID, value: 1 });
        assert_eq!(it.kind.name(), Some("INSERT_ID"));
    });
    fields!(bytes::RAND, Event::Rand(it) => {
        assert_eq!(it, Rand { seed1: 949_890_110, seed2: 651_366_037 });
    });
    let decoded = |hex, name: &str, expected: &str| {
        fields!(hex, Event::UserVar(it) => {
            assert_eq!(it.name, name.as_bytes());
            assert_eq!(format!("{:?}", it.decoded().unwrap()), expected);
        });
    };
    decoded(bytes::USER_VAR_REAL, "ud", "Real(15000000000.0)");
    decoded(bytes::USER_VAR_INT, "ui", "Int(-42)");
    decoded(bytes::USER_VAR_UNSIGNED, "uu", "UInt(18446744073709551615)");
    decoded(bytes::USER_VAR_NULL, "!", "Null");
    decoded(bytes::USER_VAR_BINARY, "ub", "String([0, 255])");
    fields!(bytes::USER_VAR_STRING, Event::UserVar(it) => {
        assert_eq!(it.decoded().unwrap(), UserVarDecoded::String("user var é".as_bytes()));
        assert_eq!(it.value.unwrap().collation, 255);
    });
    fields!(bytes::USER_VAR_DECIMAL, Event::UserVar(it) => {
        let UserVarDecoded::Decimal(number) = it.decoded().unwrap() else { panic!("{it:?}") };
        assert_eq!(number.to_string(), "123.456");
    });
}

#[test]
fn a_user_variable_of_mariadb_can_name_its_data_type() {
    let value = UserVarValue {
        value_type: UserVarType::STRING,
        collation: 8,
        bytes: b"::1",
    };
    let named = UserVar {
        name: b"v",
        null_marker: 0,
        value: Some(value),
        attributes: b"\x02\x05inet6",
    };
    assert_eq!(named.type_name(), Some(&b"inet6"[..]));
    check(&Event::UserVar(named));
    let unknown = UserVarValue {
        value_type: UserVarType(3),
        ..value
    };
    let row = UserVar {
        value: Some(unknown),
        ..named
    };
    assert!(row.decoded().is_err());
    check(&Event::UserVar(row));
}

#[test]
fn a_file_to_load_comes_in_blocks_before_its_statement() {
    fields!(bytes::BEGIN_LOAD_QUERY, Event::BeginLoadQuery(it) => {
        assert_eq!((it.file_id, it.block.len()), (2, 24));
    });
    fields!(bytes::EXECUTE_LOAD_QUERY, Event::ExecuteLoadQuery(it) => {
        assert_eq!((it.file_id, it.duplicates), (2, LoadDuplicates::IGNORE));
        let clause = it.file_name_start as usize..it.file_name_end as usize;
        let clause = String::from_utf8_lossy(&it.query.sql[clause]).into_owned();
        assert!(clause.starts_with(" LOCAL INFILE '/"), "{clause}");
        assert!(clause.ends_with("' IGNORE INTO"), "{clause}");
        assert_eq!(it.query.schema.as_ref(), b"d1");
    });
}

#[test]
fn xa_transactions_are_named_as_in_sql() {
    fields!(bytes::XA_PREPARE, Event::XaPrepare(it) => {
        assert!(!it.is_one_phase());
        assert_eq!(it.xid.to_string(), "X'6f6e65',X'',1");
    });
    fields!(bytes::XA_PREPARE_BRANCH, Event::XaPrepare(it) => {
        assert_eq!(it.xid.to_string(), "X'74776f',X'6272616e6368',7");
    });
    fields!(bytes::XA_ONE_PHASE, Event::XaPrepare(it) => assert!(it.is_one_phase()));
    fields!(bytes::XID, Event::Xid(it) => assert_ne!(it.xid, 0));
}

#[test]
fn an_incident_has_a_message_and_perhaps_more() {
    fields!(bytes::INCIDENT_97, Event::Incident(it) => {
        assert_eq!((it.incident, it.message.len(), it.rest.len()), (1, 57, 4));
    });
    fields!(bytes::INCIDENT_MARIADB, Event::Incident(it) => {
        assert_eq!((it.incident, it.rest.len()), (1, 0));
        assert_eq!(it.message, b"error writing to the binary log");
    });
}

#[test]
fn the_text_of_row_statements_runs_to_the_end() {
    fields!(bytes::ROWS_QUERY, Event::RowsQuery(it) => {
        assert_eq!((it.length_byte, it.sql), (0, &b"INSERT INTO q VALUES (3,'y')"[..]));
    });
    fields!(bytes::ANNOTATE_ROWS, Event::AnnotateRows(it) => {
        assert_eq!(it.sql, b"INSERT INTO s VALUES (0,'row 0')");
    });
}

#[test]
fn a_payload_has_its_sizes_in_front() {
    fields!(bytes::TRANSACTION_PAYLOAD, Event::TransactionPayload(it) => {
        assert_eq!(it.compression, Some(PayloadCompression::Zstd));
        assert_eq!((it.uncompressed_size, it.payload.len()), (Some(240), 178));
        assert!(it.payload.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    });
}

#[test]
fn heartbeats_name_a_place_in_the_header_or_in_the_body() {
    fields!(bytes::HEARTBEAT, Event::Heartbeat(it) => {
        assert_eq!((it.version, it.file.as_ref(), it.position), (1, &b"binlog.000001"[..], 1152));
    });
    fields!(bytes::HEARTBEAT_V2, Event::Heartbeat(it) => {
        assert_eq!((it.version, it.file.as_ref(), it.position), (2, &b"binlog.000001"[..], 1674));
    });
}

#[test]
fn the_ends_of_files_say_what_follows() {
    fields!(bytes::ROTATE, Event::Rotate(it) => {
        assert_eq!((it.position, it.file.as_ref()), (4, "binlog.000002"));
    });
    fields!(bytes::STOP, Event::Stop => {});
}

#[test]
fn the_first_events_of_mariadb_files_are_lists_and_checkpoints() {
    fields!(bytes::GTID_LIST, Event::GtidList(it) => {
        let gtids: Vec<_> = it.gtids.iter().map(ToString::to_string).collect();
        let last = "4294967295-88-9223372036854775806";
        assert_eq!(gtids, ["5-77-1000", "5-88-1001", last, "3-77-4"]);
        assert_eq!((it.flags, it.rest.len()), (0, 0));
    });
    fields!(bytes::GTID_LIST_EMPTY, Event::GtidList(it) => {
        assert_eq!((it.gtids.len(), it.rest), (0, &[0, 0][..]));
    });
    fields!(bytes::BINLOG_CHECKPOINT, Event::BinlogCheckpoint(it) => {
        assert_eq!((it.file, it.rest), (&b"binlog.000001"[..], &b""[..]));
    });
    fields!(bytes::START_ENCRYPTION, Event::StartEncryption(it) => {
        assert_eq!((it.scheme, it.key_version), (1, 1));
        assert_eq!(it.nonce[..], unhex("aa2160defd733bbd9e3604a6"));
    });
}

#[test]
fn a_gtid_of_mariadb_has_the_fields_of_its_flags() {
    let extra = |flags, thread_id| MariadbGtidExtra {
        flags,
        thread_id,
        ..MariadbGtidExtra::default()
    };
    fields!(bytes::MARIADB_GTID_DDL, Event::MariadbGtid(it) => {
        assert_eq!(it.gtid, MariaGtid { domain: 0, server: 1, sequence: 1 });
        assert!(it.is_standalone() && it.flags.contains(MariadbGtidFlags::DDL));
        assert_eq!((it.extra, it.rest), (Some(extra(0x10, Some(6))), &[0][..]));
    });
    fields!(bytes::MARIADB_GTID_118, Event::MariadbGtid(it) => {
        assert!(!it.is_standalone() && it.flags.contains(MariadbGtidFlags::TRANSACTIONAL));
    });
    fields!(bytes::MARIADB_GTID_1011, Event::MariadbGtid(it) => {
        assert_eq!((it.extra, it.rest.len()), (Some(extra(0, None)), 5));
    });
    fields!(bytes::MARIADB_GTID_GROUP_118, Event::MariadbGtid(it) => {
        assert_eq!((it.commit_id, it.extra), (Some(56), Some(extra(0x10, Some(10)))));
    });
    fields!(bytes::MARIADB_GTID_GROUP_1011, Event::MariadbGtid(it) => {
        assert_eq!((it.commit_id, it.extra), (Some(64), None));
    });
    fields!(bytes::MARIADB_GTID_XA, Event::MariadbGtid(it) => {
        assert_eq!(it.xid.unwrap().to_string(), "X'74776f',X'6272616e6368',7");
        assert_eq!(it.extra.unwrap().extra_engines, Some(255));
    });
    fields!(bytes::MARIADB_GTID_XA_COMPLETED, Event::MariadbGtid(it) => {
        assert!(it.flags.contains(MariadbGtidFlags::COMPLETED_XA));
        assert_eq!(it.xid.unwrap().to_string(), "X'6f6e65',X'',1");
    });
    fields!(bytes::MARIADB_GTID_CTAS, Event::MariadbGtid(it) => {
        assert_eq!(it.extra.unwrap().extra_engines, Some(255));
    });
    fields!(bytes::MARIADB_GTID_START_ALTER, Event::MariadbGtid(it) => {
        assert_eq!(it.extra.unwrap().start_alter_sequence, None);
    });
    fields!(bytes::MARIADB_GTID_COMMIT_ALTER, Event::MariadbGtid(it) => {
        assert_eq!(it.extra.unwrap().start_alter_sequence, Some(4));
    });
    fields!(bytes::MARIADB_GTID_ROLLBACK_ALTER, Event::MariadbGtid(it) => {
        assert_eq!(it.extra.unwrap().start_alter_sequence, Some(6));
    });
}

#[test]
fn a_gtid_of_mariadb_keeps_zeros_of_any_length() {
    let bytes = unhex(bytes::MARIADB_GTID_118);
    let body = [&bytes[19..bytes.len() - 4], &[0; 3700]].concat();
    let event = MariadbGtidEvent::decode(Reader::new(&body), 1).unwrap();
    assert_eq!(event.rest.len(), 3701);
    let mut again = Vec::new();
    event.encode(&mut again);
    assert_eq!(again, body);
}

#[test]
fn row_events_of_every_kind_are_told_apart() {
    for (hex, kind, version) in [
        (bytes::WRITE_ROWS, RowsKind::Write, RowsVersion::V2),
        (bytes::UPDATE_ROWS, RowsKind::Update, RowsVersion::V2),
        (bytes::DELETE_ROWS, RowsKind::Delete, RowsVersion::V2),
        (
            bytes::PARTIAL_UPDATE_ROWS,
            RowsKind::Update,
            RowsVersion::V2,
        ),
        (bytes::WRITE_ROWS_V1, RowsKind::Write, RowsVersion::V1),
        (
            bytes::WRITE_ROWS_COMPRESSED_V1,
            RowsKind::Write,
            RowsVersion::V1,
        ),
    ] {
        fields!(hex, Event::Rows(it) => assert_eq!((it.kind, it.version), (kind, version)));
    }
    fields!(bytes::TABLE_MAP, Event::TableMap(it) => assert_eq!(it.schema, "d1"));
    fields!(bytes::TABLE_MAP_FULL, Event::TableMap(it) => {
        assert!(it.columns.iter().all(|column| column.name.is_some()));
    });
    fields!(bytes::TABLE_MAP_VECTOR, Event::TableMap(it) => assert!(!it.columns.is_empty()));
}
