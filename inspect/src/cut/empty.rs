//! What is left of a transaction that lost all its changes: its identifier and an empty frame.

use std::borrow::Cow;

use binlog::event::{
    ChecksumAlgorithm, Event, EventFlags, EventFormat, EventHeader, EventType, MariadbGtidEvent,
    MariadbGtidFlags, Query, StatusVariables, write_event,
};
use binlog::transaction::TransactionInfo;

/// The events behind the GTID, without checksums. `begins`: with a BEGIN, which MariaDB's GTID event
/// stands for itself.
pub(super) fn frame(info: &TransactionInfo, format: EventFormat, begins: bool) -> Vec<Vec<u8>> {
    let words: &[&[u8]] = if begins {
        &[b"BEGIN", b"COMMIT"]
    } else {
        &[b"COMMIT"]
    };
    words
        .iter()
        .map(|word| statement(word, info, format))
        .collect()
}

fn statement(sql: &[u8], info: &TransactionInfo, format: EventFormat) -> Vec<u8> {
    let header = EventHeader::new(EventType::QUERY, info.timestamp, info.server_id)
        .with_flags(EventFlags::SUPPRESS_USE);
    let query = Event::Query(Query {
        thread_id: 0,
        exec_time: 0,
        error_code: 0,
        status: StatusVariables(Vec::new()),
        schema: Cow::Borrowed(b""),
        sql: Cow::Borrowed(sql),
    });
    let extra = usize::from(format.header_len).saturating_sub(EventHeader::LEN);
    let mut bytes = Vec::new();
    write_event(&mut bytes, &header, 0, ChecksumAlgorithm::None, |out| {
        out.resize(out.len() + extra, 0);
        query.encode(out);
    });
    bytes
}

/// Takes away what says that one statement, a definition or an XA transaction follows.
pub(super) fn strip(event: &mut MariadbGtidEvent<'_>) {
    let gone = MariadbGtidFlags::STANDALONE.0
        | MariadbGtidFlags::DDL.0
        | MariadbGtidFlags::PREPARED_XA.0
        | MariadbGtidFlags::COMPLETED_XA.0;
    event.flags = MariadbGtidFlags(event.flags.0 & !gone);
    event.xid = None;
    if let Some(extra) = &mut event.extra {
        extra.start_alter_sequence = None;
        extra.flags &= MariadbExtra::KEPT;
    }
}

/// Bits of the extra flags.
struct MariadbExtra;

impl MariadbExtra {
    /// All but those of a two-phase ALTER.
    const KEPT: u8 = !(0x02 | 0x04 | 0x08);
}
