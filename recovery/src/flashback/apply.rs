//! Taking transactions back on a running server, through its SQL.
//!
//! A row is changed only while it is, column by column, what the log left: the statement that changes
//! it says so in its condition, so that nobody can come in between. With [`OnConflict::Stop`] all rows
//! are looked at before the first is written. Each transaction is taken back in one of its own, or all
//! of them in one.

mod check;
mod target;
mod write;

use std::fmt;

pub use target::Described;
pub use write::Apply;

/// A session of a server.
pub trait Server {
    /// Runs one statement.
    ///
    /// # Errors
    /// What the server said, or that it is gone.
    fn run(&mut self, sql: &str) -> Result<Answer, ServerError>;
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Rows that it changed.
    pub affected: u64,
    /// Rows that it gave; NULL is none.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
}

impl Answer {
    /// A cell as text; empty for NULL and for none.
    #[must_use]
    pub fn text(&self, row: usize, column: usize) -> String {
        let cell = self.rows.get(row).and_then(|row| row.get(column));
        let bytes = cell.and_then(Option::as_deref).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// Why a statement gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// The server's number; none if it is gone.
    pub code: Option<u16>,
    /// The words.
    pub message: String,
}

impl ServerError {
    /// A key is there already.
    const DUPLICATE: u16 = 1062;

    fn is_duplicate(&self) -> bool {
        self.code == Some(Self::DUPLICATE)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "error {code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// What is done about rows that are not as the log left them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Nothing is written.
    #[default]
    Stop,
    /// They stay as they are.
    Skip,
    /// They are overwritten.
    Force,
}

/// How it is applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// What is done about rows that are not as the log left them.
    pub on_conflict: OnConflict,
    /// Everything in one transaction.
    pub is_single: bool,
    /// Triggers of the target may run.
    pub fire_triggers: bool,
    /// Foreign keys of other tables may refer to these.
    pub without_children: bool,
}

/// Conflicts that are told.
const TOLD_MAX: usize = 20;

/// A row that is not as the log left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Its table.
    pub table: String,
    /// Its key, or all of it where none is known.
    pub row: String,
    /// What is there instead.
    pub what: &'static str,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.table, self.row, self.what)
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Transactions that were taken back.
    pub transactions: u64,
    /// Rows that were.
    pub rows: u64,
    /// Rows that were not as the log left them.
    pub conflicts: u64,
    /// Those of them that were left.
    pub skipped: u64,
    /// Those that were overwritten.
    pub forced: u64,
    /// The first of them.
    pub told: Vec<Conflict>,
    /// The last transaction that was taken back, for which there was a commit.
    pub reached: Option<String>,
}

impl Applied {
    fn conflict(&mut self, conflict: impl FnOnce() -> Conflict) {
        self.conflicts = self.conflicts.saturating_add(1);
        if self.told.len() < TOLD_MAX {
            self.told.push(conflict());
        }
    }
}

const CHANGED: &str = "changed or gone since";
const PRESENT: &str = "there is a row with this key again";

/// How much of a row is told.
const ROW_TOLD: usize = 200;

/// A condition, cut to what is told.
fn told(condition: &[u8]) -> String {
    let text = String::from_utf8_lossy(condition);
    let mut told: String = text.chars().take(ROW_TOLD).collect();
    if told.len() < text.len() {
        told.push_str("...");
    }
    told
}
