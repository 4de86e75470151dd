//! Events in words: a header line each, its fields, and its rows.
//!
//! For people. Not SQL: names and values are shown so that a person can recognise them. Tools read
//! [`super::JsonLines`], servers [`super::SqlLines`].

mod geometry;
#[cfg(test)]
mod tests;
mod types;
mod value;

use std::collections::HashMap;
use std::io::Write;

use super::cell::Shape;
use super::cell::digits::{put_datetime, put_hex, put_i64, put_u64};
use super::fields::{Field, each_field};
use super::output::Output;
use super::render::{Render, RenderError, Source, each_row};
use binlog::event::{Event, EventFlags, EventHeader};
use binlog::limits::Limits;
use binlog::row::{Row, RowsEvent, RowsFlags, RowsKind, Table};
use binlog::transaction::Step;
use binlog::value::{Timestamp, double_text};

pub(crate) use self::types::type_text;
pub use self::value::put_value;

/// Of a statement, at most this many bytes are shown unless all are asked for.
const STATEMENT_LEN_MAX: usize = 500;

/// What the lines show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextOptions {
    /// Changed rows too.
    pub rows: bool,
    /// Statements and values whole, however long.
    pub full: bool,
    /// Bounds on what is inflated.
    pub limits: Limits,
}

/// Writes events as text.
#[derive(Debug, Default)]
pub struct TextLines {
    options: TextOptions,
    shapes: Vec<Shape>,
    /// The session of the last statement shown, as far as it was shown.
    session: HashMap<&'static str, Vec<u8>>,
}

impl TextLines {
    /// Begins with no file.
    #[must_use]
    pub fn new(options: TextOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    fn rows<W: Write>(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        rows: &RowsEvent<'_>,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        let indent = indent(step);
        let buffer = out.buffer();
        buffer.extend_from_slice(indent);
        let Some(table) = step.table else {
            buffer.extend_from_slice(b"rows of table id ");
            put_u64(buffer, rows.table_id);
            buffer.extend_from_slice(b", whose table map is not here\n");
            return Ok(());
        };
        put_table_name(buffer, table);
        put_row_flags(buffer, rows.flags);
        buffer.push(b'\n');
        if !self.options.rows {
            return Ok(());
        }
        let flavour = step.format.flavour;
        self.shapes.clear();
        let columns = table.map.columns.iter();
        self.shapes
            .extend(columns.map(|column| Shape::of(column, flavour)));
        let image = Image {
            table,
            shapes: &self.shapes,
            is_full: self.options.full,
        };
        let limits = self.options.limits;
        each_row(source, step, rows, table, &limits, |before, after| {
            let buffer = out.buffer();
            buffer.extend_from_slice(indent);
            image.put_change(buffer, rows.kind, before, after);
            buffer.push(b'\n');
            Ok(out.make_room()?)
        })
    }
}

impl TextLines {
    /// The fields of an event, its statement on lines of its own. Of a statement's session only
    /// what differs from the statement before.
    fn fields(&mut self, out: &mut Vec<u8>, event: &Event<'_>, step: &Step<'_>) {
        let indent = indent(step);
        let is_full = self.options.full;
        let session = &mut self.session;
        let has_session = matches!(
            event,
            Event::Query(_) | Event::QueryCompressed(_) | Event::ExecuteLoadQuery(_)
        );
        let mut is_first = true;
        each_field(event, step.format, &mut |name, field| {
            let start = out.len();
            if name == "statement" {
                if !is_first {
                    out.push(b'\n');
                }
                is_first = false;
                return put_statement(out, field, indent, is_full);
            }
            out.extend_from_slice(if is_first { indent } else { b"  " });
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            let value = out.len();
            put_field(out, field, is_full);
            let shown = out.get(value..).unwrap_or_default();
            let is_zero =
                matches!(field, Field::Number(0)) && matches!(name, "exec_time" | "error_code");
            let is_known = !is_full
                && has_session
                && (is_zero || session.get(name).is_some_and(|last| last == shown));
            if has_session {
                session.insert(name, shown.to_vec());
            }
            if is_known {
                out.truncate(start);
            } else {
                is_first = false;
            }
        });
        if !is_first {
            out.push(b'\n');
        }
    }
}

impl<W: Write> Render<W> for TextLines {
    fn begin(&mut self, source: Source<'_>, out: &mut Output<W>) -> Result<(), RenderError> {
        let buffer = out.buffer();
        buffer.extend_from_slice(b"# ");
        buffer.extend_from_slice(source.label.as_bytes());
        buffer.push(b'\n');
        Ok(())
    }

    fn event(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        let buffer = out.buffer();
        put_header(buffer, step);
        match &step.event {
            Event::Rows(rows) => self.rows(source, step, rows, out)?,
            Event::TableMap(map) => {
                buffer.extend_from_slice(indent(step));
                put_names(buffer, &map.schema, &map.table);
                buffer.extend_from_slice(b" is table id ");
                put_u64(buffer, map.table_id);
                // What is known of the table beside the log is in the one that is kept.
                let map = step.table.map_or(map, |table| &table.map);
                types::put_columns(buffer, map, step.format.flavour);
                buffer.push(b'\n');
            }
            event => self.fields(buffer, event, step),
        }
        Ok(out.make_room()?)
    }

    fn end(&mut self, out: &mut Output<W>) -> Result<(), RenderError> {
        Ok(out.flush()?)
    }
}

/// Appends the rows of an event as comments of SQL.
pub(super) fn put_row_comments<W: Write>(
    source: Source<'_>,
    step: &Step<'_>,
    shapes: &mut Vec<Shape>,
    limits: &Limits,
    out: &mut Output<W>,
) -> Result<(), RenderError> {
    let (Event::Rows(rows), Some(table)) = (&step.event, step.table) else {
        return Ok(());
    };
    shapes.clear();
    let flavour = step.format.flavour;
    shapes.extend(
        table
            .map
            .columns
            .iter()
            .map(|column| Shape::of(column, flavour)),
    );
    let image = Image {
        table,
        shapes,
        is_full: false,
    };
    each_row(source, step, rows, table, limits, |before, after| {
        let buffer = out.buffer();
        buffer.extend_from_slice(b"### ");
        put_table_name(buffer, table);
        image.put_change(buffer, rows.kind, before, after);
        buffer.push(b'\n');
        Ok(out.make_room()?)
    })
}

/// What stands before the lines of an event; inner events of a payload are set off.
const fn indent(step: &Step<'_>) -> &'static [u8] {
    match step.place.inner {
        None => b"    ",
        Some(_) => b"        ",
    }
}

/// `offset-end  time  server id  TYPE  bytes  flags`
fn put_header(out: &mut Vec<u8>, step: &Step<'_>) {
    let header = &step.raw.header;
    if let Some(inner) = step.place.inner {
        out.extend_from_slice(b"    payload+");
        put_u64(out, inner);
    } else {
        put_u64(out, step.place.offset);
        out.push(b'-');
        put_u64(out, step.place.end);
    }
    out.extend_from_slice(b"  ");
    if header.timestamp == 0 {
        out.extend_from_slice(b"(no time)");
    } else {
        let seconds = header.timestamp;
        let moment = Timestamp { seconds, micros: 0 };
        put_datetime(out, moment.to_utc(), 0);
        out.push(b'Z');
    }
    out.extend_from_slice(b"  server ");
    put_u64(out, header.server_id.into());
    out.extend_from_slice(b"  ");
    out.extend_from_slice(header.event_type.label().as_bytes());
    out.extend_from_slice(b"  ");
    put_u64(out, header.event_size.into());
    out.extend_from_slice(b" bytes");
    put_flags(out, header);
    if !step.checksum_ok {
        out.extend_from_slice(b"  WRONG CHECKSUM");
    }
    out.push(b'\n');
}

/// Names of the header's flags.
const FLAGS: [(EventFlags, &str); 8] = [
    (EventFlags::IN_USE, "IN_USE"),
    (EventFlags::THREAD_SPECIFIC, "THREAD_SPECIFIC"),
    (EventFlags::SUPPRESS_USE, "SUPPRESS_USE"),
    (EventFlags::ARTIFICIAL, "ARTIFICIAL"),
    (EventFlags::RELAY_LOG, "RELAY_LOG"),
    (EventFlags::IGNORABLE, "IGNORABLE"),
    (EventFlags::NO_FILTER, "NO_FILTER"),
    (EventFlags(0x8000), "SKIP_REPLICATION"),
];

fn put_flags(out: &mut Vec<u8>, header: &EventHeader) {
    let mut left = header.flags.0;
    for (flag, name) in FLAGS {
        if header.flags.contains(flag) {
            out.extend_from_slice(b"  ");
            out.extend_from_slice(name.as_bytes());
            left &= !flag.0;
        }
    }
    if left != 0 {
        out.extend_from_slice(format!("  flags {left:#06x}").as_bytes());
    }
}

fn put_row_flags(out: &mut Vec<u8>, flags: RowsFlags) {
    let known = [
        (RowsFlags::STATEMENT_END, "end of statement"),
        (RowsFlags::NO_FOREIGN_KEY_CHECKS, "foreign_key_checks=0"),
        (RowsFlags::RELAXED_UNIQUE_CHECKS, "unique_checks=0"),
    ];
    for (flag, words) in known {
        if flags.contains(flag) {
            out.extend_from_slice(b", ");
            out.extend_from_slice(words.as_bytes());
        }
    }
}

fn put_names(out: &mut Vec<u8>, schema: &str, table: &str) {
    put_name(out, schema);
    out.push(b'.');
    put_name(out, table);
}

/// A name on one line, whatever it holds.
fn put_name(out: &mut Vec<u8>, name: &str) {
    let plain = |byte: u8| if byte.is_ascii_control() { b' ' } else { byte };
    out.extend(name.bytes().map(plain));
}

fn put_table_name(out: &mut Vec<u8>, table: &Table) {
    put_names(out, &table.map.schema, &table.map.table);
}

/// Images of one table's rows.
struct Image<'t> {
    table: &'t Table,
    shapes: &'t [Shape],
    is_full: bool,
}

impl Image<'_> {
    /// What happened to one row.
    fn put_change(&self, out: &mut Vec<u8>, kind: RowsKind, before: &Row<'_>, after: &Row<'_>) {
        match kind {
            RowsKind::Write => {
                out.extend_from_slice(b"  INSERT ");
                self.put(out, after, None);
            }
            RowsKind::Delete => {
                out.extend_from_slice(b"  DELETE ");
                self.put(out, before, None);
            }
            RowsKind::Update => {
                out.extend_from_slice(b"  UPDATE ");
                self.put(out, before, None);
                out.extend_from_slice(b" => ");
                self.put(out, after, Some(before));
            }
        }
    }

    /// `name=value, ...`; with `unlike`, only the columns that differ from that image.
    fn put(&self, out: &mut Vec<u8>, row: &Row<'_>, unlike: Option<&Row<'_>>) {
        let columns = self.table.map.columns.iter().zip(self.shapes);
        let mut is_first = true;
        for (index, (value, (column, shape))) in row.iter().zip(columns).enumerate() {
            let Some(value) = value else { continue };
            let other = unlike.and_then(|row| row.get(index)?.as_ref());
            if other == Some(value) {
                continue;
            }
            if !is_first {
                out.extend_from_slice(b", ");
            }
            is_first = false;
            match &column.name {
                Some(name) => put_name(out, name),
                None => {
                    out.push(b'@');
                    put_u64(out, index as u64 + 1);
                }
            }
            out.push(b'=');
            put_value(out, value, *shape, column, self.is_full);
        }
        if is_first {
            out.extend_from_slice(b"(no column)");
        }
    }
}

fn put_statement(out: &mut Vec<u8>, field: Field<'_>, indent: &[u8], is_full: bool) {
    let text = match field {
        Field::Text(text) => text.into(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes),
        _ => return,
    };
    let mut shown = text.as_ref();
    if !is_full && text.len() > STATEMENT_LEN_MAX {
        shown = text
            .get(..text.floor_char_boundary(STATEMENT_LEN_MAX))
            .unwrap_or_default();
    }
    for (index, line) in shown.lines().enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(indent);
        out.extend(line.bytes().map(|byte| {
            if byte.is_ascii_control() && byte != b'\t' {
                b' '
            } else {
                byte
            }
        }));
    }
    if shown.len() < text.len() {
        out.extend_from_slice(b" ... (");
        put_u64(out, text.len() as u64);
        out.extend_from_slice(b" bytes)");
    }
}

fn put_field(out: &mut Vec<u8>, field: Field<'_>, is_full: bool) {
    match field {
        Field::Null => out.extend_from_slice(b"ANONYMOUS"),
        Field::Number(value) => put_u64(out, value),
        Field::Signed(value) => put_i64(out, value),
        Field::Double(value) => out.extend_from_slice(double_text(value).as_bytes()),
        Field::Flag(value) => out.extend_from_slice(if value { b"ON" } else { b"OFF" }),
        Field::Text(text) => value::put_text(out, text, is_full),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => value::put_text(out, text, is_full),
            Err(_) => value::put_bytes(out, bytes, is_full),
        },
        Field::Hex(bytes) if bytes.len() <= 64 || is_full => {
            out.extend_from_slice(b"0x");
            put_hex(out, bytes);
        }
        Field::Hex(bytes) => value::put_bytes(out, bytes, is_full),
        Field::Texts(texts) => {
            for (index, text) in texts.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
}
