//! Which statements are DDL, and which databases they change.

use engine::session::SessionContext;
use engine::sql::Statement;
use engine::sql::ast::TableName;

/// Whether the statement is logged as its text rather than as rows.
pub(crate) const fn is_ddl(statement: &Statement) -> bool {
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

/// The databases that a DDL statement changes, each once.
pub(super) fn schemas(statement: &Statement, session: &SessionContext) -> Vec<String> {
    let of_table = |table: &TableName| table.database.clone().or_else(|| session.database.clone());
    let names: Vec<Option<String>> = match statement {
        Statement::CreateDatabase { name, .. } | Statement::DropDatabase { name, .. } => {
            vec![Some(name.clone())]
        }
        Statement::AlterDatabase { name, .. } => {
            vec![name.clone().or_else(|| session.database.clone())]
        }
        Statement::CreateTable(create) => vec![of_table(&create.name)],
        Statement::AlterTable(alter) => vec![of_table(&alter.table)],
        Statement::DropTable { tables, .. } | Statement::DropView { views: tables, .. } => {
            tables.iter().map(of_table).collect()
        }
        Statement::TruncateTable(table) | Statement::DropIndex { table, .. } => {
            vec![of_table(table)]
        }
        Statement::CreateIndex(create) => vec![of_table(&create.table)],
        Statement::RenameTable(pairs) => {
            let both = pairs.iter().flat_map(|(from, to)| [from, to]);
            both.map(of_table).collect()
        }
        _ => Vec::new(),
    };
    let mut names: Vec<String> = names.into_iter().flatten().collect();
    names.sort();
    names.dedup();
    names
}
