//! A session of a MySQL or MariaDB server that takes transactions of a source.
//!
//! Statements of one unit are sent without waiting for each other; a COMMIT and a statement that
//! commits by itself are sent only once everything before them has succeeded. Autocommit is off, so
//! that what follows a transaction that the server rolled back is rolled back as well.

use binlog::event::{EventFlags, Flavour, FormatDescription};
use binlog::row::RowPlan;
use binlog::transaction::{StatementKind, TransactionGtid};
use inspect::{SqlSession, SqlSink, put_versioned, without_start};
use sql::error::SqlError;

use super::binlog_statement::BinlogStatement;
use super::doubt::{self, is_already};
use super::facts::ServerFacts;
use super::marks::{Begun, MarkTable, Marked};
use super::pipe::Pipe;
use super::{MysqlOptions, Truth};
use crate::{
    Applied, Mark, RowsChange, Session, StatementChange, StatementOutcome, TargetError, UnitHead,
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
    if !options.is_logged {
        pipe.ask("SET @@session.sql_log_bin=0")?;
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
    /// Whether a unit was begun since the last commit; a place alone is committed without.
    has_unit: bool,
    /// Whether the server was told the open unit's identifier.
    is_identified: bool,
    /// What the row says once the open transaction is committed.
    marked: Applied,
    /// The statement that an earlier session began, and nobody knows to be done.
    doubted: Option<Begun>,
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
                table.read(&mut pipe)?.unwrap_or_default()
            }
        };
        pipe.ask("COMMIT")?;
        Ok(Self {
            pipe,
            options,
            state: SqlSession::default(),
            rows: BinlogStatement::new(&facts),
            facts,
            description: None,
            head: UnitHead::default(),
            has_begun: false,
            is_anonymous: false,
            has_unit: false,
            is_identified: false,
            marked: marked.applied,
            doubted: marked.begun,
        })
    }

    /// Tells the server the open unit's identifier, where it is kept.
    fn identify(&mut self) -> Result<(), TargetError> {
        if std::mem::replace(&mut self.is_identified, true) {
            return Ok(());
        }
        let mut out: Vec<Vec<u8>> = Vec::new();
        match (&self.options.truth, self.head.gtid) {
            (Truth::Gtids, TransactionGtid::MySql(gtid)) => {
                if let Some(micros) = self.head.commit_micros {
                    put_versioned(&mut out, 80_001, "original_commit_timestamp", micros);
                }
                out.line(format!("SET @@SESSION.GTID_NEXT='{gtid}'").as_bytes());
            }
            (Truth::Gtids, TransactionGtid::None | TransactionGtid::MariaDb(_)) => {
                let text = format!(
                    "the transaction {} has no MySQL GTID that the target could keep",
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
        out.iter().try_for_each(|sql| self.pipe.send(sql))
    }

    /// Tells the server how the events of this log look.
    fn describe(&mut self, description: &FormatDescription) -> Result<(), TargetError> {
        let is_known = |known: &FormatDescription| {
            // When a server started changes nothing about its events.
            known.server_version == description.server_version
                && known.post_header_lengths == description.post_header_lengths
                && known.header_len == description.header_len
        };
        if self.description.as_ref().is_some_and(is_known) {
            return Ok(());
        }
        self.send_rows()?;
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
            Some(sql) => self.pipe.send(&sql),
            None => Ok(()),
        }
    }

    /// Everything before has succeeded.
    fn settle(&mut self) -> Result<(), TargetError> {
        self.send_rows()?;
        self.pipe.drain()
    }

    /// Runs a statement that commits by itself, and has the row say before that it was begun.
    fn run_marked(
        &mut self,
        table: &MarkTable,
        change: &StatementChange<'_>,
    ) -> Result<(), TargetError> {
        let sql = change.query.sql.as_ref();
        // Nothing but its rows could follow a CREATE TABLE .. SELECT in its transaction.
        let sql = without_start(sql).unwrap_or(sql);
        let statement = format!("{} {}", self.head.gtid, String::from_utf8_lossy(sql));
        let shape = doubt::shape(&mut self.pipe, change)?;
        let doubted = self.doubted.take();
        let doubted = doubted.filter(|doubted| doubted.statement == statement);
        if let Some(doubted) = &doubted
            && doubted.shape != shape
        {
            return Ok(());
        }
        let begun = Marked {
            applied: self.marked.clone(),
            begun: Some(Begun { statement, shape }),
        };
        self.pipe.send(table.replace(&begun).as_bytes())?;
        self.pipe.send(b"COMMIT")?;
        self.pipe.drain()?;
        match self.run(change, sql) {
            Err(TargetError::Statement(error)) if doubted.is_some() && is_already(&error) => Ok(()),
            outcome => outcome,
        }
    }

    fn run(&mut self, change: &StatementChange<'_>, sql: &[u8]) -> Result<(), TargetError> {
        let header = &change.logged.header;
        let is_used = !header.flags.contains(EventFlags::SUPPRESS_USE);
        let schema = is_used.then_some(change.database.as_bytes());
        let mut out: Vec<Vec<u8>> = Vec::new();
        let flavour = change.logged.format.flavour;
        self.state
            .enter(change.query, header, flavour, schema, &mut out);
        // What the log says of autocommit is the source's.
        out.line(b"SET @@session.autocommit=0");
        out.iter().try_for_each(|sql| self.pipe.send(sql))?;
        self.pipe.drain()?;
        self.pipe.send(sql)?;
        self.pipe
            .drain_commit()
            .map_err(|error| on_query(error, change))
    }
}

/// The text MySQL's applier has for a statement that failed.
fn on_query(error: TargetError, change: &StatementChange<'_>) -> TargetError {
    match error {
        TargetError::Statement(error) => {
            let sql = String::from_utf8_lossy(&change.query.sql);
            let text = format!(
                "Error '{}' on query. Default database: '{}'. Query: '{sql}'",
                error.message, change.database
            );
            TargetError::Statement(SqlError::new(error.code, error.state, text))
        }
        error => error,
    }
}

impl Session for MysqlSession {
    fn begin(&mut self, _first: &UnitHead) -> Result<(), TargetError> {
        Ok(())
    }

    fn unit(&mut self, head: &UnitHead) -> Result<(), TargetError> {
        self.head = *head;
        self.has_unit = true;
        self.is_identified = false;
        Ok(())
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<u64, TargetError> {
        let undecodable = |error: codec::DecodeError| {
            let text = format!("the rows cannot be decoded: {error}");
            TargetError::Unsupported(SqlError::new(1610, "HY000", text))
        };
        self.describe(change.logged.description)?;
        self.identify()?;
        self.has_begun = true;
        let plan = RowPlan::new(change.map).map_err(undecodable)?;
        let mut count = 0;
        let limits = binlog::limits::Limits::default();
        let mut chunks = change.rows.chunks(&plan, &limits).map_err(undecodable)?;
        let mut pair = binlog::row::RowPair::default();
        while let Some(mut reader) = chunks.next_chunk().map_err(undecodable)? {
            let mut row = pair.recycled();
            while reader.next_into(&mut row).map_err(undecodable)? {
                count += 1;
            }
            pair = row.recycled();
        }
        if self.rows.add(change).map_err(undecodable)? {
            self.send_rows()?;
        }
        Ok(count)
    }

    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        if change.logged.format.flavour == Flavour::MariaDb && !self.facts.is_mariadb
            || change.logged.format.flavour == Flavour::MySql && self.facts.is_mariadb
        {
            let sql = String::from_utf8_lossy(&change.query.sql);
            let text = format!("A statement of another vendor's server, '{sql}',");
            return Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)));
        }
        self.settle()?;
        self.describe(change.logged.description)?;
        self.identify()?;
        self.has_begun = true;
        match self.options.truth.clone() {
            Truth::Row(table) if change.kind != StatementKind::Dml => {
                self.run_marked(&table, change)?;
            }
            Truth::Row(_) | Truth::Gtids => self.run(change, &change.query.sql)?,
        }
        Ok(StatementOutcome::Done)
    }

    fn flush(&mut self) -> Result<(), TargetError> {
        match self.options.truth {
            // The commit comes next, and waits.
            Truth::Gtids => Ok(()),
            Truth::Row(_) => Ok(()),
        }
    }

    fn undo_unit(&mut self) -> Result<(), TargetError> {
        self.rollback()
    }

    fn commit(&mut self, mark: &Mark<'_>) -> Result<(), TargetError> {
        if !self.has_unit && self.options.truth == Truth::Gtids {
            // A server keeps its own GTIDs and no place in anybody's log.
            return Ok(());
        }
        self.identify()?;
        let mut marked = self.marked.clone();
        marked.executed.union(mark.added);
        marked.source = mark.source.cloned();
        marked.relay = mark.relay.cloned();
        if let Truth::Row(table) = &self.options.truth {
            let sql = table.replace(&Marked {
                applied: marked.clone(),
                begun: None,
            });
            self.send_rows()?;
            self.pipe.send(sql.as_bytes())?;
        }
        self.settle()?;
        self.pipe.send(b"COMMIT")?;
        self.pipe.drain_commit()?;
        self.has_begun = false;
        self.has_unit = false;
        self.be_automatic()?;
        self.marked = marked;
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.rows.clear();
        self.is_identified = false;
        self.has_begun = false;
        self.has_unit = false;
        if !self.pipe.is_lost() {
            // What was sent may have failed; that is why it is undone.
            drop(self.pipe.drain());
        }
        if !self.pipe.is_lost() {
            self.pipe.send(b"ROLLBACK")?;
            if self.facts.has_gtids {
                self.pipe.send(b"SET @@SESSION.GTID_NEXT='AUTOMATIC'")?;
            }
            return self.pipe.drain();
        }
        let pipe = Pipe::connect(&self.options.client)?;
        *self = Self::new(pipe, self.options.clone(), self.facts.clone())?;
        Ok(())
    }
}
