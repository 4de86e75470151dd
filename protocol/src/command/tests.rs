use proptest::prelude::*;

use super::*;
use crate::{DateTimeParts, hex};

fn decoder(flags: Capabilities) -> CommandDecoder {
    CommandDecoder::new(flags, 1000)
}

fn command(decoder: &mut CommandDecoder, payload: &[u8]) -> Command {
    match decoder.decode(payload).unwrap() {
        Decoded::Command(command) => command,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_replica_of_97_sends_queries_with_an_attribute_count() {
    let payload = b"\x03\x00\x01SELECT UNIX_TIMESTAMP()";
    let sql = b"SELECT UNIX_TIMESTAMP()".to_vec();
    let attributes = Vec::new();
    assert_eq!(
        command(&mut decoder(Capabilities::QUERY_ATTRIBUTES), payload),
        Command::Query { sql, attributes }
    );
}

#[test]
fn query_attributes_have_names_and_values() {
    // Two attributes: traceparent 'abc' as text, n NULL.
    let payload = b"\x03\x02\x01\x02\x01\xfd\x00\x0btraceparent\x08\x00\x01n\x03abcSELECT 1";
    let Command::Query { sql, attributes } =
        command(&mut decoder(Capabilities::QUERY_ATTRIBUTES), payload)
    else {
        panic!("not a query");
    };
    assert_eq!(sql, b"SELECT 1");
    assert_eq!(attributes[0].name, "traceparent");
    assert_eq!(attributes[0].value, Param::Text(b"abc".to_vec()));
    assert_eq!(attributes[1].value, Param::Null);
}

#[test]
fn an_execution_may_rely_on_the_types_of_the_one_before() {
    let mut decoder = decoder(Capabilities::default());
    decoder.prepared(1, 2);
    let first = hex("17 01000000 00 01000000 00 01 0300 0a80 feffffff 04 ea070b15");
    let date = DateTimeParts {
        year: 2026,
        month: 11,
        day: 21,
        ..DateTimeParts::default()
    };
    let Command::StmtExecute { params, .. } = command(&mut decoder, &first) else {
        panic!("not an execution");
    };
    assert_eq!(params, [Param::Int(-2), Param::Date(date)]);
    let second = hex("17 01000000 00 01000000 02 00 07000000");
    let Command::StmtExecute { params, .. } = command(&mut decoder, &second) else {
        panic!("not an execution");
    };
    assert_eq!(params, [Param::Int(7), Param::Null]);
}

#[test]
fn an_execution_without_types_ever_is_refused() {
    let mut decoder = decoder(Capabilities::default());
    decoder.prepared(1, 1);
    let payload = hex("17 01000000 00 01000000 00 00 07000000");
    assert!(decoder.decode(&payload).is_err());
}

#[test]
fn execution_attributes_follow_the_parameters() {
    let mut decoder = decoder(Capabilities::QUERY_ATTRIBUTES);
    decoder.prepared(1, 1);
    let payload =
        hex("17 01000000 08 01000000 02 00 01 0800 00 0880 0161 0500000000000000 0600000000000000");
    let Command::StmtExecute {
        params, attributes, ..
    } = command(&mut decoder, &payload)
    else {
        panic!("not an execution");
    };
    assert_eq!(params, [Param::Int(5)]);
    assert_eq!(attributes[0].name, "a");
    assert_eq!(attributes[0].value, Param::UInt(6));
}

#[test]
fn long_data_is_collected_and_used_once() {
    let mut decoder = decoder(Capabilities::default());
    decoder.prepared(9, 1);
    for part in ["18 09000000 0000 6162", "18 09000000 0000 63"] {
        assert_eq!(decoder.decode(&hex(part)), Ok(Decoded::Nothing));
    }
    let execute = hex("17 09000000 00 01000000 00 01 fc00");
    let Command::StmtExecute { params, .. } = command(&mut decoder, &execute) else {
        panic!("not an execution");
    };
    assert_eq!(params, [Param::Bytes(b"abc".to_vec())]);
    assert!(decoder.decode(&execute).is_err());
}

#[test]
fn long_data_beyond_the_limit_fails_the_execution() {
    let mut decoder = decoder(Capabilities::default());
    decoder.prepared(9, 1);
    let mut payload = hex("18 09000000 0000");
    payload.resize(2000, 1);
    assert_eq!(decoder.decode(&payload), Ok(Decoded::Nothing));
    let execute = hex("17 09000000 00 01000000 00 01 fc00");
    assert!(matches!(
        decoder.decode(&execute),
        Ok(Decoded::Refused(ErrPacket { code: 1153, .. }))
    ));
}

#[test]
fn long_data_of_all_statements_has_one_limit() {
    let mut decoder = decoder(Capabilities::default());
    for id in 1..=3 {
        decoder.prepared(id, 1);
        let mut payload = vec![0x18];
        payload.extend(id.to_le_bytes());
        payload.extend([0, 0]);
        payload.resize(payload.len() + 450, 1);
        assert_eq!(decoder.decode(&payload), Ok(Decoded::Nothing));
    }
    let execute = |id: u32| {
        let mut payload = vec![0x17];
        payload.extend(id.to_le_bytes());
        payload.extend(hex("00 01000000 00 01 fc00"));
        payload
    };
    // The one that came last found no room, and says so once.
    assert!(matches!(
        decoder.decode(&execute(3)),
        Ok(Decoded::Refused(ErrPacket { code: 1041, .. }))
    ));
    for id in [1, 2] {
        let Command::StmtExecute { params, .. } = command(&mut decoder, &execute(id)) else {
            panic!("not an execution");
        };
        assert_eq!(params, [Param::Bytes(vec![1; 450])]);
    }
    // What was executed left its room.
    let mut payload = hex("18 03000000 0000");
    payload.resize(900, 2);
    assert_eq!(decoder.decode(&payload), Ok(Decoded::Nothing));
    assert!(decoder.decode(&execute(3)).is_ok());
}

#[test]
fn a_statement_that_was_never_prepared_is_refused_in_mysqls_words() {
    let refused = decoder(Capabilities::default())
        .decode(&hex("17 05000000 00 01000000"))
        .unwrap();
    let Decoded::Refused(error) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        error.to_string(),
        "ERROR 1243 (HY000): Unknown prepared statement handler (5) given to mysqld_stmt_execute"
    );
}

#[test]
fn unknown_commands_keep_their_number() {
    let mut decoder = decoder(Capabilities::default());
    for code in [0x00, 0x05, 0x0b, 0x14, 0x1d, 0x20, 0xfe] {
        assert_eq!(command(&mut decoder, &[code]), Command::Unknown(code));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(payloads: Vec<Vec<u8>>, flags: u32, count in 0usize..20) {
        let mut decoder = decoder(Capabilities(flags));
        decoder.prepared(1, count);
        for payload in payloads {
            let _ = decoder.decode(&payload);
        }
    }

    #[test]
    fn arbitrary_parameters_never_panic(bytes: Vec<u8>, flags: u32, count in 0usize..20) {
        let mut decoder = decoder(Capabilities(flags));
        decoder.prepared(1, count);
        let _ = decoder.decode(&[&hex("17 01000000 08 01000000")[..], &bytes].concat());
        let _ = decoder.decode(&[&[3][..], &bytes].concat());
    }
}
