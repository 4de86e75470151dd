//! What a replay would do, found out by reading alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use binlog::event::{Event, Query};
use binlog::limits::Limits;
use binlog::row::{RowImages, RowsEvent, Table, TableMap};
use binlog::transaction::{Boundary, Executed, StatementKind, Step, TransactionGtid};
use codec::DecodeError;
use config::ReplicationFilter;
use gtid::MariaGtid;
use inspect::stats::RowCounts;
use targets::Applied;

use super::continuity::Continuity;
use super::definitions::Definitions;
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

/// Where a log says that it lacks something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEvents {
    /// The transaction it stands in, if it stands in one.
    pub gtid: TransactionGtid,
    /// The file.
    pub file: String,
    /// Bytes from its start.
    pub offset: u64,
    /// The words of the server that wrote it.
    pub message: String,
}

/// An event that is wanted, or a row of one that has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LargestEvent {
    /// Its bytes.
    pub bytes: u64,
    /// The transaction it belongs to.
    pub gtid: TransactionGtid,
}

/// Bytes of an event beside its rows and of its table map, at most.
const ROW_HEAD: u64 = 1 << 10;
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
    /// Incidents between transactions, of which none in front of them is wanted.
    open_incidents: Vec<LostEvents>,
    pub(super) continuity: Continuity,
    definitions: Definitions,
    /// Transactions that are wanted.
    pub transactions: u64,
    /// Their identifiers.
    pub wanted: Executed,
    /// Of MariaDB's, the first one of each domain.
    pub wanted_first: BTreeMap<u32, MariaGtid>,
    /// Transactions that are passed over, for whatever reason.
    pub passed_over: u64,
    /// Those of them that the target has.
    pub there: Executed,
    /// Bytes of their events.
    pub bytes: u64,
    /// Rows by table, `database.table`.
    pub tables: BTreeMap<String, RowCounts>,
    /// Each table where it is first met, unless a statement may have made or changed it.
    pub shapes: BTreeMap<String, TableMap<'static>>,
    /// Statements that are not control: how many, and the first ones.
    pub statements: u64,
    /// The first statements, cut to a readable length.
    pub first_statements: Vec<(TransactionGtid, String)>,
    /// The transaction with the most bytes.
    pub largest: Option<Seen>,
    /// The largest event.
    pub largest_event: Option<LargestEvent>,
    /// The first transaction that is wanted.
    pub first: Option<Seen>,
    /// The last transactions that are wanted.
    pub last: VecDeque<Seen>,
    /// Incidents among what is wanted.
    pub incidents: Vec<LostEvents>,
    /// Why what is wanted cannot be applied over several connections at once, if so.
    pub one_lane: Option<&'static str>,
    /// Wanted transactions without identifier.
    pub anonymous: u64,
    /// The servers that wrote what is wanted.
    pub server_ids: BTreeSet<u32>,
    /// Tables of the `mysql` database of which rows are wanted, with the first transaction of each.
    pub mysql_rows: BTreeMap<String, TransactionGtid>,
    /// The version of the server that wrote the first file.
    pub server_version: Option<String>,
    /// Whether a MariaDB server wrote it.
    pub is_mariadb: bool,
    /// Where reading ended.
    pub stopped: Option<Stopped>,
    /// Why a log could not be read on, as a sentence.
    pub damage: Option<String>,
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
            open_incidents: Vec::new(),
            continuity: Continuity::default(),
            definitions: Definitions::default(),
            damage: None,
            transactions: 0,
            wanted: Executed::default(),
            wanted_first: BTreeMap::new(),
            passed_over: 0,
            there: Executed::default(),
            bytes: 0,
            tables: BTreeMap::new(),
            shapes: BTreeMap::new(),
            statements: 0,
            first_statements: Vec::new(),
            largest: None,
            largest_event: None,
            first: None,
            last: VecDeque::new(),
            incidents: Vec::new(),
            one_lane: None,
            anonymous: 0,
            server_ids: BTreeSet::new(),
            mysql_rows: BTreeMap::new(),
            server_version: None,
            is_mariadb: false,
            stopped: None,
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
        self.continuity.enter(step.file);
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
                self.begin(transaction.gtid, judgement);
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
            Event::PreviousGtids(_) | Event::GtidList(_) => self.continuity.outside(step),
            Event::Incident(incident) => {
                let lost = lost_events(step, incident.message);
                match self.transactions {
                    // Nothing is wanted yet, and perhaps nothing before the target's place.
                    0 => self.open_incidents.push(lost),
                    _ => self.incidents.push(lost),
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, gtid: TransactionGtid, judgement: Judgement) {
        self.judgement = Some(judgement);
        match judgement {
            Judgement::Take => self.incidents.append(&mut self.open_incidents),
            Judgement::Executed => {
                self.there.add(gtid);
                self.open_incidents.clear();
            }
            Judgement::Before => self.open_incidents.clear(),
            Judgement::Excluded | Judgement::Stop => {}
        }
        if judgement != Judgement::Stop {
            self.continuity.see(gtid, judgement == Judgement::Take);
        }
    }

    fn wanted(&mut self, step: &Step<'_>) -> Result<(), DecodeError> {
        self.server_ids.insert(step.raw.header.server_id);
        // Rows are measured one by one, and what a payload holds follows it.
        if !matches!(step.event, Event::Rows(_) | Event::TransactionPayload(_)) {
            self.see_size(step, u64::from(step.raw.header.event_size));
        }
        match &step.event {
            Event::Rows(rows) => {
                if let Some(table) = step.table {
                    self.rows_of(step, rows, table)?;
                }
            }
            Event::Query(query) => self.statement(step, query),
            Event::QueryCompressed(query) => {
                let query = query.inflate(&Limits::default())?;
                self.statement(step, &query);
            }
            Event::Incident(incident) => {
                self.incidents.push(lost_events(step, incident.message));
            }
            _ => {}
        }
        Ok(())
    }

    fn see_size(&mut self, step: &Step<'_>, bytes: u64) {
        if self.largest_event.is_none_or(|other| other.bytes < bytes) {
            let gtid = gtid_of(step);
            self.largest_event = Some(LargestEvent { bytes, gtid });
        }
    }

    fn rows_of(
        &mut self,
        step: &Step<'_>,
        rows: &RowsEvent<'_>,
        table: &Table,
    ) -> Result<(), DecodeError> {
        let (schema, map) = (&table.map.schema, &table.map);
        if !self.filter.admits_row_event(schema, &map.table) {
            return Ok(());
        }
        if !rows.has_whole_images() {
            self.one_lane = Some("the logs hold rows whose images are not whole");
        }
        let is_known = !self.definitions.have_changed(schema, &map.table);
        let schema = self.filter.rewrite(schema);
        let name = format!("{schema}.{}", map.table);
        if schema == "mysql" && !self.mysql_rows.contains_key(&name) {
            self.mysql_rows.insert(name.clone(), gtid_of(step));
        }
        let (count, row) = measure(rows, table)?;
        // An event of many rows is divided.
        let mut map = Vec::new();
        table.map.encode(&mut map);
        let head = ROW_HEAD.saturating_add(u64::try_from(map.len()).unwrap_or(u64::MAX));
        self.see_size(step, row.saturating_add(head));
        if is_known {
            let shape = self.shapes.entry(name.clone());
            shape.or_insert_with(|| table.map.clone());
        }
        // They count once the transaction is known to be whole.
        self.open_rows
            .entry(name)
            .or_default()
            .add(rows.kind, count);
        Ok(())
    }

    fn statement(&mut self, step: &Step<'_>, query: &Query<'_>) {
        let sql = &query.sql;
        if StatementKind::of(sql).is_control() {
            return;
        }
        if StatementKind::of(sql) == StatementKind::Dml {
            self.one_lane = Some("the logs hold statements that change rows");
        } else if !self.open_rows.is_empty() {
            self.one_lane = Some("the logs hold definitions behind rows of their transaction");
        }
        let version = sql::version_number(&step.description.server_version);
        self.definitions.take(query, version);
        self.statements = self.statements.saturating_add(1);
        if self.first_statements.len() < DDL_MAX {
            let text = String::from_utf8_lossy(sql);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            self.first_statements
                .push((gtid_of(step), text.chars().take(120).collect()));
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
        if let TransactionGtid::MariaDb(gtid) = transaction.gtid {
            self.wanted_first.entry(gtid.domain).or_insert(gtid);
        }
        for (table, rows) in std::mem::take(&mut self.open_rows) {
            self.tables.entry(table).or_default().add_all(&rows);
        }
        if transaction.gtid == TransactionGtid::None {
            self.anonymous = self.anonymous.saturating_add(1);
            self.one_lane = Some("the logs hold transactions without GTIDs");
        }
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
        if self.first.is_none() {
            self.first = Some(seen.clone());
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

/// How many rows an event has, and how many bytes the largest of them.
fn measure(rows: &RowsEvent<'_>, table: &Table) -> Result<(u64, u64), DecodeError> {
    let (mut count, mut largest) = (0_u64, 0_usize);
    let mut chunks = rows.chunks(&table.plan, &Limits::default())?;
    while let Some(mut reader) = chunks.next_chunk()? {
        while let Some(RowImages { before, after }) = reader.next_images()? {
            count = count.saturating_add(1);
            largest = largest.max(before.len().saturating_add(after.len()));
        }
    }
    Ok((count, u64::try_from(largest).unwrap_or(u64::MAX)))
}

fn gtid_of(step: &Step<'_>) -> TransactionGtid {
    step.transaction.map_or(TransactionGtid::None, |of| of.gtid)
}

fn lost_events(step: &Step<'_>, message: &[u8]) -> LostEvents {
    LostEvents {
        gtid: gtid_of(step),
        file: step.file.to_string(),
        offset: step.place.offset,
        message: String::from_utf8_lossy(message).into_owned(),
    }
}
