//! Tables of a MariaDB target that are not like others, where every transaction keeps its GTID.
//!
//! Such a server logs what does not roll back by itself, in a transaction of its own. The row of a
//! sequence may be set twice without harm, so it is set beside the transaction, under the applier's
//! own domain. Rows of other tables that do not roll back are the only ones of their transaction,
//! as they are on the source. Rows of versioned tables from a server on the other side of 11.5, which
//! moved the end of time, are refused: rows that are there would be history.

use std::collections::HashMap;

use binlog::event::FormatDescription;
use binlog::limits::Limits;
use binlog::row::{RowPair, RowPlan};
use binlog::value::Value;
use protocol::client::QueryResult;
use sql::error::SqlError;

use super::binlog_statement::BinlogStatement;
use super::doubt::quoted;
use super::pipe::Pipe;
use super::session::undecodable;
use super::{MysqlOptions, ServerFacts, session};
use crate::{RowsChange, TargetError};

/// What is known of tables since the last statement of DDL, and the connection for sequences.
#[derive(Default)]
pub(super) struct Kinds {
    known: HashMap<(String, String), Kind>,
    beside: Option<(Pipe, Option<FormatDescription>)>,
}

/// The first version for which rows that are there end in 2106 rather than in 2038.
const LATER_END: u32 = 110_500;

/// What a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    RollsBack,
    Sequence,
    /// It rolls back, and keeps its history.
    Versioned,
    DoesNotRollBack,
}

impl Kinds {
    /// Tables may be others now.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// What the table of `change` is, if the server was asked.
    pub(super) fn known(&self, change: &RowsChange<'_>) -> Option<Kind> {
        let name = (change.database.to_owned(), change.map.table.to_string());
        self.known.get(&name).copied()
    }

    /// What the table of `change` is on a server whose version is `number`.
    pub(super) fn of(
        &mut self,
        pipe: &mut Pipe,
        number: u32,
        change: &RowsChange<'_>,
    ) -> Result<Kind, TargetError> {
        let name = (change.database.to_owned(), change.map.table.to_string());
        let kind = match self.known.get(&name) {
            Some(kind) => *kind,
            None => {
                let kind = ask(pipe, &name.0, &name.1)?;
                self.known.insert(name.clone(), kind);
                kind
            }
        };
        let from = sql::version_number(&change.logged.description.server_version);
        if kind == Kind::Versioned && (from < LATER_END) != (number < LATER_END) {
            let (database, table) = name;
            let text = format!(
                "A change of `{database}`.`{table}`, which keeps its history and comes from a MariaDB \
                 on the other side of 11.5 (the end of time is another there),"
            );
            return Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)));
        }
        Ok(kind)
    }

    /// Sets the row of a sequence.
    pub(super) fn set(
        &mut self,
        options: &MysqlOptions,
        facts: &ServerFacts,
        change: &RowsChange<'_>,
    ) -> Result<(), TargetError> {
        let (mut pipe, described) = match self.beside.take() {
            Some(beside) if !beside.0.is_lost() => beside,
            _ => {
                let mut pipe = options.connect()?;
                session::set_up(&mut pipe, options, facts)?;
                pipe.ask(super::AUTOCOMMIT)?;
                let domain = facts.own_domain();
                pipe.ask(&format!("SET @@session.gtid_domain_id={domain}"))?;
                (pipe, None)
            }
        };
        if !change.rows.has_whole_images() {
            for sql in values(change)? {
                pipe.ask(&sql)?;
            }
            self.beside = Some((pipe, described));
            return Ok(());
        }
        let description = change.logged.description;
        if described.as_ref() != Some(description) {
            pipe.send(&BinlogStatement::description(description))?;
        }
        let mut rows = BinlogStatement::new(facts);
        rows.add(change, usize::MAX, |_| Ok(()))?;
        if let Some(sql) = rows.take() {
            pipe.send(&sql)?;
        }
        pipe.drain()?;
        self.beside = Some((pipe, Some(description.clone())));
        Ok(())
    }
}

/// Statements that set a sequence to its minimal rows, which hold the next value and the number of rounds:
/// a BINLOG statement takes the other columns for zeros there (4085).
fn values(change: &RowsChange<'_>) -> Result<Vec<String>, TargetError> {
    let plan = RowPlan::new(change.map).map_err(undecodable)?;
    let limits = Limits::default();
    let mut chunks = change.rows.chunks(&plan, &limits).map_err(undecodable)?;
    let mut statements = Vec::new();
    while let Some(mut reader) = chunks.next_chunk().map_err(undecodable)? {
        let mut pair = RowPair::default();
        while reader.next_into(&mut pair).map_err(undecodable)? {
            let (Some(Some(Value::Int(next))), Some(Some(Value::Int(round)))) =
                (pair.after.first(), pair.after.last())
            else {
                let text = "The row of a sequence without its next value or round,".to_owned();
                return Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)));
            };
            statements.push(format!(
                "SELECT SETVAL({}.{}, {next}, 0, {round})",
                quoted(change.database),
                quoted(&change.map.table)
            ));
        }
    }
    Ok(statements)
}

fn ask(pipe: &mut Pipe, database: &str, table: &str) -> Result<Kind, TargetError> {
    let sql = format!(
        "SELECT t.TABLE_TYPE, e.TRANSACTIONS FROM information_schema.TABLES t JOIN \
         information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE t.TABLE_SCHEMA = {} AND \
         t.TABLE_NAME = {}",
        super::questions::literal(database),
        super::questions::literal(table)
    );
    let QueryResult::Rows { rows, .. } = pipe.ask(&sql)? else {
        return Ok(Kind::RollsBack);
    };
    // A table that is not there is missed when its rows are applied.
    let Some(row) = rows.first() else {
        return Ok(Kind::RollsBack);
    };
    let cell = |at| super::questions::cell(row, at);
    Ok(match (cell(0).as_str(), cell(1).as_str()) {
        ("SEQUENCE", _) => Kind::Sequence,
        ("SYSTEM VERSIONED", "YES") => Kind::Versioned,
        (_, "YES") => Kind::RollsBack,
        _ => Kind::DoesNotRollBack,
    })
}
