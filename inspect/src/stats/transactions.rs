//! The transactions that stand out.

use std::cmp::Ordering;
use std::marker::PhantomData;

use binlog::stream::Place;
use binlog::transaction::{Step, TransactionGtid, TransactionInfo, TransactionKind};

/// One transaction in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionFigures {
    /// Its identifier.
    pub gtid: TransactionGtid,
    /// What it does.
    pub kind: TransactionKind,
    /// Where its first event lies.
    pub start: Place,
    /// Behind its last event.
    pub end: u64,
    /// Earliest time of one of its events, seconds since 1970.
    pub timestamp: u32,
    /// Bytes in the file.
    pub bytes: u64,
    /// Changed rows.
    pub rows: u64,
    /// Time between its first statement and its commit, in microseconds; whole seconds where the
    /// log tells no fraction.
    pub micros: u64,
}

/// The transaction that is read.
#[derive(Debug, Clone)]
pub(super) struct Running {
    start: Place,
    end: u64,
    rows: u64,
    first: u32,
    last: u32,
}

impl Running {
    pub(super) const fn new(info: &TransactionInfo) -> Self {
        Self {
            start: info.start,
            end: info.start.end,
            rows: 0,
            first: u32::MAX,
            last: 0,
        }
    }

    pub(super) fn feed(&mut self, step: &Step<'_>, rows: u64) {
        self.end = step.place.end;
        self.rows += rows;
        let timestamp = step.raw.header.timestamp;
        if timestamp != 0 {
            self.first = self.first.min(timestamp);
            self.last = self.last.max(timestamp);
        }
    }

    pub(super) fn finish(&self, info: &TransactionInfo) -> TransactionFigures {
        let first = if self.first == u32::MAX {
            info.timestamp
        } else {
            self.first
        };
        let seconds = u64::from(self.last.saturating_sub(first));
        // The commit is told in µs, the beginning in seconds that were cut off: within the first
        // second nothing is known of the difference.
        let micros = info
            .commit_timestamps
            .map(|at| at.original.saturating_sub(u64::from(first) * 1_000_000))
            .filter(|&micros| micros >= 1_000_000)
            .unwrap_or(0)
            .max(seconds * 1_000_000);
        TransactionFigures {
            gtid: info.gtid,
            kind: info.kind,
            start: self.start,
            end: self.end,
            timestamp: first,
            bytes: self.end.saturating_sub(self.start.offset),
            rows: self.rows,
            micros,
        }
    }
}

/// What makes a transaction stand out.
pub trait Rank {
    /// The larger, the further in front.
    fn rank(figures: &TransactionFigures) -> u64;
}

/// Order by bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct LargestFirst;

impl Rank for LargestFirst {
    fn rank(figures: &TransactionFigures) -> u64 {
        figures.bytes
    }
}

/// Order by time.
#[derive(Debug, Clone, Copy, Default)]
pub struct LongestFirst;

impl Rank for LongestFirst {
    fn rank(figures: &TransactionFigures) -> u64 {
        figures.micros
    }
}

/// The first few transactions of an order.
#[derive(Debug, Clone)]
pub struct Top<R = LargestFirst> {
    best: Vec<TransactionFigures>,
    order: PhantomData<R>,
}

impl<R> Default for Top<R> {
    fn default() -> Self {
        Self {
            best: Vec::new(),
            order: PhantomData,
        }
    }
}

impl<R: Rank> Top<R> {
    /// How many are kept.
    pub const MAX: usize = 10;

    /// Takes the transaction if it is one of the first; of equals the earlier one stays.
    pub fn offer(&mut self, figures: &TransactionFigures) {
        let rank = R::rank(figures);
        if rank == 0 {
            return;
        }
        let at = self
            .best
            .partition_point(|kept| R::rank(kept).cmp(&rank) != Ordering::Less);
        if at < Self::MAX {
            self.best.insert(at, *figures);
            self.best.truncate(Self::MAX);
        }
    }

    /// Those that are kept, the first one first.
    #[must_use]
    pub fn best(&self) -> &[TransactionFigures] {
        &self.best
    }
}
