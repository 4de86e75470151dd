//! Applying the events of our own log to the engine.

use binlog::event::{Event, Query};
use binlog::row::{RowsEvent, Table};
use binlog::transaction::{StatementKind, Step};
use engine::apply::{ApplyError, DROP_VIEW, DdlOutcome, DdlStatement, RowCheck};
use engine::execute::Writer;

/// Why an event was not applied.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: String,
    pub(super) is_disk_full: bool,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self {
            reason,
            is_disk_full: false,
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        Self {
            reason: error.to_string(),
            is_disk_full: error.code() == TABLE_FULL,
        }
    }
}

/// ER_RECORD_FILE_FULL: what the engine says of a full disk.
const TABLE_FULL: u16 = 1114;

/// Applies one event. The error says what was wrong with it.
pub(super) fn event(writer: &mut Writer, step: &Step<'_>) -> Result<(), Failure> {
    match &step.event {
        Event::Query(query) => statement(writer, query, step),
        Event::Rows(event) => rows(writer, event, step.table),
        // The reader keeps the tables and the transaction's identifier.
        Event::TableMap(_)
        | Event::FormatDescription(_)
        | Event::PreviousGtids(_)
        | Event::Gtid(_)
        | Event::Xid(_)
        | Event::Rotate(_)
        | Event::Stop
        | Event::RowsQuery(_) => Ok(()),
        other => Err(format!(
            "this node never writes {} events",
            other.event_type().name()
        )
        .into()),
    }
}

fn statement(writer: &mut Writer, query: &Query<'_>, step: &Step<'_>) -> Result<(), Failure> {
    match StatementKind::of(&query.sql) {
        StatementKind::Begin | StatementKind::Commit => Ok(()),
        StatementKind::Rollback
        | StatementKind::RollbackTo
        | StatementKind::Savepoint
        | StatementKind::XaStart
        | StatementKind::XaEnd
        | StatementKind::XaCommit
        | StatementKind::XaRollback
        | StatementKind::CreateSelect
        | StatementKind::Dml
        | StatementKind::Ddl => {
            let version = &step.description.server_version;
            ddl(writer, query, step.raw.header.timestamp, version)
        }
    }
}

fn rows(writer: &mut Writer, event: &RowsEvent<'_>, table: Option<&Table>) -> Result<(), Failure> {
    let map = &table
        .ok_or_else(|| format!("no table map has the id {}", event.table_id))?
        .map;
    writer.apply_rows(&map.schema, map, event, RowCheck::BeforeImage)?;
    Ok(())
}

/// Runs a DDL statement in the session that its event describes, as the version that logged it.
fn ddl(
    writer: &mut Writer,
    query: &Query<'_>,
    timestamp: u32,
    server_version: &str,
) -> Result<(), Failure> {
    let micros = query.status.microseconds().unwrap_or_default();
    let now_micros = i64::from(timestamp) * 1_000_000 + i64::from(micros);
    let schema = String::from_utf8_lossy(&query.schema);
    let statement = DdlStatement::new(
        &schema,
        &query.sql,
        &query.status,
        now_micros,
        server_version,
    );
    match writer.apply_ddl(&statement)? {
        DdlOutcome::Done
        | DdlOutcome::NotKept {
            construct: DROP_VIEW,
        } => Ok(()),
        DdlOutcome::Unenforced { constructs } => {
            let construct = constructs.join(", ");
            Err(format!("this node never writes definitions with {construct}").into())
        }
        DdlOutcome::NotKept { construct } => {
            Err(format!("this node never writes {construct} statements").into())
        }
    }
}
