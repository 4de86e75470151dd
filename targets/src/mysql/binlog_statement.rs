//! BINLOG statements: row events as the server itself applies them.
//!
//! Each row event follows a table map of its own and ends its statement, so that a BINLOG statement
//! holds what comes together, of one transaction or of several, and a server that met an error in
//! one has kept no table open; but rows that cannot be undone are one statement again, which a server logs as
//! a whole. Rows of one table that follow each other are put into one event, since
//! a server opens the table for each; an event that is larger than a statement should be is divided.
//! Events carry no checksums, which the format description sent before says; the way to the server
//! has its own. Compressed rows are inflated, which BINLOG does not do.
//!
//! Spec: mysql-server 9.7, sql/sql_binlog.cc; MariaDB 11.8, sql/sql_binlog.cc.

use std::borrow::Cow;

use binlog::event::{
    ChecksumAlgorithm, EventHeader, EventType, Flavour, FormatDescription, write_event,
};
use binlog::limits::Limits;
use binlog::row::{RowPlan, RowsEvent, RowsFlags, RowsVersion, TableMap};
use inspect::put_base64;

use super::across;
use super::facts::ServerFacts;
use super::session::undecodable;
use crate::{RowsChange, TargetError};

/// Bytes of text from which a statement is sent.
const FULL: usize = 256 << 10;

/// Bytes of rows that are put into one event, and from which a larger one is divided.
const EVENT: usize = 64 << 10;

/// Bytes of a table map, more or less.
const MAP: usize = 4 << 10;

/// Rows of one table, of one kind and with the same columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'r> {
    /// Database of the table on the target.
    pub(super) database: &'r str,
    pub(super) map: &'r TableMap<'static>,
    pub(super) header: EventHeader,
    /// What the rows are; its own rows are not looked at.
    pub(super) event: &'r RowsEvent<'r>,
    /// Whole rows, not compressed.
    pub(super) rows: &'r [u8],
}

/// Puts BINLOG statements together.
#[derive(Debug, Default)]
pub(super) struct BinlogStatement {
    /// The text so far, without its end.
    text: Vec<u8>,
    /// One event, before it is text.
    event: Vec<u8>,
    /// The event that takes further rows.
    open: Option<Open>,
    /// Whether the rows are those of one statement of the source's, as a server logs it that cannot undo a
    /// part of them: its table maps come first, and only its last event ends it.
    is_one: bool,
    /// The rows behind the table maps in `text`, and the tables of those, in that case.
    behind: Vec<u8>,
    mapped: Vec<TableMap<'static>>,
    /// Bytes of text from which a statement is sent to this server.
    full: usize,
    /// Bytes of text that may be too many for this server.
    near: usize,
    /// Bytes of rows that are put into one event for this server.
    event_max: usize,
    /// Whether the server takes row events of MySQL 5.6 and later only: MySQL 9 knows no older ones,
    /// which are those of MySQL 5.5 and of MariaDB.
    is_raising: bool,
    /// Whether the server is MariaDB's.
    is_mariadb: bool,
}

/// An event that takes further rows.
#[derive(Debug)]
struct Open {
    header: EventHeader,
    map: TableMap<'static>,
    event: RowsEvent<'static>,
    rows: Vec<u8>,
}

impl Open {
    fn takes(&self, more: &Rows<'_>, event_max: usize) -> bool {
        let (ours, theirs) = (&self.event, more.event);
        self.rows.len().saturating_add(more.rows.len()) <= event_max
            && ours.kind == theirs.kind
            && ours.flags == ended(theirs.flags)
            && ours.is_partial == theirs.is_partial
            && ours.extra == theirs.extra
            && ours.before_columns == theirs.before_columns
            && ours.after_columns == theirs.after_columns
            && self.header.server_id == more.header.server_id
            && self.map.schema == more.database
            && self.map.table_id == more.map.table_id
            && self.map.table == more.map.table
            && self.map.columns == more.map.columns
    }
}

const fn ended(flags: RowsFlags) -> RowsFlags {
    RowsFlags(flags.0 | RowsFlags::STATEMENT_END.0)
}

impl BinlogStatement {
    /// For a server of this vendor and version.
    pub(super) fn new(facts: &ServerFacts) -> Self {
        let packet = usize::try_from(facts.packet_max).unwrap_or(usize::MAX);
        Self {
            is_mariadb: facts.is_mariadb,
            is_raising: !facts.is_mariadb && facts.number >= 50_600,
            full: FULL.min(packet / 4),
            near: packet / 2,
            event_max: EVENT.min(packet / 4),
            ..Self::default()
        }
    }

    /// Bytes from which a statement should be sent.
    pub(super) const fn full(&self) -> usize {
        self.full
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

    /// Adds the rows of one event. Statements that reach `full` bytes are handed out.
    pub(super) fn add(
        &mut self,
        change: &RowsChange<'_>,
        full: usize,
        mut send: impl FnMut(&[u8]) -> Result<(), TargetError>,
    ) -> Result<(), TargetError> {
        let inflated;
        let event = match change.rows.is_compressed() {
            true => {
                let rows = change.rows.inflated(&Limits::default());
                inflated = rows.map_err(undecodable)?;
                &inflated
            }
            false => change.rows,
        };
        let whole;
        let event = match event.is_partial && self.is_mariadb {
            true => {
                whole = across::without_options(event, change.map)?;
                &whole
            }
            false => event,
        };
        let mut rows = Rows {
            database: change.database,
            map: change.map,
            header: change.logged.header,
            event,
            rows: &event.rows,
        };
        if event.rows.len() <= self.event_max {
            return self.add_rows(&rows, full, &mut send);
        }
        let plan = RowPlan::new(change.map).map_err(undecodable)?;
        let mut reader = event.read(&plan).map_err(undecodable)?;
        let (mut left, mut len) = (event.rows.as_ref(), 0_usize);
        while let Some(images) = reader.next_images().map_err(undecodable)? {
            let size = images.before.len().saturating_add(images.after.len());
            if len > 0 && len.saturating_add(size) > self.event_max {
                (rows.rows, left) = left.split_at_checked(len).unwrap_or((left, &[]));
                self.add_rows(&rows, full, &mut send)?;
                len = 0;
            }
            len = len.saturating_add(size);
        }
        rows.rows = left;
        self.add_rows(&rows, full, &mut send)
    }

    /// Adds rows that go into one event.
    pub(super) fn add_rows(
        &mut self,
        rows: &Rows<'_>,
        full: usize,
        send: &mut impl FnMut(&[u8]) -> Result<(), TargetError>,
    ) -> Result<(), TargetError> {
        match &mut self.open {
            Some(open) if open.takes(rows, self.event_max) => {
                open.rows.extend_from_slice(rows.rows)
            }
            _ => {
                self.close(false);
                // All that is not the row leaves before one that the packet is just large enough for.
                let next = rows.rows.len().saturating_add(MAP).saturating_mul(4) / 3;
                let is_near = full < usize::MAX && self.text.len().saturating_add(next) > self.near;
                if (self.text.len() > full || is_near)
                    && let Some(sql) = self.take()
                {
                    send(&sql)?;
                }
                self.open = Some(self.opened(rows));
            }
        }
        Ok(())
    }

    fn opened(&self, rows: &Rows<'_>) -> Open {
        let mut map = rows.map.clone();
        if map.schema != rows.database {
            map.schema = rows.database.to_owned().into();
        }
        let mut event = rows.event.without_rows();
        event.compression = None;
        event.flags = ended(event.flags);
        if self.is_raising && event.version == RowsVersion::V1 {
            // The same but for a length that is there.
            event.version = RowsVersion::V2;
        }
        Open {
            header: rows.header,
            map,
            event,
            rows: rows.rows.to_vec(),
        }
    }

    /// From here on until [`BinlogStatement::take`] all rows are those of one statement. None may have been
    /// added.
    pub(super) const fn be_one(&mut self) {
        self.is_one = true;
    }

    /// Makes text of the event that takes further rows, which is the last of all or not.
    fn close(&mut self, is_last: bool) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        if self.is_one && !is_last {
            open.event.flags = RowsFlags(open.event.flags.0 & !RowsFlags::STATEMENT_END.0);
        }
        if self.text.is_empty() {
            self.text.extend_from_slice(b"BINLOG '\n");
        }
        let mut event = open.event;
        let mut map = open.map;
        if (map.flavour() == Flavour::MariaDb) != self.is_mariadb {
            map = across::map_for(&map);
            across::make_event(&mut event);
        }
        let same = self.mapped.iter().find(|mapped| {
            (&mapped.schema, &mapped.table, &mapped.columns)
                == (&map.schema, &map.table, &map.columns)
        });
        if let Some(same) = same {
            // The source may have opened it twice, or two of its tables are one here.
            event.table_id = same.table_id;
        } else {
            if self.is_one {
                self.mapped.push(map.clone());
            }
            let text = &mut self.text;
            let put = |out: &mut Vec<u8>| map.encode(out);
            encode(
                text,
                &mut self.event,
                &open.header,
                EventType::TABLE_MAP,
                put,
            );
        }
        let kind = event.event_type();
        let mut event: RowsEvent<'_> = event;
        event.rows = Cow::Borrowed(&open.rows);
        let text = match self.is_one {
            true => &mut self.behind,
            false => &mut self.text,
        };
        encode(text, &mut self.event, &open.header, kind, |out| {
            event.encode(out)
        });
    }

    /// The statement that is open, if one is.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        self.close(true);
        self.is_one = false;
        self.mapped.clear();
        if self.text.is_empty() {
            return None;
        }
        self.text.append(&mut self.behind);
        self.text.push(b'\'');
        Some(std::mem::take(&mut self.text))
    }

    /// Bytes of the statement that is open, about.
    pub(super) fn len(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| open.rows.len());
        let text = self.text.len().saturating_add(self.behind.len());
        text.saturating_add(open / 3 * 4)
    }

    /// Forgets what is open.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.behind.clear();
        self.mapped.clear();
        self.is_one = false;
        self.open = None;
    }
}

/// Puts an event behind `text`, by way of `event`.
fn encode(
    text: &mut Vec<u8>,
    event: &mut Vec<u8>,
    header: &EventHeader,
    kind: EventType,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let header = EventHeader {
        event_type: kind,
        ..*header
    };
    event.clear();
    write_event(event, &header, 0, ChecksumAlgorithm::None, body);
    put_base64(text, event);
}
