//! Applying the events of our own log to the engine.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use binlog::event::{ChecksumAlgorithm, Event, Query, RawEvent};
use binlog::row::{RowPlan, RowsEvent, TableMap};
use binlog::value::Value;
use engine::catalog::Table;
use engine::collation;
use engine::database::Writer;
use engine::session::SessionContext;
use engine::session::TimeZone;
use engine::sql::{self, ParseOptions, SqlMode};

/// The table maps of the open statement.
#[derive(Debug, Default)]
pub(super) struct Applier {
    maps: HashMap<u64, Mapped>,
}

#[derive(Debug)]
struct Mapped {
    plan: RowPlan,
    schema: String,
    table: String,
}

impl Applier {
    /// Applies one event. The error says what was wrong with it.
    pub(super) fn event(
        &mut self,
        writer: &mut Writer,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
    ) -> Result<(), String> {
        match Event::decode(event, checksum).map_err(|error| error.to_string())? {
            Event::Query(query) if query.is_begin() || query.is_commit() => {
                self.maps.clear();
                Ok(())
            }
            Event::Query(query) => ddl(writer, &query, event.header.timestamp),
            Event::TableMap(map) => self.table_map(&map),
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

    fn table_map(&mut self, map: &TableMap<'_>) -> Result<(), String> {
        let mapped = Mapped {
            plan: RowPlan::new(map).map_err(|error| error.to_string())?,
            schema: map.schema.to_string(),
            table: map.table.to_string(),
        };
        self.maps.insert(map.table_id, mapped);
        Ok(())
    }

    fn rows(&self, writer: &mut Writer, event: &RowsEvent<'_>) -> Result<(), String> {
        let mapped = self
            .maps
            .get(&event.table_id)
            .ok_or_else(|| format!("no table map has the id {}", event.table_id))?;
        let catalog = Arc::clone(writer.catalog());
        let table = catalog
            .table(&mapped.schema, &mapped.table)
            .map_err(|error| error.message)?;
        if table.columns.len() != mapped.plan.column_count() {
            return Err(format!(
                "{}.{} has {} columns, the event {}",
                mapped.schema,
                mapped.table,
                table.columns.len(),
                mapped.plan.column_count()
            ));
        }
        for pair in event
            .read(&mapped.plan)
            .map_err(|error| error.to_string())?
        {
            let pair = pair.map_err(|error| error.to_string())?;
            let before = whole(pair.before)?;
            let after = whole(pair.after)?;
            row(writer, table, &before, &after)?;
        }
        Ok(())
    }
}

/// The values of a full image; empty for none.
fn whole(image: Vec<Option<Value<'_>>>) -> Result<Vec<Value<'static>>, String> {
    let values = image.into_iter().map(|value| value.map(Value::into_owned));
    let values: Option<Vec<_>> = values.collect();
    values.ok_or_else(|| "an image lacks columns; this node writes full images".to_owned())
}

fn row(
    writer: &mut Writer,
    table: &Arc<Table>,
    before: &[Value<'static>],
    after: &[Value<'static>],
) -> Result<(), String> {
    let mut rows = writer.rows(table).map_err(|error| error.to_string())?;
    if before.is_empty() {
        return rows
            .insert_unlisted(after)
            .map(|_| ())
            .map_err(|error| error.to_string());
    }
    let found = rows.find(before).map_err(|error| error.to_string())?;
    let Some(stored) = found.filter(|stored| stored.values == before) else {
        return Err(format!(
            "{}.{} does not hold the row as it was before the change",
            table.database, table.name
        ));
    };
    if after.is_empty() {
        rows.delete_unlisted(stored.id)
            .map_err(|error| error.to_string())
    } else {
        rows.update_unlisted(stored.id, before, after)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}

/// Runs a DDL statement in the session that its event describes.
fn ddl(writer: &mut Writer, query: &Query<'_>, timestamp: u32) -> Result<(), String> {
    let mut session = session(query, timestamp)?;
    let options = ParseOptions {
        sql_mode: session.sql_mode,
        ..ParseOptions::default()
    };
    let parsed = sql::parse(&query.sql, &options).map_err(|error| error.to_string())?;
    if !crate::pipeline::ddl::is_ddl(&parsed.statement) {
        let text = String::from_utf8_lossy(&query.sql);
        return Err(format!("this node never writes the statement '{text}'"));
    }
    let mut changes = Vec::new();
    writer
        .execute(&parsed.statement, &[], &mut session, &mut changes)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

fn session(query: &Query<'_>, timestamp: u32) -> Result<SessionContext, String> {
    let mut session = SessionContext::new(u64::from(query.thread_id));
    let schema = text(&query.schema)?;
    session.database = (!schema.is_empty()).then(|| schema.to_owned());
    let status = &query.status;
    session.sql_mode = SqlMode(status.sql_mode().unwrap_or_default());
    let micros = status.microseconds().unwrap_or_default();
    session.now_micros = i64::from(timestamp) * 1_000_000 + i64::from(micros);
    let known =
        |id: u16| collation::by_id(id).ok_or_else(|| format!("collation {id} is not known here"));
    if let Some(charset) = status.charset() {
        session.character_set_client = known(charset.client)?.charset;
        session.collation_connection = known(charset.connection)?;
        session.collation_server = known(charset.server)?;
    }
    if let Some(zone) = status.time_zone() {
        let zone = Cow::Borrowed(text(zone)?);
        session.time_zone = TimeZone::by_name(&zone).map_err(|error| error.to_string())?;
    }
    Ok(session)
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "a name that is not UTF-8".to_owned())
}
