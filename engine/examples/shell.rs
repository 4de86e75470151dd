//! A shell over the engine alone: one statement per line from standard input, results as the mysql
//! client's batch mode prints them, and errors as it prints those. It exists to compare the engine's
//! answers with those of a real server.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a tool"
)]

use std::io::BufRead;

use engine::database::{Database, EngineOptions, EnginePosition};
use engine::execute::Writer;
use engine::outcome::{Outcome, ResultSet};
use engine::select::result_text;
use engine::session::SessionContext;
use sql::error::SqlError;
use sql::{ParseOptions, Parsed, parse};

fn main() {
    let directory = std::env::args()
        .nth(1)
        .expect("a directory for the database");
    let path = std::path::Path::new(&directory).join("shell.db");
    let database = Database::open(&path, EngineOptions::default()).expect("a database");
    let mut session = SessionContext::new(1);
    session.database = Some(String::from("test"));
    session.user = String::from("root");
    session.host = String::from("localhost");
    session.current_user = String::from("root@localhost");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("text");
        if line.trim().is_empty() {
            continue;
        }
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        session.now_micros = i64::try_from(now.as_micros()).unwrap();
        session.warnings.clear();
        match execute(&database, &line, &mut session) {
            Ok(Some(result)) => show(&result),
            Ok(None) => {}
            Err(error) => println!("ERROR {} ({}): {}", error.code, error.state, error.message),
        }
        println!("--");
    }
}

fn execute(
    database: &Database,
    text: &str,
    session: &mut SessionContext,
) -> Result<Option<ResultSet>, SqlError> {
    let parsed: Parsed = parse(text.as_bytes(), &ParseOptions::default())?;
    if parsed.statement.is_select() {
        return database
            .reader()
            .map_err(SqlError::from)?
            .query(&parsed, &[], session)
            .map(Some);
    }
    let mut writer = Writer::open(database).map_err(SqlError::from)?;
    writer.begin_group().map_err(SqlError::from)?;
    let mut changes = Vec::new();
    let outcome = writer.execute(&parsed.statement, &[], session, &mut changes);
    writer
        .commit_group(&EnginePosition::default())
        .map_err(SqlError::from)?;
    Ok(match outcome? {
        Outcome::Rows(rows) => Some(rows),
        Outcome::Ok { affected, info, .. } => {
            println!("OK {affected} {info}");
            None
        }
    })
}

fn show(result: &ResultSet) {
    let names: Vec<&str> = result
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    println!("{}", names.join("\t"));
    for row in &result.rows {
        let cells: Vec<String> = result
            .columns
            .iter()
            .zip(row)
            .map(|(column, value)| match result_text(column, value) {
                None => String::from("NULL"),
                Some(text) => String::from_utf8_lossy(&text)
                    .replace('\\', "\\\\")
                    .replace('\n', "\\n")
                    .replace('\t', "\\t")
                    .replace('\0', "\\0"),
            })
            .collect();
        println!("{}", cells.join("\t"));
    }
}
