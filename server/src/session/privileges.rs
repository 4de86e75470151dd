//! Which privilege a statement needs, with MySQL's errors 1044, 1142 and 1227.
//!
//! The tables come from the statement's tree, each with what it is needed for; nothing is decided on
//! the text. A session acts with what its account may do now.
// Differs from MySQL: what is granted or revoked holds for open sessions at their next statement, on
// `*.*` too, and a session whose account is gone may do nothing. MySQL waits for the next connection.

use std::collections::HashMap;
use std::sync::Arc;

use sql::ast::{Admin, Ddl, FlushTarget, Query, Replication, Show, ShowCreate, TableName};
use sql::error::SqlError;
use sql::{Access, Parsed, Right, Statement};

use super::Session;
use crate::accounts::Privilege as P;
use crate::information_schema::SessionTables;

impl Session {
    /// Fails unless the account may run the statement.
    pub(super) fn check_privileges(&mut self, parsed: &Parsed) -> Result<(), SqlError> {
        self.refresh_account();
        self.check_access(&parsed.statement.access()?)?;
        match &parsed.statement {
            Statement::Ddl(ddl) => self.check_databases_of(ddl),
            Statement::Query(query) => self.check_query(query),
            Statement::Account(account) => {
                let database = self.context.database.as_deref();
                self.node.accounts.check(&self.account, account, database)
            }
            Statement::Replication(replication) => self.check_replication(replication),
            Statement::Admin(admin) => self.check_admin(admin),
            // Tables are all that these touch, or what they run is checked when it runs.
            Statement::Write(_) | Statement::Transaction(_) | Statement::Prepared(_) => Ok(()),
            Statement::Empty | Statement::NotSupported { .. } => Ok(()),
        }
    }

    /// Takes over what became of the session's account since the last statement.
    pub(super) fn refresh_account(&mut self) {
        let name = &self.account.name;
        let now = self.node.accounts.named(name).unwrap_or_else(|| {
            let plugin = self.account.plugin;
            Arc::new(crate::accounts::Account::new(
                name.clone(),
                plugin,
                String::new(),
            ))
        });
        if !Arc::ptr_eq(&now, &self.account) {
            self.account = now;
            self.context.virtual_tables = self.virtual_tables();
        }
    }

    /// The tables that are made up for this session, by what its account may see.
    pub(super) fn virtual_tables(&self) -> Arc<SessionTables> {
        Arc::new(SessionTables {
            node: Arc::clone(&self.node),
            account: Arc::clone(&self.account),
        })
    }

    /// Checks every table with all that it is needed for.
    fn check_access(&self, accesses: &[Access]) -> Result<(), SqlError> {
        let mut needed: HashMap<&TableName, Vec<Right>> = HashMap::new();
        let mut tables = Vec::new();
        for access in accesses {
            let rights = needed.entry(&access.table).or_insert_with(|| {
                tables.push(&access.table);
                Vec::new()
            });
            rights.push(access.right);
        }
        tables.into_iter().try_for_each(|table| {
            let rights = needed.get(table).into_iter().flatten().copied();
            self.check_table(table, rights)
        })
    }

    /// Error 1044 for whatever would change the tables that the server makes up, and for new ones
    /// beside them.
    fn check_virtual(&self, table: &TableName, rights: &[Right]) -> Result<(), SqlError> {
        let Some(name) = table
            .database
            .as_deref()
            .or(self.context.database.as_deref())
        else {
            return Ok(());
        };
        let is_made_up = crate::information_schema::canonical(name).is_some();
        let is_denied = (is_made_up && rights.iter().any(|right| *right != Right::Select))
            || (name.eq_ignore_ascii_case("performance_schema") && rights.contains(&Right::Create));
        match is_denied {
            true => Err(self.database_denied(name)),
            false => Ok(()),
        }
    }

    fn check_table(
        &self,
        table: &TableName,
        rights: impl Iterator<Item = Right>,
    ) -> Result<(), SqlError> {
        let rights: Vec<Right> = rights.collect();
        self.check_virtual(table, &rights)?;
        if rights.iter().all(|right| self.has_everywhere(*right)) {
            return Ok(());
        }
        let database = self.database_of(table)?;
        let is_virtual = crate::information_schema::canonical(database).is_some();
        let mut missing: Vec<Right> = rights
            .into_iter()
            .filter(|right| !(is_virtual && *right == Right::Select))
            .filter(|right| !self.has_in(*right, database))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort();
        let names: Vec<&str> = missing.into_iter().map(right_name).collect();
        let account = &self.account.name;
        Err(SqlError::table_access_denied(
            names.join(", "),
            &account.user,
            &account.host,
            &table.name,
        ))
    }

    fn has_everywhere(&self, right: Right) -> bool {
        privileges_of(right).iter().any(|p| self.account.has(*p))
    }

    fn has_in(&self, right: Right, database: &str) -> bool {
        privileges_of(right)
            .iter()
            .any(|p| self.account.has_on(*p, database))
    }

    fn check_databases_of(&self, ddl: &Ddl) -> Result<(), SqlError> {
        match ddl {
            Ddl::CreateDatabase { name, .. } => self.check_database(P::Create, name),
            Ddl::AlterDatabase { name, .. } => match name {
                Some(name) => self.check_database(P::Alter, name),
                None => self.check_database(P::Alter, self.context.require_database()?),
            },
            Ddl::DropDatabase { name, .. } => self.check_database(P::Drop, name),
            // Their tables were checked.
            Ddl::CreateTable(_)
            | Ddl::AlterTable(_)
            | Ddl::DropTable { .. }
            | Ddl::DropView { .. }
            | Ddl::TruncateTable(_)
            | Ddl::CreateIndex(_)
            | Ddl::DropIndex { .. }
            | Ddl::RenameTable(_) => Ok(()),
        }
    }

    fn check_query(&self, query: &Query) -> Result<(), SqlError> {
        match query {
            Query::Show(show) => self.check_show(show),
            Query::Describe { table, .. } => self.check_visible(table),
            Query::Select(_) | Query::Do(_) | Query::Explain { .. } => Ok(()),
        }
    }

    fn check_replication(&self, replication: &Replication) -> Result<(), SqlError> {
        match replication {
            Replication::PurgeBinaryLogs(_) => self.require_any(&[P::Super, P::BinlogAdmin]),
            Replication::RotateBinlogKey => self.require_any(&[P::Super, P::BinlogEncryptionAdmin]),
            Replication::ResetBinaryLogs { .. } | Replication::ResetReplica { .. } => {
                self.require_any(&[P::Reload])
            }
            Replication::ChangeReplicationSource { .. }
            | Replication::ChangeReplicationFilter { .. }
            | Replication::StartReplica { .. }
            | Replication::StopReplica { .. } => {
                self.require_any(&[P::Super, P::ReplicationSlaveAdmin])
            }
        }
    }

    fn check_admin(&self, admin: &Admin) -> Result<(), SqlError> {
        match admin {
            Admin::Flush(targets) => targets.iter().try_for_each(|target| match target {
                FlushTarget::Tables { .. }
                | FlushTarget::Logs
                | FlushTarget::BinaryLogs
                | FlushTarget::RelayLogs { .. }
                | FlushTarget::OtherLogs(_)
                | FlushTarget::Privileges
                | FlushTarget::Status
                | FlushTarget::Other(_) => self.require_any(&[P::Reload]),
            }),
            Admin::Shutdown => self.require_any(&[P::Shutdown]),
            // Variables, sessions and databases are checked where they are known: SET GLOBAL, RESET
            // PERSIST, KILL, USE. The tables of maintenance were checked.
            Admin::Set(_)
            | Admin::ResetPersist { .. }
            | Admin::Use(_)
            | Admin::Kill { .. }
            | Admin::Help(_)
            | Admin::Maintenance { .. } => Ok(()),
        }
    }

    fn check_show(&self, show: &Show) -> Result<(), SqlError> {
        match show {
            Show::BinaryLogStatus { .. }
            | Show::BinaryLogs
            | Show::ReplicaStatus { .. }
            | Show::AllReplicasStatus => self.require_any(&[P::Super, P::ReplicationClient]),
            Show::BinlogEvents { .. } | Show::Replicas { .. } => {
                self.require_any(&[P::ReplicationSlave])
            }
            Show::Engine { .. } => self.require_any(&[P::Process]),
            Show::Columns { table, .. } | Show::Index { table, .. } => self.check_visible(table),
            Show::Create(create) => self.check_show_create(create),
            Show::Tables { database, .. }
            | Show::TableStatus { database, .. }
            | Show::OpenTables { database, .. }
            | Show::Triggers { database, .. }
            | Show::Events { database, .. } => match database {
                Some(name) => self.check_database_visible(name),
                None => match &self.context.database {
                    Some(name) => self.check_database_visible(name),
                    None => Ok(()),
                },
            },
            Show::Grants { user } => match user {
                // MySQL asks for SELECT on the mysql schema.
                Some(name) if *name != self.account.name => self.check_database(P::Select, "mysql"),
                Some(_) | None => Ok(()),
            },
            // What these show is the server's or the session's own, or is shown by what the account
            // may see.
            Show::Databases { .. }
            | Show::Variables { .. }
            | Show::Status { .. }
            | Show::Warnings { .. }
            | Show::Errors { .. }
            | Show::ProcessList { .. }
            | Show::Engines
            | Show::Charset { .. }
            | Show::Collation { .. }
            | Show::Privileges
            | Show::Plugins
            | Show::Profiles
            | Show::ProcedureStatus { .. }
            | Show::FunctionStatus { .. } => Ok(()),
        }
    }

    fn check_show_create(&self, create: &ShowCreate) -> Result<(), SqlError> {
        match create {
            ShowCreate::Table(table) | ShowCreate::View(table) => self.check_any_right(table),
            ShowCreate::Database { name, .. } => self.check_database_visible(name),
            ShowCreate::User(Some(name)) if *name != self.account.name => {
                self.check_database(P::Select, "mysql")
            }
            ShowCreate::User(_) => Ok(()),
            ShowCreate::Other(_, name) => match &name.database {
                Some(database) => self.check_database_visible(database),
                None => Ok(()),
            },
        }
    }

    fn check_database_visible(&self, database: &str) -> Result<(), SqlError> {
        let is_virtual = crate::information_schema::canonical(database).is_some();
        if is_virtual || self.account.has_any_on(database) {
            Ok(())
        } else {
            Err(self.database_denied(database))
        }
    }

    fn database_denied(&self, database: &str) -> SqlError {
        let name = &self.account.name;
        SqlError::db_access_denied(&name.user, &name.host, database)
    }

    fn check_database(&self, privilege: P, database: &str) -> Result<(), SqlError> {
        if self.account.has_on(privilege, database) {
            Ok(())
        } else {
            Err(self.database_denied(database))
        }
    }

    fn database_of<'a>(&'a self, table: &'a TableName) -> Result<&'a str, SqlError> {
        match &table.database {
            Some(database) => Ok(database),
            None => self.context.require_database(),
        }
    }

    /// Fails unless the account may read the table: what DESCRIBE and its like ask.
    pub(super) fn check_visible(&self, table: &TableName) -> Result<(), SqlError> {
        self.check_table(table, std::iter::once(Right::Select))
    }

    /// Fails unless the account has some privilege on the table itself: SHOW CREATE TABLE.
    fn check_any_right(&self, table: &TableName) -> Result<(), SqlError> {
        let database = self.database_of(table)?;
        let rights = [
            Right::Insert,
            Right::Update,
            Right::Delete,
            Right::Create,
            Right::Drop,
            Right::References,
            Right::Index,
            Right::Alter,
        ];
        if rights.iter().any(|right| self.has_in(*right, database)) {
            return Ok(());
        }
        self.check_visible(table)
    }
}

/// The privileges of which one gives the right.
const fn privileges_of(right: Right) -> &'static [P] {
    match right {
        Right::Select => &[P::Select],
        Right::Insert => &[P::Insert],
        Right::Update => &[P::Update],
        Right::Delete => &[P::Delete],
        Right::Create => &[P::Create],
        Right::Drop => &[P::Drop],
        Right::References => &[P::References],
        Right::Index => &[P::Index],
        Right::Alter => &[P::Alter],
        Right::LockTables => &[P::LockTables],
        Right::LockRows => &[P::Update, P::Delete, P::LockTables],
    }
}

/// MySQL's name of it in error 1142.
fn right_name(right: Right) -> &'static str {
    match right {
        Right::LockRows => "SELECT with locking clause",
        Right::Select
        | Right::Insert
        | Right::Update
        | Right::Delete
        | Right::Create
        | Right::Drop
        | Right::References
        | Right::Index
        | Right::Alter
        | Right::LockTables => privileges_of(right).first().map_or("", |p| p.name()),
    }
}
