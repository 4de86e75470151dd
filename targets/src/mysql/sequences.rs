//! Tables of a MariaDB target whose rows do not roll back, where every transaction keeps its GTID.
//!
//! Such a server logs what does not roll back by itself, under a number of its own. The row of a
//! sequence may be set twice without harm, so it is set beside the transaction, under the applier's
//! own domain. Rows of other such tables could be there twice after a crash, and are refused.

use std::collections::HashMap;

use binlog::event::FormatDescription;
use protocol::client::QueryResult;
use sql::error::SqlError;

use super::binlog_statement::BinlogStatement;
use super::pipe::Pipe;
use super::{MysqlOptions, OWN_DOMAIN, ServerFacts, session};
use crate::{RowsChange, TargetError};

/// What is known of tables since the last statement of DDL, and the connection for sequences.
#[derive(Default)]
pub(super) struct Sequences {
    known: HashMap<(String, String), Kind>,
    beside: Option<(Pipe, Option<FormatDescription>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    RollsBack,
    Sequence,
    /// Its engine.
    DoesNot(String),
}

impl Sequences {
    /// Tables may be others now.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Whether `change` is of a sequence.
    pub(super) fn is_sequence(
        &mut self,
        pipe: &mut Pipe,
        change: &RowsChange<'_>,
    ) -> Result<bool, TargetError> {
        let name = (change.database.to_owned(), change.map.table.to_string());
        let kind = match self.known.get(&name) {
            Some(kind) => kind.clone(),
            None => {
                let kind = ask(pipe, &name.0, &name.1)?;
                self.known.insert(name.clone(), kind.clone());
                kind
            }
        };
        match kind {
            Kind::RollsBack => Ok(false),
            Kind::Sequence => Ok(true),
            Kind::DoesNot(engine) => {
                let (database, table) = name;
                let text = format!(
                    "A change of `{database}`.`{table}`, whose engine on the target, {engine}, does \
                     not roll back: after a crash it could be there twice,"
                );
                Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)))
            }
        }
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
                let mut pipe = Pipe::connect(&options.client)?;
                session::set_up(&mut pipe, options, facts)?;
                pipe.ask(super::AUTOCOMMIT)?;
                pipe.ask(&format!("SET @@session.gtid_domain_id={OWN_DOMAIN}"))?;
                (pipe, None)
            }
        };
        let description = change.logged.description;
        if described.as_ref() != Some(description) {
            pipe.send(&BinlogStatement::description(description))?;
        }
        let mut rows = BinlogStatement::default();
        rows.add(change).map_err(session::undecodable)?;
        if let Some(sql) = rows.take() {
            pipe.send(&sql)?;
        }
        pipe.drain()?;
        self.beside = Some((pipe, Some(description.clone())));
        Ok(())
    }
}

fn ask(pipe: &mut Pipe, database: &str, table: &str) -> Result<Kind, TargetError> {
    let sql = format!(
        "SELECT t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS FROM information_schema.TABLES t JOIN \
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
    Ok(match (cell(0).as_str(), cell(2).as_str()) {
        ("SEQUENCE", _) => Kind::Sequence,
        (_, "YES") => Kind::RollsBack,
        _ => Kind::DoesNot(cell(1)),
    })
}
