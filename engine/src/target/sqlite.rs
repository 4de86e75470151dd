//! `SqliteTarget`: the embedded engine as a target.
//!
//! A commit of the target is a group of the engine's writer; a source transaction is a savepoint in
//! it. The applied position lies in the same file and is written in the same SQLite transaction.

use super::{AppliedPosition, RowsChange, StatementChange, StatementOutcome, Target, TargetError};
use crate::apply::{ApplyError, DdlStatement, RowCheck};
use crate::database::Database;
use crate::error::EngineError;
use crate::execute::Writer;
use sql::error::SqlError;

/// Savepoint of the open source transaction.
const TRANSACTION: &str = "source transaction";

/// The embedded engine as a target.
pub struct SqliteTarget {
    database: Database,
    writer: Writer,
    channel: String,
}

impl SqliteTarget {
    /// A target for one replication channel (the default channel is the empty name). It holds the
    /// database's writer.
    pub fn new(database: &Database, channel: &str) -> Result<SqliteTarget, EngineError> {
        Ok(SqliteTarget {
            database: database.clone(),
            writer: Writer::open(database)?,
            channel: channel.to_owned(),
        })
    }

    /// Forgets what was applied, so that [`Target::recover`] finds a new target; the rows stay.
    pub fn forget(&mut self) -> Result<(), TargetError> {
        Ok(self.writer.forget_applied(&self.channel)?)
    }

    fn require_group(&self) -> Result<(), TargetError> {
        if self.writer.is_in_group() {
            return Ok(());
        }
        Err(EngineError::Misuse {
            what: "a target's transaction needs begin",
        }
        .into())
    }
}

impl Target for SqliteTarget {
    fn recover(&mut self) -> Result<AppliedPosition, TargetError> {
        Ok(self.writer.applied(&self.channel)?.unwrap_or_default())
    }

    fn begin(&mut self) -> Result<(), TargetError> {
        Ok(self.writer.begin_group()?)
    }

    fn begin_transaction(&mut self) -> Result<(), TargetError> {
        self.require_group()?;
        Ok(self.writer.savepoint(TRANSACTION)?)
    }

    fn rows(&mut self, change: &RowsChange<'_>) -> Result<u64, TargetError> {
        self.require_group()?;
        Ok(self
            .writer
            .apply_rows(change.database, change.map, change.rows, RowCheck::Key)?)
    }

    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError> {
        self.require_group()?;
        let StatementChange {
            database,
            sql,
            status,
            now_micros,
            server_version,
        } = *change;
        let statement = DdlStatement::new(database, sql, status, now_micros, server_version);
        Ok(self.writer.apply_ddl(&statement)?)
    }

    fn end_transaction(&mut self) -> Result<(), TargetError> {
        Ok(self.writer.release(TRANSACTION)?)
    }

    fn rollback_transaction(&mut self) -> Result<(), TargetError> {
        self.writer.rollback_to(TRANSACTION)?;
        Ok(self.writer.release(TRANSACTION)?)
    }

    fn commit(&mut self, position: &AppliedPosition) -> Result<(), TargetError> {
        Ok(self.writer.commit_applied(&self.channel, position)?)
    }

    /// What a checkpoint did not move, because a reader still needs the older pages, it may not have
    /// synced either.
    fn make_durable(&mut self) -> Result<bool, TargetError> {
        Ok(self.database.checkpoint()?.durable.is_some())
    }

    fn rollback(&mut self) -> Result<(), TargetError> {
        Ok(self.writer.rollback_group()?)
    }
}

impl From<ApplyError> for TargetError {
    /// The whole of MySQL's text, to which the applier adds the place in the log.
    fn from(error: ApplyError) -> TargetError {
        let (code, text) = (error.code(), error.to_string());
        let sql = |state| SqlError::new(code, state, text);
        match error {
            ApplyError::Conflict { .. } | ApplyError::BeforeImage { .. } => {
                TargetError::Conflict(sql("HY000"))
            }
            ApplyError::Incompatible { error } => TargetError::Unsupported(error),
            ApplyError::Statement { error, .. } if error.code == 1235 => {
                TargetError::Unsupported(sql("42000"))
            }
            ApplyError::Statement { error, .. } => TargetError::Sql(sql(error.state)),
            ApplyError::Corrupt(_) => TargetError::Unsupported(sql("HY000")),
            ApplyError::Engine(error) => TargetError::Engine(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::EngineOptions;
    use crate::target::conformance::{self, Bench};

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
        type Target = SqliteTarget;

        fn open(&mut self) -> SqliteTarget {
            SqliteTarget::new(&self.database(), "").unwrap()
        }

        fn rows(&mut self, database: &str, table: &str) -> Option<Vec<String>> {
            conformance::engine_rows(&self.database(), database, table)
        }
    }

    #[test]
    fn the_embedded_engine_is_a_target() {
        conformance::check(&mut Sqlite {
            directory: tempfile::tempdir().unwrap(),
        });
    }
}
