//! The applier's own tables, in schema `weir`: what is applied, how tables look on the source at that
//! place, and what a source has prepared. They change in the transaction that applies.

use binlog::event::XaName;
use binlog::log::{LogFileName, LogPosition, SourceCoordinates};
use binlog::transaction::Executed;
use engine::catalog::Catalog;
use engine::tracker::{Definitions, KeptName, Tracker};
use sql::error::SqlError;

use super::link::Link;
use super::names::literal;
use crate::{Applied, TargetError};

/// Bytes of a prepared piece in one row.
const PART_MAX: usize = 4 << 20;

const TABLES: &str = "CREATE SCHEMA IF NOT EXISTS weir; \
    CREATE TABLE IF NOT EXISTS weir.applied (channel text PRIMARY KEY, mysql_executed text NOT NULL, \
    mariadb_executed text NOT NULL, source_file text, source_offset numeric(20), relay_file text, \
    relay_offset numeric(20)); \
    CREATE TABLE IF NOT EXISTS weir.source_database (channel text, name text, collation_name text NOT \
    NULL, PRIMARY KEY (channel, name)); \
    CREATE TABLE IF NOT EXISTS weir.source_table (channel text, id bigint, database_name text NOT NULL, \
    table_name text NOT NULL, definition text NOT NULL, PRIMARY KEY (channel, id)); \
    CREATE TABLE IF NOT EXISTS weir.source_name (channel text, kind text, database_name text, name text, \
    PRIMARY KEY (channel, kind, database_name, name)); \
    CREATE TABLE IF NOT EXISTS weir.prepared (channel text, name text, number bigint, part bigint, \
    events bytea NOT NULL, PRIMARY KEY (channel, name, number, part))";

/// The rows of one channel.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    channel: String,
}

impl Marks {
    pub(super) fn new(channel: &str) -> Self {
        Self {
            channel: channel.to_owned(),
        }
    }

    /// Makes the tables, if they are not there.
    pub(super) fn create(&self, link: &mut Link) -> Result<(), TargetError> {
        let is_there = "SELECT to_regclass('weir.prepared')::text";
        if link.scalar(is_there, &[])?.is_some() {
            return Ok(());
        }
        // Two appliers that begin at once must not both make them.
        link.run(&format!(
            "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('weir', 0)); {TABLES}; {}; COMMIT",
            super::promotion::FUNCTION
        ))?;
        Ok(())
    }

    /// Keeps other appliers of the channel out for as long as the connection lasts, and waits for a commit
    /// that is under way on one that was lost.
    pub(super) fn fence(&self, link: &mut Link) -> Result<(), TargetError> {
        let lock = format!(
            "SET lock_timeout = '5s'; SELECT pg_advisory_lock(hashtextextended({}, 0)); SET lock_timeout = '50s'",
            literal(&format!("weir/{}", self.channel))
        );
        link.run(&lock).map(drop).map_err(|error| match error {
            TargetError::Retry(error) if error.code == 1205 => {
                let text = "another applier of the channel is connected to the PostgreSQL target";
                TargetError::Retry(SqlError::new(1205, "HY000", text))
            }
            other => other,
        })
    }

    /// Lets others of the channel in.
    pub(super) fn release(&self, link: &mut Link) -> Result<(), TargetError> {
        link.run(&format!(
            "SELECT pg_advisory_unlock(hashtextextended({}, 0))",
            literal(&format!("weir/{}", self.channel))
        ))
        .map(drop)
    }

    /// What is applied; `None` if the row, or the table, is not there.
    pub(super) fn read(&self, link: &mut Link) -> Result<Option<Applied>, TargetError> {
        let is_there = "SELECT to_regclass('weir.applied')::text";
        if link.scalar(is_there, &[])?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT mysql_executed, mariadb_executed, source_file, source_offset::text, \
                   relay_file, relay_offset::text FROM weir.applied WHERE channel = $1";
        let rows = link.ask(sql, &[Some(self.channel.clone())])?;
        rows.first().map(|row| applied(row)).transpose()
    }

    /// The statement that puts a row in the place of the one that is there.
    pub(super) fn replace(&self, applied: &Applied) -> String {
        let place = |place: Option<(&str, u64)>| match place {
            Some((file, offset)) => format!("{}, {offset}", literal(file)),
            None => "NULL, NULL".to_owned(),
        };
        let source = applied.source.as_ref();
        let relay = applied.relay.as_ref();
        format!(
            "INSERT INTO weir.applied VALUES ({}, '{}', '{}', {}, {}) ON CONFLICT (channel) DO UPDATE SET \
             mysql_executed = excluded.mysql_executed, mariadb_executed = excluded.mariadb_executed, \
             source_file = excluded.source_file, source_offset = excluded.source_offset, \
             relay_file = excluded.relay_file, relay_offset = excluded.relay_offset",
            literal(&self.channel),
            applied.executed.mysql,
            applied.executed.mariadb,
            place(source.map(|place| (place.file.as_str(), place.offset))),
            place(relay.map(|place| (place.file.as_str(), place.offset))),
        )
    }

    /// The definitions that are kept.
    pub(super) fn definitions(&self, link: &mut Link) -> Result<Definitions, TargetError> {
        let channel = [Some(self.channel.clone())];
        let mut ask = |sql: &str| link.ask(sql, &channel);
        let cell =
            |row: &[Option<String>], at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        let databases =
            ask("SELECT name, collation_name FROM weir.source_database WHERE channel = $1")?;
        let tables =
            ask("SELECT definition FROM weir.source_table WHERE channel = $1 ORDER BY id")?;
        let names =
            ask("SELECT kind, database_name, name FROM weir.source_name WHERE channel = $1")?;
        Ok(Definitions {
            databases: databases
                .iter()
                .map(|row| (cell(row, 0), cell(row, 1)))
                .collect(),
            tables: tables.iter().map(|row| cell(row, 0)).collect(),
            names: names
                .iter()
                .map(|row| (cell(row, 0), cell(row, 1), cell(row, 2)))
                .collect(),
        })
    }

    /// The statements that keep what is different between two catalogues.
    pub(super) fn keep_definitions(
        &self,
        before: &Catalog,
        after: &Catalog,
    ) -> Result<Vec<String>, TargetError> {
        let channel = literal(&self.channel);
        let mut statements = Vec::new();
        for (name, database) in &before.databases {
            if !after.databases.contains_key(name) {
                statements.push(format!(
                    "DELETE FROM weir.source_database WHERE channel = {channel} AND name = {}",
                    literal(&database.name)
                ));
            }
        }
        for (name, database) in &after.databases {
            let known = before.databases.get(name);
            if known.is_none_or(|known| known.collation.name != database.collation.name) {
                statements.push(format!(
                    "INSERT INTO weir.source_database VALUES ({channel}, {}, {}) ON CONFLICT (channel, name) \
                     DO UPDATE SET collation_name = excluded.collation_name",
                    literal(name),
                    literal(database.collation.name)
                ));
            }
        }
        for table in before.tables() {
            if after.tables().all(|kept| kept.id != table.id) {
                statements.push(format!(
                    "DELETE FROM weir.source_table WHERE channel = {channel} AND id = {}",
                    table.id.0
                ));
            }
        }
        for table in after.tables() {
            if before.tables().any(|known| known == table) {
                continue;
            }
            statements.push(format!(
                "INSERT INTO weir.source_table VALUES ({channel}, {}, {}, {}, {}) ON CONFLICT (channel, id) \
                 DO UPDATE SET database_name = excluded.database_name, table_name = excluded.table_name, \
                 definition = excluded.definition",
                table.id.0,
                literal(&table.database),
                literal(&table.name),
                literal(&Tracker::text(table)?)
            ));
        }
        Ok(statements)
    }

    /// The statements that keep these names of views and sequences, and no others.
    pub(super) fn keep_names(&self, names: &[KeptName]) -> Vec<String> {
        let channel = literal(&self.channel);
        let mut statements = vec![format!(
            "DELETE FROM weir.source_name WHERE channel = {channel}"
        )];
        statements.extend(names.iter().map(|(kind, database, name)| {
            format!(
                "INSERT INTO weir.source_name VALUES ({channel}, {}, {}, {})",
                literal(kind),
                literal(database),
                literal(name)
            )
        }));
        statements
    }

    /// Keeps a piece of the log that is prepared.
    pub(super) fn keep(
        &self,
        link: &mut Link,
        name: &XaName,
        number: u32,
        piece: &[u8],
    ) -> Result<(), TargetError> {
        if number == 0 {
            self.forget(link, name)?;
        }
        let (channel, name) = (literal(&self.channel), literal(name.as_str()));
        let parts = piece.chunks(PART_MAX).enumerate();
        for (part, bytes) in parts {
            let sql = format!(
                "INSERT INTO weir.prepared VALUES ({channel}, {name}, {number}, {part}, $1)"
            );
            link.execute_bytes(&sql, bytes)?;
        }
        Ok(())
    }

    /// A piece; `None` if there is none of that number.
    pub(super) fn kept(
        &self,
        link: &mut Link,
        name: &XaName,
        number: u32,
    ) -> Result<Option<Vec<u8>>, TargetError> {
        let (channel, name) = (literal(&self.channel), literal(name.as_str()));
        let parts = link.ask_bytes(&format!(
            "SELECT events FROM weir.prepared WHERE channel = {channel} AND name = {name} AND \
             number = {number} ORDER BY part"
        ))?;
        Ok((!parts.is_empty()).then(|| parts.concat()))
    }

    /// Keeps nothing under a name any more.
    pub(super) fn forget(&self, link: &mut Link, name: &XaName) -> Result<(), TargetError> {
        let (channel, name) = (literal(&self.channel), literal(name.as_str()));
        let sql = format!("DELETE FROM weir.prepared WHERE channel = {channel} AND name = {name}");
        link.run(&sql).map(drop)
    }
}

fn applied(row: &[Option<String>]) -> Result<Applied, TargetError> {
    let cell = |at: usize| row.get(at).cloned().flatten();
    let damaged = |what: &str| {
        let text = format!("weir.applied of the PostgreSQL target holds a damaged {what}");
        TargetError::Corrupt(SqlError::new(1872, "HY000", text))
    };
    let place = |at: usize, what| -> Result<_, TargetError> {
        let (Some(file), Some(offset)) = (cell(at), cell(at + 1)) else {
            return Ok(None);
        };
        let offset = offset.parse().map_err(|_| damaged(what))?;
        Ok(Some(SourceCoordinates { file, offset }))
    };
    let mysql = cell(0).unwrap_or_default().parse();
    let mariadb = cell(1).unwrap_or_default().parse();
    let relay = place(4, "position in the relay log")?.map(|place| {
        let file = LogFileName::parse(&place.file);
        let file = file.ok_or_else(|| damaged("name of a relay log"))?;
        Ok::<_, TargetError>(LogPosition::new(file, place.offset))
    });
    Ok(Applied {
        executed: Executed {
            mysql: mysql.map_err(|_| damaged("GTID set"))?,
            mariadb: mariadb.map_err(|_| damaged("MariaDB GTID position"))?,
        },
        source: place(2, "position in the source's log")?,
        relay: relay.transpose()?,
    })
}
