//! `read_only` and `super_read_only` where they must hold: at the moment of a commit.
//!
//! A session looks before each statement, but a transaction may be open, or a statement wait for
//! the writer, while an operator fences the node. Whoever commits looks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sql::error::SqlError;

/// Who may write now. Clones are the same fence.
#[derive(Debug, Clone, Default)]
pub struct Fence(Arc<AtomicU8>);

const OPEN: u8 = 0;
const READ_ONLY: u8 = 1;
const SUPER_READ_ONLY: u8 = 2;

impl Fence {
    /// Sets who may write from now on.
    pub fn set(&self, read_only: bool, super_read_only: bool) {
        let state = match (read_only, super_read_only) {
            (_, true) => SUPER_READ_ONLY,
            (true, false) => READ_ONLY,
            (false, false) => OPEN,
        };
        self.0.store(state, Ordering::SeqCst);
    }

    /// Error 1290 for a writer who is fenced off; `is_exempt` for accounts that `read_only` does not
    /// concern.
    ///
    /// # Errors
    /// 1290, with the option in force.
    pub fn check(&self, is_exempt: bool) -> Result<(), SqlError> {
        match self.0.load(Ordering::SeqCst) {
            SUPER_READ_ONLY => Err(SqlError::option_prevents_statement("--super-read-only")),
            READ_ONLY if !is_exempt => Err(SqlError::option_prevents_statement("--read-only")),
            _ => Ok(()),
        }
    }
}
