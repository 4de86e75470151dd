//! Which events are asked for.
//!
//! Identifiers and times choose whole transactions, by their first event: none is shown in half.
//! Positions choose events, in the first and the last file of the input. Databases and tables choose
//! row events and statements inside the transactions that are left; what only frames them is worth
//! showing when something inside was, which is what [`Verdict::Hold`] says.

mod gtids;
mod statement;

pub use gtids::{GtidChoice, parse_gtid};
pub use statement::{is_control, is_of_database, names_schema, names_table};

use binlog::event::{Event, EventType, Query, StatusVariable};
use binlog::limits::Limits;
use binlog::transaction::{Boundary, Step, TransactionGtid, TransactionInfo};

/// What is asked for; the default is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Schemas whose events are shown; none: of all schemas.
    pub databases: Vec<String>,
    /// Tables whose events are shown, as schema and table; none: all.
    pub tables: Vec<(String, String)>,
    /// Only these transactions.
    pub include_gtids: Option<GtidChoice>,
    /// Not these transactions.
    pub exclude_gtids: GtidChoice,
    /// Only transactions that begin in this second or later, seconds since 1970.
    pub start_datetime: Option<u32>,
    /// End in front of the first transaction that begins in this second or later.
    pub stop_datetime: Option<u32>,
    /// Only events at this offset of the first file or behind it.
    pub start_position: Option<u64>,
    /// End in front of the first event at this offset of the last file or behind it.
    pub stop_position: Option<u64>,
    /// Only this transaction and those behind it.
    pub start_gtid: Option<TransactionGtid>,
    /// End behind this transaction.
    pub stop_gtid: Option<TransactionGtid>,
}

impl Filter {
    /// Whether everything is asked for.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether parts of a transaction may be left out, not only whole ones.
    #[must_use]
    pub fn chooses_rows(&self) -> bool {
        !self.databases.is_empty() || !self.tables.is_empty()
    }

    /// Whether row events of this table are asked for.
    #[must_use]
    pub fn has_table(&self, schema: &str, table: &str) -> bool {
        (self.databases.is_empty() || self.databases.iter().any(|asked| asked == schema))
            && (self.tables.is_empty()
                || self
                    .tables
                    .iter()
                    .any(|(asked_schema, asked)| asked_schema == schema && asked == table))
    }

    /// Whether a statement is about a database and a table that are asked for.
    #[must_use]
    pub fn has_statement(&self, query: &Query<'_>) -> bool {
        let sql_mode = query.status.sql_mode().unwrap_or(0);
        let is_database = |asked: &String| {
            let asked = asked.as_bytes();
            query.schema.eq_ignore_ascii_case(asked)
                || names_schema(&query.sql, sql_mode, asked)
                || query.status.0.iter().any(|variable| {
                    matches!(variable, StatusVariable::UpdatedSchemas(Some(names))
                        if names.iter().any(|name| &**name == asked))
                })
        };
        let is_table = |(schema, table): &(String, String)| {
            // Without its database a table cannot be made again.
            (is_of_database(&query.sql) && names_schema(&query.sql, sql_mode, schema.as_bytes()))
                || names_table(
                    &query.sql,
                    sql_mode,
                    &query.schema,
                    schema.as_bytes(),
                    table.as_bytes(),
                )
        };
        (self.databases.is_empty() || self.databases.iter().any(is_database))
            && (self.tables.is_empty() || self.tables.iter().any(is_table))
    }
}

/// What is to be done with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is asked for.
    Show,
    /// It belongs to a transaction of which something may be asked for: show it if an event of the
    /// same transaction follows with [`Verdict::Show`].
    Hold,
    /// It is not asked for.
    Skip,
    /// Neither it nor anything behind it is asked for.
    Stop,
}

/// A filter on its way through the input.
#[derive(Debug)]
pub struct FilterRun<'f> {
    filter: &'f Filter,
    is_first_file: bool,
    is_last_file: bool,
    /// Whether the start GTID was met, or none is set.
    is_started: bool,
    /// Whether the stop GTID was met.
    is_stopping: bool,
    /// Positions choose whole transactions too.
    keeps_whole: bool,
    transaction: Chosen,
}

/// What was decided about the transaction that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    /// Its GTID, or its first event, was not seen yet.
    Undecided,
    No,
    /// Asked for; whether something of it was shown.
    Yes {
        is_shown: bool,
    },
}

impl<'f> FilterRun<'f> {
    /// Begins in front of the first file.
    #[must_use]
    pub const fn new(filter: &'f Filter) -> Self {
        Self {
            filter,
            is_first_file: true,
            is_last_file: false,
            is_started: filter.start_gtid.is_none(),
            is_stopping: false,
            keeps_whole: false,
            transaction: Chosen::Undecided,
        }
    }

    /// Lets positions choose whole transactions, by their first event, as times do.
    #[must_use]
    pub const fn of_whole_transactions(mut self) -> Self {
        self.keeps_whole = true;
        self
    }

    /// Whether the transaction of the last event is asked for, or something of it.
    #[must_use]
    pub const fn is_transaction_chosen(&self) -> bool {
        matches!(self.transaction, Chosen::Yes { .. })
    }

    /// Begins a file. `is_first` and `is_last`: of the input, which is where positions count.
    pub const fn begin_file(&mut self, is_first: bool, is_last: bool) {
        self.is_first_file = is_first;
        self.is_last_file = is_last;
        self.transaction = Chosen::Undecided;
    }

    /// Judges the next event.
    pub fn judge(&mut self, step: &Step<'_>) -> Verdict {
        let offset = match step.transaction {
            Some(transaction) if self.keeps_whole => transaction.start.offset,
            _ => step.place.offset,
        };
        let filter = self.filter;
        if self.is_last_file && filter.stop_position.is_some_and(|stop| offset >= stop) {
            return Verdict::Stop;
        }
        let is_early =
            self.is_first_file && filter.start_position.is_some_and(|start| offset < start);
        let Some(transaction) = step.transaction else {
            return self.judge_outside(step, is_early);
        };
        if transaction.start == step.place {
            self.transaction = Chosen::Undecided;
        }
        if self.transaction == Chosen::Undecided {
            if is_early && self.keeps_whole {
                self.transaction = Chosen::No;
                return Verdict::Skip;
            }
            match self.choose(transaction) {
                Some(chosen) => self.transaction = chosen,
                None => return Verdict::Stop,
            }
        }
        let Chosen::Yes { is_shown } = self.transaction else {
            return Verdict::Skip;
        };
        if is_early {
            return Verdict::Skip;
        }
        let verdict = self.judge_inside(step, is_shown);
        if verdict == Verdict::Show {
            self.transaction = Chosen::Yes { is_shown: true };
        }
        verdict
    }

    /// Events between transactions: heads and ends of files.
    fn judge_outside(&self, step: &Step<'_>, is_early: bool) -> Verdict {
        if step.raw.header.event_type == EventType::FORMAT_DESCRIPTION {
            return Verdict::Show;
        }
        if self.is_stopping {
            return Verdict::Stop;
        }
        if is_early || !self.is_started {
            return Verdict::Skip;
        }
        let timestamp = step.raw.header.timestamp;
        let is_past = |start: u32| timestamp < start && timestamp != 0;
        if self.filter.start_datetime.is_some_and(is_past) {
            return Verdict::Skip;
        }
        Verdict::Show
    }

    /// Whether the transaction is asked for; `None` if neither it nor anything behind it is.
    fn choose(&mut self, transaction: &TransactionInfo) -> Option<Chosen> {
        let filter = self.filter;
        if self.is_stopping {
            return None;
        }
        let is_reached = |stop: u32| transaction.timestamp >= stop;
        if filter.stop_datetime.is_some_and(is_reached) {
            return None;
        }
        let gtid = &transaction.gtid;
        if filter.start_gtid.as_ref() == Some(gtid) {
            self.is_started = true;
        }
        if filter.stop_gtid.as_ref() == Some(gtid) {
            self.is_stopping = true;
        }
        let is_included = filter
            .include_gtids
            .as_ref()
            .is_none_or(|choice| choice.contains(gtid));
        let is_late_enough = filter
            .start_datetime
            .is_none_or(|start| transaction.timestamp >= start);
        let is_chosen = self.is_started
            && is_included
            && is_late_enough
            && !filter.exclude_gtids.contains(gtid);
        Some(if is_chosen {
            Chosen::Yes { is_shown: false }
        } else {
            Chosen::No
        })
    }

    fn judge_inside(&self, step: &Step<'_>, is_shown: bool) -> Verdict {
        let filter = self.filter;
        if !filter.chooses_rows() {
            return Verdict::Show;
        }
        let by = |is_asked| {
            if is_asked {
                Verdict::Show
            } else {
                Verdict::Skip
            }
        };
        match &step.event {
            Event::TableMap(map) => by(filter.has_table(&map.schema, &map.table)),
            Event::Rows(_) => by(step
                .table
                .is_none_or(|table| filter.has_table(&table.map.schema, &table.map.table))),
            Event::Query(query) if !is_control(&query.sql) => by(filter.has_statement(query)),
            Event::ExecuteLoadQuery(load) => by(filter.has_statement(&load.query)),
            // One that cannot be inflated is shown, so that whoever shows it meets the error.
            Event::QueryCompressed(query) => by(query
                .inflate(&Limits::default())
                .map_or(true, |query| filter.has_statement(&query))),
            // Rows in pieces (MariaDB 12.3) do not say whose they are: never left out unseen.
            Event::Incident(_) | Event::PartialRowData(_) => Verdict::Show,
            // What ends a transaction is shown with what was shown of it.
            _ if matches!(step.boundary, Boundary::End { .. }) => by(is_shown),
            _ => Verdict::Hold,
        }
    }
}
