//! Statements that leave in one query: a server does not execute what follows one of them that fails.

use binlog::transaction::Executed;
use protocol::client::Sender;

use super::{MysqlSession, Xa};
use crate::mysql::Truth;
use crate::mysql::pipe::Pipe;
use crate::{Ending, Mark, Session as _, TargetError};

/// Bytes of statements behind which a query of several units ends.
const JOINED_MAX: u64 = 64 << 10;

/// Statements that have not left.
#[derive(Debug, Default)]
pub(super) struct Joined {
    sql: Vec<u8>,
    count: usize,
    /// Which of them are COMMITs, counted from 1.
    ends: Vec<usize>,
    /// How many COMMITs succeeded since the first unit.
    committed: usize,
}

impl Joined {
    pub(super) fn add(&mut self, sql: &[u8]) {
        if self.count > 0 {
            self.sql.push(b';');
        }
        self.sql.extend_from_slice(sql);
        self.count = self.count.saturating_add(1);
    }

    fn add_commit(&mut self) {
        self.add(b"COMMIT");
        self.ends.push(self.count);
    }

    /// Forgets what has not left.
    pub(super) fn clear(&mut self) {
        self.sql.clear();
        self.ends.clear();
        self.count = 0;
    }

    /// Begins to count.
    pub(super) const fn begin(&mut self) {
        self.committed = 0;
    }

    /// How many COMMITs succeeded since.
    pub(super) const fn committed(&self) -> usize {
        self.committed
    }

    /// One succeeded that was sent by itself.
    pub(super) const fn has_committed(&mut self) {
        self.committed = self.committed.saturating_add(1);
    }

    /// Sends them; where a COMMIT is among them, it is waited for what becomes of them.
    pub(super) fn leave(&mut self, pipe: &mut Pipe) -> Result<(), TargetError> {
        let sql = std::mem::take(&mut self.sql);
        let ends = std::mem::take(&mut self.ends);
        match std::mem::take(&mut self.count) {
            0 => return Ok(()),
            count => pipe.send_joined(&sql, count)?,
        }
        if ends.is_empty() {
            return Ok(());
        }
        let drained = pipe.drain_commit();
        let succeeded = match drained {
            Ok(()) => usize::MAX,
            Err(_) => pipe.succeeded(),
        };
        let committed = ends.iter().filter(|end| **end <= succeeded).count();
        self.committed = self.committed.saturating_add(committed);
        drained
    }

    /// Sends them, and one more.
    pub(super) fn leave_with(&mut self, sql: &[u8], pipe: &mut Pipe) -> Result<(), TargetError> {
        self.add(sql);
        self.leave(pipe)
    }
}

impl MysqlSession {
    /// Sends what was to leave with the next statement.
    pub(super) fn send_joined(&mut self) -> Result<(), TargetError> {
        self.joined.leave(&mut self.pipe)
    }

    /// Commits the unit before the one that begins, which keeps its own GTID: in the query that takes this
    /// one as well, where that is possible. A failure then leaves those before it committed.
    pub(super) fn end_unit(&mut self) -> Result<(), TargetError> {
        if self.units == 0 || self.options.truth != Truth::Gtids {
            return Ok(());
        }
        self.identify()?;
        let may_join = self.options.client.multi_statements
            && self.xa == Xa::None
            && !self.is_logged_alone
            && self.pipe.is_quiet()
            && (self.joined.sql.len() as u64) < JOINED_MAX.min(self.facts.packet_max / 8);
        if !may_join {
            return self.commit(&Mark {
                added: &Executed::default(),
                source: None,
                relay: None,
            });
        }
        if let Some(sql) = self.rows.take() {
            self.joined.add(&sql);
        }
        self.joined.add_commit();
        self.has_begun = false;
        self.has_used_gtid = true;
        Ok(())
    }

    /// Sends a COMMIT together with all that is not sent yet, if nothing else of the unit waits for an
    /// answer: a server does not execute what follows a failure in one query.
    pub(super) fn commit_joined(&mut self) -> Result<bool, TargetError> {
        let may_join = self.options.client.multi_statements
            && self.options.truth == Truth::Gtids
            && self.xa == Xa::None
            && self.pipe.is_quiet();
        if !may_join {
            return Ok(false);
        }
        // Rows that are logged alone leave by themselves, so that what a loss leaves of them is told.
        if self.are_rows_alone() {
            self.settle()?;
        }
        if let Some(sql) = self.rows.take() {
            self.joined.add(&sql);
        }
        self.joined.add_commit();
        self.send_joined()?;
        Ok(true)
    }
}

/// Sends the end of a transaction.
#[derive(Debug)]
pub(super) struct End(pub(super) Sender);

impl Ending for End {
    fn commit(&self) {
        // Its session waits for the answer, and meets what this meets.
        drop(self.0.send(b"COMMIT"));
    }

    fn undo(&self) {
        drop(self.0.send(b"ROLLBACK"));
    }
}

impl MysqlSession {
    /// Leaves the COMMIT of the open unit to another thread, where that can be.
    pub(super) fn hand_end_over(&mut self) -> Result<Option<Box<dyn Ending>>, TargetError> {
        let may_be = self.options.client.multi_statements
            && self.options.truth == Truth::Gtids
            && self.xa == Xa::None
            && self.units > 0;
        if !may_be {
            return Ok(None);
        }
        self.ready()?;
        let sender = self.pipe.hand_over()?;
        Ok(sender.map(|sender| -> Box<dyn Ending> { Box::new(End(sender)) }))
    }
}
