//! XA transactions of the source: run as such where the server keeps their GTIDs, else kept in a table
//! until their second half comes.

use binlog::event::XaName;
use binlog::transaction::StatementKind;
use sql::error::SqlError;

use super::super::{MarkTable, Truth};
use super::{MysqlSession, set_up};
use crate::{StatementChange, TargetError};

/// The XA transaction that the open unit runs on the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Xa {
    /// None.
    #[default]
    None,
    /// One that was begun.
    Open,
    /// One that this statement ends, in the place of a COMMIT.
    Ends(String),
}

impl Xa {
    /// What the unit is committed with.
    pub(super) fn end(self) -> String {
        match self {
            Self::None | Self::Open => "COMMIT".to_owned(),
            Self::Ends(sql) => sql,
        }
    }
}

/// Whether a statement of this kind begins or ends XA transactions.
pub(super) const fn is_xa(kind: StatementKind) -> bool {
    match kind {
        StatementKind::XaStart
        | StatementKind::XaEnd
        | StatementKind::XaCommit
        | StatementKind::XaRollback => true,
        StatementKind::Begin
        | StatementKind::Commit
        | StatementKind::Rollback
        | StatementKind::CreateSelect
        | StatementKind::Savepoint
        | StatementKind::RollbackTo
        | StatementKind::Dml
        | StatementKind::Ddl => false,
    }
}

impl MysqlSession {
    /// Runs a statement of an XA transaction on the server; one that ends it waits for the commit.
    pub(super) fn run_xa(&mut self, change: &StatementChange<'_>) -> Result<(), TargetError> {
        let sql = change.query.sql.as_ref();
        let Some(name) = XaName::in_statement(sql) else {
            let sql = String::from_utf8_lossy(sql);
            let text = format!("The statement '{sql}', which names no XA transaction,");
            return Err(TargetError::Unsupported(SqlError::new(1398, "XAE05", text)));
        };
        self.identify()?;
        match (change.kind, &self.xa) {
            (StatementKind::XaStart, Xa::None) => {
                self.pipe.send(format!("XA START {name}").as_bytes())?;
                self.xa = Xa::Open;
            }
            (StatementKind::XaEnd, Xa::Open) => {
                self.pipe.send(format!("XA END {name}").as_bytes())?;
            }
            (StatementKind::XaCommit, Xa::Open) => {
                self.xa = Xa::Ends(format!("XA COMMIT {name} ONE PHASE"));
            }
            (StatementKind::XaCommit, Xa::None) => self.xa = Xa::Ends(format!("XA COMMIT {name}")),
            (StatementKind::XaRollback, Xa::Open | Xa::None) => {
                self.xa = Xa::Ends(format!("XA ROLLBACK {name}"));
            }
            _ => return Err(TargetError::misuse("a statement of XA out of its order")),
        }
        Ok(())
    }

    /// What the open XA transaction will be ended with.
    pub(super) fn end_first_half(
        &mut self,
        name: &XaName,
        is_one_phase: bool,
    ) -> Result<(), TargetError> {
        if self.xa != Xa::Open {
            return Err(TargetError::misuse("an XA transaction that was not begun"));
        }
        self.xa = Xa::Ends(match is_one_phase {
            true => format!("XA COMMIT {name} ONE PHASE"),
            false => format!("XA PREPARE {name}"),
        });
        Ok(())
    }

    fn table(&self) -> Result<MarkTable, TargetError> {
        match &self.options.truth {
            Truth::Row(table) => Ok(table.clone()),
            Truth::Gtids => Err(TargetError::misuse("a server that prepares by itself")),
        }
    }

    /// Keeps a piece of a prepared transaction in the open one.
    pub(super) fn keep_prepared(
        &mut self,
        name: &XaName,
        number: u32,
        piece: &[u8],
    ) -> Result<(), TargetError> {
        let table = self.table()?;
        if number == 0 {
            self.make_table(&table)?;
        }
        self.settle()?;
        self.begin_noting()?;
        if number == 0 {
            self.pipe.send(table.forget(name).as_bytes())?;
        }
        for sql in table.keep(name, number, piece, self.facts.packet_max) {
            self.pipe.send(sql.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn kept_prepared(
        &mut self,
        name: &XaName,
        number: u32,
    ) -> Result<Option<Vec<u8>>, TargetError> {
        let table = self.table()?;
        self.settle()?;
        let kept = table.kept(&mut self.pipe, name, number)?;
        if !self.has_begun {
            // How rows look can be told only outside of a transaction, and looking has begun one.
            self.pipe.ask("COMMIT")?;
        }
        Ok(kept)
    }

    pub(super) fn forget_prepared(&mut self, name: &XaName) -> Result<(), TargetError> {
        let table = self.table()?;
        self.settle()?;
        self.begin_noting()?;
        self.pipe.send(table.forget(name).as_bytes())
    }

    /// What is noted is part of the open unit.
    fn begin_noting(&mut self) -> Result<(), TargetError> {
        self.identify()?;
        self.has_begun = true;
        self.has_rows = true;
        Ok(())
    }

    /// Makes the table over a connection of its own: making it would commit what is open.
    fn make_table(&self, table: &MarkTable) -> Result<(), TargetError> {
        let mut pipe = self.options.connect()?;
        set_up(&mut pipe, &self.options, &self.facts)?;
        if self.options.keeps_mariadb(&self.facts) {
            let domain = self.facts.own_domain();
            pipe.ask(&format!("SET @@session.gtid_domain_id={domain}"))?;
        }
        table.create_prepared(&mut pipe)
    }
}
