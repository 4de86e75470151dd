//! Group commit: steps A to D.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Instant;

use binlog::log::LogError;
use engine::database::EnginePosition;
use engine::outcome::Outcome;
use gtid::Gtid;
use server::clock::{now_micros, now_seconds};
use sql::error::SqlError;
use tokio::sync::oneshot;

use super::request::Execute;
use super::thread::Pipeline;
use crate::error::PrimaryError;
use crate::state::State;
use crate::transaction::{FLUSH_BYTES, Placement, Transaction};

/// Most transactions of a group.
const GROUP_TRANSACTIONS_MAX: usize = 256;

/// `sync_binlog`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The operating system writes back when it likes.
    Never,
    /// One sync for so many groups; 1 is the only one that loses nothing.
    EveryGroups(u32),
}

/// A transaction that waits for its group.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) transaction: Transaction,
    pub(super) answer: Answer,
}

/// Who waits for it.
#[derive(Debug)]
pub(super) enum Answer {
    /// The client of an autocommitted statement.
    Executed(Box<Execute>, Outcome),
    /// The client of a COMMIT.
    Commit(oneshot::Sender<Result<(), SqlError>>),
    /// Nobody: a DDL statement committed it implicitly and will answer for itself.
    Nobody,
}

impl Answer {
    pub(super) fn send(self, result: Result<(), SqlError>) {
        match self {
            Self::Executed(execute, outcome) => execute.answer(result.map(|()| outcome)),
            Self::Commit(reply) => drop(reply.send(result)),
            Self::Nobody => {}
        }
    }
}

/// Why a group did not come into the log.
pub(super) enum WriteError {
    Log(LogError),
    Spill(io::Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Spill(error)
    }
}

impl From<LogError> for WriteError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl Pipeline {
    /// Whether the group must be committed before it grows further.
    pub(super) fn is_group_full(&self) -> bool {
        self.pending.len() >= GROUP_TRANSACTIONS_MAX || self.pending_bytes >= FLUSH_BYTES as u64
    }

    pub(super) fn push(&mut self, pending: Pending) {
        self.pending_bytes = self.pending_bytes.saturating_add(pending.transaction.len());
        self.pending.push(pending);
    }

    /// Commits the open group, if there is one that no interactive transaction has. Returns
    /// whether its transactions are committed. An error is the end of the process.
    pub(super) fn commit_group(&mut self) -> Result<bool, PrimaryError> {
        let pending = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        if !self.writer.is_in_group() {
            return Ok(true);
        }
        if pending.is_empty() {
            self.writer.rollback_group()?;
            return Ok(true);
        }
        let changed = pending
            .iter()
            .filter(|pending| !pending.transaction.is_empty());
        let changed = changed.count() as u64;
        if changed > 0
            && let Err(error) = self.write_group(&pending)
        {
            let answer = self.refuse_group(error)?;
            self.writer.rollback_group()?;
            for pending in pending {
                pending.answer.send(Err(answer.clone()));
            }
            return Ok(false);
        }
        // From here on there is no way back: the log has the group.
        if let Err(error) = self.writer.commit_group(&self.position) {
            self.commit_late(error)?;
        }
        if changed > 0 {
            self.publish();
            let counts = &self.state.counts;
            State::count(&counts.commits, changed);
            State::count(&counts.groups, 1);
            counts.group_max.fetch_max(changed, Ordering::Relaxed);
        }
        for pending in pending {
            pending.answer.send(Ok(()));
        }
        if self.log.wants_rotation() {
            // Without room for a new file the log goes on in this one.
            let _ = self.rotate()?;
        }
        Ok(true)
    }

    /// Tells everybody outside how far the log is.
    pub(super) fn publish(&mut self) {
        self.state.set_executed(self.executed.clone());
        self.state.set_end(self.log.end());
        let end = match self.options.durability {
            Durability::EveryGroups(1) => self.log.durable_end(),
            // Whoever gives durability up gives it up for replicas too, as in MySQL.
            Durability::EveryGroups(_) | Durability::Never => self.log.end(),
        };
        self.feed.publish(end);
    }

    /// Steps A and B. On error the log is as it was before.
    fn write_group(&mut self, pending: &[Pending]) -> Result<(), WriteError> {
        self.log.ensure_file()?;
        let commit_micros = now_micros().max(self.last_commit_micros.saturating_add(1));
        self.last_commit_micros = commit_micros;
        let sequence = self.dependencies.sequence();
        let mut assigned = Vec::new();
        let written = self.write_transactions(pending, commit_micros, &mut assigned);
        if let Err(error) = written {
            self.dependencies.go_back(sequence);
            for gtid in &assigned {
                self.executed.remove(gtid);
            }
            return Err(error);
        }
        let end = self.log.seal();
        self.sync_group()?;
        self.position = EnginePosition {
            file: end.file.to_string(),
            offset: end.offset,
            gtid_executed: self.executed.to_string(),
        };
        Ok(())
    }

    fn write_transactions(
        &mut self,
        pending: &[Pending],
        commit_micros: u64,
        assigned: &mut Vec<Gtid>,
    ) -> Result<(), WriteError> {
        let mut out = Vec::new();
        let mut offset = self.log.next_offset();
        let transactions = pending.iter().map(|pending| &pending.transaction);
        for transaction in transactions.filter(|transaction| !transaction.is_empty()) {
            let gtid = transaction.assigned().or_else(|| self.next_gtid());
            if let Some(gtid) = &gtid {
                self.executed.add(*gtid);
                assigned.push(*gtid);
            }
            self.next_xid += 1;
            let placement = Placement {
                gtid,
                clock: transaction.clock(&mut self.dependencies),
                commit_micros,
                xid: self.next_xid,
                checksum: self.log.options().checksum,
            };
            let log = &mut self.log;
            self.noted.note(log, transaction.tables());
            offset = transaction.write(&placement, offset, &mut out, |out| {
                log.write(out)?;
                out.clear();
                Ok::<(), WriteError>(())
            })?;
        }
        self.log.write(&out)?;
        Ok(())
    }

    fn next_gtid(&self) -> Option<Gtid> {
        let tsid = self.options.tsid.as_ref()?;
        let owned = self.state.owned.all();
        let gno = match owned.is_empty() {
            true => self.executed.next_gno(tsid)?,
            false => {
                // Numbers that sessions have taken by gtid_next are theirs.
                let mut taken = self.executed.clone();
                taken.union(&owned);
                taken.next_gno(tsid)?
            }
        };
        Some(Gtid { tsid: *tsid, gno })
    }

    fn sync_group(&mut self) -> Result<(), WriteError> {
        self.unsynced_groups = self.unsynced_groups.saturating_add(1);
        match self.options.durability {
            Durability::EveryGroups(groups) if self.unsynced_groups >= groups => self.sync_log(),
            Durability::EveryGroups(_) | Durability::Never => Ok(()),
        }
    }

    pub(super) fn sync_log(&mut self) -> Result<(), WriteError> {
        let began = Instant::now();
        self.log.sync()?;
        self.unsynced_groups = 0;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        State::count(&self.state.counts.syncs, 1);
        State::count(&self.state.counts.sync_micros, micros);
        Ok(())
    }

    /// What the clients of a group are told that did not come into the log, or the end of the
    /// process if nobody knows what the log holds.
    pub(super) fn refuse_group(&mut self, error: WriteError) -> Result<SqlError, PrimaryError> {
        State::count(&self.state.counts.flush_errors, 1);
        match error {
            WriteError::Log(LogError::NoSpace { file }) => {
                tracing::error!(%file, "no space left for the binary log; writes fail until there is");
                Ok(SqlError::disk_full(file, 28, "No space left on device"))
            }
            WriteError::Log(error) => Err(error.into()),
            WriteError::Spill(error) => {
                tracing::error!(%error, "a large transaction's temporary file could not be read");
                self.log.abandon()?;
                Ok(logging_impossible(&error))
            }
        }
    }

    /// Begins a new log file. Without room the log goes on in the old one.
    pub(super) fn rotate(&mut self) -> Result<Result<(), SqlError>, PrimaryError> {
        match self.log.rotate(&self.executed, now_seconds()) {
            Ok(()) => {
                self.dependencies.rotated();
                self.noted.rotated();
                self.unsynced_groups = 0;
                self.publish();
                self.expire();
                Ok(Ok(()))
            }
            Err(LogError::NoSpace { file }) => {
                tracing::error!(%file, "no space left for a new binary log file");
                Ok(Err(SqlError::disk_full(
                    file,
                    28,
                    "No space left on device",
                )))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Error 1534 for a row that no event can hold, which ends its statement; 1598 for anything else,
/// which ends the transaction.
pub(super) fn logging_impossible(error: &io::Error) -> SqlError {
    if error.kind() == io::ErrorKind::FileTooLarge {
        tracing::warn!(%error, "a statement was refused");
        let text = "Writing one row to the row-based binary log failed";
        return SqlError::new(1534, "HY000", text);
    }
    let text = format!("Binary logging not possible. Message: {error}");
    SqlError::new(1598, "HY000", text)
}
