//! How much of the node's memory statements take at once: many small ones as they like, large ones in
//! turn.
//!
//! A statement's tree takes a multiple of its text. Its size is estimated from the text before it is
//! read, and taken from what all sessions share; what it turned out not to need is given back at once,
//! the rest when it is done. Invariant: who holds the writer or a lock never waits here, so that
//! nobody who waits for him holds what he waits for.
// Differs from MySQL: it has no such limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
/// Bytes that the trees of all prepared statements may take.
const TREES_MAX: usize = 24 << 20;
/// Bytes of them that each session may take.
const SESSION_TREES_MAX: usize = 1 << 20;
/// Bytes that the texts of all prepared statements may take, apart from what is free.
const TEXTS_MAX: usize = 16 << 20;
/// Bytes of texts that each session may take.
const SESSION_TEXTS_MAX: usize = 4 << 20;
/// Bytes of texts that each session may take whatever others do.
const FREE: usize = 256 << 10;
/// Bytes of a prepared statement apart from its text and its tree.
const ONE: usize = 256;

/// What is left for large statements.
#[derive(Debug)]
pub(crate) struct Appetite {
    left: Arc<Semaphore>,
    prepared: Arc<Shelf>,
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

/// What the prepared statements of all sessions take, or of one.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    trees: AtomicUsize,
    texts: AtomicUsize,
}

/// What a prepared statement takes while it is there.
#[derive(Debug)]
pub(crate) struct Kept {
    all: Arc<Shelf>,
    own: Arc<Shelf>,
    text: usize,
    tree: usize,
}

impl Kept {
    /// Whether there is room for the tree; else the text is read again whenever it is executed.
    pub(crate) const fn has_tree(&self) -> bool {
        self.tree > 0
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.all.trees.fetch_sub(self.tree, Ordering::AcqRel);
        self.own.trees.fetch_sub(self.tree, Ordering::AcqRel);
        // Only its session changes what is its own, one statement after the other.
        let before = self.own.texts.fetch_sub(self.text, Ordering::AcqRel);
        let returned = shared(before).saturating_sub(shared(before.saturating_sub(self.text)));
        self.all.texts.fetch_sub(returned, Ordering::AcqRel);
    }
}

/// What of a session's bytes of texts counts for all.
const fn shared(own: usize) -> usize {
    own.saturating_sub(FREE)
}

/// Adds to a sum unless it gets larger than `most`.
fn add(sum: &AtomicUsize, bytes: usize, most: usize) -> bool {
    sum.fetch_update(Ordering::AcqRel, Ordering::Acquire, |sum| {
        let sum = sum.saturating_add(bytes);
        (bytes == 0 || sum <= most).then_some(sum)
    })
    .is_ok()
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

    /// Takes note of a prepared statement of a session whose others are on `own`. Error 3170 when the
    /// texts take too much.
    pub(crate) fn keep(
        &self,
        own: &Arc<Shelf>,
        text: usize,
        words: usize,
    ) -> Result<Kept, SqlError> {
        let refused = |most: usize| {
            SqlError::capacity_exceeded(most, "prepared statements", "Close some of them.")
        };
        let text_bytes = text.saturating_add(ONE);
        let before = own.texts.load(Ordering::Acquire);
        let after = before.saturating_add(text_bytes);
        if after > SESSION_TEXTS_MAX {
            return Err(refused(SESSION_TEXTS_MAX));
        }
        let more = shared(after).saturating_sub(shared(before));
        if !add(&self.prepared.texts, more, TEXTS_MAX) {
            return Err(refused(TEXTS_MAX));
        }
        own.texts.fetch_add(text_bytes, Ordering::AcqRel);
        let mut kept = Kept {
            all: Arc::clone(&self.prepared),
            own: Arc::clone(own),
            text: text_bytes,
            tree: 0,
        };
        let tree = text
            .saturating_mul(PER_ROW_BYTE)
            .saturating_add(words.saturating_mul(PER_WORD));
        if add(&own.trees, tree, SESSION_TREES_MAX) {
            match add(&self.prepared.trees, tree, TREES_MAX) {
                true => kept.tree = tree,
                false => {
                    own.trees.fetch_sub(tree, Ordering::AcqRel);
                }
            }
        }
        Ok(kept)
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
    fn the_caches_of_ordinary_drivers_fit() {
        let appetite = Appetite::default();
        let mut kept = Vec::new();
        for _ in 0..20 {
            let own = Arc::default();
            kept.extend((0..250).map(|_| appetite.keep(&own, 250, 40).unwrap()));
        }
        assert!(kept.iter().any(Kept::has_tree));
        let trees = appetite.prepared.trees.load(Ordering::Acquire);
        assert!(trees <= TREES_MAX);
        drop(kept);
        assert_eq!(appetite.prepared.trees.load(Ordering::Acquire), 0);
        assert_eq!(appetite.prepared.texts.load(Ordering::Acquire), 0);
    }

    #[test]
    fn nobody_takes_all_that_prepared_statements_may_take() {
        let appetite = Appetite::default();
        let shelves: Vec<Arc<Shelf>> = (0..8).map(|_| Arc::default()).collect();
        let mut kept = Vec::new();
        for own in &shelves {
            let refused = loop {
                match appetite.keep(own, 100 << 10, 100) {
                    Ok(one) => kept.push(one),
                    Err(error) => break error,
                }
            };
            assert_eq!(refused.code, 3170);
            assert!(own.texts.load(Ordering::Acquire) <= SESSION_TEXTS_MAX);
        }
        let modest = Arc::default();
        kept.extend((0..250).map(|_| appetite.keep(&modest, 250, 40).unwrap()));
        drop(kept);
        assert_eq!(appetite.prepared.texts.load(Ordering::Acquire), 0);
    }
}
