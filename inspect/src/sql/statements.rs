//! Row events as INSERT, UPDATE and DELETE.
//!
//! A changed row is found by its primary key where the log names it, else by every column of its
//! before image, byte for byte, and then one row at most is changed.

use std::collections::HashSet;
use std::io::Write;

use super::literal::{put_identifier, put_value};
use super::session::Session;
use super::{DELIMITER, put_place};
use crate::cell::Shape;
use crate::output::Output;
use crate::render::{RenderError, Source, each_row, refused};
use binlog::event::Event;
use binlog::limits::Limits;
use binlog::row::{Column, ColumnType, Row, RowsEvent, RowsFlags, RowsKind, Table};
use binlog::transaction::Step;
use binlog::value::{Value, json};

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
    targets: Vec<Target>,
}

/// What a statement must know of one column.
#[derive(Debug, Clone, Copy)]
struct Target {
    shape: Shape,
    is_generated: bool,
    /// Part of the primary key.
    is_key: bool,
}

impl Statements {
    pub(super) fn new(generated: Generated) -> Self {
        Self {
            generated,
            targets: Vec::new(),
        }
    }

    /// Appends the statements of one row event.
    pub(super) fn rows<W: Write>(
        &mut self,
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
        self.learn(source, step, table)?;
        let buffer = out.buffer();
        put_place(buffer, step);
        session.enter_rows(buffer);
        let flags = rows.flags;
        session.row_checks(
            !flags.contains(RowsFlags::NO_FOREIGN_KEY_CHECKS),
            !flags.contains(RowsFlags::RELAXED_UNIQUE_CHECKS),
            buffer,
        );
        let writer = RowWriter {
            table,
            targets: &self.targets,
            is_keyed: self.targets.iter().any(|target| target.is_key),
        };
        if rows.kind == RowsKind::Write {
            return writer.inserts(source, step, rows, limits, out);
        }
        each_row(source, step, rows, table, limits, |before, after| {
            let buffer = out.buffer();
            let start = buffer.len();
            let done = match rows.kind {
                RowsKind::Update => writer.update(buffer, before, after),
                _ => writer.delete(buffer, before),
            };
            done.map_err(|column| {
                // A client must not meet half a statement.
                buffer.truncate(start);
                inexpressible(source, step, table, column)
            })?;
            Ok(out.make_room()?)
        })
    }

    fn learn(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        table: &Table,
    ) -> Result<(), RenderError> {
        let map = &table.map;
        if map.columns.iter().any(|column| column.name.is_none()) {
            let reason = format!(
                "the columns of {} have no names: log with binlog_row_metadata=FULL, or give a \
                 schema file",
                table.full_name()
            );
            return Err(refused(source, step, reason));
        }
        let key = map.primary_key.as_deref().unwrap_or_default();
        let declared = table.snapshot.as_ref();
        self.targets.clear();
        for (index, column) in map.columns.iter().enumerate() {
            let is_declared = declared
                .and_then(|snapshot| snapshot.columns.get(index))
                .is_some_and(|column| column.generated);
            let name = column.name.as_deref().unwrap_or_default();
            let is_named = !self.generated.is_empty()
                && self
                    .generated
                    .contains(&format!("{}.{}.{name}", map.schema, map.table));
            self.targets.push(Target {
                shape: Shape::of(column, step.format.flavour),
                is_generated: is_declared || is_named,
                is_key: key.iter().any(|(part, _)| *part == index),
            });
        }
        Ok(())
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

struct RowWriter<'t> {
    table: &'t Table,
    targets: &'t [Target],
    is_keyed: bool,
}

/// The column whose value no literal stands for.
type Inexpressible = usize;

impl RowWriter<'_> {
    fn put_table(&self, out: &mut Vec<u8>) {
        put_identifier(out, &self.table.map.schema);
        out.push(b'.');
        put_identifier(out, &self.table.map.table);
    }

    fn columns<'r>(
        &'r self,
        row: &'r Row<'_>,
    ) -> impl Iterator<Item = (usize, &'r Column<'static>, Target, &'r Value<'r>)> {
        let columns = self.table.map.columns.iter().zip(self.targets);
        let cells = row.iter().zip(columns).enumerate();
        cells.filter_map(|(index, (value, (column, target)))| {
            Some((index, column, *target, value.as_ref()?))
        })
    }

    /// One statement for as many rows as it may hold.
    fn inserts<W: Write>(
        &self,
        source: Source<'_>,
        step: &Step<'_>,
        rows: &RowsEvent<'_>,
        limits: &Limits,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        let (mut count, mut len) = (0, 0);
        each_row(source, step, rows, self.table, limits, |_, after| {
            let buffer = out.buffer();
            if count >= INSERT_ROWS_MAX || len >= INSERT_LEN_MAX {
                end(buffer);
                (count, len) = (0, 0);
            }
            if count == 0 {
                self.begin_insert(buffer, after);
            } else {
                buffer.extend_from_slice(b",\n  ");
            }
            let start = buffer.len();
            self.values(buffer, after)
                .map_err(|column| inexpressible(source, step, self.table, column))?;
            len += buffer.len().saturating_sub(start);
            count += 1;
            Ok(out.make_room()?)
        })?;
        if count > 0 {
            end(out.buffer());
        }
        Ok(())
    }

    fn begin_insert(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        out.extend_from_slice(b"INSERT INTO ");
        self.put_table(out);
        out.extend_from_slice(b" (");
        let mut is_first = true;
        for (_, column, target, _) in self.columns(row) {
            if target.is_generated {
                continue;
            }
            separate(out, &mut is_first, b", ");
            put_identifier(out, column.name.as_deref().unwrap_or_default());
        }
        out.extend_from_slice(b") VALUES\n  ");
    }

    fn values(&self, out: &mut Vec<u8>, row: &Row<'_>) -> Result<(), Inexpressible> {
        out.push(b'(');
        let mut is_first = true;
        for (index, _, target, value) in self.columns(row) {
            if target.is_generated {
                continue;
            }
            separate(out, &mut is_first, b", ");
            if !put_value(out, value, target.shape) {
                return Err(index);
            }
        }
        out.push(b')');
        Ok(())
    }

    fn update(
        &self,
        out: &mut Vec<u8>,
        before: &Row<'_>,
        after: &Row<'_>,
    ) -> Result<(), Inexpressible> {
        let was = |index: usize| before.get(index).and_then(Option::as_ref);
        let is_changed = |index: usize, value: &Value<'_>| {
            !was(index).is_some_and(|was| is_same(was, value))
                && !matches!(value, Value::JsonDiffs(diffs) if diffs.is_empty())
        };
        let start = out.len();
        out.extend_from_slice(b"UPDATE ");
        self.put_table(out);
        out.extend_from_slice(b" SET ");
        let mut is_first = true;
        for (index, column, target, value) in self.columns(after) {
            if target.is_generated || !is_changed(index, value) {
                continue;
            }
            separate(out, &mut is_first, b", ");
            put_identifier(out, column.name.as_deref().unwrap_or_default());
            out.push(b'=');
            let whole = whole_json(was(index), value);
            if !put_value(out, whole.as_ref().unwrap_or(value), target.shape) {
                return Err(index);
            }
        }
        if is_first {
            // The log has the row, but nothing about it changed.
            out.truncate(start);
            return Ok(());
        }
        self.keep_moments(out, before, after);
        self.condition(out, before)
    }

    /// Columns that the server might set to now by itself keep their value.
    fn keep_moments(&self, out: &mut Vec<u8>, before: &Row<'_>, after: &Row<'_>) {
        let columns = self.table.map.columns.iter().zip(self.targets);
        for (index, (column, target)) in columns.enumerate() {
            let is_moment = matches!(
                column.real_type(),
                ColumnType::TIMESTAMP
                    | ColumnType::TIMESTAMP2
                    | ColumnType::DATETIME
                    | ColumnType::DATETIME2
            );
            let now = after.get(index).and_then(Option::as_ref);
            let was = before.get(index).and_then(Option::as_ref);
            if is_moment && !target.is_generated && (now.is_none() || now == was) {
                let name = column.name.as_deref().unwrap_or_default();
                out.extend_from_slice(b", ");
                put_identifier(out, name);
                out.push(b'=');
                put_identifier(out, name);
            }
        }
    }

    fn delete(&self, out: &mut Vec<u8>, before: &Row<'_>) -> Result<(), Inexpressible> {
        out.extend_from_slice(b"DELETE FROM ");
        self.put_table(out);
        self.condition(out, before)
    }

    fn condition(&self, out: &mut Vec<u8>, before: &Row<'_>) -> Result<(), Inexpressible> {
        out.extend_from_slice(b" WHERE ");
        let mut is_first = true;
        for (index, column, target, value) in self.columns(before) {
            if target.is_key || !self.is_keyed {
                separate(out, &mut is_first, b" AND ");
                if !put_comparison(out, column, target, value, self.is_keyed) {
                    return Err(index);
                }
            }
        }
        if !self.is_keyed {
            out.extend_from_slice(b" LIMIT 1");
        }
        end(out);
        Ok(())
    }
}

/// `column=value`; without a key `<=>`, and bytes where a collation could take others for equal.
fn put_comparison(
    out: &mut Vec<u8>,
    column: &Column<'_>,
    target: Target,
    value: &Value<'_>,
    is_keyed: bool,
) -> bool {
    let name = column.name.as_deref().unwrap_or_default();
    if is_keyed {
        put_identifier(out, name);
        out.push(b'=');
        return put_value(out, value, target.shape);
    }
    let (cast, shape): (&[u8], Shape) = match value {
        Value::Bytes(_) => (b"CAST(", Shape::Bytes),
        Value::Enum(_) | Value::Set(_) | Value::Bit(_) => (b"(", target.shape),
        _ => (b"", target.shape),
    };
    out.extend_from_slice(cast);
    put_identifier(out, name);
    out.extend_from_slice(match value {
        Value::Bytes(_) => b" AS BINARY)",
        Value::Enum(_) | Value::Set(_) | Value::Bit(_) => b"+0)",
        _ => b"".as_slice(),
    });
    out.extend_from_slice(b"<=>");
    put_value(out, value, shape)
}

/// The document that a partial update leads to.
fn whole_json(before: Option<&Value<'_>>, value: &Value<'_>) -> Option<Value<'static>> {
    let (Some(Value::Json(before)), Value::JsonDiffs(diffs)) = (before, value) else {
        return None;
    };
    let whole = json::apply_diffs(before, diffs).ok()?;
    Some(Value::Json(whole.into()))
}

/// Whether both are stored as the same bytes: a negative zero equals zero, but is another value.
fn is_same(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.to_bits() == right.to_bits(),
        (Value::Double(left), Value::Double(right)) => left.to_bits() == right.to_bits(),
        _ => left == right,
    }
}

fn separate(out: &mut Vec<u8>, is_first: &mut bool, separator: &[u8]) {
    if !std::mem::take(is_first) {
        out.extend_from_slice(separator);
    }
}

/// The delimiter may occur in names and text: the client does not look for it inside of quotes.
fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(DELIMITER);
    out.push(b'\n');
}
