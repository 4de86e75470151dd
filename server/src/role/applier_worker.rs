//! How one worker of an applier fares, as performance_schema.replication_applier_status_by_worker shows it
//! (MySQL 9.7 Reference Manual, 29.12.11.14).

/// A worker.
#[derive(Debug, Clone, Default)]
pub struct ApplierWorker {
    /// Its number, from 1 on; 0 where the coordinator itself applies.
    pub id: u64,
    /// Whether it runs.
    pub is_running: bool,
    /// Its last error.
    pub error: Option<WorkerError>,
    /// The transaction that it committed last.
    pub applied: Option<WorkerTransaction>,
    /// The transaction that it applies.
    pub applying: Option<WorkerTransaction>,
}

/// A transaction at a worker.
#[derive(Debug, Clone, Default)]
pub struct WorkerTransaction {
    /// Its identifier; `ANONYMOUS` without one.
    pub gtid: String,
    /// When it was committed first, microseconds since 1970.
    pub original_commit_micros: Option<u64>,
    /// When it was committed on the source.
    pub immediate_commit_micros: Option<u64>,
    /// When the worker began.
    pub began_micros: u64,
    /// When it was committed here.
    pub ended_micros: Option<u64>,
    /// How often it was begun again.
    pub retries: u64,
    /// Why, the last time.
    pub transient_error: Option<WorkerError>,
}

/// An error of a worker.
#[derive(Debug, Clone, Default)]
pub struct WorkerError {
    /// MySQL's number.
    pub code: u16,
    /// A sentence.
    pub message: String,
    /// When, microseconds since 1970.
    pub micros: u64,
}
