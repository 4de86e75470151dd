//! Running statements: autocommitted ones into the open group, those of an interactive transaction
//! for its holder, DDL as a group of its own.

use std::sync::Arc;

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

use super::commit::logging_impossible;
use super::core::Pipeline;
use super::group::{Answer, Pending};
use super::hold::{Hold, Holder};
use super::request::{Execute, Request, SavepointAction};
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
        let statement = Arc::clone(&execute.statement);
        let is_ddl = statement.statement.is_ddl();
        let is_rolled_back = self.sessions.rolled_back.contains(&connection_id);
        if is_rolled_back || is_ddl || execute.mode == TransactionMode::Autocommit {
            // What was open without a change ends here.
            self.sessions.forget(connection_id);
        }
        if is_rolled_back {
            execute.answer(Err(SqlError::lock_deadlock()));
            return Ok(());
        }
        if self.turns.is_reserved_for_others(connection_id) {
            self.put_aside(execute);
            return Ok(());
        }
        if self.is_taken(execute.session.gtid_next) {
            execute.answer(Err(SqlError::lock_deadlock()));
            return Ok(());
        }
        if is_ddl || matches!(statement.statement, Statement::Write(_)) {
            // It may have waited since its session looked.
            if let Err(error) = self.outside.fence.check(execute.session.ignores_read_only) {
                execute.answer(Err(error));
                return Ok(());
            }
        }
        match &self.turns.hold {
            Some(Hold::Transaction(holder)) if holder.connection_id == connection_id => {
                if is_ddl || execute.mode == TransactionMode::Autocommit {
                    return self.execute_behind_commit(execute);
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

    /// Executes a statement before which MySQL commits what its connection has open. If that cannot
    /// be committed, the statement fails for it.
    fn execute_behind_commit(&mut self, execute: Box<Execute>) -> Result<(), PrimaryError> {
        let (reply, mut committed) = oneshot::channel();
        self.commit_held(execute.session.connection_id, Answer::Commit(reply))?;
        if !self.settle()? {
            self.turns.put_first(Request::Execute(execute));
            return Ok(());
        }
        if let Ok(Err(error)) = committed.try_recv() {
            execute.answer(Err(error));
            return Ok(());
        }
        self.execute(execute)
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
            Ok(()) => self.turns.put_behind(Request::Execute(execute)),
            Err(error) => execute.answer(Err(error)),
        }
    }

    fn execute_autocommit(&mut self, mut execute: Box<Execute>) -> Result<(), PrimaryError> {
        if !execute.session.is_logged {
            // It is a group of its own: the log's groups are committed as the log has them.
            if !self.settle()? {
                self.turns.put_first(Request::Execute(execute));
                return Ok(());
            }
        }
        if !self.engine.writer.is_in_group()
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
        if self.engine.writer.checkpoints_next()
            && self.log.writer.durable_end() < self.log.writer.end()
        {
            self.log.writer.sync()?;
        }
        Ok(self.engine.writer.begin_group())
    }

    fn begin_transaction(&mut self, execute: Box<Execute>) -> Result<(), PrimaryError> {
        if !self.settle()? {
            self.turns.put_first(Request::Execute(execute));
            return Ok(());
        }
        if let Err(error) = self.begin_group()? {
            execute.answer(Err(error.into()));
            return Ok(());
        }
        let connection_id = execute.session.connection_id;
        let mut holder = Box::new(Holder {
            connection_id,
            transaction: self.new_transaction(&execute.session),
            savepoints: Vec::new(),
            idle_since: None,
            ignores_read_only: execute.session.ignores_read_only,
            has_locked: false,
        });
        for name in self.sessions.take_savepoints(connection_id) {
            self.engine.writer.savepoint(&engine_name(&name))?;
            holder.savepoints.push((name, holder.transaction.mark()));
        }
        self.turns.hold = Some(Hold::Transaction(holder));
        self.execute_held(execute)
    }

    fn execute_held(&mut self, mut execute: Box<Execute>) -> Result<(), PrimaryError> {
        let Some(Hold::Transaction(mut holder)) = self.turns.hold.take() else {
            return Ok(());
        };
        let result = self.run_statement(&mut execute, &mut holder.transaction);
        holder.idle_since = None;
        holder.ignores_read_only = execute.session.ignores_read_only;
        let locks = execute.session.reads_lock || locks_rows(&execute.statement.statement);
        holder.has_locked |= result.is_ok() && locks;
        let ends = result
            .as_ref()
            .is_err_and(|error| server::executor::ends_transaction(error.code));
        let is_lost = self.engine.writer.is_group_lost();
        if ends || is_lost || holder.is_idle() {
            self.engine.writer.rollback_group()?;
            if !ends && !is_lost {
                // Without a change or a lock it begins anew with its next statement.
                let names = holder.savepoints.into_iter().map(|(name, _)| name);
                self.sessions
                    .keep_savepoints(execute.session.connection_id, names.collect());
            }
            if is_lost && !ends {
                self.sessions
                    .rolled_back
                    .insert(execute.session.connection_id);
            }
        } else {
            self.turns.hold = Some(Hold::Transaction(holder));
        }
        execute.answer(result);
        Ok(())
    }

    fn execute_ddl(&mut self, ddl: &Ddl, mut execute: Box<Execute>) -> Result<(), PrimaryError> {
        if !self.settle()? {
            self.turns.put_first(Request::Execute(execute));
            return Ok(());
        }
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
                    self.log.next_xid(),
                );
                let answer = Answer::Executed(execute, outcome);
                self.take(Pending {
                    transaction,
                    answer,
                })?;
                self.group.close();
            }
            Err(error) => {
                self.engine.writer.rollback_group()?;
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
        let running = interrupt.running(self.engine.writer.interrupt_handle())?;
        let result = self.engine.writer.execute_and(
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
        );
        if let Err(error) = &result
            && error.code == INTERNAL
        {
            let connection_id = execute.session.connection_id;
            tracing::error!(connection_id, %error, "a statement failed by a fault of this program");
        }
        result
    }

    /// After an error: if the engine has undone the whole group, nobody of it is committed.
    fn check_group(&mut self, error: &SqlError) -> Result<(), PrimaryError> {
        if !self.engine.writer.is_group_lost() {
            return Ok(());
        }
        self.engine.writer.rollback_group()?;
        for pending in self.group.take() {
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
        if self.sessions.forget(connection_id) {
            answer.send(Err(SqlError::lock_deadlock()));
            return Ok(());
        }
        if self.turns.of(connection_id).is_none() {
            answer.send(Ok(()));
            return Ok(());
        }
        if let Some(Hold::Transaction(holder)) = self.turns.hold.take() {
            let transaction = holder.transaction;
            if !transaction.is_empty()
                && let Err(error) = self.outside.fence.check(holder.ignores_read_only)
            {
                self.engine.writer.rollback_group()?;
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
        self.sessions.forget(connection_id);
        if self.turns.of(connection_id).is_some() {
            self.turns.hold = None;
            self.engine.writer.rollback_group()?;
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
        let Some(holder) = self.turns.of(connection_id) else {
            return match self.sessions.savepoint(connection_id, action, name) {
                true => Ok(()),
                false => Err(unknown()),
            };
        };
        holder.idle_since = None;
        let known = holder.savepoint(name);
        match (action, known) {
            (SavepointAction::Set, known) => {
                // A name that is used again forgets its older place, as in MySQL.
                if let Some(at) = known {
                    holder.savepoints.remove(at);
                }
                let mark = holder.transaction.mark();
                self.engine.writer.savepoint(&engine_name(name))?;
                holder.savepoints.push((name.to_owned(), mark));
            }
            (_, None) => return Err(unknown()),
            (SavepointAction::RollbackTo, Some(at)) => {
                self.engine.writer.rollback_to(&engine_name(name))?;
                if let Some((_, mark)) = holder.savepoints.get(at) {
                    holder.transaction.truncate(*mark);
                }
                holder.savepoints.truncate(at.saturating_add(1));
            }
            (SavepointAction::Release, Some(at)) => {
                self.engine.writer.release(&engine_name(name))?;
                holder.savepoints.truncate(at);
            }
        }
        Ok(())
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
        self.group.push(pending);
        Ok(())
    }

    /// Commits a transaction without changes that has an identifier of its own.
    pub(super) fn commit_empty(
        &mut self,
        session: Box<SessionContext>,
        reply: oneshot::Sender<Result<(), SqlError>>,
    ) -> Result<(), PrimaryError> {
        if self.turns.is_held() {
            self.turns.put_behind(Request::CommitEmpty(session, reply));
            return Ok(());
        }
        if self.is_taken(session.gtid_next) {
            let _ = reply.send(Err(SqlError::lock_deadlock()));
            return Ok(());
        }
        if !self.engine.writer.is_in_group()
            && let Err(error) = self.begin_group()?
        {
            let _ = reply.send(Err(error.into()));
            return Ok(());
        }
        let transaction = self.new_transaction(&session);
        self.group.push(Pending {
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
        let mut pending = self.group.pending.iter().map(|p| p.transaction.assigned());
        self.log.executed.contains(&gtid) || pending.any(|other| other == Some(gtid))
    }
}

/// ER_UNKNOWN_ERROR: the engine stopped a panic.
const INTERNAL: u16 = 1105;

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
