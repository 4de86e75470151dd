//! Running statements: autocommitted ones into the open group, those of an interactive transaction
//! for its holder, DDL as a group of its own.

use std::sync::Arc;
use std::time::Instant;

use engine::error::EngineError;
use engine::outcome::Outcome;
use engine::rows::RowChange;
use engine::session::SessionContext;
use gtid::Gtid;
use server::executor::TransactionMode;
use sql::Statement;
use sql::ast::Ddl;
use sql::error::SqlError;
use tokio::sync::oneshot;

use super::commit::{Answer, Pending, logging_impossible};
use super::hold::{Hold, Holder};
use super::request::{Execute, Request, SavepointAction};
use super::thread::Pipeline;
use crate::error::PrimaryError;
use crate::transaction::Transaction;

impl Pipeline {
    /// Executes a statement, or lets it wait until the writer is free.
    pub(super) fn execute(&mut self, execute: Box<Execute>) -> Result<(), PrimaryError> {
        if !execute.ticket.begin() {
            // Whoever asked has been told that it was killed or waited too long.
            return Ok(());
        }
        let connection_id = execute.session.connection_id;
        if self.rolled_back.remove(&connection_id) && execute.mode == TransactionMode::InTransaction
        {
            execute.answer(Err(SqlError::lock_deadlock()));
            return Ok(());
        }
        let statement = Arc::clone(&execute.statement);
        if self
            .reserved
            .is_some_and(|(_, owner)| owner != connection_id)
        {
            self.put_aside(execute);
            return Ok(());
        }
        let is_ddl = statement.statement.is_ddl();
        if self.is_taken(execute.session.gtid_next) {
            execute.answer(Err(SqlError::lock_deadlock()));
            return Ok(());
        }
        if is_ddl || matches!(statement.statement, Statement::Write(_)) {
            // It may have waited since its session looked.
            if let Err(error) = self.fence.check(execute.session.ignores_read_only) {
                execute.answer(Err(error));
                return Ok(());
            }
        }
        match &self.hold {
            Some(Hold::Transaction(holder)) if holder.connection_id == connection_id => {
                if is_ddl || execute.mode == TransactionMode::Autocommit {
                    // MySQL commits what was open before such a statement.
                    self.commit_held(connection_id, Answer::Nobody)?;
                    return self.execute(execute);
                }
                self.execute_held(execute)
            }
            Some(_) => {
                self.put_aside(execute);
                Ok(())
            }
            None => match (&statement.statement, execute.mode) {
                (Statement::Ddl(ddl), _) => self.execute_ddl(ddl, execute),
                (_, TransactionMode::Autocommit) => self.execute_autocommit(execute),
                (_, TransactionMode::InTransaction) => self.begin_transaction(execute),
            },
        }
    }

    /// Lets a statement wait until the writer is free.
    fn put_aside(&mut self, execute: Box<Execute>) {
        if wants_no_wait(&execute.statement.statement) {
            execute.answer(Err(SqlError::lock_nowait()));
            return;
        }
        execute.ticket.wait();
        // Killed in the moment between: whoever waits heard of it too early to withdraw.
        match execute.session.interrupt.check() {
            Ok(()) => self.waiting.push_back(Request::Execute(execute)),
            Err(error) => execute.answer(Err(error)),
        }
    }

    fn execute_autocommit(&mut self, mut execute: Box<Execute>) -> Result<(), PrimaryError> {
        if !execute.session.is_logged {
            // It is a group of its own: the log's groups are committed as the log has them.
            self.commit_group()?;
        }
        if !self.writer.is_in_group()
            && let Err(error) = self.begin_group()?
        {
            execute.answer(Err(error.into()));
            return Ok(());
        }
        let mut transaction = self.new_transaction(&execute.session);
        match self.run_statement(&mut execute, &mut transaction) {
            Ok(outcome) => {
                if transaction.has_no_changes() {
                    transaction.give_back_gtid();
                }
                let pending = Pending {
                    transaction,
                    answer: Answer::Executed(execute, outcome),
                };
                self.take(pending)?;
            }
            Err(error) => {
                self.check_group(&error)?;
                execute.answer(Err(error));
            }
        }
        Ok(())
    }

    /// Begins a group. The writer may move pages into the engine's file first, so that the log must
    /// be durable up to where the engine is.
    fn begin_group(&mut self) -> Result<Result<(), EngineError>, PrimaryError> {
        if self.writer.checkpoints_next() && self.log.durable_end() < self.log.end() {
            self.log.sync()?;
        }
        Ok(self.writer.begin_group())
    }

    fn begin_transaction(&mut self, execute: Box<Execute>) -> Result<(), PrimaryError> {
        self.commit_group()?;
        if let Err(error) = self.begin_group()? {
            execute.answer(Err(error.into()));
            return Ok(());
        }
        let connection_id = execute.session.connection_id;
        let mut holder = Box::new(Holder {
            connection_id,
            transaction: self.new_transaction(&execute.session),
            savepoints: Vec::new(),
            last_active: Instant::now(),
            ignores_read_only: execute.session.ignores_read_only,
            has_locked: false,
        });
        for name in self
            .early_savepoints
            .remove(&connection_id)
            .into_iter()
            .flatten()
        {
            self.writer.savepoint(&engine_name(&name))?;
            holder.savepoints.push((name, holder.transaction.mark()));
        }
        self.hold = Some(Hold::Transaction(holder));
        self.execute_held(execute)
    }

    fn execute_held(&mut self, mut execute: Box<Execute>) -> Result<(), PrimaryError> {
        let Some(Hold::Transaction(mut holder)) = self.hold.take() else {
            return Ok(());
        };
        let result = self.run_statement(&mut execute, &mut holder.transaction);
        holder.last_active = Instant::now();
        holder.ignores_read_only = execute.session.ignores_read_only;
        let locks = execute.session.reads_lock || locks_rows(&execute.statement.statement);
        holder.has_locked |= result.is_ok() && locks;
        let ends = result
            .as_ref()
            .is_err_and(|error| server::executor::ends_transaction(error.code));
        let is_lost = self.writer.is_group_lost();
        if ends || is_lost || holder.is_idle() {
            self.writer.rollback_group()?;
            if !ends && !is_lost {
                // Without a change or a lock it begins anew with its next statement.
                let names = holder.savepoints.into_iter().map(|(name, _)| name);
                self.early_savepoints
                    .insert(execute.session.connection_id, names.collect());
            }
            if is_lost && !ends {
                self.rolled_back.insert(execute.session.connection_id);
            }
        } else {
            self.hold = Some(Hold::Transaction(holder));
        }
        execute.answer(result);
        Ok(())
    }

    fn execute_ddl(&mut self, ddl: &Ddl, mut execute: Box<Execute>) -> Result<(), PrimaryError> {
        self.commit_group()?;
        if let Err(error) = self.begin_group()? {
            execute.answer(Err(error.into()));
            return Ok(());
        }
        let mut changes = Vec::new();
        execute.session.time_zone.forget_use();
        let result = self.run_killable(&mut execute, &mut changes, |_, _| Ok(()));
        let result = match result {
            Ok(_) if !changes.is_empty() => Err(SqlError::not_supported("DDL that changes rows")),
            result => result,
        };
        match result {
            Ok(outcome) => {
                let default = execute.session.database.as_deref();
                // A prepared statement's text is read as when it was prepared.
                let mut session = execute.session.clone();
                session.sql_mode = session.sql_mode.with_syntax_of(execute.statement.sql_mode);
                let transaction = Transaction::ddl(
                    self.options.origin,
                    &session,
                    &execute.statement.text,
                    ddl.database(),
                    &ddl.changed_databases(default),
                    self.next_xid.saturating_add(1),
                );
                let answer = Answer::Executed(execute, outcome);
                self.take(Pending {
                    transaction,
                    answer,
                })?;
                self.commit_group()?;
            }
            Err(error) => {
                self.writer.rollback_group()?;
                execute.answer(Err(error));
            }
        }
        Ok(())
    }

    /// Runs a statement and encodes its rows; undoes both if either fails.
    fn run_statement(
        &mut self,
        execute: &mut Execute,
        transaction: &mut Transaction,
    ) -> Result<Outcome, SqlError> {
        if execute.statement.statement.is_select() {
            let text = String::from_utf8_lossy(&execute.statement.text);
            execute.session.statement_text = text.into_owned();
        }
        let mut changes = Vec::new();
        self.run_killable(execute, &mut changes, |session, changes| {
            for change in changes {
                session.changed_tables.insert(change.table.id);
            }
            transaction
                .add(session, changes)
                .map_err(|error| logging_impossible(&error))
        })
    }

    /// Runs a statement that KILL can stop, until `keep` makes it part of the group: one that was
    /// killed meanwhile has failed.
    fn run_killable(
        &mut self,
        execute: &mut Execute,
        changes: &mut Vec<RowChange>,
        keep: impl FnOnce(&mut SessionContext, &[RowChange]) -> Result<(), SqlError>,
    ) -> Result<Outcome, SqlError> {
        let interrupt = Arc::clone(&execute.session.interrupt);
        let running = interrupt.running(self.writer.interrupt_handle())?;
        self.writer.execute_and(
            &execute.statement.statement,
            &execute.parameters,
            &mut execute.session,
            changes,
            // Whether it succeeds or not, nothing stops the end of the statement itself.
            |session, changes| {
                drop(running);
                interrupt.check()?;
                keep(session, changes)
            },
        )
    }

    /// After an error: if the engine has undone the whole group, nobody of it is committed.
    fn check_group(&mut self, error: &SqlError) -> Result<(), PrimaryError> {
        if !self.writer.is_group_lost() {
            return Ok(());
        }
        self.writer.rollback_group()?;
        self.pending_bytes = 0;
        for pending in std::mem::take(&mut self.pending) {
            pending.answer.send(Err(error.clone()));
        }
        Ok(())
    }

    /// Makes the transaction of `connection_id` part of the next group. Without one nothing
    /// happens.
    pub(super) fn commit_held(
        &mut self,
        connection_id: u64,
        answer: Answer,
    ) -> Result<(), PrimaryError> {
        self.early_savepoints.remove(&connection_id);
        if self.rolled_back.remove(&connection_id) {
            answer.send(Err(SqlError::lock_deadlock()));
            return Ok(());
        }
        if Hold::of(&mut self.hold, connection_id).is_none() {
            answer.send(Ok(()));
            return Ok(());
        }
        if let Some(Hold::Transaction(holder)) = self.hold.take() {
            let transaction = holder.transaction;
            if !transaction.is_empty()
                && let Err(error) = self.fence.check(holder.ignores_read_only)
            {
                self.writer.rollback_group()?;
                answer.send(Err(error));
                return Ok(());
            }
            self.take(Pending {
                transaction,
                answer,
            })?;
        }
        Ok(())
    }

    /// Undoes the transaction of `connection_id`. Without one nothing happens.
    pub(super) fn rollback_held(&mut self, connection_id: u64) -> Result<(), PrimaryError> {
        self.rolled_back.remove(&connection_id);
        self.early_savepoints.remove(&connection_id);
        if Hold::of(&mut self.hold, connection_id).is_some() {
            self.hold = None;
            self.writer.rollback_group()?;
        }
        Ok(())
    }

    /// Does something with a savepoint of the connection's transaction.
    pub(super) fn savepoint(
        &mut self,
        connection_id: u64,
        action: SavepointAction,
        name: &str,
    ) -> Result<(), SqlError> {
        let unknown = || SqlError::sp_does_not_exist("SAVEPOINT", name);
        let Some(holder) = Hold::of(&mut self.hold, connection_id) else {
            return match self.early_savepoint(connection_id, action, name) {
                true => Ok(()),
                false => Err(unknown()),
            };
        };
        holder.last_active = Instant::now();
        let known = holder.savepoint(name);
        match (action, known) {
            (SavepointAction::Set, known) => {
                // A name that is used again forgets its older place, as in MySQL.
                if let Some(at) = known {
                    holder.savepoints.remove(at);
                }
                let mark = holder.transaction.mark();
                self.writer.savepoint(&engine_name(name))?;
                holder.savepoints.push((name.to_owned(), mark));
            }
            (_, None) => return Err(unknown()),
            (SavepointAction::RollbackTo, Some(at)) => {
                self.writer.rollback_to(&engine_name(name))?;
                if let Some((_, mark)) = holder.savepoints.get(at) {
                    holder.transaction.truncate(*mark);
                }
                holder.savepoints.truncate(at.saturating_add(1));
            }
            (SavepointAction::Release, Some(at)) => {
                self.writer.release(&engine_name(name))?;
                holder.savepoints.truncate(at);
            }
        }
        Ok(())
    }

    /// Does something with a savepoint of a transaction that has changed nothing; false if there is
    /// none of that name.
    fn early_savepoint(&mut self, connection_id: u64, action: SavepointAction, name: &str) -> bool {
        let names = self.early_savepoints.entry(connection_id).or_default();
        let is_named = |known: &String| known.to_lowercase() == name.to_lowercase();
        let known = names.iter().rposition(is_named);
        match (action, known) {
            (SavepointAction::Set, known) => {
                if let Some(at) = known {
                    names.remove(at);
                }
                names.push(name.to_owned());
            }
            (_, None) => return false,
            (SavepointAction::RollbackTo, Some(at)) => names.truncate(at.saturating_add(1)),
            (SavepointAction::Release, Some(at)) => names.truncate(at),
        }
        true
    }

    pub(super) fn new_transaction(&self, session: &SessionContext) -> Transaction {
        Transaction::rows(self.options.origin, session, &self.options.spill_directory)
    }

    /// Makes a finished transaction part of the open group, or, if the log is not to have it,
    /// commits it there and then.
    fn take(&mut self, pending: Pending) -> Result<(), PrimaryError> {
        if pending.transaction.is_unlogged() {
            return self.commit_unlogged(pending.answer);
        }
        self.push(pending);
        Ok(())
    }

    /// Commits a transaction without changes that has an identifier of its own.
    pub(super) fn commit_empty(
        &mut self,
        session: Box<SessionContext>,
        reply: oneshot::Sender<Result<(), SqlError>>,
    ) -> Result<(), PrimaryError> {
        if self.hold.is_some() {
            self.waiting.push_back(Request::CommitEmpty(session, reply));
            return Ok(());
        }
        if self.is_taken(session.gtid_next) {
            let _ = reply.send(Err(SqlError::lock_deadlock()));
            return Ok(());
        }
        if !self.writer.is_in_group()
            && let Err(error) = self.begin_group()?
        {
            let _ = reply.send(Err(error.into()));
            return Ok(());
        }
        let transaction = self.new_transaction(&session);
        self.push(Pending {
            transaction,
            answer: Answer::Commit(reply),
        });
        Ok(())
    }

    /// Whether another transaction has come before with this identifier. The session's ownership
    /// prevents it, unless its connection broke while its commit was on the way.
    fn is_taken(&self, gtid: Option<Gtid>) -> bool {
        let Some(gtid) = gtid else {
            return false;
        };
        let mut pending = self.pending.iter().map(|p| p.transaction.assigned());
        self.executed.contains(&gtid) || pending.any(|other| other == Some(gtid))
    }
}

/// SELECT ... FOR UPDATE NOWAIT.
fn wants_no_wait(statement: &Statement) -> bool {
    statement
        .locks()
        .iter()
        .any(|lock| lock.nonblock == Some(sql::ast::NonBlock::Nowait))
}

/// FOR UPDATE, FOR SHARE.
fn locks_rows(statement: &Statement) -> bool {
    !statement.locks().is_empty()
}

/// A client's savepoint cannot meet one of our own.
fn engine_name(name: &str) -> String {
    format!("user_{}", name.to_lowercase())
}
