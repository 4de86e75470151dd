//! A transaction on a node of a cluster: it takes the row that says what is applied before anything else.

use sql::error::SqlError;

use super::super::Truth;
use super::super::marks::{Begun, MarkTable, Marked};
use super::MysqlSession;
use crate::{TargetError, UnitHead};

/// What the row said last, as far as this session knows.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// Whether the open transaction has the row.
    is_made: bool,
    begun: Option<Begun>,
}

impl MysqlSession {
    /// Takes the row for a transaction that it must not have.
    pub(super) fn claim_for(&mut self, head: &UnitHead) -> Result<(), TargetError> {
        self.claim()?;
        match self.facts.is_node && self.marked.executed.contains(&head.gtid) {
            true => Err(meanwhile()),
            false => Ok(()),
        }
    }

    /// Takes the row, which must say what is known; another node may have heard of a commit meanwhile
    /// whose answer was lost, or have another applier.
    pub(super) fn claim(&mut self) -> Result<(), TargetError> {
        let Truth::Row(table) = &self.options.truth else {
            return Ok(());
        };
        if !self.facts.is_node || self.claim.is_made {
            return Ok(());
        }
        let there = table.read(&mut self.pipe)?.unwrap_or_default();
        if there.applied != self.marked || there.begun != self.claim.begun {
            return Err(meanwhile());
        }
        self.claim.is_made = true;
        Ok(())
    }

    /// The row says so now, and its transaction is over.
    pub(super) fn knows(&mut self, begun: Option<Begun>) {
        self.claim = Claim {
            is_made: false,
            begun,
        };
    }

    /// The transaction that had the row is over.
    pub(super) fn lets_go(&mut self) {
        self.claim.is_made = false;
    }

    /// Puts a commit behind everything that any node was still sending, so that what is looked at next is
    /// what came of it.
    pub(super) fn get_behind_others(&mut self, table: &MarkTable) -> Result<(), TargetError> {
        if !self.facts.is_node {
            return Ok(());
        }
        self.claim()?;
        let same = Marked {
            applied: self.marked.clone(),
            begun: self.claim.begun.clone(),
        };
        self.pipe.send(table.replace(&same).as_bytes())?;
        self.pipe.drain()?;
        self.pipe.send(b"COMMIT")?;
        self.pipe.drain_commit()?;
        self.knows(same.begun);
        Ok(())
    }
}

fn meanwhile() -> TargetError {
    let text = "the target has applied something else meanwhile: a commit whose answer was lost, or that of \
                another applier";
    TargetError::Retry(SqlError::new(1205, "HY000", text))
}
