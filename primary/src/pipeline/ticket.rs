//! Whether a statement has begun, agreed on by the one who runs it and the one who waits for it.
//!
//! ```text
//! waiting <--> running      the pipeline takes it, or puts it behind the writer's holder
//! waiting ---> withdrawn    killed, or out of time: the pipeline passes over it
//! ```
//! A statement that runs is stopped where it runs; one that waits is withdrawn at once, whatever
//! the pipeline does at the moment.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const WITHDRAWN: u8 = 2;

/// The ticket of one statement.
#[derive(Debug, Default)]
pub(crate) struct Ticket {
    state: AtomicU8,
    /// Somebody wants the statement stopped.
    killed: Notify,
}

impl Ticket {
    /// Pipeline: takes the statement; false when it was withdrawn.
    pub(crate) fn begin(&self) -> bool {
        self.state.load(Ordering::Acquire) == RUNNING || self.change(WAITING, RUNNING)
    }

    /// Pipeline: puts the statement aside.
    pub(crate) fn wait(&self) {
        self.change(RUNNING, WAITING);
    }

    /// Waiter: takes the statement back; false when it runs.
    pub(crate) fn withdraw(&self) -> bool {
        self.change(WAITING, WITHDRAWN)
    }

    /// Whether the statement was withdrawn.
    pub(crate) fn is_withdrawn(&self) -> bool {
        self.state.load(Ordering::Acquire) == WITHDRAWN
    }

    /// Tells the waiter that the statement is to stop.
    pub(crate) fn kill(&self) {
        self.killed.notify_one();
    }

    /// Waits for [`Ticket::kill`]. Cancellation-safe.
    pub(crate) async fn killed(&self) {
        self.killed.notified().await;
    }

    fn change(&self, from: u8, to: u8) -> bool {
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.state
            .compare_exchange(from, to, success, failure)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Ticket;

    #[test]
    fn a_statement_either_runs_or_is_withdrawn() {
        let ticket = Ticket::default();
        assert!(ticket.begin() && ticket.begin());
        assert!(!ticket.withdraw());
        ticket.wait();
        assert!(ticket.withdraw());
        assert!(!ticket.begin() && ticket.is_withdrawn());
    }
}
