//! Room on disk: nothing comes into the log that the engine may have no room for.
//!
//! The engine commits what the log has; there is no way back. So a large group shows its room first,
//! a small one can rely on the reserve, and while the reserve is not whole nothing comes into the log.
//! What was short is looked for again every second, whether anybody asks or not.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::core::Pipeline;
use crate::error::PrimaryError;
use crate::reserve::{Reserve, probe};

/// Time between two looks.
const PERIOD: Duration = Duration::from_secs(1);
/// From so many bytes on a group shows the engine's room before the log has it: the rows of a smaller
/// one can hardly change more pages, those of keys included, than fit into the reserve.
const SHOWS_FIRST: u64 = 4 << 10;
/// What the log must have room for before it counts as writable again.
const LOG_BYTES: u64 = 1 << 20;

/// What is known of the room.
#[derive(Debug)]
pub(super) struct Room {
    reserve: Reserve,
    log_directory: PathBuf,
    /// Whether the reserve is whole.
    is_reserved: bool,
    /// When to look again, if something was short.
    look_at: Option<Instant>,
}

impl Room {
    /// Fills the reserve.
    pub(super) fn new(reserve: Reserve, log_directory: PathBuf) -> Self {
        let filled = reserve.fill();
        if let Err(error) = &filled {
            tracing::error!(%error, "the reserve cannot be filled; writes fail until it can");
        }
        Self {
            reserve,
            log_directory,
            is_reserved: filled.is_ok(),
            look_at: None,
        }
    }

    /// Gives the reserve away; false if there is none.
    pub(super) fn spend(&mut self) -> bool {
        self.is_reserved = false;
        self.reserve.spend()
    }

    /// When to look again.
    pub(super) const fn look_at(&self) -> Option<Instant> {
        self.look_at
    }
}

impl Pipeline {
    /// Takes note that something has found no room.
    pub(super) fn note_short(&mut self) {
        let now = self.now.monotonic;
        self.room.look_at = Some(now.checked_add(PERIOD).unwrap_or(now));
        let place = self.room.log_directory.display();
        let reason = format!(
            "no space left on disk (binary logs in {place}, engine in {}): writes are refused with \
             error 1021 until there is",
            self.options.spill_directory.display()
        );
        self.outside.state.set_short(Some(reason));
    }

    /// Looks for what was short, if it is time.
    pub(super) fn look_for_room(&mut self) {
        if !self.room.is_reserved && self.room.look_at.is_none() {
            self.note_short();
        }
        let is_due = |at: Instant| at <= self.now.monotonic;
        if !self.room.look_at.is_some_and(is_due) {
            return;
        }
        let found = self
            .room
            .reserve
            .fill()
            .inspect(|()| self.room.is_reserved = true)
            .and_then(|()| probe(&self.room.log_directory, LOG_BYTES));
        match found {
            Ok(()) => {
                self.room.look_at = None;
                self.outside.state.set_short(None);
                tracing::info!("there is room on disk again");
            }
            Err(_) => self.note_short(),
        }
    }

    /// Whether the engine can commit the open group, whose transactions have so many bytes. A change
    /// of a table's definition may copy all its rows, which its few bytes do not tell.
    pub(super) fn has_room_for(&mut self, bytes: u64, is_ddl: bool) -> Result<bool, PrimaryError> {
        let shows = is_ddl || bytes >= SHOWS_FIRST || self.room.look_at.is_some();
        if !self.room.is_reserved {
            return Ok(false);
        }
        if !shows {
            return Ok(true);
        }
        match self.engine.writer.flush_group() {
            Err(error) if error.is_disk_full() => {
                self.note_short();
                Ok(false)
            }
            flushed => Ok(flushed.map(|()| true)?),
        }
    }
}
