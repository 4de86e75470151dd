//! Statement dispatch: who executes what, in which order of checks.
//!
//! Order as in MySQL: privileges, then read_only, then the implicit commit, then the statement.

use std::sync::Arc;

use binlog::value::Value;
use engine::catalog::SYSTEM_SCHEMA;
use engine::outcome::Outcome;
use engine::session::SessionContext;
use engine::value::cell;
use engine::value::sourced::Sourced;
use sql::ast::{Ddl, PrepareSource, Prepared, Query, TableName, Transaction, Write};
use sql::error::SqlError;
use sql::{Parsed, Statement};

use super::statement::{at_leisure, during};
use super::{ReadLock, Session, kinds};
use crate::accounts::Privilege;
use crate::executor::TransactionMode;

impl Session {
    /// Executes a statement after every check.
    pub(super) async fn execute(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        self.check_privileges(parsed)?;
        // What the text means, and what the log says of it, is what it meant when it was read.
        let own = self.context.sql_mode;
        let mode = own.reading_as(parsed.sql_mode);
        self.context.sql_mode = mode;
        let result = self.execute_checked(parsed, parameters).await;
        if self.context.sql_mode == mode {
            self.context.sql_mode = own;
        }
        result
    }

    async fn execute_checked(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        let statement = &parsed.statement;
        if statement.is_ddl() || statement.is_write() {
            self.check_writable()?;
        }
        if let Some(skipped) = self.ask_gtid_next(statement)? {
            return Ok(skipped);
        }
        if kinds::commits_first(statement) {
            self.check_form(statement)?;
            self.commit().await?;
            self.forget_next();
        }
        let result = match self.check_read_only(statement) {
            Ok(()) => self.perform(parsed, parameters).await,
            Err(error) => Err(error),
        };
        self.settle_gtid_next(statement, result).await
    }

    /// What is refused whatever the schema is ends no transaction.
    fn check_form(&self, statement: &Statement) -> Result<(), SqlError> {
        match statement {
            Statement::Ddl(ddl) if self.is_in_transaction() => engine::ddl::refused_by_form(ddl),
            _ => Ok(()),
        }
    }

    async fn perform(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        match &parsed.statement {
            // A comment alone is fine, nothing at all is not.
            Statement::Empty if parsed.text.is_empty() => Err(SqlError::empty_query()),
            Statement::Empty => Ok(Outcome::done()),
            Statement::Ddl(Ddl::CreateDatabase {
                if_not_exists,
                name,
                ..
            }) if name == SYSTEM_SCHEMA => self.create_system_schema(*if_not_exists),
            Statement::Ddl(Ddl::CreateTable(create)) if create.temporary => {
                Err(SqlError::not_supported("CREATE TEMPORARY TABLE"))
            }
            Statement::Ddl(Ddl::DropTable {
                temporary: true,
                if_exists,
                tables,
            }) if self.is_in_transaction() || self.gtid_next.owned().is_none() => {
                self.drop_temporary(tables, *if_exists)
            }
            Statement::Ddl(ddl) => {
                let outcome = self
                    .at_executor(parsed, parameters, TransactionMode::Autocommit)
                    .await?;
                self.after_ddl(ddl);
                Ok(outcome)
            }
            Statement::Write(Write::Binlog(pieces)) => self.replay_events(parsed, pieces).await,
            Statement::Write(_) => {
                self.open_implicitly();
                let mode = match self.is_in_transaction() {
                    true => TransactionMode::InTransaction,
                    false => TransactionMode::Autocommit,
                };
                let result = self.at_executor(parsed, parameters, mode).await;
                if mode == TransactionMode::Autocommit {
                    self.forget_next();
                }
                result
            }
            Statement::Query(query) => self.answer_query(query, parsed, parameters).await,
            Statement::Transaction(transaction) => self.transact(transaction).await,
            Statement::Account(account) => self.change_accounts(account),
            Statement::Replication(_) if self.read_lock.is_some() => {
                // What these wait for may itself wait for the lock.
                let text = "Can't execute the given command because you have active locked tables \
                            or an active transaction";
                Err(SqlError::new(1192, "HY000", text))
            }
            Statement::Replication(replication) => self.replicate(replication).await,
            Statement::Admin(admin) => self.administer(admin, parameters).await,
            Statement::Prepared(prepared) => self.run_prepared(prepared).await,
            Statement::NotSupported { construct, .. } => Err(SqlError::not_supported(construct)),
        }
    }

    /// Every dump of all databases begins with it; it is there already.
    fn create_system_schema(&mut self, if_not_exists: bool) -> Result<Outcome, SqlError> {
        if !if_not_exists {
            return Err(SqlError::no_system_schema_access(SYSTEM_SCHEMA));
        }
        self.context.note(SqlError::db_create_exists(SYSTEM_SCHEMA));
        Ok(Outcome::done())
    }

    async fn answer_query(
        &mut self,
        query: &Query,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        match query {
            Query::Select(_) => {
                let result = self.select_for_client(parsed, parameters).await;
                if !self.is_in_transaction() && !parsed.statement.tables()?.is_empty() {
                    self.forget_next();
                }
                result
            }
            Query::Do(list) => self.do_expressions(list, parsed, parameters).await,
            Query::Show(show) => self.show(show).await.map(Outcome::Rows),
            Query::Describe { table, column } => {
                crate::show::describe(&self.view(), table, column.as_deref()).map(Outcome::Rows)
            }
            Query::Explain { .. } => Err(SqlError::not_supported("EXPLAIN")),
        }
    }

    async fn transact(&mut self, transaction: &Transaction) -> Result<Outcome, SqlError> {
        match transaction {
            Transaction::Begin {
                consistent_snapshot,
                read_only,
            } => {
                self.begin_transaction(*consistent_snapshot, *read_only)
                    .await
            }
            Transaction::Commit { chain, release } => {
                self.end_transaction(true, *chain, *release).await
            }
            Transaction::Rollback { chain, release } => {
                self.end_transaction(false, *chain, *release).await
            }
            Transaction::Savepoint(name) => self.savepoint(name).await,
            Transaction::RollbackToSavepoint(name) => self.roll_back_to(name).await,
            Transaction::ReleaseSavepoint(name) => self.release_savepoint(name).await,
            Transaction::LockTables(locks) => self.lock_tables(locks).await,
            Transaction::UnlockTables => self.unlock_tables().await,
        }
    }

    async fn run_prepared(&mut self, prepared: &Prepared) -> Result<Outcome, SqlError> {
        match prepared {
            Prepared::Prepare { name, source } => self.prepare_named(name, source).await,
            Prepared::Execute { name, using } => self.execute_named(name, using).await,
            Prepared::Deallocate { name } => self.deallocate(name),
        }
    }

    /// Runs the statement where writes run. The context travels with it.
    pub(super) async fn at_executor(
        &mut self,
        parsed: &Arc<Parsed>,
        parameters: Vec<Value<'static>>,
        mode: TransactionMode,
    ) -> Result<Outcome, SqlError> {
        if mode == TransactionMode::InTransaction {
            self.moved_to_executor();
        }
        if parsed.statement.is_select() {
            self.context.statement_text = String::from_utf8_lossy(&parsed.text).into_owned();
        }
        let id = self.context.connection_id;
        let context = std::mem::replace(&mut self.context, Box::new(SessionContext::new(id)));
        let executor = Arc::clone(&self.node.executor);
        let execution = executor.execute(context, Arc::clone(parsed), parameters, mode);
        let (context, result) = self.attend(execution).await;
        self.context = context;
        result
    }

    /// read_only and its kin.
    fn check_writable(&mut self) -> Result<(), SqlError> {
        let is_exempt = [Privilege::ConnectionAdmin, Privilege::Super]
            .iter()
            .any(|p| self.account.has(*p));
        self.context.ignores_read_only = is_exempt;
        self.node.variables.fence().check(is_exempt)?;
        match &self.read_lock {
            Some((ReadLock::Global, _)) => {
                let text = "Can't execute the query because you have a conflicting read lock";
                Err(SqlError::new(1223, "HY000", text))
            }
            Some((ReadLock::Tables, _)) => {
                let text = "Table was locked with a READ lock and can't be updated";
                Err(SqlError::new(1099, "HY000", text))
            }
            Some((ReadLock::Others, _)) | None => Ok(()),
        }
    }

    /// Error 1792 for what would write in a transaction that may not, or where the next one may not.
    fn check_read_only(&self, statement: &Statement) -> Result<(), SqlError> {
        match self.is_read_only() && kinds::wants_to_write(statement) {
            true => Err(SqlError::cant_execute_in_read_only_transaction()),
            false => Ok(()),
        }
    }

    /// DROP TEMPORARY TABLE: there are none, so each is missing. No transaction ends by it.
    fn drop_temporary(
        &mut self,
        tables: &[TableName],
        if_exists: bool,
    ) -> Result<Outcome, SqlError> {
        let mut missing: Vec<String> = Vec::new();
        for table in tables {
            let database = match &table.database {
                Some(database) => database,
                None => self.context.require_database()?,
            };
            let full = format!("{database}.{}", table.name);
            if missing.contains(&full) {
                return Err(SqlError::nonuniq_table(&table.name));
            }
            missing.push(full);
        }
        if !if_exists {
            return Err(SqlError::bad_table(missing.join(",")));
        }
        for name in missing {
            self.context.note(SqlError::bad_table(name));
        }
        Ok(Outcome::done())
    }

    /// The default database may be gone, or have another collation.
    fn after_ddl(&mut self, ddl: &Ddl) {
        if let Ddl::DropDatabase { name, .. } = ddl
            && self.context.database.as_ref() == Some(name)
        {
            self.context.database = None;
        }
    }

    async fn prepare_named(
        &mut self,
        name: &str,
        source: &PrepareSource,
    ) -> Result<Outcome, SqlError> {
        let text = match source {
            PrepareSource::Text(text) => text.clone(),
            PrepareSource::Variable(variable) => {
                let value = self.context.user_variables.get(variable);
                value
                    .and_then(Sourced::to_text)
                    .unwrap_or_default()
                    .into_bytes()
            }
        };
        let options = self
            .node
            .parse_options(self.context.sql_mode, &self.context);
        let _portion = self.portion(&text, &options).await?;
        let parsed = at_leisure(&text, || sql::parse(&text, &options))?;
        super::prepared::check(&parsed.statement)?;
        let name = name.to_lowercase();
        if super::prepared::is_checked(&parsed.statement)
            && let Err(error) = self.check_privileges(&parsed)
        {
            // As in MySQL, the statement that had the name is gone.
            self.named.remove(&name);
            return Err(error);
        }
        // A name that is used again frees its statement first, as in MySQL.
        self.named.remove(&name);
        let prepared = self.keep_prepared(parsed)?;
        self.named.insert(name, prepared);
        let info = "Statement prepared".to_owned();
        Ok(Outcome::Ok {
            affected: 0,
            last_insert_id: 0,
            info,
            warnings: 0,
        })
    }

    async fn execute_named(&mut self, name: &str, using: &[String]) -> Result<Outcome, SqlError> {
        let prepared = self.named.get(&name.to_lowercase()).cloned();
        let prepared = prepared.ok_or_else(|| SqlError::unknown_stmt_handler(name, "EXECUTE"))?;
        let (parsed, portion) = self.tree(&prepared).await?;
        if parsed.parameters != using.len() {
            return Err(SqlError::wrong_arguments("EXECUTE"));
        }
        let parameters = using
            .iter()
            .map(|variable| {
                let value = self.context.user_variables.get(variable);
                value.map_or(Value::Null, |given| cell::carried(given.value.clone()))
            })
            .collect();
        let left = self.enter_database(&prepared);
        // Indirection because the statement may be anything but another EXECUTE.
        let result = during(portion, Box::pin(self.execute(&parsed, parameters))).await;
        self.return_to_database(left, &parsed.statement, result.is_ok());
        result
    }

    fn deallocate(&mut self, name: &str) -> Result<Outcome, SqlError> {
        match self.named.remove(&name.to_lowercase()) {
            Some(_) => Ok(Outcome::done()),
            None => Err(SqlError::unknown_stmt_handler(name, "DEALLOCATE PREPARE")),
        }
    }
}
