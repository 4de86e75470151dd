//! What was applied from a replication source, kept in the commit that applied it.
//!
//! Executed transactions are rows of intervals, so that a commit costs what it adds and not what was
//! executed before it.

use binlog::log::{LogFileName, LogPosition, SourceCoordinates};
use binlog::transaction::Executed;
use gtid::{Gno, GnoInterval, GtidSet, MariaGtid, MariaPosition, Tag, Tsid, Uuid};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::EngineError;

/// What was applied from a replication source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Transactions that are applied, passed over, or declared to be executed.
    pub executed: Executed,
    /// Place in the source's log behind the last transaction applied: everything before it is.
    pub source: Option<SourceCoordinates>,
    /// Place in the relay log behind the last transaction applied.
    pub relay: Option<LogPosition>,
}

/// How a commit moves what was applied.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    /// Transactions that the commit adds.
    pub added: &'a Executed,
    /// Place in the source's log behind them.
    pub source: Option<&'a SourceCoordinates>,
    /// Place in the relay log behind them.
    pub relay: Option<&'a LogPosition>,
}

/// The tables of this module; schema version 2.
pub(super) const TABLES: &str = "
CREATE TABLE weir_applied (
  channel TEXT PRIMARY KEY, source_file TEXT, source_offset INTEGER, relay_file TEXT,
  relay_offset INTEGER) WITHOUT ROWID;
CREATE TABLE weir_executed (
  channel TEXT NOT NULL, uuid TEXT NOT NULL, tag TEXT NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, PRIMARY KEY (channel, uuid, tag, first)) WITHOUT ROWID;
CREATE TABLE weir_executed_mariadb (
  channel TEXT NOT NULL, domain INTEGER NOT NULL, server INTEGER NOT NULL,
  sequence INTEGER NOT NULL, PRIMARY KEY (channel, domain)) WITHOUT ROWID;
";

/// Makes of version 1, which kept the executed set as one text, version 2.
pub(super) fn upgrade_from_text(connection: &Connection) -> Result<(), EngineError> {
    let failed = |source| EngineError::Sqlite {
        doing: "read what was applied, in the form of an earlier version,",
        source,
    };
    let sql = "SELECT channel, gtid_executed, source_file, source_offset, relay_file, relay_offset \
               FROM weir_applied";
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let rows = statement.query_map([], |row| {
        let channel: String = row.get(0)?;
        let executed: String = row.get(1)?;
        Ok((channel, executed, place(row, 2)?, place(row, 4)?))
    });
    let rows: Result<Vec<(String, String, Place, Place)>, _> = rows.map_err(failed)?.collect();
    let rows = rows.map_err(failed)?;
    drop(statement);
    connection
        .execute_batch(&format!("DROP TABLE weir_applied;{TABLES}"))
        .map_err(failed)?;
    for (channel, executed, source, relay) in rows {
        let executed: GtidSet = executed.parse().map_err(|_| EngineError::Corrupt {
            found: format!("gtid_executed = '{executed}' of a channel"),
        })?;
        let applied = Applied {
            executed: executed.into(),
            source: source_place(source),
            relay: relay_place(relay)?,
        };
        replace(connection, &channel, &applied)?;
    }
    Ok(())
}

/// A file and an offset as they are stored.
type Place = (Option<String>, Option<i64>);

fn place(row: &Row<'_>, at: usize) -> Result<Place, rusqlite::Error> {
    Ok((row.get(at)?, row.get(at + 1)?))
}

fn source_place(place: Place) -> Option<SourceCoordinates> {
    let (file, offset) = place;
    Some(SourceCoordinates {
        file: file?,
        offset: offset?.unsigned_abs(),
    })
}

fn relay_place(place: Place) -> Result<Option<LogPosition>, EngineError> {
    let Some(SourceCoordinates { file, offset }) = source_place(place) else {
        return Ok(None);
    };
    let name = LogFileName::parse(&file).ok_or_else(|| EngineError::Corrupt {
        found: format!("relay log file '{file}' of a channel"),
    })?;
    Ok(Some(LogPosition::new(name, offset)))
}

/// What was applied from the source of `channel`; `None` if nothing is known of it.
pub(super) fn read(connection: &Connection, channel: &str) -> Result<Option<Applied>, EngineError> {
    let sql = "SELECT source_file, source_offset, relay_file, relay_offset FROM weir_applied \
               WHERE channel = ?1";
    let row = connection.query_row(sql, [channel], |row| Ok((place(row, 0)?, place(row, 2)?)));
    let Some((source, relay)) = row.optional().map_err(reading)? else {
        return Ok(None);
    };
    Ok(Some(Applied {
        executed: Executed {
            mysql: read_mysql(connection, channel)?,
            mariadb: read_mariadb(connection, channel)?,
        },
        source: source_place(source),
        relay: relay_place(relay)?,
    }))
}

fn reading(source: rusqlite::Error) -> EngineError {
    EngineError::Sqlite {
        doing: "read what was applied",
        source,
    }
}

fn read_mysql(connection: &Connection, channel: &str) -> Result<GtidSet, EngineError> {
    let sql = "SELECT uuid, tag, first, last FROM weir_executed WHERE channel = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(reading)?;
    let rows = statement.query_map([channel], |row| {
        Ok((tsid(row)?, number(row, 2)?, number(row, 3)?))
    });
    let mut set = GtidSet::new();
    for row in rows.map_err(reading)? {
        let (tsid, first, last) = row.map_err(reading)?;
        set.add_interval(tsid, first, last);
    }
    Ok(set)
}

fn tsid(row: &Row<'_>) -> Result<Tsid, rusqlite::Error> {
    let (uuid, tag): (String, String) = (row.get(0)?, row.get(1)?);
    Ok(Tsid {
        uuid: Uuid::parse_str(&uuid).map_err(|error| strange(0, error))?,
        tag: match tag.as_str() {
            "" => Tag::default(),
            tag => tag.parse().map_err(|error| strange(1, error))?,
        },
    })
}

fn number(row: &Row<'_>, at: usize) -> Result<Gno, rusqlite::Error> {
    let number: i64 = row.get(at)?;
    let gno = u64::try_from(number).ok().and_then(Gno::new);
    gno.ok_or(rusqlite::Error::IntegralValueOutOfRange(at, number))
}

fn strange(at: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error))
}

fn read_mariadb(connection: &Connection, channel: &str) -> Result<MariaPosition, EngineError> {
    let sql = "SELECT domain, server, sequence FROM weir_executed_mariadb WHERE channel = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(reading)?;
    let rows = statement.query_map([channel], |row| {
        let sequence: i64 = row.get(2)?;
        Ok(MariaGtid {
            domain: row.get(0)?,
            server: row.get(1)?,
            sequence: sequence.cast_unsigned(),
        })
    });
    let rows = rows.map_err(reading)?;
    rows.collect::<Result<_, _>>().map_err(reading)
}

/// Puts `applied` in the place of what is known of `channel`.
pub(super) fn replace(
    connection: &Connection,
    channel: &str,
    applied: &Applied,
) -> Result<(), EngineError> {
    forget(connection, channel)?;
    advance(
        connection,
        channel,
        &Mark {
            added: &applied.executed,
            source: applied.source.as_ref(),
            relay: applied.relay.as_ref(),
        },
    )
}

/// Forgets everything about `channel`.
pub(super) fn forget(connection: &Connection, channel: &str) -> Result<(), EngineError> {
    for sql in [
        "DELETE FROM weir_applied WHERE channel = ?1",
        "DELETE FROM weir_executed WHERE channel = ?1",
        "DELETE FROM weir_executed_mariadb WHERE channel = ?1",
    ] {
        write(connection, sql, params![channel])?;
    }
    Ok(())
}

/// Moves what is known of `channel` by `mark`.
pub(super) fn advance(
    connection: &Connection,
    channel: &str,
    mark: &Mark<'_>,
) -> Result<(), EngineError> {
    write(
        connection,
        "REPLACE INTO weir_applied VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            channel,
            mark.source.map(|place| &place.file),
            mark.source.map(|place| to_i64(place.offset)),
            mark.relay.map(|place| place.file.as_str()),
            mark.relay.map(|place| to_i64(place.offset)),
        ],
    )?;
    for tsid in mark.added.mysql.tsids() {
        for interval in mark.added.mysql.intervals(tsid) {
            add_interval(connection, channel, tsid, *interval)?;
        }
    }
    for MariaGtid {
        domain,
        server,
        sequence,
    } in mark.added.mariadb.iter()
    {
        write(
            connection,
            "REPLACE INTO weir_executed_mariadb VALUES (?1, ?2, ?3, ?4)",
            params![channel, domain, server, sequence.cast_signed()],
        )?;
    }
    Ok(())
}

/// Adds an interval and makes one of all that overlap or touch it.
fn add_interval(
    connection: &Connection,
    channel: &str,
    tsid: &Tsid,
    interval: GnoInterval,
) -> Result<(), EngineError> {
    let (uuid, tag) = (tsid.uuid.to_string(), tsid.tag.as_str());
    let (first, last) = (to_i64(interval.start), to_i64(interval.end));
    let sql = "SELECT min(first), max(last) FROM weir_executed \
               WHERE channel = ?1 AND uuid = ?2 AND tag = ?3 AND first <= ?4 AND last >= ?5";
    let mut statement = connection.prepare_cached(sql).map_err(reading)?;
    let touched = statement.query_row(
        params![
            channel,
            uuid,
            tag,
            last.saturating_add(1),
            first.saturating_sub(1)
        ],
        |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)),
    );
    let (mut from, mut to) = (first, last);
    if let (Some(lowest), Some(highest)) = touched.map_err(reading)? {
        (from, to) = (from.min(lowest), to.max(highest));
        write(
            connection,
            "DELETE FROM weir_executed WHERE channel = ?1 AND uuid = ?2 AND tag = ?3 \
             AND first > ?4 AND first <= ?5",
            params![channel, uuid, tag, from, to],
        )?;
    }
    write(
        connection,
        "REPLACE INTO weir_executed VALUES (?1, ?2, ?3, ?4, ?5)",
        params![channel, uuid, tag, from, to],
    )
}

fn write(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Result<(), EngineError> {
    let failed = |source| EngineError::Sqlite {
        doing: "write what was applied",
        source,
    };
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    statement.execute(parameters).map_err(failed)?;
    Ok(())
}

/// Offsets and transaction numbers stay below 2^63.
fn to_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
