//! Rows that a server keeps and logs when it applies them, under the GTID of their transaction: what a
//! lost connection leaves of them, nobody can ask.

use sql::error::SqlError;

use super::MysqlSession;
use super::kept::mixed;
use crate::mysql::Truth;
use crate::{RowsChange, TargetError};

impl MysqlSession {
    /// Whether rows of a table that does not roll back wait to leave, under a GTID that the server keeps.
    pub(super) fn are_rows_alone(&self) -> bool {
        self.is_logged_alone && self.options.truth == Truth::Gtids && self.rows.len() > 0
    }

    /// Refuses a statement that would change something beside rows that do not roll back.
    pub(super) fn check_beside_alone(&self) -> Result<(), TargetError> {
        match self.is_logged_alone {
            true => Err(mixed()),
            false => Ok(()),
        }
    }

    /// Sends such rows, and waits for what becomes of them.
    pub(super) fn settle_alone(&mut self) -> Result<(), TargetError> {
        self.send_joined()?;
        // A connection that was lost before has taken none of them.
        self.pipe.scalar("SELECT 1")?;
        let done = self.send_rows().and_then(|()| self.pipe.drain());
        done.map_err(|error| self.in_doubt(error))
    }

    /// Takes such rows where each is tried by itself.
    pub(super) fn take_leniently_alone(
        &mut self,
        change: &RowsChange<'_>,
    ) -> Result<(), TargetError> {
        self.settle()?;
        self.pipe.scalar("SELECT 1")?;
        self.alone = (change.database.to_owned(), change.map.table.to_string());
        let taken = self.take_rows(change);
        taken.map_err(|error| self.in_doubt(error))?;
        self.is_logged_alone = true;
        Ok(())
    }

    /// What a failure of such rows is, if nobody answered for them.
    fn in_doubt(&self, error: TargetError) -> TargetError {
        if !error.is_unreachable() {
            return error;
        }
        let (database, table) = &self.alone;
        let (gtid, sql) = (self.head.gtid, error.sql());
        let text = format!(
            "{} (error {}), in the middle of rows of `{database}`.`{table}`, a table that does not roll \
             back there: a part of the transaction {gtid} may have been kept. Compare this table first; \
             then START REPLICA goes on behind the transaction if the target's gtid_executed has it, and \
             applies it again if not",
            sql.message, sql.code
        );
        // CR_SERVER_LOST
        TargetError::Config(SqlError::new(2013, "HY000", text))
    }
}
