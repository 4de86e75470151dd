//! Parts of a replication source's log that wait for the word that commits them: the rows of prepared XA
//! transactions.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::EngineError;

/// The table of this module. It came later: a file without it has nothing prepared.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS weir_prepared (
  channel TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, events BLOB NOT NULL,
  PRIMARY KEY (channel, name, number));
";

/// Keeps piece `number` of what is prepared under `name`; the first piece takes the place of all that was
/// kept under it.
pub(super) fn keep(
    connection: &Connection,
    channel: &str,
    name: &str,
    number: u32,
    piece: &[u8],
) -> Result<(), EngineError> {
    if number == 0 {
        forget(connection, channel, name)?;
    }
    let sql = "INSERT INTO weir_prepared VALUES (?1, ?2, ?3, ?4)";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    let inserted = statement.execute(params![channel, name, number, piece]);
    inserted.map(drop).map_err(writing)
}

/// Piece `number` of what is prepared under `name`; `None` if there are not as many.
pub(super) fn kept(
    connection: &Connection,
    channel: &str,
    name: &str,
    number: u32,
) -> Result<Option<Vec<u8>>, EngineError> {
    let sql = "SELECT events FROM weir_prepared WHERE channel = ?1 AND name = ?2 AND number = ?3";
    let reading = |source| EngineError::Sqlite {
        doing: "read what is prepared",
        source,
    };
    let mut statement = connection.prepare_cached(sql).map_err(reading)?;
    let row = statement.query_row(params![channel, name, number], |row| row.get(0));
    row.optional().map_err(reading)
}

/// Keeps nothing under `name` any more.
pub(super) fn forget(
    connection: &Connection,
    channel: &str,
    name: &str,
) -> Result<(), EngineError> {
    let sql = "DELETE FROM weir_prepared WHERE channel = ?1 AND name = ?2";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    let deleted = statement.execute(params![channel, name]);
    deleted.map(drop).map_err(writing)
}

fn writing(source: rusqlite::Error) -> EngineError {
    EngineError::Sqlite {
        doing: "write what is prepared",
        source,
    }
}
