//! What a MariaDB replica cannot take as it stands: collations that only MySQL has.
//!
//! The character-set variables of a QUERY event carry collation ids, and a MariaDB stops at one it
//! does not know ("Character set '#255' is not a compiled character set"), even in a BEGIN, where
//! it means nothing. For such a replica MySQL's own utf8mb4 collations are replaced by the nearest
//! that both have. Rows are not touched, and a statement that names such a collation itself still
//! stops the replica.

use binlog::event::{
    Charset, ChecksumAlgorithm, EventHeader, EventType, Query, RawEvent, StatusVariable, checksum,
};
use codec::{DecodeError, Reader};

/// The event for a MariaDB; `None` when it can be sent as it is.
pub(super) fn with_known_collations(
    event: &RawEvent<'_>,
    algorithm: ChecksumAlgorithm,
) -> Result<Option<Vec<u8>>, DecodeError> {
    if event.header.event_type != EventType::QUERY {
        return Ok(None);
    }
    let body = event.body(algorithm)?;
    let mut query = Query::decode(Reader::at(body, EventHeader::LEN))?;
    let mut is_changed = false;
    for variable in &mut query.status.0 {
        is_changed |= match variable {
            StatusVariable::Charset(charset) => {
                let Charset {
                    client,
                    connection,
                    server,
                } = charset;
                // Each of them, not only the first that changes.
                replace(client) | replace(connection) | replace(server)
            }
            StatusVariable::CollationDatabase(id) => replace(id),
            _ => false,
        };
    }
    if !is_changed {
        return Ok(None);
    }
    // Ids have a fixed width, so size and position in the header stay right.
    let mut bytes = Vec::with_capacity(event.bytes.len());
    event.header.encode(&mut bytes);
    query.encode(&mut bytes);
    if algorithm == ChecksumAlgorithm::Crc32 {
        checksum::append(&mut bytes, 0);
    }
    Ok((bytes.len() == event.bytes.len()).then_some(bytes))
}

/// Replaces the id of a collation that MariaDB does not have.
const fn replace(id: &mut u16) -> bool {
    let nearest = match *id {
        UTF8MB4_0900_BIN => UTF8MB4_BIN,
        UTF8MB4_0900_AI_CI..=UTF8MB4_0900_LAST => UTF8MB4_GENERAL_CI,
        _ => return false,
    };
    *id = nearest;
    true
}

const UTF8MB4_GENERAL_CI: u16 = 45;
const UTF8MB4_BIN: u16 = 46;
const UTF8MB4_0900_AI_CI: u16 = 255;
const UTF8MB4_0900_BIN: u16 = 309;
/// The last id of MySQL 9's UCA 9.0.0 collations.
const UTF8MB4_0900_LAST: u16 = 323;

#[cfg(test)]
mod tests {
    use binlog::event::{EventFlags, StatusVariables, write_event};

    use super::*;

    fn query(collation: u16, algorithm: ChecksumAlgorithm) -> Vec<u8> {
        let charset = Charset {
            client: collation,
            connection: 45,
            server: collation,
        };
        let query = Query {
            thread_id: 1,
            exec_time: 0,
            error_code: 0,
            status: StatusVariables(vec![
                StatusVariable::SqlMode(0),
                StatusVariable::Charset(charset),
                StatusVariable::CollationDatabase(collation),
            ]),
            schema: b"d".into(),
            sql: b"BEGIN".into(),
        };
        let header = EventHeader {
            timestamp: 1,
            event_type: EventType::QUERY,
            server_id: 1,
            event_size: 0,
            end_log_pos: 0,
            flags: EventFlags(0),
        };
        let mut bytes = Vec::new();
        write_event(&mut bytes, &header, 1000, algorithm, |out| {
            query.encode(out)
        });
        bytes
    }

    #[test]
    fn an_unknown_collation_is_replaced_and_everything_else_stays() {
        for algorithm in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::None] {
            let (unknown, known) = (query(255, algorithm), query(45, algorithm));
            let event = RawEvent::parse(&unknown).unwrap();
            let sent = with_known_collations(&event, algorithm).unwrap();
            assert_eq!(sent, Some(known));
        }
    }

    #[test]
    fn what_a_mariadb_knows_is_sent_as_it_is() {
        for collation in [8, 33, 45, 46, 63, 224] {
            let bytes = query(collation, ChecksumAlgorithm::Crc32);
            let event = RawEvent::parse(&bytes).unwrap();
            let sent = with_known_collations(&event, ChecksumAlgorithm::Crc32).unwrap();
            assert_eq!(sent, None);
        }
    }
}
