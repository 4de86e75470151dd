//! Whatever an event says, its bytes say it too: every encoder against its decoder.

use gtid::MariaGtid;
use proptest::prelude::*;

use super::*;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..=most)
}

/// Bytes without a NUL, for what ends in one.
fn name(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1..=u8::MAX, 0..=most)
}

/// A length as the field that holds it.
fn len<T: TryFrom<usize, Error: std::fmt::Debug>, I>(items: &[I]) -> T {
    T::try_from(items.len()).unwrap()
}

fn owned<'a>(bytes: Vec<u8>) -> Cow<'a, [u8]> {
    Cow::Owned(bytes)
}

fn status_variable() -> impl Strategy<Value = StatusVariable<'static>> {
    use StatusVariable as Is;
    prop_oneof![
        any::<u32>().prop_map(Is::Flags2),
        any::<u64>().prop_map(Is::SqlMode),
        bytes(20).prop_map(|text| Is::CatalogOld(owned(text))),
        any::<(u16, u16)>().prop_map(|(increment, offset)| Is::AutoIncrement { increment, offset }),
        any::<[u16; 3]>().prop_map(|[client, connection, server]| Is::Charset(Charset {
            client,
            connection,
            server
        })),
        bytes(255).prop_map(|text| Is::TimeZone(owned(text))),
        bytes(20).prop_map(|text| Is::Catalog(owned(text))),
        any::<u16>().prop_map(Is::LcTimeNames),
        any::<u16>().prop_map(Is::CollationDatabase),
        any::<u64>().prop_map(Is::TableMapForUpdate),
        any::<u32>().prop_map(Is::SourceDataWritten),
        (bytes(32), bytes(60)).prop_map(|(user, host)| Is::Invoker {
            user: owned(user),
            host: owned(host)
        }),
        prop::option::of(prop::collection::vec(name(8).prop_map(owned), 0..20))
            .prop_map(Is::UpdatedSchemas),
        (0u32..1 << 24).prop_map(Is::Microseconds),
        any::<u8>().prop_map(Is::ExplicitDefaultsForTimestamp),
        any::<u64>().prop_map(Is::DdlXid),
        any::<u16>().prop_map(Is::DefaultCollationForUtf8mb4),
        any::<u8>().prop_map(Is::RequirePrimaryKey),
        any::<u8>().prop_map(Is::DefaultTableEncryption),
        any::<u8>().prop_map(Is::EnableCascadeTriggers),
        (0u32..1 << 24).prop_map(Is::MariaMicroseconds),
        any::<u64>().prop_map(Is::MariaXid),
        (any::<u8>(), any::<u64>()).prop_map(|(flags, sequence)| Is::MariaAlter {
            flags,
            start_sequence: (flags & 0x0c != 0).then_some(sequence)
        }),
        prop::collection::vec(any::<(u16, u16)>(), 0..255).prop_map(Is::MariaCharsetCollations),
    ]
}

prop_compose! {
    fn query()(
        variables in prop::collection::vec(status_variable(), 0..12),
        unknown in prop::option::of((22u8..128, bytes(20))),
        numbers: (u32, u32, u16),
        schema in name(255),
        sql in bytes(200),
    ) -> Query<'static> {
        let mut status = variables;
        let unknown = unknown.map(|(code, rest)| StatusVariable::Unknown { code, rest: owned(rest) });
        status.extend(unknown);
        Query {
            thread_id: numbers.0,
            exec_time: numbers.1,
            error_code: numbers.2,
            status: StatusVariables(status),
            schema: owned(schema),
            sql: owned(sql),
        }
    }
}

prop_compose! {
    fn maria_gtid()(domain: u32, server: u32, sequence: u64) -> MariaGtid {
        MariaGtid { domain, server, sequence }
    }
}

prop_compose! {
    fn delimiters()(
        texts in prop::array::uniform5(bytes(3)),
        options: u8,
        empty_fields: Option<u8>,
    ) -> ([Vec<u8>; 5], u8, Option<u8>) {
        let texts = texts.map(|mut text| {
            if empty_fields.is_some() {
                text.resize(1, b',');
            }
            text
        });
        (texts, options, empty_fields)
    }
}

/// Items of a transaction context, each behind its length.
fn items(items: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for item in items {
        out.put_u16(len(item));
        out.put(item);
    }
    out
}

proptest! {
    #[test]
    fn statements_round_trip_in_every_format(query in query(), file: (u32, u32, u32, u8)) {
        check(&Event::Query(query.clone()));
        check(&Event::ExecuteLoadQuery(ExecuteLoadQuery {
            file_id: file.0,
            file_name_start: file.1,
            file_name_end: file.2,
            duplicates: LoadDuplicates(file.3),
            query: query.clone(),
        }));
        let format = EventFormat { binlog_version: 3, ..EventFormat::mysql(ChecksumAlgorithm::None) };
        let old = Query { status: StatusVariables(Vec::new()), ..query };
        let mut out = Vec::new();
        old.encode_as(&mut out, format);
        prop_assert_eq!(Query::decode_as(Reader::new(&out), format), Ok(old));
    }

    #[test]
    fn variables_of_statements_round_trip(
        kind: u8, value: u64, seeds: (u64, u64),
        name in bytes(64), of in prop::option::of((any::<u8>(), any::<u32>(), bytes(80))),
        marker in 1u8.., attributes in bytes(9),
    ) {
        check(&Event::IntVar(IntVar { kind: IntVarKind(kind), value }));
        check(&Event::Rand(Rand { seed1: seeds.0, seed2: seeds.1 }));
        let value = of.as_ref().map(|(kind, collation, bytes)| UserVarValue {
            value_type: UserVarType(*kind),
            collation: *collation,
            bytes,
        });
        let null_marker = if value.is_some() { 0 } else { marker };
        let user_var = UserVar { name: &name, null_marker, value, attributes: &attributes };
        let _ = (user_var.decoded(), user_var.type_name());
        check(&Event::UserVar(user_var));
    }

    #[test]
    fn files_to_load_round_trip(
        numbers: (u32, u32, u32), delimiters in delimiters(),
        columns in prop::collection::vec(bytes(9), 0..9),
        table in bytes(64), schema in bytes(64), file_name in name(80),
        file in prop::option::of((any::<u32>(), bytes(80))),
    ) {
        let (texts, options, empty_fields) = &delimiters;
        let [field_end, enclosed_by, line_end, line_start, escaped_by] = texts;
        let lengths: Vec<u8> = columns.iter().map(|name| len(name)).collect();
        let names: Vec<u8> = columns.iter().flat_map(|name| [name, &[0][..]].concat()).collect();
        // A LOAD is told by its short delimiters, a CREATE_FILE has none of them.
        let file = file.as_ref().filter(|_| empty_fields.is_none());
        let load = Load {
            thread_id: numbers.0,
            exec_time: numbers.1,
            skip_lines: numbers.2,
            delimiters: Delimiters {
                field_end, enclosed_by, line_end, line_start, escaped_by,
                options: *options,
                empty_fields: *empty_fields,
            },
            column_lengths: &lengths,
            column_names: &names,
            table: &table,
            schema: &schema,
            file_name: &file_name,
            file: file.map(|(file_id, block)| FirstBlock { file_id: *file_id, block }),
        };
        check(&Event::Load(load));
        prop_assert_eq!(load.columns().collect::<Vec<_>>(), columns);
        let (file_id, block) = (numbers.0, &file_name[..]);
        check(&Event::AppendBlock(FileBlock { file_id, block }));
        check(&Event::BeginLoadQuery(FileBlock { file_id, block }));
        check(&Event::ExecLoad(FileEnd { file_id }));
        check(&Event::DeleteFile(FileEnd { file_id }));
    }

    #[test]
    fn old_starts_and_sources_round_trip(
        version: u16, text in bytes(50), created: u32,
        position: u64, port: u16, host in name(60), file in bytes(60),
    ) {
        let mut server_version = [0; 50];
        server_version[..text.len()].copy_from_slice(&text);
        let start = StartV3 { binlog_version: version, server_version, created };
        check(&Event::StartV3(start));
        let (host, file) = (&host[..], &file[..]);
        check(&Event::SourcePosition(SourcePosition { position, port, host, file }));
        check(&Event::Ignorable(Ignorable { data: file }));
    }

    #[test]
    fn events_of_groups_round_trip(
        server_uuid in bytes(36), snapshot_version in bytes(60), numbers: (u32, u8, u64),
        writes in prop::collection::vec(bytes(20), 0..9),
        reads in prop::collection::vec(bytes(20), 0..9),
        entries in prop::collection::vec((bytes(9), bytes(30)), 0..9),
    ) {
        let (write_bytes, read_bytes) = (items(&writes), items(&reads));
        let context = TransactionContext {
            server_uuid: &server_uuid,
            thread_id: numbers.0,
            gtid_specified: numbers.1,
            snapshot_version: &snapshot_version,
            write_set: ContextItems::new(len(&writes), &write_bytes).unwrap(),
            read_set: ContextItems::new(len(&reads), &read_bytes).unwrap(),
        };
        check(&Event::TransactionContext(context));
        prop_assert_eq!(context.write_set.iter().collect::<Vec<_>>(), writes);
        let mut bytes = Vec::new();
        for (key, value) in &entries {
            bytes.put_u16(len(key));
            bytes.put(key);
            bytes.put_u32(len(value));
            bytes.put(value);
        }
        let mut view_id = [0; 40];
        view_id[..server_uuid.len()].copy_from_slice(&server_uuid);
        let certification = CertificationInfo::new(len(&entries), &bytes).unwrap();
        let sequence_number = numbers.2;
        check(&Event::ViewChange(ViewChange { view_id, sequence_number, certification }));
        let again: Vec<_> = certification.iter().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
        prop_assert_eq!(again, entries);
    }

    #[test]
    fn xa_events_and_incidents_round_trip(
        one_phase: u8, format: u32, gtrid in bytes(64), bqual in bytes(64), xid: u64,
        incident: u16, message in bytes(255), rest in bytes(9),
    ) {
        let id = XaId { format, gtrid: &gtrid, bqual: &bqual };
        check(&Event::XaPrepare(XaPrepare { one_phase, xid: id }));
        check(&Event::Xid(Xid { xid }));
        check(&Event::Incident(Incident { incident, message: &message, rest: &rest }));
        let (length_byte, sql) = (one_phase, &message[..]);
        check(&Event::RowsQuery(RowsQuery { length_byte, sql }));
        check(&Event::AnnotateRows(AnnotateRows { sql }));
    }

    #[test]
    fn payloads_round_trip(
        compression: Option<u64>, uncompressed_size: Option<u64>,
        unknown in prop::collection::vec((4u64.., bytes(9)), 0..3), payload in bytes(300),
    ) {
        let mut unknown_fields = Vec::new();
        for (field, value) in unknown {
            unknown_fields.put_lenenc(field);
            unknown_fields.put_lenenc_bytes(&value);
        }
        check(&Event::TransactionPayload(TransactionPayload {
            compression: compression.map(PayloadCompression::from_code),
            uncompressed_size,
            unknown_fields,
            payload: owned(payload),
        }));
    }

    #[test]
    fn gtids_of_mariadb_round_trip(
        gtid in maria_gtid(), flags: u8, commit_id: u64,
        xid in (any::<u32>(), bytes(64), bytes(64)),
        extra in prop::option::of((any::<u8>(), any::<u8>(), any::<u64>(), any::<u32>())),
        zeros in 0usize..9,
    ) {
        let flags = MariadbGtidFlags(flags);
        let is_group = flags.contains(MariadbGtidFlags::GROUP_COMMIT);
        let is_xa = flags.contains(MariadbGtidFlags::PREPARED_XA)
            || flags.contains(MariadbGtidFlags::COMPLETED_XA);
        let (format, gtrid, bqual) = &xid;
        let has_alter = MariadbGtidExtra::COMMIT_ALTER | MariadbGtidExtra::ROLLBACK_ALTER;
        let extra = extra.map(|(flags, engines, sequence, thread)| MariadbGtidExtra {
            flags,
            extra_engines: (flags & MariadbGtidExtra::MULTI_ENGINE != 0).then_some(engines),
            start_alter_sequence: (flags & has_alter != 0).then_some(sequence),
            thread_id: (flags & MariadbGtidExtra::THREAD_ID != 0).then_some(thread),
        });
        check(&Event::MariadbGtid(MariadbGtidEvent {
            gtid: MariaGtid { server: 1, ..gtid },
            flags,
            commit_id: is_group.then_some(commit_id),
            xid: (is_xa && !is_group).then_some(XaId { format: *format, gtrid, bqual }),
            extra,
            rest: if extra.is_some() { &[0; 9][..zeros] } else { &[] },
        }));
    }

    #[test]
    fn other_events_of_mariadb_round_trip(
        gtids in prop::collection::vec(maria_gtid(), 0..9), flags in 0u8..16,
        file in bytes(60), rest in bytes(5), numbers: (u8, u32, [u8; 12]),
        piece in (any::<u32>(), any::<u32>(), any::<bool>(), any::<u8>(), any::<u64>()),
        query in query(),
    ) {
        check(&Event::GtidList(GtidList { flags, gtids, rest: &rest }));
        check(&Event::BinlogCheckpoint(BinlogCheckpoint { file: &file, rest: &rest }));
        let (scheme, key_version, nonce) = numbers;
        check(&Event::StartEncryption(StartEncryption { scheme, key_version, nonce }));
        let (one, other, is_count_first, flags, size) = piece;
        let (number, count) = (one.min(other), one.max(other));
        check(&Event::PartialRowData(PartialRowData {
            number,
            count,
            is_count_first: is_count_first || number == count,
            flags,
            original_size: (flags & PartialRowData::HAS_ORIGINAL_SIZE != 0).then_some(size),
            data: &file,
        }));
        let mut body = Vec::new();
        query.encode(&mut body);
        let compressed = QueryCompressed::decode(Reader::new(&body)).unwrap();
        // Its text is no compressed record, or one that inflates.
        let _ = compressed.inflate(&crate::limits::Limits { inflated_max: 1 << 20 });
        let mut again = Vec::new();
        compressed.encode(&mut again);
        prop_assert_eq!(again, body);
    }

    #[test]
    fn places_of_files_round_trip(
        position: u64, file in "[a-z.0-9-]{1,300}", end in any::<u32>(),
        unknown in prop::collection::vec((3u8.., bytes(9)), 0..3),
    ) {
        let mut unknown_fields = Vec::new();
        for (field, value) in unknown {
            unknown_fields.put_u8(field);
            unknown_fields.put_lenenc_bytes(&value);
        }
        let heartbeat = Heartbeat {
            version: 2,
            file: owned(file.clone().into_bytes()),
            position,
            unknown_fields,
        };
        check(&Event::Heartbeat(heartbeat));
        check(&Event::Rotate(Rotate { position, file: Cow::Borrowed(&file) }));
        let mut header = EventHeader::new(EventType::HEARTBEAT, 0, 1);
        header.end_log_pos = end;
        let first = Heartbeat::decode(Reader::new(file.as_bytes()), header);
        prop_assert_eq!((first.version, first.position), (1, u64::from(end)));
        let mut out = Vec::new();
        first.encode(&mut out);
        prop_assert_eq!(out, file.into_bytes());
    }

    #[test]
    fn descriptions_round_trip(
        version in "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,3}(-MariaDB)?[a-z-]{0,20}",
        created: u32, header_len in 19u8.., lengths in bytes(200), has_checksums: bool,
    ) {
        let mut description = FormatDescription::current(&version, ChecksumAlgorithm::None);
        description.created = created;
        description.header_len = header_len;
        description.post_header_lengths = lengths;
        let mut body = Vec::new();
        description.encode(&mut body);
        let mut bare = description.clone();
        bare.post_header_lengths.clear();
        let mut least = Vec::new();
        bare.encode(&mut least);
        let knows_checksums = least.len() == 58;
        if has_checksums && knows_checksums {
            description.checksum = ChecksumAlgorithm::Crc32;
        }
        let mut event = Vec::new();
        EventHeader::new(EventType::FORMAT_DESCRIPTION, 0, 1).encode(&mut event);
        description.encode(&mut event);
        if knows_checksums {
            checksum::append(&mut event, 0);
        }
        prop_assert_eq!(FormatDescription::decode(&event), Ok(description));
    }

    #[test]
    fn headers_round_trip(timestamp: u32, kind: u8, ids: [u32; 3], flags: u16) {
        let header = EventHeader {
            timestamp,
            event_type: EventType(kind),
            server_id: ids[0],
            event_size: ids[1],
            end_log_pos: ids[2],
            flags: EventFlags(flags),
        };
        let mut out = Vec::new();
        header.encode(&mut out);
        prop_assert_eq!(EventHeader::decode(&out), Ok(header));
        let short = EventHeader::decode_v1(&out[..EventHeader::LEN_V1]).unwrap();
        prop_assert_eq!((short.timestamp, short.event_size), (timestamp, ids[1]));
    }
}
