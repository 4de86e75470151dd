//! A group that the log has and the engine has no room for.
//!
//! Its clients wait: they cannot be told that it failed, because the log has it, nor that it
//! succeeded, because nobody can read it yet. When there is room it is committed, or applied again
//! from the log if SQLite has undone it. Any other failure of the engine ends the process.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use engine::error::EngineError;

use super::request::Request;
use super::thread::Pipeline;
use crate::error::PrimaryError;
use crate::roll_forward::catch_up;
use crate::state::State;

/// Time between two attempts.
const PERIOD: Duration = Duration::from_secs(1);

impl Pipeline {
    /// Commits the open group after `error`, as soon as there is room.
    pub(super) fn commit_late(&mut self, error: EngineError) -> Result<(), PrimaryError> {
        let mut error = PrimaryError::from(error);
        while is_disk_full(&error) {
            State::count(&self.state.counts.engine_errors, 1);
            tracing::error!(
                "no space left for the engine; clients wait until there is room for their commit"
            );
            self.defer_requests(error)?;
            match self.try_again() {
                Ok(()) => {
                    tracing::info!("the engine has room again");
                    return Ok(());
                }
                Err(other) => error = other,
            }
        }
        State::count(&self.state.counts.engine_errors, 1);
        Err(error)
    }

    fn try_again(&mut self) -> Result<(), PrimaryError> {
        if self.writer.is_in_group() && !self.writer.is_group_lost() {
            self.writer.commit_group(&self.position)?;
            return Ok(());
        }
        self.writer.rollback_group()?;
        // Its groups may move pages into the engine's file.
        self.log.sync()?;
        let position = catch_up(&mut self.writer, self.log.storage(), self.log.index())
            .inspect_err(|_| drop(self.writer.rollback_group()))?;
        debug_assert_eq!(position, self.position);
        Ok(())
    }

    /// Lets time pass. What clients ask meanwhile is kept in order; being asked to stop ends the
    /// wait, and with it the process: the next start commits the group.
    fn defer_requests(&mut self, error: PrimaryError) -> Result<(), PrimaryError> {
        match self.requests.recv_timeout(PERIOD) {
            Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => Err(error),
            Ok(request) => {
                self.deferred.push_back(request);
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => Ok(()),
        }
    }
}

fn is_disk_full(error: &PrimaryError) -> bool {
    matches!(error, PrimaryError::Engine(error) if error.is_disk_full())
}
