//! The receiver: keeps a connection to the source and puts what it sends into the relay log.
//!
//! `core` decides what an event means, `retry` whether and when to try again; here are the loop,
//! the socket and the files. The loop blocks on files and therefore runs on a thread of its own
//! ([`spawn`]). Order that must hold: an event is checked before it is stored, stored before the
//! status counts it, and sealed before a reader sees it.

mod core;
mod error;
mod greeting;
mod probe;
mod request;
mod retry;
mod rule;
mod status;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use binlog::event::Flavour;
use binlog::log::SourceCoordinates;
use binlog::transaction::Executed;
use bytes::Bytes;
use config::SourceSettings;
use config::settings::{GtidMode, SourcePosition};
use protocol::client::Connection;
use tokio::sync::watch;

pub(crate) use self::core::commit_micros;
pub use self::core::{Place, Received, ReceiverCore, StreamError};
pub use error::ReceiverError;
use probe::Probe;
pub use retry::{Verdict, decide};
pub use rule::Rule;
pub use status::{ReceiverFailure, ReceiverRunning, ReceiverState, ReceiverStatus};

use crate::LIFE;
use crate::relay_log::{RelayLog, Relayed, Then, artificial_rotate};

/// How this replica introduces itself to its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaIdentity {
    /// `server_id`.
    pub server_id: u32,
    /// `server_uuid`.
    pub uuid: String,
    /// `report_host`.
    pub report_host: String,
    /// `report_port`.
    pub report_port: u16,
    /// `gtid_mode`: which transactions it takes.
    pub gtid_mode: GtidMode,
}

/// What the applier has, asked at each connect: the receiver never asks the source for it again.
pub trait Applied: Send + Sync {
    /// Every transaction that is applied.
    fn executed(&self) -> Executed;

    /// Up to where the source's log is applied, for a dump by file and position.
    fn source_coordinates(&self) -> Option<SourceCoordinates>;
}

/// Everything a receiver works with.
#[derive(Clone)]
pub struct Receiver {
    /// The source.
    pub settings: SourceSettings,
    /// This replica.
    pub identity: ReplicaIdentity,
    /// Where events go.
    pub relay_log: Arc<RelayLog>,
    /// What need not be asked for.
    pub applied: Arc<dyn Applied>,
    /// Where the receiver says how it fares.
    pub status: Arc<ReceiverStatus>,
    /// Largest event accepted, in bytes.
    pub event_bytes_max: usize,
}

/// A receiver that runs.
#[derive(Debug)]
pub struct RunningReceiver {
    stop: watch::Sender<bool>,
    thread: std::thread::JoinHandle<()>,
}

impl RunningReceiver {
    /// Stops it; whole transactions are in the relay log and synced on return. Blocks for as long
    /// as a write or sync takes.
    pub fn stop(self) {
        self.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the receiver thread ended by a panic");
        }
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Starts a receiver on a thread of its own, with `runtime` for its socket.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(
    receiver: Receiver,
    runtime: tokio::runtime::Handle,
) -> std::io::Result<RunningReceiver> {
    let (stop, stopped) = watch::channel(false);
    let thread = std::thread::Builder::new()
        .name("receiver".to_owned())
        .spawn(move || {
            let _guard = EndsWithPanic(Arc::clone(&receiver.status));
            runtime.block_on(receiver.run(stopped));
        })?;
    Ok(RunningReceiver { stop, thread })
}

/// Says in the status that the thread is gone when it ends by a panic.
struct EndsWithPanic(Arc<ReceiverStatus>);

impl Drop for EndsWithPanic {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        tracing::error!("the receiver stopped: its thread ended by a panic");
        self.0.update(|state| {
            state.running = ReceiverRunning::No;
            state.doing = "";
            state.failures = state.failures.saturating_add(1);
            state.failure = Some(ReceiverFailure {
                // ER_REPLICA_FATAL_ERROR
                code: 13117,
                message: "Fatal error: the receiver's thread ended by a panic; the log of this \
                          process says where"
                    .to_owned(),
                at: SystemTime::now(),
            });
        });
    }
}

impl Receiver {
    /// Receives until it is stopped or an error that another attempt cannot help.
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut failed = 0;
        loop {
            self.status.update(|state| {
                state.running = ReceiverRunning::Connecting;
                state.doing = "Connecting to source";
            });
            let outcome = tokio::select! {
                outcome = self.stream(&mut failed) => outcome,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Err(error) = outcome;
            if let Err(error) = self.relay_log.abandon() {
                tracing::error!(%error, "cannot cut an unfinished transaction off the relay log");
            }
            failed += 1;
            let pause = self.after(&error, failed);
            let Some(pause) = pause else { break };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        self.finish();
    }

    /// Records a failure. The pause before the next attempt, if there is to be one.
    fn after(&self, error: &ReceiverError, failed: u32) -> Option<Duration> {
        let SourceSettings {
            connect_retry,
            retry_count,
            ..
        } = self.settings;
        let verdict = decide(error, failed, connect_retry, retry_count);
        let message = match verdict {
            Verdict::RetryAfter(pause) => {
                let next_attempt_in_seconds = pause.as_secs_f64();
                tracing::warn!(
                    %error,
                    failed,
                    next_attempt_in_seconds,
                    "{} and tries again",
                    error.what_happened()
                );
                error.with_attempt(failed, retry_count, pause)
            }
            Verdict::Stop => {
                tracing::error!(%error, failed, "{} and stopped", error.what_happened());
                error.to_string()
            }
        };
        self.status.update(|state| {
            state.failure = Some(ReceiverFailure {
                code: error.code(),
                message,
                at: SystemTime::now(),
            });
            state.failures = state.failures.saturating_add(1);
            state.failed_attempts = failed;
            state.doing = "Waiting to reconnect after a failed source event read";
            state.running = ReceiverRunning::Connecting;
        });
        match verdict {
            Verdict::RetryAfter(pause) => Some(pause),
            Verdict::Stop => None,
        }
    }

    fn finish(&self) {
        let cut = self.relay_log.abandon();
        if let Err(error) = cut.and_then(|()| self.relay_log.sync()) {
            tracing::error!(%error, "the relay log cannot be synced");
        }
        self.status.update(|state| {
            state.running = ReceiverRunning::No;
            state.doing = "";
        });
    }

    /// One connection, from its first packet to its end, which is always an error.
    async fn stream(&self, failed: &mut u32) -> Result<std::convert::Infallible, ReceiverError> {
        let mut connection = self.connect().await?;
        self.status
            .update(|state| state.doing = "Checking source version");
        let version = connection.greeting().version.clone();
        let flavour = greeting::flavour(&version);
        let have = self.have();
        let (settings, identity) = (&self.settings, &self.identity);
        let greeting = greeting::greet(&mut connection, settings, identity, &have.mariadb);
        let source = self.in_time(greeting).await?;
        self.say_connected(&source, &version, *failed);
        self.status.update(|state| {
            state.source_server_id = Some(source.server_id);
            state.source_uuid = source.uuid.clone();
            state.source_version = Some(version);
            state.clock_offset_micros = source.clock_offset_micros;
            state.doing = "Requesting binlog dump";
        });
        self.in_time(self.request_dump(&mut connection, &source, &have))
            .await?;
        let mut core = ReceiverCore::new(source.checksum, self.rule(flavour, have));
        let mut rotate_to = None;
        let mut is_connected = false;
        let began = Instant::now();
        let mut probe = Probe::new(flavour, source.uuid.as_deref(), began);
        loop {
            let event = self.next_event(&mut connection).await?;
            let received = core.handle(&event)?;
            self.wait_for_room().await?;
            let is_stream = received.is_stream();
            let is_idle = matches!(received, Received::Heartbeat);
            // The first heartbeats only say what was passed over, before the source fails perhaps.
            let is_lasting = began.elapsed() >= self.settings.heartbeat_period / 2;
            let is_progress = received.is_progress() && (!is_idle || is_lasting);
            self.take(&event, received, &core, &mut rotate_to)?;
            if !is_idle {
                probe.is_alive(Instant::now());
            } else if probe.is_due(Instant::now()) {
                self.ask_for_a_reset(&mut probe).await?;
            }
            if is_stream && !std::mem::replace(&mut is_connected, true) {
                self.connected();
            }
            if is_progress && std::mem::take(failed) != 0 {
                self.status.update(|state| state.failed_attempts = 0);
            }
        }
    }

    /// What is in the relay log or applied.
    fn have(&self) -> Executed {
        let mut have = self.relay_log.retrieved();
        have.union(&self.applied.executed());
        have
    }

    fn rule(&self, flavour: Flavour, have: Executed) -> Rule {
        match flavour {
            Flavour::MySql => Rule::MySql(self.identity.gtid_mode),
            Flavour::MariaDb => Rule::MariaDb {
                last: have.mariadb,
                by_gtid: self.settings.position == SourcePosition::Auto,
            },
        }
    }

    fn say_connected(&self, source: &greeting::Source, version: &str, failed: u32) {
        let address = self.settings.address();
        let source_uuid = source.uuid.as_deref().unwrap_or("unknown");
        if self.status.connects() == 0 {
            tracing::info!(
                target: LIFE,
                source = address,
                version,
                source_uuid,
                "connected to the source"
            );
        } else {
            tracing::info!(
                target: LIFE,
                source = address,
                version,
                source_uuid,
                failed,
                "connected to the source again"
            );
        }
        if let Some(binlog_format) = &source.other_format {
            tracing::warn!(
                target: LIFE,
                source = address,
                binlog_format,
                "the source logs statements: what they do here may differ from what they did there, \
                 and what the target cannot execute stops the applier; set binlog_format=ROW there"
            );
        }
    }

    /// Asks the idle source whether it still has what it sent. A question without an answer means
    /// nothing: the stream has its own limits.
    async fn ask_for_a_reset(&self, probe: &mut Probe) -> Result<(), ReceiverError> {
        let asking = async {
            let mut connection = self.connect().await.ok()?;
            let answer = connection.query(probe.question()).await;
            probe.understand(&answer.ok()?.scalar()?)
        };
        let Ok(Some(executed)) = tokio::time::timeout(probe::WITHIN, asking).await else {
            return Ok(());
        };
        match probe.lacking(&self.relay_log.retrieved(), &executed) {
            Some(lacking) => Err(ReceiverError::Reset { lacking }),
            None => Ok(()),
        }
    }

    /// What is asked of the source is answered within `replica_net_timeout`, or the source hangs.
    async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, ReceiverError>>,
    ) -> Result<T, ReceiverError> {
        let limit = self.settings.net_timeout;
        match tokio::time::timeout(limit, asked).await {
            Ok(answered) => answered,
            Err(_) => Err(ReceiverError::Unanswered {
                seconds: limit.as_secs(),
            }),
        }
    }

    async fn connect(&self) -> Result<Connection, ReceiverError> {
        let options = request::client_options(&self.settings, self.event_bytes_max)?;
        let connecting = Connection::connect(&options);
        let limit = self.settings.net_timeout;
        let connected = match tokio::time::timeout(limit, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(protocol::Error::Io(std::io::ErrorKind::TimedOut.into())),
        };
        connected.map_err(|source| ReceiverError::Connect {
            user: self.settings.user.clone(),
            address: self.settings.address(),
            source,
        })
    }

    async fn next_event(&self, connection: &mut Connection) -> Result<Bytes, ReceiverError> {
        let limit = self.settings.net_timeout;
        match tokio::time::timeout(limit, connection.next_event()).await {
            Err(_) => Err(ReceiverError::Silent {
                seconds: limit.as_secs(),
            }),
            Ok(Ok(Some(event))) => Ok(event),
            Ok(Ok(None)) => Err(ReceiverError::Ended),
            Ok(Err(protocol::Error::Refused(refusal))) => Err(ReceiverError::Dump(refusal)),
            Ok(Err(error)) => Err(ReceiverError::Lost(error)),
        }
    }

    /// Waits while the relay log is full and the applier can make room.
    async fn wait_for_room(&self) -> Result<(), ReceiverError> {
        if !self.relay_log.is_full() {
            return Ok(());
        }
        self.status.update(|state| {
            state.doing = "Waiting for the replica SQL thread to free relay log space";
        });
        self.relay_log.make_room(seconds_now()).await?;
        self.status.update(|state| state.doing = WAITING);
        Ok(())
    }

    fn take(
        &self,
        event: &Bytes,
        received: Received,
        core: &ReceiverCore,
        rotate_to: &mut Option<SourceCoordinates>,
    ) -> Result<(), ReceiverError> {
        let here = core.source();
        match received {
            Received::NextFile { ref abandoned } => {
                if let Some(gtid) = abandoned {
                    tracing::warn!(
                        %gtid,
                        "the source was killed in the middle of a transaction, which it does not have"
                    );
                }
                *rotate_to = here.cloned();
            }
            Received::BeginFile {
                ref source,
                checksum,
            } => {
                let begin = rotate_to.take().unwrap_or_else(|| source.clone());
                let rotate = artificial_rotate(&begin, checksum);
                let now = seconds_now();
                self.relay_log
                    .begin_source_file(&rotate, event, source, checksum, now)?;
            }
            Received::Skip | Received::Heartbeat => {
                if let Some(source) = here {
                    self.relay_log.skip_to(source)?;
                }
            }
            Received::Store {
                ref then,
                commit_micros,
                ..
            } => {
                if let Some(source) = here {
                    let relayed = Relayed {
                        bytes: event,
                        then: then.clone(),
                        source,
                        commit_micros,
                    };
                    self.relay_log.store(&relayed, seconds_now())?;
                }
            }
        }
        self.count(event.len(), &received, here);
        Ok(())
    }

    fn count(&self, bytes: usize, received: &Received, here: Option<&SourceCoordinates>) {
        self.status.update(|state| {
            state.last_contact = Some(Instant::now());
            match received {
                Received::Heartbeat => state.heartbeats_received += 1,
                Received::Store {
                    then,
                    commit_micros,
                    ..
                } => {
                    state.events_received += 1;
                    state.bytes_received = state.bytes_received.saturating_add(bytes as u64);
                    if matches!(then, Then::Seal(_)) && commit_micros.is_some() {
                        state.last_commit_micros = *commit_micros;
                    }
                }
                _ => {}
            }
            if state.read.as_ref() != here {
                state.read = here.cloned();
            }
        });
    }

    /// The stream works: only now is an earlier failure over.
    fn connected(&self) {
        self.status.update(|state| {
            state.running = ReceiverRunning::Yes;
            state.connects = state.connects.saturating_add(1);
            state.doing = WAITING;
            state.failure = None;
        });
    }
}

const WAITING: &str = "Waiting for source to send event";

fn seconds_now() -> u32 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_panics_says_so_and_does_not_run() {
        let status = Arc::new(ReceiverStatus::default());
        status.update(|state| state.running = ReceiverRunning::Yes);
        let kept = Arc::clone(&status);
        let thread = std::thread::spawn(move || {
            let _guard = EndsWithPanic(kept);
            panic!("a socket that panics");
        });
        thread.join().unwrap_err();
        let state = status.snapshot();
        assert_eq!(state.running, ReceiverRunning::No);
        assert_eq!(state.failures, 1);
        let failure = state.failure.unwrap();
        assert_eq!(failure.code, 13117);
        assert!(failure.message.contains("panic"), "{}", failure.message);
        // One that ends by itself leaves the status to its own words.
        status.update(|state| state.running = ReceiverRunning::Yes);
        drop(EndsWithPanic(Arc::clone(&status)));
        assert_eq!(status.snapshot().running, ReceiverRunning::Yes);
    }
}
