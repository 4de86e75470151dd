//! What kind of statement it is: its counter, whether it commits first, what it leaves in place.

use sql::Statement;
use sql::ast::{
    Account, Admin, Ddl, LockType, MaintenanceKind, Prepared, Query, Replication, Show,
    Transaction, Write,
};

/// The `Com_` counter, without its prefix.
pub(super) fn counter(statement: &Statement) -> &'static str {
    match statement {
        Statement::Empty => "empty_query",
        Statement::Ddl(ddl) => ddl_counter(ddl),
        Statement::Write(write) => match write {
            Write::Insert(_) => "insert",
            Write::Replace(_) => "replace",
            Write::Update(_) => "update",
            Write::Delete(_) => "delete",
            Write::Binlog(_) => "binlog",
        },
        Statement::Query(query) => match query {
            Query::Select(_) => "select",
            Query::Do(_) => "do",
            Query::Show(_) | Query::Describe { .. } => "show",
            Query::Explain { .. } => "explain_other",
        },
        Statement::Transaction(transaction) => match transaction {
            Transaction::Begin { .. } => "begin",
            Transaction::Commit { .. } => "commit",
            Transaction::Rollback { .. } => "rollback",
            Transaction::Savepoint(_) => "savepoint",
            Transaction::RollbackToSavepoint(_) => "rollback_to_savepoint",
            Transaction::ReleaseSavepoint(_) => "release_savepoint",
            Transaction::LockTables(_) => "lock_tables",
            Transaction::UnlockTables => "unlock_tables",
        },
        Statement::Account(account) => match account {
            Account::CreateUser { .. } => "create_user",
            Account::AlterUser { .. } => "alter_user",
            Account::DropUser { .. } => "drop_user",
            Account::RenameUser(_) => "rename_user",
            Account::SetPassword { .. } => "set_option",
            Account::Grant(_) => "grant",
            Account::Revoke(_) => "revoke",
        },
        Statement::Replication(replication) => match replication {
            Replication::RotateBinlogKey => "alter_instance",
            Replication::PurgeBinaryLogs(_)
            | Replication::ResetBinaryLogs { .. }
            | Replication::ChangeReplicationSource { .. }
            | Replication::ChangeReplicationFilter { .. }
            | Replication::StartReplica { .. }
            | Replication::StopReplica { .. }
            | Replication::ResetReplica { .. } => "admin_commands",
        },
        Statement::Admin(admin) => admin_counter(admin),
        Statement::Prepared(prepared) => match prepared {
            Prepared::Prepare { .. } => "prepare_sql",
            Prepared::Execute { .. } => "execute_sql",
            Prepared::Deallocate { .. } => "dealloc_sql",
        },
        Statement::NotSupported { .. } => "admin_commands",
    }
}

const fn ddl_counter(ddl: &Ddl) -> &'static str {
    match ddl {
        Ddl::CreateDatabase { .. } => "create_db",
        Ddl::AlterDatabase { .. } => "alter_db",
        Ddl::DropDatabase { .. } => "drop_db",
        Ddl::CreateTable(_) => "create_table",
        Ddl::AlterTable(_) => "alter_table",
        Ddl::DropTable { .. } => "drop_table",
        Ddl::DropView { .. } => "drop_view",
        Ddl::TruncateTable(_) => "truncate",
        Ddl::CreateIndex(_) => "create_index",
        Ddl::DropIndex { .. } => "drop_index",
        Ddl::RenameTable(_) => "rename_table",
    }
}

const fn admin_counter(admin: &Admin) -> &'static str {
    match admin {
        Admin::Set(_) => "set_option",
        Admin::Use(_) => "change_db",
        Admin::Help(_) => "help",
        Admin::Kill { .. } => "kill",
        Admin::Flush(_) => "flush",
        Admin::Maintenance { .. } | Admin::ResetPersist { .. } | Admin::Shutdown => {
            "admin_commands"
        }
    }
}

/// Whether the statement leaves the diagnostics of the one before it.
pub(super) fn keeps_diagnostics(statement: &Statement) -> bool {
    let Statement::Query(Query::Show(show)) = statement else {
        return false;
    };
    matches!(**show, Show::Warnings { .. } | Show::Errors { .. })
}

/// Whether the statement commits what is open before it begins.
pub(super) const fn commits_first(statement: &Statement) -> bool {
    match statement {
        Statement::Ddl(Ddl::DropTable {
            temporary: true, ..
        }) => false,
        Statement::Ddl(Ddl::CreateTable(create)) => !create.temporary,
        Statement::Ddl(_) | Statement::Account(_) => true,
        Statement::Transaction(transaction) => match transaction {
            Transaction::LockTables(_) => true,
            Transaction::Begin { .. }
            | Transaction::Commit { .. }
            | Transaction::Rollback { .. }
            | Transaction::Savepoint(_)
            | Transaction::RollbackToSavepoint(_)
            | Transaction::ReleaseSavepoint(_)
            | Transaction::UnlockTables => false,
        },
        Statement::Replication(replication) => match replication {
            Replication::ResetBinaryLogs { .. }
            | Replication::RotateBinlogKey
            | Replication::ChangeReplicationSource { .. }
            | Replication::StartReplica { .. }
            | Replication::StopReplica { .. }
            | Replication::ResetReplica { .. } => true,
            Replication::PurgeBinaryLogs(_) | Replication::ChangeReplicationFilter { .. } => false,
        },
        Statement::Admin(admin) => match admin {
            Admin::Flush(_) => true,
            Admin::Maintenance { kind, .. } => !matches!(kind, MaintenanceKind::Checksum),
            Admin::Set(_)
            | Admin::ResetPersist { .. }
            | Admin::Use(_)
            | Admin::Help(_)
            | Admin::Kill { .. }
            | Admin::Shutdown => false,
        },
        Statement::Empty
        | Statement::Write(_)
        | Statement::Query(_)
        | Statement::Prepared(_)
        | Statement::NotSupported { .. } => false,
    }
}

/// Whether MySQL refuses the statement in a transaction that may only read.
pub(super) fn wants_to_write(statement: &Statement) -> bool {
    match statement {
        Statement::Ddl(_) | Statement::Write(_) | Statement::Account(_) => true,
        Statement::Query(_) => {
            let mut locks = statement.locks().iter();
            locks.any(|lock| matches!(lock.lock_type, LockType::Update))
        }
        Statement::Transaction(Transaction::LockTables(locks)) => {
            locks.iter().any(|lock| lock.write)
        }
        Statement::Admin(Admin::Maintenance { kind, .. }) => match kind {
            MaintenanceKind::Optimize | MaintenanceKind::Repair => true,
            MaintenanceKind::Analyze | MaintenanceKind::Check | MaintenanceKind::Checksum => false,
        },
        Statement::Empty
        | Statement::Transaction(_)
        | Statement::Replication(_)
        | Statement::Admin(_)
        | Statement::Prepared(_)
        | Statement::NotSupported { .. } => false,
    }
}

/// Whether MySQL logs what the statement does.
pub(super) const fn is_logged(statement: &Statement) -> bool {
    match statement {
        Statement::Ddl(_) | Statement::Write(_) | Statement::Account(_) => true,
        Statement::Empty
        | Statement::Query(_)
        | Statement::Transaction(_)
        | Statement::Replication(_)
        | Statement::Admin(_)
        | Statement::Prepared(_)
        | Statement::NotSupported { .. } => false,
    }
}
