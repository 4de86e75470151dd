//! Work that takes its time: while it goes on, the session watches whether anybody still wants it.

use std::pin::pin;

use super::Session;

impl Session {
    /// Waits for `work`, which the session's interrupt ends. A client that goes away meanwhile sets
    /// it, and the session is over.
    pub(super) async fn attend<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            sent = self.connection.readable() => {
                // What a client sends ahead is its next command, and says nothing about its end.
                if !matches!(sent, Ok(true)) {
                    self.abandon();
                }
            }
        }
        work.await
    }

    /// Ends the session and what it does: nobody hears the answer.
    pub(super) fn abandon(&mut self) {
        self.is_closing = true;
        self.registered.process.kill();
        let id = u64::from(self.registered.process.id);
        self.node.executor.interrupt(id);
    }
}
