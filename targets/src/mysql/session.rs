//! A session of a MySQL or MariaDB server that takes transactions of a source.
//!
//! Statements of one unit are sent without waiting for each other; a COMMIT and a statement that
//! commits by itself are sent only once everything before them has succeeded. Autocommit is off, so
//! that what follows a transaction that the server rolled back is rolled back as well.

mod alone;
mod claim;
mod joined;
mod kept;
mod known_columns;
mod lenient;
mod marked_statement;
mod net;
mod restore;
mod statements;
mod xa;

use binlog::event::{FormatDescription, XaName};
use binlog::row::Column;
use binlog::transaction::{StatementKind, TransactionGtid};
use claim::Claim;
use inspect::{SqlSession, SqlSink};
use joined::Joined;
use kept::rows_of;
use lenient::Leniency;
pub(super) use restore::RestoreSession;
use sql::error::SqlError;
use xa::Xa;

use super::across;
use super::binlog_statement::BinlogStatement;
use super::cluster::{self, Shared};
pub(super) use super::error::undecodable;
use super::facts::ServerFacts;
use super::kinds::Kinds;
use super::marks::{Begun, LaneNote, Marked};
use super::pipe::Pipe;
use super::{LOGGED, MysqlOptions, Truth};
use crate::{
    Applied, Ending, Mark, RowRules, RowsChange, RowsOutcome, Session, StatementChange,
    StatementOutcome, TargetError, UnitHead,
};

/// Prepares a connection for what an applier does.
pub(super) fn set_up(
    pipe: &mut Pipe,
    options: &MysqlOptions,
    facts: &ServerFacts,
) -> Result<(), TargetError> {
    pipe.ask("SET NAMES utf8")?;
    pipe.ask("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")?;
    pipe.ask("SET @@session.autocommit=0, @@session.completion_type=0")?;
    pipe.ask("SET @@session.sql_mode=''")?;
    if options.client.multi_statements {
        // One of several, who wait for each other: what has a lock may be what has to be undone.
        pipe.ask("SET @@session.innodb_lock_wait_timeout=1, @@session.lock_wait_timeout=1")?;
    }
    if !options.is_logged {
        pipe.ask("SET @@session.sql_log_bin=0")?;
    }
    if facts.is_node {
        pipe.ask(cluster::SESSION)?;
    }
    if !facts.is_mariadb && facts.number >= 50_530 {
        pipe.ask("SET @@session.pseudo_slave_mode=1")?;
    }
    Ok(())
}

/// One connection.
pub(super) struct MysqlSession {
    pipe: Pipe,
    options: MysqlOptions,
    facts: ServerFacts,
    /// What the connection's variables are set to.
    state: SqlSession,
    rows: BinlogStatement,
    /// The description that the server was told.
    description: Option<FormatDescription>,
    head: UnitHead,
    /// Whether something was changed since the last commit.
    has_begun: bool,
    /// Whether the server would take the next transaction for an anonymous one.
    is_anonymous: bool,
    /// How many units were begun since the last commit; a place alone is committed without.
    units: u64,
    /// Whether the server was told the open unit's identifier.
    is_identified: bool,
    /// Whether the open unit is logged under its identifier when it is applied, in front of the row.
    is_logged_alone: bool,
    /// The database and the table of the last such rows.
    alone: (String, String),
    /// Whether an earlier session applied the rows of the open unit.
    is_done: bool,
    /// Whether the open unit has rows that roll back.
    has_rows: bool,
    /// Whether the open unit has made the table of its rows, in the same transaction: it rolls back, and the
    /// server answers no question until it is committed.
    is_creating: bool,
    kinds: Kinds,
    /// Tables of a cluster.
    shared: Shared,
    claim: Claim,
    /// Whether the session's GTID_NEXT is that of a transaction that is over.
    has_used_gtid: bool,
    /// What the row says once the open transaction is committed.
    marked: Applied,
    /// The statement that an earlier session began, and nobody knows to be done.
    doubted: Option<Begun>,
    /// The XA transaction that the open unit runs.
    xa: Xa,
    /// What becomes of rows that do not fit.
    leniency: Leniency,
    /// Statements that leave with the next one, where one query may be several.
    joined: Joined,
}

impl MysqlSession {
    pub(super) fn new(
        mut pipe: Pipe,
        options: MysqlOptions,
        facts: ServerFacts,
    ) -> Result<Self, TargetError> {
        set_up(&mut pipe, &options, &facts)?;
        let marked = match &options.truth {
            Truth::Gtids => Marked::default(),
            Truth::Row(table) => {
                table.fence(&mut pipe)?;
                claim::read_firmly(&mut pipe, table, &facts)?
            }
        };
        pipe.ask("COMMIT")?;
        let state = SqlSession::going_to(facts.destination());
        let mut session = Self {
            pipe,
            options,
            state,
            rows: BinlogStatement::new(&facts),
            facts,
            description: None,
            head: UnitHead::default(),
            has_begun: false,
            is_anonymous: false,
            units: 0,
            is_identified: false,
            is_logged_alone: false,
            alone: Default::default(),
            is_done: false,
            has_rows: false,
            is_creating: false,
            kinds: Kinds::default(),
            shared: Shared::default(),
            claim: Claim::default(),
            has_used_gtid: false,
            marked: Applied::default(),
            doubted: None,
            xa: Xa::None,
            leniency: Leniency::default(),
            joined: Joined::default(),
        };
        session.learn(marked);
        Ok(session)
    }

    /// Takes note of what the row says.
    fn learn(&mut self, marked: Marked) {
        self.knows(marked.begun.clone());
        self.marked = marked.applied;
        self.doubted = marked.begun;
    }

    /// Tells the server the open unit's identifier, where it is kept.
    fn identify(&mut self) -> Result<(), TargetError> {
        if std::mem::replace(&mut self.is_identified, true) {
            return Ok(());
        }
        let mut out: Vec<Vec<u8>> = Vec::new();
        match (&self.options.truth, self.head.gtid) {
            (Truth::Gtids, TransactionGtid::MySql(gtid)) => {
                let first = match self.head.commit_micros {
                    Some(micros) if self.facts.number >= 80_001 && !self.facts.is_mariadb => {
                        format!("@@SESSION.original_commit_timestamp={micros}, ")
                    }
                    _ => String::new(),
                };
                out.line(format!("SET {first}@@SESSION.GTID_NEXT='{gtid}'").as_bytes());
                self.has_used_gtid = false;
            }
            (Truth::Gtids, TransactionGtid::None | TransactionGtid::MariaDb(_)) => {
                let text = format!(
                    "the transaction {} has no MySQL GTID that the target could keep; a replica with \
                     gtid_mode=OFF, whose source has none, keeps its place in a row there",
                    self.head.gtid
                );
                return Err(TargetError::Unsupported(SqlError::new(1837, "HY000", text)));
            }
            (Truth::Row(_), TransactionGtid::MariaDb(gtid))
                if self.facts.is_mariadb && self.options.keeps_mariadb_gtids =>
            {
                self.state.mariadb_gtid(&gtid, &mut out);
            }
            (Truth::Row(_), _) => {}
        }
        if self.options.client.multi_statements {
            out.iter().for_each(|sql| self.joined.add(sql));
            return Ok(());
        }
        out.iter().try_for_each(|sql| self.pipe.send(sql))
    }

    /// Tells the server how the events of this log look.
    fn describe(&mut self, description: &FormatDescription) -> Result<(), TargetError> {
        let own;
        let description = match description.is_mariadb() == self.facts.is_mariadb {
            true => description,
            false => {
                own = self.facts.own_description();
                &own
            }
        };
        let is_known = |known: &FormatDescription| is_laid_out_alike(known, description);
        if self.description.as_ref().is_some_and(is_known) {
            return Ok(());
        }
        self.send_rows()?;
        self.send_joined()?;
        if std::mem::take(&mut self.has_used_gtid) {
            // No statement that might be logged runs under a GTID whose transaction is over.
            self.pipe.send(b"SET @@SESSION.GTID_NEXT='AUTOMATIC'")?;
        }
        self.pipe.send(&BinlogStatement::description(description))?;
        // It leaves the session with an anonymous next transaction.
        self.is_anonymous = self.facts.has_gtids;
        if !self.has_begun {
            self.be_automatic()?;
        }
        self.description = Some(description.clone());
        Ok(())
    }

    fn be_automatic(&mut self) -> Result<(), TargetError> {
        match std::mem::take(&mut self.is_anonymous) {
            true => self.pipe.send(b"SET @@SESSION.GTID_NEXT='AUTOMATIC'"),
            false => Ok(()),
        }
    }

    fn send_rows(&mut self) -> Result<(), TargetError> {
        match self.rows.take() {
            Some(sql) => {
                self.joined.add(&sql);
                self.send_joined()
            }
            None => Ok(()),
        }
    }

    /// Everything before has succeeded.
    fn settle(&mut self) -> Result<(), TargetError> {
        if self.are_rows_alone() {
            return self.settle_alone();
        }
        self.send_rows()?;
        self.send_joined()?;
        self.pipe.drain()
    }

    /// Whether this comes from a server of the other vendor.
    fn crosses(&self, logged: &crate::Logged<'_>) -> bool {
        logged.format.flavour != self.facts.flavour()
    }

    fn take_rows(&mut self, change: &RowsChange<'_>) -> Result<(), TargetError> {
        if self.crosses(&change.logged) {
            across::check_rows(change)?;
        }
        self.describe(change.logged.description)?;
        self.identify()?;
        self.has_begun = true;
        self.has_rows = true;
        if self.leniency.is_some() {
            return self.take_leniently(change);
        }
        let (pipe, joined, full) = (&mut self.pipe, &mut self.joined, self.rows.full());
        self.rows
            .add(change, full, |sql| joined.leave_with(sql, pipe))
    }
}

/// Whether events of both look alike. When a server started changes nothing about them.
fn is_laid_out_alike(ours: &FormatDescription, theirs: &FormatDescription) -> bool {
    ours.server_version == theirs.server_version
        && ours.post_header_lengths == theirs.post_header_lengths
        && ours.header_len == theirs.header_len
}

impl Session for MysqlSession {
    fn begin(&mut self, _first: &UnitHead) -> Result<(), TargetError> {
        self.joined.begin();
        Ok(())
    }

    fn unit(&mut self, head: &UnitHead) -> Result<(), TargetError> {
        self.end_unit()?;
        self.go_by(head)?;
        self.claim_for(head)?;
        self.head = *head;
        self.units = self.units.saturating_add(1);
        self.is_identified = false;
        self.is_logged_alone = false;
        self.is_done = false;
        self.has_rows = false;
        self.is_creating = false;
        Ok(())
    }

    fn follow(&mut self, rules: &RowRules) -> Result<(), TargetError> {
        self.leniency.follow(rules);
        Ok(())
    }

    fn known_columns(
        &mut self,
        database: &str,
        table: &str,
    ) -> Result<Vec<Column<'static>>, TargetError> {
        self.settle()?;
        self.ask_columns(database, table)
    }

    fn forget_tables(&mut self) {
        self.kinds.forget();
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<RowsOutcome, TargetError> {
        if let Truth::Row(table) = &self.options.truth
            && (table.is(change.database, &change.map.table)
                || table.is_prepared(change.database, &change.map.table))
        {
            // The source is the target of another applier, whose notes are not this one's.
            return Ok(RowsOutcome::default());
        }
        if self.facts.is_node {
            self.shared.check(&mut self.pipe, change)?;
        }
        let count = change.count().map_err(undecodable)?;
        match self.kept_gtid() {
            Some(gtid) => self.keep_rows(&gtid, change)?,
            None if self.has_set_sequence(change)? => {}
            None if self.options.truth == Truth::Gtids => self.keep_mysql_rows(change)?,
            None => self.take_rows(change)?,
        }
        Ok(self.outcome(count))
    }

    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        if self.crosses(&change.logged) {
            if change.kind == StatementKind::Dml {
                let sql = String::from_utf8_lossy(&change.query.sql);
                let text = format!("A statement of another vendor's server, '{sql}',");
                return Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)));
            }
            if let Some(construct) = across::not_kept(change)? {
                return Ok(StatementOutcome::NotKept { construct });
            }
        }
        if change.kind == StatementKind::Dml && self.options.truth == Truth::Gtids {
            self.check_beside_alone()?;
        }
        self.settle()?;
        self.kinds.forget();
        self.shared.forget();
        self.is_creating = change.kind == StatementKind::CreateSelect;
        self.describe(change.logged.description)?;
        let had_begun = std::mem::replace(&mut self.has_begun, true);
        match self.options.truth.clone() {
            _ if statements::is_inside(change.kind) => self.run_inside(change)?,
            Truth::Row(table) => {
                if had_begun {
                    return Err(statements::behind_rows(change));
                }
                self.run_marked(&table, change)?;
            }
            Truth::Gtids if xa::is_xa(change.kind) => self.run_xa(change)?,
            Truth::Gtids => {
                self.identify()?;
                self.run(change, &change.query.sql)?;
            }
        }
        Ok(StatementOutcome::Done)
    }

    fn prepare(&mut self, name: &XaName, is_one_phase: bool) -> Result<(), TargetError> {
        self.end_first_half(name, is_one_phase)
    }

    fn keep(&mut self, name: &XaName, number: u32, piece: &[u8]) -> Result<(), TargetError> {
        self.keep_prepared(name, number, piece)
    }

    fn kept(&mut self, name: &XaName, number: u32) -> Result<Option<Vec<u8>>, TargetError> {
        self.kept_prepared(name, number)
    }

    fn forget(&mut self, name: &XaName) -> Result<(), TargetError> {
        self.forget_prepared(name)
    }

    /// The commit comes next, and waits.
    fn flush(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn ready(&mut self) -> Result<(), TargetError> {
        if self.units > 0 {
            self.identify()?;
        }
        self.settle()
    }

    fn hand_over(&mut self) -> Result<Option<Box<dyn Ending>>, TargetError> {
        self.hand_end_over()
    }

    fn units_committed(&self) -> usize {
        self.joined.committed()
    }

    fn ended(&mut self) -> Result<(), TargetError> {
        self.pipe.drain_commit()?;
        self.committed(Applied::default())
    }

    fn is_full(&self) -> bool {
        false
    }

    fn undo_unit(&mut self) -> Result<(), TargetError> {
        self.rollback()
    }

    fn commit(&mut self, mark: &Mark<'_>) -> Result<(), TargetError> {
        if self.units == 0 && self.options.truth == Truth::Gtids {
            // A server keeps its own GTIDs and no place in anybody's log.
            return Ok(());
        }
        if self.units > 0 {
            self.identify()?;
        }
        self.claim()?;
        let marked = self.marked_with(mark);
        if self.commit_joined()? {
            return self.committed(marked);
        }
        if let Truth::Row(table) = &self.options.truth {
            let sql = table.replace(&Marked {
                applied: marked.clone(),
                begun: None,
            });
            let keeps = self.options.keeps_mariadb(&self.facts);
            if keeps && (self.is_logged_alone || self.units == 0) {
                self.settle()?;
                self.pipe.send(b"COMMIT")?;
                self.note(&sql)?;
                self.pipe.drain_commit()?;
                return self.committed(marked);
            }
            self.send_rows()?;
            self.pipe.send(sql.as_bytes())?;
        }
        self.settle()?;
        self.tries(&marked);
        let end = self.xa.clone().end();
        self.pipe.send(end.as_bytes())?;
        self.pipe.drain_commit()?;
        self.joined.has_committed();
        self.committed(marked)
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.rows.clear();
        self.joined.clear();
        // A variable that was to be set may have been refused.
        self.state = SqlSession::going_to(self.facts.destination());
        self.is_identified = false;
        self.is_logged_alone = false;
        self.is_done = false;
        self.has_rows = false;
        self.is_creating = false;
        self.has_used_gtid = false;
        self.has_begun = false;
        self.units = 0;
        // A ROLLBACK ends no XA transaction; the end of its connection does.
        let is_in_xa = std::mem::take(&mut self.xa) != Xa::None;
        if !self.pipe.is_lost() {
            // What was sent may have failed; that is why it is undone.
            drop(self.pipe.drain());
        }
        if !self.pipe.is_lost() && !is_in_xa {
            self.pipe.send(b"ROLLBACK")?;
            if self.options.keeps_mariadb(&self.facts) {
                // It may have failed between the two.
                self.pipe.send(LOGGED.as_bytes())?;
            }
            if self.facts.has_gtids {
                self.pipe.send(b"SET @@SESSION.GTID_NEXT='AUTOMATIC'")?;
            }
            self.pipe.drain()?;
            return match self.facts.is_node {
                // The COMMIT of a statement of DDL's intent may have been refused, and its end.
                true => self.read_mark(),
                false => Ok(()),
            };
        }
        let pipe = self.options.connect()?;
        self.renew(pipe, self.options.clone())
    }
}

impl MysqlSession {
    /// What the row says behind a commit that leads to `mark`; nothing where there is none.
    fn marked_with(&self, mark: &Mark<'_>) -> Applied {
        if self.options.truth == Truth::Gtids {
            return Applied::default();
        }
        let mut marked = self.marked.clone();
        marked.executed.union(mark.added);
        marked.source = mark.source.cloned();
        marked.relay = mark.relay.cloned();
        marked
    }

    /// Reads again what the row says.
    fn read_mark(&mut self) -> Result<(), TargetError> {
        if let Truth::Row(table) = &self.options.truth {
            let marked = table.read(&mut self.pipe)?.unwrap_or_default();
            self.pipe.ask("COMMIT")?;
            self.learn_again(marked)?;
        }
        Ok(())
    }

    /// Sends the change of the row, for a commit that is sent by itself.
    fn send_mark(
        &mut self,
        mark: &Mark<'_>,
        beside: Option<&LaneNote>,
    ) -> Result<Applied, TargetError> {
        let applied = self.marked_with(mark);
        if let Truth::Row(table) = &self.options.truth {
            let sql = table.replace(&Marked {
                applied: applied.clone(),
                begun: beside.map(LaneNote::begun),
            });
            self.pipe.send(sql.as_bytes())?;
        }
        Ok(applied)
    }

    /// Takes note of a commit.
    fn committed(&mut self, marked: Applied) -> Result<(), TargetError> {
        self.has_begun = false;
        self.units = 0;
        self.xa = Xa::None;
        self.has_used_gtid = self.options.truth == Truth::Gtids;
        self.be_automatic()?;
        self.marked = marked;
        self.settles();
        Ok(())
    }
}
