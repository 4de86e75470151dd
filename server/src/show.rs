//! SHOW, DESCRIBE and HELP: result sets about the node, with MySQL's columns.
//!
//! Column names, types and widths: captured from MySQL 9.7 (SHOW forms of real clients).

mod filter;
mod grid;
pub(crate) mod replication;
mod schema;
mod server;

use engine::outcome::ResultSet;
use sql::ast::{SetScope, Show, ShowCreate, ShowFilter, TableName};
use sql::error::SqlError;

use crate::accounts::GeneratedPassword;
use crate::node::Node;
use crate::view::View;
pub(crate) use filter::like;
pub(crate) use grid::{Cell, Grid};

/// Executes a SHOW that needs nothing but what is in memory.
pub(crate) fn execute(view: &View<'_>, show: &Show) -> Result<ResultSet, SqlError> {
    if let Some(result) = about_schema(view, show) {
        return result;
    }
    let node = view.viewer.node;
    match show {
        Show::Variables { scope, filter } => {
            let grid = server::variables(view, *scope == SetScope::Global);
            filter::apply(grid, filter.as_ref(), 0)
        }
        Show::Status { filter, .. } => {
            filter::apply(server::status(node, view.tls), filter.as_ref(), 0)
        }
        Show::Warnings { count, limit } => Ok(server::warnings(view, *count, *limit, false)),
        Show::Errors { count, limit } => Ok(server::warnings(view, *count, *limit, true)),
        Show::ProcessList { full } => Ok(server::process_list(view, *full)),
        Show::Engines => Ok(server::engines().into_result()),
        Show::Engine { what, .. } if what == "STATUS" => Ok(server::engine_status(node)),
        Show::Engine { .. } => Err(SqlError::not_supported("SHOW ENGINE")),
        Show::Charset { filter } => filter::apply(server::charsets(), filter.as_ref(), 0),
        Show::Collation { filter } => filter::apply(server::collations(), filter.as_ref(), 0),
        Show::Grants { user } => server::grants(view, user.as_ref()),
        Show::Plugins => Ok(server::plugins().into_result()),
        Show::Privileges => Err(SqlError::not_supported("SHOW PRIVILEGES")),
        Show::Profiles => Err(SqlError::not_supported("SHOW PROFILES")),
        Show::BinaryLogStatus { .. } => Ok(replication::binary_log_status(&*node.role)),
        Show::Replicas { legacy } => Ok(replication::replicas(node, *legacy)),
        Show::ReplicaStatus { legacy, channel } => {
            let status = node.role.replica_status();
            replication::replica_status(&status, *legacy, channel.as_deref())
        }
        // MariaDB's own statement: MySQL's answer lets monitors try the next form.
        Show::AllReplicasStatus => Err(SqlError::parse("ALL SLAVES STATUS", 1)),
        _ => Err(SqlError::unknown_command()),
    }
}

fn about_schema(view: &View<'_>, show: &Show) -> Option<Result<ResultSet, SqlError>> {
    Some(match show {
        Show::Databases { filter } => {
            filter::apply(schema::databases(view, filter.as_ref()), filter.as_ref(), 0)
        }
        Show::Tables {
            full,
            database,
            filter,
        } => schema::tables(view, *full, database.as_deref(), filter.as_ref())
            .and_then(|grid| filter::apply(grid, filter.as_ref(), 0)),
        Show::TableStatus { database, filter } => schema::table_status(view, database.as_deref())
            .and_then(|grid| filter::apply(grid, filter.as_ref(), 0)),
        Show::OpenTables { .. } => Ok(schema::open_tables()),
        Show::Columns {
            full,
            table,
            filter,
            ..
        } => schema::columns(view, table, *full)
            .and_then(|grid| filter::apply(grid, filter.as_ref(), 0)),
        Show::Index { table, filter } => {
            schema::index(view, table).and_then(|grid| filter::apply(grid, filter.as_ref(), 2))
        }
        Show::Create(ShowCreate::User(_)) => Err(SqlError::not_supported("SHOW CREATE USER")),
        Show::Create(create) => schema::create(view, create),
        Show::Triggers { .. } => Ok(schema::triggers()),
        Show::Events { .. } => Ok(schema::events()),
        Show::ProcedureStatus { .. } | Show::FunctionStatus { .. } => Ok(schema::routines()),
        _ => return None,
    })
}

/// DESCRIBE table [column | pattern].
pub(crate) fn describe(
    view: &View<'_>,
    table: &TableName,
    column: Option<&str>,
) -> Result<ResultSet, SqlError> {
    let filter = column.map(|c| ShowFilter::Like(c.to_owned()));
    filter::apply(schema::columns(view, table, false)?, filter.as_ref(), 0)
}

/// HELP knows no topic.
pub(crate) fn help() -> ResultSet {
    Grid::new()
        .text("name", 256)
        .text("description", 65_535)
        .text("example", 65_535)
        .into_result()
}

/// What CREATE USER ... RANDOM PASSWORD shows once.
pub(crate) fn generated_passwords(generated: &[GeneratedPassword]) -> ResultSet {
    let mut grid = Grid::new()
        .text("user", 128)
        .text("host", 1020)
        .text("generated password", 256)
        .number("auth_factor", 10);
    for entry in generated {
        grid.row([
            entry.account.user.as_str().into(),
            entry.account.host.as_str().into(),
            entry.password.as_str().into(),
            Cell::Number(1),
        ]);
    }
    grid.into_result()
}

/// The text of COM_STATISTICS.
pub(crate) fn statistics(node: &Node) -> String {
    use std::sync::atomic::Ordering;
    let uptime = node.started.elapsed().as_secs();
    let questions = node.processes.questions.load(Ordering::Relaxed);
    let threads = node.processes.count();
    let tables = node.readers.database().catalog().tables().count();
    #[expect(clippy::cast_precision_loss, reason = "an average for people")]
    let average = questions as f64 / uptime.max(1) as f64;
    format!(
        "Uptime: {uptime}  Threads: {threads}  Questions: {questions}  Slow queries: 0  Opens: \
         {tables}  Flush tables: 0  Open tables: {tables}  Queries per second avg: {average:.3}"
    )
}
