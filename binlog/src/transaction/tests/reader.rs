//! The reader over whole logs.

use crate::event::{ChecksumAlgorithm, Event, EventFlags, EventType};
use crate::limits::Limits;
use crate::log::{Checksums, LogReader, ReadOptions};
use crate::stream::fixture::Log;
use crate::stream::{EventStream, payload};
use crate::transaction::{Boundary, Order, TransactionGtid, TransactionKind, TransactionReader};

fn over(log: &Log) -> TransactionReader<LogReader> {
    TransactionReader::new(EventStream::new(log.reader(), Limits::default()))
}

/// Every event as `NAME@inner` with a `.` behind what ends a transaction, and the error.
fn walk(reader: &mut TransactionReader<LogReader>) -> (String, Option<String>) {
    let mut text = String::new();
    loop {
        match reader.next() {
            Ok(None) => return (text.trim_end().to_owned(), None),
            Err(error) => return (text.trim_end().to_owned(), Some(error.to_string())),
            Ok(Some(step)) => {
                text.push_str(&step.raw.header.event_type.label());
                if let Some(inner) = step.place.inner {
                    text.push_str(&format!("@{inner}"));
                }
                if step.order_error.is_some() {
                    text.push('!');
                }
                if matches!(step.boundary, Boundary::End { .. }) {
                    text.push('.');
                }
                text.push(' ');
            }
        }
    }
}

fn kinds(log: &Log) -> Vec<(TransactionGtid, TransactionKind)> {
    let mut reader = over(log);
    let mut kinds = Vec::new();
    while let Some(step) = reader.next().unwrap() {
        if let Boundary::End { gtid } = step.boundary {
            let info = step.transaction.unwrap();
            assert!(info.is_complete);
            assert_eq!(info.gtid, gtid);
            kinds.push((info.gtid, info.kind));
        }
    }
    kinds
}

/// A payload with the events that `fill` writes.
fn with_payload(log: &mut Log, fill: impl FnOnce(&mut Log)) {
    let mut inner = Log::new("9.7.4", ChecksumAlgorithm::None);
    let from = inner.bytes.len() as u64;
    fill(&mut inner);
    let content = inner.content_from(from);
    let event = crate::event::TransactionPayload {
        compression: Some(crate::event::PayloadCompression::Zstd),
        uncompressed_size: Some(content.len() as u64),
        unknown_fields: Vec::new(),
        payload: zstd::encode_all(&content[..], payload::DEFAULT_LEVEL)
            .unwrap()
            .into(),
    };
    log.event(&Event::TransactionPayload(event));
}

#[test]
fn a_transaction_is_known_from_its_first_event_to_its_last() {
    let mut log = Log::mysql();
    log.gtid(1);
    let start = log.last;
    log.query("BEGIN").table(1).rows(1, true).xid();
    let mut reader = over(&log);
    assert!(reader.next().unwrap().unwrap().transaction.is_none());
    for is_last in [false, false, false, false, true] {
        let step = reader.next().unwrap().unwrap();
        let info = step.transaction.unwrap();
        assert_eq!(info.start.offset, start);
        assert_eq!(
            info.gtid.text().unwrap(),
            "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1"
        );
        assert_eq!(info.is_complete, is_last);
        assert_eq!(
            step.table.is_some(),
            matches!(step.event, Event::Rows(_) | Event::TableMap(_))
        );
    }
    assert!(reader.is_between_transactions());
    assert!(reader.next().unwrap().is_none());
}

#[test]
fn kinds_of_transactions_are_told_apart() {
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN").table(1).rows(1, true).xid();
    log.gtid(2).query("CREATE TABLE t (a int)");
    log.gtid(3)
        .query("XA START X'61',X'',1")
        .query("XA END X'61',X'',1")
        .xa_prepare(0);
    log.gtid(4).query("XA COMMIT X'61',X'',1");
    log.gtid(5).query("XA ROLLBACK X'61',X'',1");
    log.gtid(6)
        .query("XA START X'61',X'',1")
        .query("XA END X'61',X'',1")
        .xa_prepare(1);
    log.gtid(7)
        .raw(EventType::INCIDENT, EventFlags::NONE, &[1, 0, 0]);
    log.gtid(8)
        .query("BEGIN")
        .query("CREATE TABLE t (a int) START TRANSACTION");
    log.table(1).rows(1, true).xid();
    log.gtid(9).query("INSERT INTO t VALUES (1)");
    let kinds: Vec<_> = kinds(&log).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(
        kinds,
        [
            TransactionKind::Dml,
            TransactionKind::Ddl,
            TransactionKind::XaPrepare,
            TransactionKind::XaCommit,
            TransactionKind::XaRollback,
            TransactionKind::XaOnePhase,
            TransactionKind::Incident,
            TransactionKind::CreateSelect,
            TransactionKind::Dml,
        ]
    );
}

#[test]
fn kinds_of_mariadbs_transactions_are_told_apart() {
    let mut log = Log::mariadb();
    log.mariadb_gtid(1, 4).table(1).rows(1, true).xid();
    log.mariadb_gtid(2, 0x21).query("ALTER TABLE t ADD b int");
    log.mariadb_gtid(3, 0x28)
        .query("CREATE TABLE u (a int)")
        .table(1)
        .rows(1, true)
        .xid();
    log.mariadb_gtid(4, 0x44)
        .query("XA END X'61',X'',1")
        .xa_prepare(0);
    log.mariadb_gtid(5, 0x81).query("XA COMMIT X'61',X'',1");
    log.mariadb_gtid(6, 0x81).query("XA ROLLBACK X'61',X'',1");
    let kinds = kinds(&log);
    let gtids: Vec<_> = kinds.iter().filter_map(|(gtid, _)| gtid.text()).collect();
    assert_eq!(
        gtids,
        ["0-1-1", "0-1-2", "0-1-3", "0-1-4", "0-1-5", "0-1-6"]
    );
    let kinds: Vec<_> = kinds.into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(
        kinds,
        [
            TransactionKind::Dml,
            TransactionKind::Ddl,
            TransactionKind::CreateSelect,
            TransactionKind::XaPrepare,
            TransactionKind::XaCommit,
            TransactionKind::XaRollback,
        ]
    );
}

#[test]
fn the_events_of_a_payload_are_those_of_its_transaction() {
    let mut log = Log::mysql();
    log.gtid(1);
    with_payload(&mut log, |inner| {
        inner.query("BEGIN").table(1).rows(1, true).xid();
    });
    log.gtid(2).query("DROP TABLE t");
    let (text, error) = walk(&mut over(&log));
    assert_eq!(error, None);
    assert_eq!(
        text,
        "FORMAT_DESCRIPTION GTID TRANSACTION_PAYLOAD QUERY@0 TABLE_MAP@38 WRITE_ROWS@75 XID@111. \
         GTID QUERY."
    );
}

#[test]
fn a_payload_holds_one_whole_transaction_and_nothing_else() {
    let check = |fill: &dyn Fn(&mut Log), expected: &str| {
        let mut log = Log::mysql();
        log.gtid(1);
        with_payload(&mut log, fill);
        log.gtid(2).query("DROP TABLE t");
        let error = walk(&mut over(&log)).1.unwrap();
        assert!(error.contains(expected), "{error}");
    };
    check(
        &|inner| {
            inner.query("BEGIN").table(1).rows(1, true);
        },
        "event GTID, in transaction aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1: GTID may not stand \
         behind a payload that lacks the end of its transaction",
    );
    check(
        &|inner| {
            inner.query("BEGIN").xid().query("BEGIN");
        },
        "byte 65 of its decompressed payload, event QUERY",
    );
    check(
        &|inner| {
            inner.gtid(3);
        },
        "GTID may not stand inside a payload",
    );
    check(
        &|inner| {
            inner.query("BEGIN");
            let event = payload::compress([], inner.format, 1).unwrap();
            inner.event(&Event::TransactionPayload(event));
        },
        "TRANSACTION_PAYLOAD may not stand inside a payload",
    );
}

#[test]
fn rows_need_the_table_map_of_their_statement() {
    let mut log = Log::mysql();
    log.gtid(1)
        .query("BEGIN")
        .table(1)
        .table(2)
        .rows(1, false)
        .rows(2, true);
    log.table(1).rows(1, true).rows(2, true).xid();
    let (text, error) = walk(&mut over(&log));
    assert!(text.ends_with("TABLE_MAP WRITE_ROWS"), "{text}");
    let error = error.unwrap();
    assert!(
        error.contains("WRITE_ROWS may not stand in front of the table map of its table"),
        "{error}"
    );
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN").table(1).rows(1, false).xid();
    log.gtid(2).query("BEGIN").rows(1, true).xid();
    assert!(
        walk(&mut over(&log)).1.is_some(),
        "the transaction drops its table maps"
    );
}

#[test]
fn rows_that_only_end_a_statement_have_no_table() {
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN").table(1).rows(1, false);
    let body = [0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 2, 0, 0];
    log.raw(EventType::WRITE_ROWS, EventFlags::NONE, &body)
        .xid();
    assert_eq!(walk(&mut over(&log)).1, None);
}

#[test]
fn errors_of_order_can_be_reported_instead() {
    let mut log = Log::mysql();
    log.gtid(1)
        .query("BEGIN")
        .gtid(2)
        .query("BEGIN")
        .rows(9, true)
        .xid()
        .xid();
    log.gtid(3).query("DROP TABLE t");
    let mut reader = over(&log);
    reader.set_order(Order::Report);
    let (text, error) = walk(&mut reader);
    assert_eq!(error, None);
    assert_eq!(
        text,
        "FORMAT_DESCRIPTION GTID QUERY GTID! QUERY WRITE_ROWS! XID. XID! GTID QUERY."
    );
}

#[test]
fn reading_goes_on_behind_an_event_that_cannot_be_decoded() {
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN");
    log.raw(EventType::TABLE_MAP, EventFlags::NONE, &[1, 2, 3]);
    let bad = log.last;
    log.xid();
    let mut reader = over(&log);
    let (text, error) = walk(&mut reader);
    assert_eq!(text, "FORMAT_DESCRIPTION GTID QUERY");
    let error = error.unwrap();
    assert!(
        error.contains(&format!("offset {bad}, event TABLE_MAP, in transaction")),
        "{error}"
    );
    assert_eq!(walk(&mut reader), ("XID.".to_owned(), None));
}

#[test]
fn a_wrong_checksum_is_reported_or_stops() {
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN").xid();
    let last = log.bytes.len() - 1;
    log.bytes[last] ^= 1;
    let error = walk(&mut over(&log)).1.unwrap();
    assert!(error.contains("the checksum does not match"), "{error}");
    assert!(error.contains("in transaction aaaaaaaa"), "{error}");
    let options = ReadOptions {
        checksums: Checksums::Report,
        ..ReadOptions::default()
    };
    let reader = log.reader_with(&options);
    let mut reader = TransactionReader::new(EventStream::new(reader, Limits::default()));
    let mut checksums = Vec::new();
    while let Some(step) = reader.next().unwrap() {
        checksums.push(step.checksum_ok);
    }
    assert_eq!(checksums, [true, true, true, false]);
}

#[test]
fn a_reader_goes_on_where_its_source_has_grown() {
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN");
    let end = log.bytes.len() as u64;
    log.table(1).rows(1, true).xid();
    let mut reader = over(&log);
    reader.source_mut().set_end(Some(end));
    assert_eq!(walk(&mut reader).0, "FORMAT_DESCRIPTION GTID QUERY");
    assert!(!reader.is_between_transactions());
    reader.source_mut().set_end(None);
    assert_eq!(walk(&mut reader).0, "TABLE_MAP WRITE_ROWS XID.");
    assert!(reader.is_between_transactions());
}

#[test]
fn a_torn_tail_names_the_transaction_that_it_tore() {
    let mut log = Log::mysql();
    log.gtid(5).query("BEGIN").table(1);
    let offset = log.last;
    log.bytes.pop();
    let error = walk(&mut over(&log)).1.unwrap();
    assert_eq!(
        error,
        format!(
            "b.000001 at offset {offset}, event TABLE_MAP, in transaction \
             aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:5: the event needs 41 bytes, but the file ends \
             after 40"
        )
    );
}
