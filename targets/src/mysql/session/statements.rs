//! Statements of the source: definitions, and what a log in statement format holds beside rows.
//!
//! A statement runs under the session that its QUERY event describes, behind the ids, seeds and user
//! variables that stood in front of it.

use std::io::Seek as _;

use binlog::event::{EventFlags, LoadDuplicates};
use binlog::transaction::StatementKind;
use gtid::MariaGtid;
use inspect::{load_local, put_variable};
use protocol::client::QueryResult;
use sql::error::SqlError;

use super::kept::mixed;
use super::{MysqlSession, undecodable};
use crate::mysql::Truth;
use crate::{LoadedFile, StatementChange, TargetError};

/// Whether a statement of this kind is part of a transaction, and ends none.
pub(super) const fn is_inside(kind: StatementKind) -> bool {
    match kind {
        StatementKind::Dml
        | StatementKind::Savepoint
        | StatementKind::RollbackTo
        | StatementKind::Rollback => true,
        StatementKind::Begin
        | StatementKind::Commit
        | StatementKind::XaStart
        | StatementKind::XaEnd
        | StatementKind::XaCommit
        | StatementKind::XaRollback
        | StatementKind::CreateSelect
        | StatementKind::Ddl => false,
    }
}

impl MysqlSession {
    /// Runs a statement inside the open unit.
    pub(super) fn run_inside(&mut self, change: &StatementChange<'_>) -> Result<(), TargetError> {
        if change.kind == StatementKind::Rollback {
            return self.undo_changes(change);
        }
        self.identify()?;
        self.run(change, &change.query.sql)?;
        // Rows that do not roll back must not come behind it.
        self.has_rows |= change.kind == StatementKind::Dml && self.options.truth == Truth::Gtids;
        match self.kept_gtid() {
            Some(gtid) if change.kind == StatementKind::Dml => self.look_for_log(&gtid),
            Some(_) | None => Ok(()),
        }
    }

    /// MariaDB logs what does not roll back as soon as it is done, and under the unit's GTID, which nothing
    /// else must take then.
    fn look_for_log(&mut self, gtid: &MariaGtid) -> Result<(), TargetError> {
        let last = self.pipe.scalar("SELECT @@session.last_gtid")?;
        let is_logged = last.is_some_and(|last| last == gtid.to_string());
        if is_logged && self.has_rows {
            return Err(mixed());
        }
        self.is_logged_alone |= is_logged;
        self.has_rows |= !is_logged;
        Ok(())
    }

    /// What rolls back is undone; the server knows what does not. The unit is committed all the same.
    fn undo_changes(&mut self, change: &StatementChange<'_>) -> Result<(), TargetError> {
        if self.units > 1 {
            let sql = String::from_utf8_lossy(&change.query.sql);
            let text = format!("The statement '{sql}' of a unit that shares its commit");
            return Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)));
        }
        self.pipe.send(b"ROLLBACK")?;
        self.lets_go();
        self.has_rows = false;
        // It may have been the end of the GTID, or of the wish for it.
        self.is_identified = self.is_logged_alone;
        Ok(())
    }

    pub(super) fn run(
        &mut self,
        change: &StatementChange<'_>,
        sql: &[u8],
    ) -> Result<(), TargetError> {
        let header = &change.logged.header;
        let is_used = !header.flags.contains(EventFlags::SUPPRESS_USE);
        let schema = is_used.then_some(change.database.as_bytes());
        let mut out: Vec<Vec<u8>> = Vec::new();
        let flavour = change.logged.format.flavour;
        self.state.come_from(change.logged.description);
        self.state
            .enter(change.query, header, flavour, schema, &mut out);
        out.iter().try_for_each(|sql| self.pipe.send(sql))?;
        self.pipe.drain()?;
        let needed = needed_by(change)?;
        for sql in needed.iter().map(Vec::as_slice).chain([sql]) {
            self.check_size(sql, change)?;
        }
        needed.iter().try_for_each(|sql| self.pipe.send(sql))?;
        let done = match &change.file {
            None => {
                self.pipe.send(sql)?;
                self.pipe.drain_commit()
            }
            Some(file) => self.load(sql, file),
        };
        done.map_err(|error| on_query(error, change))
    }

    /// Refuses what the server would end the connection for, again and again.
    fn check_size(&mut self, sql: &[u8], change: &StatementChange<'_>) -> Result<(), TargetError> {
        let len = sql.len() as u64;
        if len < self.facts.packet_max {
            return Ok(());
        }
        // It may have been raised since.
        let most = self.pipe.scalar("SELECT @@session.max_allowed_packet")?;
        let most = most.and_then(|bytes| bytes.parse().ok()).unwrap_or(0_u64);
        if len < most {
            return Ok(());
        }
        let statement = String::from_utf8_lossy(&change.query.sql);
        let statement: String = statement.chars().take(200).collect();
        let text = format!(
            "The statement '{statement}', or a user variable that it needs, takes {len} bytes, and the \
             target's max_allowed_packet is {most}: raise it there and start the replica again"
        );
        Err(TargetError::Config(SqlError::new(1153, "08S01", text)))
    }

    /// Runs a LOAD DATA with its file as one of this side's. The server leaves out rows then whose keys are
    /// there, as it would not without LOCAL: that there were none is in what it answers.
    fn load(&mut self, sql: &[u8], file: &LoadedFile<'_>) -> Result<(), TargetError> {
        if self.facts.splits_files {
            let text = "LOAD DATA on a node that commits it in parts (wsrep_load_data_splitting=ON): set it OFF";
            return Err(TargetError::Config(SqlError::new(1235, "42000", text)));
        }
        let duplicates = LoadDuplicates(file.duplicates);
        let local = load_local(sql, file.name, duplicates, "weir").ok_or_else(|| {
            let text = "A LOAD DATA whose file is named outside of it,".to_owned();
            TargetError::Unsupported(SqlError::new(1235, "42000", text))
        })?;
        let mut content = file.content;
        content.rewind().map_err(|error| {
            let text = format!("the file of a LOAD DATA cannot be read again: {error}");
            TargetError::Retry(SqlError::new(1030, "HY000", text))
        })?;
        let QueryResult::Ok(ok) = self.pipe.load(&local, &mut content)? else {
            return Err(TargetError::misuse("the rows of a LOAD DATA"));
        };
        let skipped = skipped(&ok.info);
        if duplicates == LoadDuplicates::ERROR && skipped != Some(0) {
            let text = format!(
                "rows of the file have keys that are there, and on the source there were none: {}",
                ok.info
            );
            return Err(TargetError::Statement(SqlError::new(1062, "23000", text)));
        }
        Ok(())
    }
}

/// The third number of `Records: 3  Deleted: 0  Skipped: 1  Warnings: 1`, in whatever language.
fn skipped(info: &str) -> Option<u64> {
    let mut numbers = info
        .split(|of: char| !of.is_ascii_digit())
        .filter(|digits| !digits.is_empty());
    numbers.nth(2)?.parse().ok()
}

/// The statements that set what `change` needs beside its session.
fn needed_by(change: &StatementChange<'_>) -> Result<Vec<Vec<u8>>, TargetError> {
    let mut needed: Vec<Vec<u8>> = Vec::new();
    for event in change.variables.events() {
        let (event, flavour) = event.map_err(undecodable)?;
        if !put_variable(&mut needed, &event, flavour).map_err(undecodable)? {
            let text = "A variable of a kind that is not known, in front of a statement,";
            return Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)));
        }
    }
    Ok(needed)
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

pub(super) fn behind_rows(change: &StatementChange<'_>) -> TargetError {
    let sql = String::from_utf8_lossy(&change.query.sql);
    let text = format!("A statement that commits behind rows of its transaction, '{sql}',");
    TargetError::Unsupported(SqlError::new(1235, "42000", text))
}
