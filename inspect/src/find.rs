//! Looking for transactions, tables and rows.
//!
//! Without a table every transaction that the filter leaves is a hit; with one, every row event and
//! statement about it; with key values, every row that has them before or after the change: the
//! history of a row.

mod key;
mod skip;

use codec::DecodeError;

pub use key::{Key, KeyError, KeyPart};
pub use skip::FileGtids;

use crate::filter::{Filter, FilterRun, Verdict};
use crate::stats::{RowCounts, count_rows};
use binlog::event::{Event, EventFormat, EventType, Query};
use binlog::limits::Limits;
use binlog::row::{RowPair, RowsEvent, RowsKind, Table};
use binlog::stream::Place;
use binlog::transaction::{Step, TransactionInfo};

/// What was found.
#[derive(Debug)]
pub struct Hit<'a> {
    /// The transaction.
    pub transaction: &'a TransactionInfo,
    /// The event; of a whole transaction its last one.
    pub place: Place,
    /// The event's time, seconds since 1970.
    pub timestamp: u32,
    /// The event's type.
    pub event_type: EventType,
    /// How its stream is laid out.
    pub format: EventFormat,
    /// What it is.
    pub what: What<'a>,
}

/// What a hit is.
#[derive(Debug)]
pub enum What<'a> {
    /// A whole transaction and what it does to rows.
    Transaction {
        /// Its rows.
        rows: RowCounts,
        /// Its tables, as `schema.table`, no more than [`Finder::TABLES_MAX`].
        tables: &'a [String],
    },
    /// A row event of a table.
    Rows {
        /// What is done.
        kind: RowsKind,
        /// To which table.
        table: &'a Table,
        /// To how many rows.
        rows: u64,
    },
    /// A row.
    Row {
        /// What is done to it.
        kind: RowsKind,
        /// Its table.
        table: &'a Table,
        /// Its values.
        pair: &'a RowPair<'a>,
    },
    /// A statement.
    Statement(&'a Query<'a>),
}

/// Why a search cannot go on.
#[derive(Debug)]
pub enum FindError {
    /// The rows of an event cannot be read.
    Rows(DecodeError),
    /// The key cannot be looked for in a table.
    Key(KeyError),
    /// Rows come in pieces (MariaDB's PARTIAL_ROW_DATA) and are not looked into.
    Pieces,
}

impl std::fmt::Display for FindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rows(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Pieces => f.write_str(
                "rows that come in pieces (PARTIAL_ROW_DATA) are not looked into; \
                 look for whole transactions, without a table",
            ),
        }
    }
}

impl std::error::Error for FindError {}

const fn hit<'a>(step: &'a Step<'_>, transaction: &'a TransactionInfo, what: What<'a>) -> Hit<'a> {
    Hit {
        transaction,
        place: step.place,
        timestamp: step.raw.header.timestamp,
        event_type: step.raw.header.event_type,
        format: step.format,
        what,
    }
}

/// Goes through the input.
pub struct Finder<'f> {
    run: FilterRun<'f>,
    has_tables: bool,
    key: Vec<KeyPart>,
    limits: Limits,
    rows: RowCounts,
    tables: Vec<String>,
}

impl<'f> Finder<'f> {
    /// How many tables of a transaction are named.
    pub const TABLES_MAX: usize = 20;

    /// Looks for what `filter` leaves and, if there are any, for rows with these key values.
    #[must_use]
    pub fn new(filter: &'f Filter, key: Vec<KeyPart>, limits: Limits) -> Self {
        Self {
            run: FilterRun::new(filter).of_whole_transactions(),
            has_tables: filter.chooses_rows(),
            key,
            limits,
            rows: RowCounts::default(),
            tables: Vec::new(),
        }
    }

    /// Gives whole transactions, with the rows that the filter leaves of them, instead of what they
    /// consist of.
    #[must_use]
    pub const fn by_transaction(mut self) -> Self {
        self.has_tables = false;
        self
    }

    /// Begins a file.
    pub const fn begin_file(&mut self, is_first: bool, is_last: bool) {
        self.run.begin_file(is_first, is_last);
    }

    /// Whether the transaction of the last event is asked for, or something of it.
    #[must_use]
    pub const fn is_transaction_chosen(&self) -> bool {
        self.run.is_transaction_chosen()
    }

    /// Looks at the next event and gives what is found in it to `on_hit`. False: nothing behind it
    /// is looked for.
    ///
    /// # Errors
    /// If its rows cannot be read, or the key cannot be looked for in its table.
    pub fn feed(
        &mut self,
        step: &Step<'_>,
        mut on_hit: impl FnMut(&Hit<'_>),
    ) -> Result<bool, FindError> {
        let verdict = self.run.judge(step);
        if verdict == Verdict::Stop {
            return Ok(false);
        }
        let Some(transaction) = step.transaction else {
            return Ok(true);
        };
        if transaction.start == step.place {
            self.rows = RowCounts::default();
            self.tables.clear();
        }
        if verdict != Verdict::Show {
            return Ok(true);
        }
        if !self.has_tables {
            self.feed_transaction(step)?;
            if transaction.is_complete {
                on_hit(&hit(
                    step,
                    transaction,
                    What::Transaction {
                        rows: self.rows,
                        tables: &self.tables,
                    },
                ));
            }
            return Ok(true);
        }
        match (&step.event, step.table) {
            (Event::Rows(event), Some(table)) if self.key.is_empty() => {
                let rows = count_rows(event, table, &self.limits).map_err(FindError::Rows)?;
                on_hit(&hit(
                    step,
                    transaction,
                    What::Rows {
                        kind: event.kind,
                        table,
                        rows,
                    },
                ));
            }
            (Event::Rows(event), Some(table)) => {
                let key = Key::new(&self.key, table).map_err(FindError::Key)?;
                self.feed_rows(event, table, &key, |kind, pair| {
                    on_hit(&hit(step, transaction, What::Row { kind, table, pair }));
                })
                .map_err(FindError::Rows)?;
            }
            (Event::Query(query), _) if !crate::filter::is_control(&query.sql) => {
                on_hit(&hit(step, transaction, What::Statement(query)));
            }
            (Event::PartialRowData(_), _) => return Err(FindError::Pieces),
            (Event::ExecuteLoadQuery(load), _) => {
                on_hit(&hit(step, transaction, What::Statement(&load.query)))
            }
            (Event::QueryCompressed(query), _) => {
                let query = query.inflate(&self.limits).map_err(FindError::Rows)?;
                on_hit(&hit(step, transaction, What::Statement(&query)));
            }
            _ => {}
        }
        Ok(true)
    }

    fn feed_transaction(&mut self, step: &Step<'_>) -> Result<(), FindError> {
        if let (Event::Rows(event), Some(table)) = (&step.event, step.table) {
            let rows = count_rows(event, table, &self.limits).map_err(FindError::Rows)?;
            self.rows.add(event.kind, rows);
            let name = table.full_name();
            if self.tables.len() < Self::TABLES_MAX && !self.tables.contains(&name) {
                self.tables.push(name);
            }
        }
        Ok(())
    }

    fn feed_rows(
        &self,
        event: &RowsEvent<'_>,
        table: &Table,
        key: &Key<'_>,
        mut on_row: impl FnMut(RowsKind, &RowPair<'_>),
    ) -> Result<(), DecodeError> {
        let mut chunks = event.chunks(&table.plan, &self.limits)?;
        while let Some(mut chunk) = chunks.next_chunk()? {
            let mut pair = RowPair::default();
            while chunk.next_into(&mut pair)? {
                if key.matches(&[&pair.before], table)
                    || key.matches(&[&pair.after, &pair.before], table)
                {
                    on_row(event.kind, &pair);
                }
            }
        }
        Ok(())
    }
}
