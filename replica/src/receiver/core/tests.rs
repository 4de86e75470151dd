use binlog::event::{GtidEvent, Query, StatusVariables, write_event};

use binlog::transaction::TransactionGtid;

use super::*;
use crate::relay_log::artificial_rotate;

const CRC: ChecksumAlgorithm = ChecksumAlgorithm::Crc32;

fn event(event_type: EventType, start: u64, flags: EventFlags, body: &[u8]) -> Vec<u8> {
    let header = EventHeader {
        timestamp: 7,
        event_type,
        server_id: 1,
        event_size: 0,
        end_log_pos: 0,
        flags,
    };
    let mut bytes = Vec::new();
    write_event(&mut bytes, &header, start, CRC, |out| {
        out.extend_from_slice(body)
    });
    bytes
}

fn description() -> Vec<u8> {
    let mut body = Vec::new();
    FormatDescription::current("9.7.4", CRC).encode(&mut body);
    event(EventType::FORMAT_DESCRIPTION, 4, EventFlags(0), &body)
}

fn query(sql: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    Query {
        thread_id: 1,
        exec_time: 0,
        error_code: 0,
        status: StatusVariables::default(),
        schema: b"d".into(),
        sql: sql.into(),
    }
    .encode(&mut body);
    body
}

fn at(offset: u64) -> SourceCoordinates {
    SourceCoordinates {
        file: "binlog.000002".to_owned(),
        offset,
    }
}

/// A stream that stands in a file at offset 1000.
fn in_file() -> ReceiverCore {
    in_file_with(GtidMode::OnPermissive)
}

fn in_file_with(gtid_mode: GtidMode) -> ReceiverCore {
    let mut core = ReceiverCore::new(CRC, Rule::MySql(gtid_mode));
    let next = core.handle(&artificial_rotate(&at(1000), CRC)).unwrap();
    assert!(matches!(next, Received::NextFile { .. }));
    let begin = core.handle(&description()).unwrap();
    let Received::BeginFile { source, checksum } = begin else {
        panic!("{begin:?}")
    };
    assert_eq!((source, checksum), (at(1000), CRC));
    core
}

#[test]
fn a_transaction_is_sealed_by_its_last_event_and_positions_follow() {
    let mut core = in_file();
    let begin = event(EventType::QUERY, 1000, EventFlags(0), &query(b"BEGIN"));
    let xid = event(
        EventType::XID,
        1000 + begin.len() as u64,
        EventFlags(0),
        &[1; 8],
    );
    let stored = core.handle(&begin).unwrap();
    assert!(matches!(
        stored,
        Received::Store {
            then: Then::Continue,
            ..
        }
    ));
    let stored = core.handle(&xid).unwrap();
    assert!(matches!(
        stored,
        Received::Store {
            then: Then::Seal(TransactionGtid::None),
            timestamp: 7,
            ..
        }
    ));
    let end = 1000 + (begin.len() + xid.len()) as u64;
    assert_eq!(core.source(), Some(&at(end)));
}

#[test]
fn every_damaged_byte_of_an_event_is_noticed_and_named_with_its_place() {
    let xid = event(EventType::XID, 1000, EventFlags(0), &[1; 8]);
    for at in 0..xid.len() {
        let mut damaged = xid.clone();
        damaged[at] ^= 0x10;
        let error = in_file().handle(&damaged).unwrap_err();
        assert!(
            error.to_string().contains("binlog.000002:1000"),
            "byte {at}: {error}"
        );
    }
}

#[test]
fn a_stream_that_does_not_begin_as_streams_do_is_refused() {
    let error = ReceiverCore::new(CRC, Rule::MySql(GtidMode::OnPermissive))
        .handle(&description())
        .unwrap_err();
    assert!(
        error.to_string().contains("expected an artificial ROTATE"),
        "{error}"
    );
    let mut core = ReceiverCore::new(CRC, Rule::MySql(GtidMode::OnPermissive));
    core.handle(&artificial_rotate(&at(4), CRC)).unwrap();
    let xid = event(EventType::XID, 4, EventFlags(0), &[1; 8]);
    let error = core.handle(&xid).unwrap_err();
    assert!(
        error.to_string().contains("expected FORMAT_DESCRIPTION"),
        "{error}"
    );
}

#[test]
fn a_rotate_inside_a_transaction_and_an_end_without_a_beginning_are_refused() {
    let mut core = in_file();
    let begin = event(EventType::QUERY, 1000, EventFlags(0), &query(b"BEGIN"));
    core.handle(&begin).unwrap();
    assert!(core.handle(&artificial_rotate(&at(4), CRC)).is_err());
    let xid = event(EventType::XID, 1000, EventFlags(0), &[1; 8]);
    let error = in_file().handle(&xid).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("XID may not stand between transactions"),
        "{error}"
    );
}

#[test]
fn a_heartbeat_moves_the_place_over_what_was_not_sent() {
    let mut body = Vec::new();
    Heartbeat {
        version: 2,
        file: b"binlog.000002".into(),
        position: 5000,
        unknown_fields: Vec::new(),
    }
    .encode(&mut body);
    let mut core = in_file();
    let heartbeat = event(EventType::HEARTBEAT_V2, 0, EventFlags(0), &body);
    assert!(matches!(
        core.handle(&heartbeat).unwrap(),
        Received::Heartbeat
    ));
    assert_eq!(core.source(), Some(&at(5000)));
}

#[test]
fn the_gtid_mode_says_which_transactions_are_taken() {
    let mut anonymous = Vec::new();
    GtidEvent::new(None).encode(&mut anonymous);
    let mut named = Vec::new();
    let gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1".parse().unwrap();
    GtidEvent::new(Some(gtid)).encode(&mut named);
    let check = |gtid_mode, event_type, body: &[u8], refusal: Option<&str>| {
        let mut core = in_file_with(gtid_mode);
        let start = core.source().unwrap().offset;
        let found = core.handle(&event(event_type, start, EventFlags(0), body));
        let found = found.err().map(|error| error.to_string());
        let expected =
            refusal.map(|text| format!("{text}, at binlog.000002:{start} of the source"));
        assert_eq!(found, expected);
    };
    let no_anonymous = "Cannot replicate anonymous transaction when @@GLOBAL.GTID_MODE = ON";
    let no_gtid = "Cannot replicate GTID-transaction when @@GLOBAL.GTID_MODE = OFF";
    check(
        GtidMode::On,
        EventType::ANONYMOUS_GTID,
        &anonymous,
        Some(no_anonymous),
    );
    check(GtidMode::On, EventType::GTID, &named, None);
    check(GtidMode::Off, EventType::GTID, &named, Some(no_gtid));
    check(GtidMode::Off, EventType::ANONYMOUS_GTID, &anonymous, None);
    for mode in [GtidMode::OnPermissive, GtidMode::OffPermissive] {
        check(mode, EventType::GTID, &named, None);
        check(mode, EventType::ANONYMOUS_GTID, &anonymous, None);
    }
}

#[test]
fn an_event_that_belongs_to_no_transaction_leaves_the_open_one_open() {
    let mut core = in_file();
    let begin = event(EventType::QUERY, 1000, EventFlags(0), &query(b"BEGIN"));
    core.handle(&begin).unwrap();
    let mut body = 13_u32.to_le_bytes().to_vec();
    body.extend_from_slice(b"binlog.000001");
    let notice = event(
        EventType::BINLOG_CHECKPOINT,
        1000 + begin.len() as u64,
        EventFlags(0),
        &body,
    );
    let stored = core.handle(&notice).unwrap();
    let is_open = matches!(
        stored,
        Received::Store {
            then: Then::Continue,
            ..
        }
    );
    assert!(is_open, "{stored:?}");
}

/// A stream of a MariaDB that stands in a file at offset 1000 and has sent `last`.
fn in_file_of_mariadb(last: &str) -> ReceiverCore {
    let rule = Rule::MariaDb {
        last: last.parse().unwrap(),
        by_gtid: true,
    };
    let mut core = ReceiverCore::new(CRC, rule);
    core.handle(&artificial_rotate(&at(1000), CRC)).unwrap();
    core.handle(&description()).unwrap();
    core
}

/// A GTID event of server 1 and domain 0.
fn mariadb_gtid(sequence: u64) -> Vec<u8> {
    let mut body = sequence.to_le_bytes().to_vec();
    body.resize(19, 0);
    event(EventType::MARIADB_GTID, 0, EventFlags(8), &body)
}

fn gtid_list(flags: EventFlags, gtids: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    let gtids = gtids.iter().map(|gtid| gtid.parse().unwrap()).collect();
    GtidList {
        gtids,
        ..GtidList::default()
    }
    .encode(&mut body);
    event(EventType::MARIADB_GTID_LIST, 1971, flags, &body)
}

fn xid() -> Vec<u8> {
    event(EventType::XID, 0, EventFlags(0), &[1; 8])
}

#[test]
fn a_mariadb_transaction_is_sealed_with_its_gtid_and_an_older_number_is_refused() {
    let mut core = in_file_of_mariadb("0-1-4,7-1-9");
    core.handle(&mariadb_gtid(6)).unwrap();
    let sealed = core.handle(&xid()).unwrap();
    let Received::Store {
        then: Then::Seal(gtid),
        commit_micros,
        ..
    } = sealed
    else {
        panic!("{sealed:?}")
    };
    assert_eq!(gtid, TransactionGtid::MariaDb("0-1-6".parse().unwrap()));
    assert_eq!(commit_micros, Some(7_000_000));
    let error = core.handle(&mariadb_gtid(6)).unwrap_err().to_string();
    assert!(error.contains("sent GTID 0-1-6"), "{error}");
    let error = in_file_of_mariadb("0-1-4").handle(&mariadb_gtid(3));
    assert!(matches!(error, Err(StreamError::OutOfOrder { .. })));
}

#[test]
fn without_a_gtid_a_mariadb_transaction_cannot_be_followed_by_gtids() {
    let mut core = in_file_of_mariadb("");
    let ddl = event(
        EventType::QUERY,
        1000,
        EventFlags(0),
        &query(b"DROP TABLE t"),
    );
    let error = core.handle(&ddl).unwrap_err();
    assert!(matches!(error, StreamError::NoGtid { .. }), "{error}");
}

#[test]
fn an_artificial_list_moves_the_place_and_the_start_of_encryption_is_not_kept() {
    let mut core = in_file_of_mariadb("");
    let list = gtid_list(EventFlags::ARTIFICIAL, &[]);
    assert!(matches!(core.handle(&list).unwrap(), Received::Skip));
    assert_eq!(core.source(), Some(&at(1971 + list.len() as u64)));
    let start = event(EventType::START_ENCRYPTION, 0, EventFlags(0), &[1; 17]);
    assert!(matches!(core.handle(&start).unwrap(), Received::Skip));
    let listed = core.handle(&gtid_list(EventFlags(0), &["0-1-1"])).unwrap();
    let is_kept = matches!(
        listed,
        Received::Store {
            then: Then::Between,
            ..
        }
    );
    assert!(is_kept, "{listed:?}");
}

#[test]
fn what_a_killed_mariadb_left_unfinished_is_abandoned_unless_it_has_it() {
    let broken_off = || {
        let mut core = in_file_of_mariadb("0-1-4");
        core.handle(&mariadb_gtid(5)).unwrap();
        let next = core.handle(&artificial_rotate(&at(4), CRC)).unwrap();
        let Received::NextFile { abandoned } = next else {
            panic!("{next:?}")
        };
        assert_eq!(abandoned.map(|gtid| gtid.to_string()), Some("0-1-5".into()));
        core.handle(&description()).unwrap();
        core
    };
    let mut core = broken_off();
    core.handle(&gtid_list(EventFlags(0), &["0-1-4"])).unwrap();
    core.handle(&mariadb_gtid(5)).unwrap();
    core.handle(&xid()).unwrap();
    let has_it = gtid_list(EventFlags(0), &["0-1-5"]);
    let error = broken_off().handle(&has_it).unwrap_err().to_string();
    assert!(
        error.contains("without what the last file broke off"),
        "{error}"
    );
}
