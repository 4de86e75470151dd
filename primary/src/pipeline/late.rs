//! A group that the log has and the engine has no room for.
//!
//! The reserve is there for it. If even that was not enough, its clients wait: they cannot be told
//! that it failed, because the log has it, nor that it succeeded, because nobody can read it yet. What
//! is asked meanwhile is refused, unless the engine has no part in it. When there is room the group is
//! committed, or applied again from the log if SQLite has undone it. Any other failure of the engine
//! ends the process, and so does being asked to stop: the next start commits the group.

use std::time::{Duration, Instant};

use super::commit::no_room;
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
        self.note_short();
        let now = self.now.monotonic;
        self.group.late = Some(Late {
            pending,
            error,
            retry_at: now.checked_add(PERIOD).unwrap_or(now),
        });
        Ok(())
    }

    /// Commits with the room of the reserve what the engine has no room for.
    pub(super) fn commit_from_reserve(&mut self, error: PrimaryError) -> Result<(), PrimaryError> {
        if !is_disk_full(&error) || !self.room.spend() {
            return Err(error);
        }
        State::count(&self.outside.state.counts.engine_errors, 1);
        self.note_short();
        self.try_again()
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

    /// Answers what is asked while a group is late.
    pub(super) fn refuse_meanwhile(
        &mut self,
        input: Input,
        retry_at: Instant,
    ) -> Result<Next, PrimaryError> {
        while let Some(request) = self.turns.take_put_first() {
            self.refuse_for_room(request)?;
        }
        for execute in self.turns.all_waiting() {
            if execute.ticket.begin() {
                execute.answer(Err(no_room()));
            }
        }
        if let Input::Request(request) = input {
            self.refuse_for_room(request)?;
        }
        Ok(Next::Wait(Some(retry_at)))
    }

    /// Refuses what needs the engine. The rest goes on: a purge makes room.
    fn refuse_for_room(&mut self, request: Request) -> Result<(), PrimaryError> {
        match request {
            Request::Stop => {
                if let Some(late) = self.group.late.take() {
                    self.group.put_back(late.pending);
                    return Err(late.error);
                }
            }
            Request::Execute(execute) => {
                if execute.ticket.begin() {
                    execute.answer(Err(no_room()));
                }
            }
            Request::CommitEmpty(_, reply)
            | Request::SetPurged(_, reply)
            | Request::SettleFence(reply)
            | Request::Rotate(reply)
            | Request::Block(_, _, reply) => drop(reply.send(Err(no_room()))),
            request @ (Request::Commit(..)
            | Request::Rollback(..)
            | Request::Savepoint(..)
            | Request::Disconnected(_)
            | Request::Purge(..)
            | Request::Unblock(_)) => self.handle(request)?,
        }
        Ok(())
    }
}

/// Whether the engine has no room. A log that cannot be synchronised is no such case: nobody knows
/// what it holds.
fn is_disk_full(error: &PrimaryError) -> bool {
    !matches!(error, PrimaryError::Log(_)) && error.is_disk_full()
}
