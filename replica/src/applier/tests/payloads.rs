//! Transactions in one event: binlog_transaction_compression=ON on the source.

use binlog::log::ReadOptions;

use super::*;

/// Bodies of the events behind the GTID of a transaction that inserts `key` into `d.t`.
fn inserting(key: i64) -> Vec<Body> {
    let number = usize::try_from(key).unwrap();
    Source::rows(key).events(number).split_off(1)
}

/// A payload that is not compressed and holds these bytes.
fn stored(content: Vec<u8>) -> TransactionPayload<'static> {
    TransactionPayload {
        compression: Some(PayloadCompression::None),
        uncompressed_size: Some(content.len() as u64),
        unknown_fields: Vec::new(),
        payload: content.into(),
    }
}

/// A source whose second transaction is this payload.
fn with_second(payload: &TransactionPayload<'_>) -> Source {
    let mut body = Vec::new();
    payload.encode(&mut body);
    let mut source = Source::compressed(3);
    source.transactions[1] = Sent::Behind(vec![(EventType::TRANSACTION_PAYLOAD, body)]);
    source
}

/// That the second transaction stops the applier, and nothing of it was applied.
fn stops_with(replica: &Replica, parts: &[&str]) {
    let error = replica.apply_all().unwrap_err();
    let text = error.to_string();
    let places = [
        "relay.000001, position ",
        "00000000-0000-0000-0000-000000000007:2",
    ];
    for part in parts.iter().chain(&places) {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert_eq!(error.code(), 13121, "{text}");
    let store = replica.target.last();
    assert_eq!(store.rows["d.t"], keys(1), "{text}");
    let expected: GtidSet = [gtid(1)].into_iter().collect();
    assert_eq!(store.applied.executed.mysql, expected);
}

#[test]
fn the_events_of_a_payload_are_applied_and_the_position_moves_behind_it() {
    let replica = Replica::new();
    replica.receive(&Source::compressed(10));
    replica.apply_all().unwrap();
    let store = replica.target.last();
    assert_eq!(store.rows["d.t"], keys(10));
    let expected: GtidSet = (1..=10).map(gtid).collect();
    assert_eq!(store.applied.executed.mysql, expected);
    let end = replica.applier.relay_log.end().borrow().clone();
    assert_eq!(store.applied.relay, Some(end.position));
    let source = replica.applier.relay_log.source_coordinates().unwrap();
    assert_eq!(store.applied.source, Some(source));
    let state = replica.applier.status.snapshot();
    assert_eq!((state.transactions, state.rows), (10, 10));
    // The bytes are those of the log, not what they inflate to.
    assert_eq!(state.bytes, end.backlog.bytes_received);
}

#[test]
fn filters_look_into_payloads() {
    let mut replica = Replica::new();
    let mut filter = ReplicationFilter::default();
    filter
        .ignore_table
        .extend(config::filter::TableName::parse("d.log"));
    replica.applier.filter = Arc::new(filter);
    let mut source = Source::compressed(3);
    source.transactions[1] = Sent::Row("log", 2);
    replica.receive(&source);
    replica.apply_all().unwrap();
    let store = replica.target.last();
    assert_eq!(store.rows["d.t"], [1, 3]);
    assert!(!store.rows.contains_key("d.log"));
    let state = replica.applier.status.snapshot();
    assert_eq!((state.transactions, state.skipped), (3, 1));
}

#[test]
fn a_payload_that_was_applied_is_passed_over() {
    let replica = Replica::new();
    replica.receive(&Source::compressed(5));
    replica.apply_all().unwrap();
    // The position in the relay log is lost, the GTIDs are not.
    let mut applied = replica.target.last().applied;
    applied.relay = None;
    replica.target.replace(&applied).unwrap();
    replica.apply_all().unwrap();
    assert_eq!(replica.target.last().rows["d.t"], keys(5));
}

#[test]
fn an_error_inside_a_payload_names_its_place() {
    let mut replica = Replica::new();
    replica.target.conflicts_with = Some(3);
    replica.receive(&Source::compressed(5));
    let error = replica.apply_all().unwrap_err();
    let text = error.to_string();
    for part in [
        "Duplicate entry",
        "WRITE_ROWS (30)",
        "of the decompressed payload",
        "d.t",
        "relay.000001",
        "binlog.000001",
        ":3",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert_eq!(replica.target.last().rows["d.t"], keys(2));
    replica.target.conflicts_with = None;
    replica.apply_all().unwrap();
    assert_eq!(replica.target.last().rows["d.t"], keys(5));
}

#[test]
fn a_wrong_checksum_stops_before_anything_is_applied() {
    let replica = Replica::new();
    let damage = |number: usize, event: &[u8]| {
        let mut event = event.to_vec();
        if number == 2 && EventType(event[4]) == EventType::TRANSACTION_PAYLOAD {
            // In the checksum itself: the payload is whole.
            *event.last_mut().unwrap() ^= 1;
        }
        event
    };
    let log = &replica.applier.relay_log;
    Source::compressed(3).send_changed(log, &GtidSet::default(), damage);
    stops_with(&replica, &["checksum", "TRANSACTION_PAYLOAD (40)"]);
}

#[test]
fn a_damaged_payload_leaves_nothing_behind() {
    let events = inserting(2);
    let whole = content(&events).concat();
    let rows = content(&events[..3]).concat();
    let with = |more: &[u8]| stored([&rows, more].concat());
    let squeezed = payload_of(&events);
    let cut = TransactionPayload {
        payload: squeezed.payload[..squeezed.payload.len() - 6]
            .to_vec()
            .into(),
        ..squeezed.clone()
    };
    let larger = TransactionPayload {
        uncompressed_size: Some(whole.len() as u64 + 1),
        ..squeezed.clone()
    };
    let unknown = TransactionPayload {
        compression: Some(PayloadCompression::Unknown(7)),
        ..squeezed
    };
    let inside = "of the decompressed payload";
    for (payload, found) in [
        (cut, inside),
        (larger, inside),
        (unknown, "7"),
        // The rows are sound and were taken when the damage behind them is met.
        (with(&[0xff; 40]), inside),
        (with(&[0; 5]), inside),
        (stored([&whole[..], &[0; 5]].concat()), inside),
        (
            stored([&whole[..], &whole].concat()),
            "behind the transaction in a payload",
        ),
        (stored(rows.clone()), "lacks the end of its transaction"),
    ] {
        let replica = Replica::new();
        replica.receive(&with_second(&payload));
        stops_with(&replica, &[found]);
    }
}

#[test]
fn a_large_payload_is_read_in_pieces_and_only_if_its_checksum_is_right() {
    let mut events = inserting(2);
    // More than is held whole, by a text that says nothing to the applier.
    let text = vec![b'x'; usize::try_from(ReadOptions::HELD_MAX).unwrap() + 1];
    events.insert(1, (EventType::ROWS_QUERY, text));
    let source = with_second(&stored(content(&events).concat()));
    let replica = Replica::new();
    let damage = |number: usize, event: &[u8]| {
        let mut event = event.to_vec();
        if number == 2 && EventType(event[4]) == EventType::TRANSACTION_PAYLOAD {
            *event.last_mut().unwrap() ^= 1;
        }
        event
    };
    source.send_changed(&replica.applier.relay_log, &GtidSet::default(), damage);
    stops_with(&replica, &["checksum", "TRANSACTION_PAYLOAD (40)"]);
    let replica = Replica::new();
    replica.receive(&source);
    replica.apply_all().unwrap();
    assert_eq!(replica.target.last().rows["d.t"], keys(3));
}
