//! `Primary`: the handle that sessions, dump sessions and the process have of the node.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use binlog::log::encryption::LogEncryption;
use config::PrimarySettings;
use engine::database::Database;
use gtid::Uuid;
use server::checkpointer::Checkpointer;
use server::datadir::DataDirectory;
use server::feed::LogFeed;
use server::fence::Fence;

use crate::executor::Waiters;
use crate::pipeline::Request;
use crate::state::State;

/// A running primary. Dropping it without [`Primary::stop`] is a crash that recovery repairs.
pub struct Primary {
    pub(crate) parts: Parts,
    /// Statements that wait for their answer.
    pub(crate) waiters: Waiters,
    /// The pipeline's thread and the checkpoints'; taken by the one who stops the node.
    threads: Mutex<Option<Threads>>,
}

pub(crate) struct Parts {
    pub(crate) settings: Arc<PrimarySettings>,
    pub(crate) server_uuid: Uuid,
    pub(crate) database: Database,
    pub(crate) feed: Arc<LogFeed>,
    pub(crate) encryption: Arc<LogEncryption>,
    pub(crate) state: Arc<State>,
    pub(crate) fence: Fence,
    pub(crate) requests: mpsc::Sender<Request>,
}

pub(crate) struct Threads {
    pub(crate) pipeline: JoinHandle<()>,
    pub(crate) checkpointer: Checkpointer,
    /// Holds the lock on the data directory.
    pub(crate) lock: DataDirectory,
}

impl Primary {
    pub(crate) fn new(parts: Parts, threads: Threads) -> Self {
        Self {
            parts,
            waiters: Waiters::default(),
            threads: Mutex::new(Some(threads)),
        }
    }

    /// The settings it was started with.
    #[must_use]
    pub fn settings(&self) -> &Arc<PrimarySettings> {
        &self.parts.settings
    }

    /// Its identity.
    #[must_use]
    pub const fn server_uuid(&self) -> Uuid {
        self.parts.server_uuid
    }

    /// The engine, for reading.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.parts.database
    }

    /// The log, for dump sessions.
    #[must_use]
    pub fn feed(&self) -> Arc<LogFeed> {
        Arc::clone(&self.parts.feed)
    }

    pub(crate) fn state(&self) -> &State {
        &self.parts.state
    }

    pub(crate) fn requests(&self) -> mpsc::Sender<Request> {
        self.parts.requests.clone()
    }

    /// Sends a request. If the pipeline has ended, the answer is dropped with it.
    pub(crate) fn send(&self, request: Request) {
        let _ = self.parts.requests.send(request);
    }

    /// Finishes the open group, closes the log and the engine, and lets the data directory go.
    /// Statements that come later fail with error 1053. Blocks.
    pub fn stop(&self) {
        self.send(Request::Stop);
        let threads = self
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(threads) = threads {
            let _ = threads.pipeline.join();
            drop(threads.checkpointer);
            drop(threads.lock);
        }
    }
}

impl fmt::Debug for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primary")
            .field("server_uuid", &self.parts.server_uuid)
            .field("end", &self.parts.state.end())
            .finish_non_exhaustive()
    }
}
