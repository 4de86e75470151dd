//! The sessions of a node: who is connected and what they do, for SHOW PROCESSLIST and KILL.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use engine::database::InterruptHandle;
use tokio::sync::Notify;

/// What a session does at the moment.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    /// Default database.
    pub(crate) database: Option<String>,
    /// MySQL's word for the command.
    pub(crate) command: &'static str,
    /// What it waits for or does.
    pub(crate) state: &'static str,
    /// Statement text.
    pub(crate) info: Option<String>,
    /// Since when.
    pub(crate) since: Instant,
}

/// One session, as others see it.
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) user: String,
    /// As SHOW PROCESSLIST shows it: `host:port` or `localhost`.
    pub(crate) host: String,
    activity: Mutex<Activity>,
    is_killed: AtomicBool,
    is_query_killed: AtomicBool,
    killed: Notify,
    /// Set while a query runs on a reader.
    interrupt: Mutex<Option<InterruptHandle>>,
}

impl Process {
    pub(crate) fn activity(&self) -> Activity {
        self.activity
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes what others see.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Activity)) {
        change(&mut self.activity.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends the session: at once while it waits for a command, else after its statement.
    pub(crate) fn kill(&self) {
        self.is_killed.store(true, Ordering::Release);
        self.killed.notify_one();
        self.kill_query();
    }

    /// Ends the running statement.
    pub(crate) fn kill_query(&self) {
        self.is_query_killed.store(true, Ordering::Release);
        let interrupt = self
            .interrupt
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = interrupt.as_ref() {
            handle.interrupt();
        }
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.is_killed.load(Ordering::Acquire)
    }

    /// Waits until the session is to end. Cancellation-safe.
    pub(crate) async fn killed(&self) {
        while !self.is_killed() {
            self.killed.notified().await;
        }
    }

    /// Forgets KILL QUERY of an earlier statement, and takes the handle of this one's reader.
    pub(crate) fn begin_query(&self, handle: InterruptHandle) {
        self.is_query_killed.store(false, Ordering::Release);
        *self
            .interrupt
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(handle);
    }

    pub(crate) fn end_query(&self) {
        *self
            .interrupt
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// All sessions, and how many there were.
#[derive(Default)]
pub(crate) struct Processes {
    /// By connection id; held for a moment only.
    sessions: Mutex<BTreeMap<u32, Arc<Process>>>,
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) questions: AtomicU64,
}

/// Takes the session off the list when it is dropped.
pub(crate) struct Registered {
    pub(crate) process: Arc<Process>,
    processes: Arc<Processes>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut sessions = self
            .processes
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&self.process.id);
    }
}

impl Processes {
    pub(crate) fn register(self: &Arc<Self>, id: u32, user: &str, host: &str) -> Registered {
        let activity = Activity {
            database: None,
            command: "Connect",
            state: "",
            info: None,
            since: Instant::now(),
        };
        let process = Arc::new(Process {
            id,
            user: user.to_owned(),
            host: host.to_owned(),
            activity: Mutex::new(activity),
            is_killed: AtomicBool::new(false),
            is_query_killed: AtomicBool::new(false),
            killed: Notify::new(),
            interrupt: Mutex::new(None),
        });
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(id, Arc::clone(&process));
        Registered {
            process,
            processes: Arc::clone(self),
        }
    }

    pub(crate) fn find(&self, id: u64) -> Option<Arc<Process>> {
        let id = u32::try_from(id).ok()?;
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Process>> {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

impl std::fmt::Debug for Processes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processes")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}
