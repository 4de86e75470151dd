//! How much of the node's memory statements take at once: many small ones as they like, large ones in
//! turn.
//!
//! A statement's tree takes a multiple of its text. Its size is estimated from the text before it is
//! read, and taken from what all sessions share; what it turned out not to need is given back at once,
//! the rest when it is done. Invariant: who holds the writer or a lock never waits here, so that
//! nobody who waits for him holds what he waits for.
// Differs from MySQL: it has no such limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sql::error::SqlError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What large statements may take together, in KiB.
const TOTAL: u32 = 64 << 10;
/// Texts up to this many bytes are small.
pub(crate) const SMALL: usize = 16 << 10;
/// How long a large statement waits for its turn.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a tree for each byte of a text whose words are short.
const PER_BYTE: usize = 300;
/// Bytes of a tree for each of its words.
const PER_WORD: usize = 600;
/// How often a text is held while its statement runs.
const COPIES: usize = 2;
/// Bytes for each byte of rows that are listed.
const PER_ROW_BYTE: usize = 8;
/// Bytes that all prepared statements may take.
const PREPARED_MAX: u64 = 32 << 20;

/// What is left for large statements.
#[derive(Debug)]
pub(crate) struct Appetite {
    left: Arc<Semaphore>,
    prepared: Arc<AtomicU64>,
    patience: Duration,
}

impl Default for Appetite {
    fn default() -> Self {
        Self {
            left: Arc::new(Semaphore::new(usize::try_from(TOTAL).unwrap_or(0))),
            prepared: Arc::default(),
            patience: PATIENCE,
        }
    }
}

/// The part of one statement.
#[derive(Debug)]
pub(crate) struct Portion(OwnedSemaphorePermit);

/// What a prepared statement takes while it is there.
#[derive(Debug)]
pub(crate) struct Kept {
    prepared: Arc<AtomicU64>,
    bytes: u64,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.prepared.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Whether a text may take much memory.
pub(crate) const fn is_large(text: &[u8]) -> bool {
    text.len() > SMALL
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes >> 10).unwrap_or(TOTAL).clamp(1, TOTAL)
}

/// What a statement of this text may take before its words are counted.
fn estimate(text: &[u8]) -> u32 {
    let lists_rows = [&b"INSERT"[..], b"REPLACE"].iter().any(|verb| {
        let head = text.trim_ascii_start().get(..verb.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(verb))
    });
    let factor = if lists_rows { PER_ROW_BYTE } else { PER_BYTE };
    kib(text.len().saturating_mul(factor))
}

impl Appetite {
    /// Waits for the turn of a large text. Error 1041 when it does not come.
    pub(crate) async fn portion(&self, text: &[u8]) -> Result<Portion, SqlError> {
        let left = Arc::clone(&self.left).acquire_many_owned(estimate(text));
        match tokio::time::timeout(self.patience, left).await {
            Ok(Ok(permit)) => Ok(Portion(permit)),
            Ok(Err(_)) | Err(_) => Err(SqlError::out_of_resources()),
        }
    }

    /// Takes note of a prepared statement. Error 3170 when all of them take too much.
    pub(crate) fn keep(&self, text: usize, words: usize) -> Result<Kept, SqlError> {
        let bytes = text
            .saturating_mul(PER_ROW_BYTE)
            .saturating_add(words.saturating_mul(PER_WORD));
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let kept = self
            .prepared
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |sum| {
                let sum = sum.saturating_add(bytes);
                (sum <= PREPARED_MAX).then_some(sum)
            });
        match kept {
            Ok(_) => Ok(Kept {
                prepared: Arc::clone(&self.prepared),
                bytes,
            }),
            Err(_) => Err(SqlError::capacity_exceeded(
                PREPARED_MAX,
                "prepared statements",
                "Close some of them.",
            )),
        }
    }
}

impl Portion {
    /// Gives back what a statement of so many words does not need.
    pub(crate) fn settle(&mut self, text: usize, words: usize) {
        let needed = text
            .saturating_mul(COPIES)
            .saturating_add(words.saturating_mul(PER_WORD));
        let needed = usize::try_from(kib(needed)).unwrap_or(usize::MAX);
        let surplus = self.0.num_permits().saturating_sub(needed);
        drop(self.0.split(surplus));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_statements_take_turns_and_give_back_what_they_do_not_need() {
        let appetite = Appetite {
            patience: Duration::from_millis(20),
            ..Appetite::default()
        };
        let list = vec![b'1'; 2 << 20];
        let mut first = appetite.portion(&list).await.unwrap();
        assert_eq!(appetite.portion(&list).await.unwrap_err().code, 1041);
        first.settle(list.len(), 1000);
        assert_eq!(appetite.portion(&list).await.unwrap_err().code, 1041);
        let mut rows = b" insert into t values ".to_vec();
        rows.resize(1 << 20, b'1');
        appetite.portion(&rows).await.unwrap();
        drop(first);
        appetite.portion(&list).await.unwrap();
    }

    #[test]
    fn prepared_statements_share_what_there_is() {
        let appetite = Appetite::default();
        let one = appetite.keep(3 << 20, 1000).unwrap();
        assert_eq!(appetite.keep(3 << 20, 1000).unwrap_err().code, 3170);
        drop(one);
        appetite.keep(3 << 20, 1000).unwrap();
    }
}
