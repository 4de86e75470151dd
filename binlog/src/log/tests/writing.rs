//! Writing, rotating, closing, purging and following.

use std::sync::Arc;

use super::*;

#[test]
fn a_closed_file_reads_back_from_description_to_stop() {
    let storage = SimStorage::new(1);
    let mut log = create(&storage).unwrap();
    let first = log.active().clone();
    assert_eq!(first.as_str(), "b.000001");
    assert!(LogHead::read(&storage, &first).unwrap().in_use);
    let bytes = event(EventType::ROWS_QUERY, log.next_offset(), b"hello");
    let end = log.append(&bytes).unwrap();
    assert_eq!(log.durable_end().offset, end.offset - bytes.len() as u64);
    log.sync().unwrap();
    assert_eq!(log.durable_end(), end);
    log.close(1).unwrap();
    assert_eq!(
        types(&storage, &first),
        [
            EventType::FORMAT_DESCRIPTION,
            EventType::PREVIOUS_GTIDS,
            EventType::ROWS_QUERY,
            EventType::STOP
        ]
    );
    assert!(!LogHead::read(&storage, &first).unwrap().in_use);
}

#[test]
fn a_rotation_names_the_next_file_and_hands_the_executed_set_on() {
    let storage = SimStorage::new(1);
    let mut log = create(&storage).unwrap();
    let first = log.active().clone();
    let executed = set("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
    log.rotate(&executed, 2).unwrap();
    let mut reader = LogReader::open(&storage, &first).unwrap();
    let mut last = Vec::new();
    while reader.advance(None).unwrap() {
        let (_, event) = reader.current().unwrap();
        last = event.body(reader.checksum()).unwrap().to_vec();
    }
    assert_eq!(last, [&[4, 0, 0, 0, 0, 0, 0, 0][..], b"b.000002"].concat());
    let head = LogHead::read(&storage, log.active()).unwrap();
    assert_eq!(head.previous_gtids, Some(executed));
    assert!(head.in_use);
    assert!(!LogHead::read(&storage, &first).unwrap().in_use);
    let index = LogIndex::load(&storage, "b.index").unwrap();
    assert_eq!(index.files().len(), 2);
}

#[test]
fn a_full_disk_cuts_the_half_written_unit_and_the_log_goes_on() {
    let storage = SimStorage::new(1);
    let mut log = create(&storage).unwrap();
    let kept = event(EventType::ROWS_QUERY, log.next_offset(), b"kept");
    let end = log.append(&kept).unwrap();
    storage.set_space(Some(100));
    let part = event(EventType::ROWS_QUERY, log.next_offset(), &[b'x'; 60]);
    log.write(&part).unwrap();
    let rest = event(EventType::ROWS_QUERY, log.next_offset(), &[b'y'; 60]);
    let error = log.write(&rest).unwrap_err();
    assert!(error.is_no_space(), "{error}");
    assert_eq!(log.end(), end);
    assert_eq!(log.next_offset(), end.offset);
    assert!(
        log.rotate(&GtidSet::default(), 1)
            .unwrap_err()
            .is_no_space()
    );
    storage.set_space(None);
    let bytes = event(EventType::ROWS_QUERY, log.next_offset(), b"again");
    log.append(&bytes).unwrap();
    log.rotate(&GtidSet::default(), 1).unwrap();
    assert_eq!(types(&storage, &end.file).len(), 5);
}

#[test]
fn a_rotation_without_room_leaves_the_log_as_it_was_at_every_shortage() {
    for room in 0..400 {
        let storage = SimStorage::new(room);
        let mut log = create(&storage).unwrap();
        storage.set_space(Some(room));
        let result = log.rotate(&GtidSet::default(), 1);
        storage.set_space(None);
        if result.is_ok() {
            continue;
        }
        assert!(!log.is_poisoned());
        assert_eq!(log.active().as_str(), "b.000001");
        let bytes = event(EventType::ROWS_QUERY, log.next_offset(), b"on");
        log.append(&bytes).unwrap();
        log.rotate(&GtidSet::default(), 1).unwrap();
        assert_eq!(types(&storage, &LogFileName::new("b", 1)).len(), 4);
    }
}

#[test]
fn a_failed_sync_poisons_the_writer() {
    let storage = SimStorage::new(1);
    let mut log = create(&storage).unwrap();
    let bytes = event(EventType::ROWS_QUERY, log.next_offset(), b"x");
    log.append(&bytes).unwrap();
    storage.fail_syncs(1);
    assert!(matches!(log.sync(), Err(LogError::Io { .. })));
    assert!(matches!(log.append(&bytes), Err(LogError::Poisoned { .. })));
    assert!(matches!(log.sync(), Err(LogError::Poisoned { .. })));
}

#[test]
fn an_interrupted_write_continues_where_the_device_stopped() {
    let storage = SimStorage::new(1);
    storage.set_short_writes(true);
    let mut log = create(&storage).unwrap();
    for at in 0..200_u32 {
        let bytes = event(EventType::ROWS_QUERY, log.next_offset(), &at.to_le_bytes());
        log.append(&bytes).unwrap();
    }
    assert_eq!(types(&storage, log.active()).len(), 202);
}

#[test]
fn purged_files_leave_index_and_disk() {
    let storage = SimStorage::new(1);
    let mut log = create(&storage).unwrap();
    for _ in 0..4 {
        log.rotate(&GtidSet::default(), 1).unwrap();
    }
    let gone = log.purge_before(&LogFileName::new("b", 3)).unwrap();
    assert_eq!(gone, [LogFileName::new("b", 1), LogFileName::new("b", 2)]);
    assert_eq!(
        storage.list().unwrap(),
        ["b.000003", "b.000004", "b.000005", "b.index"]
    );
    // The file that is written always stays.
    log.purge_before(&LogFileName::new("b", 99)).unwrap();
    assert_eq!(log.index().files(), [LogFileName::new("b", 5)]);
}

#[test]
fn a_cursor_follows_the_files_up_to_the_end_it_is_given() {
    let storage = SimStorage::new(1);
    let mut log = create(&storage).unwrap();
    let start = LogPosition::new(log.active().clone(), FIRST_EVENT);
    let guards = FileGuards::new();
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    let mut cursor = LogCursor::open(shared, "b.index", &start, Some(&guards)).unwrap();
    let mut seen = 0;
    for round in 0..30_u32 {
        let bytes = event(
            EventType::ROWS_QUERY,
            log.next_offset(),
            &round.to_le_bytes(),
        );
        log.append(&bytes).unwrap();
        log.sync().unwrap();
        if round % 7 == 6 {
            log.rotate(&GtidSet::default(), 1).unwrap();
        }
        // Bytes beyond the durable end are never looked at.
        log.write(&[0xff; 50]).unwrap();
        let end = log.durable_end();
        loop {
            match cursor.advance(&end).unwrap() {
                Step::Event => {
                    let (_, event) = cursor.current().unwrap();
                    if event.header.event_type == EventType::ROWS_QUERY {
                        let body = event.body(cursor.reader().checksum()).unwrap();
                        assert_eq!(body, u32::to_le_bytes(seen));
                        seen += 1;
                    }
                }
                Step::NextFile => {}
                Step::End => break,
            }
        }
        assert_eq!(seen, round + 1);
        assert_eq!(cursor.position(), end);
        assert_eq!(guards.oldest().as_ref(), Some(log.active()));
        log.abandon().unwrap();
    }
}

#[test]
fn a_damaged_event_is_named_with_its_file_offset_and_type() {
    let storage = SimStorage::new(1);
    let mut log = create(&storage).unwrap();
    let at = log.next_offset();
    let bytes = event(EventType::ROWS_QUERY, at, b"hello");
    log.append(&bytes).unwrap();
    storage.damage("b.000001", at as usize + 22, 1).unwrap();
    let mut reader = LogReader::open(&storage, log.active()).unwrap();
    reader.seek(at);
    assert_eq!(
        reader.advance(None).unwrap_err().to_string(),
        format!(
            "b.000001 at offset {at}, event ROWS_QUERY: \
             the checksum does not match the event's bytes"
        )
    );
}

#[test]
fn files_that_are_no_logs_are_refused() {
    let storage = SimStorage::new(1);
    let name = LogFileName::new("b", 1);
    for (bytes, text) in [
        (&b"\xfdbinxxxx"[..], "the encryption header has 512 bytes"),
        (b"#!/bin/sh\n", "begins with fe 62 69 6e"),
        (b"", "begins with fe 62 69 6e"),
        (b"\xfebin", "format description"),
        (b"\xfebin\0\0\0", "needs 19 bytes"),
    ] {
        storage::replace_file(&storage, name.as_str(), bytes).unwrap();
        let error = LogReader::open(&storage, &name).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn a_reader_lacking_transactions_starts_at_the_newest_file_that_has_them() {
    let storage = SimStorage::new(1);
    let mut log = create(&storage).unwrap();
    let id = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    for file in 1..4 {
        log.rotate(&set(&format!("{id}:1-{}", file * 10)), file)
            .unwrap();
    }
    let locate = |held: &str| locate_by_gtid_set(&storage, log.index(), &set(held));
    assert_eq!(locate("").unwrap().as_str(), "b.000001");
    assert_eq!(locate(&format!("{id}:1-25")).unwrap().as_str(), "b.000003");
    assert_eq!(locate(&format!("{id}:1-30")).unwrap().as_str(), "b.000004");
    log.purge_before(&LogFileName::new("b", 3)).unwrap();
    let error = locate_by_gtid_set(&storage, log.index(), &set(&format!("{id}:1-5")));
    match error {
        Err(LogError::Purged { missing }) => assert_eq!(missing, set(&format!("{id}:6-20"))),
        other => panic!("{other:?}"),
    }
    let since = |time| {
        first_file_since(&storage, log.index(), time)
            .unwrap()
            .unwrap()
    };
    assert_eq!(since(3).as_str(), "b.000003");
    assert_eq!(since(9).as_str(), "b.000004");
}
