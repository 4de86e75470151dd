//! Statements that leave in one query: a server does not execute what follows one of them that fails.

use super::{MysqlSession, Xa};
use crate::TargetError;
use crate::mysql::Truth;
use crate::mysql::pipe::Pipe;

/// Statements that have not left.
#[derive(Debug, Default)]
pub(super) struct Joined {
    sql: Vec<u8>,
    count: usize,
}

impl Joined {
    pub(super) fn add(&mut self, sql: &[u8]) {
        if self.count > 0 {
            self.sql.push(b';');
        }
        self.sql.extend_from_slice(sql);
        self.count = self.count.saturating_add(1);
    }

    /// Sends them.
    pub(super) fn leave(&mut self, pipe: &mut Pipe) -> Result<(), TargetError> {
        let Self { sql, count } = std::mem::take(self);
        match count {
            0 => Ok(()),
            count => pipe.send_joined(&sql, count),
        }
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
        if let Some(sql) = self.rows.take() {
            self.joined.add(&sql);
        }
        self.joined.add(b"COMMIT");
        self.send_joined()?;
        self.pipe.drain_commit()?;
        Ok(true)
    }
}
