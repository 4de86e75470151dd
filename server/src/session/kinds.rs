//! What kind of statement it is: its counter, whether it commits first, whether it may write.

use sql::Statement;
use sql::ast::Show;

/// The `Com_` counter, without its prefix.
pub(super) const fn counter(statement: &Statement) -> &'static str {
    match statement {
        Statement::Empty => "empty_query",
        Statement::Select(_) => "select",
        Statement::Insert(_) => "insert",
        Statement::Replace(_) => "replace",
        Statement::Update(_) => "update",
        Statement::Delete(_) => "delete",
        Statement::Do(_) => "do",
        Statement::CreateDatabase { .. } => "create_db",
        Statement::AlterDatabase { .. } => "alter_db",
        Statement::DropDatabase { .. } => "drop_db",
        Statement::CreateTable(_) => "create_table",
        Statement::AlterTable(_) => "alter_table",
        Statement::DropTable { .. } => "drop_table",
        Statement::DropView { .. } => "drop_view",
        Statement::TruncateTable(_) => "truncate",
        Statement::CreateIndex(_) => "create_index",
        Statement::DropIndex { .. } => "drop_index",
        Statement::RenameTable(_) => "rename_table",
        Statement::Begin { .. } => "begin",
        Statement::Commit { .. } => "commit",
        Statement::Rollback { .. } => "rollback",
        Statement::Savepoint(_) => "savepoint",
        Statement::RollbackToSavepoint(_) => "rollback_to_savepoint",
        Statement::ReleaseSavepoint(_) => "release_savepoint",
        Statement::LockTables(_) => "lock_tables",
        Statement::UnlockTables => "unlock_tables",
        Statement::Set(_) | Statement::SetPassword { .. } => "set_option",
        Statement::Show(_) | Statement::Describe { .. } => "show",
        Statement::Use(_) => "change_db",
        Statement::Explain { .. } => "explain_other",
        Statement::Help(_) => "help",
        Statement::Kill { .. } => "kill",
        Statement::Flush(_) => "flush",
        Statement::Prepare { .. } => "prepare_sql",
        Statement::Execute { .. } => "execute_sql",
        Statement::Deallocate { .. } => "dealloc_sql",
        Statement::CreateUser { .. } => "create_user",
        Statement::AlterUser { .. } => "alter_user",
        Statement::RotateBinlogKey => "alter_instance",
        Statement::DropUser { .. } => "drop_user",
        Statement::Grant(_) => "grant",
        Statement::Revoke(_) => "revoke",
        _ => "admin_commands",
    }
}

/// Whether the statement leaves the diagnostics of the one before it.
pub(super) fn keeps_diagnostics(statement: &Statement) -> bool {
    match statement {
        Statement::Show(show) => matches!(**show, Show::Warnings { .. } | Show::Errors { .. }),
        _ => false,
    }
}

/// Whether the statement changes the schema: it commits what is open and is a transaction itself.
pub(super) const fn is_ddl(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::CreateDatabase { .. }
            | Statement::AlterDatabase { .. }
            | Statement::DropDatabase { .. }
            | Statement::CreateTable(_)
            | Statement::AlterTable(_)
            | Statement::DropTable { .. }
            | Statement::DropView { .. }
            | Statement::TruncateTable(_)
            | Statement::CreateIndex(_)
            | Statement::DropIndex { .. }
            | Statement::RenameTable(_)
    )
}

/// Whether the statement changes rows.
pub(super) const fn is_row_write(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Insert(_) | Statement::Replace(_) | Statement::Update(_) | Statement::Delete(_)
    )
}

/// Whether the statement commits what is open without being a transaction of the engine.
pub(super) const fn commits_first(statement: &Statement) -> bool {
    is_ddl(statement)
        || matches!(
            statement,
            Statement::CreateUser { .. }
                | Statement::AlterUser { .. }
                | Statement::DropUser { .. }
                | Statement::RenameUser(_)
                | Statement::SetPassword { .. }
                | Statement::Grant(_)
                | Statement::Revoke(_)
                | Statement::LockTables(_)
                | Statement::Flush(_)
                | Statement::Maintenance { .. }
                | Statement::ResetBinaryLogs { .. }
                | Statement::RotateBinlogKey
                | Statement::ChangeReplicationSource { .. }
                | Statement::StartReplica { .. }
                | Statement::StopReplica { .. }
                | Statement::ResetReplica { .. }
        )
}
