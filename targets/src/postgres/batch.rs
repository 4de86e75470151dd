//! Rows that reach PostgreSQL together: changes of one kind of one table, in one statement.
//!
//! Changes of different rows may change places where nothing but their key tells rows apart, so that the
//! changes of many transactions make few statements. Where there is another unique key, or none, they keep
//! their order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use binlog::row::RowsKind;
use engine::catalog::Table;
use sqlx::PgConnection;

use super::link::{self, Link, Texts};
use super::names::{quoted, table_name};
use super::types::cast_name;

/// Rows from which COPY is worth its second round trip.
const COPY_MIN: usize = 32;

/// Rows and bytes that are held.
const ROWS_MAX: usize = 20_000;
const BYTES_MAX: usize = 4 << 20;

/// The changes that are not sent.
#[derive(Default)]
pub(super) struct Batches {
    /// In the order in which they are sent.
    open: Vec<Batch>,
    /// The keys of the rows that they change, by the table's number.
    touched: HashMap<u64, HashSet<String>>,
    rows: usize,
    bytes: usize,
}

/// A batch that failed: what it was to do, and why.
pub(super) type Failed = (RowsKind, Arc<Table>, BatchFailure);

impl Batches {
    /// Forgets them.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether they are enough for now.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes >= BYTES_MAX || self.rows >= ROWS_MAX
    }

    /// Whether a change of this row has to wait until they are sent. `is_free` says that only its key tells
    /// a row of the table from others.
    pub(super) fn must_wait(&self, shape: &Shape<'_>, row: &BatchRow, is_free: bool) -> bool {
        let Shape { table, .. } = shape;
        let touched = self.touched.get(&table.id.0);
        let is_touched = || touched.is_some_and(|touched| touched.contains(&row.id));
        match is_free {
            true => is_touched(),
            false => self.open.iter().any(|batch| {
                let takes = batch.takes(shape);
                batch.table.id == table.id
                    && (!takes || (shape.kind != RowsKind::Write && is_touched()))
            }),
        }
    }

    /// Adds a change.
    pub(super) fn push(&mut self, shape: Shape<'_>, mut row: BatchRow) {
        let at = self.open.iter().position(|batch| batch.takes(&shape));
        let id = std::mem::take(&mut row.id);
        let id_len = id.len();
        if id_len > 0 {
            let touched = self.touched.entry(shape.table.id.0).or_default();
            touched.insert(id);
        }
        let bytes = match at.and_then(|at| self.open.get_mut(at)) {
            Some(batch) => batch.push(row),
            None => {
                let mut batch = Batch::new(shape);
                let bytes = batch.push(row);
                self.open.push(batch);
                bytes
            }
        };
        self.rows = self.rows.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(id_len);
    }

    /// Begins to send all; how many bytes they have.
    pub(super) fn send(&mut self, link: &mut Link) -> Result<usize, Failed> {
        let all = std::mem::take(self);
        link.begin(all.open)?;
        Ok(all.bytes)
    }
}

/// What the statement of a change looks like.
pub(super) struct Shape<'t> {
    pub(super) kind: RowsKind,
    pub(super) table: &'t Arc<Table>,
    /// Positions of the columns that find a row; none of a new one.
    pub(super) key: Vec<usize>,
    /// Positions of the columns that are given values.
    pub(super) set: Vec<usize>,
}

/// Changes of one kind of one table that are sent together.
pub(super) struct Batch {
    kind: RowsKind,
    table: Arc<Table>,
    /// Positions of the columns that find a row.
    key: Vec<usize>,
    /// Positions of the columns that are given values.
    set: Vec<usize>,
    /// The key's columns, then those that are set.
    columns: Vec<Texts>,
    rows: usize,
    bytes: usize,
}

/// A row: its key and what is set, as texts.
pub(super) struct BatchRow {
    /// Which row it is, of those of its table; empty if nothing says.
    pub(super) id: String,
    pub(super) key: Vec<Option<String>>,
    pub(super) set: Vec<Option<String>>,
}

/// A batch did not do what it should have.
pub(super) enum BatchFailure {
    /// Fewer rows were there than it was to change.
    Missing,
    /// What PostgreSQL answered.
    Answer(sqlx::Error),
}

impl From<sqlx::Error> for BatchFailure {
    fn from(error: sqlx::Error) -> Self {
        Self::Answer(error)
    }
}

impl Batch {
    fn new(shape: Shape<'_>) -> Self {
        let columns = shape.key.iter().chain(&shape.set);
        Self {
            columns: columns.map(|_| Texts::new()).collect(),
            kind: shape.kind,
            table: Arc::clone(shape.table),
            key: shape.key,
            set: shape.set,
            rows: 0,
            bytes: 0,
        }
    }

    /// Whether such a change is one of these.
    fn takes(&self, shape: &Shape<'_>) -> bool {
        self.kind == shape.kind
            && Arc::ptr_eq(&self.table, shape.table)
            && self.key == shape.key
            && self.set == shape.set
    }

    /// Adds a row; how many bytes it takes.
    fn push(&mut self, row: BatchRow) -> usize {
        let mut bytes = 0_usize;
        let texts = row.key.into_iter().chain(row.set);
        for (column, text) in self.columns.iter_mut().zip(texts) {
            let len = text.as_ref().map_or(1, String::len);
            bytes = bytes.saturating_add(len).saturating_add(24);
            column.push(text);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.rows = self.rows.saturating_add(1);
        bytes
    }

    /// What it is to do.
    pub(super) fn what(&self) -> (RowsKind, Arc<Table>) {
        (self.kind, Arc::clone(&self.table))
    }

    /// Sends it, and looks whether it did what it should.
    pub(super) async fn send(self, connection: &mut PgConnection) -> Result<(), Failed> {
        let ((kind, table), rows) = (self.what(), self.rows);
        let is_copied = kind == RowsKind::Write && rows >= COPY_MIN && !self.set.is_empty();
        let done = match is_copied {
            true => link::copy(connection, &self.copy_sql(), self.copied()).await,
            false => link::execute_columns(connection, &self.sql(), self.columns).await,
        };
        match done {
            Ok(done) if usize::try_from(done) == Ok(rows) => Ok(()),
            Ok(_) => Err((kind, table, BatchFailure::Missing)),
            Err(error) => Err((kind, table, error.into())),
        }
    }

    fn name(&self, position: usize) -> String {
        let column = self.table.columns.get(position);
        column.map_or_else(String::new, |column| quoted(&column.name))
    }

    fn copy_sql(&self) -> String {
        let names = self.set.iter().map(|at| self.name(*at));
        let names: Vec<String> = names.collect();
        format!(
            "COPY {} ({}) FROM STDIN",
            table_name(&self.table),
            names.join(", ")
        )
    }

    fn copied(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.bytes);
        let mut columns: Vec<_> = self.columns.iter().map(|column| column.iter()).collect();
        for _ in 0..self.rows {
            for (at, column) in columns.iter_mut().enumerate() {
                if at > 0 {
                    text.push(b'\t');
                }
                match column.next() {
                    Some(Some(value)) => escape(value, &mut text),
                    Some(None) | None => text.extend(b"\\N"),
                }
            }
            text.push(b'\n');
        }
        text
    }

    /// The statement, with a parameter for each column. Its text is that of all batches of its kind.
    fn sql(&self) -> String {
        let all = self.key.iter().chain(&self.set);
        let cast = |at: &usize| {
            let column = self.table.columns.get(*at);
            column.map_or("text", |column| cast_name(&column.column_type))
        };
        let casts = all.clone().enumerate();
        let casts = casts.map(|(index, at)| format!("u.c{index}::{} AS c{index}", cast(at)));
        let casts: Vec<String> = casts.collect();
        let count = casts.len();
        let arrays: Vec<String> = (1..=count).map(|at| format!("${at}::text[]")).collect();
        let aliases: Vec<String> = (0..count).map(|at| format!("c{at}")).collect();
        let rows = format!(
            "SELECT {} FROM unnest({}) AS u({})",
            casts.join(", "),
            arrays.join(", "),
            aliases.join(", ")
        );
        let table = table_name(&self.table);
        let set = || self.set.iter().enumerate();
        let first = self.key.len();
        match self.kind {
            RowsKind::Write => {
                let names: Vec<String> = self.set.iter().map(|at| self.name(*at)).collect();
                format!("INSERT INTO {table} ({}) {rows}", names.join(", "))
            }
            RowsKind::Update => {
                let set = set().map(|(index, at)| {
                    let value = index.saturating_add(first);
                    format!("{} = v.c{value}", self.name(*at))
                });
                let set: Vec<String> = set.collect();
                format!(
                    "UPDATE {table} AS t SET {} FROM ({rows}) AS v WHERE {}",
                    set.join(", "),
                    self.found()
                )
            }
            RowsKind::Delete => format!(
                "DELETE FROM {table} AS t USING ({rows}) AS v WHERE {}",
                self.found()
            ),
        }
    }

    fn found(&self) -> String {
        let key = self.key.iter().enumerate();
        let equal = key.map(|(index, at)| format!("t.{} = v.c{index}", self.name(*at)));
        equal.collect::<Vec<_>>().join(" AND ")
    }
}

/// A key, as one text that no other key has.
pub(super) fn joined(key: &[Option<String>]) -> String {
    let mut joined = String::new();
    for part in key {
        let part = part.as_deref().unwrap_or_default();
        joined.push_str(&part.len().to_string());
        joined.push(':');
        joined.push_str(part);
    }
    joined
}

/// A value in the text form of COPY.
fn escape(value: &str, text: &mut Vec<u8>) {
    let is_special = |byte: &u8| matches!(byte, b'\\' | b'\n' | b'\r' | b'\t');
    for part in value.as_bytes().split_inclusive(is_special) {
        let (plain, escaped): (_, &[u8]) = match part.split_last() {
            Some((b'\\', plain)) => (plain, b"\\\\"),
            Some((b'\n', plain)) => (plain, b"\\n"),
            Some((b'\r', plain)) => (plain, b"\\r"),
            Some((b'\t', plain)) => (plain, b"\\t"),
            _ => (part, b""),
        };
        text.extend_from_slice(plain);
        text.extend_from_slice(escaped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_divides_rows_and_columns_is_escaped() {
        let mut text = Vec::new();
        escape("a\tb\\\n\n\r", &mut text);
        escape("", &mut text);
        escape("tail", &mut text);
        assert_eq!(text, b"a\\tb\\\\\\n\\n\\rtail");
    }
}
