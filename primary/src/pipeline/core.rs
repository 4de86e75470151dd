//! The pipeline's core: one step for each thing that is asked, without thread, channel or clock.
//!
//! ```text
//! step(input, now) -> Go      there is more to do: step again without input
//!                  -> Take    a request that is there is welcome; if there is none, step without input
//!                  -> Wait    nothing to do until a request comes, or that time
//!                  -> Stop    asked to stop: close
//! ```
//! A step without input does what has waited inside: it commits a group that nobody joins, ends waits
//! that took too long, goes on with a statement whose turn has come. The same inputs at the same times
//! over the same engine and log give the same answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use binlog::log::LogWriter;
use engine::database::EnginePosition;
use engine::execute::Writer;
use gtid::Tsid;
use server::feed::LogFeed;
use server::fence::Fence;
use sql::error::SqlError;

use super::commit::Durability;
use super::group::{Answer, Group};
use super::hold::Hold;
use super::log_side::LogSide;
use super::request::Request;
use super::room::Room;
use super::sessions::Sessions;
use super::turns::Turns;
use crate::error::PrimaryError;
use crate::reserve::Reserve;
use crate::state::State;
use crate::transaction::EventOrigin;

/// How the pipeline works.
#[derive(Debug, Clone)]
pub(crate) struct PipelineOptions {
    pub(crate) origin: EventOrigin,
    /// Who numbers the transactions; `None` while GTIDs are off.
    pub(crate) tsid: Option<Tsid>,
    pub(crate) durability: Durability,
    /// How long an interactive transaction may hold the writer without a statement.
    pub(crate) idle_timeout: Option<Duration>,
    /// Where large transactions spill.
    pub(crate) spill_directory: PathBuf,
    /// Where the log is.
    pub(crate) log_directory: PathBuf,
    /// Age in seconds after which log files are removed; 0 never.
    pub(crate) expire_seconds: u32,
}

/// The time of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// For waits.
    pub(crate) monotonic: Instant,
    /// For the log, in microseconds since 1970.
    pub(crate) wall_micros: u64,
}

impl Now {
    /// Seconds since 1970.
    pub(crate) fn seconds(self) -> u32 {
        u32::try_from(self.wall_micros / 1_000_000).unwrap_or(u32::MAX)
    }
}

/// What a step is given.
#[derive(Debug)]
pub(crate) enum Input {
    /// No request is there.
    Nothing,
    /// The next request.
    Request(Request),
}

/// What to do after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Step again, with [`Input::Nothing`].
    Go,
    /// Step again, with a request if one is there.
    Take,
    /// Step again when a request comes, or with [`Input::Nothing`] at this time.
    Wait(Option<Instant>),
    /// Close.
    Stop,
}

/// The one who writes.
pub(crate) struct Pipeline {
    pub(super) options: PipelineOptions,
    pub(super) engine: EngineSide,
    pub(super) log: LogSide,
    pub(super) outside: Outside,
    pub(super) group: Group,
    pub(super) turns: Turns,
    pub(super) sessions: Sessions,
    pub(super) room: Room,
    /// The time of this step.
    pub(super) now: Now,
}

/// Where rows are changed.
pub(super) struct EngineSide {
    pub(super) writer: Writer,
    /// What the engine stands for after the open group.
    pub(super) position: EnginePosition,
    /// Whether the data directory says that the log does not have everything.
    pub(super) is_unlogged_noted: bool,
}

/// What the rest of the process sees of the pipeline and tells it.
pub(super) struct Outside {
    pub(super) feed: Arc<LogFeed>,
    pub(super) state: Arc<State>,
    pub(super) fence: Fence,
}

impl Pipeline {
    /// A pipeline over an engine that stands where the log ends.
    pub(crate) fn new(
        options: PipelineOptions,
        writer: Writer,
        log: LogWriter,
        feed: Arc<LogFeed>,
        state: Arc<State>,
        fence: Fence,
        now: Now,
    ) -> Result<Self, PrimaryError> {
        use server::feed::GtidState as _;
        let log = LogSide::new(log, state.executed(), options.tsid, options.durability);
        let mut pipeline = Self {
            engine: EngineSide {
                position: writer.position()?,
                writer,
                is_unlogged_noted: false,
            },
            log,
            outside: Outside { feed, state, fence },
            room: Room::new(
                Reserve::in_datadir(&options.spill_directory),
                options.log_directory.clone(),
            ),
            options,
            group: Group::default(),
            turns: Turns::default(),
            sessions: Sessions::default(),
            now,
        };
        if pipeline.log.writer.lacks_file() {
            pipeline.note_short();
        }
        pipeline.expire();
        Ok(pipeline)
    }

    /// Does the next thing at the time `now`, which must not be earlier than that of the last step.
    /// An error is the end of the process.
    pub(crate) fn step(&mut self, input: Input, now: Now) -> Result<Next, PrimaryError> {
        self.now = now;
        self.turns.holder_was_active(now.monotonic);
        let next = self.advance(input)?;
        debug_assert_eq!(self.broken_invariant(), None);
        Ok(next)
    }

    fn advance(&mut self, input: Input) -> Result<Next, PrimaryError> {
        if self.group.is_full() && !self.turns.is_held() {
            self.settle()?;
        }
        if let Some(retry_at) = self.retry_late()? {
            return self.refuse_meanwhile(input, retry_at);
        }
        self.look_for_room();
        let request = match input {
            // What had its turn comes first.
            Input::Request(request) if self.turns.has_ready() => {
                self.turns.put_last(request);
                self.turns.take_ready()
            }
            Input::Request(request) => Some(request),
            Input::Nothing => self.turns.take_ready(),
        };
        match request {
            Some(Request::Stop) => return Ok(Next::Stop),
            Some(request) => self.handle(request)?,
            None if !self.turns.is_held() && self.engine.writer.is_in_group() => {
                self.settle()?;
            }
            None => {
                self.end_waits()?;
                if !self.turns.has_ready() {
                    let deadline = self.turns.next_deadline(self.options.idle_timeout);
                    let deadlines = deadline.into_iter().chain(self.room.look_at());
                    return Ok(Next::Wait(deadlines.min()));
                }
            }
        }
        match self.turns.has_ready() {
            true => Ok(Next::Go),
            false => Ok(Next::Take),
        }
    }

    /// Ends the waits and the idle transaction whose time is over.
    fn end_waits(&mut self) -> Result<(), PrimaryError> {
        let now = self.now.monotonic;
        for execute in self.turns.overdue(now) {
            execute.answer(Err(SqlError::lock_wait_timeout()));
        }
        if let Some(connection_id) = self.turns.idle_holder(self.options.idle_timeout, now) {
            tracing::warn!(
                connection_id,
                "an idle transaction that held the writer was rolled back"
            );
            self.rollback_held(connection_id)?;
            self.sessions.rolled_back.insert(connection_id);
        }
        Ok(())
    }

    pub(super) fn handle(&mut self, request: Request) -> Result<(), PrimaryError> {
        let deadline = self.turns.next_deadline(self.options.idle_timeout);
        if deadline.is_some_and(|deadline| deadline <= self.now.monotonic) {
            self.end_waits()?;
        }
        match request {
            Request::Execute(execute) => self.execute(execute)?,
            Request::CommitEmpty(session, reply) => self.commit_empty(session, reply)?,
            Request::SetPurged(change, reply) => self.set_purged(change, reply)?,
            Request::Commit(connection_id, reply) => {
                self.commit_held(connection_id, Answer::Commit(reply))?;
            }
            Request::Rollback(connection_id, reply) => {
                self.rollback_held(connection_id)?;
                let _ = reply.send(Ok(()));
            }
            Request::Savepoint(connection_id, action, name, reply) => {
                let result = self.savepoint(connection_id, action, &name);
                let _ = reply.send(result);
            }
            Request::Disconnected(connection_id) => {
                self.rollback_held(connection_id)?;
                self.turns.forget(connection_id);
            }
            Request::SettleFence(reply) => {
                if !self.settle_unheld()? {
                    self.turns.put_first(Request::SettleFence(reply));
                    return Ok(());
                }
                let _ = reply.send(Ok(()));
            }
            Request::Rotate(reply) => {
                if !self.settle_unheld()? {
                    self.turns.put_first(Request::Rotate(reply));
                    return Ok(());
                }
                let result = self.rotate()?;
                let _ = reply.send(result);
            }
            Request::Purge(first, reply) => {
                let result = self.purge(&first);
                let _ = reply.send(result);
            }
            Request::Block(..) => self.block(request)?,
            Request::Unblock(id) => self.turns.unblock(id),
            // The step has seen it.
            Request::Stop => {}
        }
        Ok(())
    }

    /// Gives a block to whoever asks, or lets the request wait.
    fn block(&mut self, request: Request) -> Result<(), PrimaryError> {
        if self.turns.is_held() || self.turns.reserved.is_some() {
            self.turns.put_behind(request);
        } else if !self.settle()? {
            self.turns.put_first(request);
        } else if let Request::Block(id, owner, reply) = request
            // A client that has gone meanwhile gets no block that nobody would end.
            && reply.send(Ok(())).is_ok()
        {
            match owner {
                Some(connection_id) => self.turns.reserved = Some((id, connection_id)),
                None => self.turns.hold = Some(Hold::Block(id)),
            }
        }
        Ok(())
    }

    fn settle_unheld(&mut self) -> Result<bool, PrimaryError> {
        match self.turns.is_held() {
            true => Ok(true),
            false => self.settle(),
        }
    }

    /// Ends what is open and closes the log.
    pub(crate) fn close(mut self, now: Now) -> Result<(), PrimaryError> {
        self.finish(now)?;
        self.log.writer.close(now.seconds())?;
        Ok(())
    }

    /// Ends what is open and answers whoever waits.
    pub(crate) fn finish(&mut self, now: Now) -> Result<(), PrimaryError> {
        self.now = now;
        if matches!(self.turns.hold.take(), Some(Hold::Transaction(_))) {
            self.engine.writer.rollback_group()?;
        }
        if !self.settle()?
            && let Some(late) = self.group.late.take()
        {
            // The next start commits it.
            self.group.put_back(late.pending);
            return Err(late.error);
        }
        for execute in self.turns.all_waiting() {
            execute.answer(Err(SqlError::server_shutdown()));
        }
        Ok(())
    }
}
