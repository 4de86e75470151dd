//! Applies what is wanted of a log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use binlog::event::Event;
use binlog::log::LogError;
use binlog::transaction::{Boundary, Step, TransactionGtid};
use config::ReplicationFilter;
use replica::applier::{
    ApplierError, ApplierStatus, Committed, Coordinator, GroupLimits, Next, Places, Worker,
};
use targets::{Store, TargetError};

use super::selection::{Judgement, Selection, StopReason, Stopped};

/// Why a replay ended early.
#[derive(Debug)]
pub enum ReplayError {
    /// A transaction was not applied.
    Applier(ApplierError),
    /// The target cannot be used.
    Target(TargetError),
    /// A log cannot be read.
    Log(LogError),
    /// The server that the logs come from is gone, as a sentence.
    Source(String),
}

impl ReplayError {
    /// Whether the same may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Applier(error) => error.is_temporary(),
            Self::Target(error) => error.is_temporary(),
            Self::Source(_) => true,
            Self::Log(_) => false,
        }
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applier(error) => error.fmt(f),
            Self::Target(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::Source(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for ReplayError {}

impl From<ApplierError> for ReplayError {
    fn from(error: ApplierError) -> Self {
        Self::Applier(error)
    }
}

impl From<TargetError> for ReplayError {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Played {
    /// It was taken or passed over inside a transaction.
    Inside,
    /// It was the last one of its transaction, or belongs to none.
    Between,
    /// Nothing from its transaction on is wanted.
    Stop,
}

/// How units share commits when the target allows it.
const LIMITS: GroupLimits = GroupLimits {
    transactions_max: 1000,
    bytes_max: 4 << 20,
    age_max: Duration::from_secs(1),
};

/// How units share commits where their rows are merged.
const MERGED: GroupLimits = GroupLimits {
    transactions_max: 200_000,
    bytes_max: 256 << 20,
    age_max: Duration::from_secs(5),
};

/// Applies what is wanted of a log, transaction by transaction.
pub struct Player {
    coordinator: Coordinator,
    selection: Selection,
    judgement: Option<Judgement>,
    limits: GroupLimits,
    /// What is committed.
    pub done: Committed,
    /// Where reading stands.
    pub stopped: Option<Stopped>,
}

impl Player {
    /// Begins where `store` stands.
    ///
    /// # Errors
    /// When the target gives no session, or cannot say where it stands.
    pub fn new(
        store: Arc<dyn Store>,
        filter: Arc<ReplicationFilter>,
        selection: Selection,
    ) -> Result<Self, ReplayError> {
        let limits = match store.traits().merges_rows {
            true => MERGED,
            false => LIMITS,
        };
        let worker = Worker::new(store)?;
        let status = Arc::new(ApplierStatus::default());
        Ok(Self {
            coordinator: Coordinator::new(worker, filter, status, Places::Files),
            selection,
            judgement: None,
            limits,
            done: Committed::default(),
            stopped: None,
        })
    }

    /// Commits take this often half as much.
    pub fn commit_sooner(&mut self, halvings: u32) {
        let limits = &mut self.limits;
        limits.bytes_max = limits.bytes_max.checked_shr(halvings).unwrap_or(0);
        limits.transactions_max = limits.transactions_max.checked_shr(halvings).unwrap_or(0);
        limits.age_max /= 1_u32.checked_shl(halvings).unwrap_or(u32::MAX);
    }

    /// From here on every transaction is a commit of its own. False when it was so before.
    pub fn take_one_by_one(&mut self) -> bool {
        self.coordinator.take_one_by_one()
    }

    /// Takes the next event. An INCIDENT is passed over: the survey has found it, and it stands against
    /// a replay unless somebody allows it.
    ///
    /// # Errors
    /// When it cannot be applied: what was not committed is lost then.
    pub fn step(&mut self, step: &Step<'_>) -> Result<Played, ReplayError> {
        let is_incident = matches!(step.event, Event::Incident(_));
        if matches!(step.boundary, Boundary::Outside | Boundary::FileEnd) {
            if !is_incident {
                self.coordinator.handle(step)?;
            }
            return Ok(Played::Between);
        }
        let judgement = match (self.judgement, step.transaction) {
            (Some(judgement), _) => judgement,
            (None, Some(transaction)) => self.selection.judge(step.file, transaction),
            (None, None) => Judgement::Take,
        };
        self.judgement = Some(judgement);
        if judgement == Judgement::Stop {
            self.judgement = None;
            return Ok(Played::Stop);
        }
        let is_taken = judgement == Judgement::Take;
        if is_taken && !is_incident {
            self.coordinator.handle(step)?;
        }
        if !matches!(step.boundary, Boundary::End { .. }) {
            return Ok(Played::Inside);
        }
        self.end(step, is_taken)?;
        Ok(Played::Between)
    }

    fn end(&mut self, step: &Step<'_>, is_taken: bool) -> Result<(), ReplayError> {
        self.judgement = None;
        let before = self.stopped.as_ref();
        let mut gtid = before.map_or(TransactionGtid::None, |stopped| stopped.gtid);
        if is_taken {
            self.coordinator.end(None)?;
            gtid = step
                .transaction
                .map_or(gtid, |transaction| transaction.gtid);
        }
        self.stopped = Some(Stopped {
            file: step.file.to_string(),
            offset: step.place.end,
            gtid,
            reason: StopReason::EndOfLogs,
        });
        let group = self.coordinator.group();
        let is_full = self.limits.decide(&group, true) == Next::Commit;
        if is_taken && (is_full || self.coordinator.must_commit()) {
            self.commit()?;
        }
        Ok(())
    }

    /// Commits what was taken whole. What was taken of an open transaction must be lost before, with
    /// this player.
    ///
    /// # Errors
    /// Those of the target.
    pub fn commit(&mut self) -> Result<(), ReplayError> {
        if let Some(committed) = self.coordinator.commit()? {
            self.done.add(&committed);
        }
        Ok(())
    }

    /// How the transactions were judged.
    #[must_use]
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }
}
