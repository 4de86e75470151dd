//! How much of the node's memory statements take at once: small ones as they like, others when there
//! is room.
//!
//! A statement's tree takes a multiple of its text. Its size is estimated from its words before they
//! are kept, and promised from what the process may take; what the process has taken shows after a
//! while, so that a statement that sleeps keeps nobody out by what it might have taken. Where there is
//! no room the statements wait in line, and the largest query that has long run gives way to them.
//! Invariant: who holds the writer or a lock never waits here, so that nobody who waits for him holds
//! what he waits for.
// Differs from MySQL: it has no such limits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use memory::{Promise, Purpose};
use sql::ParseOptions;
use sql::error::SqlError;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::processes::Process;

/// Texts up to this many bytes never wait.
const SMALL: usize = 1 << 10;
/// Texts up to this many bytes are read while other sessions of the thread wait.
const SHORT: usize = 16 << 10;
/// How long a statement waits for its turn and for room.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it looks for room.
const PERIOD: Duration = Duration::from_millis(20);
/// Bytes of a tree for each of its words.
const PER_WORD: usize = 600;
/// How often a text is held while its statement is read and runs.
const COPIES: usize = 5;
/// After how long what a statement takes shows as what the process takes.
const SHOWS: Duration = Duration::from_secs(1);
/// How long a query runs before it may have to give way, and others wait before it does.
const GRACE: Duration = Duration::from_secs(5);

/// The room for statements that are not small.
#[derive(Debug)]
pub(crate) struct Appetite {
    /// Who waits for room is at the head of the line.
    head: Semaphore,
    running: Arc<Running>,
    patience: Duration,
    grace: Duration,
}

impl Default for Appetite {
    fn default() -> Self {
        Self {
            head: Semaphore::new(1),
            running: Arc::default(),
            patience: PATIENCE,
            grace: GRACE,
        }
    }
}

/// The statements that have a portion. Held for a moment only.
#[derive(Debug, Default)]
struct Running(Mutex<Vec<Eater>>);

struct Eater {
    process: Arc<Process>,
    bytes: usize,
    since: Instant,
    /// Whether it may have to give way: it is a query.
    yields: bool,
}

impl std::fmt::Debug for Eater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Eater")
            .field("connection", &self.process.id)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// The part of one statement, while it runs.
#[derive(Debug)]
pub(crate) struct Portion {
    promise: Option<Promise>,
    running: Arc<Running>,
    since: Instant,
    id: u32,
}

/// Whether reading a text takes so long that others of the thread should not wait for it.
pub(crate) const fn is_large(text: &[u8]) -> bool {
    text.len() > SHORT
}

/// Whether a text, or parameters, may take much memory.
pub(crate) const fn asks(bytes: usize) -> bool {
    bytes > SMALL
}

/// Bytes that parameters take while their statement runs.
pub(crate) const fn needed_by_parameters(bytes: usize) -> usize {
    bytes.saturating_mul(COPIES)
}

/// Bytes that the first statement of a text takes.
pub(crate) fn needed(text: &[u8], options: &ParseOptions) -> usize {
    // There may be a word for each byte of a text, and of a short one it does not matter.
    if !is_large(text) {
        return text.len().saturating_mul(PER_WORD / 2);
    }
    let size = sql::measure(text, options);
    size.bytes
        .saturating_mul(COPIES)
        .saturating_add(size.words.saturating_mul(PER_WORD))
}

impl Appetite {
    /// Takes a part without waiting. Error 1041 when there is no room.
    pub(crate) fn portion_now(
        &self,
        process: &Arc<Process>,
        bytes: usize,
    ) -> Result<Portion, SqlError> {
        let promise = Promise::of(bytes, Purpose::GoOn).ok_or_else(SqlError::out_of_resources)?;
        Ok(self.begin(process, bytes, promise))
    }

    /// Waits for its turn and for room. Error 1041 when they do not come.
    pub(crate) async fn portion(
        &self,
        process: &Arc<Process>,
        bytes: usize,
    ) -> Result<Portion, SqlError> {
        if let Some(promise) = Promise::of(bytes, Purpose::Begin) {
            return Ok(self.begin(process, bytes, promise));
        }
        let head = timeout(self.patience, self.head.acquire()).await;
        let (Ok(Ok(_head)), began) = (head, Instant::now()) else {
            return Err(SqlError::out_of_resources());
        };
        let mut has_asked = false;
        loop {
            if let Some(promise) = Promise::of(bytes, Purpose::GoOn) {
                return Ok(self.begin(process, bytes, promise));
            }
            // Where nobody takes anything there will be no more.
            let is_alone = self.running.lock().is_empty() && began.elapsed() > self.grace;
            if is_alone || began.elapsed() > self.patience {
                return Err(SqlError::out_of_resources());
            }
            if !has_asked && began.elapsed() > self.grace {
                has_asked = self.running.end_largest(self.grace);
            }
            sleep(PERIOD).await;
        }
    }

    fn begin(&self, process: &Arc<Process>, bytes: usize, promise: Promise) -> Portion {
        let since = Instant::now();
        self.running.lock().push(Eater {
            process: Arc::clone(process),
            bytes,
            since,
            yields: false,
        });
        Portion {
            promise: Some(promise),
            running: Arc::clone(&self.running),
            since,
            id: process.id,
        }
    }
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, Vec<Eater>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the largest query that has run longer than `grace`; false when there is none.
    fn end_largest(&self, grace: Duration) -> bool {
        let running = self.lock();
        let long = running
            .iter()
            .filter(|eater| eater.yields && eater.since.elapsed() > grace);
        let Some(largest) = long.max_by_key(|eater| eater.bytes) else {
            return false;
        };
        tracing::warn!(
            connection = largest.process.id,
            "ends a query that takes much memory for long: others wait for it"
        );
        // Its portion ends under the lock, so it is not the next statement that is hit.
        largest.process.kill_query();
        true
    }
}

impl Portion {
    /// Gives back what a statement of so many words does not need; what is left is for what
    /// running it takes. A query may have to give way to others.
    pub(crate) fn settle(&mut self, text: usize, words: usize, is_query: bool) {
        let bytes = text
            .saturating_mul(COPIES)
            .saturating_add(words.saturating_mul(PER_WORD));
        if let Some(promise) = &mut self.promise {
            // The rest is there now. Whoever computes or changes values asks for them by himself.
            promise.shrink(words.saturating_mul(PER_WORD / 4));
        }
        let (id, since) = (self.id, self.since);
        let mut running = self.running.lock();
        let own = |eater: &&mut Eater| eater.process.id == id && eater.since == since;
        if let Some(eater) = running.iter_mut().find(own) {
            eater.bytes = bytes;
            eater.yields = is_query;
        }
    }

    /// Runs the statement. After a while what it takes shows, and nothing is promised any more.
    pub(crate) async fn during<T>(mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = sleep(SHOWS) => drop(self.promise.take()),
        }
        work.await
    }
}

impl Drop for Portion {
    fn drop(&mut self) {
        let (id, since) = (self.id, self.since);
        self.running
            .lock()
            .retain(|eater| eater.process.id != id || eater.since != since);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sql::ast::AccountName;

    use crate::processes::{Processes, Who};

    fn appetite() -> Appetite {
        Appetite {
            patience: Duration::from_millis(200),
            grace: Duration::from_millis(40),
            ..Appetite::default()
        }
    }

    fn who() -> Who {
        Who {
            user: "a".to_owned(),
            account: Some(AccountName {
                user: "a".to_owned(),
                host: "%".to_owned(),
            }),
        }
    }

    fn list(words: usize) -> Vec<u8> {
        format!("SELECT 1 IN (1{})", ",1".repeat(words / 2)).into_bytes()
    }

    // One test, because all promises of the process count.
    #[tokio::test]
    async fn statements_wait_for_room_but_not_for_one_that_runs_long() {
        let (appetite, options) = (appetite(), ParseOptions::default());
        let processes = Arc::new(Processes::default());
        let one = processes.register(1, who(), "h", 9).unwrap();
        let other = processes.register(2, who(), "h", 9).unwrap();
        let text = list(200_000);
        let bytes = needed(&text, &options);
        let mut first = appetite.portion(&one.process, bytes).await.unwrap();
        let refused = appetite.portion(&other.process, bytes).await;
        assert_eq!(refused.unwrap_err().code, 1041);
        assert!(!one.process.interrupt.is_set());
        // What is no query is left alone.
        first.settle(text.len(), 200_000, false);
        appetite.running.end_largest(Duration::ZERO);
        assert!(!one.process.interrupt.is_set());
        first.settle(text.len(), 200_000, true);
        first.promise = None;
        first.promise = Some(Promise::of(150 << 20, Purpose::GoOn).unwrap());
        let refused = appetite.portion(&other.process, bytes).await;
        assert_eq!(refused.unwrap_err().code, 1041);
        assert!(one.process.interrupt.is_set());
        drop(first);
        appetite.portion(&other.process, bytes).await.unwrap();
        assert!(appetite.running.lock().is_empty());

        one.process.interrupt.clear();
        // What one that sleeps might take shows after a while, or is not taken.
        let first = appetite.portion(&one.process, bytes).await.unwrap();
        let (wake, sleeps) = tokio::sync::oneshot::channel::<()>();
        let sleeper = tokio::spawn(first.during(sleeps));
        let patient = Appetite::default();
        patient.portion(&other.process, bytes).await.unwrap();
        assert!(!one.process.interrupt.is_set());
        wake.send(()).unwrap();
        sleeper.await.unwrap().unwrap();
    }
}
