//! Events that no server at hand writes, from the descriptions of their formats.

use super::*;

/// Decodes `body` as an event of `event_type` and encodes it back to the same bytes.
fn with(event_type: EventType, body: &[u8], see: impl FnOnce(Event<'_>)) {
    let mut out = Vec::new();
    let header = EventHeader::new(event_type, 7, 1);
    let algorithm = ChecksumAlgorithm::None;
    write_event(&mut out, &header, 4, algorithm, |out| out.extend(body));
    let raw = RawEvent::parse(&out).unwrap();
    let event = Event::decode(&raw, algorithm).unwrap();
    assert_eq!(event.event_type(), event_type);
    let mut again = Vec::new();
    event.encode(&mut again);
    assert_eq!(again, body);
    see(event);
}

const LOAD_FIXED: &[u8] = b"\x05\0\0\0\x01\0\0\0\x02\0\0\0\x01\x02\x02\0\0\0";

#[test]
fn a_load_of_format_1_has_delimiters_of_one_byte() {
    let body = [
        LOAD_FIXED,
        b",\"\n\0\\\x04\x08",
        b"\x01\x03a\0bcd\0t\0d1\0/tmp/x.txt",
    ]
    .concat();
    with(EventType::LOAD, &body, |event| {
        let Event::Load(load) = event else {
            panic!("{event:?}")
        };
        assert_eq!((load.thread_id, load.exec_time, load.skip_lines), (5, 1, 2));
        assert_eq!((load.table, load.schema), (&b"t"[..], &b"d1"[..]));
        assert_eq!(load.file_name, b"/tmp/x.txt");
        assert_eq!(load.columns().collect::<Vec<_>>(), [&b"a"[..], b"bcd"]);
        assert_eq!(load.delimiters.field_end, b",");
        assert_eq!(
            (load.delimiters.options, load.delimiters.empty_fields),
            (4, Some(8))
        );
        assert_eq!(load.file, None);
    });
}

#[test]
fn a_new_load_has_delimiters_of_any_length() {
    let body = [
        LOAD_FIXED,
        b"\x02||\0\x01\n\x02>>\x01\\\x08",
        b"\x01\x03a\0bcd\0t\0d1\0x.txt",
    ]
    .concat();
    with(EventType::NEW_LOAD, &body, |event| {
        let Event::Load(load) = event else {
            panic!("{event:?}")
        };
        let delimiters = load.delimiters;
        assert_eq!(
            (delimiters.field_end, delimiters.enclosed_by),
            (&b"||"[..], &b""[..])
        );
        assert_eq!(
            (delimiters.line_end, delimiters.line_start),
            (&b"\n"[..], &b">>"[..])
        );
        assert_eq!((delimiters.escaped_by, delimiters.options), (&b"\\"[..], 8));
    });
}

#[test]
fn a_created_file_has_a_number_and_a_first_block() {
    let body = [
        LOAD_FIXED,
        b"\x09\0\0\0",
        b"\x01,\0\x01\n\0\x01\\\0",
        b"\x01\x03a\0bcd\0t\0d1\0x.txt\0",
        b"1,2\n3,4\n\0",
    ]
    .concat();
    with(EventType::CREATE_FILE, &body, |event| {
        let Event::Load(load) = event else {
            panic!("{event:?}")
        };
        assert_eq!(load.file_name, b"x.txt");
        let (file_id, block) = (9, &b"1,2\n3,4\n\0"[..]);
        assert_eq!(load.file, Some(FirstBlock { file_id, block }));
    });
}

#[test]
fn blocks_and_ends_of_files_carry_their_number() {
    let body = b"\x09\0\0\0more";
    with(EventType::APPEND_BLOCK, body, |event| {
        let (file_id, block) = (9, &b"more"[..]);
        assert_eq!(event, Event::AppendBlock(FileBlock { file_id, block }));
    });
    with(EventType::EXEC_LOAD, b"\x09\0\0\0", |event| {
        assert_eq!(event, Event::ExecLoad(FileEnd { file_id: 9 }));
    });
    with(EventType::DELETE_FILE, b"\x09\0\0\0", |event| {
        assert_eq!(event, Event::DeleteFile(FileEnd { file_id: 9 }));
    });
}

#[test]
fn a_relay_log_of_format_1_names_its_source() {
    let body = b"\x04\0\0\0\0\0\0\0\xea\x0chost\0log.001";
    with(EventType::SOURCE_POSITION, body, |event| {
        let Event::SourcePosition(source) = event else {
            panic!("{event:?}")
        };
        assert_eq!((source.position, source.port), (4, 3306));
        assert_eq!((source.host, source.file), (&b"host"[..], &b"log.001"[..]));
    });
}

#[test]
fn an_ignorable_event_is_kept() {
    with(EventType::IGNORABLE, b"any", |event| {
        assert_eq!(event, Event::Ignorable(Ignorable { data: b"any" }));
    });
}

#[test]
fn a_stop_with_a_body_is_kept_as_it_is() {
    let mut out = Vec::new();
    let header = EventHeader::new(EventType::STOP, 7, 1);
    write_event(&mut out, &header, 4, ChecksumAlgorithm::None, |out| {
        out.push(1)
    });
    let raw = RawEvent::parse(&out).unwrap();
    let event = Event::decode(&raw, ChecksumAlgorithm::None).unwrap();
    assert!(matches!(event, Event::Other { body: b"\x01", .. }));
}

#[test]
fn a_transaction_context_has_two_sets_of_hashes() {
    let body = [
        b"\x04\x07\0\0\0\x01\x03\0\0\0\x02\0\0\0\x01\0\0\0" as &[u8],
        b"uuidsid",
        b"\x02\0ab\0\0",
        b"\x03\0xyz",
    ]
    .concat();
    with(EventType::TRANSACTION_CONTEXT, &body, |event| {
        let Event::TransactionContext(context) = event else {
            panic!("{event:?}")
        };
        assert_eq!((context.thread_id, context.gtid_specified), (7, 1));
        assert_eq!(
            (context.server_uuid, context.snapshot_version),
            (&b"uuid"[..], &b"sid"[..])
        );
        let writes = context.write_set;
        assert_eq!(writes.iter().collect::<Vec<_>>(), [&b"ab"[..], b""]);
        assert_eq!((writes.len(), writes.is_empty()), (2, false));
        assert_eq!(
            context.read_set,
            ContextItems::new(1, b"\x03\0xyz").unwrap()
        );
    });
    assert!(ContextItems::new(2, b"\x03\0xyz").is_err());
    assert!(ContextItems::new(0, b"\x03\0xyz").is_err());
}

#[test]
fn a_view_change_has_certification_entries() {
    let mut body = [0; 40].to_vec();
    body[..6].copy_from_slice(b"view:7");
    body.extend(3u64.to_le_bytes());
    body.extend(b"\x01\0\0\0\x03\0key\x05\0\0\0value");
    with(EventType::VIEW_CHANGE, &body, |event| {
        let Event::ViewChange(view) = event else {
            panic!("{event:?}")
        };
        assert_eq!(
            (view.view_name(), view.sequence_number),
            (&b"view:7"[..], 3)
        );
        let entries: Vec<_> = view.certification.iter().collect();
        assert_eq!(entries, [(&b"key"[..], &b"value"[..])]);
        assert_eq!(
            (view.certification.len(), view.certification.is_empty()),
            (1, false)
        );
    });
    assert!(CertificationInfo::new(1, b"\x03\0key").is_err());
}

#[test]
fn unknown_fields_of_payloads_and_heartbeats_are_kept() {
    let body = b"\x02\x03\xfc\xff\0\x01\x01\x03\x09\x02ab\0abc";
    with(EventType::TRANSACTION_PAYLOAD, body, |event| {
        let Event::TransactionPayload(payload) = event else {
            panic!("{event:?}")
        };
        assert_eq!(payload.compression, Some(PayloadCompression::None));
        assert_eq!(payload.unknown_fields, b"\x09\x02ab");
        assert_eq!(payload.payload.as_ref(), b"abc");
    });
    with(
        EventType::HEARTBEAT_V2,
        b"\x01\x01f\x02\x01\x04\x09\x01x\0",
        |event| {
            let Event::Heartbeat(heartbeat) = event else {
                panic!("{event:?}")
            };
            assert_eq!(heartbeat.unknown_fields, b"\x09\x01x");
        },
    );
    for (code, compression) in [
        (0, PayloadCompression::Zstd),
        (255, PayloadCompression::None),
        (7, PayloadCompression::Unknown(7)),
    ] {
        assert_eq!(PayloadCompression::from_code(code), compression);
        assert_eq!(compression.code(), code);
    }
}

#[test]
fn a_payload_of_another_size_than_announced_is_refused() {
    for body in [
        &b"\x01\x01\x04\0abc"[..],
        b"\x01\x01\x02\0abc",
        b"\x01\x02\x02\x09\0ab",
    ] {
        assert!(
            TransactionPayload::decode(Reader::new(body)).is_err(),
            "{body:?}"
        );
    }
}

#[test]
fn the_pieces_of_a_row_event_are_counted_in_either_order() {
    let body = b"\x01\0\0\0\x03\0\0\0\x01\x10\0\0\0\0\0\0\0data";
    with(EventType::PARTIAL_ROW_DATA, body, |event| {
        let Event::PartialRowData(piece) = event else {
            panic!("{event:?}")
        };
        assert_eq!(
            (piece.number, piece.count, piece.is_count_first),
            (1, 3, false)
        );
        assert_eq!((piece.original_size, piece.data), (Some(16), &b"data"[..]));
    });
    let body = b"\x03\0\0\0\x02\0\0\0\0data";
    with(EventType::PARTIAL_ROW_DATA, body, |event| {
        let Event::PartialRowData(piece) = event else {
            panic!("{event:?}")
        };
        assert_eq!(
            (piece.number, piece.count, piece.is_count_first),
            (2, 3, true)
        );
        assert_eq!(piece.original_size, None);
    });
}

#[test]
fn the_flags_of_a_gtid_list_are_the_high_bits_of_its_count() {
    let mut body = 0x3000_0001_u32.to_le_bytes().to_vec();
    body.extend([1; 16]);
    with(EventType::MARIADB_GTID_LIST, &body, |event| {
        let Event::GtidList(list) = event else {
            panic!("{event:?}")
        };
        assert_eq!(
            list.flags,
            GtidList::UNTIL_REACHED | GtidList::IGNORED_GTIDS
        );
        assert_eq!(list.gtids.len(), 1);
    });
}

#[test]
fn old_status_variables_are_known_too() {
    let status = b"\x02\x03std\0\x0a\x07\0\0\0\x0c\x02a\0b\0\x08\x21\0";
    let body = [
        b"\x01\0\0\0\0\0\0\0\x01\0\0" as &[u8],
        &u16::try_from(status.len()).unwrap().to_le_bytes(),
        status,
        b"d\0BEGIN",
    ]
    .concat();
    with(EventType::QUERY, &body, |event| {
        let Event::Query(query) = event else {
            panic!("{event:?}")
        };
        let expected = [
            StatusVariable::CatalogOld(Cow::Borrowed(b"std")),
            StatusVariable::SourceDataWritten(7),
            StatusVariable::UpdatedSchemas(Some(vec![Cow::Borrowed(b"a"), Cow::Borrowed(b"b")])),
            StatusVariable::CollationDatabase(33),
        ];
        assert_eq!(query.status.0, expected);
        assert_eq!(query.clone().into_owned(), query);
    });
}
