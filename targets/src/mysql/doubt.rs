//! Whether a statement that was begun, before everything ended, took place.
//!
//! A statement of DDL commits by itself, so that no row can say in its own transaction that it is
//! done. Before it the row says that it was begun, and how the tables looked that it changes. Tables
//! that look otherwise now were changed by it. Tables that look the same were not, or what it did
//! does no harm twice; then it is run again, and the errors that say that there is nothing left to
//! do mean that it is done.
//!
//! A database is made in steps: a server that is killed between them leaves one without its character
//! set, in which tables would be made otherwise than at the source. An empty one is therefore made
//! anew. So is a table of MySQL before 8.0, which keeps its definition in a file beside the engine: of a
//! CREATE or DROP that was interrupted the file alone may be left, in the way of the next CREATE.

use gtid::MariaGtid;
use inspect::put_text_literal;
use protocol::client::QueryResult;
use sql::ast::{Ddl, Statement};
use sql::error::SqlError;
use sql::{ParseOptions, SqlMode, parse};

use super::pipe::Pipe;
use crate::{StatementChange, TargetError};

/// What a statement changes, if it is DDL.
fn ddl(change: &StatementChange<'_>) -> Option<Ddl> {
    let options = ParseOptions {
        sql_mode: change
            .query
            .status
            .sql_mode()
            .map_or(SqlMode::DEFAULT, SqlMode::from_bits),
        version: sql::version_number(&change.logged.description.server_version),
        is_logged: true,
        ..ParseOptions::default()
    };
    let text = engine::apply::readable(&change.query.sql, &change.query.status);
    let parsed = parse(&text, &options).ok()?;
    match parsed.statement {
        Statement::Ddl(ddl) => Some(ddl),
        Statement::Empty
        | Statement::Write(_)
        | Statement::Query(_)
        | Statement::Transaction(_)
        | Statement::Account(_)
        | Statement::Replication(_)
        | Statement::Admin(_)
        | Statement::Prepared(_)
        | Statement::NotSupported { .. } => None,
    }
}

/// How the tables look that a statement changes, or the database that it makes; empty if it names
/// none that is known.
pub(super) fn shape(pipe: &mut Pipe, change: &StatementChange<'_>) -> Result<String, TargetError> {
    let Some(ddl) = ddl(change) else {
        return Ok(String::new());
    };
    let mut shape = String::new();
    if let Ddl::CreateDatabase { name, .. } = &ddl {
        let name = quoted(name);
        let look = look(pipe, &format!("SHOW CREATE DATABASE {name}"))?;
        shape.push_str(&format!("{name} {look}\n"));
    }
    for table in ddl.changed_tables() {
        let database = table.database.as_deref().unwrap_or(change.database);
        let name = format!("{}.{}", quoted(database), quoted(&table.name));
        let look = look(pipe, &format!("SHOW CREATE TABLE {name}"))?;
        shape.push_str(&format!("{name} {look}\n"));
    }
    Ok(shape)
}

/// How a table or a database looks that is not there.
const NONE: &str = "none";

fn look(pipe: &mut Pipe, sql: &str) -> Result<String, TargetError> {
    match pipe.ask(sql) {
        Ok(answer) => Ok(second_cell(&answer)),
        // Neither table nor database.
        Err(TargetError::Statement(error)) if matches!(error.code, 1146 | 1049) => {
            Ok(NONE.to_owned())
        }
        Err(error) => Err(error),
    }
}

/// The statements that remove what may be left of tables that a statement makes or removes and that are
/// not there. Other statements may have left rows under another name.
pub(super) fn remains(
    pipe: &mut Pipe,
    change: &StatementChange<'_>,
) -> Result<Vec<String>, TargetError> {
    let Some(ddl @ (Ddl::CreateTable(_) | Ddl::DropTable { .. })) = ddl(change) else {
        return Ok(Vec::new());
    };
    let mut removals = Vec::new();
    for table in ddl.changed_tables() {
        let database = table.database.as_deref().unwrap_or(change.database);
        let name = format!("{}.{}", quoted(database), quoted(&table.name));
        if look(pipe, &format!("SHOW CREATE TABLE {name}"))? == NONE {
            removals.push(format!("DROP TABLE IF EXISTS {name}"));
        }
    }
    Ok(removals)
}

/// Whether what a statement was to make was not there when it began.
pub(super) fn was_nothing(shape: &str) -> bool {
    shape.ends_with(" none\n")
}

/// The statement that removes the database that a statement makes, if that is there and empty.
pub(super) fn removal(
    pipe: &mut Pipe,
    change: &StatementChange<'_>,
) -> Result<Option<String>, TargetError> {
    let Some(Ddl::CreateDatabase { name, .. }) = ddl(change) else {
        return Ok(None);
    };
    let mut of_name = Vec::new();
    put_text_literal(&mut of_name, &name);
    let of_name = String::from_utf8_lossy(&of_name).into_owned();
    let count = pipe.scalar(&format!(
        "SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {of_name}) + \
         (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {of_name})"
    ))?;
    let is_empty = count.as_deref() == Some("0");
    Ok(is_empty.then(|| format!("DROP DATABASE {}", quoted(&name))))
}

/// Whether a MariaDB target has logged a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logged {
    /// It has.
    Whole,
    /// Its number is taken by another server: its own, if a crash interrupted a statement that it
    /// finished and logged when it started again.
    ByAnother,
    /// It has not.
    Not,
}

/// Whether a MariaDB target has logged the transaction. Its units come in order, so it has if the
/// last one of the same domain and server is not before it.
pub(super) fn logged(pipe: &mut Pipe, gtid: &MariaGtid) -> Result<Logged, TargetError> {
    let state = pipe.scalar("SELECT @@GLOBAL.gtid_binlog_state")?;
    Ok(logged_by(&state.unwrap_or_default(), gtid))
}

fn logged_by(state: &str, gtid: &MariaGtid) -> Logged {
    let last = state
        .split(',')
        .filter_map(|text| text.parse::<MariaGtid>().ok());
    let mut logged = Logged::Not;
    for last in last.filter(|last| last.domain == gtid.domain) {
        if last.sequence >= gtid.sequence && logged != Logged::Whole {
            logged = match last.server == gtid.server {
                true => Logged::Whole,
                false => Logged::ByAnother,
            };
        }
    }
    logged
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn second_cell(answer: &QueryResult) -> String {
    let QueryResult::Rows { rows, .. } = answer else {
        return String::new();
    };
    let cell = rows.first().and_then(|row| row.get(1)?.as_deref());
    String::from_utf8_lossy(cell.unwrap_or_default()).into_owned()
}

/// Whether the error says that what was to be made is there, or what was to be removed is not.
pub(super) const fn is_already(error: &SqlError) -> bool {
    matches!(
        error.code,
        // Databases, tables, columns, keys, routines, triggers, events, accounts, constraints.
        1007 | 1008
            | 1050
            | 1051
            | 1060
            | 1061
            | 1068
            | 1091
            | 1146
            | 1304
            | 1305
            | 1359
            | 1360
            | 1396
            | 1537
            | 1539
            | 1826
            | 3822
            | 3939
            | 3940
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_a_transaction_whose_number_its_server_has_reached() {
        let gtid = "0-1-7".parse().unwrap();
        for (state, expected) in [
            ("", Logged::Not),
            ("0-1-6,0-2-3,7-1-9", Logged::Not),
            ("0-2-3,0-1-7", Logged::Whole),
            ("0-1-6,0-2-7", Logged::ByAnother),
            ("0-2-9,0-1-8", Logged::Whole),
        ] {
            assert_eq!(logged_by(state, &gtid), expected, "{state}");
        }
    }
}
