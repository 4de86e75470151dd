//! The decoders that only connections use, opened for the fuzz crate by the feature `fuzzing`.
//!
//! Each function returns whether its bytes decoded, and panics when an encoding does not lead back to
//! what was decoded. Nothing of the product calls them.

#![allow(
    clippy::expect_used,
    reason = "a broken rule must end the call; the fuzzer catches it"
)]

use codec::Reader;

use crate::command::{CommandDecoder, Decoded};
use crate::response::{self, ErrPacket, OkPacket};
use crate::{
    BinlogDump, BinlogDumpGtid, Capabilities, ColumnDefinition, Command, RegisterReplica, row,
};

/// Bytes of long data that a fuzzed connection keeps.
const LONG_DATA_MAX: usize = 1 << 20;

/// Commands of one connection, in order; a statement 1 with `params` parameters is prepared.
pub fn commands(payloads: &[&[u8]], flags: u32, params: usize) -> bool {
    let mut decoder = CommandDecoder::new(Capabilities(flags), LONG_DATA_MAX);
    decoder.prepared(1, params);
    let mut is_decoded = true;
    for payload in payloads {
        match decoder.decode(payload) {
            Ok(Decoded::Command(Command::StmtClose { statement_id })) => {
                decoder.prepared(statement_id, params);
            }
            Ok(_) => {}
            Err(_) => is_decoded = false,
        }
    }
    is_decoded
}

/// The body of COM_REGISTER_SLAVE.
pub fn register_replica(body: &[u8]) -> bool {
    let Ok(command) = RegisterReplica::decode(Reader::new(body)) else {
        return false;
    };
    let mut out = Vec::new();
    command.encode(&mut out);
    let body = out.get(1..).unwrap_or_default();
    let again = RegisterReplica::decode(Reader::new(body)).expect("what was encoded decodes");
    assert!(is_cut(&command) || again == command, "{command:?}");
    true
}

/// Texts that were not UTF-8 grow when they become text, and no longer fit the field.
fn is_cut(command: &RegisterReplica) -> bool {
    [&command.host, &command.user, &command.password]
        .iter()
        .any(|text| text.len() > usize::from(u8::MAX) || text.contains(char::REPLACEMENT_CHARACTER))
}

/// The body of COM_BINLOG_DUMP.
pub fn binlog_dump(body: &[u8]) -> bool {
    let Ok(command) = BinlogDump::decode(Reader::new(body)) else {
        return false;
    };
    let mut out = Vec::new();
    command.encode(&mut out);
    let body = out.get(1..).unwrap_or_default();
    let again = BinlogDump::decode(Reader::new(body)).expect("what was encoded decodes");
    assert_eq!(again, command);
    true
}

/// The body of COM_BINLOG_DUMP_GTID.
pub fn binlog_dump_gtid(body: &[u8]) -> bool {
    let Ok(command) = BinlogDumpGtid::decode(Reader::new(body)) else {
        return false;
    };
    let mut out = Vec::new();
    command.encode(&mut out);
    let body = out.get(1..).unwrap_or_default();
    let again = BinlogDumpGtid::decode(Reader::new(body)).expect("what was encoded decodes");
    assert_eq!(again, command);
    true
}

/// A row of the text protocol.
pub fn text_row(payload: &[u8], columns: usize) -> bool {
    let Ok(row) = row::decode_text(payload, columns) else {
        return false;
    };
    let cells: Vec<Option<&[u8]>> = row.iter().map(Option::as_deref).collect();
    let mut out = Vec::new();
    row::encode_text(&mut out, &cells);
    assert_eq!(row::decode_text(&out, columns), Ok(row));
    true
}

/// The end of a result set.
pub fn result_end(payload: &[u8], flags: u32) -> bool {
    let capabilities = Capabilities(flags);
    let _ = (
        response::is_eof(payload),
        response::ends_rows(payload, capabilities),
    );
    response::decode_end(payload, capabilities).is_ok()
}

/// An OK packet.
pub fn ok(payload: &[u8]) -> bool {
    let Ok(ok) = OkPacket::decode(payload) else {
        return false;
    };
    let mut out = Vec::new();
    ok.encode(&mut out, false);
    assert_eq!(OkPacket::decode(&out), Ok(ok));
    true
}

/// An ERR packet.
pub fn err(payload: &[u8], flags: u32) -> bool {
    let Ok(error) = ErrPacket::decode(payload) else {
        return false;
    };
    let mut out = Vec::new();
    error.encode(&mut out, Capabilities(flags));
    ErrPacket::decode(&out).is_ok()
}

/// A column definition.
pub fn column(payload: &[u8]) -> bool {
    let Ok(column) = ColumnDefinition::decode(payload) else {
        return false;
    };
    let mut out = Vec::new();
    column.encode(&mut out);
    assert_eq!(ColumnDefinition::decode(&out), Ok(column));
    true
}
