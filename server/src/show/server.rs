//! SHOW of variables, status, sessions, engines, character sets and grants.

use std::sync::atomic::Ordering;

use engine::collation::{self, Charset};
use engine::outcome::ResultSet;
use protocol::server::TlsSession;
use sql::ast::AccountName;
use sql::error::{SqlError, Warning, WarningLevel};

use super::grid::{Cell, Grid};
use crate::information_schema::{collations, engines, processlist};
use crate::node::Node;
use crate::view::View;

pub(super) fn variables(view: &View<'_>, global: bool) -> Grid {
    let mut grid = Grid::new()
        .text("Variable_name", 256)
        .text("Value", 4096)
        .never_null(&["Variable_name"]);
    let shown = match global {
        true => view.viewer.node.variables.shown(),
        false => view.variables.shown(),
    };
    for (name, value) in shown {
        grid.row([name.into(), value.into()]);
    }
    grid
}

pub(super) fn status(node: &Node, tls: Option<&TlsSession>) -> Grid {
    let mut rows: Vec<(String, String)> = node
        .commands()
        .into_iter()
        .map(|(command, count)| (format!("Com_{command}"), count.to_string()))
        .collect();
    let processes = &node.processes;
    let running = processes
        .all()
        .iter()
        .filter(|p| p.activity().command == "Query")
        .count();
    let uptime = node.started.elapsed().as_secs();
    let accepted = processes.accepted.load(Ordering::Relaxed);
    let refused = processes.refused.load(Ordering::Relaxed);
    let questions = processes.questions.load(Ordering::Relaxed);
    for (name, value) in [
        ("Aborted_connects", refused),
        ("Connections", accepted.saturating_add(refused)),
        ("Queries", questions),
        ("Questions", questions),
        ("Slow_queries", 0),
        ("Threads_connected", processes.count() as u64),
        ("Threads_running", running as u64),
        ("Uptime", uptime),
        ("Uptime_since_flush_status", uptime),
    ] {
        rows.push((name.to_owned(), value.to_string()));
    }
    let (version, cipher) = tls.map_or(("", ""), |tls| (tls.version, tls.cipher.as_str()));
    rows.push(("Ssl_cipher".to_owned(), cipher.to_owned()));
    rows.push(("Ssl_version".to_owned(), version.to_owned()));
    if let Some(observation) = node.control.observe() {
        rows.extend(observation.status_variables());
    }
    rows.sort();
    let mut grid = Grid::new()
        .text("Variable_name", 256)
        .text("Value", 4096)
        .never_null(&["Variable_name"]);
    for (name, value) in rows {
        grid.row([name.into(), value.into()]);
    }
    grid
}

pub(super) fn warnings(
    view: &View<'_>,
    count: bool,
    limit: Option<(u64, u64)>,
    errors_only: bool,
) -> ResultSet {
    let wanted = |warning: &&Warning| !errors_only || warning.level == WarningLevel::Error;
    let found = view.warnings.iter().filter(wanted);
    if count {
        let name = if errors_only {
            "@@session.error_count"
        } else {
            "@@session.warning_count"
        };
        let mut grid = Grid::new().number(name, 21);
        grid.row([Cell::Number(found.count() as u64)]);
        return grid.into_result();
    }
    let mut grid = Grid::new()
        .text("Level", 28)
        .number("Code", 5)
        .text("Message", 2048)
        .all_never_null();
    let (skipped, most) = limit.unwrap_or((0, u64::MAX));
    let size = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    for warning in found.skip(size(skipped)).take(size(most)) {
        grid.row([
            warning.level.name().into(),
            u64::from(warning.code).into(),
            warning.message.as_str().into(),
        ]);
    }
    grid.into_result()
}

pub(super) fn process_list(view: &View<'_>, full: bool) -> ResultSet {
    let shown = if full { usize::MAX } else { 100 };
    let mut grid = Grid::new()
        .number("Id", 22)
        .text("User", 128)
        .text("Host", 1020)
        .text("db", 256)
        .text("Command", 64)
        .number("Time", 8)
        .text("State", 120)
        .blob("Info", 805_306_368)
        .never_null(&["Id", "User", "Host", "Command", "Time"]);
    for process in view.viewer.processes() {
        grid.row(processlist::cells(&process, shown));
    }
    grid.into_result()
}

pub(super) fn engines() -> Grid {
    let mut grid = Grid::new()
        .text("Engine", 256)
        .text("Support", 32)
        .text("Comment", 320)
        .text("Transactions", 12)
        .text("XA", 12)
        .text("Savepoints", 12)
        .never_null(&["Engine", "Support", "Comment"]);
    grid.row(engines::cells());
    grid
}

pub(super) fn engine_status(node: &Node) -> ResultSet {
    let mut grid = Grid::new()
        .text("Type", 40)
        .text("Name", 2048)
        .blob("Status", 40_960);
    let text = format!(
        "weir {}: rows are in SQLite; see SHOW STATUS and SHOW PROCESSLIST\n",
        node.settings.version
    );
    grid.row(["InnoDB".into(), "".into(), text.into()]);
    grid.into_result()
}

pub(super) fn charsets() -> Grid {
    let mut grid = Grid::new()
        .text("Charset", 256)
        .text("Description", 8192)
        .text("Default collation", 256)
        .number("Maxlen", 10)
        .all_never_null();
    for charset in Charset::ALL {
        grid.row([
            charset.name().into(),
            charset.description().into(),
            charset.default_collation().name.into(),
            u64::from(charset.bytes_per_char_max()).into(),
        ]);
    }
    grid
}

pub(super) fn collations() -> Grid {
    let mut grid = Grid::new()
        .text("Collation", 256)
        .text("Charset", 256)
        .number("Id", 20)
        .text("Default", 12)
        .text("Compiled", 12)
        .number("Sortlen", 10)
        .text("Pad_attribute", 36)
        .all_never_null();
    let mut all: Vec<_> = collation::all().to_vec();
    all.sort_by_key(|collation| collation.name);
    for collation in all {
        grid.row(collations::cells(collation));
    }
    grid
}

pub(super) fn grants(view: &View<'_>, user: Option<&AccountName>) -> Result<ResultSet, SqlError> {
    let named;
    let account = match user {
        None => view.viewer.account,
        Some(name) => {
            let found = view.viewer.node.accounts.named(name);
            named = found.ok_or_else(|| crate::accounts::no_such_grant(name))?;
            named.as_ref()
        }
    };
    let AccountName { user, host } = &account.name;
    let name = format!("Grants for {user}@{host}");
    let mut grid = Grid::new().text(&name, 4096).all_never_null();
    for line in account.grants() {
        grid.row([line.into()]);
    }
    Ok(grid.into_result())
}

pub(super) fn plugins() -> Grid {
    let mut grid = Grid::new()
        .text("Name", 256)
        .text("Status", 40)
        .text("Type", 320)
        .text("Library", 256)
        .text("License", 320);
    for (name, kind) in [
        ("binlog", "STORAGE ENGINE"),
        ("mysql_native_password", "AUTHENTICATION"),
        ("caching_sha2_password", "AUTHENTICATION"),
        ("InnoDB", "STORAGE ENGINE"),
    ] {
        grid.row([
            name.into(),
            "ACTIVE".into(),
            kind.into(),
            Cell::Null,
            "MIT OR Apache-2.0".into(),
        ]);
    }
    grid
}
