//! The session's transaction: begin, commit, roll back, savepoints.
//!
//! ```text
//! none -> open (BEGIN, or autocommit=0 and a statement)
//! open -> reading from a snapshot (first SELECT, isolation REPEATABLE READ and above)
//!      -> at the executor (first write): from then on every statement goes there
//! any  -> none (COMMIT, ROLLBACK, DDL, errors that end transactions)
//! ```

use engine::database::{Reader, TableSet};
use engine::outcome::Outcome;
use sql::ast::TransactionCharacteristic;
use sql::error::SqlError;

use super::{ReadLock, Session};
use crate::variables::VariableValue;

/// State of the session's transaction.
#[derive(Default)]
pub(super) struct Transaction {
    /// BEGIN was said, or a statement ran with autocommit=0.
    is_open: bool,
    /// The executor holds a part of it.
    pub(super) is_at_executor: bool,
    /// START TRANSACTION READ ONLY, or the variable said so.
    pub(super) is_read_only: bool,
    /// The reader that holds its snapshot.
    pub(super) snapshot: Option<Reader>,
    /// Savepoints, oldest first, and whether the executor knows them.
    savepoints: Vec<(String, bool)>,
    /// SET TRANSACTION without scope, for the next one.
    next_isolation: Option<&'static str>,
    next_read_only: Option<bool>,
    isolation: Option<&'static str>,
}

impl Transaction {
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Back to none; the snapshot was given back before.
    pub(super) fn reset(&mut self) {
        *self = Self {
            next_isolation: self.next_isolation.take(),
            next_read_only: self.next_read_only.take(),
            ..Self::default()
        };
    }
}

impl Session {
    pub(super) fn is_autocommit(&self) -> bool {
        self.variables
            .get("autocommit")
            .is_none_or(|value| value.is_on())
    }

    /// Whether a statement now belongs to a transaction that COMMIT ends.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.transaction.is_open || !self.is_autocommit()
    }

    /// Notes that a statement touches data: with autocommit=0 that opens a transaction.
    pub(super) fn open_implicitly(&mut self) {
        if !self.transaction.is_open && !self.is_autocommit() {
            self.open_transaction(None);
        }
    }

    fn open_transaction(&mut self, read_only: Option<bool>) {
        let next = self.next_is_read_only();
        self.transaction.next_read_only = None;
        self.transaction.is_read_only = read_only.unwrap_or(next);
        self.transaction.isolation = self.transaction.next_isolation.take();
        self.transaction.is_open = true;
        self.context.changed_tables.clear();
    }

    /// Whether a transaction that begins now may not write unless it says so itself.
    fn next_is_read_only(&self) -> bool {
        self.transaction.next_read_only.unwrap_or_else(|| {
            self.variables
                .get("transaction_read_only")
                .is_some_and(|value| value.is_on())
        })
    }

    /// Whether the transaction may not write; where none is open, the one that a statement would be.
    pub(super) fn is_read_only(&self) -> bool {
        match self.transaction.is_open {
            true => self.transaction.is_read_only,
            false => self.next_is_read_only(),
        }
    }

    /// What SET TRANSACTION said was for the transaction that has ended.
    pub(super) const fn forget_next(&mut self) {
        self.transaction.next_read_only = None;
        self.transaction.next_isolation = None;
    }

    /// The isolation level of the transaction, or of the next one.
    fn isolation(&self) -> Option<String> {
        self.transaction.isolation.map(str::to_owned).or_else(|| {
            match self.variables.get("transaction_isolation") {
                Some(VariableValue::Text(level)) => Some(level),
                _ => None,
            }
        })
    }

    /// Whether the transaction's reads are of one moment.
    pub(super) fn reads_one_snapshot(&self) -> bool {
        !matches!(
            self.isolation().as_deref(),
            Some("READ-COMMITTED" | "READ-UNCOMMITTED")
        )
    }

    /// Whether the transaction's reads lock. Where nobody writes there is nothing to lock.
    pub(super) fn is_serializable(&self) -> bool {
        self.isolation().as_deref() == Some("SERIALIZABLE")
            && !self.node.variables.is_on("super_read_only")
    }

    pub(super) async fn begin_transaction(
        &mut self,
        consistent_snapshot: bool,
        read_only: Option<bool>,
    ) -> Result<Outcome, SqlError> {
        self.commit().await?;
        if matches!(
            self.read_lock,
            Some((ReadLock::Tables | ReadLock::Others, _))
        ) {
            self.read_lock = None;
        }
        self.open_transaction(read_only);
        if consistent_snapshot && self.reads_one_snapshot() {
            let mut reader = self.node.readers.take()?;
            reader.begin_snapshot()?;
            self.transaction.snapshot = Some(reader);
        }
        Ok(Outcome::done())
    }

    /// Commits what is open; nothing if nothing is.
    pub(super) async fn commit(&mut self) -> Result<(), SqlError> {
        self.finish_commit(self.transaction.is_open).await
    }

    /// Commits; `uses_gtid`: this is the end of the transaction that `gtid_next` is for.
    async fn finish_commit(&mut self, uses_gtid: bool) -> Result<(), SqlError> {
        self.release_reader();
        let at_executor = self.transaction.is_at_executor;
        self.transaction.reset();
        let executor = &self.node.executor;
        let result = if at_executor {
            executor.commit(self.context.connection_id).await
        } else if uses_gtid && self.gtid_next.owned().is_some() {
            self.commit_empty().await
        } else {
            Ok(())
        };
        if uses_gtid {
            self.use_gtid_next();
        }
        result
    }

    /// Rolls back what is open; nothing if nothing is.
    pub(super) async fn roll_back(&mut self) -> Result<(), SqlError> {
        self.release_reader();
        let at_executor = self.transaction.is_at_executor;
        let was_open = self.transaction.is_open;
        self.transaction.reset();
        let mut result = Ok(());
        if at_executor {
            let id = self.context.connection_id;
            result = self.node.executor.rollback(id).await;
        }
        if was_open {
            self.use_gtid_next();
        }
        result
    }

    pub(super) async fn end_transaction(
        &mut self,
        commit: bool,
        chain: bool,
        release: bool,
    ) -> Result<Outcome, SqlError> {
        let (read_only, isolation) = (self.transaction.is_read_only, self.transaction.isolation);
        if commit {
            self.finish_commit(true).await?;
        } else {
            self.roll_back().await?;
            self.use_gtid_next();
        }
        self.forget_next();
        if chain {
            self.open_transaction(Some(read_only));
            self.transaction.isolation = isolation;
        }
        self.is_closing = release;
        Ok(Outcome::done())
    }

    pub(super) const fn is_at_executor(&self) -> bool {
        self.transaction.is_at_executor
    }

    /// The reader that holds the transaction's snapshot, for one statement.
    pub(super) const fn take_snapshot(&mut self) -> Option<Reader> {
        self.transaction.snapshot.take()
    }

    pub(super) fn keep_snapshot(&mut self, reader: Reader) {
        self.transaction.snapshot = Some(reader);
    }

    /// Gives the snapshot's reader back.
    pub(super) fn release_reader(&mut self) {
        if let Some(reader) = self.transaction.snapshot.take() {
            self.node.readers.give_back(reader);
        }
    }

    /// The executor holds the transaction from here on. A snapshot that was read before is kept:
    /// what the transaction does not change itself it goes on reading there.
    pub(super) const fn moved_to_executor(&mut self) {
        self.transaction.is_at_executor = true;
    }

    pub(super) const fn has_snapshot(&self) -> bool {
        self.transaction.snapshot.is_some()
    }

    /// The tables that others have changed since the transaction's snapshot began. Nobody does any
    /// more once the executor holds the transaction.
    pub(super) fn changed_by_others(&self) -> TableSet {
        let snapshot = self.transaction.snapshot.as_ref();
        snapshot.map(Reader::changed_since).unwrap_or_default()
    }

    pub(super) async fn savepoint(&mut self, name: &str) -> Result<Outcome, SqlError> {
        self.open_implicitly();
        if !self.transaction.is_open {
            return Ok(Outcome::done());
        }
        let at_executor = self.transaction.is_at_executor;
        if at_executor {
            self.node
                .executor
                .savepoint(self.context.connection_id, name)
                .await?;
        }
        // A savepoint of the same name is replaced.
        self.transaction
            .savepoints
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.transaction
            .savepoints
            .push((name.to_owned(), at_executor));
        Ok(Outcome::done())
    }

    fn find_savepoint(&self, name: &str) -> Result<(usize, bool), SqlError> {
        let known = self.transaction.savepoints.iter().enumerate();
        known
            .filter(|(_, (known, _))| known.eq_ignore_ascii_case(name))
            .map(|(index, (_, at_executor))| (index, *at_executor))
            .next_back()
            .ok_or_else(|| SqlError::sp_does_not_exist("SAVEPOINT", name))
    }

    pub(super) async fn roll_back_to(&mut self, name: &str) -> Result<Outcome, SqlError> {
        let (index, at_executor) = self.find_savepoint(name)?;
        let id = self.context.connection_id;
        if at_executor {
            self.node.executor.rollback_to_savepoint(id, name).await?;
        } else if std::mem::take(&mut self.transaction.is_at_executor) {
            // Everything written is younger than the savepoint.
            self.node.executor.rollback(id).await?;
        }
        self.transaction.savepoints.truncate(index + 1);
        Ok(Outcome::done())
    }

    pub(super) async fn release_savepoint(&mut self, name: &str) -> Result<Outcome, SqlError> {
        let (index, at_executor) = self.find_savepoint(name)?;
        if at_executor {
            self.node
                .executor
                .release_savepoint(self.context.connection_id, name)
                .await?;
        }
        self.transaction.savepoints.truncate(index);
        Ok(Outcome::done())
    }

    /// SET TRANSACTION without scope.
    pub(super) fn characterise_next(
        &mut self,
        characteristics: &[TransactionCharacteristic],
    ) -> Result<(), SqlError> {
        if self.transaction.is_open {
            let text = "Transaction characteristics can't be changed while a transaction is in \
                        progress";
            return Err(SqlError::new(1568, "25001", text));
        }
        for characteristic in characteristics {
            match characteristic {
                TransactionCharacteristic::Isolation(level) => {
                    self.transaction.next_isolation = Some(level);
                }
                TransactionCharacteristic::ReadOnly(only) => {
                    self.transaction.next_read_only = Some(*only);
                }
            }
        }
        Ok(())
    }
}
