//! Transactions for a server that nobody else uses: merged, and over several connections.
//!
//! Nobody sees the target meanwhile, so that a transaction need not be whole there before its commit,
//! which many share. What has to hold is that every row ends as the source left it, exactly once. Rows
//! of a table whose key tells them apart are merged until the commit; others are sent in their order.
//!
//! Each connection is a lane with a row of its own that says up to where its rows are committed, changed
//! in the transaction that commits them. Lanes commit one behind the other: ended in between, the
//! target stands where the last of them does, and a lane that is further on passes over what it has.
//!
//! A statement runs alone, in the first lane, when no other has anything open.

use binlog::event::{Flavour, FormatDescription, XaName};
use binlog::limits::Limits;
use binlog::row::RowPlan;
use binlog::transaction::{StatementKind, TransactionGtid};
use sql::error::SqlError;
use std::sync::Arc;

use super::net::{NetError, NetTable};
use super::{MysqlSession, undecodable};
use crate::mysql::across;
use crate::mysql::binlog_statement::Rows;
use crate::mysql::lane_rule::{KeyColumns, LaneRule, LaneRules};
use crate::mysql::marks::{LaneNote, MarkTable};
use crate::mysql::pipe::Pipe;
use crate::mysql::{AUTOCOMMIT, MysqlOptions, ServerFacts, Truth};
use crate::{
    Ending, Mark, RowsChange, RowsOutcome, Session, StatementChange, StatementOutcome, TargetError,
    UnitHead,
};

/// Bytes of rows that are held to be merged.
const HELD_MAX: usize = 128 << 20;

/// Bytes of rows that were sent and wait for their commit, from which it should come.
const SENT_MAX: usize = 16 << 20;

/// The lanes of one target.
pub(in crate::mysql) struct RestoreSession {
    lanes: Vec<Lane>,
    rules: LaneRules,
    /// For questions about tables.
    asking: Pipe,
    table: MarkTable,
    note: LaneNote,
    /// Whose server it is.
    flavour: Flavour,
    held: Vec<NetTable>,
    /// What wrote the rows that are held.
    description: Option<FormatDescription>,
    sent: usize,
}

/// One connection.
struct Lane {
    session: MysqlSession,
    /// Whether it has the open unit from before.
    has_unit: bool,
    /// Whether it was given something since the last commit.
    is_open: bool,
}

impl RestoreSession {
    /// As many lanes as there are `tables`, each of which names the row of one; the first over a
    /// connection that has the channel.
    pub(in crate::mysql) fn new(
        first: Pipe,
        tables: &[MarkTable],
        note: LaneNote,
        options: &MysqlOptions,
        facts: &ServerFacts,
    ) -> Result<Self, TargetError> {
        let mut first = Some(first);
        let lane = |table: &MarkTable| {
            let options = MysqlOptions {
                truth: Truth::Row(table.clone()),
                ..options.clone()
            };
            let pipe = match first.take() {
                Some(pipe) => pipe,
                None => options.connect()?,
            };
            Ok::<_, TargetError>(Lane {
                session: MysqlSession::new(pipe, options, facts.clone())?,
                has_unit: false,
                is_open: false,
            })
        };
        let lanes: Result<Vec<_>, _> = tables.iter().map(lane).collect();
        let mut asking = options.connect()?;
        super::set_up(&mut asking, options, facts)?;
        asking.ask(AUTOCOMMIT)?;
        let table = tables.first().cloned();
        Ok(Self {
            lanes: lanes?,
            rules: LaneRules::default(),
            asking,
            table: table.ok_or_else(|| TargetError::misuse("a session without lanes"))?,
            note,
            flavour: facts.flavour(),
            held: Vec::new(),
            description: None,
            sent: 0,
        })
    }

    fn each(
        &mut self,
        mut work: impl FnMut(&mut MysqlSession) -> Result<(), TargetError>,
    ) -> Result<(), TargetError> {
        // Those behind one that failed are not left behind.
        let mut first = Ok(());
        for lane in &mut self.lanes {
            let outcome = work(&mut lane.session);
            first = first.and(outcome);
        }
        first
    }

    fn lane(&mut self, lane: usize) -> Result<&mut Lane, TargetError> {
        let lane = self.lanes.get_mut(lane);
        lane.ok_or_else(|| TargetError::misuse("a lane that is not there"))
    }

    /// The only lane. Among several, one that is ahead of the others would have forgotten what they
    /// still need.
    fn alone(&mut self, name: &XaName) -> Result<&mut Lane, TargetError> {
        match self.lanes.len() {
            1 => self.lane(0),
            _ => Err(misuse(&format!("The XA transaction {name}"))),
        }
    }

    /// Gives all rows of `change` to one lane.
    fn whole(&mut self, lane: usize, change: &RowsChange<'_>) -> Result<u64, TargetError> {
        self.sent = self.sent.saturating_add(change.rows.rows.len());
        let lane = self.lane(lane)?;
        if lane.has_unit {
            return change.count().map_err(undecodable);
        }
        lane.is_open = true;
        lane.session.rows(change).map(|outcome| outcome.applied)
    }

    /// Holds the rows of `change` until the commit.
    fn hold(&mut self, change: &RowsChange<'_>, key: &Arc<KeyColumns>) -> Result<u64, TargetError> {
        let description = change.logged.description;
        let is_known = |known: &FormatDescription| super::is_laid_out_alike(known, description);
        if !self.description.as_ref().is_some_and(is_known) {
            self.hand_over()?;
            self.description = Some(description.clone());
        }
        let plan = RowPlan::new(change.map).map_err(undecodable)?;
        let limits = Limits::default();
        let mut chunks = change.rows.chunks(&plan, &limits).map_err(undecodable)?;
        let mut count = 0_u64;
        while let Some(mut reader) = chunks.next_chunk().map_err(undecodable)? {
            let mut at = self.table_of(change, key)?;
            while let Some(row) = reader.next_images().map_err(undecodable)? {
                count = count.saturating_add(1);
                let lanes = self.lanes.len();
                let has = |lane: usize| self.lanes.get(lane).is_none_or(|lane| lane.has_unit);
                let Some(table) = self.held.get_mut(at) else {
                    return Err(TargetError::misuse("a table whose rows are not held"));
                };
                match table.take(change.rows, row, lanes, has) {
                    Ok(()) => continue,
                    Err(NetError::Decode(error)) => return Err(undecodable(error)),
                    Err(NetError::Misfit) => {}
                }
                // The target has to say what it makes of it.
                self.hand_over()?;
                at = self.table_of(change, key)?;
                let has = |lane: usize| self.lanes.get(lane).is_none_or(|lane| lane.has_unit);
                let table = self.held.get_mut(at);
                match table.map(|table| table.take(change.rows, row, lanes, has)) {
                    Some(Ok(())) => {}
                    Some(Err(NetError::Decode(error))) => return Err(undecodable(error)),
                    Some(Err(NetError::Misfit)) | None => {
                        return Err(TargetError::misuse("a row that cannot be held"));
                    }
                }
            }
        }
        let held = self.held.iter().map(NetTable::bytes);
        if held.fold(0, usize::saturating_add) > HELD_MAX {
            self.hand_over()?;
        }
        Ok(count)
    }

    /// Where the rows of the table of `change` are held.
    fn table_of(
        &mut self,
        change: &RowsChange<'_>,
        key: &Arc<KeyColumns>,
    ) -> Result<usize, TargetError> {
        let is_it = |table: &NetTable| {
            table.database == change.database && table.map.table == change.map.table
        };
        let found = self.held.iter().position(is_it);
        if let Some(found) = found {
            let table = self.held.get(found);
            if table.is_some_and(|table| table.is_like(change.map, change.rows)) {
                return Ok(found);
            }
            self.hand_over()?;
        }
        let (database, header) = (change.database, change.logged.header);
        let table = NetTable::new(database, change.map, header, change.rows, Arc::clone(key));
        self.held.push(table.map_err(undecodable)?);
        Ok(self.held.len().saturating_sub(1))
    }

    /// Sends what is held.
    fn hand_over(&mut self) -> Result<(), TargetError> {
        let (Some(description), false) = (&self.description, self.held.is_empty()) else {
            return Ok(());
        };
        let count = self.lanes.len();
        for table in std::mem::take(&mut self.held) {
            let (lanes, map, header) = (&mut self.lanes, &table.map, table.header);
            let sent = &mut self.sent;
            table.hand_out(count, PIECE, |lane, event, rows| {
                let lane = lanes.get_mut(lane);
                let lane = lane.ok_or_else(|| TargetError::misuse("a lane that is not there"))?;
                lane.is_open = true;
                *sent = sent.saturating_add(rows.len());
                let rows = Rows {
                    database: &table.database,
                    map,
                    header,
                    event,
                    rows,
                };
                lane.session.take_part(&rows, description)
            })?;
        }
        Ok(())
    }
}

/// Bytes of rows that go to a lane at once.
const PIECE: usize = 48 << 10;

fn misuse(what: &str) -> TargetError {
    let text = format!("{what} cannot be applied over several connections at once: --parallel 1");
    TargetError::Unsupported(SqlError::new(1235, "42000", text))
}

impl Session for RestoreSession {
    fn begin(&mut self, _first: &UnitHead) -> Result<(), TargetError> {
        Ok(())
    }

    fn unit(&mut self, head: &UnitHead) -> Result<(), TargetError> {
        if head.gtid == TransactionGtid::None && self.lanes.len() > 1 {
            return Err(misuse("A transaction without a GTID"));
        }
        for lane in &mut self.lanes {
            lane.has_unit = lane.session.marked.executed.contains(&head.gtid);
        }
        self.each(|session| session.unit(head))
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<RowsOutcome, TargetError> {
        let name = &change.map.table;
        if self.table.is(change.database, name) || self.table.is_prepared(change.database, name) {
            return Ok(RowsOutcome::default());
        }
        if change.logged.format.flavour != self.flavour {
            across::check_rows(change)?;
        }
        let lanes = self.lanes.len();
        let (database, map) = (change.database, change.map);
        let rule = self.rules.of(&mut self.asking, database, map, lanes)?;
        let applied = match rule {
            LaneRule::Whole { lane, rolls_back } => {
                if !rolls_back {
                    // What cannot be undone should be as little as it can.
                    self.sent = SENT_MAX;
                }
                self.whole(lane, change)
            }
            LaneRule::ByKey(key) if change.rows.has_whole_images() => self.hold(change, &key),
            LaneRule::ByKey(_) if lanes == 1 => {
                self.hand_over()?;
                self.whole(0, change)
            }
            LaneRule::ByKey(_) => Err(misuse("A row whose image is not whole")),
        };
        applied.map(RowsOutcome::all)
    }

    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        if change.kind == StatementKind::Savepoint && self.lanes.len() > 1 {
            // Nothing goes back to it: that is refused.
            return Ok(StatementOutcome::Done);
        }
        self.hand_over()?;
        self.rules.forget();
        if self.lanes.len() > 1 {
            match change.kind {
                StatementKind::Dml => return Err(misuse("A statement that changes rows")),
                StatementKind::Rollback | StatementKind::RollbackTo => {
                    return Err(misuse("A statement that takes changes back"));
                }
                StatementKind::Savepoint
                | StatementKind::Begin
                | StatementKind::Commit
                | StatementKind::XaStart
                | StatementKind::XaEnd
                | StatementKind::XaCommit
                | StatementKind::XaRollback
                | StatementKind::CreateSelect
                | StatementKind::Ddl => {}
            }
            if self.lanes.iter().any(|lane| lane.is_open) {
                return Err(misuse("A definition behind rows of its transaction"));
            }
        }
        let first = self.lane(0)?;
        if first.has_unit {
            return Ok(StatementOutcome::Done);
        }
        first.session.statement(change)
    }

    fn prepare(&mut self, name: &XaName, _is_one_phase: bool) -> Result<(), TargetError> {
        Err(misuse(&format!("The XA transaction {name}")))
    }

    fn keep(&mut self, name: &XaName, number: u32, piece: &[u8]) -> Result<(), TargetError> {
        self.alone(name)?.session.keep(name, number, piece)
    }

    fn kept(&mut self, name: &XaName, number: u32) -> Result<Option<Vec<u8>>, TargetError> {
        self.alone(name)?.session.kept(name, number)
    }

    fn forget(&mut self, name: &XaName) -> Result<(), TargetError> {
        self.alone(name)?.session.forget(name)
    }

    fn forget_tables(&mut self) {}

    fn units_committed(&self) -> usize {
        0
    }

    fn hand_over(&mut self) -> Result<Option<Box<dyn Ending>>, TargetError> {
        Ok(None)
    }

    fn ended(&mut self) -> Result<(), TargetError> {
        Err(TargetError::misuse("an end that was not handed over"))
    }

    fn flush(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn ready(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.sent >= SENT_MAX
    }

    fn undo_unit(&mut self) -> Result<(), TargetError> {
        self.rollback()
    }

    fn commit(&mut self, mark: &Mark<'_>) -> Result<(), TargetError> {
        self.hand_over()?;
        // What is sent to all before anybody waits is done by all at once.
        self.each(|session| {
            session.send_rows()?;
            session.pipe.push()
        })?;
        let mut marked = Vec::with_capacity(self.lanes.len());
        let note = self.note.clone();
        self.each(|session| {
            // The first lane's row is that of the channel.
            let beside = (!marked.is_empty()).then_some(&note);
            marked.push(session.send_mark(mark, beside)?);
            session.pipe.push()
        })?;
        // A lane commits only once all have succeeded.
        self.each(|session| session.pipe.drain())?;
        self.each(|session| {
            session.pipe.send(b"COMMIT")?;
            session.pipe.push()
        })?;
        let mut marked = marked.into_iter();
        self.each(|session| {
            let marked = marked.next().unwrap_or_default();
            session.pipe.drain_commit()?;
            session.committed(marked)
        })?;
        for lane in &mut self.lanes {
            lane.is_open = false;
        }
        self.sent = 0;
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.held.clear();
        self.sent = 0;
        for lane in &mut self.lanes {
            lane.is_open = false;
            lane.has_unit = false;
        }
        self.rules.forget();
        self.each(|session| {
            session.rollback()?;
            // A commit may have gone through whose answer nobody waited for, as another lane had failed.
            session.read_mark()
        })
    }
}

impl MysqlSession {
    /// Takes rows that go into one event.
    fn take_part(
        &mut self,
        rows: &Rows<'_>,
        description: &FormatDescription,
    ) -> Result<(), TargetError> {
        self.describe(description)?;
        self.has_begun = true;
        self.has_rows = true;
        let (pipe, full) = (&mut self.pipe, self.rows.full());
        self.rows.add_rows(rows, full, &mut |sql| pipe.send(sql))
    }
}
