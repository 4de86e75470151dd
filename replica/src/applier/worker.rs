//! The worker: puts transactions into the target, several in one commit, with their position.
//!
//! Invariant: what is committed is a prefix of the source's transactions, and the committed position
//! names exactly that prefix. A transaction that fails is undone alone; those before it are kept.

use std::time::{Duration, Instant};

use binlog::log::{LogFileName, LogPosition};
use engine::target::{
    AppliedPosition, RowsChange, StatementChange, StatementOutcome, Target, TargetError,
};
use gtid::{Gtid, GtidSet};

use super::schedule::Group;
use crate::relay_log::SourceCoordinates;

/// Position up to which transactions were taken, committed or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    pub(super) gtid_executed: GtidSet,
    pub(super) source: Option<SourceCoordinates>,
    pub(super) relay: Option<LogPosition>,
}

/// What a commit made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Committed {
    pub(super) transactions: u64,
    pub(super) bytes: u64,
    pub(super) rows: u64,
    pub(super) skipped: u64,
    /// Commit on the source of the last transaction.
    pub(super) commit_micros: Option<u64>,
}

pub(super) struct Worker {
    target: Box<dyn Target>,
    progress: Progress,
    /// When the open group's first transaction began.
    group_began: Option<Instant>,
    /// What the open group will have committed.
    pending: Committed,
    /// What the open transaction adds to it.
    open: Committed,
    is_in_transaction: bool,
    /// The relay log file of the last committed position.
    committed_file: Option<LogPosition>,
    /// When the target last could not make its commits durable.
    durable_refused: Option<Instant>,
}

/// Time between two attempts to make commits durable for the sake of old relay log files.
const DURABLE_PAUSE: Duration = Duration::from_millis(200);

impl Worker {
    /// A worker that goes on where the target's last commit ended.
    pub(super) fn new(mut target: Box<dyn Target>) -> Result<Self, TargetError> {
        let progress = recover(target.as_mut())?;
        Ok(Self {
            target,
            committed_file: progress.relay.clone(),
            progress,
            group_began: None,
            pending: Committed::default(),
            open: Committed::default(),
            is_in_transaction: false,
            durable_refused: None,
        })
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The open group, for the schedule.
    pub(super) fn group(&self) -> Group {
        Group {
            transactions: u32::try_from(self.pending.transactions).unwrap_or(u32::MAX),
            bytes: self.pending.bytes,
            age: self
                .group_began
                .map(|began| began.elapsed())
                .unwrap_or_default(),
        }
    }

    /// Counts bytes of the open transaction's events.
    pub(super) fn count_bytes(&mut self, bytes: u64) {
        self.open.bytes = self.open.bytes.saturating_add(bytes);
    }

    /// Takes note that something of the open transaction is passed over.
    pub(super) fn skip(&mut self) {
        self.open.skipped = 1;
    }

    pub(super) fn rows(&mut self, change: &RowsChange<'_>) -> Result<(), TargetError> {
        self.begin_transaction()?;
        let rows = self.target.rows(change)?;
        self.open.rows = self.open.rows.saturating_add(rows);
        Ok(())
    }

    pub(super) fn statement(&mut self, change: &StatementChange<'_>) -> Result<(), TargetError> {
        self.begin_transaction()?;
        if let StatementOutcome::NotKept { construct } = self.target.statement(change)? {
            self.open.skipped = 1;
            tracing::warn!(
                construct,
                "a statement of the source concerns nothing kept here"
            );
        }
        Ok(())
    }

    /// The target learns of a transaction at its first change; one without changes only moves the
    /// position.
    fn begin_transaction(&mut self) -> Result<(), TargetError> {
        self.begin_group()?;
        if !self.is_in_transaction {
            self.target.begin_transaction()?;
            self.is_in_transaction = true;
        }
        Ok(())
    }

    fn begin_group(&mut self) -> Result<(), TargetError> {
        if self.group_began.is_none() {
            self.target.begin()?;
            self.group_began = Some(Instant::now());
        }
        Ok(())
    }

    /// Ends the open transaction, whose last event ends at these places.
    pub(super) fn end_transaction(
        &mut self,
        gtid: Option<Gtid>,
        commit_micros: Option<u64>,
        source: Option<SourceCoordinates>,
        relay: LogPosition,
    ) -> Result<(), TargetError> {
        self.begin_group()?;
        if std::mem::take(&mut self.is_in_transaction) {
            self.target.end_transaction()?;
        }
        if let Some(gtid) = gtid {
            self.progress.gtid_executed.add(gtid);
        }
        let open = std::mem::take(&mut self.open);
        self.move_to(source, relay);
        let pending = &mut self.pending;
        pending.transactions = pending.transactions.saturating_add(1);
        pending.bytes = pending.bytes.saturating_add(open.bytes);
        pending.rows = pending.rows.saturating_add(open.rows);
        pending.skipped = pending.skipped.saturating_add(open.skipped);
        pending.commit_micros = commit_micros.or(pending.commit_micros);
        Ok(())
    }

    /// Moves the position over events that belong to no transaction, or to one applied before.
    pub(super) fn move_to(&mut self, source: Option<SourceCoordinates>, relay: LogPosition) {
        debug_assert!(!self.is_in_transaction);
        // What was passed over is not part of the transaction that follows.
        self.open = Committed::default();
        if source.is_some() {
            self.progress.source = source;
        }
        self.progress.relay = Some(relay);
    }

    /// Undoes the open transaction, if there is one.
    pub(super) fn abandon_transaction(&mut self) -> Result<(), TargetError> {
        self.open = Committed::default();
        if std::mem::take(&mut self.is_in_transaction) {
            self.target.rollback_transaction()?;
        }
        Ok(())
    }

    /// Commits the open group with its position; `None` when there is none.
    pub(super) fn commit(&mut self) -> Result<Option<Committed>, TargetError> {
        debug_assert!(!self.is_in_transaction);
        if self.group_began.is_none() {
            return Ok(None);
        }
        self.target.commit(&self.progress.to_applied())?;
        self.group_began = None;
        self.committed_file = self.progress.relay.clone();
        Ok(Some(std::mem::take(&mut self.pending)))
    }

    /// Commits the position alone when it has reached another relay log file than the last commit,
    /// so that files in front of it are never needed again.
    pub(super) fn commit_position(&mut self) -> Result<(), TargetError> {
        let file = |position: &Option<LogPosition>| {
            position.as_ref().map(|position| position.file.clone())
        };
        if self.group_began.is_none() && file(&self.committed_file) != file(&self.progress.relay) {
            self.target.set_position(&self.progress.to_applied())?;
            self.committed_file = self.progress.relay.clone();
        }
        Ok(())
    }

    /// Makes what is committed outlive a power loss; false when it has to be tried again later, which
    /// is not worth it at once.
    pub(super) fn make_durable(&mut self) -> Result<bool, TargetError> {
        let was_refused = self.durable_refused;
        if was_refused.is_some_and(|at| at.elapsed() < DURABLE_PAUSE) {
            return Ok(false);
        }
        let is_durable = self.target.make_durable()?;
        self.durable_refused = (!is_durable).then(Instant::now);
        Ok(is_durable)
    }

    /// Undoes the open group and goes back to what is committed.
    pub(super) fn abandon_group(&mut self) -> Result<(), TargetError> {
        self.is_in_transaction = false;
        self.open = Committed::default();
        self.pending = Committed::default();
        if self.group_began.take().is_some() {
            self.target.rollback()?;
        }
        self.progress = recover(self.target.as_mut())?;
        Ok(())
    }

    /// Gives the target back.
    pub(super) fn into_target(self) -> Box<dyn Target> {
        self.target
    }
}

impl Progress {
    pub(super) fn to_applied(&self) -> AppliedPosition {
        AppliedPosition {
            gtid_executed: self.gtid_executed.to_string(),
            source: self
                .source
                .as_ref()
                .map(|place| (place.file.clone(), place.offset)),
            relay: self
                .relay
                .as_ref()
                .map(|place| (place.file.to_string(), place.offset)),
        }
    }
}

/// What the target's last commit stands for.
pub(super) fn recover(target: &mut dyn Target) -> Result<Progress, TargetError> {
    let applied = target.recover()?;
    let damaged = |what: &'static str| {
        let text = format!("the applied position in the engine has a damaged {what}");
        TargetError::Sql(sql::error::SqlError::new(1872, "HY000", text))
    };
    let relay = applied.relay.map(|(file, offset)| {
        let file = LogFileName::parse(&file).ok_or_else(|| damaged("relay log file name"))?;
        Ok::<_, TargetError>(LogPosition::new(file, offset))
    });
    Ok(Progress {
        gtid_executed: applied
            .gtid_executed
            .parse()
            .map_err(|_| damaged("GTID set"))?,
        source: applied
            .source
            .map(|(file, offset)| SourceCoordinates { file, offset }),
        relay: relay.transpose()?,
    })
}
