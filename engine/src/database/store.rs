//! The catalogue, counters and positions in the engine's own tables.
//!
//! Every function works inside whatever transaction the connection is in.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, ToSql, params};

use super::EnginePosition;
use crate::apply::Unkept;
use crate::catalog::{Catalog, Database, Table, TableId};
use crate::collation::{self, Collation};
use crate::error::EngineError;

/// The engine's own tables, through one connection.
pub(crate) struct Store<'c> {
    connection: &'c Connection,
}

impl<'c> Store<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Store<'c> {
        Store { connection }
    }

    /// Reads the whole catalogue.
    pub(crate) fn load(&self) -> Result<Catalog, EngineError> {
        let mut catalog = Catalog {
            version: self.catalog_version()?,
            ..Catalog::default()
        };
        let mut databases: BTreeMap<String, Database> = BTreeMap::new();
        for (name, collation) in self.pairs("SELECT name, collation FROM weir_database")? {
            let collation = collation::by_name(&collation)?;
            databases.insert(
                name.clone(),
                Database {
                    name,
                    collation,
                    tables: BTreeMap::new(),
                },
            );
        }
        for (database, definition) in self.pairs("SELECT database, definition FROM weir_table")? {
            let table: Table =
                serde_json::from_str(&definition).map_err(|error| EngineError::Corrupt {
                    found: format!(
                        "a table definition in database {database} that cannot be read: {error}"
                    ),
                })?;
            let found = format!("table {} in the unknown database {database}", table.name);
            let database = databases
                .get_mut(&database)
                .ok_or(EngineError::Corrupt { found })?;
            database.tables.insert(table.name.clone(), Arc::new(table));
        }
        catalog.databases = databases
            .into_iter()
            .map(|(name, entry)| (name, Arc::new(entry)))
            .collect();
        Ok(catalog)
    }

    fn pairs(&self, sql: &str) -> Result<Vec<(String, String)>, EngineError> {
        let failed = |source| EngineError::Sqlite {
            doing: "read the catalogue",
            source,
        };
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// The version of the catalogue in the snapshot that the connection sees.
    pub(crate) fn catalog_version(&self) -> Result<u64, EngineError> {
        self.meta("catalog_version")
    }

    pub(crate) fn set_catalog_version(&self, version: u64) -> Result<(), EngineError> {
        self.set_meta("catalog_version", version)
    }

    /// An id that no table has had.
    pub(crate) fn new_table_id(&self) -> Result<TableId, EngineError> {
        let id = self.meta("next_table_id")?;
        self.set_meta("next_table_id", id + 1)?;
        Ok(TableId(id))
    }

    /// Tables get ids behind this one.
    pub(crate) fn use_ids_behind(&self, last: TableId) -> Result<(), EngineError> {
        self.set_meta("next_table_id", last.0.saturating_add(1))
    }

    fn meta(&self, name: &str) -> Result<u64, EngineError> {
        let failed = |source| EngineError::Sqlite {
            doing: "read weir_meta",
            source,
        };
        let sql = "SELECT value FROM weir_meta WHERE name = ?1";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let value: i64 = statement
            .query_row([name], |row| row.get(0))
            .map_err(failed)?;
        u64::try_from(value).map_err(|_| EngineError::Corrupt {
            found: format!("{name} = {value}"),
        })
    }

    fn set_meta(&self, name: &str, value: u64) -> Result<(), EngineError> {
        self.write(
            "UPDATE weir_meta SET value = ?2 WHERE name = ?1",
            params![name, to_i64(value)],
        )
    }

    pub(crate) fn save_database(
        &self,
        name: &str,
        collation: &Collation,
    ) -> Result<(), EngineError> {
        self.write(
            "REPLACE INTO weir_database VALUES (?1, ?2)",
            params![name, collation.name],
        )
    }

    pub(crate) fn delete_database(&self, name: &str) -> Result<(), EngineError> {
        for unkept in Unkept::ALL {
            let delete = format!("DELETE FROM {} WHERE database = ?1", unkept.table());
            self.write(&delete, params![name])?;
        }
        self.write("DELETE FROM weir_database WHERE name = ?1", params![name])
    }

    /// Notes the name of what is not kept.
    pub(crate) fn save_unkept(
        &self,
        unkept: Unkept,
        database: &str,
        name: &str,
    ) -> Result<(), EngineError> {
        // CREATE VIEW IF NOT EXISTS makes none where a table has the name.
        let table = unkept.table();
        let insert = format!(
            "REPLACE INTO {table} SELECT ?1, ?2 WHERE NOT EXISTS \
             (SELECT 1 FROM weir_table WHERE database = ?1 AND name = ?2)"
        );
        self.write(&insert, params![database, name])
    }

    /// All names of a kind of what is not kept, with their databases.
    pub(crate) fn unkept(&self, unkept: Unkept) -> Result<Vec<(String, String)>, EngineError> {
        let table = unkept.table();
        self.pairs(&format!(
            "SELECT database, name FROM {table} ORDER BY database, name"
        ))
    }

    pub(crate) fn delete_unkept(
        &self,
        unkept: Unkept,
        database: &str,
        name: &str,
    ) -> Result<(), EngineError> {
        let table = unkept.table();
        let delete = format!("DELETE FROM {table} WHERE database = ?1 AND name = ?2");
        self.write(&delete, params![database, name])
    }

    pub(crate) fn has_unkept(
        &self,
        unkept: Unkept,
        database: &str,
        name: &str,
    ) -> Result<bool, EngineError> {
        let failed = |source| EngineError::Sqlite {
            doing: "read the names of what is not kept",
            source,
        };
        let table = unkept.table();
        let select = format!("SELECT 1 FROM {table} WHERE database = ?1 AND name = ?2");
        let mut statement = self.connection.prepare_cached(&select).map_err(failed)?;
        statement.exists(params![database, name]).map_err(failed)
    }

    pub(crate) fn save_table(&self, table: &Table) -> Result<(), EngineError> {
        let definition = serde_json::to_string(table).map_err(|error| EngineError::Corrupt {
            found: format!("a table definition: {error}"),
        })?;
        // Where a table has the name, nothing else has it any more.
        for unkept in Unkept::ALL {
            self.delete_unkept(unkept, &table.database, &table.name)?;
        }
        self.write(
            "REPLACE INTO weir_table VALUES (?1, ?2, ?3, ?4)",
            params![to_i64(table.id.0), table.database, table.name, definition],
        )
    }

    pub(crate) fn delete_table(&self, id: TableId) -> Result<(), EngineError> {
        self.write(
            "DELETE FROM weir_counter WHERE id = ?1",
            params![to_i64(id.0)],
        )?;
        self.write(
            "DELETE FROM weir_table WHERE id = ?1",
            params![to_i64(id.0)],
        )
    }

    pub(crate) fn save_counter(&self, table: TableId, next: u64) -> Result<(), EngineError> {
        // Stored as the same 64 bits: a counter may reach 2^64 - 1.
        let bits = i64::from_ne_bytes(next.to_ne_bytes());
        self.write(
            "REPLACE INTO weir_counter VALUES (?1, ?2)",
            params![to_i64(table.0), bits],
        )
    }

    pub(crate) fn counters(&self) -> Result<Vec<(TableId, u64)>, EngineError> {
        let failed = |source| EngineError::Sqlite {
            doing: "read the counters",
            source,
        };
        let mut statement = self
            .connection
            .prepare("SELECT id, next FROM weir_counter")
            .map_err(failed)?;
        let rows =
            statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let counter = |row: rusqlite::Result<(i64, i64)>| {
            let (id, next) = row.map_err(failed)?;
            Ok((
                TableId(id.unsigned_abs()),
                u64::from_ne_bytes(next.to_ne_bytes()),
            ))
        };
        rows.map_err(failed)?.map(counter).collect()
    }

    pub(crate) fn position(&self) -> Result<EnginePosition, EngineError> {
        let failed = |source| EngineError::Sqlite {
            doing: "read its position",
            source,
        };
        let sql = "SELECT file, offset, gtid_executed FROM weir_position";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let position = statement.query_row([], |row| {
            let offset = row.get::<_, i64>(1)?.unsigned_abs();
            Ok(EnginePosition {
                file: row.get(0)?,
                offset,
                gtid_executed: row.get(2)?,
            })
        });
        position.map_err(failed)
    }

    pub(crate) fn save_position(&self, position: &EnginePosition) -> Result<(), EngineError> {
        self.write(
            "UPDATE weir_position SET file = ?1, offset = ?2, gtid_executed = ?3",
            params![
                position.file,
                to_i64(position.offset),
                position.gtid_executed
            ],
        )
    }

    fn write(&self, sql: &str, parameters: &[&dyn ToSql]) -> Result<(), EngineError> {
        let failed = |source| EngineError::Sqlite {
            doing: "write its own tables",
            source,
        };
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        statement.execute(parameters).map_err(failed)?;
        Ok(())
    }
}

/// Ids and offsets stay far below 2^63.
fn to_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
