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
use engine::database::EnginePosition;
use gtid::GtidSet;
use server::feed::GtidState as _;
use sql::error::SqlError;
use tokio::sync::oneshot;

use super::request::{PurgedChange, Request};
use super::thread::Pipeline;
use crate::error::PrimaryError;

impl Pipeline {
    /// Does what SET GLOBAL gtid_purged says, or answers why not. An error is the end of the
    /// process.
    pub(super) fn set_purged(
        &mut self,
        change: PurgedChange,
        reply: oneshot::Sender<Result<(), SqlError>>,
    ) -> Result<(), PrimaryError> {
        if self.hold.is_some() {
            self.waiting.push_back(Request::SetPurged(change, reply));
            return Ok(());
        }
        self.commit_group()?;
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
        let purged = self.state.purged();
        let mut added = change.gtids.clone();
        if !change.adds {
            if !purged.is_subset_of(&change.gtids) {
                let cause = "the new value must be a superset of the old value";
                return Err(SqlError::gtid_purged_constraint(cause));
            }
            added.subtract(&purged);
        }
        if added.intersects(&self.executed) {
            let cause = "the added gtid set must not overlap with @@GLOBAL.GTID_EXECUTED";
            return Err(SqlError::gtid_purged_constraint(cause));
        }
        if added.intersects(&self.state.owned.all()) {
            let cause = "the added gtid set must not overlap with @@GLOBAL.GTID_OWNED";
            return Err(SqlError::gtid_purged_constraint(cause));
        }
        // Differs from MySQL: the set has its place in front of the log, so the log must be empty.
        if !added.is_empty() && !self.executed.is_subset_of(&purged) {
            return Err(SqlError::not_supported(
                "SET GLOBAL gtid_purged while the binary log holds transactions",
            ));
        }
        Ok(added)
    }

    /// Begins the log anew behind `added`.
    fn begin_behind(&mut self, added: &GtidSet) -> Result<Result<(), SqlError>, PrimaryError> {
        let before = self.executed.clone();
        self.executed.union(added);
        if let Err(error) = self.rotate()? {
            self.executed = before;
            return Ok(Err(error));
        }
        let end = self.log.end();
        self.position = EnginePosition {
            file: end.file.to_string(),
            offset: end.offset,
            gtid_executed: self.executed.to_string(),
        };
        self.log.sync()?;
        self.writer.begin_group()?;
        self.writer.commit_group(&self.position)?;
        self.writer.sync()?;
        // Whoever reads the old files goes on; the next start removes them then.
        if self
            .feed
            .guards()
            .oldest()
            .is_none_or(|oldest| oldest >= *self.log.active())
        {
            drop_empty_head(&mut self.log)?;
        }
        self.state.set_purged(self.executed.clone());
        self.publish();
        tracing::info!(gtid_purged = %self.executed, "the binary log begins anew behind these transactions");
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
