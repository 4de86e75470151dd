//! What a replay would do, found out by reading alone.

use std::collections::{BTreeMap, VecDeque};

use binlog::event::Event;
use binlog::limits::Limits;
use binlog::row::{RowsEvent, Table};
use binlog::transaction::{Boundary, Executed, StatementKind, Step, TransactionGtid};
use codec::DecodeError;
use config::ReplicationFilter;
use gtid::GtidSet;
use inspect::stats::{RowCounts, count_rows};
use targets::Applied;

use super::selection::{Judgement, Selection, StopReason, Stopped};
use crate::bound::commit_micros;

/// A transaction for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its identifier.
    pub gtid: TransactionGtid,
    /// The file it begins in.
    pub file: String,
    /// Where, in bytes.
    pub offset: u64,
    /// When it was committed, in microseconds since 1970.
    pub commit_micros: u64,
    /// What it does.
    pub what: &'static str,
    /// Bytes of its events in the file.
    pub bytes: u64,
}

/// Statements of DDL kept for people.
const DDL_MAX: usize = 20;
/// The last transactions kept for people.
const LAST_MAX: usize = 10;

/// What a replay would do.
#[derive(Debug)]
pub struct Survey {
    selection: Selection,
    filter: ReplicationFilter,
    judgement: Option<Judgement>,
    open_bytes: u64,
    open_rows: BTreeMap<String, RowCounts>,
    /// Transactions that are wanted.
    pub transactions: u64,
    /// Their identifiers.
    pub wanted: Executed,
    /// Of MariaDB logs each of them, for the comparison at the end is by number only.
    pub passed_over: u64,
    /// Bytes of their events.
    pub bytes: u64,
    /// Rows by table, `database.table`.
    pub tables: BTreeMap<String, RowCounts>,
    /// Columns of each table where it is first met, unless a statement may have made or changed it.
    pub shapes: BTreeMap<String, usize>,
    /// Statements that are not control: how many, and the first ones.
    pub statements: u64,
    /// The first statements, cut to a readable length.
    pub first_statements: Vec<(TransactionGtid, String)>,
    /// The transaction with the most bytes.
    pub largest: Option<Seen>,
    /// Bytes of the largest event.
    pub largest_event: u64,
    /// The last transactions that are wanted.
    pub last: VecDeque<Seen>,
    /// What the first file says was executed before it: MySQL.
    pub before_mysql: Option<GtidSet>,
    /// What the first file says was executed before it: MariaDB.
    pub before_mariadb: Option<gtid::MariaPosition>,
    /// The first wanted transaction whose file did not begin with what the one before ended with.
    pub gap: Option<String>,
    /// Incidents among what is wanted.
    pub incidents: Vec<TransactionGtid>,
    /// Wanted transactions without identifier.
    pub anonymous: u64,
    /// Whether rows of the `mysql` database are wanted.
    pub has_mysql_rows: bool,
    /// The version of the server that wrote the first file.
    pub server_version: Option<String>,
    /// Whether a MariaDB server wrote it.
    pub is_mariadb: bool,
    /// Where reading ended.
    pub stopped: Option<Stopped>,
    /// Why a log could not be read on, as a sentence.
    pub damage: Option<String>,
    seen: GtidSet,
}

impl Survey {
    /// Begins in front of the first file.
    #[must_use]
    pub fn new(selection: Selection, filter: ReplicationFilter) -> Self {
        Self {
            selection,
            filter,
            judgement: None,
            open_bytes: 0,
            open_rows: BTreeMap::new(),
            damage: None,
            transactions: 0,
            wanted: Executed::default(),
            passed_over: 0,
            bytes: 0,
            tables: BTreeMap::new(),
            shapes: BTreeMap::new(),
            statements: 0,
            first_statements: Vec::new(),
            largest: None,
            largest_event: 0,
            last: VecDeque::new(),
            before_mysql: None,
            before_mariadb: None,
            gap: None,
            incidents: Vec::new(),
            anonymous: 0,
            has_mysql_rows: false,
            server_version: None,
            is_mariadb: false,
            stopped: None,
            seen: GtidSet::new(),
        }
    }

    /// Rows that are wanted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.values().map(RowCounts::total).sum()
    }

    /// Whether a target that stands at `there` has everything that is wanted.
    #[must_use]
    pub fn is_in(&self, there: &Applied) -> bool {
        let has_mariadb = self.wanted.mariadb.iter().all(|gtid| {
            let gtid = TransactionGtid::MariaDb(gtid);
            there.executed.contains(&gtid)
        });
        let has_all = self.wanted.mysql.is_subset_of(&there.executed.mysql) && has_mariadb;
        if self.anonymous == 0 {
            return has_all;
        }
        let (Some(stopped), Some(place)) = (&self.stopped, &there.source) else {
            return false;
        };
        has_all && stopped.file == place.file && stopped.offset <= place.offset
    }

    /// How the transactions were judged.
    #[must_use]
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Takes the next event. False once nothing behind it is wanted.
    ///
    /// # Errors
    /// When an event that is wanted cannot be decoded.
    pub fn step(&mut self, step: &Step<'_>) -> Result<bool, DecodeError> {
        if matches!(step.boundary, Boundary::Outside | Boundary::FileEnd) {
            self.outside(step);
            return Ok(true);
        }
        let Some(transaction) = step.transaction else {
            return Ok(true);
        };
        let judgement = match self.judgement {
            Some(judgement) => judgement,
            None => {
                self.open_bytes = 0;
                self.open_rows.clear();
                let judgement = self.selection.judge(step.file, transaction);
                self.check_gap(step.file.as_str(), transaction.gtid);
                self.judgement = Some(judgement);
                judgement
            }
        };
        if judgement == Judgement::Stop {
            self.stop(StopReason::Asked);
            return Ok(false);
        }
        if step.place.inner.is_none() {
            let size = u64::from(step.raw.header.event_size);
            self.open_bytes = self.open_bytes.saturating_add(size);
        }
        if judgement == Judgement::Take {
            self.wanted(step)?;
        }
        if matches!(step.boundary, Boundary::End { .. }) {
            self.end(step, judgement);
        }
        Ok(true)
    }

    fn outside(&mut self, step: &Step<'_>) {
        match &step.event {
            Event::FormatDescription(description) if self.server_version.is_none() => {
                self.server_version = Some(description.server_version.clone());
                self.is_mariadb = step.format.flavour == binlog::event::Flavour::MariaDb;
            }
            Event::PreviousGtids(previous) => {
                let missing = |before: &GtidSet| {
                    let mut missing = previous.gtids.clone();
                    missing.subtract(before);
                    missing
                };
                match &self.before_mysql {
                    None => {
                        self.seen = previous.gtids.clone();
                        self.before_mysql = Some(previous.gtids.clone());
                    }
                    Some(_) => {
                        let missing = missing(&self.seen);
                        if !missing.is_empty() && self.gap.is_none() {
                            self.gap = Some(format!("{missing}, in front of {}", step.file));
                        }
                    }
                }
            }
            Event::GtidList(list) if self.before_mariadb.is_none() => {
                self.before_mariadb = Some(list.gtids.iter().copied().collect());
            }
            Event::Incident(_) => self.incidents.push(TransactionGtid::None),
            _ => {}
        }
    }

    fn check_gap(&mut self, _file: &str, gtid: TransactionGtid) {
        if let TransactionGtid::MySql(gtid) = gtid {
            self.seen.add(gtid);
        }
    }

    fn wanted(&mut self, step: &Step<'_>) -> Result<(), DecodeError> {
        let size = u64::from(step.raw.header.event_size);
        self.largest_event = self.largest_event.max(size);
        match &step.event {
            Event::Rows(rows) => {
                if let Some(table) = step.table {
                    self.rows_of(rows, table)?;
                }
            }
            Event::Query(query) => self.statement(step, &query.sql),
            Event::QueryCompressed(query) => {
                let query = query.inflate(&Limits::default())?;
                self.statement(step, &query.sql);
            }
            Event::Incident(_) => {
                let gtid = step.transaction.map_or(TransactionGtid::None, |of| of.gtid);
                self.incidents.push(gtid);
            }
            _ => {}
        }
        Ok(())
    }

    fn rows_of(&mut self, rows: &RowsEvent<'_>, table: &Table) -> Result<(), DecodeError> {
        let (schema, map) = (&table.map.schema, &table.map);
        if !self.filter.admits_row_event(schema, &map.table) {
            return Ok(());
        }
        let name = format!("{}.{}", self.filter.rewrite(schema), map.table);
        let has_mysql_rows = schema == "mysql";
        let count = count_rows(rows, table, &Limits::default())?;
        if self.statements == 0 {
            let columns = table.map.columns.len();
            self.shapes.entry(name.clone()).or_insert(columns);
        }
        self.has_mysql_rows |= has_mysql_rows;
        // They count once the transaction is known to be whole.
        self.open_rows
            .entry(name)
            .or_default()
            .add(rows.kind, count);
        Ok(())
    }

    fn statement(&mut self, step: &Step<'_>, sql: &[u8]) {
        match StatementKind::of(sql) {
            StatementKind::CreateSelect | StatementKind::Dml | StatementKind::Ddl => {}
            StatementKind::Begin
            | StatementKind::Commit
            | StatementKind::Rollback
            | StatementKind::Savepoint
            | StatementKind::RollbackTo
            | StatementKind::XaStart
            | StatementKind::XaEnd
            | StatementKind::XaCommit
            | StatementKind::XaRollback => return,
        }
        self.statements = self.statements.saturating_add(1);
        if self.first_statements.len() < DDL_MAX {
            let text = String::from_utf8_lossy(sql);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let gtid = step.transaction.map_or(TransactionGtid::None, |of| of.gtid);
            self.first_statements
                .push((gtid, text.chars().take(120).collect()));
        }
    }

    fn end(&mut self, step: &Step<'_>, judgement: Judgement) {
        self.judgement = None;
        let Some(transaction) = step.transaction else {
            return;
        };
        let mut stopped = Stopped {
            file: step.file.to_string(),
            offset: step.place.end,
            gtid: self
                .stopped
                .as_ref()
                .map_or(TransactionGtid::None, |stopped| stopped.gtid),
            reason: StopReason::EndOfLogs,
        };
        if judgement != Judgement::Take {
            self.passed_over = self.passed_over.saturating_add(1);
            self.stopped = Some(stopped);
            return;
        }
        stopped.gtid = transaction.gtid;
        self.stopped = Some(stopped);
        self.transactions = self.transactions.saturating_add(1);
        self.bytes = self.bytes.saturating_add(self.open_bytes);
        self.wanted.add(transaction.gtid);
        for (table, rows) in std::mem::take(&mut self.open_rows) {
            self.tables.entry(table).or_default().add_all(&rows);
        }
        self.anonymous += u64::from(transaction.gtid == TransactionGtid::None);
        let seen = Seen {
            gtid: transaction.gtid,
            file: step.file.to_string(),
            offset: transaction.start.offset,
            commit_micros: commit_micros(transaction),
            what: transaction.kind.words(),
            bytes: self.open_bytes,
        };
        if self
            .largest
            .as_ref()
            .is_none_or(|largest| largest.bytes < seen.bytes)
        {
            self.largest = Some(seen.clone());
        }
        if self.last.len() == LAST_MAX {
            self.last.pop_front();
        }
        self.last.push_back(seen);
    }

    /// Reading ended for this reason.
    pub fn stop(&mut self, reason: StopReason) {
        self.judgement = None;
        let stopped = self.stopped.get_or_insert(Stopped {
            file: String::new(),
            offset: 0,
            gtid: TransactionGtid::None,
            reason,
        });
        stopped.reason = reason;
    }

    /// A log could not be read on, for this reason: what is in front of the damage is wanted still.
    pub fn damaged(&mut self, reason: String) {
        self.stop(StopReason::Damaged);
        self.damage = Some(reason);
    }

    /// Whether a transaction has begun and not ended.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        self.judgement.is_some()
    }
}
