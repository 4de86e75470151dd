//! One JSON object per event and line; the schema is docs/BINLOG.md.
//!
//! Written straight into the output's buffer. Rows go out one by one, so that a line may be larger
//! than the memory that makes it.

use std::io::Write;

use super::cell::digits::{put_hex, put_i64, put_u64};
use super::cell::escape::put_json_text;
use super::cell::{ABSENT, Shape, put_cell};
use super::fields::{Field, each_field};
use super::output::Output;
use super::render::{Render, RenderError, Source, each_row};
use binlog::event::Event;
use binlog::limits::Limits;
use binlog::row::{Row, RowsEvent, RowsKind, Table};
use binlog::transaction::Step;
use binlog::value::double_text;

/// What the objects show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JsonOptions {
    /// Values over [`super::cell::VALUE_LEN_MAX`] bytes are shown whole.
    pub full_values: bool,
    /// Bounds on what is inflated.
    pub limits: Limits,
}

/// Writes events as JSON lines.
#[derive(Debug, Default)]
pub struct JsonLines {
    options: JsonOptions,
    /// How every line of the current file begins.
    head: Vec<u8>,
    /// Columns of the row event at hand.
    shapes: Vec<Shape>,
}

impl JsonLines {
    /// Begins with no file.
    #[must_use]
    pub fn new(options: JsonOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    fn header(&self, step: &Step<'_>, out: &mut Vec<u8>) {
        let header = &step.raw.header;
        out.extend_from_slice(&self.head);
        number(out, "offset", step.place.offset);
        number(out, "end", step.place.end);
        if let Some(inner) = step.place.inner {
            number(out, "in_payload", inner);
        }
        out.extend_from_slice(b",\"type\":\"");
        out.extend_from_slice(header.event_type.label().as_bytes());
        out.push(b'"');
        number(out, "timestamp", header.timestamp.into());
        number(out, "server_id", header.server_id.into());
        number(out, "size", header.event_size.into());
        number(out, "end_log_pos", header.end_log_pos.into());
        number(out, "flags", header.flags.0.into());
        if !step.checksum_ok {
            out.extend_from_slice(b",\"crc_ok\":false");
        }
    }

    fn rows<W: Write>(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        rows: &RowsEvent<'_>,
        table: &Table,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        let map = &table.map;
        let buffer = out.buffer();
        buffer.extend_from_slice(b",\"schema\":");
        put_json_text(buffer, &map.schema);
        buffer.extend_from_slice(b",\"table\":");
        put_json_text(buffer, &map.table);
        put_column_names(buffer, table);
        buffer.extend_from_slice(b",\"kind\":\"");
        buffer.extend_from_slice(kind_name(rows.kind).as_bytes());
        buffer.extend_from_slice(b"\",\"rows\":[");
        self.shapes.clear();
        let flavour = step.format.flavour;
        let shapes = map.columns.iter().map(|column| Shape::of(column, flavour));
        self.shapes.extend(shapes);
        let (shapes, is_full) = (&self.shapes, self.options.full_values);
        let mut is_first = true;
        let limits = self.options.limits;
        let shown = each_row(source, step, rows, table, &limits, |before, after| {
            let buffer = out.buffer();
            let head: &[u8] = if is_first {
                b"{\"before\":"
            } else {
                b",{\"before\":"
            };
            is_first = false;
            buffer.extend_from_slice(head);
            put_image(buffer, before, None, table, shapes, is_full);
            buffer.extend_from_slice(b",\"after\":");
            put_image(buffer, after, Some(before), table, shapes, is_full);
            buffer.push(b'}');
            Ok(out.make_room()?)
        });
        let buffer = out.buffer();
        buffer.push(b']');
        if let Err(error) = &shown {
            // The line says why it ends early, and is JSON all the same.
            key(buffer, "error");
            put_json_text(buffer, &error.to_string());
            buffer.extend_from_slice(b"}\n");
        }
        shown
    }
}

impl<W: Write> Render<W> for JsonLines {
    fn begin(&mut self, source: Source<'_>, _: &mut Output<W>) -> Result<(), RenderError> {
        self.head.clear();
        self.head.extend_from_slice(b"{\"file\":");
        put_json_text(&mut self.head, source.label);
        Ok(())
    }

    fn event(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        let buffer = out.buffer();
        self.header(step, buffer);
        each_field(&step.event, step.format, &mut |name, field| {
            put_field(buffer, name, field);
        });
        match (&step.event, step.table) {
            (Event::Rows(rows), Some(table)) => self.rows(source, step, rows, table, out)?,
            (Event::TableMap(_), Some(table)) => put_column_names(buffer, table),
            _ => {}
        }
        out.buffer().extend_from_slice(b"}\n");
        Ok(out.make_room()?)
    }

    fn end(&mut self, out: &mut Output<W>) -> Result<(), RenderError> {
        Ok(out.flush()?)
    }
}

/// A row image: an array of all columns, or null when the kind of event has no such image.
fn put_image(
    out: &mut Vec<u8>,
    row: &Row<'_>,
    before: Option<&Row<'_>>,
    table: &Table,
    shapes: &[Shape],
    is_full: bool,
) {
    if row.is_empty() && !table.map.columns.is_empty() {
        return out.extend_from_slice(b"null");
    }
    out.push(b'[');
    let columns = table.map.columns.iter().zip(shapes);
    for (index, (value, (column, shape))) in row.iter().zip(columns).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let Some(value) = value else {
            out.extend_from_slice(ABSENT);
            continue;
        };
        let before = before.and_then(|row| row.get(index)?.as_ref());
        put_cell(out, value, *shape, column, before, is_full);
    }
    out.push(b']');
}

/// The names of the columns, if all are known.
fn put_column_names(out: &mut Vec<u8>, table: &Table) {
    let columns = &table.map.columns;
    if columns.is_empty() || columns.iter().any(|column| column.name.is_none()) {
        return;
    }
    out.extend_from_slice(b",\"columns\":[");
    for (index, name) in columns.iter().flat_map(|column| &column.name).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        put_json_text(out, name);
    }
    out.push(b']');
}

/// The kind of change as the schema calls it.
const fn kind_name(kind: RowsKind) -> &'static str {
    match kind {
        RowsKind::Write => "insert",
        RowsKind::Update => "update",
        RowsKind::Delete => "delete",
    }
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    key(out, name);
    put_u64(out, value);
}

fn put_field(out: &mut Vec<u8>, name: &str, field: Field<'_>) {
    key(out, name);
    match field {
        Field::Null => out.extend_from_slice(b"null"),
        Field::Number(value) => put_u64(out, value),
        Field::Signed(value) => put_i64(out, value),
        Field::Double(value) => quoted_double(out, value),
        Field::Flag(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Field::Text(text) => put_json_text(out, text),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => put_json_text(out, text),
            Err(_) => put_hex_object(out, bytes),
        },
        Field::Hex(bytes) => put_hex_object(out, bytes),
        Field::Texts(texts) => {
            out.push(b'[');
            for (index, text) in texts.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                put_json_text(out, text);
            }
            out.push(b']');
        }
    }
}

fn quoted_double(out: &mut Vec<u8>, value: f64) {
    out.push(b'"');
    out.extend_from_slice(double_text(value).as_bytes());
    out.push(b'"');
}

fn put_hex_object(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{\"hex\":\"");
    put_hex(out, bytes);
    out.extend_from_slice(b"\"}");
}
