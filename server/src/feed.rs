//! The binlog as those see it who read it while it grows.
//!
//! The writer publishes how far the log is durable; readers wait for that and never look at a byte
//! beyond it, because it may still vanish in a crash. Nothing is polled. The feed neither writes
//! nor purges: it only carries what the writer says and the guards that purging respects.

use std::sync::Arc;

use binlog::log::{FileGuards, LogPosition, Storage};
use gtid::{GtidSet, Uuid};
use tokio::sync::watch;

/// What the log holds, by GTIDs; asked when a replica connects.
pub trait GtidState: Send + Sync {
    /// Every transaction that was ever committed here.
    fn executed(&self) -> GtidSet;

    /// Those of them that are in no log file any more.
    fn purged(&self) -> GtidSet;

    /// Whether `gtid_mode` is ON, so that replicas may ask by GTIDs.
    fn is_gtid_mode_on(&self) -> bool;
}

/// The server whose log this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedIdentity {
    /// Its `server_id`, in every artificial event.
    pub server_id: u32,
    /// Its `server_uuid`.
    pub server_uuid: Uuid,
}

/// A log that grows, for its readers.
pub struct LogFeed {
    identity: FeedIdentity,
    storage: Arc<dyn Storage>,
    index_name: String,
    guards: FileGuards,
    gtids: Arc<dyn GtidState>,
    /// Written by the log's writer only.
    durable_end: watch::Sender<LogPosition>,
}

impl LogFeed {
    /// The feed of the log whose index is `index_name` and which is durable up to `durable_end`.
    /// `guards` are those that the writer asks before it purges.
    #[must_use]
    pub fn new(
        identity: FeedIdentity,
        storage: Arc<dyn Storage>,
        index_name: impl Into<String>,
        guards: FileGuards,
        gtids: Arc<dyn GtidState>,
        durable_end: LogPosition,
    ) -> Self {
        Self {
            identity,
            storage,
            index_name: index_name.into(),
            guards,
            gtids,
            durable_end: watch::Sender::new(durable_end),
        }
    }

    /// Says that the log is durable up to `end`, and wakes the readers that wait. To be called
    /// after each sync, and after a rotation once the new file's head is durable.
    pub fn publish(&self, end: LogPosition) {
        self.durable_end.send_replace(end);
    }

    /// How far the log is durable, now and as it changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<LogPosition> {
        self.durable_end.subscribe()
    }

    /// How far the log is durable now.
    #[must_use]
    pub fn durable_end(&self) -> LogPosition {
        self.durable_end.borrow().clone()
    }

    /// Whose log it is.
    #[must_use]
    pub const fn identity(&self) -> FeedIdentity {
        self.identity
    }

    /// Where the files are.
    #[must_use]
    pub const fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Name of the index in the storage.
    #[must_use]
    pub fn index_name(&self) -> &str {
        &self.index_name
    }

    /// The guards that keep files from being purged.
    #[must_use]
    pub const fn guards(&self) -> &FileGuards {
        &self.guards
    }

    /// What the log holds, by GTIDs.
    #[must_use]
    pub fn gtids(&self) -> &dyn GtidState {
        self.gtids.as_ref()
    }
}

impl std::fmt::Debug for LogFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFeed")
            .field("identity", &self.identity)
            .field("index_name", &self.index_name)
            .field("durable_end", &self.durable_end())
            .finish_non_exhaustive()
    }
}
