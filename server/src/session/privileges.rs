//! Which privilege a statement needs, with MySQL's errors 1044, 1142 and 1227.
//!
//! Grants exist on everything and on databases. An account with a global privilege passes at once;
//! for others the databases that a statement names count, wherever in it they stand.

use sql::ast::{
    Account, Admin, Ddl, Query, Replication, Show, ShowCreate, TableName, Transaction, Write,
};
use sql::error::SqlError;
use sql::{Parsed, Statement};
use sqlparser::ast as sp;

use super::Session;
use crate::accounts::Privilege as P;

impl Session {
    /// Fails unless the account may run the statement.
    pub(super) fn check_privileges(&self, parsed: &Parsed) -> Result<(), SqlError> {
        match &parsed.statement {
            Statement::Query(Query::Select(_)) => self.check_reads(parsed),
            Statement::Write(Write::Insert(insert)) => {
                self.check_object(P::Insert, &insert.table)?;
                self.check_reads_beside(parsed, insert.source.is_some())
            }
            Statement::Write(Write::Replace(insert)) => {
                self.check_object(P::Insert, &insert.table)?;
                self.check_object(P::Delete, &insert.table)?;
                self.check_reads_beside(parsed, insert.source.is_some())
            }
            Statement::Write(Write::Update(_)) => {
                self.check_mentioned(parsed, &[P::Update, P::Select])
            }
            Statement::Write(Write::Delete(_)) => {
                self.check_mentioned(parsed, &[P::Delete, P::Select])
            }
            Statement::Ddl(Ddl::CreateDatabase { name, .. }) => {
                self.check_database(P::Create, name)
            }
            Statement::Ddl(Ddl::AlterDatabase { name, .. }) => {
                let current = self.context.database.clone().unwrap_or_default();
                self.check_database(P::Alter, name.as_ref().unwrap_or(&current))
            }
            Statement::Ddl(Ddl::DropDatabase { name, .. }) => self.check_database(P::Drop, name),
            Statement::Ddl(Ddl::CreateTable(table)) => self.check_table(P::Create, &table.name),
            Statement::Ddl(Ddl::AlterTable(alter)) => self.check_table(P::Alter, &alter.table),
            Statement::Ddl(Ddl::DropTable { tables, .. }) => self.check_tables(P::Drop, tables),
            Statement::Ddl(Ddl::DropView { views, .. }) => self.check_tables(P::Drop, views),
            Statement::Ddl(Ddl::TruncateTable(table)) => self.check_table(P::Drop, table),
            Statement::Ddl(Ddl::CreateIndex(index)) => self.check_table(P::Index, &index.table),
            Statement::Ddl(Ddl::DropIndex { table, .. }) => self.check_table(P::Index, table),
            Statement::Ddl(Ddl::RenameTable(pairs)) => pairs.iter().try_for_each(|(from, to)| {
                self.check_table(P::Alter, from)?;
                self.check_table(P::Drop, from)?;
                self.check_table(P::Create, to)?;
                self.check_table(P::Insert, to)
            }),
            Statement::Transaction(Transaction::LockTables(locks)) => {
                locks.iter().try_for_each(|lock| {
                    self.check_table(P::LockTables, &lock.table)?;
                    self.check_table(P::Select, &lock.table)
                })
            }
            Statement::Query(Query::Describe { table, .. }) => self.check_visible(table),
            Statement::Query(Query::Show(show)) => self.check_show(show),
            Statement::Admin(Admin::Maintenance { tables, .. }) => {
                self.check_tables(P::Select, tables)
            }
            statement => self.check_administrative(statement),
        }
    }

    fn check_administrative(&self, statement: &Statement) -> Result<(), SqlError> {
        match statement {
            Statement::Account(Account::CreateUser { .. })
            | Statement::Account(Account::DropUser { .. })
            | Statement::Account(Account::RenameUser(_)) => self.require_any(&[P::CreateUser]),
            Statement::Account(Account::AlterUser { users, .. }) => {
                let is_own = users.iter().all(|user| {
                    user.account
                        .as_ref()
                        .is_none_or(|name| *name == self.account.name)
                });
                if is_own {
                    Ok(())
                } else {
                    self.require_any(&[P::CreateUser])
                }
            }
            Statement::Account(Account::SetPassword {
                user: Some(name), ..
            }) if *name != self.account.name => self.require_any(&[P::CreateUser]),
            Statement::Account(Account::Grant(_)) | Statement::Account(Account::Revoke(_)) => {
                self.check_may_grant()
            }
            Statement::Admin(Admin::Flush(_)) => self.require_any(&[P::Reload]),
            Statement::Replication(Replication::PurgeBinaryLogs(_)) => {
                self.require_any(&[P::Super, P::BinlogAdmin])
            }
            Statement::Replication(Replication::RotateBinlogKey) => {
                self.require_any(&[P::Super, P::BinlogEncryptionAdmin])
            }
            Statement::Replication(Replication::ResetBinaryLogs { .. })
            | Statement::Replication(Replication::ResetReplica { .. }) => {
                self.require_any(&[P::Reload])
            }
            Statement::Replication(Replication::ChangeReplicationSource { .. })
            | Statement::Replication(Replication::ChangeReplicationFilter { .. })
            | Statement::Replication(Replication::StartReplica { .. })
            | Statement::Replication(Replication::StopReplica { .. }) => {
                self.require_any(&[P::Super, P::ReplicationSlaveAdmin])
            }
            Statement::Admin(Admin::Shutdown) => self.require_any(&[P::Shutdown]),
            _ => Ok(()),
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
            Show::Create(ShowCreate::Table(table) | ShowCreate::View(table)) => {
                self.check_visible(table)
            }
            Show::Tables {
                database: Some(name),
                ..
            }
            | Show::TableStatus {
                database: Some(name),
                ..
            }
            | Show::Create(ShowCreate::Database { name, .. })
                if !self.can_see(name) =>
            {
                Err(self.database_denied(name))
            }
            Show::Grants { user: Some(name) } if *name != self.account.name => {
                // MySQL asks for SELECT on the mysql schema.
                self.check_database(P::Select, "mysql")
            }
            _ => Ok(()),
        }
    }

    fn check_may_grant(&self) -> Result<(), SqlError> {
        let somewhere = self
            .account
            .databases
            .values()
            .any(|grant| grant.has_grant_option);
        if self.account.has_grant_option || somewhere {
            return Ok(());
        }
        self.require_any(&[P::CreateUser])
    }

    /// Whether the account sees that the database exists.
    pub(super) fn can_see(&self, database: &str) -> bool {
        crate::information_schema::canonical(database).is_some() || self.account.can_see(database)
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

    fn check_table(&self, privilege: P, table: &TableName) -> Result<(), SqlError> {
        if self.account.has(privilege) {
            return Ok(());
        }
        let database = self.database_of(table)?;
        if self.account.has_on(privilege, database) {
            return Ok(());
        }
        let AccountDenied { user, host } = self.denied();
        Err(SqlError::table_access_denied(
            privilege.name(),
            user,
            host,
            &table.name,
        ))
    }

    fn check_tables(&self, privilege: P, tables: &[TableName]) -> Result<(), SqlError> {
        tables
            .iter()
            .try_for_each(|table| self.check_table(privilege, table))
    }

    pub(super) fn check_visible(&self, table: &TableName) -> Result<(), SqlError> {
        let database = self.database_of(table)?;
        if self.can_see(database) {
            Ok(())
        } else {
            self.check_table(P::Select, table)
        }
    }

    fn check_object(&self, privilege: P, table: &sp::TableObject) -> Result<(), SqlError> {
        let sp::TableObject::TableName(name) = table else {
            return Err(SqlError::not_supported(
                "INSERT into something that is no table",
            ));
        };
        self.check_table(privilege, &table_name(name))
    }

    fn check_reads(&self, parsed: &Parsed) -> Result<(), SqlError> {
        self.check_mentioned(parsed, &[P::Select])
    }

    fn check_reads_beside(&self, parsed: &Parsed, reads: bool) -> Result<(), SqlError> {
        if reads {
            self.check_reads(parsed)
        } else {
            Ok(())
        }
    }

    /// Checks every database that the statement mentions. An alias that is also the name of a
    /// database counts as mentioning it: rather an error too many than one too few.
    fn check_mentioned(&self, parsed: &Parsed, privileges: &[P]) -> Result<(), SqlError> {
        if privileges
            .iter()
            .all(|privilege| self.account.has(*privilege))
        {
            return Ok(());
        }
        let options = self.node.parse_options(self.context.sql_mode);
        let mentioned = sql::mentioned(&parsed.text, &options);
        let catalog = self.node.readers.database().catalog();
        let mut databases: Vec<&str> = mentioned
            .qualifiers
            .iter()
            .map(String::as_str)
            .filter(|name| catalog.databases.contains_key(*name))
            .collect();
        if let (true, Some(current)) = (mentioned.has_plain_table, &self.context.database) {
            databases.push(current);
        }
        let AccountDenied { user, host } = self.denied();
        for database in databases {
            if crate::information_schema::canonical(database).is_some() {
                continue;
            }
            for privilege in privileges {
                if !self.account.has_on(*privilege, database) {
                    let table = mentioned.first_table.as_deref().unwrap_or(database);
                    return Err(SqlError::table_access_denied(
                        privilege.name(),
                        user,
                        host,
                        table,
                    ));
                }
            }
        }
        Ok(())
    }

    fn denied(&self) -> AccountDenied<'_> {
        AccountDenied {
            user: &self.account.name.user,
            host: &self.account.name.host,
        }
    }
}

struct AccountDenied<'a> {
    user: &'a str,
    host: &'a str,
}

/// The table of an object name of one or two parts.
fn table_name(name: &sp::ObjectName) -> TableName {
    let mut parts = name
        .0
        .iter()
        .filter_map(|part| part.as_ident())
        .map(|ident| ident.value.clone());
    let first = parts.next().unwrap_or_default();
    match parts.next() {
        Some(second) => TableName {
            database: Some(first),
            name: second,
        },
        None => TableName {
            database: None,
            name: first,
        },
    }
}
