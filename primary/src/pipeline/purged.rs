//! `SET GLOBAL gtid_purged`: transactions that this server counts as executed and does not have.
//!
//! The log is the record of what is executed, so the set is kept where the log keeps it: in the
//! PREVIOUS_GTIDS of its first file. That is possible while the log holds no transaction: a new
//! file begins behind the set, the engine takes its place there, and the files before it go. A crash
//! in between leaves the new file behind empty ones, which the next start recognises
//! (`roll_forward`) and finishes ([`drop_empty_head`]).

use std::sync::Arc;

use binlog::limits::Limits;
use binlog::log::{LogError, LogFileName, LogHead, LogIndex, LogReader, LogWriter, Storage};
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use gtid::GtidSet;
use server::feed::GtidState as _;
use sql::error::SqlError;
use tokio::sync::oneshot;

use super::core::Pipeline;
use super::request::{PurgedChange, Request};
use crate::error::PrimaryError;

impl Pipeline {
    /// Does what SET GLOBAL gtid_purged says, or answers why not. An error is the end of the
    /// process.
    pub(super) fn set_purged(
        &mut self,
        change: PurgedChange,
        reply: oneshot::Sender<Result<(), SqlError>>,
    ) -> Result<(), PrimaryError> {
        if self.turns.is_held() {
            self.turns.put_behind(Request::SetPurged(change, reply));
            return Ok(());
        }
        if !self.settle()? {
            self.turns.put_first(Request::SetPurged(change, reply));
            return Ok(());
        }
        let answer = match self.added(&change) {
            Ok(added) if added.is_empty() => Ok(()),
            Ok(added) => self.begin_behind(&added)?,
            Err(error) => Err(error),
        };
        let _ = reply.send(answer);
        Ok(())
    }

    /// What the change adds to the executed set, as MySQL's rules have it.
    fn added(&self, change: &PurgedChange) -> Result<GtidSet, SqlError> {
        let purged = self.outside.state.purged();
        let mut added = change.gtids.clone();
        if !change.adds {
            if !purged.is_subset_of(&change.gtids) {
                let cause = "the new value must be a superset of the old value";
                return Err(SqlError::gtid_purged_constraint(cause));
            }
            added.subtract(&purged);
        }
        if added.intersects(&self.log.executed) {
            let cause = "the added gtid set must not overlap with @@GLOBAL.GTID_EXECUTED";
            return Err(SqlError::gtid_purged_constraint(cause));
        }
        if added.intersects(&self.outside.state.owned.all()) {
            let cause = "the added gtid set must not overlap with @@GLOBAL.GTID_OWNED";
            return Err(SqlError::gtid_purged_constraint(cause));
        }
        // Differs from MySQL: the set has its place in front of the log, so the log must be empty.
        if !added.is_empty() && !self.log.executed.is_subset_of(&purged) {
            return Err(SqlError::not_supported(
                "SET GLOBAL gtid_purged while the binary log holds transactions",
            ));
        }
        Ok(added)
    }

    /// Begins the log anew behind `added`.
    fn begin_behind(&mut self, added: &GtidSet) -> Result<Result<(), SqlError>, PrimaryError> {
        let before = self.log.executed.clone();
        self.log.executed.union(added);
        if let Err(error) = self.rotate()? {
            self.log.executed = before;
            return Ok(Err(error));
        }
        self.engine.position = self.log.position();
        self.log.writer.sync()?;
        self.engine.writer.begin_group()?;
        self.engine.writer.commit_group(&self.engine.position)?;
        self.engine.writer.sync()?;
        // Whoever reads the old files goes on; the next start removes them then.
        if self
            .outside
            .feed
            .guards()
            .oldest()
            .is_none_or(|oldest| oldest >= *self.log.writer.active())
        {
            drop_empty_head(&mut self.log.writer)?;
        }
        self.outside.state.set_purged(self.log.executed.clone());
        self.publish();
        tracing::info!(gtid_purged = %self.log.executed, "the binary log begins anew behind these transactions");
        Ok(Ok(()))
    }
}

/// Removes the files at the head of the log that hold no transaction and are followed by one that
/// begins behind more than they did: what SET GLOBAL gtid_purged leaves. Returns what the log begins
/// behind then.
pub(crate) fn drop_empty_head(log: &mut LogWriter) -> Result<Option<GtidSet>, LogError> {
    let storage = Arc::clone(log.storage());
    let Some(file) = first_behind_gap(storage.as_ref(), log.index())? else {
        return Ok(None);
    };
    log.purge_before(&file)?;
    Ok(LogHead::read(storage.as_ref(), &file)?.previous_gtids)
}

/// The first file with other PREVIOUS_GTIDS than the log's first, if no file before it holds a
/// transaction that would explain them.
fn first_behind_gap(
    storage: &dyn Storage,
    index: &LogIndex,
) -> Result<Option<LogFileName>, LogError> {
    let mut first: Option<GtidSet> = None;
    let mut last_empty = None;
    for file in index.files() {
        let previous = LogHead::read(storage, file)?
            .previous_gtids
            .unwrap_or_default();
        match &first {
            None => first = Some(previous),
            Some(first) if *first == previous => {}
            Some(_) => {
                let is_gap = match last_empty {
                    Some(before) => !has_transactions(storage, before)?,
                    None => false,
                };
                return Ok(is_gap.then(|| file.clone()));
            }
        }
        last_empty = Some(file);
    }
    Ok(None)
}

fn has_transactions(storage: &dyn Storage, file: &LogFileName) -> Result<bool, LogError> {
    let log = LogReader::open(storage, file)?;
    let mut reader = TransactionReader::new(EventStream::new(log, Limits::default()));
    while let Some(step) = reader.next()? {
        if step.transaction.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
