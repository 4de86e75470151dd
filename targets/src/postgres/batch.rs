//! Rows that reach PostgreSQL together: changes of one kind of one table, in one statement.

use std::collections::HashSet;
use std::sync::Arc;

use binlog::row::RowsKind;
use engine::catalog::Table;

use super::link::{Link, Texts};
use super::names::{quoted, table_name};
use super::types::cast_name;

/// Rows from which COPY is worth its second round trip.
const COPY_MIN: usize = 32;

/// Rows and bytes of a statement.
const ROWS_MAX: usize = 5000;
const BYTES_MAX: usize = 4 << 20;

/// Changes of one kind of one table that are not sent.
pub(super) struct Batch {
    kind: RowsKind,
    table: Arc<Table>,
    /// Positions of the columns that find a row.
    key: Vec<usize>,
    /// Positions of the columns that are given values.
    set: Vec<usize>,
    /// The key's columns, then those that are set.
    columns: Vec<Texts>,
    keys: HashSet<String>,
    rows: usize,
    bytes: usize,
}

/// A row: its key and what is set, as texts.
pub(super) struct BatchRow {
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
    pub(super) fn new(
        kind: RowsKind,
        table: &Arc<Table>,
        key: Vec<usize>,
        set: Vec<usize>,
    ) -> Self {
        let columns = key.iter().chain(&set).map(|_| Texts::new()).collect();
        Self {
            kind,
            table: Arc::clone(table),
            key,
            set,
            columns,
            keys: HashSet::new(),
            rows: 0,
            bytes: 0,
        }
    }

    pub(super) const fn kind(&self) -> RowsKind {
        self.kind
    }

    pub(super) const fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Whether such a change can share a statement with these.
    pub(super) fn takes(
        &self,
        kind: RowsKind,
        table: &Arc<Table>,
        key: &[usize],
        set: &[usize],
        row: &BatchRow,
    ) -> bool {
        self.kind == kind
            && Arc::ptr_eq(&self.table, table)
            && self.key == key
            && self.set == set
            // One statement changes a row once.
            && (kind == RowsKind::Write || !self.keys.contains(&joined(&row.key)))
    }

    /// Whether the statement is large enough.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes >= BYTES_MAX || (self.rows >= ROWS_MAX && !matches!(self.kind, RowsKind::Write))
    }

    pub(super) fn push(&mut self, row: BatchRow) {
        if self.kind != RowsKind::Write {
            self.keys.insert(joined(&row.key));
        }
        let texts = row.key.into_iter().chain(row.set);
        for (column, text) in self.columns.iter_mut().zip(texts) {
            let len = text.as_ref().map_or(1, String::len);
            self.bytes = self.bytes.saturating_add(len).saturating_add(24);
            column.push(text);
        }
        self.rows = self.rows.saturating_add(1);
    }

    /// Sends it; how many bytes it had.
    pub(super) fn send(self, link: &mut Link) -> Result<usize, BatchFailure> {
        let (rows, bytes) = (self.rows, self.bytes);
        let is_copied = self.kind == RowsKind::Write && rows >= COPY_MIN && !self.set.is_empty();
        let done = match is_copied {
            true => link.copy(&self.copy_sql(), self.copied())?,
            false => link.execute_columns(&self.sql(), self.columns)?,
        };
        match usize::try_from(done) == Ok(rows) {
            true => Ok(bytes),
            false => Err(BatchFailure::Missing),
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

fn joined(key: &[Option<String>]) -> String {
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
    for byte in value.bytes() {
        match byte {
            b'\\' => text.extend(b"\\\\"),
            b'\n' => text.extend(b"\\n"),
            b'\r' => text.extend(b"\\r"),
            b'\t' => text.extend(b"\\t"),
            other => text.push(other),
        }
    }
}
