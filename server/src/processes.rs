//! The sessions of a node: who is connected and what they do, for SHOW PROCESSLIST and KILL.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use engine::interrupt::Interrupt;
use engine::user_locks::UserLocks;
use sql::ast::AccountName;
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

/// Who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// As the client names itself.
    pub(crate) user: String,
    /// The account it was let in as; none before the login.
    pub(crate) account: Option<AccountName>,
}

/// One session, as others see it.
pub(crate) struct Process {
    pub(crate) id: u32,
    /// Changes with COM_CHANGE_USER.
    who: Mutex<Who>,
    /// As SHOW PROCESSLIST shows it: `host:port` or `localhost`.
    pub(crate) host: String,
    /// Whether nobody has logged in yet.
    is_login: bool,
    activity: Mutex<Activity>,
    is_killed: AtomicBool,
    killed: Notify,
    query_killed: Notify,
    /// Stops its statement, wherever that runs.
    pub(crate) interrupt: Arc<Interrupt>,
}

impl Process {
    fn new(id: u32, who: Who, host: &str) -> Self {
        let activity = Activity {
            database: None,
            command: "Connect",
            state: "",
            info: None,
            since: Instant::now(),
        };
        Self {
            id,
            is_login: who.account.is_none(),
            who: Mutex::new(who),
            host: host.to_owned(),
            activity: Mutex::new(activity),
            is_killed: AtomicBool::new(false),
            killed: Notify::new(),
            query_killed: Notify::new(),
            interrupt: Arc::default(),
        }
    }

    pub(crate) fn activity(&self) -> Activity {
        self.activity
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Who is logged in.
    pub(crate) fn who(&self) -> Who {
        self.lock_who().clone()
    }

    /// Another user took over the connection.
    pub(crate) fn change_user(&self, who: Who) {
        *self.lock_who() = who;
    }

    fn lock_who(&self) -> MutexGuard<'_, Who> {
        self.who.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.interrupt.set();
        self.query_killed.notify_one();
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

    /// Waits until the statement is to end. Cancellation-safe.
    pub(crate) async fn query_killed(&self) {
        while !self.interrupt.is_set() {
            self.query_killed.notified().await;
        }
    }

    /// Forgets KILL QUERY of an earlier statement; KILL of the session stays.
    pub(crate) fn begin_statement(&self) {
        self.interrupt.clear();
        if self.is_killed() {
            self.interrupt.set();
        }
    }
}

/// All sessions, and how many there were.
#[derive(Default)]
pub(crate) struct Processes {
    /// By connection id; held for a moment only.
    sessions: Mutex<BTreeMap<u32, Arc<Process>>>,
    /// The locks that sessions name.
    user_locks: Arc<UserLocks>,
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) questions: AtomicU64,
    pub(crate) errors: AtomicU64,
}

/// Connections at one time that have not logged in. They do not count as sessions; beyond this the
/// oldest one goes.
const LOGINS_MAX: usize = 256;

/// Takes the session off the list when it is dropped.
pub(crate) struct Registered {
    pub(crate) process: Arc<Process>,
    processes: Arc<Processes>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut sessions = self.processes.lock();
        // A login is followed by the session of the same number, which may be there already.
        if sessions
            .get(&self.process.id)
            .is_some_and(|process| Arc::ptr_eq(process, &self.process))
        {
            sessions.remove(&self.process.id);
            drop(sessions);
            let locks = &self.processes.user_locks;
            locks.release_all(u64::from(self.process.id));
        }
    }
}

impl Registered {
    /// The locks that sessions name.
    pub(crate) fn user_locks(&self) -> Arc<UserLocks> {
        Arc::clone(&self.processes.user_locks)
    }
}

impl Processes {
    /// Enters a session, unless there are `limit` of them.
    pub(crate) fn register(
        self: &Arc<Self>,
        id: u32,
        who: Who,
        host: &str,
        limit: usize,
    ) -> Option<Registered> {
        let mut sessions = self.lock();
        let count = sessions.values().filter(|process| !process.is_login);
        if count.count() >= limit {
            return None;
        }
        Some(self.enter(&mut sessions, Process::new(id, who, host)))
    }

    /// Enters a connection that has not logged in.
    pub(crate) fn register_login(self: &Arc<Self>, id: u32, host: &str) -> Registered {
        let mut sessions = self.lock();
        let logins = sessions.values().filter(|process| process.is_login);
        if logins.clone().count() >= LOGINS_MAX
            && let Some(oldest) = logins.min_by_key(|process| process.activity().since)
        {
            oldest.kill();
        }
        let nobody = Who {
            user: "unauthenticated user".to_owned(),
            account: None,
        };
        self.enter(&mut sessions, Process::new(id, nobody, host))
    }

    fn enter(
        self: &Arc<Self>,
        sessions: &mut BTreeMap<u32, Arc<Process>>,
        process: Process,
    ) -> Registered {
        let process = Arc::new(process);
        sessions.insert(process.id, Arc::clone(&process));
        Registered {
            process,
            processes: Arc::clone(self),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Process>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, id: u64) -> Option<Arc<Process>> {
        self.lock().get(&u32::try_from(id).ok()?).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Process>> {
        self.lock().values().cloned().collect()
    }

    /// Sessions, those that have not logged in aside.
    pub(crate) fn count(&self) -> usize {
        let sessions = self.lock();
        let sessions = sessions.values().filter(|process| !process.is_login);
        sessions.count()
    }
}

impl std::fmt::Debug for Processes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processes")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}
