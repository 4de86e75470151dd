//! What sessions see of a primary: its binary logs and GTIDs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use binlog::log::{LogFileName, LogIndex, first_file_since};
use gtid::{Gtid, GtidSet};
use server::feed::{GtidState as _, LogFeed};
use server::fence::Fence;
use server::role::{
    BinaryLogFile, BinaryLogStatus, EventRow, EventsRequest, OwnedGtid, PurgeTo, Role, WriteBlock,
};
use sql::error::SqlError;

use crate::node::Primary;
use crate::pipeline::{PurgedChange, Request, log_error};

#[async_trait]
impl Role for Primary {
    fn gtid_executed(&self) -> GtidSet {
        self.state().executed()
    }

    fn gtid_purged(&self) -> GtidSet {
        self.state().purged()
    }

    async fn set_gtid_purged(&self, text: &str) -> Result<(), SqlError> {
        let trimmed = text.trim();
        let (adds, set) = match trimmed.strip_prefix('+') {
            Some(set) => (true, set),
            None => (false, trimmed),
        };
        let gtids: GtidSet = set
            .parse()
            .map_err(|_| SqlError::wrong_value_for_var("gtid_purged", text))?;
        let change = PurgedChange { gtids, adds };
        self.ask(|reply| Request::SetPurged(change, reply)).await
    }

    async fn own_gtid(
        &self,
        gtid: Gtid,
        connection_id: u64,
    ) -> Result<Option<OwnedGtid>, SqlError> {
        let state = self.state();
        if !state.is_gtid_mode_on() {
            return Err(SqlError::gtid_next_needs_gtid_mode());
        }
        let is_executed = || state.executed().contains(&gtid);
        let owned = state.owned.own(gtid, connection_id, is_executed).await;
        Ok(owned.map(|owned| OwnedGtid(Box::new(owned))))
    }

    fn fence(&self) -> Fence {
        self.parts.fence.clone()
    }

    async fn settle_fence(&self) -> Result<(), SqlError> {
        self.ask(Request::SettleFence).await
    }

    fn log_feed(&self) -> Option<Arc<LogFeed>> {
        Some(self.feed())
    }

    fn binary_log_status(&self) -> Option<BinaryLogStatus> {
        let end = self.state().end();
        Some(BinaryLogStatus {
            file: end.file.to_string(),
            position: end.offset,
            do_db: String::new(),
            ignore_db: String::new(),
            executed: self.state().executed(),
        })
    }

    async fn binary_logs(&self) -> Result<Vec<BinaryLogFile>, SqlError> {
        let feed = self.feed();
        blocking(move || {
            let storage = feed.storage().as_ref();
            let index = LogIndex::load(storage, feed.index_name()).map_err(|e| log_error(&e))?;
            let sizes = index.files().iter().map(|file| {
                // A file that is purged just now counts as empty, as in MySQL.
                let stored = storage.stored(file.as_str()).ok();
                BinaryLogFile {
                    name: file.to_string(),
                    size: stored.map_or(0, |stored| stored.bytes),
                    is_encrypted: stored.is_some_and(|stored| stored.is_encrypted),
                }
            });
            Ok(sizes.collect())
        })
        .await
    }

    async fn events(&self, request: EventsRequest) -> Result<Vec<EventRow>, SqlError> {
        if request.is_relay_log {
            return Ok(Vec::new());
        }
        let feed = self.feed();
        blocking(move || crate::show_events::show_events(&feed, &request)).await
    }

    async fn purge_binary_logs(&self, to: PurgeTo) -> Result<Option<SqlError>, SqlError> {
        let feed = self.feed();
        let first = blocking(move || {
            let storage = feed.storage().as_ref();
            let index = LogIndex::load(storage, feed.index_name()).map_err(|e| log_error(&e))?;
            match to {
                PurgeTo::File(name) => LogFileName::parse_path(&name)
                    .filter(|file| index.contains(file))
                    .map(Some)
                    .ok_or_else(unknown_target),
                PurgeTo::Before(moment) => {
                    let moment = u32::try_from(moment.max(0)).unwrap_or(u32::MAX);
                    first_file_since(storage, &index, moment).map_err(|e| log_error(&e))
                }
            }
        })
        .await?;
        let Some(first) = first else {
            return Ok(None);
        };
        let purged = self.ask(|reply| Request::Purge(first, reply)).await?;
        Ok(purged
            .kept
            .filter(|(_, readers)| *readers > 0)
            .map(|(file, readers)| {
                let count = purged.removed.len();
                let text = format!(
                    "file {file} was not purged because it was being read by {readers} thread(s), \
                 purged only {count} out of {} files.",
                    count.saturating_add(1)
                );
                SqlError::new(1867, "HY000", text)
            }))
    }

    async fn flush_binary_logs(&self) -> Result<(), SqlError> {
        self.ask(Request::Rotate).await
    }

    async fn set_binlog_encryption(&self, on: bool) -> Result<(), SqlError> {
        let encryption = &self.parts.encryption;
        server::encryption::switch(encryption, on, self.ask(Request::Rotate)).await
    }

    async fn rotate_binlog_key(&self) -> Result<(), SqlError> {
        let encryption = &self.parts.encryption;
        server::encryption::rotate_key(encryption, self.ask(Request::Rotate)).await
    }

    async fn block_writes(&self, owner: Option<u64>) -> Result<WriteBlock, SqlError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let guard = BlockGuard {
            requests: self.requests(),
            id,
        };
        // If this wait is given up, the guard's end takes the request back.
        self.ask(|reply| Request::Block(id, owner, reply)).await?;
        Ok(WriteBlock(Box::new(guard)))
    }
}

/// Ends a block of all writes when it is dropped.
struct BlockGuard {
    requests: mpsc::Sender<Request>,
    id: u64,
}

impl Drop for BlockGuard {
    fn drop(&mut self) {
        let _ = self.requests.send(Request::Unblock(self.id));
    }
}

fn unknown_target() -> SqlError {
    SqlError::new(1373, "HY000", "Target log not found in binlog index")
}

/// Runs file work on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SqlError> + Send + 'static,
) -> Result<T, SqlError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|_| Err(SqlError::server_shutdown()))
}
