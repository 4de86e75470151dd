//! The engine's own tables, beside the users' tables `t<id>`.
//!
//! | table           | row |
//! |-----------------|-----|
//! | `weir_meta`     | a named number: schema version, catalogue version, next table id |
//! | `weir_database` | a database and its collation |
//! | `weir_table`    | a table and its definition as JSON |
//! | `weir_counter`  | the AUTO_INCREMENT counter of a table |
//! | `weir_position` | one row: the position in the own log that the rows stand for |
//! | `weir_applied`  | per replication channel: where applying from its source stands |
//! | `weir_executed` | the transactions of MySQL sources that are executed, as intervals |
//! | `weir_executed_mariadb` | the last transaction executed of each domain of MariaDB sources |
//! | `weir_prepared` | events of a source's XA transactions that are prepared, in pieces |

use rusqlite::{Connection, OptionalExtension};

use super::{applied, prepared};
use crate::error::EngineError;

/// Grows when these tables change their shape, and when definitions in them get parts that an older version
/// would read past and write back without.
const SCHEMA_VERSION: i64 = 3;

const TABLES: &str = "
CREATE TABLE weir_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE weir_database (name TEXT PRIMARY KEY, collation TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE weir_table (
  id INTEGER PRIMARY KEY, database TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL,
  UNIQUE (database, name));
CREATE TABLE weir_counter (id INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE weir_position (
  id INTEGER PRIMARY KEY CHECK (id = 0), file TEXT NOT NULL, offset INTEGER NOT NULL,
  gtid_executed TEXT NOT NULL);
INSERT INTO weir_meta VALUES ('catalog_version', 0), ('next_table_id', 1);
INSERT INTO weir_position VALUES (0, '', 0, '');
";

/// Came later; a file without them names no views and no sequences.
const UNKEPT: &str = "
CREATE TABLE IF NOT EXISTS weir_view (
  database TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (database, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS weir_sequence (
  database TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (database, name)) WITHOUT ROWID;
";

/// Makes the tables in a new file, or checks the version of those in an old one.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), EngineError> {
    let failed = |source| EngineError::Sqlite {
        doing: "read its schema",
        source,
    };
    let transaction = connection.transaction().map_err(failed)?;
    let is_new = transaction
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE name = 'weir_meta'",
            [],
            |_| Ok(()),
        )
        .optional()
        .map_err(failed)?
        .is_none();
    if is_new {
        transaction.execute_batch(TABLES).map_err(failed)?;
        transaction.execute_batch(applied::TABLES).map_err(failed)?;
        let insert = "INSERT INTO weir_meta VALUES ('schema_version', ?1)";
        transaction
            .execute(insert, [SCHEMA_VERSION])
            .map_err(failed)?;
    }
    transaction.execute_batch(UNKEPT).map_err(failed)?;
    transaction
        .execute_batch(prepared::TABLES)
        .map_err(failed)?;
    let select = "SELECT value FROM weir_meta WHERE name = 'schema_version'";
    let mut found: i64 = transaction
        .query_row(select, [], |row| row.get(0))
        .map_err(failed)?;
    if found == 1 {
        applied::upgrade_from_text(&transaction)?;
    }
    // What a definition of version 2 lacks is what a table has unless it says otherwise.
    if matches!(found, 1 | 2) {
        found = SCHEMA_VERSION;
        let update = "UPDATE weir_meta SET value = ?1 WHERE name = 'schema_version'";
        transaction.execute(update, [found]).map_err(failed)?;
    }
    if found != SCHEMA_VERSION {
        return Err(EngineError::Version {
            what: "the database file",
            found,
            needed: SCHEMA_VERSION,
        });
    }
    transaction.commit().map_err(failed)
}
