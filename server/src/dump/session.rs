//! A dump session: the shell that moves a stream from the files to a replica.
//!
//! Files are read on blocking threads, one batch at a time, so a slow replica holds back nobody
//! but itself. A session that has sent everything waits for the feed's notification, the next
//! heartbeat, the end of the connection, or a newer session of the same replica.

use std::sync::Arc;
use std::time::Duration;

use binlog::log::LogPosition;
use protocol::server::Connection;
use protocol::{ErrPacket, Error};
use tokio::sync::watch;
use tokio::task;
use tokio::time::{Instant, sleep_until};

use super::reader::{Batch, StreamReader};
use super::refusal::Refusal;
use super::request::DumpRequest;
use crate::feed::LogFeed;
use crate::registry::{DumpRegistration, ReplicaRegistry};

/// What the process list says of a dump session, in MySQL's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpState {
    /// Events are on their way.
    Sending,
    /// The replica was sent everything.
    Waiting,
}

impl DumpState {
    /// MySQL's text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Sending => "Sending binlog event to replica",
            Self::Waiting => "Source has sent all binlog to replica; waiting for more updates",
        }
    }
}

/// Serves a dump until it ends. What the replica did wrong was told to it; afterwards the caller
/// closes the connection, as MySQL does whatever the end was.
///
/// The privilege was checked by the caller. Dropping the future ends the session.
pub async fn serve(
    connection: &mut Connection,
    feed: Arc<LogFeed>,
    registry: &ReplicaRegistry,
    request: DumpRequest,
    on_state: impl Fn(DumpState) + Send,
) -> Result<(), Error> {
    let registration = registry.begin_dump(request.key());
    let is_non_blocking = request.is_non_blocking;
    let heartbeat_period = request.variables.heartbeat_period;
    let durable_end = feed.subscribe();
    let opened = task::spawn_blocking(move || StreamReader::open(feed, &request)).await;
    let stream = match opened {
        Ok(Ok(stream)) => stream,
        Ok(Err(refusal)) => return end_with(connection, refusal.packet(None)).await,
        Err(_) => return end_with(connection, broken()).await,
    };
    let mut session = Session {
        connection,
        stream: Some(stream),
        batch: Some(Batch::default()),
        durable_end,
        registration,
        heartbeat_period,
        last_sent: Instant::now(),
    };
    match session.run(is_non_blocking, on_state).await {
        Ok(()) => Ok(()),
        Err(End::Transport(error)) => Err(error),
        Err(End::Refused(refusal)) => {
            let progress = session.stream.as_ref().map(StreamReader::progress);
            let packet = refusal.packet(progress);
            end_with(connection, packet).await
        }
        Err(End::Broken) => end_with(connection, broken()).await,
    }
}

/// Why a session ends before its time.
enum End {
    Transport(Error),
    Refused(Refusal),
    /// The blocking thread panicked or the runtime is going down.
    Broken,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Transport(error)
    }
}

struct Session<'a> {
    connection: &'a mut Connection,
    /// `None` only while a blocking thread has it.
    stream: Option<StreamReader>,
    /// `None` only while a blocking thread has it.
    batch: Option<Batch>,
    durable_end: watch::Receiver<LogPosition>,
    registration: DumpRegistration,
    heartbeat_period: Option<Duration>,
    last_sent: Instant,
}

/// What ended a wait.
enum Woken {
    More,
    Heartbeat,
    Gone,
    Replaced,
}

impl Session<'_> {
    async fn run(
        &mut self,
        is_non_blocking: bool,
        on_state: impl Fn(DumpState) + Send,
    ) -> Result<(), End> {
        loop {
            on_state(DumpState::Sending);
            self.catch_up().await?;
            if is_non_blocking {
                self.connection.send_dump_end();
                return Ok(self.connection.flush().await?);
            }
            on_state(DumpState::Waiting);
            loop {
                match self.wait().await? {
                    Woken::More => break,
                    Woken::Heartbeat => self.send_heartbeat().await?,
                    Woken::Gone => return Ok(()),
                    Woken::Replaced => return Err(End::Refused(Refusal::Replaced)),
                }
            }
        }
    }

    /// Sends everything up to the durable end.
    async fn catch_up(&mut self) -> Result<(), End> {
        loop {
            let batch = self.read().await?;
            let is_empty = batch.events.is_empty();
            let is_at_end = batch.is_at_end;
            if !is_empty {
                self.connection.send_events(&batch.events).await?;
            }
            self.batch = Some(batch);
            if !is_empty {
                self.last_sent = Instant::now();
            } else if self
                .heartbeat_due()
                .is_some_and(|due| due <= Instant::now())
            {
                self.send_heartbeat().await?;
            }
            if self.registration.is_replaced() {
                return Err(End::Refused(Refusal::Replaced));
            }
            if is_at_end {
                return Ok(());
            }
        }
    }

    /// Reads a batch on a blocking thread.
    async fn read(&mut self) -> Result<Batch, End> {
        let end = self.durable_end.borrow_and_update().clone();
        let (Some(mut stream), Some(mut batch)) = (self.stream.take(), self.batch.take()) else {
            return Err(End::Broken);
        };
        batch.begin(self.connection.event_sequence());
        let read = task::spawn_blocking(move || {
            let result = stream.read(&end, &mut batch);
            (stream, batch, result)
        });
        let (stream, batch, result) = read.await.map_err(|_| End::Broken)?;
        self.stream = Some(stream);
        match result {
            Ok(()) => Ok(batch),
            Err(refusal) => {
                // What was read before belongs to the replica.
                self.connection.send_events(&batch.events).await?;
                Err(End::Refused(refusal))
            }
        }
    }

    async fn wait(&mut self) -> Result<Woken, End> {
        let heartbeat = self.heartbeat_due();
        tokio::select! {
            changed = self.durable_end.changed() => Ok(match changed {
                Ok(()) => Woken::More,
                Err(_) => Woken::Gone,
            }),
            // A replica says nothing during a dump but goodbye.
            readable = self.connection.readable() => {
                readable?;
                Ok(Woken::Gone)
            }
            () = self.registration.replaced() => Ok(Woken::Replaced),
            () = async {
                match heartbeat {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            } => Ok(Woken::Heartbeat),
        }
    }

    fn heartbeat_due(&self) -> Option<Instant> {
        let period = self.heartbeat_period?;
        self.last_sent.checked_add(period)
    }

    async fn send_heartbeat(&mut self) -> Result<(), End> {
        if let Some(heartbeat) = self.stream.as_ref().and_then(StreamReader::heartbeat) {
            self.connection.send_event(&[&heartbeat]).await?;
            self.connection.flush().await?;
        }
        self.last_sent = Instant::now();
        Ok(())
    }
}

async fn end_with(connection: &mut Connection, packet: ErrPacket) -> Result<(), Error> {
    tracing::warn!(
        user = connection.user(),
        host = connection.peer().host,
        "dump session ended: {}",
        packet.message
    );
    connection.send_err(&packet);
    connection.flush().await
}

/// ER_SOURCE_FATAL_ERROR_READING_BINLOG for a fault that is ours.
fn broken() -> ErrPacket {
    ErrPacket::new(
        1236,
        b"HY000",
        "unknown error reading log event on the source",
    )
}
