//! Units whose GTID a MariaDB target keeps: each is logged once under it, and nothing else is.

use binlog::row::RowsKind;
use binlog::transaction::TransactionGtid;
use gtid::MariaGtid;
use sql::error::SqlError;

use super::super::doubt::{self, Logged};
use super::super::kinds::Kind;
use super::super::marks::{Begun, Marked};
use super::super::{LOGGED, MysqlOptions, Truth, UNLOGGED};
use super::{MysqlSession, set_up};
use crate::{RowsChange, TargetError, UnitHead};

impl MysqlSession {
    /// Has the truth be what the unit of this head needs, where the server keeps GTIDs: those of a MariaDB
    /// source it cannot.
    pub(super) fn go_by(&mut self, head: &UnitHead) -> Result<(), TargetError> {
        if self.options.otherwise.is_none() {
            return Ok(());
        }
        match (&self.options.truth, head.gtid) {
            (Truth::Gtids, TransactionGtid::MariaDb(_)) => {
                self.go_by_row()?;
                if self.marked.executed.contains(&head.gtid) {
                    let text = "another applier has taken the transaction meanwhile";
                    return Err(TargetError::Retry(SqlError::new(1205, "HY000", text)));
                }
                Ok(())
            }
            (Truth::Row(_), TransactionGtid::MySql(_)) => {
                self.options.truth = Truth::Gtids;
                Ok(())
            }
            (Truth::Gtids, TransactionGtid::MySql(_) | TransactionGtid::None)
            | (Truth::Row(_), TransactionGtid::MariaDb(_) | TransactionGtid::None) => Ok(()),
        }
    }

    /// From here on a row says what is applied, and nobody else applies what it counts.
    pub(in crate::mysql) fn go_by_row(&mut self) -> Result<(), TargetError> {
        let Some(table) = self.options.otherwise.clone() else {
            return Ok(());
        };
        let options = MysqlOptions {
            truth: Truth::Row(table.clone()),
            ..self.options.clone()
        };
        let mut pipe = options.connect()?;
        set_up(&mut pipe, &options, &self.facts)?;
        super::super::create_marks(&options, &self.facts, &mut pipe, &table)?;
        self.renew(pipe, options)
    }

    /// The open unit's GTID, if the server keeps it and what is noted beside it must not take it.
    pub(super) fn kept_gtid(&self) -> Option<MariaGtid> {
        let gtid = self.head.gtid.mariadb()?;
        self.options.keeps_mariadb(&self.facts).then_some(gtid)
    }

    /// Commits a change of the row alone, unlogged. No transaction may be open.
    pub(super) fn note(&mut self, replace: &str) -> Result<(), TargetError> {
        self.pipe.send(UNLOGGED.as_bytes())?;
        // Were it logged, it would take the unit's GTID.
        self.pipe.drain()?;
        for sql in [replace, "COMMIT", LOGGED] {
            self.pipe.send(sql.as_bytes())?;
        }
        Ok(())
    }

    /// What is logged next takes the next number of the applier's own domain.
    pub(super) fn go_to_own_domain(&mut self, gtid: &MariaGtid) -> Result<(), TargetError> {
        let own = MariaGtid {
            domain: self.facts.own_domain(),
            sequence: 0,
            ..*gtid
        };
        let mut out: Vec<Vec<u8>> = Vec::new();
        self.state.mariadb_gtid(&own, &mut out);
        out.iter().try_for_each(|sql| self.pipe.send(sql))
    }

    /// Sets a sequence to rows that a BINLOG statement cannot set it to. False if these are others.
    pub(super) fn has_set_sequence(
        &mut self,
        change: &RowsChange<'_>,
    ) -> Result<bool, TargetError> {
        if !self.facts.is_mariadb
            || self.crosses(&change.logged)
            || change.rows.kind != RowsKind::Write
            || change.rows.has_whole_images()
        {
            return Ok(false);
        }
        let kind = self.kinds.of(&mut self.pipe, self.facts.number, change)?;
        let is_sequence = kind == Kind::Sequence;
        if is_sequence {
            self.kinds.set(&self.options, &self.facts, change)?;
        }
        Ok(is_sequence)
    }

    /// Takes rows for the open unit, whose GTID the server keeps, as their table wants it.
    pub(super) fn keep_rows(
        &mut self,
        gtid: &MariaGtid,
        change: &RowsChange<'_>,
    ) -> Result<(), TargetError> {
        let (pipe, number) = (&mut self.pipe, self.facts.number);
        let kind = self.kinds.of(pipe, number, change)?;
        match kind {
            Kind::Sequence => self.kinds.set(&self.options, &self.facts, change),
            Kind::DoesNotRollBack => {
                if !self.is_logged_alone && !self.has_rows {
                    self.is_done = self.note_rows(gtid)?;
                    self.is_identified |= self.is_done;
                }
                self.take_alone(change)
            }
            Kind::RollsBack | Kind::Versioned if self.is_logged_alone => Err(mixed()),
            Kind::RollsBack | Kind::Versioned => self.take_rows(change),
        }
    }

    /// Takes rows for the open unit, whose MySQL GTID the server keeps. Rows of a table that does not roll
    /// back are logged under it when they are applied, and end it: nothing may come with them.
    pub(super) fn keep_mysql_rows(&mut self, change: &RowsChange<'_>) -> Result<(), TargetError> {
        let kind = match self.kinds.known(change) {
            _ if self.is_creating => Kind::RollsBack,
            Some(kind) => kind,
            None => {
                // It is asked behind everything that was given, but for what must not leave yet.
                let is_held = self.is_logged_alone;
                if !is_held {
                    self.settle()?;
                }
                let (pipe, number) = (&mut self.pipe, self.facts.number);
                let kind = self.kinds.of(pipe, number, change)?;
                if !self.has_begun || (is_held && self.options.client.multi_statements) {
                    // A GTID can be told only outside of a transaction, and looking has begun one.
                    self.pipe.ask("ROLLBACK")?;
                }
                kind
            }
        };
        match kind {
            Kind::DoesNotRollBack if self.has_rows => Err(mixed()),
            // Each of its rows is tried by itself.
            Kind::DoesNotRollBack if self.leniency.is_some() => self.take_leniently_alone(change),
            Kind::DoesNotRollBack => self.take_alone(change),
            Kind::RollsBack | Kind::Versioned | Kind::Sequence if self.is_logged_alone => {
                Err(mixed())
            }
            Kind::RollsBack | Kind::Versioned | Kind::Sequence => self.take_rows(change),
        }
    }

    /// Takes rows that do not roll back, and that the server logs when it applies them: the unit is
    /// like a statement that commits by itself, and is sent as one.
    fn take_alone(&mut self, change: &RowsChange<'_>) -> Result<(), TargetError> {
        if self.has_rows {
            return Err(mixed());
        }
        if self.options.truth == Truth::Gtids && !self.is_logged_alone {
            // What stands in front of them is over.
            self.settle()?;
        }
        self.is_logged_alone = true;
        if self.is_done {
            return Ok(());
        }
        self.alone = (change.database.to_owned(), change.map.table.to_string());
        self.describe(change.logged.description)?;
        self.identify()?;
        self.has_begun = true;
        self.rows.be_one();
        self.rows.add(change, usize::MAX, |_| Ok(()))?;
        if self.rows.len() as u64 > self.facts.packet_max {
            let text = "A transaction of rows that do not roll back on the target, and that is larger \
                        than its max_allowed_packet, which has to be raised there,";
            return Err(TargetError::Unsupported(SqlError::new(1153, "08S01", text)));
        }
        Ok(())
    }

    /// Has the row say that the rows of the unit are begun. True if an earlier session applied them.
    fn note_rows(&mut self, gtid: &MariaGtid) -> Result<bool, TargetError> {
        let Truth::Row(table) = self.options.truth.clone() else {
            return Ok(false);
        };
        let statement = rows_of(gtid);
        let doubted = self.doubted.take();
        if doubted.is_some_and(|doubted| doubted.statement == statement)
            && doubt::logged(&mut self.pipe, gtid)? == Logged::Whole
        {
            return Ok(true);
        }
        let begun = Marked {
            applied: self.marked.clone(),
            begun: Some(Begun {
                statement,
                shape: String::new(),
            }),
        };
        self.pipe.send(b"COMMIT")?;
        self.note(&table.replace(&begun))?;
        self.pipe.drain()?;
        Ok(false)
    }
}

/// What the row says of a unit whose rows are begun.
pub(super) fn rows_of(gtid: &MariaGtid) -> String {
    format!("{gtid} rows")
}

pub(super) fn mixed() -> TargetError {
    let text = "A transaction with rows that do not roll back on the target beside others";
    TargetError::Unsupported(SqlError::new(1235, "42000", text))
}
