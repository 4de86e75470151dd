//! A transaction on a node of a cluster: it takes the row that says what is applied before anything else.

use sql::error::SqlError;

use super::super::Truth;
use super::super::facts::ServerFacts;
use super::super::marks::{Begun, MarkTable, Marked};
use super::super::pipe::Pipe;
use super::MysqlSession;
use crate::{Applied, TargetError, UnitHead};

/// What the row said last, as far as this session knows.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// Whether the open transaction has the row.
    is_made: bool,
    begun: Option<Begun>,
    /// What it would say after commits that nobody has answered.
    tried: Vec<Applied>,
}

/// Commits without an answer that are remembered.
const TRIED_MAX: usize = 16;

impl MysqlSession {
    /// A commit is on its way that has the row say this.
    pub(super) fn tries(&mut self, applied: &Applied) {
        if self.facts.is_node {
            self.claim.tried.truncate(TRIED_MAX - 1);
            self.claim.tried.insert(0, applied.clone());
        }
    }

    /// Takes note of what the row says now. On a cluster nobody else may have changed it since.
    pub(super) fn learn_again(&mut self, now: Marked) -> Result<(), TargetError> {
        let tried = std::mem::take(&mut self.claim.tried);
        let is_own = now.applied == self.marked || tried.contains(&now.applied);
        self.learn(now);
        self.claim.tried = tried;
        match is_own || !self.facts.is_node {
            true => Ok(()),
            false => Err(others()),
        }
    }

    /// Begins anew as `next`, and remembers what may still come.
    pub(super) fn become_next(&mut self, mut next: Self) -> Result<(), TargetError> {
        let now = Marked {
            applied: std::mem::replace(&mut next.marked, self.marked.clone()),
            begun: next.doubted.take(),
        };
        next.claim.tried = std::mem::take(&mut self.claim.tried);
        *self = next;
        self.learn_again(now)
    }

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
            let is_own = self.claim.tried.contains(&there.applied);
            return Err(if is_own { meanwhile() } else { others() });
        }
        self.claim.is_made = true;
        Ok(())
    }

    /// The row says so now, and its transaction is over.
    pub(super) fn knows(&mut self, begun: Option<Begun>) {
        self.claim.is_made = false;
        self.claim.begun = begun;
    }

    /// The row says what was committed last: nothing else is on its way that could get past it.
    pub(super) fn settles(&mut self) {
        self.claim.tried.clear();
        self.knows(None);
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
        self.pipe.send(table.remove().as_bytes())?;
        self.pipe.send(table.replace(&same).as_bytes())?;
        self.pipe.drain()?;
        self.pipe.send(b"COMMIT")?;
        self.pipe.drain_commit()?;
        self.knows(same.begun);
        Ok(())
    }
}

/// Reads the row. On a cluster it is written again as it is: a commit that a process left under way, and
/// that this node has not heard of, is refused from then on.
pub(super) fn read_firmly(
    pipe: &mut Pipe,
    table: &MarkTable,
    facts: &ServerFacts,
) -> Result<Marked, TargetError> {
    let mut attempts = 0;
    loop {
        let Some(marked) = table.read(pipe)? else {
            return Ok(Marked::default());
        };
        if !facts.is_node {
            return Ok(marked);
        }
        let written = pipe
            .ask(&table.remove())
            .and_then(|_| pipe.ask(&table.replace(&marked)))
            .and_then(|_| pipe.ask("COMMIT"));
        attempts += 1;
        match written {
            Ok(_) => return Ok(marked),
            // It came just now.
            Err(TargetError::Retry(_)) if attempts < ATTEMPTS && !pipe.is_lost() => {
                pipe.ask("ROLLBACK")?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// How often the row is read that others change.
const ATTEMPTS: u32 = 5;

fn meanwhile() -> TargetError {
    let text = "a commit whose answer was lost has come to the target meanwhile";
    TargetError::Retry(SqlError::new(1205, "HY000", text))
}

/// Each has a relay log of its own, and the row has a place in one.
fn others() -> TargetError {
    let text = "another applier of the channel has changed the target's row in weir.applied, through another \
                node: only one may run";
    TargetError::Config(SqlError::new(3081, "HY000", text))
}
