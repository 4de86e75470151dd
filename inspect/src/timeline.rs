//! What happened when: transactions and rows by span of time, table and kind, with what stands out.
//!
//! An accident is seldom the largest number of a day; it is one transaction that changes far more rows
//! of a table than transactions of its kind do. Each line therefore keeps its largest transaction, and
//! is marked when that is out of proportion to the others of the same table and kind.

use std::collections::{BTreeMap, HashMap};

use binlog::event::Event;
use binlog::limits::Limits;
use binlog::row::RowsKind;
use binlog::transaction::{Boundary, StatementKind, Step, TransactionGtid};
use codec::DecodeError;

use crate::stats::count_rows;

/// What was done to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Rows came.
    Insert,
    /// Rows were changed.
    Update,
    /// Rows went.
    Delete,
    /// A statement, DDL above all; its table is the database it ran in.
    Statement,
    /// The log lacks changes that its server made; in the place of a table are that server's words.
    Incident,
}

impl Kind {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Statement => "statement",
            Self::Incident => "incident",
        }
    }

    const fn of(kind: RowsKind) -> Self {
        match kind {
            RowsKind::Write => Self::Insert,
            RowsKind::Update => Self::Update,
            RowsKind::Delete => Self::Delete,
        }
    }
}

/// The transaction of a line with the most rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Largest {
    /// Its rows of this table and kind.
    pub rows: u64,
    /// Its identifier.
    pub gtid: TransactionGtid,
    /// The file it begins in.
    pub file: String,
    /// Where, in bytes.
    pub offset: u64,
}

/// One span of time, table and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Start of the span, in seconds since 1970.
    pub from: u64,
    /// `database.table`, the database of statements, or the words of an incident.
    pub table: String,
    /// What was done.
    pub kind: Kind,
    /// Transactions that did it.
    pub transactions: u64,
    /// Rows, or statements.
    pub rows: u64,
    /// The transaction with the most of them.
    pub largest: Largest,
    /// Whether that one is out of proportion, as an incident always is.
    pub is_outlier: bool,
}

/// Rows of one transaction below which it never stands out.
const NOTABLE: u64 = 100;
/// How many times the usual it takes to stand out.
const TIMES: u64 = 10;
/// Letters of an incident's words that are kept.
const WORDS_MAX: usize = 64;
/// Lines that are told apart: a log must not fill the memory with names.
const LINES_MAX: usize = 1 << 20;

type Key = (u64, String, Kind);

/// Collects lines.
#[derive(Debug)]
pub struct Timeline {
    /// Length of a span, in seconds.
    span: u64,
    lines: BTreeMap<Key, Line>,
    /// Sizes of transactions by table and kind: how many of each power of two.
    usual: HashMap<(String, Kind), [u64; 64]>,
    open: HashMap<(String, Kind), u64>,
    /// Transactions that found no more room.
    pub left_out: u64,
    /// Pieces of rows (MariaDB's PARTIAL_ROW_DATA), whose tables cannot be told apart.
    pub pieces: u64,
}

impl Timeline {
    /// With spans of this many seconds.
    #[must_use]
    pub fn new(span: u64) -> Self {
        Self {
            span: span.max(1),
            lines: BTreeMap::new(),
            usual: HashMap::new(),
            open: HashMap::new(),
            left_out: 0,
            pieces: 0,
        }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// When its rows cannot be told apart.
    pub fn step(&mut self, step: &Step<'_>, limits: &Limits) -> Result<(), DecodeError> {
        match &step.event {
            Event::Rows(rows) => {
                if let Some(table) = step.table {
                    let count = count_rows(rows, table, limits)?;
                    let name = format!("{}.{}", table.map.schema, table.map.table);
                    self.note(name, Kind::of(rows.kind), count);
                }
            }
            Event::Query(query) => self.statement(&query.schema, &query.sql),
            Event::QueryCompressed(query) => {
                let query = query.inflate(limits)?;
                self.statement(&query.schema, &query.sql);
            }
            Event::ExecuteLoadQuery(load) => self.statement(&load.query.schema, &load.query.sql),
            Event::Load(load) => {
                let schema = String::from_utf8_lossy(load.schema).into_owned();
                self.note(schema, Kind::Statement, 1);
            }
            Event::Incident(incident) => self.incident(step, incident.message),
            Event::PartialRowData(_) => self.pieces = self.pieces.saturating_add(1),
            // What stands around changes, the pieces of a file that is loaded, and payloads, which were
            // opened by the reader.
            _ => {}
        }
        if matches!(step.boundary, Boundary::End { .. }) {
            self.end(step);
        }
        Ok(())
    }

    fn statement(&mut self, schema: &[u8], sql: &[u8]) {
        if !StatementKind::of(sql).is_control() {
            let schema = String::from_utf8_lossy(schema).into_owned();
            self.note(schema, Kind::Statement, 1);
        }
    }

    /// It stands between transactions as well as in one.
    fn incident(&mut self, step: &Step<'_>, message: &[u8]) {
        let seconds = u64::from(step.raw.header.timestamp);
        let words = String::from_utf8_lossy(message);
        let words = words.chars().take(WORDS_MAX).map(|letter| match letter {
            letter if letter.is_control() => ' ',
            letter => letter,
        });
        let largest = Largest {
            rows: 1,
            gtid: step
                .transaction
                .map_or(TransactionGtid::None, |transaction| transaction.gtid),
            file: step.file.to_string(),
            offset: step.place.offset,
        };
        self.add(
            seconds - seconds % self.span,
            words.collect(),
            Kind::Incident,
            largest,
        );
    }

    fn note(&mut self, table: String, kind: Kind, rows: u64) {
        let open = self.open.entry((table, kind)).or_default();
        *open = open.saturating_add(rows);
    }

    fn end(&mut self, step: &Step<'_>) {
        let Some(transaction) = step.transaction else {
            return self.open.clear();
        };
        let seconds = transaction.commit_timestamps.map_or_else(
            || u64::from(transaction.timestamp),
            |at| at.original / 1_000_000,
        );
        let from = seconds - seconds % self.span;
        for ((table, kind), rows) in std::mem::take(&mut self.open) {
            let largest = Largest {
                rows,
                gtid: transaction.gtid,
                file: step.file.to_string(),
                offset: transaction.start.offset,
            };
            self.add(from, table, kind, largest);
        }
    }

    fn add(&mut self, from: u64, table: String, kind: Kind, largest: Largest) {
        let key = (from, table.clone(), kind);
        if self.lines.len() >= LINES_MAX && !self.lines.contains_key(&key) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let sizes = self.usual.entry((table.clone(), kind)).or_insert([0; 64]);
        if let Some(size) = sizes.get_mut(power(largest.rows)) {
            *size = size.saturating_add(1);
        }
        let line = self.lines.entry(key).or_insert_with(|| Line {
            from,
            table,
            kind,
            transactions: 0,
            rows: 0,
            largest: largest.clone(),
            is_outlier: false,
        });
        line.transactions = line.transactions.saturating_add(1);
        line.rows = line.rows.saturating_add(largest.rows);
        if line.largest.rows < largest.rows {
            line.largest = largest;
        }
    }

    /// The lines in the order of time, table and kind, those that stand out marked.
    #[must_use]
    pub fn finish(self) -> Vec<Line> {
        let Self { lines, usual, .. } = self;
        let mark = |mut line: Line| {
            let sizes = usual.get(&(line.table.clone(), line.kind));
            let usual = sizes.map_or(0, |sizes| median_without(sizes, line.largest.rows));
            line.is_outlier = match line.kind {
                Kind::Incident => true,
                Kind::Statement => false,
                Kind::Insert | Kind::Update | Kind::Delete => {
                    let rows = line.largest.rows;
                    rows >= NOTABLE && rows >= usual.saturating_mul(TIMES)
                }
            };
            line
        };
        lines.into_values().map(mark).collect()
    }
}

/// The power of two that a number reaches.
fn power(rows: u64) -> usize {
    (0..63).find(|&power| rows >> power <= 1).unwrap_or(63)
}

/// What the middle one of the transactions besides one of `rows` changes, to a power of two; 0 if it is
/// the only one.
fn median_without(sizes: &[u64; 64], rows: u64) -> u64 {
    let own = power(rows);
    let count = |at: usize, size: u64| match at == own {
        true => size.saturating_sub(1),
        false => size,
    };
    let all: u64 = sizes
        .iter()
        .enumerate()
        .map(|(at, size)| count(at, *size))
        .sum();
    let mut seen = 0;
    for (at, size) in sizes.iter().enumerate() {
        seen += count(at, *size);
        if all > 0 && seen * 2 >= all {
            return 1 << at;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest(rows: u64, offset: u64) -> Largest {
        Largest {
            rows,
            gtid: TransactionGtid::None,
            file: "binlog.000001".to_owned(),
            offset,
        }
    }

    #[test]
    fn numbers_reach_the_powers_of_two_below_them() {
        for (rows, expected) in [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (u64::MAX, 63)] {
            assert_eq!(power(rows), expected, "{rows}");
        }
    }

    #[test]
    fn a_delete_of_everything_stands_out_and_a_batch_among_batches_does_not() {
        let mut timeline = Timeline::new(60);
        for minute in 0..10_u64 {
            timeline.add(
                minute * 60,
                "shop.orders".to_owned(),
                Kind::Delete,
                largest(2, minute),
            );
            timeline.add(
                minute * 60,
                "shop.log".to_owned(),
                Kind::Delete,
                largest(5000, minute),
            );
        }
        timeline.add(
            300,
            "shop.orders".to_owned(),
            Kind::Delete,
            largest(90_000, 77),
        );
        timeline.add(360, "shop.tags".to_owned(), Kind::Delete, largest(400, 78));
        timeline.add(360, "shop.tags".to_owned(), Kind::Insert, largest(40, 79));
        let marked: Vec<(u64, String, u64)> = timeline
            .finish()
            .into_iter()
            .filter(|line| line.is_outlier)
            .map(|line| (line.from, line.table, line.largest.offset))
            .collect();
        let expected = [
            (300, "shop.orders".to_owned(), 77),
            (360, "shop.tags".to_owned(), 78),
        ];
        assert_eq!(marked, expected);
    }
}
