//! The rows of performance_schema.replication_applier_status_by_worker from the applier's state.

use std::time::SystemTime;

use server::role::{ApplierWorker, WorkerError, WorkerTransaction};

use crate::applier::{ApplierFailure, ApplierState, WorkerUnit};

/// One row a worker; one of number 0 where the coordinator itself applies.
pub(super) fn rows(state: &ApplierState) -> Vec<ApplierWorker> {
    if state.workers.is_empty() {
        return vec![ApplierWorker {
            id: 0,
            is_running: state.is_running,
            error: state.failure.as_ref().map(error),
            ..ApplierWorker::default()
        }];
    }
    let workers = (1..).zip(&state.workers);
    let workers = workers.map(|(id, worker)| ApplierWorker {
        id,
        is_running: state.is_running,
        error: worker.failure.as_ref().map(error),
        applied: worker
            .applied
            .as_ref()
            .map(|(unit, ended)| transaction(unit, Some(*ended))),
        applying: worker.applying.as_ref().map(|unit| transaction(unit, None)),
    });
    workers.collect()
}

fn transaction(unit: &WorkerUnit, ended: Option<SystemTime>) -> WorkerTransaction {
    WorkerTransaction {
        gtid: unit.gtid.to_string(),
        original_commit_micros: unit.committed.map(|times| times.original),
        immediate_commit_micros: unit.committed.map(|times| times.immediate),
        began_micros: micros(unit.began),
        ended_micros: ended.map(micros),
        retries: unit.retries,
        transient_error: unit.transient.as_ref().map(error),
    }
}

fn error(failure: &ApplierFailure) -> WorkerError {
    WorkerError {
        code: failure.code,
        message: failure.message.clone(),
        micros: micros(failure.at),
    }
}

fn micros(at: SystemTime) -> u64 {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
