//! Long data: values of parameters that are sent in pieces ahead of an execution, and kept until it.
//!
//! What all connections keep has a limit, beside that of each connection, which knows its own sum.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use memory::Purpose;

use super::out_of_memory;
use crate::ErrPacket;

/// Bytes that all connections may keep: so many that one of 15 MiB can still be executed, for which the
/// node promises several times as much.
// Differs from MySQL: it has no such limit.
const ALL_MAX: usize = 48 << 20;

/// What all connections keep.
static ALL: AtomicUsize = AtomicUsize::new(0);

/// The values of one statement's parameters.
#[derive(Debug, Default)]
pub(super) struct LongData {
    values: BTreeMap<usize, Vec<u8>>,
    bytes: usize,
}

impl LongData {
    /// Bytes of all values.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends to a value. Error 1041 when there is no room.
    pub(super) fn add(&mut self, index: usize, piece: &[u8]) -> Result<(), ErrPacket> {
        let all = ALL.fetch_add(piece.len(), Ordering::AcqRel);
        self.bytes = self.bytes.saturating_add(piece.len());
        let is_small = piece.len() < memory::STEP;
        let has_room = is_small || memory::has_room(piece.len(), Purpose::GoOn);
        if all.saturating_add(piece.len()) > ALL_MAX || !has_room {
            return Err(out_of_memory());
        }
        self.values
            .entry(index)
            .or_default()
            .extend_from_slice(piece);
        Ok(())
    }

    /// Hands a value over.
    pub(super) fn take(&mut self, index: usize) -> Option<Vec<u8>> {
        self.values.remove(&index)
    }
}

impl Drop for LongData {
    fn drop(&mut self) {
        ALL.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}
