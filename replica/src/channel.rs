//! The channel: one receiver and one applier for one source, and the statements that steer them.
//!
//! Statements come one at a time. A thread is started with what it needs and gives it back when it
//! is stopped. The target gives the applier its session; positions are changed while none is open.

mod notes;
mod steering;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use binlog::log::LogPosition;
use binlog::transaction::Executed;
use config::settings::ApplierSettings;
use config::{ReplicationFilter, SourceSettings};
use gtid::GtidSet;
use server::owned_gtids::OwnedGtids;
use sql::ast::OptionAssignment;
use sql::error::SqlError;
use targets::{Applied, Store};

use notes::{already_running, already_stopped, until_ignored, until_needs_skip_start};

use crate::LIFE;
use crate::applier::{
    self, Applier, ApplierState, ApplierStatus, GroupLimits, RunningApplier, Steering, Until,
};
use crate::lag::LagInputs;
use crate::receiver::{
    self, Receiver, ReceiverState, ReceiverStatus, ReplicaIdentity, RunningReceiver,
};
use crate::relay_log::RelayLog;
use crate::source_info::{self, Positions, SourceInfoFile};

/// What a channel is made of.
pub struct ChannelParts {
    /// The source that counts at the start.
    pub source: SourceSettings,
    /// The source that the options name, for RESET REPLICA ALL.
    pub options: SourceSettings,
    /// Where a changed source is kept.
    pub source_info: SourceInfoFile,
    /// What is applied.
    pub filter: Arc<ReplicationFilter>,
    /// How this replica introduces itself.
    pub identity: ReplicaIdentity,
    /// Largest event accepted, in bytes.
    pub event_bytes_max: usize,
    /// The relay log.
    pub relay_log: Arc<RelayLog>,
    /// Where rows go.
    pub store: Arc<dyn Store>,
    /// What the target holds.
    pub applier_status: Arc<ApplierStatus>,
    /// How transactions are applied.
    pub applier_settings: ApplierSettings,
}

/// One receiver and one applier.
pub struct Channel {
    /// Changed by CHANGE REPLICATION SOURCE; held for a moment only.
    source: Mutex<SourceSettings>,
    options: SourceSettings,
    source_info: SourceInfoFile,
    /// Changed by CHANGE REPLICATION FILTER; held for a moment only.
    filter: Mutex<Arc<ReplicationFilter>>,
    identity: ReplicaIdentity,
    event_bytes_max: usize,
    relay_log: Arc<RelayLog>,
    receiver_status: Arc<ReceiverStatus>,
    applier_status: Arc<ApplierStatus>,
    applier_settings: ApplierSettings,
    store: Arc<dyn Store>,
    owned: OwnedGtids,
    /// Held across a whole statement.
    threads: tokio::sync::Mutex<Threads>,
}

/// Whether an applier is started by a statement, or goes on where it was stopped for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    Anew,
    Again,
}

#[derive(Default)]
struct Threads {
    receiver: Option<RunningReceiver>,
    applier: Option<RunningApplier>,
    /// Whether the saved source voids the positions and that was not finished.
    has_void_positions: bool,
}

/// Everything about a channel at one moment.
#[derive(Debug, Clone)]
pub struct ChannelState {
    /// The source.
    pub source: SourceSettings,
    /// The receiver.
    pub receiver: ReceiverState,
    /// The applier.
    pub applier: ApplierState,
    /// Transactions received.
    pub retrieved: Executed,
    /// Bytes of relay log files.
    pub relay_log_space: u64,
    /// Bytes in the relay log that are not applied.
    pub queued_bytes: u64,
    /// Commit on the source of the oldest transaction among them, µs since 1970, if it is known.
    pub oldest_waiting_micros: Option<u64>,
}

impl Channel {
    /// A channel that does not run.
    #[must_use]
    pub fn new(parts: ChannelParts) -> Self {
        Self {
            source: Mutex::new(parts.source),
            options: parts.options,
            source_info: parts.source_info,
            filter: Mutex::new(parts.filter),
            identity: parts.identity,
            event_bytes_max: parts.event_bytes_max,
            relay_log: parts.relay_log,
            receiver_status: Arc::default(),
            applier_status: parts.applier_status,
            applier_settings: parts.applier_settings,
            store: parts.store,
            owned: OwnedGtids::default(),
            threads: tokio::sync::Mutex::default(),
        }
    }

    /// The rules of what is applied.
    #[must_use]
    pub fn filter(&self) -> Arc<ReplicationFilter> {
        Arc::clone(&self.filter.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Identifiers that sessions have for transactions of their own.
    #[must_use]
    pub const fn owned(&self) -> &OwnedGtids {
        &self.owned
    }

    /// Every GTID whose changes are committed.
    #[must_use]
    pub fn gtid_executed(&self) -> GtidSet {
        self.applier_status.gtid_executed()
    }

    /// Whether a source is configured.
    #[must_use]
    pub fn has_source(&self) -> bool {
        self.source().host.is_some()
    }

    /// The relay log.
    #[must_use]
    pub fn relay_log(&self) -> &RelayLog {
        &self.relay_log
    }

    /// How the channel fares.
    #[must_use]
    pub fn state(&self) -> ChannelState {
        let applier = self.applier_status.snapshot();
        let position = applier.relay.clone();
        let position = position.unwrap_or_else(|| self.relay_log.start());
        ChannelState {
            source: self.source(),
            receiver: self.receiver_status.snapshot(),
            retrieved: self.relay_log.retrieved(),
            relay_log_space: self.relay_log.space(),
            queued_bytes: self.relay_log.bytes_behind(&position),
            applier,
            oldest_waiting_micros: self.relay_log.oldest_waiting(&position),
        }
    }

    /// Starts the named threads; one that runs already goes on. An applier that is started ends where
    /// `until` says. What comes back are notes.
    ///
    /// # Errors
    /// 1200 without a source, 1135 when the system gives no thread.
    pub async fn start(
        &self,
        receiver: bool,
        applier: bool,
        until: Option<Until>,
    ) -> Result<Vec<SqlError>, SqlError> {
        let mut threads = self.threads.lock().await;
        if !self.has_source() {
            return Err(server::role::not_a_replica());
        }
        if threads.has_void_positions {
            self.finish_discard(&mut threads).await?;
        }
        if until == Some(Until::AfterGaps) && !self.applier_settings.keeps_order {
            // Differs from MySQL, whose coordinator remembers them.
            return Err(SqlError::not_supported(
                "START REPLICA UNTIL SQL_AFTER_MTS_GAPS with replica_preserve_commit_order=OFF",
            ));
        }
        let has_until = until.is_some();
        let has_place = until.as_ref().and_then(Until::place).is_some();
        let applies = applier
            && self
                .start_applier(&mut threads, until, Begins::Anew)
                .await?;
        let receives = receiver && self.start_receiver(&mut threads).await?;
        Ok(match (applies, receives) {
            (false, false) => vec![already_running()],
            (false, true) if has_until => vec![until_ignored()],
            (true, _) if has_place => vec![until_needs_skip_start()],
            (true, _) | (false, true) => Vec::new(),
        })
    }

    /// False when it runs already.
    async fn start_receiver(&self, threads: &mut Threads) -> Result<bool, SqlError> {
        match threads.receiver.take() {
            Some(running) if !running.is_finished() => {
                threads.receiver = Some(running);
                return Ok(false);
            }
            Some(finished) => blocking(move || finished.stop()).await?,
            None => {}
        }
        self.receiver_status.update(|state| state.failure = None);
        let source = self.source().address();
        tracing::info!(target: LIFE, source, "the receiver starts");
        let receiver = Receiver {
            settings: self.source(),
            identity: self.identity.clone(),
            relay_log: Arc::clone(&self.relay_log),
            applied: Arc::clone(&self.applier_status) as _,
            status: Arc::clone(&self.receiver_status),
            event_bytes_max: self.event_bytes_max,
        };
        let running = receiver::spawn(receiver, tokio::runtime::Handle::current());
        threads.receiver = Some(running.map_err(no_thread)?);
        Ok(true)
    }

    /// False when it runs already.
    async fn start_applier(
        &self,
        threads: &mut Threads,
        until: Option<Until>,
        begins: Begins,
    ) -> Result<bool, SqlError> {
        match threads.applier.take() {
            Some(running) if !running.is_finished() => {
                threads.applier = Some(running);
                return Ok(false);
            }
            Some(finished) => blocking(move || finished.stop()).await?,
            None => {}
        }
        let store = Arc::clone(&self.store);
        tracing::info!(target: LIFE, "the applier starts");
        let applier = Applier {
            relay_log: Arc::clone(&self.relay_log),
            filter: self.filter(),
            status: Arc::clone(&self.applier_status),
            limits: GroupLimits::default(),
            steering: Steering {
                until,
                goes_on: begins == Begins::Again,
                delay: self.source().delay,
                owned: self.owned.clone(),
                source_clock: Arc::clone(&self.receiver_status),
            },
            settings: self.applier_settings,
        };
        let running = applier::spawn(applier, store, tokio::runtime::Handle::current());
        threads.applier = Some(running.map_err(no_thread)?);
        Ok(true)
    }

    /// Stops the named threads and waits for them. What comes back are notes.
    ///
    /// # Errors
    /// When the process is ending.
    pub async fn stop(&self, receiver: bool, applier: bool) -> Result<Vec<SqlError>, SqlError> {
        let mut threads = self.threads.lock().await;
        let mut was_running = false;
        if receiver && let Some(running) = threads.receiver.take() {
            was_running |= !running.is_finished();
            blocking(move || running.stop()).await?;
            tracing::info!(target: LIFE, "the receiver was stopped");
        }
        if applier && let Some(running) = threads.applier.take() {
            was_running |= !running.is_finished();
            blocking(move || running.stop()).await?;
            tracing::info!(target: LIFE, "the applier was stopped");
        }
        Ok(match was_running {
            true => Vec::new(),
            false => vec![already_stopped()],
        })
    }

    /// CHANGE REPLICATION SOURCE TO.
    ///
    /// # Errors
    /// 3021 or 3081 while a thread runs that the change concerns; those of
    /// [`source_info::change`]; 1105 when the change cannot be saved.
    pub async fn change_source(&self, assignments: &[OptionAssignment]) -> Result<(), SqlError> {
        let mut threads = self.threads.lock().await;
        let change = source_info::change(&self.source(), assignments)?;
        if change.concerns_receiver {
            require_stopped_receiver(&threads)?;
        }
        if change.settings.delay != self.source().delay {
            require_stopped_applier(&threads)?;
        }
        if change.discards_relay_log {
            self.require_stopped(&mut threads, true).await?;
        }
        let (before, after) = (self.source().address(), change.settings.address());
        self.set_source(&mut threads, change.settings, change.discards_relay_log)
            .await?;
        let discards_relay_log = change.discards_relay_log;
        tracing::info!(target: LIFE, before, after, discards_relay_log, "the source was changed");
        Ok(())
    }

    /// Makes `source` what counts. When that voids the positions, the file says so before they go and
    /// until they are gone, so that a crash leaves neither the old source without positions nor the
    /// new one with those of the old.
    async fn set_source(
        &self,
        threads: &mut Threads,
        source: SourceSettings,
        voids_positions: bool,
    ) -> Result<(), SqlError> {
        let positions = match voids_positions || threads.has_void_positions {
            true => Positions::Void,
            false => Positions::Kept,
        };
        let saved = self.source_info.save(&source, &self.options, positions);
        saved.map_err(not_saved)?;
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = source;
        if positions == Positions::Void {
            threads.has_void_positions = true;
            self.finish_discard(threads).await?;
        }
        Ok(())
    }

    /// Discards what an earlier source left, and says in the file that it is done.
    async fn finish_discard(&self, threads: &mut Threads) -> Result<(), SqlError> {
        self.discard().await?;
        let saved = self
            .source_info
            .save(&self.source(), &self.options, Positions::Kept);
        saved.map_err(not_saved)?;
        threads.has_void_positions = false;
        Ok(())
    }

    /// RESET REPLICA; with `all` the source is forgotten too.
    ///
    /// # Errors
    /// 3081 while a thread runs; 1105 when a file cannot be written.
    pub async fn reset(&self, all: bool) -> Result<(), SqlError> {
        let mut threads = self.threads.lock().await;
        self.require_stopped(&mut threads, true).await?;
        if all {
            // The options would name a source again at the next start, so an empty one is saved.
            let none = SourceSettings {
                host: None,
                password: None,
                ..self.options.clone()
            };
            self.set_source(&mut threads, none, true).await?;
        } else {
            self.discard().await?;
        }
        self.receiver_status
            .update(|state| *state = ReceiverState::default());
        self.applier_status.update(|state| {
            state.failure = None;
            state.until = None;
        });
        tracing::info!(target: LIFE, all, "the replica was reset");
        Ok(())
    }

    /// Adds to what counts as executed: SET GLOBAL gtid_purged on a replica made from a copy.
    ///
    /// # Errors
    /// 3081 while a thread runs; what the target says.
    pub async fn add_executed(&self, gtids: &GtidSet) -> Result<(), SqlError> {
        let mut threads = self.threads.lock().await;
        self.require_stopped(&mut threads, true).await?;
        // Positions stay: what is passed over because of its GTID is passed over where it lies.
        let state = self.applier_status.snapshot();
        let mut new = gtids.clone();
        new.subtract(&state.executed.mysql);
        let mut executed = state.executed;
        executed.mysql.union(&new);
        let applied = Applied {
            executed: executed.clone(),
            source: state.source,
            relay: state.relay,
        };
        self.replace(applied).await?;
        let declared = new.count();
        self.applier_status.update(|state| {
            state.executed = executed;
            state.skipped = state.skipped.saturating_add(declared);
        });
        tracing::warn!(
            gtids = %new,
            transactions = declared,
            "SET GLOBAL gtid_purged: these transactions count as executed and will not be applied here"
        );
        Ok(())
    }

    async fn replace(&self, applied: Applied) -> Result<(), SqlError> {
        let store = Arc::clone(&self.store);
        let replaced = blocking(move || store.replace(&applied)).await?;
        replaced.map_err(|error| SqlError::new(error.code(), "HY000", error.to_string()))
    }

    /// New file of the relay log: FLUSH RELAY LOGS.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn flush_relay_log(&self) -> Result<(), SqlError> {
        self.relay_log
            .rotate(now_seconds())
            .map_err(relay_log_failed)
    }

    /// Throws the relay log and the positions away; what is executed stays. A crash in between leaves
    /// a position in a log that is gone, which is noticed; the other way round a log without a
    /// position would be left.
    async fn discard(&self) -> Result<(), SqlError> {
        let reset = self.relay_log.reset(Executed::default(), now_seconds());
        reset.map_err(relay_log_failed)?;
        let start = self.relay_log.start();
        let applied = Applied {
            executed: self.applier_status.snapshot().executed,
            source: None,
            relay: Some(start.clone()),
        };
        self.replace(applied).await?;
        self.applier_status.update(|state| {
            state.source = None;
            state.relay = Some(start);
            state.last_timestamp = 0;
            // What was to be passed over is gone with the log.
            state.skip_counter = 0;
            state.passed_over_at = None;
        });
        Ok(())
    }

    /// A thread that ended by itself counts as stopped.
    async fn require_stopped(&self, threads: &mut Threads, both: bool) -> Result<(), SqlError> {
        require_stopped_receiver(threads)?;
        if both {
            if threads
                .applier
                .as_ref()
                .is_some_and(|applier| !applier.is_finished())
            {
                let text = "This operation cannot be performed with running replication threads; \
                            run STOP REPLICA FOR CHANNEL '' first";
                return Err(SqlError::new(3081, "HY000", text));
            }
            if let Some(finished) = threads.applier.take() {
                blocking(move || finished.stop()).await?;
            }
        }
        Ok(())
    }

    fn source(&self) -> SourceSettings {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.clone()
    }
}

impl ChannelState {
    /// What lag is computed from, now.
    #[must_use]
    pub fn lag_inputs(&self) -> LagInputs<'_> {
        LagInputs {
            receiver: &self.receiver,
            applier: &self.applier,
            heartbeat_period: self.source.heartbeat_period,
            queued_transactions: self.queued_transactions(),
            queued_bytes: self.queued_bytes,
            oldest_waiting_micros: self.oldest_waiting_micros,
            now: Instant::now(),
            now_micros: now_micros(),
        }
    }

    /// How many transactions wait in the relay log, if that is known.
    fn queued_transactions(&self) -> Option<u64> {
        if self.queued_bytes == 0 {
            return Some(0);
        }
        let executed = &self.applier.executed;
        let mut mysql = self.retrieved.mysql.clone();
        mysql.subtract(&executed.mysql);
        // Numbers of a domain may have gaps, so there are no more than these.
        let mariadb = self.retrieved.mariadb.iter().map(|last| {
            let done = executed.mariadb.get(last.domain)?;
            Some(last.sequence.saturating_sub(done.sequence))
        });
        let mariadb = mariadb.sum::<Option<u64>>()?;
        let is_known = !self.retrieved.is_empty();
        is_known.then(|| mysql.count().saturating_add(mariadb))
    }

    /// Where the applier reads, or would.
    #[must_use]
    pub fn relay_position(&self) -> Option<&LogPosition> {
        self.applier.relay.as_ref()
    }
}

fn require_stopped_receiver(threads: &Threads) -> Result<(), SqlError> {
    let receiver = threads.receiver.as_ref();
    if receiver.is_some_and(|receiver| !receiver.is_finished()) {
        let text = "This operation cannot be performed with a running replica io thread; run STOP \
                    REPLICA IO_THREAD FOR CHANNEL '' first.";
        return Err(SqlError::new(3021, "HY000", text));
    }
    Ok(())
}

fn require_stopped_applier(threads: &Threads) -> Result<(), SqlError> {
    let applier = threads.applier.as_ref();
    if applier.is_some_and(|applier| !applier.is_finished()) {
        let text = "This operation cannot be performed with a running replica sql thread; run STOP \
                    REPLICA SQL_THREAD FOR CHANNEL '' first.";
        return Err(SqlError::new(3085, "HY000", text));
    }
    Ok(())
}

/// Runs what blocks on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SqlError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| SqlError::new(1053, "08S01", "Server shutdown in progress"))
}

fn not_saved(error: source_info::SourceInfoError) -> SqlError {
    SqlError::new(1105, "HY000", error.to_string())
}

fn no_thread(error: std::io::Error) -> SqlError {
    SqlError::new(1135, "HY000", format!("Can't create a new thread: {error}"))
}

fn relay_log_failed(error: binlog::log::LogError) -> SqlError {
    SqlError::new(
        1371,
        "HY000",
        format!("Failed purging old relay logs: {error}"),
    )
}

pub(crate) use server::clock::now_seconds;

/// Now, in microseconds since 1970.
pub(crate) fn now_micros() -> i64 {
    i64::try_from(server::clock::now_micros()).unwrap_or(i64::MAX)
}
