//! SHOW of binary logs, replicas and sources, in both vocabularies.

use engine::outcome::ResultSet;
use sql::error::SqlError;

use super::grid::{Cell, Grid};
use crate::node::Node;
use crate::role::{BinaryLogFile, EventRow, ReplicaStatus, Role, StatusCell};

/// SHOW BINARY LOG STATUS.
pub(crate) fn binary_log_status(role: &dyn Role) -> ResultSet {
    let mut grid = Grid::new()
        .text("File", 2048)
        .number("Position", 21)
        .text("Binlog_Do_DB", 1020)
        .text("Binlog_Ignore_DB", 1020)
        .text("Executed_Gtid_Set", 65_535)
        .all_never_null();
    if let Some(status) = role.binary_log_status() {
        grid.row([
            status.file.into(),
            status.position.into(),
            status.do_db.into(),
            status.ignore_db.into(),
            status.executed.to_string().into(),
        ]);
    }
    grid.into_result()
}

/// SHOW BINARY LOGS.
pub(crate) fn binary_logs(files: &[BinaryLogFile]) -> ResultSet {
    let mut grid = Grid::new()
        .text("Log_name", 1020)
        .number("File_size", 21)
        .text("Encrypted", 12)
        .all_never_null();
    for file in files {
        let encrypted = if file.is_encrypted { "Yes" } else { "No" };
        grid.row([
            file.name.as_str().into(),
            file.size.into(),
            encrypted.into(),
        ]);
    }
    grid.into_result()
}

/// SHOW BINLOG EVENTS.
pub(crate) fn events(rows: &[EventRow]) -> ResultSet {
    let mut grid = Grid::new()
        .text("Log_name", 80)
        .number("Pos", 12)
        .text("Event_type", 80)
        .number("Server_id", 11)
        .number("End_log_pos", 12)
        .text("Info", 65_535)
        .all_never_null();
    for event in rows {
        grid.row([
            event.file.as_str().into(),
            event.position.into(),
            event.event_type.into(),
            u64::from(event.server_id).into(),
            event.end_position.into(),
            event.info.as_str().into(),
        ]);
    }
    grid.into_result()
}

/// SHOW REPLICAS, SHOW SLAVE HOSTS.
pub(crate) fn replicas(node: &Node, legacy: bool) -> ResultSet {
    let (source, uuid) = if legacy {
        ("Master_id", "Slave_UUID")
    } else {
        ("Source_Id", "Replica_UUID")
    };
    let first = if legacy { "Server_id" } else { "Server_Id" };
    let mut grid = Grid::new()
        .number(first, 11)
        .text("Host", 1020)
        .number("Port", 8)
        .number(source, 11)
        .text(uuid, 144)
        .all_never_null();
    for entry in node.replicas.replicas() {
        let replica = &entry.replica;
        grid.row([
            u64::from(replica.server_id).into(),
            replica.host.as_str().into(),
            u64::from(replica.port).into(),
            u64::from(node.settings.server_id).into(),
            entry.uuid.as_str().into(),
        ]);
    }
    grid.into_result()
}

/// SHOW REPLICA STATUS, SHOW SLAVE STATUS.
pub(crate) fn replica_status(
    channels: &[ReplicaStatus],
    legacy: bool,
    channel: Option<&str>,
) -> Result<ResultSet, SqlError> {
    let mut grid = Grid {
        columns: ReplicaStatus::columns(legacy),
        rows: Vec::new(),
    };
    let wanted = |status: &&ReplicaStatus| channel.is_none_or(|name| status.channel_name == name);
    for status in channels.iter().filter(wanted) {
        grid.row(status.cells().into_iter().map(|cell| match cell {
            StatusCell::Text(text) => Cell::Text(text.to_owned()),
            StatusCell::Number(number) => Cell::Number(number),
            StatusCell::Null => Cell::Null,
        }));
    }
    match channel {
        Some(name) if !name.is_empty() && grid.rows.is_empty() => {
            let text = format!("Replica channel '{name}' does not exist.");
            Err(SqlError::new(3074, "HY000", text))
        }
        _ => Ok(grid.into_result()),
    }
}
