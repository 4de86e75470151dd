//! Applying the events of our own log to the engine.

use std::collections::HashMap;

use binlog::event::{ChecksumAlgorithm, Event, Query, RawEvent};
use binlog::row::{RowsEvent, TableMap};
use engine::apply::{DdlOutcome, DdlStatement, RowCheck};
use engine::execute::Writer;

/// The table maps of the open statement.
#[derive(Debug, Default)]
pub(super) struct Applier {
    maps: HashMap<u64, TableMap<'static>>,
}

impl Applier {
    /// Applies one event. The error says what was wrong with it.
    pub(super) fn event(
        &mut self,
        writer: &mut Writer,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
        server_version: &str,
    ) -> Result<(), String> {
        match Event::decode(event, checksum).map_err(|error| error.to_string())? {
            Event::Query(query) if query.is_begin() || query.is_commit() => {
                self.maps.clear();
                Ok(())
            }
            Event::Query(query) => ddl(writer, &query, event.header.timestamp, server_version),
            Event::TableMap(map) => {
                self.maps.insert(map.table_id, map.into_owned());
                Ok(())
            }
            Event::Rows(rows) => self.rows(writer, &rows),
            Event::FormatDescription(_)
            | Event::PreviousGtids(_)
            | Event::Gtid(_)
            | Event::Xid(_)
            | Event::Rotate(_)
            | Event::Stop
            | Event::RowsQuery(_) => Ok(()),
            other => Err(format!(
                "this node never writes {} events",
                other.event_type().name()
            )),
        }
    }

    fn rows(&self, writer: &mut Writer, event: &RowsEvent<'_>) -> Result<(), String> {
        let map = self
            .maps
            .get(&event.table_id)
            .ok_or_else(|| format!("no table map has the id {}", event.table_id))?;
        writer
            .apply_rows(&map.schema, map, event, RowCheck::BeforeImage)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}

/// Runs a DDL statement in the session that its event describes, as the version that logged it.
fn ddl(
    writer: &mut Writer,
    query: &Query<'_>,
    timestamp: u32,
    server_version: &str,
) -> Result<(), String> {
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
    match writer
        .apply_ddl(&statement)
        .map_err(|error| error.to_string())?
    {
        DdlOutcome::Done => Ok(()),
        DdlOutcome::NotKept { construct } => {
            Err(format!("this node never writes {construct} statements"))
        }
    }
}
