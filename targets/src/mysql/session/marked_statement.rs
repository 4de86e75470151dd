//! Statements that commit by themselves, where a row says what is applied: the row says before that one was
//! begun, and what the tables look like tells afterwards whether it took place.

use binlog::transaction::StatementKind;

use super::{MysqlSession, rows_of};
use crate::mysql::doubt::{self, Logged, is_already};
use crate::mysql::marks::{Begun, MarkTable, Marked};
use crate::mysql::{LOGGED, UNLOGGED};
use crate::{StatementChange, TargetError};
use inspect::without_start;

impl MysqlSession {
    /// Runs a statement that commits by itself, and has the row say before that it was begun.
    pub(super) fn run_marked(
        &mut self,
        table: &MarkTable,
        change: &StatementChange<'_>,
    ) -> Result<(), TargetError> {
        let sql = change.query.sql.as_ref();
        // Nothing but its rows could follow a CREATE TABLE .. SELECT in its transaction.
        let sql = without_start(sql).unwrap_or(sql);
        let statement = format!("{} {}", self.head.gtid, String::from_utf8_lossy(sql));
        if self.doubted.is_some() {
            self.get_behind_others(table)?;
        }
        let mut shape = doubt::shape(&mut self.pipe, change)?;
        let kept = self.kept_gtid();
        // The rows that follow a CREATE TABLE keep the GTID.
        self.is_logged_alone = kept.is_some() && change.kind != StatementKind::CreateSelect;
        if let (Some(gtid), Some(doubted)) = (kept, &self.doubted)
            && doubted.statement == rows_of(&gtid)
        {
            // Its rows were begun behind it.
            return Ok(());
        }
        let doubted = self.doubted.take();
        let doubted = doubted.filter(|doubted| doubted.statement == statement);
        if let Some(doubted) = &doubted {
            self.remove_remains(change)?;
            let logged = match kept {
                Some(gtid) if self.is_logged_alone => doubt::logged(&mut self.pipe, &gtid)?,
                _ => Logged::Not,
            };
            if logged == Logged::Whole || self.has_taken_place(doubted, &mut shape, change)? {
                // What the log lacks is there once the row is changed under the GTID.
                self.is_logged_alone = logged != Logged::Not;
                self.is_identified = self.is_logged_alone;
                return Ok(());
            }
        }
        self.note_begun(table, Begun { statement, shape }, kept.is_some())?;
        match kept {
            Some(gtid) if !self.is_logged_alone => self.go_to_own_domain(&gtid)?,
            _ => self.identify()?,
        }
        match self.run(change, sql) {
            Err(TargetError::Statement(error)) if doubted.is_some() && is_already(&error) => {
                self.is_logged_alone = false;
                self.is_identified = false;
                Ok(())
            }
            Err(error @ TargetError::Statement(_)) if doubted.is_none() => {
                // The server says that it did not take place: nothing is in doubt.
                self.unmark(table, kept.is_some())?;
                Err(error)
            }
            outcome => outcome,
        }
    }

    /// Has the row say that a statement is begun.
    fn note_begun(
        &mut self,
        table: &MarkTable,
        begun: Begun,
        is_kept: bool,
    ) -> Result<(), TargetError> {
        let begun = Marked {
            applied: self.marked.clone(),
            begun: Some(begun),
        };
        let replace = table.replace(&begun);
        self.claim()?;
        if is_kept {
            // Looking at tables may have begun a transaction.
            self.pipe.send(b"COMMIT")?;
            self.note(&replace)?;
        } else {
            self.pipe.send(replace.as_bytes())?;
            self.pipe.send(b"COMMIT")?;
        }
        self.pipe.drain()?;
        self.knows(begun.begun);
        Ok(())
    }

    /// Takes back that a statement was begun.
    fn unmark(&mut self, table: &MarkTable, is_kept: bool) -> Result<(), TargetError> {
        let replace = table.replace(&Marked {
            applied: self.marked.clone(),
            begun: None,
        });
        self.pipe.send(b"ROLLBACK")?;
        match is_kept {
            true => self.note(&replace)?,
            false => {
                self.pipe.send(replace.as_bytes())?;
                self.pipe.send(b"COMMIT")?;
            }
        }
        self.pipe.drain()?;
        self.knows(None);
        Ok(())
    }

    /// Whether a statement that was begun has changed what it was to change. A database that may have
    /// been made by half is removed.
    fn has_taken_place(
        &mut self,
        doubted: &Begun,
        shape: &mut String,
        change: &StatementChange<'_>,
    ) -> Result<bool, TargetError> {
        if doubted.shape.is_empty() || doubted.shape == *shape {
            return Ok(false);
        }
        let removal = match doubt::was_nothing(&doubted.shape) {
            true => doubt::removal(&mut self.pipe, change)?,
            false => None,
        };
        let Some(removal) = removal else {
            return Ok(true);
        };
        self.unlogged(&removal)?;
        *shape = doubt::shape(&mut self.pipe, change)?;
        Ok(false)
    }

    /// Removes what an interrupted statement may have left of tables that are not there.
    fn remove_remains(&mut self, change: &StatementChange<'_>) -> Result<(), TargetError> {
        if self.facts.defines_in_steps() {
            for removal in doubt::remains(&mut self.pipe, change)? {
                self.unlogged(&removal)?;
            }
        }
        Ok(())
    }

    /// Runs a statement that is nobody's but this server's, or this cluster's.
    fn unlogged(&mut self, sql: &str) -> Result<(), TargetError> {
        self.pipe.send(b"COMMIT")?;
        if !self.options.is_logged || self.facts.is_node {
            return self.pipe.ask(sql).map(drop);
        }
        self.pipe.send(UNLOGGED.as_bytes())?;
        self.pipe.drain()?;
        for sql in [sql, LOGGED] {
            self.pipe.send(sql.as_bytes())?;
        }
        self.pipe.drain()
    }
}
