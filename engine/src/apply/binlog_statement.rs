//! BINLOG statements: events that a client sends, applied as the rows of one statement.
//!
//! Only format descriptions, table maps, row events and what annotates them may come. The format
//! lasts for the session; table maps last for the statement. The changes are listed, so that the
//! transaction that they belong to is logged as one of this server.

use std::collections::HashMap;
use std::fmt::Display;

use binlog::event::{
    ChecksumAlgorithm, Event, EventFormat, EventHeader, EventType, FormatDescription, RawEvent,
};
use binlog::row::{RowsEvent, TableMap};

use super::rules::Leeway;
use super::{ApplyError, RowCheck};
use crate::execute::Writer;
use crate::outcome::Outcome;
use crate::rows::RowChange;
use sql::error::SqlError;

/// What the events of a BINLOG statement come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinlogEvents {
    /// How the events behind these are laid out.
    pub format: Option<EventFormat>,
    /// Whether there are rows to apply.
    pub has_rows: bool,
}

/// Checks the events of a BINLOG statement whose session knows `format`, before any is applied.
///
/// # Errors
/// 1149 for no whole events, 1609 for events before a format description, 1730 for events that are
/// not about rows.
pub fn binlog_events(
    bytes: &[u8],
    mut format: Option<EventFormat>,
) -> Result<BinlogEvents, SqlError> {
    if bytes.is_empty() {
        return Err(SqlError::syntax_error());
    }
    let mut has_rows = false;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (event, after) = split(rest)?;
        rest = after;
        let kind = event.header.event_type;
        if kind == EventType::FORMAT_DESCRIPTION {
            let own = EventFormat::mysql(ChecksumAlgorithm::None);
            event.verify(own).map_err(damaged)?;
            let description = FormatDescription::decode(event.bytes).map_err(damaged)?;
            format = Some(description.format());
            continue;
        }
        let Some(format) = format else {
            return Err(SqlError::no_format_description_before_binlog(name(kind)));
        };
        let is_rows = RowsEvent::is_rows(kind);
        let is_annotation = kind == EventType::ROWS_QUERY || kind == EventType::ANNOTATE_ROWS;
        if !is_rows && !is_annotation && kind != EventType::TABLE_MAP {
            return Err(SqlError::only_rows_in_binlog(name(kind)));
        }
        event.verify(format).map_err(damaged)?;
        has_rows |= is_rows;
    }
    Ok(BinlogEvents { format, has_rows })
}

impl Writer {
    /// Applies the rows of a BINLOG statement and lists the changes. The caller undoes what a failed
    /// statement did.
    pub(crate) fn apply_binlog(
        &mut self,
        bytes: &[u8],
        mut format: Option<EventFormat>,
        changes: &mut Vec<RowChange>,
    ) -> Result<Outcome, SqlError> {
        let mut maps: HashMap<u64, TableMap<'static>> = HashMap::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (event, after) = split(rest)?;
            rest = after;
            if event.header.event_type == EventType::FORMAT_DESCRIPTION {
                let description = FormatDescription::decode(event.bytes).map_err(damaged)?;
                format = Some(description.format());
                continue;
            }
            let format = format.ok_or_else(|| {
                SqlError::no_format_description_before_binlog(name(event.header.event_type))
            })?;
            match Event::decode(&event, format).map_err(damaged)? {
                Event::TableMap(map) => drop(maps.insert(map.table_id, map.into_owned())),
                Event::Rows(rows) => self.binlog_rows(&maps, &rows, changes)?,
                // Annotations; `binlog_events` has refused everything else.
                _ => {}
            }
        }
        Ok(Outcome::done())
    }

    fn binlog_rows(
        &mut self,
        maps: &HashMap<u64, TableMap<'static>>,
        rows: &RowsEvent<'_>,
        changes: &mut Vec<RowChange>,
    ) -> Result<(), SqlError> {
        // MySQL passes over rows without their map; nothing is lost in silence here.
        let map = maps.get(&rows.table_id).ok_or_else(|| {
            let cause = format!("no table map has the id {}", rows.table_id);
            damaged(cause)
        })?;
        let mut strict = Leeway::default();
        let how = (RowCheck::Key, &mut strict);
        self.apply_within(&map.schema, map, rows, how, Some(changes))
            .map(|_| ())
            .map_err(refused)
    }
}

/// The first event of `bytes` and what follows it.
fn split(bytes: &[u8]) -> Result<(RawEvent<'_>, &[u8]), SqlError> {
    let header = EventHeader::decode(bytes).map_err(|_| SqlError::syntax_error())?;
    let len = usize::try_from(header.event_size).unwrap_or(usize::MAX);
    let (event, rest) = bytes
        .split_at_checked(len)
        .ok_or_else(SqlError::syntax_error)?;
    let event = RawEvent::parse(event).map_err(|_| SqlError::syntax_error())?;
    Ok((event, rest))
}

fn name(kind: EventType) -> &'static str {
    kind.show_name()
}

/// 1610: bytes that no server wrote so.
fn damaged(cause: impl Display) -> SqlError {
    SqlError::corrupt_event(cause)
}

/// The error of a row that cannot be applied, as a statement has it.
fn refused(error: ApplyError) -> SqlError {
    match error {
        ApplyError::Conflict { error, .. }
        | ApplyError::Incompatible { error }
        | ApplyError::Statement { error, .. } => error,
        ApplyError::Engine(error) => error.into(),
        error @ (ApplyError::BeforeImage { .. } | ApplyError::Corrupt(_)) => {
            SqlError::new(error.code(), "HY000", error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use binlog::event::write_event;

    use super::*;

    fn description() -> Vec<u8> {
        let mut out = Vec::new();
        let header = EventHeader::new(EventType::FORMAT_DESCRIPTION, 0, 1);
        let description = FormatDescription::current("8.4.6", ChecksumAlgorithm::Crc32);
        write_event(&mut out, &header, 4, ChecksumAlgorithm::Crc32, |body| {
            description.encode(body);
        });
        out
    }

    fn event(kind: EventType) -> Vec<u8> {
        let mut out = Vec::new();
        let header = EventHeader::new(kind, 0, 1);
        write_event(&mut out, &header, 4, ChecksumAlgorithm::Crc32, |body| {
            body.extend_from_slice(&[0; 12]);
        });
        out
    }

    #[test]
    fn rows_need_a_format_description_before_them() {
        let rows = event(EventType::WRITE_ROWS);
        assert_eq!(binlog_events(&rows, None).unwrap_err().code, 1609);
        let format = binlog_events(&description(), None).unwrap().format;
        assert!(format.is_some());
        assert!(binlog_events(&rows, format).unwrap().has_rows);
    }

    #[test]
    fn events_that_are_not_about_rows_are_refused_by_name() {
        let mut bytes = description();
        bytes.extend(event(EventType::QUERY));
        let error = binlog_events(&bytes, None).unwrap_err();
        assert_eq!(error.code, 1730);
        assert!(error.message.contains("Query"), "{}", error.message);
    }

    #[test]
    fn damaged_bytes_are_errors_and_nothing_else() {
        let whole = description();
        for len in 0..whole.len() {
            let part = whole.get(..len).unwrap();
            assert_eq!(binlog_events(part, None).unwrap_err().code, 1149, "{len}");
        }
        let mut flipped = whole.clone();
        if let Some(byte) = flipped.get_mut(40) {
            *byte ^= 1;
        }
        assert_eq!(binlog_events(&flipped, None).unwrap_err().code, 1610);
    }
}
