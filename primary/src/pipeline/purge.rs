//! Removing old log files: on request and by age, never one that somebody needs.
//!
//! A file stays as long as a dump session reads it or an earlier one, as long as the engine may
//! need it to be rolled forward after a power loss, and as long as it is written.

use binlog::log::{LogError, LogFileName, LogHead, first_file_since};
use server::feed::GtidState as _;
use sql::error::SqlError;

use super::core::Pipeline;
use super::request::Purged;

impl Pipeline {
    /// Removes the files in front of `wanted`, as far as that may be.
    pub(crate) fn purge(&mut self, wanted: &LogFileName) -> Result<Purged, SqlError> {
        let limit = self.purge_limit();
        let first = wanted.min(&limit).clone();
        let kept = (first < *wanted).then(|| {
            let readers = self.outside.feed.guards().holders_up_to(&first);
            (first.clone(), readers)
        });
        let mut purged = self.log.writer.purge_before(&first);
        // To make room takes a little of it.
        if matches!(&purged, Err(error) if error.is_no_space()) && self.room.spend() {
            self.note_short();
            purged = self.log.writer.purge_before(&first);
        }
        // A file that cannot be removed is out of the log all the same.
        self.note_purged();
        let removed = purged.map_err(|error| {
            tracing::error!(%error, "purging binary logs failed");
            log_error(&error)
        })?;
        if !removed.is_empty() {
            tracing::info!(files = removed.len(), first = %first, "purged binary logs");
        }
        Ok(Purged { removed, kept })
    }

    /// The first file that somebody needs.
    fn purge_limit(&self) -> LogFileName {
        let oldest = self.log.writer.index().first();
        let engine = self.outside.state.needed_by_engine();
        let engine = engine.or_else(|| oldest.cloned());
        let needs = [self.outside.feed.guards().oldest(), engine];
        let needs = needs.into_iter().flatten().min();
        needs.map_or_else(
            || self.log.writer.active().clone(),
            |file| file.min(self.log.writer.active().clone()),
        )
    }

    /// Removes the files that are older than the setting says.
    pub(crate) fn expire(&mut self) {
        if self.options.expire_seconds == 0 {
            return;
        }
        let limit = self
            .now
            .seconds()
            .saturating_sub(self.options.expire_seconds);
        let storage = std::sync::Arc::clone(self.log.writer.storage());
        match first_file_since(storage.as_ref(), self.log.writer.index(), limit) {
            Ok(Some(first)) => {
                // What cannot go now will be tried again with the next file.
                let _ = self.purge(&first);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "cannot tell which binary logs have expired"),
        }
    }

    fn note_purged(&self) {
        let Some(first) = self.log.writer.index().first() else {
            return;
        };
        match LogHead::read(self.log.writer.storage().as_ref(), first) {
            Ok(head) => {
                let mut purged = head.previous_gtids.unwrap_or_default();
                // What was purged once stays so, wherever the log begins.
                purged.union(&self.outside.state.purged());
                self.outside.state.set_purged(purged);
            }
            Err(error) => tracing::warn!(%error, "cannot tell which GTIDs were purged"),
        }
    }
}

/// What a client is told about a failure of the log's files.
pub(crate) fn log_error(error: &LogError) -> SqlError {
    match error {
        LogError::NoSpace { file } => SqlError::disk_full(file, 28, "No space left on device"),
        error => {
            let text = format!("I/O error reading log index file: {error}");
            SqlError::new(1374, "HY000", text)
        }
    }
}
