//! SQLite connections: settings, collations, version.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::EngineOptions;
use crate::collation::{self, compare::compare};
use crate::error::EngineError;

/// The least SQLite version, as `sqlite3_libversion_number` counts: the first whose WAL reset and
/// pre-update hook were verified with this engine.
pub const SQLITE_VERSION_NEEDED: i32 = 3_053_000;

pub(super) fn check_version() -> Result<(), EngineError> {
    let found = rusqlite::version_number();
    if found < SQLITE_VERSION_NEEDED {
        return Err(EngineError::Version {
            what: "SQLite",
            found: found.into(),
            needed: SQLITE_VERSION_NEEDED.into(),
        });
    }
    Ok(())
}

/// Opens a connection that can read and write.
pub(super) fn open(path: &Path, options: &EngineOptions) -> Result<Connection, EngineError> {
    let failed = |source| EngineError::Sqlite {
        doing: "open its file",
        source,
    };
    let connection = Connection::open(path).map_err(failed)?;
    // synchronous=NORMAL: the WAL is synced before and the file after each checkpoint and nowhere
    // else, so the file is always a consistent, at worst older, base for rolling forward.
    let settings = format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0; \
         PRAGMA foreign_keys=OFF; PRAGMA temp_store=FILE; PRAGMA cache_size=-{};",
        options.cache_kib
    );
    connection.execute_batch(&settings).map_err(failed)?;
    // The owner says when frames may move into the file; closing is no reason.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(failed)?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(options.statements_max);
    register(&connection).map_err(failed)?;
    Ok(connection)
}

/// A reader's cache is smaller than the writer's by this factor: there may be many of them.
const READERS_SHARE: u32 = 16;

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path, options: &EngineOptions) -> Result<Connection, EngineError> {
    let options = EngineOptions {
        cache_kib: options.cache_kib / READERS_SHARE,
        statements_max: (options.statements_max / 16).max(1),
    };
    let connection = open(path, &options)?;
    let failed = |source| EngineError::Sqlite {
        doing: "open its file",
        source,
    };
    connection
        .execute_batch("PRAGMA query_only=1")
        .map_err(failed)?;
    Ok(connection)
}

/// Teaches SQLite the collations that columns name, each when it is first needed, and the functions
/// that statements call.
fn register(connection: &Connection) -> rusqlite::Result<()> {
    connection.collation_needed(|connection, name| {
        // SQLite itself says that it knows none of that name.
        let Ok(known) = collation::by_name(name) else {
            return Ok(());
        };
        connection.create_collation(name, |a, b| compare(known, a.as_bytes(), b.as_bytes()))
    })?;
    crate::expr::register(connection)
}

/// Frames in the WAL, and how many of them are in the database file.
pub(super) fn checkpoint(connection: &Connection) -> Result<(u64, u64), EngineError> {
    let counts = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    });
    let (frames, moved) = counts.map_err(|source| EngineError::Sqlite {
        doing: "checkpoint",
        source,
    })?;
    Ok((frames.max(0).unsigned_abs(), moved.max(0).unsigned_abs()))
}
