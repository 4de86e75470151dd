//! Waiting for a condition with a deadline.
//!
//! This is the only place of the tests that lets time pass: everything else names the condition it
//! waits for, so that a test is as fast as the machine and fails with the name of what never came.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

/// How long the condition rests between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// Long enough for a loaded two-core machine to start a server or to drain a queue.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Asks `look` until it yields a value, at most for `limit`.
///
/// `look` returns `Ok(Err(seen))` while the condition does not hold yet; the last `seen` is part of
/// the failure.
///
/// # Errors
/// What `look` fails with, or a failure naming `what` when `limit` has passed.
pub async fn until<T, S, F, Fut>(what: &str, limit: Duration, mut look: F) -> Result<T>
where
    S: std::fmt::Display,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<std::result::Result<T, S>>>,
{
    let started = Instant::now();
    loop {
        match look().await.map_err(|failure| failure.during(what))? {
            Ok(value) => return Ok(value),
            Err(seen) if started.elapsed() >= limit => {
                return Err(Failure::new(format!(
                    "{what}: not within {} s; last seen: {seen}",
                    limit.as_secs()
                )));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The blocking form of [`until`], for a thing that has no async side: `None` when `limit` passed.
///
/// # Errors
/// What `look` fails with.
pub fn blocking_until<T>(
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let started = Instant::now();
    loop {
        if let Some(value) = look()? {
            return Ok(Some(value));
        }
        if started.elapsed() >= limit {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Lets load run for `span`: for tests that do something to a system at work.
pub async fn let_run(span: Duration) {
    tokio::time::sleep(span).await;
}
