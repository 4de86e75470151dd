//! Threads for work that may block for long: queries, SLEEP().
//!
//! Each piece of work has a thread of its own, so that however many of them wait, the next one
//! begins at once; the number of sessions bounds their number. A thread that is done is kept for
//! the next piece. Their stacks hold what walking a statement's tree can need.

use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// Threads that are kept when they have nothing to do.
const IDLE_MAX: usize = 8;

/// Runs work on threads; clones are the same threads.
#[derive(Clone, Default)]
pub(crate) struct Threads {
    /// Held for a push or a pop only.
    idle: Arc<Mutex<Vec<mpsc::Sender<Work>>>>,
}

impl Threads {
    /// Runs `work`; `None` if it panicked or no thread could be had. When the wait is given up,
    /// `work` goes on and its result is lost.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move || drop(reply.send(work())));
        if let Err(error) = self.hand_over(work) {
            tracing::error!(%error, "cannot start a thread for a query");
        }
        answer.await.ok()
    }

    fn hand_over(&self, mut work: Work) -> std::io::Result<()> {
        loop {
            let Some(idle) = self.lock().pop() else {
                return self.start(work);
            };
            match idle.send(work) {
                Ok(()) => return Ok(()),
                Err(mpsc::SendError(unsent)) => work = unsent,
            }
        }
    }

    fn start(&self, work: Work) -> std::io::Result<()> {
        let threads = self.clone();
        let builder = std::thread::Builder::new()
            .name("query".to_owned())
            .stack_size(sql::THREAD_STACK);
        builder.spawn(move || {
            work();
            while let Some(next) = threads.next() {
                next();
            }
        })?;
        Ok(())
    }

    /// What an idle thread does next; `None` when enough of them wait.
    fn next(&self) -> Option<Work> {
        let (sender, receiver) = mpsc::channel();
        let mut idle = self.lock();
        if idle.len() >= IDLE_MAX {
            return None;
        }
        idle.push(sender);
        drop(idle);
        receiver.recv().ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<mpsc::Sender<Work>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_waits_holds_up_no_other() {
        let threads = Threads::default();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let waiting: Vec<_> = (0..100)
            .map(|number| {
                let (threads, gate) = (threads.clone(), Arc::clone(&gate));
                tokio::spawn(async move {
                    let work = move || gate.lock().unwrap().recv().map(|()| number);
                    threads.run(work).await
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(threads.run(|| 7).await, Some(7));
        for _ in 0..100 {
            open.send(()).unwrap();
        }
        for waited in waiting {
            assert!(matches!(waited.await.unwrap(), Some(Ok(_))));
        }
    }

    #[tokio::test]
    async fn a_panic_is_no_answer_and_harms_nobody_else() {
        let threads = Threads::default();
        assert_eq!(threads.run(|| panic!("on purpose")).await, None::<()>);
        assert_eq!(threads.run(|| 1).await, Some(1));
    }
}
