//! performance_schema.replication_applier_status_by_worker. Columns: MySQL 9.7.
//!
//! Differs from MySQL: THREAD_ID is NULL, and moments are text.

use binlog::value::Timestamp;

use crate::node::Node;
use crate::role::{ApplierWorker, WorkerError, WorkerTransaction};
use crate::show::{Cell, Grid};

/// Its name.
pub(super) const NAME: &str = "replication_applier_status_by_worker";

pub(super) fn table(node: &Node) -> Grid {
    let moment = |grid: Grid, name: &str| grid.text(name, 26).not_null();
    let mut grid = Grid::new()
        .text("CHANNEL_NAME", 256)
        .not_null()
        .number("WORKER_ID", 20)
        .not_null()
        .number("THREAD_ID", 20)
        .text("SERVICE_STATE", 12)
        .not_null();
    grid = error_columns(grid, "LAST_ERROR", true);
    grid = grid.text("LAST_APPLIED_TRANSACTION", 360);
    for at in [
        "ORIGINAL_COMMIT",
        "IMMEDIATE_COMMIT",
        "START_APPLY",
        "END_APPLY",
    ] {
        grid = moment(grid, &format!("LAST_APPLIED_TRANSACTION_{at}_TIMESTAMP"));
    }
    grid = grid.text("APPLYING_TRANSACTION", 360);
    for at in ["ORIGINAL_COMMIT", "IMMEDIATE_COMMIT", "START_APPLY"] {
        grid = moment(grid, &format!("APPLYING_TRANSACTION_{at}_TIMESTAMP"));
    }
    for which in ["LAST_APPLIED_TRANSACTION", "APPLYING_TRANSACTION"] {
        grid = grid
            .number(&format!("{which}_RETRIES_COUNT"), 20)
            .not_null();
        grid = error_columns(grid, &format!("{which}_LAST_TRANSIENT_ERROR"), false);
    }
    for worker in node.role.applier_workers() {
        grid.row(cells(&worker));
    }
    grid
}

fn error_columns(grid: Grid, name: &str, has_message: bool) -> Grid {
    let grid = grid.number(&format!("{name}_NUMBER"), 11).not_null();
    let grid = grid.text(&format!("{name}_MESSAGE"), 4096);
    let grid = match has_message {
        true => grid.not_null(),
        false => grid,
    };
    grid.text(&format!("{name}_TIMESTAMP"), 26).not_null()
}

fn cells(worker: &ApplierWorker) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![
        "".into(),
        worker.id.into(),
        Cell::Null,
        if worker.is_running { "ON" } else { "OFF" }.into(),
    ];
    error(&mut cells, worker.error.as_ref());
    let applied = worker.applied.as_ref();
    transaction(&mut cells, applied);
    let ended = applied.and_then(|applied| applied.ended_micros);
    cells.push(moment(ended).into());
    let applying = worker.applying.as_ref();
    transaction(&mut cells, applying);
    for transaction in [applied, applying] {
        let retries = transaction.map_or(0, |transaction| transaction.retries);
        cells.push(retries.into());
        error(
            &mut cells,
            transaction.and_then(|transaction| transaction.transient_error.as_ref()),
        );
    }
    cells
}

fn error(cells: &mut Vec<Cell>, error: Option<&WorkerError>) {
    cells.push(error.map_or(0, |error| u64::from(error.code)).into());
    cells.push(error.map_or("", |error| error.message.as_str()).into());
    cells.push(moment(error.map(|error| error.micros)).into());
}

fn transaction(cells: &mut Vec<Cell>, transaction: Option<&WorkerTransaction>) {
    let gtid = transaction.map_or("", |transaction| transaction.gtid.as_str());
    cells.push(gtid.into());
    let at = |of: fn(&WorkerTransaction) -> Option<u64>| moment(transaction.and_then(of));
    cells.push(at(|transaction| transaction.original_commit_micros).into());
    cells.push(at(|transaction| transaction.immediate_commit_micros).into());
    cells.push(at(|transaction| Some(transaction.began_micros)).into());
}

/// A moment in UTC as MySQL writes it, or its zero.
fn moment(micros: Option<u64>) -> String {
    let Some(micros) = micros else {
        return "0000-00-00 00:00:00.000000".to_owned();
    };
    let seconds = u32::try_from(micros / 1_000_000).unwrap_or(u32::MAX);
    let utc = Timestamp { seconds, micros: 0 }.to_utc();
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
        micros % 1_000_000
    )
}
