//! What stands against taking transactions back, and what to say to have it done all the same.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// How many refusals are told; of more only the number.
const TOLD_MAX: usize = 20;

/// Bytes of a statement that are told.
const STATEMENT_TOLD: usize = 120;

/// Something that is passed over because the user says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ignore {
    /// Statements that define tables.
    Ddl,
    /// Statements that change rows and were logged as statements.
    Statements,
    /// Incidents: changes that the log lacks.
    Incident,
    /// XA transactions in two phases.
    Xa,
    /// Transactions that were asked for and are not in the log.
    Missing,
    /// Files that the log lacks between others.
    Gap,
}

impl Ignore {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ddl,
        Self::Statements,
        Self::Incident,
        Self::Xa,
        Self::Missing,
        Self::Gap,
    ];

    /// The word for it on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ddl => "ddl",
            Self::Statements => "statements",
            Self::Incident => "incident",
            Self::Xa => "xa",
            Self::Missing => "missing",
            Self::Gap => "gap",
        }
    }
}

impl FromStr for Ignore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|one| one.word() == text);
        known.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("'{text}' is none of {words}")
        })
    }
}

/// Why something cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// A table was defined anew since, or its definition is to be taken back itself.
    Ddl {
        /// The statement.
        statement: String,
    },
    /// Rows were changed by a statement that the log has as such.
    Statement {
        /// The statement.
        statement: String,
    },
    /// The log lacks changes.
    Incident {
        /// The source's words.
        message: String,
    },
    /// The transaction was prepared, and committed or rolled back later.
    PreparedXa,
    /// Images lack columns.
    Image {
        /// The table.
        table: String,
    },
    /// Rows of other tables may have gone or changed with these, and the log does not say so.
    Children {
        /// The table that they refer to.
        table: String,
    },
    /// The target has triggers that would run again.
    Triggers {
        /// The table.
        table: String,
        /// Their names.
        triggers: String,
    },
    /// Rows are logged in pieces (MariaDB's `PARTIAL_ROW_DATA`).
    Pieces,
    /// Rows are laid out as the log does not describe: MySQL 5.1 before its release.
    OldRows {
        /// The table.
        table: String,
    },
    /// An event of a kind that is not known.
    UnknownEvent {
        /// Its kind.
        event_type: String,
    },
    /// A part of the transaction, or all of it, was rolled back.
    RolledBack,
    /// The transaction has no end.
    Unfinished,
    /// Transactions that were asked for are not there.
    Missing {
        /// Their GTIDs.
        gtids: String,
    },
    /// A place that was named is not in these files.
    NoPlace {
        /// The place.
        place: String,
    },
    /// A file does not follow the one in front of it.
    Gap {
        /// The file in front of it.
        before: String,
    },
    /// Files of different servers, whose events are laid out in different ways.
    Layout,
    /// A table of the target is not laid out like the one in the log.
    Shape {
        /// The table.
        table: String,
        /// The difference.
        what: String,
    },
}

impl Reason {
    /// What to say to have it done all the same.
    #[must_use]
    pub const fn ignore(&self) -> Option<Ignore> {
        match self {
            Self::Ddl { .. } => Some(Ignore::Ddl),
            Self::Statement { .. } => Some(Ignore::Statements),
            Self::Incident { .. } => Some(Ignore::Incident),
            Self::PreparedXa => Some(Ignore::Xa),
            Self::Missing { .. } => Some(Ignore::Missing),
            Self::Gap { .. } => Some(Ignore::Gap),
            Self::Image { .. }
            | Self::Children { .. }
            | Self::Triggers { .. }
            | Self::Pieces
            | Self::OldRows { .. }
            | Self::UnknownEvent { .. }
            | Self::RolledBack
            | Self::Unfinished
            | Self::NoPlace { .. }
            | Self::Layout
            | Self::Shape { .. } => None,
        }
    }

    /// The text of a statement, cut to what is told.
    #[must_use]
    pub fn told(sql: &[u8]) -> String {
        let text = String::from_utf8_lossy(sql);
        let mut told: String = text
            .chars()
            .take(STATEMENT_TOLD)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if told.len() < text.len() {
            told.push_str("...");
        }
        told
    }
}

impl Reason {
    /// What to do about it.
    const fn way_out(&self) -> &'static str {
        const LEAVE_OUT: &str = "; leave the transaction out with --exclude-gtids";
        match self {
            Self::Ddl { .. } => "; --ignore ddl if it left the columns as they were",
            Self::Statement { .. } => "; --ignore statements leaves it as it is",
            Self::Incident { .. } => "; --ignore incident if they were not to these tables",
            Self::PreparedXa => "; --ignore xa leaves it as it is",
            Self::Image { .. } => {
                "; --via-restore will take it from a backup. If only virtual columns are missing, \
                 as in MariaDB's logs, --schema or --generated-column tells so"
            }
            Self::Children { .. } => "; --without-children leaves those tables as they are",
            Self::Triggers { .. } => {
                "; --fire-triggers lets them, and a binlog (--output FILE.binlog) fires none"
            }
            Self::Missing { .. } => "; --ignore missing takes back those that are",
            Self::Gap { .. } => "; --ignore gap if it was not to these tables",
            Self::Unfinished => "; name the file that it goes on in, or end in front of it: --stop",
            Self::Layout => "; take them back one after the other, the newest first",
            Self::Pieces | Self::OldRows { .. } | Self::UnknownEvent { .. } | Self::RolledBack => {
                LEAVE_OUT
            }
            Self::NoPlace { .. } | Self::Shape { .. } => "",
        }
    }

    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ddl { statement } => write!(
                f,
                "{statement}: a definition cannot be taken back, and rows from before it may not \
                 fit the table behind it"
            ),
            Self::Statement { statement } => write!(
                f,
                "{statement}: logged as a statement, which does not say what the rows were"
            ),
            Self::Incident { message } => {
                write!(f, "an incident ({message}): the log lacks changes")
            }
            Self::PreparedXa => {
                f.write_str("an XA transaction in two phases, whose end is another transaction")
            }
            Self::Image { table } => write!(
                f,
                "the rows of {table} were logged without all columns (binlog_row_image=MINIMAL or \
                 NOBLOB), so what they were is not in the log"
            ),
            Self::Children { table } => write!(
                f,
                "{table} is referred to by foreign keys, and what they did to other tables is not \
                 in the log (MySQL before 9.6 and MariaDB)"
            ),
            Self::Triggers { table, triggers } => {
                write!(
                    f,
                    "{table} has triggers ({triggers}), which would run again"
                )
            }
            Self::Pieces => f.write_str("rows in pieces (PARTIAL_ROW_DATA) are not put together"),
            Self::OldRows { table } => write!(
                f,
                "the rows of {table} are in a layout from before MySQL 5.1's release, which the \
                 log does not describe"
            ),
            Self::UnknownEvent { event_type } => {
                write!(f, "{event_type}: it is not known what it changes")
            }
            Self::RolledBack => f.write_str(
                "a part of the transaction was rolled back, and the log does not say which rows \
                 stayed",
            ),
            Self::Unfinished => f.write_str("the transaction has no end in these files"),
            Self::Missing { gtids } => write!(f, "{gtids}: not in these files"),
            Self::NoPlace { place } => {
                write!(f, "{place}: there is no such place in these files")
            }
            Self::Gap { before } => write!(
                f,
                "does not follow {before}: what happened in between is not known"
            ),
            Self::Layout => f.write_str(
                "was written by another server or version than the files in front of it",
            ),
            Self::Shape { table, what } => {
                write!(
                    f,
                    "{table} on the target is not the table of the log: {what}"
                )
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.put(f)?;
        f.write_str(self.way_out())
    }
}

/// Something that stands against it, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The transaction or the place.
    pub place: String,
    /// What is there.
    pub reason: Reason,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// What was met, as far as the user did not say to pass it over.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    ignored: BTreeSet<Ignore>,
    told: Vec<Refusal>,
    more: u64,
}

impl Refusals {
    pub(super) fn new(ignored: &BTreeSet<Ignore>) -> Self {
        Self {
            ignored: ignored.clone(),
            told: Vec::new(),
            more: 0,
        }
    }

    /// Adds one unless it is passed over.
    pub(super) fn add(&mut self, place: impl FnOnce() -> String, reason: Reason) {
        if reason
            .ignore()
            .is_some_and(|ignore| self.ignored.contains(&ignore))
        {
            return;
        }
        // One row event after the other says the same.
        if self.told.last().is_some_and(|last| last.reason == reason) {
            return;
        }
        if self.told.len() >= TOLD_MAX {
            self.more = self.more.saturating_add(1);
            return;
        }
        let place = place();
        self.told.push(Refusal { place, reason });
    }

    /// Those that are told, and how many more there are.
    pub(super) fn finish(self) -> Result<(), (Vec<Refusal>, u64)> {
        if self.told.is_empty() {
            Ok(())
        } else {
            Err((self.told, self.more))
        }
    }
}
