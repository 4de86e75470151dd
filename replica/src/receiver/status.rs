//! How the receiver fares: read by SHOW REPLICA STATUS, metrics and lag, written by the receiver.

use binlog::log::SourceCoordinates;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

/// `Replica_IO_Running`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReceiverRunning {
    /// Stopped, by an operator or by an error.
    #[default]
    No,
    /// Not connected, and trying.
    Connecting,
    /// Connected.
    Yes,
}

impl ReceiverRunning {
    /// The word in SHOW REPLICA STATUS.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "No",
            Self::Connecting => "Connecting",
            Self::Yes => "Yes",
        }
    }
}

/// The last error of the receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverFailure {
    /// MySQL's number.
    pub code: u16,
    /// A sentence for an operator.
    pub message: String,
    /// When it happened.
    pub at: SystemTime,
}

/// A snapshot of how the receiver fares.
#[derive(Debug, Clone, Default)]
pub struct ReceiverState {
    /// Whether it runs and is connected.
    pub running: ReceiverRunning,
    /// `Replica_IO_State`: MySQL's words for what it does.
    pub doing: &'static str,
    /// The last error, cleared by a connection that works.
    pub failure: Option<ReceiverFailure>,
    /// The source's server id, once known.
    pub source_server_id: Option<u32>,
    /// The source's UUID, once known.
    pub source_uuid: Option<String>,
    /// The source's version, once known.
    pub source_version: Option<String>,
    /// Up to where the source's log was read: `Source_Log_File`, `Read_Source_Log_Pos`.
    pub read: Option<SourceCoordinates>,
    /// The source's clock minus ours at the last connect, µs.
    pub clock_offset_micros: i64,
    /// When the source was last heard of, by an event or a heartbeat.
    pub last_contact: Option<Instant>,
    /// Commit time on the source of the newest transaction received, µs since 1970 by the source's
    /// clock.
    pub last_commit_micros: Option<u64>,
    /// Events received since the receiver started.
    pub events_received: u64,
    /// Bytes of events received since the receiver started.
    pub bytes_received: u64,
    /// Heartbeats received since the receiver started.
    pub heartbeats_received: u64,
    /// Connections that worked since the process began.
    pub connects: u64,
    /// Failures since the process began.
    pub failures: u64,
    /// Attempts to connect that failed since the last that worked.
    pub failed_attempts: u32,
}

/// Where the receiver writes its state.
#[derive(Debug, Default)]
pub struct ReceiverStatus {
    state: Mutex<ReceiverState>,
}

impl ReceiverStatus {
    /// The present state.
    #[must_use]
    pub fn snapshot(&self) -> ReceiverState {
        self.lock().clone()
    }

    /// Connections that worked since the process began.
    #[must_use]
    pub fn connects(&self) -> u64 {
        self.lock().connects
    }

    /// The source's clock minus ours at the last connect, µs.
    #[must_use]
    pub fn clock_offset_micros(&self) -> i64 {
        self.lock().clock_offset_micros
    }

    /// Changes the state; `change` must not block.
    pub fn update(&self, change: impl FnOnce(&mut ReceiverState)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, ReceiverState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
