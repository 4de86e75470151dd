//! Administrative statements: accounts, locks, KILL, FLUSH, table maintenance, HELP.

use std::sync::Arc;

use binlog::value::Value;
use engine::outcome::{Outcome, ResultSet};
use sql::ast::{Account, Admin, FlushTarget, KillTarget, LockTable, Show, TableName};
use sql::error::SqlError;

use super::{ReadLock, Session};
use crate::accounts::{AccountChange, Privilege};
use crate::result::RowFormat;
use crate::role::WriteBlock;
use crate::show::{self, Grid};

impl Session {
    pub(super) async fn administer(
        &mut self,
        admin: &Admin,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        match admin {
            Admin::Set(items) => self.set(items, parameters).await,
            Admin::ResetPersist { if_exists, name } => {
                self.reset_persist(*if_exists, name.as_deref())
            }
            Admin::Use(name) => self.use_database(name).map(|()| Outcome::done()),
            Admin::Kill { target, id } => self.kill(*target, *id),
            Admin::Flush(targets) => self.flush(targets).await,
            Admin::Maintenance { kind, tables, .. } => {
                self.maintain(*kind, tables).await.map(Outcome::Rows)
            }
            Admin::Help(_) => Ok(Outcome::Rows(show::help())),
            Admin::Shutdown => Err(SqlError::not_supported("SHUTDOWN")),
        }
    }

    pub(super) fn change_accounts(&mut self, statement: &Account) -> Result<Outcome, SqlError> {
        let accounts = Arc::clone(&self.node.accounts);
        let own = self.account.name.clone();
        let database = self.context.database.clone();
        let change = match statement {
            Account::CreateUser {
                if_not_exists,
                users,
                options,
            } => accounts.create_user(users, options, *if_not_exists)?,
            Account::AlterUser {
                if_exists,
                users,
                options,
            } => accounts.alter_user(users, options, *if_exists, &own)?,
            Account::DropUser { if_exists, users } => accounts.drop_user(users, *if_exists)?,
            Account::RenameUser(pairs) => {
                accounts.rename_user(pairs)?;
                AccountChange::default()
            }
            Account::SetPassword { user, password } => {
                accounts.set_password(user.as_ref().unwrap_or(&own), password)?;
                AccountChange::default()
            }
            Account::Grant(grant) => {
                accounts.grant(grant, database.as_deref())?;
                AccountChange::default()
            }
            Account::Revoke(revoke) => accounts.revoke(revoke, database.as_deref())?,
        };
        self.refresh_account();
        for note in change.notes {
            self.context.note(note);
        }
        for warning in change.warnings {
            self.context.warn(warning);
        }
        if change.generated.is_empty() {
            return Ok(Outcome::done());
        }
        Ok(Outcome::Rows(show::generated_passwords(&change.generated)))
    }

    pub(super) async fn lock_tables(&mut self, locks: &[LockTable]) -> Result<Outcome, SqlError> {
        self.read_lock = None;
        for lock in locks {
            self.find_table(&lock.table)?;
        }
        // Differs from MySQL: a lock on one table holds up the writers of all, so that it takes the
        // privilege for all; and WRITE does not hold up readers, who see what was there before.
        if !self.account.has(Privilege::LockTables) {
            return Err(SqlError::not_supported(
                "LOCK TABLES by an account without the LOCK TABLES privilege on *.*",
            ));
        }
        let is_write = locks.iter().any(|lock| lock.write);
        let owner = is_write.then_some(self.context.connection_id);
        let block = self.block_writes(owner).await?;
        let kind = match is_write {
            true => ReadLock::Others,
            false => ReadLock::Tables,
        };
        self.read_lock = Some((kind, block));
        Ok(Outcome::done())
    }

    pub(super) async fn unlock_tables(&mut self) -> Result<Outcome, SqlError> {
        if matches!(
            self.read_lock,
            Some((ReadLock::Tables | ReadLock::Others, _))
        ) {
            self.commit().await?;
        }
        self.read_lock = None;
        Ok(Outcome::done())
    }

    /// Waits until nobody writes, unless the wait is killed or the client leaves.
    async fn block_writes(&mut self, owner: Option<u64>) -> Result<WriteBlock, SqlError> {
        let role = Arc::clone(&self.node.role);
        let process = Arc::clone(&self.registered.process);
        let waiting = async move {
            tokio::select! {
                biased;
                block = role.block_writes(owner) => block,
                () = process.query_killed() => Err(SqlError::query_interrupted()),
            }
        };
        self.attend(waiting).await
    }

    /// Fails with 1146 unless the table exists.
    fn find_table(&self, table: &TableName) -> Result<(), SqlError> {
        let database = match &table.database {
            Some(database) => database.as_str(),
            None => self.context.require_database()?,
        };
        self.node
            .readers
            .database()
            .catalog()
            .table(database, &table.name)
            .map(drop)
    }

    /// One's own sessions, and with the privilege those of others, but never those of an account
    /// out of reach.
    fn kill(&mut self, target: KillTarget, id: u64) -> Result<Outcome, SqlError> {
        let unknown = || SqlError::no_such_thread(id);
        let process = self.node.processes.find(id).ok_or_else(unknown)?;
        let who = process.who();
        // Who is let in as the anonymous account names himself what he likes.
        let own = &self.account.name.user;
        let is_own = who.account.as_ref().is_some_and(|name| name.user == *own);
        let is_admin = [Privilege::ConnectionAdmin, Privilege::Super]
            .iter()
            .any(|privilege| self.account.has(*privilege));
        let accounts = &self.node.accounts;
        let in_reach = who
            .account
            .is_none_or(|name| accounts.may_end_sessions_of(&self.account, &name));
        if !(is_own || is_admin) || !in_reach {
            let text = format!("You are not owner of thread {id}");
            return Err(SqlError::new(1095, "HY000", text));
        }
        match target {
            KillTarget::Query => process.kill_query(),
            KillTarget::Connection => process.kill(),
        }
        self.node.executor.interrupt(id);
        if id == self.context.connection_id {
            return Err(SqlError::query_interrupted());
        }
        Ok(Outcome::done())
    }

    async fn flush(&mut self, targets: &[FlushTarget]) -> Result<Outcome, SqlError> {
        for target in targets {
            match target {
                FlushTarget::Tables {
                    tables,
                    read_lock,
                    export,
                } => {
                    for table in tables {
                        self.find_table(table)?;
                    }
                    if *export {
                        return Err(SqlError::not_supported("FLUSH TABLES ... FOR EXPORT"));
                    }
                    if *read_lock {
                        self.read_lock = None;
                        let block = self.block_writes(None).await?;
                        self.read_lock = Some((ReadLock::Global, block));
                    }
                }
                FlushTarget::Logs => {
                    self.node.role.flush_binary_logs().await?;
                    self.node.role.flush_relay_logs().await?;
                }
                FlushTarget::BinaryLogs => self.node.role.flush_binary_logs().await?,
                FlushTarget::RelayLogs { .. } => self.node.role.flush_relay_logs().await?,
                FlushTarget::OtherLogs(_)
                | FlushTarget::Privileges
                | FlushTarget::Status
                | FlushTarget::Other(_) => {}
            }
        }
        Ok(Outcome::done())
    }

    /// COM_REFRESH: the flags of mysqladmin.
    pub(super) async fn refresh(&mut self, flags: u8) -> Result<(), protocol::Error> {
        const LOGS: u8 = 2;
        let sql = if flags & LOGS != 0 {
            "FLUSH LOGS"
        } else {
            "FLUSH PRIVILEGES"
        };
        let options = self
            .node
            .parse_options(self.context.sql_mode, &self.context);
        let result = match sql::parse(sql.as_bytes(), &options) {
            Ok(parsed) => self.statement(Arc::new(parsed), Vec::new()).await,
            Err(error) => Err(error),
        };
        self.answer(result, RowFormat::Text, false).await
    }

    /// What CHECK TABLE finds: pages of the engine's file that are not as they were written,
    /// whichever tables have them, and contradictions in the table itself.
    async fn damage(&mut self, database: &str, table: &str) -> Result<Vec<String>, SqlError> {
        let engine = self.node.readers.database().clone();
        let table = engine.catalog().find_table(database, table).cloned();
        let Some(table) = table else {
            return Ok(Vec::new());
        };
        let checked = tokio::task::spawn_blocking(move || {
            let mut found: Vec<String> = engine
                .damaged_pages()?
                .into_iter()
                .map(|page| format!("Page {page} of the database file is not as it was written"))
                .collect();
            found.extend(engine.contradictions(&table)?);
            Ok::<_, engine::error::EngineError>(found)
        });
        Ok(checked.await.map_err(|_| SqlError::server_shutdown())??)
    }

    async fn maintain(
        &mut self,
        kind: sql::ast::MaintenanceKind,
        tables: &[TableName],
    ) -> Result<ResultSet, SqlError> {
        use sql::ast::MaintenanceKind as Kind;
        let operation = match kind {
            Kind::Analyze => "analyze",
            Kind::Check => "check",
            Kind::Optimize => "optimize",
            Kind::Repair => "repair",
            Kind::Checksum => return Err(SqlError::not_supported("CHECKSUM TABLE")),
        };
        let mut grid = Grid::new()
            .text("Table", 512)
            .text("Op", 40)
            .text("Msg_type", 40)
            .text("Msg_text", 1_572_864);
        let mut damaged = false;
        for table in tables {
            let database = match &table.database {
                Some(database) => database.clone(),
                None => self.context.require_database()?.to_owned(),
            };
            let name = format!("{database}.{}", table.name);
            if kind == Kind::Check {
                for damage in self.damage(&database, &table.name).await? {
                    grid.row([
                        name.as_str().into(),
                        operation.into(),
                        "Warning".into(),
                        damage.as_str().into(),
                    ]);
                    damaged = true;
                }
            }
            let (level, text) = match self.find_table(table) {
                Err(error) => ("Error", error.message),
                Ok(()) if kind == Kind::Optimize => (
                    "note",
                    "Table does not support optimize, doing recreate + analyze instead".to_owned(),
                ),
                Ok(()) if kind == Kind::Repair => (
                    "note",
                    "The storage engine for the table doesn't support repair".to_owned(),
                ),
                Ok(()) if std::mem::take(&mut damaged) => ("error", "Corrupt".to_owned()),
                Ok(()) => ("status", "OK".to_owned()),
            };
            let is_error = level == "Error";
            grid.row([
                name.as_str().into(),
                operation.into(),
                level.into(),
                text.into(),
            ]);
            if kind == Kind::Optimize || is_error {
                let (level, text) = if is_error {
                    ("status", "Operation failed")
                } else {
                    ("status", "OK")
                };
                grid.row([name.into(), operation.into(), level.into(), text.into()]);
            }
        }
        Ok(grid.into_result())
    }

    pub(super) async fn show(&mut self, show: &Show) -> Result<ResultSet, SqlError> {
        match show {
            Show::BinaryLogs => {
                let files = self.node.role.binary_logs().await?;
                Ok(show::replication::binary_logs(&files))
            }
            Show::BinlogEvents {
                relay,
                file,
                position,
                limit,
                ..
            } => {
                let request = crate::role::EventsRequest {
                    is_relay_log: *relay,
                    file: file.clone(),
                    position: *position,
                    limit: *limit,
                };
                let events = self.node.role.events(request).await?;
                Ok(show::replication::events(&events))
            }
            show => show::execute(&self.view(), show),
        }
    }
}
