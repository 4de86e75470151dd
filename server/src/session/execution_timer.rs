//! `max_execution_time`: stops a SELECT that takes too long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::interrupt::Interrupt;
use sql::error::SqlError;
use tokio::task::JoinHandle;

/// Runs until the time is over or [`ExecutionTimer::has_stopped_it`] ends it.
pub(super) struct ExecutionTimer {
    task: JoinHandle<()>,
    /// `None` once the statement is over, so that no later one is stopped.
    handle: Arc<Mutex<Option<Arc<Interrupt>>>>,
    has_fired: Arc<AtomicBool>,
}

impl ExecutionTimer {
    /// Starts it; `interrupt` stops the statement.
    pub(super) fn start(limit: Duration, interrupt: Arc<Interrupt>) -> Self {
        let handle = Arc::new(Mutex::new(Some(interrupt)));
        let has_fired = Arc::new(AtomicBool::new(false));
        let (stop, fired) = (Arc::clone(&handle), Arc::clone(&has_fired));
        let task = tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            // Held while stopping: the statement cannot end in between.
            if let Some(interrupt) = &*stop.lock().unwrap_or_else(PoisonError::into_inner) {
                fired.store(true, Ordering::Relaxed);
                interrupt.set();
            }
        });
        Self {
            task,
            handle,
            has_fired,
        }
    }

    /// Ends the timer; whether its time was over before.
    pub(super) fn has_stopped_it(self) -> bool {
        self.task.abort();
        drop(
            self.handle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.has_fired.load(Ordering::Relaxed)
    }
}

/// 3024 in place of 1317, the error of a statement that was stopped.
pub(super) fn timed_out(error: SqlError) -> SqlError {
    match error.code {
        1317 => SqlError::query_timeout(),
        _ => error,
    }
}
