//! The row events of one statement: all table maps first, then the rows in the order in which they
//! were changed, the end of the statement marked on the last event.

use std::io;
use std::sync::Arc;

use binlog::event::{ChecksumAlgorithm, EventHeader, EventType};
use binlog::row::{RowsEncoder, RowsFlags, RowsKind, TableMap};
use config::settings::BinlogRowMetadata;
use engine::catalog::Table;
use engine::image;
use engine::rows::RowChange;
use engine::session::SessionContext;

use super::EventOrigin;
use super::cache::EventCache;

/// Writes the events of a statement of `session`.
pub(super) struct StatementWriter<'a> {
    pub(super) origin: EventOrigin,
    pub(super) timestamp: u32,
    pub(super) session: &'a SessionContext,
}

impl StatementWriter<'_> {
    /// Adds the events of `changes` to `cache`.
    pub(super) fn write(&self, changes: &[RowChange], cache: &mut EventCache) -> io::Result<()> {
        let maps = self.table_maps(changes);
        for (_, map) in &maps {
            let mut body = Vec::new();
            map.encode(&mut body);
            cache.push(&self.header(EventType::TABLE_MAP), &body)?;
        }
        let mut rest = changes;
        while let Some(first) = rest.first() {
            let kind = kind(first);
            let is_same = |change: &RowChange| {
                change.table.id == first.table.id && self::kind(change) == kind
            };
            let len = rest.iter().take_while(|change| is_same(change)).count();
            let (run, after) = rest.split_at(len);
            let map = maps.iter().find(|(table, _)| table.id == first.table.id);
            if let Some((table, map)) = map {
                self.write_run(table, map, run, after.is_empty(), cache)?;
            }
            rest = after;
        }
        Ok(())
    }

    /// One map for each table, in the order of their first change.
    fn table_maps(&self, changes: &[RowChange]) -> Vec<(Arc<Table>, TableMap<'static>)> {
        let mut maps: Vec<(Arc<Table>, TableMap<'static>)> = Vec::new();
        for change in changes {
            let is_last = maps
                .last()
                .is_some_and(|(table, _)| table.id == change.table.id);
            if !is_last && !maps.iter().any(|(table, _)| table.id == change.table.id) {
                let map = table_map(&change.table, self.origin.row_metadata);
                maps.push((Arc::clone(&change.table), map));
            }
        }
        maps
    }

    fn write_run(
        &self,
        table: &Table,
        map: &TableMap<'static>,
        run: &[RowChange],
        ends_statement: bool,
        cache: &mut EventCache,
    ) -> io::Result<()> {
        let unwritable = |what: &dyn std::fmt::Display| {
            let text = format!("a row of {}.{}: {what}", table.database, table.name);
            io::Error::new(io::ErrorKind::InvalidData, text)
        };
        let Some(kind) = run.first().map(kind) else {
            return Ok(());
        };
        let header = self.header(match kind {
            RowsKind::Write => EventType::WRITE_ROWS,
            RowsKind::Update => EventType::UPDATE_ROWS,
            RowsKind::Delete => EventType::DELETE_ROWS,
        });
        let mut encoder =
            RowsEncoder::new(kind, map, self.flags()).map_err(|error| unwritable(&error))?;
        for change in run {
            let before = change.before.as_deref().unwrap_or_default();
            let after = change.after.as_deref().unwrap_or_default();
            let full = encoder
                .push(before, after)
                .map_err(|error| unwritable(&error))?;
            if let Some(body) = full {
                self.push(&header, &body, cache)?;
            }
        }
        match encoder.finish(ends_statement) {
            Some(body) => self.push(&header, &body, cache),
            None => Ok(()),
        }
    }

    /// Adds an event unless it is too large for its readers: one row fills it then, and nothing of
    /// the statement may be logged.
    fn push(&self, header: &EventHeader, body: &[u8], cache: &mut EventCache) -> io::Result<()> {
        let frame = EventHeader::LEN + ChecksumAlgorithm::Crc32.trailer_len();
        let len = body.len().saturating_add(frame) as u64;
        if len > self.origin.event_bytes_max {
            let text = format!(
                "a row of {len} bytes in the binary log, whose events have at most {}",
                self.origin.event_bytes_max
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        cache.push(header, body)
    }

    fn flags(&self) -> RowsFlags {
        let mut flags = RowsFlags::default();
        if !self.session.foreign_key_checks {
            flags = flags | RowsFlags::NO_FOREIGN_KEY_CHECKS;
        }
        if !self.session.unique_checks {
            flags = flags | RowsFlags::RELAXED_UNIQUE_CHECKS;
        }
        flags
    }

    fn header(&self, event_type: EventType) -> EventHeader {
        EventHeader::new(event_type, self.timestamp, self.origin.server_id)
    }
}

fn kind(change: &RowChange) -> RowsKind {
    match (&change.before, &change.after) {
        (None, _) => RowsKind::Write,
        (Some(_), Some(_)) => RowsKind::Update,
        (Some(_), None) => RowsKind::Delete,
    }
}

/// The map of a table. Its id is the table's, which no other table ever has.
pub(super) fn table_map(table: &Table, metadata: BinlogRowMetadata) -> TableMap<'static> {
    let map = image::table_map(table, table.id.0);
    match metadata {
        BinlogRowMetadata::Full => map,
        BinlogRowMetadata::Minimal => map.without_full_metadata(),
    }
}
