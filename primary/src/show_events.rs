//! SHOW BINLOG EVENTS: the events of one file, each with MySQL's text about it.

use std::collections::HashMap;

use binlog::event::{Event, EventHeader};
use binlog::log::{FIRST_EVENT, LogFileName, LogIndex, LogReader};
use binlog::row::RowsFlags;
use binlog::transaction::StatementKind;
use server::feed::LogFeed;
use server::role::{EventRow, EventsRequest};
use sql::error::SqlError;

use crate::pipeline::log_error;

/// The rows that `request` asks for, up to the durable end.
pub(crate) fn show_events(
    feed: &LogFeed,
    request: &EventsRequest,
) -> Result<Vec<EventRow>, SqlError> {
    let storage = feed.storage().as_ref();
    let index = LogIndex::load(storage, feed.index_name()).map_err(|error| log_error(&error))?;
    let file = match &request.file {
        Some(name) => LogFileName::parse_path(name).filter(|file| index.contains(file)),
        None => index.first().cloned(),
    };
    let file = file.ok_or_else(|| failed(&"Could not find target log"))?;
    let (skip, limit) = request.limit.unwrap_or((0, u64::MAX));
    let end = feed.durable_end();
    let end = (end.file == file).then_some(end.offset);
    let _guard = feed.guards().hold(file.clone());
    let mut reader = LogReader::open(storage, &file).map_err(|error| failed(&error))?;
    let position = request.position.unwrap_or(FIRST_EVENT).max(FIRST_EVENT);
    reader.seek(position);
    let mut tables = HashMap::new();
    let mut rows = Vec::new();
    let mut seen = 0_u64;
    while reader.advance(end).map_err(|error| failed(&error))? {
        let Some((offset, event)) = reader.current() else {
            break;
        };
        let decoded = Event::decode(&event, reader.checksum()).map_err(|error| failed(&error))?;
        let info = info(&decoded, &mut tables);
        seen += 1;
        if seen <= skip {
            continue;
        }
        if rows.len() as u64 >= limit {
            break;
        }
        rows.push(EventRow {
            file: file.to_string(),
            position: offset,
            event_type: event.header.event_type.show_name(),
            server_id: event.header.server_id,
            end_position: end_position(&event.header, reader.next_offset()),
            info,
        });
    }
    Ok(rows)
}

fn end_position(header: &EventHeader, next: u64) -> u64 {
    match header.end_log_pos {
        0 => next,
        announced => u64::from(announced).max(next),
    }
}

fn failed(what: &dyn std::fmt::Display) -> SqlError {
    let text = format!("Error when executing command SHOW BINLOG EVENTS: {what}");
    SqlError::new(1220, "HY000", text)
}

/// The Info column.
fn info(event: &Event<'_>, tables: &mut HashMap<u64, String>) -> String {
    match event {
        Event::FormatDescription(description) => {
            format!("Server ver: {}, Binlog ver: 4", description.server_version)
        }
        Event::PreviousGtids(previous) => previous.gtids.to_string(),
        Event::Gtid(gtid) => match &gtid.gtid {
            Some(gtid) => format!("SET @@SESSION.GTID_NEXT= '{gtid}'"),
            None => "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'".to_owned(),
        },
        Event::Query(query) => {
            let sql = String::from_utf8_lossy(&query.sql);
            let is_frame = matches!(
                StatementKind::of(&query.sql),
                StatementKind::Begin | StatementKind::Commit
            );
            if query.schema.is_empty() || is_frame {
                sql.into_owned()
            } else {
                let schema = String::from_utf8_lossy(&query.schema);
                format!("use `{}`; {sql}", schema.replace('`', "``"))
            }
        }
        Event::TableMap(map) => {
            tables.insert(map.table_id, format!("{}.{}", map.schema, map.table));
            format!("table_id: {} ({}.{})", map.table_id, map.schema, map.table)
        }
        Event::Rows(rows) => {
            let end = if rows.flags.contains(RowsFlags::STATEMENT_END) {
                " flags: STMT_END_F"
            } else {
                ""
            };
            format!("table_id: {}{end}", rows.table_id)
        }
        Event::Xid(xid) => format!("COMMIT /* xid={} */", xid.xid),
        Event::Rotate(rotate) => format!("{};pos={}", rotate.file, rotate.position),
        Event::RowsQuery(query) => format!("# {}", String::from_utf8_lossy(query.sql)),
        _ => String::new(),
    }
}
