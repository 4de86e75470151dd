//! The log's side of a commit: numbers, places and bytes of the transactions of a group.

use std::io;

use binlog::log::{LogError, LogWriter};
use engine::database::EnginePosition;
use gtid::{Gtid, GtidSet, Tsid};

use super::commit::Durability;
use super::group::Pending;
use super::schema::NotedTables;
use crate::state::State;
use crate::transaction::{Dependencies, Placement, Transaction};

/// The log, and what its next transaction depends on.
pub(super) struct LogSide {
    pub(super) writer: LogWriter,
    pub(super) executed: GtidSet,
    dependencies: Dependencies,
    noted: NotedTables,
    /// Who numbers the transactions; `None` while GTIDs are off.
    tsid: Option<Tsid>,
    durability: Durability,
    unsynced_groups: u32,
    last_commit_micros: u64,
    last_xid: u64,
}

/// Why a group did not come into the log.
pub(super) enum WriteError {
    Log(LogError),
    Spill(io::Error),
    /// The engine has no room for it.
    Room,
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

impl LogSide {
    /// A log that holds `executed`.
    pub(super) fn new(
        writer: LogWriter,
        executed: GtidSet,
        tsid: Option<Tsid>,
        durability: Durability,
    ) -> Self {
        Self {
            writer,
            executed,
            dependencies: Dependencies::default(),
            noted: NotedTables::default(),
            tsid,
            durability,
            unsynced_groups: 0,
            last_commit_micros: 0,
            last_xid: 0,
        }
    }

    /// What the next transaction's XID will be.
    pub(super) const fn next_xid(&self) -> u64 {
        self.last_xid.saturating_add(1)
    }

    /// Steps A and B. What the engine stands for then. On error the log is as it was before.
    pub(super) fn write_group(
        &mut self,
        pending: &[Pending],
        wall_micros: u64,
        state: &State,
    ) -> Result<EnginePosition, WriteError> {
        self.writer.ensure_file()?;
        let commit_micros = wall_micros.max(self.last_commit_micros.saturating_add(1));
        self.last_commit_micros = commit_micros;
        let sequence = self.dependencies.sequence();
        let mut assigned = Vec::new();
        let written = self.write_transactions(pending, commit_micros, state, &mut assigned);
        if let Err(error) = written {
            self.dependencies.go_back(sequence);
            for (_, gtid) in &assigned {
                self.executed.remove(gtid);
            }
            return Err(error);
        }
        self.writer.seal();
        self.sync_group(state)?;
        for (transaction, gtid) in assigned {
            transaction.tell(gtid);
        }
        Ok(self.position())
    }

    fn write_transactions<'p>(
        &mut self,
        pending: &'p [Pending],
        commit_micros: u64,
        state: &State,
        assigned: &mut Vec<(&'p Transaction, Gtid)>,
    ) -> Result<(), WriteError> {
        let mut out = Vec::new();
        let mut offset = self.writer.next_offset();
        let transactions = pending.iter().map(|pending| &pending.transaction);
        for transaction in transactions.filter(|transaction| !transaction.is_empty()) {
            let gtid = transaction.assigned().or_else(|| self.next_gtid(state));
            if let Some(gtid) = &gtid {
                self.executed.add(*gtid);
                assigned.push((transaction, *gtid));
            }
            self.last_xid = self.next_xid();
            let placement = Placement {
                gtid,
                clock: transaction.clock(&mut self.dependencies),
                commit_micros,
                xid: self.last_xid,
                checksum: self.writer.options().checksum,
            };
            let log = &mut self.writer;
            self.noted.note(log, transaction.tables());
            offset = transaction.write(&placement, offset, &mut out, |out| {
                log.write(out)?;
                out.clear();
                Ok::<(), WriteError>(())
            })?;
        }
        self.writer.write(&out)?;
        Ok(())
    }

    fn next_gtid(&self, state: &State) -> Option<Gtid> {
        let tsid = self.tsid.as_ref()?;
        let owned = state.owned.all();
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

    fn sync_group(&mut self, state: &State) -> Result<(), WriteError> {
        self.unsynced_groups = self.unsynced_groups.saturating_add(1);
        match self.durability {
            Durability::EveryGroups(groups) if self.unsynced_groups >= groups => self.sync(state),
            Durability::EveryGroups(_) | Durability::Never => Ok(()),
        }
    }

    /// Makes the log durable.
    pub(super) fn sync(&mut self, state: &State) -> Result<(), WriteError> {
        state.counts.time_sync(|| self.writer.sync())?;
        self.unsynced_groups = 0;
        Ok(())
    }

    /// The log's end, as the engine keeps it.
    pub(super) fn position(&self) -> EnginePosition {
        let end = self.writer.end();
        EnginePosition {
            file: end.file.to_string(),
            offset: end.offset,
            gtid_executed: self.executed.to_string(),
        }
    }

    /// Begins a new file.
    pub(super) fn rotate(&mut self, seconds: u32) -> Result<(), LogError> {
        self.writer.rotate(&self.executed, seconds)?;
        self.dependencies.rotated();
        self.noted.rotated();
        self.unsynced_groups = 0;
        Ok(())
    }
}
