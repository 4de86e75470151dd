//! BINLOG statements: row events as the server itself applies them.
//!
//! Each row event follows a table map of its own and ends its statement, so that a BINLOG statement
//! holds what comes together, of one transaction or of several, and a server that met an error in
//! one has kept no table open. Events carry no checksums, which the format description sent before
//! says; the way to the server has its own. Compressed rows are inflated, which BINLOG does not do.
//!
//! Spec: mysql-server 9.7, sql/sql_binlog.cc; MariaDB 11.8, sql/sql_binlog.cc.

use binlog::event::{ChecksumAlgorithm, EventHeader, EventType, FormatDescription, write_event};
use binlog::limits::Limits;
use binlog::row::{RowsFlags, RowsVersion};
use codec::DecodeError;
use inspect::put_base64;

use super::facts::ServerFacts;
use crate::RowsChange;

/// Bytes of events from which a statement is sent.
const FULL: usize = 256 << 10;

/// Puts BINLOG statements together.
#[derive(Debug, Default)]
pub(super) struct BinlogStatement {
    /// The text so far; empty: nothing is open.
    text: Vec<u8>,
    /// One event, before it is text.
    event: Vec<u8>,
    /// Whether the server takes row events of MySQL 5.6 and later only: MySQL 9 knows no older ones,
    /// which are those of MySQL 5.5 and of MariaDB.
    is_raising: bool,
}

impl BinlogStatement {
    /// For a server of this vendor and version.
    pub(super) fn new(facts: &ServerFacts) -> Self {
        Self {
            is_raising: !facts.is_mariadb && facts.number >= 50_600,
            ..Self::default()
        }
    }

    /// The statement that tells a server how the events behind it look.
    pub(super) fn description(description: &FormatDescription) -> Vec<u8> {
        let description = FormatDescription {
            checksum: ChecksumAlgorithm::None,
            ..description.clone()
        };
        let mut event = Vec::new();
        let header = EventHeader::new(EventType::FORMAT_DESCRIPTION, 0, 1);
        write_event(&mut event, &header, 4, ChecksumAlgorithm::None, |out| {
            description.encode(out);
        });
        let mut text = b"BINLOG '\n".to_vec();
        put_base64(&mut text, &event);
        text.push(b'\'');
        text
    }

    /// Adds the rows of one event. True when the statement should be sent.
    pub(super) fn add(&mut self, change: &RowsChange<'_>) -> Result<bool, DecodeError> {
        if self.text.is_empty() {
            self.text.extend_from_slice(b"BINLOG '\n");
        }
        let mut map = change.map.clone();
        if map.schema != change.database {
            map.schema = change.database.to_owned().into();
        }
        let header = change.logged.header;
        self.put(&header, EventType::TABLE_MAP, |out| map.encode(out));
        let inflated;
        let rows = match change.rows.is_compressed() {
            true => {
                inflated = change.rows.inflated(&Limits::default())?;
                &inflated
            }
            false => change.rows,
        };
        let mut ended = rows.clone();
        ended.flags = RowsFlags(rows.flags.0 | RowsFlags::STATEMENT_END.0);
        if self.is_raising && ended.version == RowsVersion::V1 {
            // The same but for a length that is there.
            ended.version = RowsVersion::V2;
        }
        self.put(&header, ended.event_type(), |out| ended.encode(out));
        Ok(self.text.len() > FULL)
    }

    fn put(&mut self, header: &EventHeader, kind: EventType, body: impl FnOnce(&mut Vec<u8>)) {
        let header = EventHeader {
            event_type: kind,
            ..*header
        };
        self.event.clear();
        write_event(&mut self.event, &header, 0, ChecksumAlgorithm::None, body);
        put_base64(&mut self.text, &self.event);
    }

    /// The statement that is open, if one is.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        if self.text.is_empty() {
            return None;
        }
        self.text.push(b'\'');
        Some(std::mem::take(&mut self.text))
    }

    /// Bytes of the statement that is open.
    pub(super) const fn len(&self) -> usize {
        self.text.len()
    }

    /// Forgets what is open.
    pub(super) fn clear(&mut self) {
        self.text.clear();
    }
}
