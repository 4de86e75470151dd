//! Taking transactions of a log back.
//!
//! [`Scan`] takes every event once and notes the rows that are to be taken back, and all that stands
//! against it. [`Found::rewind`] goes the way back, one event in memory, and gives each event turned
//! round to a [`Sink`]: a binlog, SQL, or a server. Transactions come from the newest to the oldest,
//! and within each its rows from the last to the first.

mod apply;
mod binlog_file;
mod choice;
mod later;
mod read_back;
mod refusal;
mod reverse;
mod rewind;
mod scan;
mod spill;
mod sql_file;
mod tables;
#[cfg(test)]
mod tests;
mod trail;

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use binlog::event::{EventFormat, Flavour, FormatDescription};
use binlog::log::{Damage, LogError};
use binlog::row::Table;
use binlog::transaction::Step;
use codec::DecodeError;
use inspect::find::KeyError;
use inspect::stats::RowCounts;

pub use apply::{
    Answer, Applied, Apply, ApplyOptions, Conflict, Described, OnConflict, Server, ServerError,
};
pub use binlog_file::BinlogFile;
pub use choice::Choice;
pub use later::LaterTransaction;
pub use read_back::ReadBack;
pub use refusal::{Ignore, Reason, Refusal};
pub use rewind::{LogFiles, Sink, Undone};
pub use scan::{Options, Scan};
pub use sql_file::{SqlFile, SqlFileOptions};
pub use tables::TableCount;
pub use trail::Transaction;

use spill::Spill;
use tables::Tables;
use trail::Trail;

/// What would be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Transactions with rows that are taken back.
    pub transactions: u64,
    /// Transactions that were asked for and have no such rows.
    pub empty: u64,
    /// Rows, by how they were changed.
    pub rows: RowCounts,
    /// The same by table.
    pub tables: Vec<TableCount>,
    /// The oldest transaction: its GTID or place, and when it was committed, in microseconds since
    /// 1970.
    pub first: Option<(String, u64)>,
    /// The newest one.
    pub last: Option<(String, u64)>,
    /// Tables that these transactions changed too and that were not asked for.
    pub others: BTreeSet<String>,
    /// Transactions behind that touched the same rows; the first ones.
    pub later: Vec<LaterTransaction>,
    /// How many more there are.
    pub later_more: u64,
    /// Whether every row was looked for behind; else only the first ones of them.
    pub is_later_complete: bool,
    /// Whether foreign keys may have changed other tables without a word in the log, which does not
    /// say whether there are any: MariaDB's.
    pub may_have_unknown_children: bool,
}

impl Plan {
    fn end_transaction(&mut self, name: String, micros: u64) {
        self.transactions = self.transactions.saturating_add(1);
        if self.first.is_none() {
            self.first = Some((name.clone(), micros));
        }
        self.last = Some((name, micros));
    }
}

/// What was found, ready to be gone back.
#[derive(Debug)]
pub struct Found {
    /// What would be taken back.
    pub plan: Plan,
    labels: Vec<String>,
    formats: Vec<EventFormat>,
    description: (FormatDescription, u32),
    tables: Tables,
    trail: Trail,
    spill: Spill,
}

impl Found {
    /// Whose log it is.
    #[must_use]
    pub fn flavour(&self) -> Flavour {
        self.description.0.format().flavour
    }

    /// What the files' heads say, and the id of the server that wrote them.
    #[must_use]
    pub const fn description(&self) -> (&FormatDescription, u32) {
        (&self.description.0, self.description.1)
    }

    /// The tables whose rows are taken back, each in every shape that it had.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.shapes().map(|(table, _)| table)
    }

    /// Columns that images of a shape lack.
    fn lacking(&self, shape: u32) -> impl Iterator<Item = usize> {
        self.tables.lacking(shape)
    }

    /// Every shape that the tables had, with the number of the table.
    fn shapes(&self) -> impl Iterator<Item = (&Table, u32)> {
        self.tables.shapes()
    }
}

/// Why it is not done.
#[derive(Debug)]
#[non_exhaustive]
pub enum FlashbackError {
    /// The log is damaged.
    Log(LogError),
    /// A file cannot be read or written.
    Io {
        /// What was being done.
        doing: String,
        /// What went wrong.
        error: io::Error,
    },
    /// The key that was asked for cannot be looked for.
    Key(KeyError),
    /// Something stands against it.
    Refused {
        /// What; the first ones.
        told: Vec<Refusal>,
        /// How many more there are.
        more: u64,
    },
    /// Nothing like that was found.
    Nothing,
    /// An event cannot be turned round.
    Row {
        /// Where it lies.
        place: String,
        /// Why.
        reason: String,
    },
    /// The server does not do it.
    Server {
        /// What was being done.
        doing: String,
        /// What it said.
        error: ServerError,
    },
    /// Rows are not as the log left them.
    Conflicts(Applied),
}

impl FlashbackError {
    fn undecodable(step: &Step<'_>, error: DecodeError) -> Self {
        let event_type = Some(step.raw.header.event_type);
        let damage = Damage::Undecodable(error);
        Self::Log(LogError::corrupt(
            step.file,
            step.place.offset,
            event_type,
            damage,
        ))
    }

    fn scratch(error: io::Error) -> Self {
        let doing = "writing a scratch file".to_owned();
        Self::Io { doing, error }
    }
}

impl fmt::Display for FlashbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error) => error.fmt(f),
            Self::Io { doing, error } => write!(f, "{doing}: {error}"),
            Self::Key(error) => error.fmt(f),
            Self::Refused { told, more } => {
                f.write_str("nothing was done, since this stands against it:")?;
                for refusal in told {
                    write!(f, "\n  {refusal}")?;
                }
                match more {
                    0 => Ok(()),
                    more => write!(f, "\n  and {more} more"),
                }
            }
            Self::Nothing => f.write_str("no row that was asked for is in these files"),
            Self::Row { place, reason } => write!(f, "{place}: {reason}"),
            Self::Server { doing, error } => write!(f, "{doing}: {error}"),
            Self::Conflicts(applied) => write!(
                f,
                "{} rows are not as the log left them; --on-conflict skip leaves them, \
                 --on-conflict force overwrites them",
                applied.conflicts
            ),
        }
    }
}

impl std::error::Error for FlashbackError {}
