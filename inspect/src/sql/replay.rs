//! BINLOG statements: row events as the server itself applies them.
//!
//! One statement holds the table maps of a statement of the log and its row events, up to a size
//! that clients and servers take by default; behind that, a new one repeats the table maps. Events
//! are those of the log, byte for byte, with two exceptions: inner events of a payload get the
//! checksum that the format description announces, and compressed row events, which BINLOG does not
//! take, are inflated.
//!
//! Spec: mysql-server 9.7, sql/sql_binlog.cc.

use std::io::Write;

use super::base64;
use crate::output::Output;
use crate::render::{RenderError, Source, refused, undecodable};
use binlog::event::{
    ChecksumAlgorithm, Event, EventFormat, EventHeader, EventType, RawEvent, checksum,
};
use binlog::limits::Limits;
use binlog::row::RowsFlags;
use binlog::transaction::Step;

/// Most bytes of events in one statement, unless a single event is larger.
const SIZE_MAX: usize = 2 << 20;

/// Puts BINLOG statements together.
#[derive(Debug, Default)]
pub(super) struct BinlogStatement {
    /// Whether events of this file must end in a checksum.
    is_checksummed: bool,
    /// The table maps of the statement that is read.
    maps: Vec<u8>,
    is_map_complete: bool,
    /// Bytes of events in the statement that is open; `None`: none is.
    open: Option<usize>,
    event: Vec<u8>,
}

impl BinlogStatement {
    /// Tells the server how the events behind look.
    pub(super) fn description(&mut self, step: &Step<'_>, out: &mut Vec<u8>) {
        self.is_checksummed = step.format.checksum == ChecksumAlgorithm::Crc32;
        self.maps.clear();
        out.extend_from_slice(b"BINLOG '\n");
        base64::put(out, step.raw.bytes);
        out.extend_from_slice(b"'/*!*/;\n");
    }

    /// Keeps a table map for the row events behind it.
    pub(super) fn table_map(&mut self, step: &Step<'_>, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.is_map_complete) {
            // A statement begins. The one before is still open if its last rows are of a table that
            // was not asked for. Rows whose map is not in their BINLOG statement are passed over by
            // the server without a word.
            self.close(out);
            self.maps.clear();
        }
        self.take(&step.raw, step.format);
        self.maps.extend_from_slice(&self.event);
    }

    /// Adds a row event.
    pub(super) fn rows<W: Write>(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        limits: &Limits,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        let Event::Rows(rows) = &step.event else {
            return Ok(());
        };
        self.is_map_complete = true;
        if usize::from(step.format.header_len) != EventHeader::LEN {
            let reason = "the event's header is not one that BINLOG takes";
            return Err(refused(source, step, reason.to_owned()));
        }
        if rows.is_compressed() {
            let plain = rows
                .inflated(limits)
                .map_err(|error| undecodable(source, step, error))?;
            self.frame(&step.raw, plain.event_type(), &mut |body| {
                plain.encode(body)
            });
        } else {
            self.take(&step.raw, step.format);
        }
        let buffer = out.buffer();
        let ends = rows.flags.contains(RowsFlags::STATEMENT_END);
        let held = self.open.unwrap_or(0);
        if held > 0 && held.saturating_add(self.event.len()) > SIZE_MAX {
            self.close(buffer);
        }
        if self.open.is_none() {
            buffer.extend_from_slice(b"BINLOG '\n");
            base64::put(buffer, &self.maps);
            self.open = Some(self.maps.len());
        }
        base64::put(buffer, &self.event);
        self.open = self.open.map(|held| held.saturating_add(self.event.len()));
        if ends {
            self.close(buffer);
        }
        Ok(())
    }

    /// Ends the statement that is open.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            out.extend_from_slice(b"'/*!*/;\n");
        }
    }

    /// Takes an event as it is, with the checksum it must have.
    fn take(&mut self, raw: &RawEvent<'_>, format: EventFormat) {
        if !self.is_checksummed || format.checksum == ChecksumAlgorithm::Crc32 {
            self.event.clear();
            self.event.extend_from_slice(raw.bytes);
            return;
        }
        let body = raw.bytes.get(EventHeader::LEN..).unwrap_or_default();
        self.frame(raw, raw.header.event_type, &mut |out| {
            out.extend_from_slice(body)
        });
    }

    /// Builds an event of `raw`'s header and another body.
    fn frame(
        &mut self,
        raw: &RawEvent<'_>,
        event_type: EventType,
        body: &mut dyn FnMut(&mut Vec<u8>),
    ) {
        let out = &mut self.event;
        out.clear();
        let header = EventHeader {
            event_type,
            ..raw.header
        };
        header.encode(out);
        body(out);
        let trailer = if self.is_checksummed {
            checksum::LEN
        } else {
            0
        };
        let size = u32::try_from(out.len().saturating_add(trailer)).unwrap_or(u32::MAX);
        if let Some(field) = out.get_mut(9..13) {
            field.copy_from_slice(&size.to_le_bytes());
        }
        if self.is_checksummed {
            checksum::append(out, 0);
        }
    }
}
