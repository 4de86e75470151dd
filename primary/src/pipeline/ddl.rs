//! Which databases a DDL statement changes.

use engine::session::SessionContext;
use sql::Statement;
use sql::ast::TableName;

/// The database that a statement is about as a whole, if it names one.
pub(super) fn database(statement: &Statement) -> Option<&str> {
    match statement {
        Statement::CreateDatabase { name, .. } | Statement::DropDatabase { name, .. } => Some(name),
        Statement::AlterDatabase { name, .. } => name.as_deref(),
        _ => None,
    }
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
