//! Group commit: steps A to D.

use std::io;
use std::sync::atomic::Ordering;

use binlog::log::LogError;
use sql::error::SqlError;

use super::core::Pipeline;
use super::group::Pending;
use super::log_side::WriteError;
use crate::error::PrimaryError;
use crate::state::State;

/// `sync_binlog`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The operating system writes back when it likes.
    Never,
    /// One sync for so many groups; 1 is the only one that loses nothing.
    EveryGroups(u32),
}

impl Pipeline {
    /// Commits the open group, if there is one that no interactive transaction has. False when the
    /// log has it and the engine has no room for it: whoever needs it out of the way has to wait.
    /// An error is the end of the process.
    pub(super) fn settle(&mut self) -> Result<bool, PrimaryError> {
        let (bytes, is_ddl) = (self.group.bytes, self.group.is_ddl());
        let pending = self.group.take();
        if !self.engine.writer.is_in_group() {
            return Ok(true);
        }
        if pending.is_empty() {
            self.engine.writer.rollback_group()?;
            return Ok(true);
        }
        if changed(&pending) > 0 {
            let written = match self.has_room_for(bytes, is_ddl) {
                Ok(true) => {
                    let state = &self.outside.state;
                    self.log.write_group(&pending, self.now.wall_micros, state)
                }
                Ok(false) => Err(WriteError::Room),
                Err(fatal) => {
                    self.group.put_back(pending);
                    return Err(fatal);
                }
            };
            match written {
                Ok(position) => self.engine.position = position,
                Err(error) => {
                    let answer = match self.refuse_group(error) {
                        Ok(answer) => answer,
                        Err(fatal) => {
                            self.group.put_back(pending);
                            return Err(fatal);
                        }
                    };
                    self.engine.writer.rollback_group()?;
                    for pending in pending {
                        pending.answer.send(Err(answer.clone()));
                    }
                    return Ok(true);
                }
            }
        }
        // From here on there is no way back: the log has the group.
        let committed = self.engine.writer.commit_group(&self.engine.position);
        let committed = committed.or_else(|error| self.commit_from_reserve(error.into()));
        if let Err(error) = committed {
            self.commit_late(pending, error)?;
            return Ok(false);
        }
        self.committed(pending)?;
        Ok(true)
    }

    /// Step D: log and engine have the group.
    pub(super) fn committed(&mut self, pending: Vec<Pending>) -> Result<(), PrimaryError> {
        let changed = changed(&pending);
        if changed > 0 {
            self.publish();
            let counts = &self.outside.state.counts;
            State::count(&counts.commits, changed);
            State::count(&counts.groups, 1);
            counts.group_max.fetch_max(changed, Ordering::Relaxed);
        }
        for pending in pending {
            pending.answer.send(Ok(()));
        }
        if self.log.writer.wants_rotation() {
            // Without room for a new file the log goes on in this one.
            let _ = self.rotate()?;
        }
        Ok(())
    }

    /// Tells everybody outside how far the log is.
    pub(super) fn publish(&self) {
        let Self { log, outside, .. } = self;
        outside.state.set_executed(log.executed.clone());
        outside.state.set_end(log.writer.end());
        let end = match self.options.durability {
            Durability::EveryGroups(1) => log.writer.durable_end(),
            // Whoever gives durability up gives it up for replicas too, as in MySQL.
            Durability::EveryGroups(_) | Durability::Never => log.writer.end(),
        };
        outside.feed.publish(end);
    }

    /// What the clients of a group are told that did not come into the log, or the end of the
    /// process if nobody knows what the log holds.
    pub(super) fn refuse_group(&mut self, error: WriteError) -> Result<SqlError, PrimaryError> {
        State::count(&self.outside.state.counts.flush_errors, 1);
        match error {
            WriteError::Log(LogError::NoSpace { file }) => {
                tracing::error!(%file, "no space left for the binary log; writes fail until there is");
                self.note_short();
                Ok(SqlError::disk_full(file, 28, "No space left on device"))
            }
            WriteError::Log(error) => Err(error.into()),
            WriteError::Room => Ok(no_room()),
            WriteError::Spill(error) => {
                tracing::error!(%error, "a large transaction's temporary file could not be read");
                self.log.writer.abandon()?;
                Ok(logging_impossible(&error))
            }
        }
    }

    /// Begins a new log file. Without room the log goes on in the old one.
    pub(super) fn rotate(&mut self) -> Result<Result<(), SqlError>, PrimaryError> {
        match self.log.rotate(self.now.seconds()) {
            Ok(()) => {
                self.publish();
                self.expire();
                Ok(Ok(()))
            }
            Err(LogError::NoSpace { file }) => {
                tracing::error!(%file, "no space left for a new binary log file");
                self.note_short();
                Ok(Err(SqlError::disk_full(
                    file,
                    28,
                    "No space left on device",
                )))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Error 1021 for what the engine has no room for.
pub(super) fn no_room() -> SqlError {
    SqlError::disk_full("weir.db", 28, "No space left on device")
}

/// How many of them the log is to have.
fn changed(pending: &[Pending]) -> u64 {
    let changed = pending
        .iter()
        .filter(|pending| !pending.transaction.is_empty());
    changed.count() as u64
}

/// Error 1534 for a row that no event can hold, which ends its statement; 1598 for anything else,
/// which ends the transaction.
pub(super) fn logging_impossible(error: &io::Error) -> SqlError {
    if error.kind() == io::ErrorKind::FileTooLarge {
        tracing::warn!(%error, "a statement was refused");
        let text = "Writing one row to the row-based binary log failed";
        return SqlError::new(1534, "HY000", text);
    }
    let text = format!("Binary logging not possible. Message: {error}");
    SqlError::new(1598, "HY000", text)
}
