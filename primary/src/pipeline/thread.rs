//! The pipeline's thread: which request is next, who waits, when a group ends.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use binlog::log::LogWriter;
use engine::database::EnginePosition;
use engine::execute::Writer;
use gtid::{GtidSet, Tsid};
use server::clock::now_seconds;
use server::feed::LogFeed;
use server::fence::Fence;
use sql::error::SqlError;

use super::commit::{Answer, Durability, Pending};
use super::hold::Hold;
use super::request::Request;
use super::schema::NotedTables;
use crate::error::PrimaryError;
use crate::state::State;
use crate::transaction::{Dependencies, EventOrigin};

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
    /// Age in seconds after which log files are removed; 0 never.
    pub(crate) expire_seconds: u32,
}

/// What happens when nobody can know any more what the log or the engine holds.
pub(crate) type OnFatal = Box<dyn FnOnce(&PrimaryError) + Send>;

/// The one who writes.
pub(crate) struct Pipeline {
    pub(super) options: PipelineOptions,
    pub(super) writer: Writer,
    pub(super) log: LogWriter,
    pub(super) feed: Arc<LogFeed>,
    pub(super) state: Arc<State>,
    pub(super) fence: Fence,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) dependencies: Dependencies,
    pub(super) noted: NotedTables,
    pub(super) executed: GtidSet,
    /// What the engine stands for after the open group.
    pub(super) position: EnginePosition,
    pub(super) last_commit_micros: u64,
    pub(super) next_xid: u64,
    pub(super) pending: Vec<Pending>,
    pub(super) pending_bytes: u64,
    pub(super) hold: Option<Hold>,
    /// LOCK TABLES ... WRITE: the block's number, and the connection that alone may write.
    pub(super) reserved: Option<(u64, u64)>,
    /// Statements and blocks that wait for the holder, in their order.
    pub(super) waiting: VecDeque<Request>,
    /// What was asked while the engine had no room.
    pub(super) deferred: VecDeque<Request>,
    /// Connections whose transaction was rolled back without their asking.
    pub(super) rolled_back: HashSet<u64>,
    /// Savepoints of transactions that do not have the writer, for they have changed nothing: by
    /// connection, oldest first.
    pub(super) early_savepoints: HashMap<u64, Vec<String>>,
    pub(super) unsynced_groups: u32,
    /// Whether the data directory says that the log does not have everything.
    pub(super) is_unlogged_noted: bool,
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
        requests: mpsc::Receiver<Request>,
    ) -> Result<Self, PrimaryError> {
        use server::feed::GtidState as _;
        Ok(Self {
            position: writer.position()?,
            executed: state.executed(),
            options,
            writer,
            log,
            feed,
            state,
            fence,
            requests,
            dependencies: Dependencies::default(),
            noted: NotedTables::default(),
            last_commit_micros: 0,
            next_xid: 0,
            pending: Vec::new(),
            pending_bytes: 0,
            hold: None,
            reserved: None,
            waiting: VecDeque::new(),
            deferred: VecDeque::new(),
            rolled_back: HashSet::new(),
            early_savepoints: HashMap::new(),
            unsynced_groups: 0,
            is_unlogged_noted: false,
        })
    }

    /// Serves requests until asked to stop, then closes the log. With an error `on_fatal` is
    /// called before any client can be told anything.
    pub(crate) fn run(mut self, on_fatal: OnFatal) {
        let result = self.serve();
        if let Err(error) = result.and_then(|()| self.finish()) {
            on_fatal(&error);
        }
    }

    fn serve(&mut self) -> Result<(), PrimaryError> {
        loop {
            let Some(request) = self.next()? else {
                continue;
            };
            if matches!(request, Request::Stop) {
                return Ok(());
            }
            self.handle(request)?;
            if self.is_group_full() && self.hold.is_none() {
                self.commit_group()?;
            }
            debug_assert_eq!(self.broken_invariant(), None);
        }
    }

    /// The next request. Commits the open group when nobody else wants to join it.
    fn next(&mut self) -> Result<Option<Request>, PrimaryError> {
        if self.hold.is_none()
            && self.reserved.is_none()
            && let Some(request) = self.waiting.pop_front()
        {
            return Ok(Some(request));
        }
        if let Some(request) = self.deferred.pop_front() {
            return Ok(Some(request));
        }
        match self.requests.try_recv() {
            Ok(request) => return Ok(Some(request)),
            Err(mpsc::TryRecvError::Disconnected) => return Ok(Some(Request::Stop)),
            Err(mpsc::TryRecvError::Empty) => {}
        }
        if self.hold.is_none() && self.writer.is_in_group() {
            self.commit_group()?;
            return Ok(None);
        }
        let timeout = self
            .next_deadline()
            .map(|at| at.saturating_duration_since(Instant::now()));
        let received = match timeout {
            Some(timeout) => self.requests.recv_timeout(timeout),
            None => self
                .requests
                .recv()
                .map_err(|_| mpsc::RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(request) => Ok(Some(request)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Ok(Some(Request::Stop)),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.end_waits()?;
                Ok(None)
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.waiting.iter().filter_map(|request| match request {
            Request::Execute(execute) => Some(execute.deadline),
            _ => None,
        });
        waiting.chain(self.idle_deadline()).min()
    }

    fn idle_deadline(&self) -> Option<Instant> {
        match (&self.hold, self.options.idle_timeout) {
            (Some(Hold::Transaction(holder)), Some(timeout)) => {
                holder.last_active.checked_add(timeout)
            }
            _ => None,
        }
    }

    /// Ends the waits and the idle transaction whose time is over.
    fn end_waits(&mut self) -> Result<(), PrimaryError> {
        let now = Instant::now();
        let is_over = |request: &Request| match request {
            Request::Execute(execute) => execute.deadline <= now || execute.ticket.is_withdrawn(),
            _ => false,
        };
        let (over, waiting) = self.waiting.drain(..).partition::<VecDeque<_>, _>(is_over);
        self.waiting = waiting;
        for request in over {
            if let Request::Execute(execute) = request {
                execute.answer(Err(SqlError::lock_wait_timeout()));
            }
        }
        if self.idle_deadline().is_some_and(|deadline| deadline <= now)
            && let Some(Hold::Transaction(holder)) = &self.hold
        {
            let connection_id = holder.connection_id;
            tracing::warn!(
                connection_id,
                "an idle transaction that held the writer was rolled back"
            );
            self.rollback_held(connection_id)?;
            self.rolled_back.insert(connection_id);
        }
        Ok(())
    }

    fn handle(&mut self, request: Request) -> Result<(), PrimaryError> {
        if self
            .next_deadline()
            .is_some_and(|deadline| deadline <= Instant::now())
        {
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
            Request::Disconnected(connection_id) => self.disconnected(connection_id)?,
            Request::SettleFence(reply) => {
                self.commit_unheld()?;
                let _ = reply.send(Ok(()));
            }
            Request::Rotate(reply) => {
                self.commit_unheld()?;
                let result = self.rotate()?;
                let _ = reply.send(result);
            }
            Request::Purge(first, reply) => {
                let result = self.purge(&first);
                let _ = reply.send(result);
            }
            Request::Block(id, owner, reply) => {
                if self.hold.is_some() || self.reserved.is_some() {
                    self.waiting.push_back(Request::Block(id, owner, reply));
                } else {
                    self.commit_group()?;
                    // A client that has gone meanwhile gets no block that nobody would end.
                    if reply.send(Ok(())).is_ok() {
                        match owner {
                            Some(connection_id) => self.reserved = Some((id, connection_id)),
                            None => self.hold = Some(Hold::Block(id)),
                        }
                    }
                }
            }
            Request::Unblock(id) => {
                if self.reserved.is_some_and(|(held, _)| held == id) {
                    self.reserved = None;
                }
                if matches!(self.hold, Some(Hold::Block(held)) if held == id) {
                    self.hold = None;
                }
                self.waiting.retain(
                    |request| !matches!(request, Request::Block(waits, ..) if *waits == id),
                );
            }
            Request::Stop => {}
        }
        Ok(())
    }

    fn commit_unheld(&mut self) -> Result<(), PrimaryError> {
        if self.hold.is_none() {
            self.commit_group()?;
        }
        Ok(())
    }

    fn disconnected(&mut self, connection_id: u64) -> Result<(), PrimaryError> {
        self.rollback_held(connection_id)?;
        self.waiting.retain(|request| match request {
            Request::Execute(execute) => execute.session.connection_id != connection_id,
            _ => true,
        });
        Ok(())
    }

    /// Ends what is open and closes the log.
    fn finish(mut self) -> Result<(), PrimaryError> {
        if matches!(self.hold.take(), Some(Hold::Transaction(_))) {
            self.writer.rollback_group()?;
        }
        self.commit_group()?;
        for request in std::mem::take(&mut self.waiting) {
            if let Request::Execute(execute) = request {
                execute.answer(Err(SqlError::server_shutdown()));
            }
        }
        self.log.close(now_seconds())?;
        Ok(())
    }
}
