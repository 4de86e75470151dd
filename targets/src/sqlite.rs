//! `SqliteStore`: the embedded engine as a target.
//!
//! A commit is a group of the engine's writer; a unit is a savepoint in it, made at its first change.
//! What was applied lies in the same file and is written in the same SQLite transaction.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use binlog::event::XaName;
use binlog::row::Column;
use engine::apply::{
    AppliedRows, ApplyError, DdlStatement, HISTORY, Resolution, Resolved, RowRules, Rule,
    SEQUENCE_ROWS,
};
use engine::database::{Applied, Database, Mark};
use engine::error::EngineError;
use engine::execute::Writer;
use engine::image::table_map;

use super::{
    Ending, RowsChange, RowsOutcome, Session, StatementChange, StatementOutcome, Store,
    TargetError, Traits, UnitHead,
};

/// Savepoint of the open unit.
const UNIT: &str = "source transaction";

/// The embedded engine as a target. It holds the database's writer.
pub struct SqliteStore {
    database: Database,
    channel: Arc<str>,
    writer: Slot,
}

/// Where the writer is while no session has it.
type Slot = Arc<Mutex<Option<Writer>>>;

fn lock(slot: &Slot) -> MutexGuard<'_, Option<Writer>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SqliteStore {
    /// A target for one replication channel (the default channel is the empty name).
    ///
    /// # Errors
    /// When somebody else has the database's writer.
    pub fn new(database: &Database, channel: &str) -> Result<Self, EngineError> {
        Ok(Self {
            database: database.clone(),
            channel: channel.into(),
            writer: Arc::new(Mutex::new(Some(Writer::open(database)?))),
        })
    }

    fn take(&self) -> Result<SqliteSession, TargetError> {
        let writer = lock(&self.writer).take();
        let writer =
            writer.ok_or_else(|| TargetError::misuse("the target has one session only"))?;
        Ok(SqliteSession {
            writer: Some(writer),
            slot: Arc::clone(&self.writer),
            channel: Arc::clone(&self.channel),
            unit: Unit::None,
            rules: Arc::default(),
        })
    }
}

impl Store for SqliteStore {
    fn traits(&self) -> Traits {
        Traits {
            sessions_max: 1,
            batches_units: true,
            undoes_units: true,
            keeps_gtids: false,
            commits_ddl: false,
            merges_rows: false,
            runs_statements: false,
            runs_xa: false,
            system_tables: None,
        }
    }

    fn recover(&self) -> Result<Applied, TargetError> {
        Ok(self.database.applied(&self.channel)?.unwrap_or_default())
    }

    fn session(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(Box::new(self.take()?))
    }

    fn session_beside(&self) -> Result<Box<dyn Session>, TargetError> {
        Err(TargetError::misuse("the target has one session only"))
    }

    fn replace(&self, applied: &Applied) -> Result<(), TargetError> {
        let mut session = self.take()?;
        let channel = Arc::clone(&self.channel);
        let writer = session.writer()?;
        writer.begin_group()?;
        Ok(writer.commit_replaced(&channel, applied)?)
    }

    /// What a checkpoint did not move, because a reader still needs the older pages, it may not have
    /// synced either.
    fn make_durable(&self) -> Result<bool, TargetError> {
        Ok(self.database.checkpoint()?.durable.is_some())
    }
}

/// What became of the open unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// There is none.
    None,
    /// Nothing of it has changed anything.
    Begun,
    /// Its savepoint is set.
    Changed,
}

/// The one session, with the writer.
struct SqliteSession {
    /// There until the session is dropped.
    writer: Option<Writer>,
    slot: Slot,
    channel: Arc<str>,
    unit: Unit,
    rules: Arc<RowRules>,
}

impl SqliteSession {
    fn writer(&mut self) -> Result<&mut Writer, TargetError> {
        let writer = self.writer.as_mut();
        writer.ok_or_else(|| TargetError::misuse("a session without its writer"))
    }

    /// The writer in the open unit, which is about to change something.
    fn changing(&mut self) -> Result<&mut Writer, TargetError> {
        match self.unit {
            Unit::None => return Err(TargetError::misuse("a change outside a unit")),
            Unit::Begun => {
                self.writer()?.savepoint(UNIT)?;
                self.unit = Unit::Changed;
            }
            Unit::Changed => {}
        }
        self.writer()
    }

    /// Keeps the open unit for the commit.
    fn keep_unit(&mut self) -> Result<(), TargetError> {
        match std::mem::replace(&mut self.unit, Unit::None) {
            Unit::None | Unit::Begun => Ok(()),
            Unit::Changed => Ok(self.writer()?.release(UNIT)?),
        }
    }
}

impl Session for SqliteSession {
    fn begin(&mut self, _first: &UnitHead) -> Result<(), TargetError> {
        Ok(self.writer()?.begin_group()?)
    }

    fn unit(&mut self, _head: &UnitHead) -> Result<(), TargetError> {
        self.keep_unit()?;
        if !self.writer()?.is_in_group() {
            return Err(TargetError::misuse("a unit outside a commit"));
        }
        self.unit = Unit::Begun;
        Ok(())
    }

    fn follow(&mut self, rules: &RowRules) -> Result<(), TargetError> {
        self.rules = Arc::new(rules.clone());
        Ok(())
    }

    fn known_columns(
        &mut self,
        database: &str,
        table: &str,
    ) -> Result<Vec<Column<'static>>, TargetError> {
        let catalog = self.writer()?.catalog();
        let table = catalog.find_table(database, table);
        Ok(table.map_or_else(Vec::new, |table| table_map(table, 0).columns))
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<RowsOutcome, TargetError> {
        let rules = Arc::clone(&self.rules);
        let writer = self.changing()?;
        let (database, map) = (change.database, change.map);
        if writer.has_sequence(database, &map.table)? {
            return Ok(RowsOutcome {
                applied: 0,
                not_kept: Some(SEQUENCE_ROWS),
                resolved: Vec::new(),
            });
        }
        let mut resolved = Vec::new();
        let applied = writer.apply_rows_by(database, map, change.rows, &rules, &mut resolved);
        let applied = match applied {
            // Nothing of the event was applied.
            Err(ApplyError::Incompatible { error }) if rules.skips.has(error.code) => {
                resolved.clear();
                resolved.push(Resolved {
                    rule: Rule::Skipped,
                    resolution: Resolution::PassedOver,
                    error,
                    key: "all rows of the event".to_owned(),
                });
                AppliedRows::default()
            }
            applied => applied?,
        };
        Ok(RowsOutcome {
            applied: applied.count,
            not_kept: (applied.history > 0).then_some(HISTORY),
            resolved,
        })
    }

    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        let statement = DdlStatement::new(
            change.database,
            &change.query.sql,
            &change.query.status,
            change.now_micros(),
            &change.logged.description.server_version,
        );
        Ok(self.changing()?.apply_ddl(&statement)?)
    }

    fn prepare(&mut self, name: &XaName, _is_one_phase: bool) -> Result<(), TargetError> {
        let what = format!("the engine has no XA transaction {name} to prepare");
        Err(TargetError::misuse(&what))
    }

    fn keep(&mut self, name: &XaName, number: u32, piece: &[u8]) -> Result<(), TargetError> {
        let channel = Arc::clone(&self.channel);
        let writer = self.changing()?;
        Ok(writer.keep_prepared(&channel, name.as_str(), number, piece)?)
    }

    fn kept(&mut self, name: &XaName, number: u32) -> Result<Option<Vec<u8>>, TargetError> {
        let channel = Arc::clone(&self.channel);
        let writer = self.writer()?;
        Ok(writer.kept_prepared(&channel, name.as_str(), number)?)
    }

    fn forget(&mut self, name: &XaName) -> Result<(), TargetError> {
        let channel = Arc::clone(&self.channel);
        Ok(self.changing()?.forget_prepared(&channel, name.as_str())?)
    }

    fn forget_tables(&mut self) {}

    fn units_committed(&self) -> usize {
        0
    }

    fn hand_over(&mut self) -> Result<Option<Box<dyn Ending>>, TargetError> {
        Ok(None)
    }

    fn ended(&mut self) -> Result<(), TargetError> {
        Err(TargetError::misuse("an end that was not handed over"))
    }

    fn flush(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn ready(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn is_full(&self) -> bool {
        false
    }

    fn undo_unit(&mut self) -> Result<(), TargetError> {
        match std::mem::replace(&mut self.unit, Unit::None) {
            Unit::None | Unit::Begun => Ok(()),
            Unit::Changed => {
                let writer = self.writer()?;
                writer.rollback_to(UNIT)?;
                Ok(writer.release(UNIT)?)
            }
        }
    }

    fn commit(&mut self, mark: &Mark<'_>) -> Result<(), TargetError> {
        self.keep_unit()?;
        let channel = Arc::clone(&self.channel);
        Ok(self.writer()?.commit_applied(&channel, mark)?)
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        self.unit = Unit::None;
        Ok(self.writer()?.rollback_group()?)
    }
}

impl Drop for SqliteSession {
    /// The writer goes back; a writer that cannot even undo is lost, and no session follows.
    fn drop(&mut self) {
        if let Some(mut writer) = self.writer.take()
            && (!writer.is_in_group() || writer.rollback_group().is_ok())
        {
            *lock(&self.slot) = Some(writer);
        }
    }
}

#[cfg(test)]
mod tests {
    use binlog::value::Value;
    use engine::database::EngineOptions;
    use engine::value::stored::column::decode_row;

    use super::*;
    use crate::conformance::{self, Bench};

    struct Sqlite {
        directory: tempfile::TempDir,
    }

    impl Sqlite {
        fn database(&self) -> Database {
            let path = self.directory.path().join("weir.db");
            Database::open(&path, EngineOptions::default()).unwrap()
        }
    }

    impl Bench for Sqlite {
        type Store = SqliteStore;

        fn open(&mut self) -> SqliteStore {
            SqliteStore::new(&self.database(), "").unwrap()
        }

        fn rows(&mut self, database: &str, table: &str) -> Option<Vec<String>> {
            let mut reader = self.database().reader().unwrap();
            let rows = reader.read(|connection, catalog| {
                let Some(table) = catalog.find_table(database, table) else {
                    return Ok(None);
                };
                let columns = table.columns.iter().map(|column| column.sqlite_name());
                let columns: Vec<String> = columns.collect();
                let sql = format!("SELECT {} FROM {}", columns.join(","), table.sqlite_name());
                let mut statement = connection.prepare(&sql).unwrap();
                let mut rows = statement.query([]).unwrap();
                let mut texts = Vec::new();
                while let Some(row) = rows.next().unwrap() {
                    let values = decode_row(table, row, 0)?;
                    texts.push(values.iter().map(shown).collect::<Vec<_>>().join("|"));
                }
                texts.sort();
                Ok::<_, EngineError>(Some(texts))
            });
            rows.unwrap()
        }
    }

    fn shown(value: &Value<'_>) -> String {
        match value {
            Value::Null => "NULL".to_owned(),
            Value::Int(value) => value.to_string(),
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Value::Json(binary) => binlog::value::json::to_text(binary).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_embedded_engine_is_a_target() {
        conformance::check(&mut Sqlite {
            directory: tempfile::tempdir().unwrap(),
        });
    }
}
