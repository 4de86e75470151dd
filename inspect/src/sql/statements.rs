//! Row events as INSERT, UPDATE and DELETE.

use std::collections::HashSet;
use std::io::Write;

use super::row::{Find, RowSql};
use super::session::Session;
use super::{DELIMITER, put_place};
use crate::output::Output;
use crate::render::{RenderError, Source, each_row, refused};
use binlog::event::Event;
use binlog::limits::Limits;
use binlog::row::{RowsEvent, RowsFlags, RowsKind, Table};
use binlog::transaction::Step;

/// Columns that the server computes, by `schema.table.column`.
pub type Generated = HashSet<String>;

/// Rows in one INSERT.
const INSERT_ROWS_MAX: usize = 1000;

/// Bytes of one INSERT, unless a single row is larger.
const INSERT_LEN_MAX: usize = 1 << 20;

/// Writes rows as statements.
#[derive(Debug, Default)]
pub(super) struct Statements {
    generated: Generated,
}

impl Statements {
    pub(super) fn new(generated: Generated) -> Self {
        Self { generated }
    }

    /// Appends the statements of one row event.
    pub(super) fn rows<W: Write>(
        &self,
        source: Source<'_>,
        step: &Step<'_>,
        session: &mut Session,
        limits: &Limits,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        let Event::Rows(rows) = &step.event else {
            return Ok(());
        };
        let Some(table) = step.table else {
            let reason = format!("rows of table id {} without a table map", rows.table_id);
            return Err(refused(source, step, reason));
        };
        let writer = RowSql::new(table, step.format.flavour, &self.generated)
            .map_err(|error| refused(source, step, error.to_string()))?;
        let buffer = out.buffer();
        put_place(buffer, step);
        session.enter_rows(buffer);
        let flags = rows.flags;
        session.row_checks(
            !flags.contains(RowsFlags::NO_FOREIGN_KEY_CHECKS),
            !flags.contains(RowsFlags::RELAXED_UNIQUE_CHECKS),
            buffer,
        );
        if rows.kind == RowsKind::Write {
            return inserts(&writer, source, step, rows, table, limits, out);
        }
        each_row(source, step, rows, table, limits, |before, after| {
            let buffer = out.buffer();
            let start = buffer.len();
            let done = match rows.kind {
                RowsKind::Update => writer.update(buffer, before, after, Find::Key),
                _ => writer.delete(buffer, before, Find::Key).map(|()| true),
            };
            let is_statement = done.map_err(|column| {
                // A client must not meet half a statement.
                buffer.truncate(start);
                inexpressible(source, step, table, column)
            })?;
            if is_statement {
                end(buffer);
            }
            Ok(out.make_room()?)
        })
    }
}

fn inexpressible(source: Source<'_>, step: &Step<'_>, table: &Table, column: usize) -> RenderError {
    let name = table.map.columns.get(column);
    let name = name
        .and_then(|column| column.name.as_deref())
        .unwrap_or("?");
    let reason = format!(
        "the value of {}.{name} cannot be written as a literal: a partial JSON update without the \
         document before it, or damaged JSON",
        table.full_name()
    );
    refused(source, step, reason)
}

/// One statement for as many rows as it may hold.
fn inserts<W: Write>(
    writer: &RowSql<'_>,
    source: Source<'_>,
    step: &Step<'_>,
    rows: &RowsEvent<'_>,
    table: &Table,
    limits: &Limits,
    out: &mut Output<W>,
) -> Result<(), RenderError> {
    let (mut count, mut len) = (0, 0);
    each_row(source, step, rows, table, limits, |_, after| {
        let buffer = out.buffer();
        if count >= INSERT_ROWS_MAX || len >= INSERT_LEN_MAX {
            end(buffer);
            (count, len) = (0, 0);
        }
        if count == 0 {
            writer.begin_insert(buffer, after);
        } else {
            buffer.extend_from_slice(b",\n  ");
        }
        let start = buffer.len();
        writer
            .values(buffer, after)
            .map_err(|column| inexpressible(source, step, table, column))?;
        len += buffer.len().saturating_sub(start);
        count += 1;
        Ok(out.make_room()?)
    })?;
    if count > 0 {
        end(out.buffer());
    }
    Ok(())
}

/// The delimiter may occur in names and text: the client does not look for it inside of quotes.
fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(DELIMITER);
    out.push(b'\n');
}
