//! A group that the log has and the engine has no room for.
//!
//! Its clients wait: they cannot be told that it failed, because the log has it, nor that it
//! succeeded, because nobody can read it yet. What is asked meanwhile is kept in order. When there is
//! room it is committed, or applied again from the log if SQLite has undone it. Any other failure of
//! the engine ends the process, and so does being asked to stop: the next start commits the group.

use std::time::{Duration, Instant};

use super::core::{Input, Next, Pipeline};
use super::group::Pending;
use super::request::Request;
use crate::error::PrimaryError;
use crate::roll_forward::catch_up;
use crate::state::State;

/// Time between two attempts.
const PERIOD: Duration = Duration::from_secs(1);

/// The group.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) pending: Vec<Pending>,
    /// Why the engine did not take it.
    pub(super) error: PrimaryError,
    retry_at: Instant,
}

impl Pipeline {
    /// Takes note that the engine has no room for a group. Any other `error` is returned.
    pub(super) fn commit_late(
        &mut self,
        pending: Vec<Pending>,
        error: PrimaryError,
    ) -> Result<(), PrimaryError> {
        State::count(&self.outside.state.counts.engine_errors, 1);
        if !is_disk_full(&error) {
            self.group.put_back(pending);
            return Err(error);
        }
        tracing::error!(
            "no space left for the engine; clients wait until there is room for their commit"
        );
        let now = self.now.monotonic;
        self.group.late = Some(Late {
            pending,
            error,
            retry_at: now.checked_add(PERIOD).unwrap_or(now),
        });
        Ok(())
    }

    /// Commits a late group if it is time to try and there is room. When to try next, if one is
    /// late still.
    pub(super) fn retry_late(&mut self) -> Result<Option<Instant>, PrimaryError> {
        let is_due = |late: &mut Late| late.retry_at <= self.now.monotonic;
        if let Some(late) = self.group.late.take_if(is_due) {
            match self.try_again() {
                Ok(()) => {
                    tracing::info!("the engine has room again");
                    self.committed(late.pending)?;
                }
                Err(error) => self.commit_late(late.pending, error)?,
            }
        }
        Ok(self.group.late.as_ref().map(|late| late.retry_at))
    }

    fn try_again(&mut self) -> Result<(), PrimaryError> {
        let writer = &mut self.engine.writer;
        if writer.is_in_group() && !writer.is_group_lost() {
            writer.commit_group(&self.engine.position)?;
            return Ok(());
        }
        writer.rollback_group()?;
        // Its groups may move pages into the engine's file.
        let log = &mut self.log.writer;
        log.sync()?;
        let position = catch_up(writer, log.storage(), log.index())
            .inspect_err(|_| drop(self.engine.writer.rollback_group()))?;
        debug_assert_eq!(position, self.engine.position);
        Ok(())
    }

    /// Keeps what is asked while a group is late.
    pub(super) fn defer(&mut self, input: Input, retry_at: Instant) -> Result<Next, PrimaryError> {
        match input {
            Input::Nothing => {}
            Input::Request(Request::Stop) => {
                if let Some(late) = self.group.late.take() {
                    self.group.put_back(late.pending);
                    return Err(late.error);
                }
            }
            Input::Request(request) => self.turns.put_last(request),
        }
        Ok(Next::Wait(Some(retry_at)))
    }
}

fn is_disk_full(error: &PrimaryError) -> bool {
    matches!(error, PrimaryError::Engine(error) if error.is_disk_full())
}
