//! What prepared statements take while they are there: of each session, and of all.
// Differs from MySQL: its only limit is `max_prepared_stmt_count`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sql::error::SqlError;

/// Bytes of a tree for each byte of its text.
const PER_BYTE: usize = 8;
/// Bytes of a tree for each of its words.
const PER_WORD: usize = 600;
/// Bytes that the trees of all prepared statements may take.
const TREES_MAX: usize = 24 << 20;
/// Bytes of them that each session may take.
const SESSION_TREES_MAX: usize = 1 << 20;
/// Bytes that the texts of all prepared statements may take, apart from what is free.
const TEXTS_MAX: usize = 24 << 20;
/// Bytes of texts that each session may take.
const SESSION_TEXTS_MAX: usize = 8 << 20;
/// Bytes of texts that each session may take whatever others do.
const FREE: usize = 256 << 10;
/// Bytes of a prepared statement apart from its text and its tree.
const ONE: usize = 256;

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

/// Takes note of a prepared statement of a session whose others are on `own`. Error 3170 when the
/// texts take too much.
pub(crate) fn keep(
    all: &Arc<Shelf>,
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
    if !add(&all.texts, more, TEXTS_MAX) {
        return Err(refused(TEXTS_MAX));
    }
    own.texts.fetch_add(text_bytes, Ordering::AcqRel);
    let mut kept = Kept {
        all: Arc::clone(all),
        own: Arc::clone(own),
        text: text_bytes,
        tree: 0,
    };
    let tree = text
        .saturating_mul(PER_BYTE)
        .saturating_add(words.saturating_mul(PER_WORD));
    if add(&own.trees, tree, SESSION_TREES_MAX) {
        match add(&all.trees, tree, TREES_MAX) {
            true => kept.tree = tree,
            false => {
                own.trees.fetch_sub(tree, Ordering::AcqRel);
            }
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caches_of_ordinary_drivers_fit() {
        let all = Arc::default();
        let mut kept = Vec::new();
        for _ in 0..20 {
            let own = Arc::default();
            kept.extend((0..250).map(|_| keep(&all, &own, 250, 40).unwrap()));
        }
        assert!(kept.iter().any(Kept::has_tree));
        let trees = all.trees.load(Ordering::Acquire);
        assert!(trees <= TREES_MAX);
        drop(kept);
        assert_eq!(all.trees.load(Ordering::Acquire), 0);
        assert_eq!(all.texts.load(Ordering::Acquire), 0);
    }

    #[test]
    fn nobody_takes_all_that_prepared_statements_may_take() {
        let all = Arc::default();
        let shelves: Vec<Arc<Shelf>> = (0..8).map(|_| Arc::default()).collect();
        let mut kept = Vec::new();
        for own in &shelves {
            let refused = loop {
                match keep(&all, own, 100 << 10, 100) {
                    Ok(one) => kept.push(one),
                    Err(error) => break error,
                }
            };
            assert_eq!(refused.code, 3170);
            assert!(own.texts.load(Ordering::Acquire) <= SESSION_TEXTS_MAX);
        }
        let modest = Arc::default();
        kept.extend((0..250).map(|_| keep(&all, &modest, 250, 40).unwrap()));
        drop(kept);
        assert_eq!(all.texts.load(Ordering::Acquire), 0);
    }
}
