//! The fields of every event, by name: what text and JSON show beside header and rows.
//!
//! Names are part of the documented schema of docs/BINLOG.md. Row events and table maps are not
//! here: their outputs look different.

use std::borrow::Cow;

use crate::cell::charset_of;
use binlog::event::{Event, EventFormat, Flavour, FormatDescription, GtidEvent, Query};
use binlog::limits::Limits;

mod mariadb;
mod others;
mod session;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Field<'a> {
    /// A whole number.
    Number(u64),
    /// A whole number, perhaps below zero.
    Signed(i64),
    /// Any number, as text.
    Double(f64),
    /// None: an anonymous transaction's identifier.
    Null,
    /// Yes or no.
    Flag(bool),
    /// Text.
    Text(&'a str),
    /// Text if it is UTF-8, else hexadecimal.
    Bytes(&'a [u8]),
    /// Always hexadecimal.
    Hex(&'a [u8]),
    /// A list of texts.
    Texts(&'a [Cow<'a, str>]),
}

/// Takes a field's name and value.
pub(super) type Sink<'s> = dyn FnMut(&'static str, Field<'_>) + 's;

/// Names every field of `event`.
pub(super) fn each_field(event: &Event<'_>, format: EventFormat, sink: &mut Sink<'_>) {
    match event {
        Event::FormatDescription(description) => format_description(description, sink),
        Event::PreviousGtids(previous) => {
            sink("gtids", Field::Text(&one_line(&previous.gtids)));
        }
        Event::Gtid(gtid) => mysql_gtid(gtid, sink),
        Event::Query(event) => query(event, format.flavour, sink),
        // Their outputs show them in a form of their own.
        Event::TableMap(map) => {
            sink("table_id", Field::Number(map.table_id));
            sink("schema", Field::Text(&map.schema));
            sink("table", Field::Text(&map.table));
        }
        Event::Rows(rows) => {
            sink("table_id", Field::Number(rows.table_id));
            sink("rows_flags", Field::Number(rows.flags.0.into()));
        }
        Event::Xid(xid) => sink("xid", Field::Number(xid.xid)),
        Event::Rotate(rotate) => {
            sink("next_file", Field::Text(&rotate.file));
            sink("next_offset", Field::Number(rotate.position));
        }
        Event::Stop => {}
        Event::Heartbeat(beat) => {
            sink("source_file", Field::Bytes(&beat.file));
            sink("source_offset", Field::Number(beat.position));
        }
        Event::RowsQuery(query) => sink("statement", Field::Bytes(query.sql)),
        Event::Incident(incident) => {
            sink("incident", Field::Number(incident.incident.into()));
            sink("message", Field::Bytes(incident.message));
        }
        Event::MariadbGtid(gtid) => mariadb::gtid(gtid, sink),
        Event::GtidList(list) => mariadb::gtid_list(list, sink),
        Event::BinlogCheckpoint(checkpoint) => {
            sink("oldest_file", Field::Bytes(checkpoint.file));
        }
        Event::StartEncryption(start) => {
            sink("scheme", Field::Number(start.scheme.into()));
            sink("key_version", Field::Number(start.key_version.into()));
            sink("nonce", Field::Hex(&start.nonce));
        }
        Event::AnnotateRows(annotation) => sink("statement", Field::Bytes(annotation.sql)),
        Event::QueryCompressed(event) => match event.inflate(&Limits::default()) {
            Ok(inflated) => query(&inflated, format.flavour, sink),
            Err(error) => sink("damage", Field::Text(&error.to_string())),
        },
        Event::PartialRowData(part) => mariadb::partial_row_data(part, sink),
        event => others::fields(event, format, sink),
    }
}

fn format_description(description: &FormatDescription, sink: &mut Sink<'_>) {
    sink(
        "server_version",
        Field::Text(description.server_version.as_ref()),
    );
    sink(
        "binlog_version",
        Field::Number(description.binlog_version.into()),
    );
    sink("created", Field::Number(description.created.into()));
    sink("header_len", Field::Number(description.header_len.into()));
    let checksum = match description.checksum {
        binlog::event::ChecksumAlgorithm::None => "none",
        binlog::event::ChecksumAlgorithm::Crc32 => "crc32",
    };
    sink("checksum", Field::Text(checksum));
    sink(
        "post_header_lengths",
        Field::Hex(&description.post_header_lengths),
    );
}

fn mysql_gtid(event: &GtidEvent, sink: &mut Sink<'_>) {
    match &event.gtid {
        Some(gtid) => sink("gtid", Field::Text(&gtid.to_string())),
        None => sink("gtid", Field::Null),
    }
    let statements = event.flags & GtidEvent::MAY_HAVE_STATEMENTS != 0;
    sink("may_have_statements", Field::Flag(statements));
    if let Some(clock) = event.logical_clock {
        sink("last_committed", Field::Number(clock.last_committed));
        sink("sequence_number", Field::Number(clock.sequence_number));
    }
    if let Some(times) = event.commit_timestamps {
        sink("immediate_commit_timestamp", Field::Number(times.immediate));
        sink("original_commit_timestamp", Field::Number(times.original));
    }
    if let Some(length) = event.transaction_length {
        sink("transaction_length", Field::Number(length));
    }
    if let Some(versions) = event.server_versions {
        let (immediate, original) = (versions.immediate, versions.original);
        sink("immediate_server_version", Field::Number(immediate.into()));
        sink("original_server_version", Field::Number(original.into()));
    }
    if let Some(ticket) = event.commit_group_ticket {
        sink("commit_group_ticket", Field::Number(ticket));
    }
}

/// A statement with the session that ran it.
pub(super) fn query(query: &Query<'_>, flavour: Flavour, sink: &mut Sink<'_>) {
    sink("thread_id", Field::Number(query.thread_id.into()));
    sink("exec_time", Field::Number(query.exec_time.into()));
    sink("error_code", Field::Number(query.error_code.into()));
    if !query.schema.is_empty() {
        sink("schema", Field::Bytes(&query.schema));
    }
    for variable in &query.status.0 {
        session::fields(variable, sink);
    }
    match statement_text(query, flavour) {
        Some(text) => sink("statement", Field::Text(&text)),
        None => sink("statement_hex", Field::Hex(&query.sql)),
    }
}

/// The statement of a query, out of the client's charset; `None` when it is no text of that.
pub(super) fn statement_text<'q>(query: &'q Query<'_>, flavour: Flavour) -> Option<Cow<'q, str>> {
    if let Ok(text) = std::str::from_utf8(&query.sql) {
        return Some(Cow::Borrowed(text));
    }
    let client = query.status.charset()?.client;
    charset_of(client, flavour)?.decode(&query.sql)
}

/// A GTID set without its line breaks.
fn one_line(gtids: &gtid::GtidSet) -> String {
    gtids.to_string().replace('\n', "")
}
