//! `last_committed` and `sequence_number`: which transactions a replica may run side by side.
//!
//! A transaction may run beside all after the newest one that touched one of its rows. Numbers
//! count from 1 in each file. Whatever has no complete write set (DDL, keyless tables, very large
//! transactions) follows everything before it; DDL and an overflowing history also make everything
//! later follow it.
//!
//! Spec: mysql-server 9.7, sql/rpl_trx_tracking.cc, `Writeset_trx_dependency_tracker`.

use std::collections::HashMap;

use binlog::event::LogicalClock;

use super::write_set::{HASHES_MAX, WriteSet};

/// The history of one file.
#[derive(Debug, Default, Clone)]
pub(crate) struct Dependencies {
    /// Number of the last transaction.
    sequence: u64,
    /// No transaction later than this may be run before it.
    history_start: u64,
    /// The last transaction that touched a row.
    last_touched: HashMap<u64, u64>,
}

impl Dependencies {
    /// The numbers of the next transaction with row changes.
    pub(crate) fn rows(&mut self, write_set: &WriteSet) -> LogicalClock {
        let previous = self.sequence;
        self.sequence += 1;
        let Some(hashes) = write_set.complete() else {
            // It has rows that later transactions cannot see here, so they all must follow it.
            self.restart();
            return self.clock(previous);
        };
        if self.last_touched.len().saturating_add(hashes.len()) > HASHES_MAX {
            // MySQL forgets after use; the parent found is still right.
            let parent = self.parent(hashes).min(previous);
            self.restart();
            return self.clock(parent);
        }
        let parent = self.parent(hashes).min(previous);
        for hash in hashes {
            self.last_touched.insert(*hash, self.sequence);
        }
        self.clock(parent)
    }

    /// The numbers of the next transaction that is a DDL statement.
    pub(crate) fn ddl(&mut self) -> LogicalClock {
        let previous = self.sequence;
        self.sequence += 1;
        self.restart();
        self.clock(previous)
    }

    /// Number of the last transaction.
    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Takes the transactions after `sequence` back, which did not come into the log.
    pub(crate) fn go_back(&mut self, sequence: u64) {
        self.sequence = sequence;
        self.restart();
    }

    /// A new file begins.
    pub(crate) fn rotated(&mut self) {
        *self = Self::default();
    }

    fn parent(&self, hashes: &[u64]) -> u64 {
        let touched = hashes.iter().filter_map(|hash| self.last_touched.get(hash));
        touched.copied().max().unwrap_or(0).max(self.history_start)
    }

    fn restart(&mut self) {
        self.history_start = self.sequence;
        self.last_touched.clear();
    }

    const fn clock(&self, last_committed: u64) -> LogicalClock {
        LogicalClock {
            last_committed,
            sequence_number: self.sequence,
        }
    }
}
