//! The engine's answers beside those of MySQL 9.7: every statement of `answers/*.txt` is executed
//! and must be answered as the file says. `scripts/mysql-answers` writes the files anew.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use engine::database::{Database, EngineOptions, EnginePosition};
use engine::execute::Writer;
use engine::outcome::Outcome;
use engine::select::result_text;
use engine::session::SessionContext;
use sql::error::SqlError;
use sql::{ParseOptions, parse};

struct Session {
    database: Database,
    context: SessionContext,
}

impl Session {
    fn new(directory: &std::path::Path) -> Session {
        let path = directory.join("answers.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        let mut context = SessionContext::new(1);
        context.now_micros = 1_700_000_000_000_000;
        let mut session = Session { database, context };
        session.answer("create database test");
        session.context.database = Some(String::from("test"));
        session
    }

    fn answer(&mut self, text: &str) -> String {
        self.context.warnings.clear();
        match self.execute(text) {
            Ok(outcome) => shown(&outcome),
            Err(error) => format!("ERROR {}: {}\n", error.code, error.message),
        }
    }

    fn execute(&mut self, text: &str) -> Result<Outcome, SqlError> {
        let parsed = parse(text.as_bytes(), &ParseOptions::default())?;
        if parsed.statement.is_select() {
            let mut reader = self.database.reader()?;
            return reader
                .query(&parsed, &[], &mut self.context)
                .map(Outcome::Rows);
        }
        let mut writer = Writer::open(&self.database)?;
        writer.begin_group()?;
        let mut changes = Vec::new();
        let outcome = writer.execute(&parsed.statement, &[], &mut self.context, &mut changes);
        writer.commit_group(&EnginePosition::default())?;
        outcome
    }
}

fn shown(outcome: &Outcome) -> String {
    let rows = match outcome {
        Outcome::Ok { affected, info, .. } => {
            return format!("{}\n", format!("OK {affected} {info}").trim_end());
        }
        Outcome::Rows(rows) => rows,
    };
    let names: Vec<&str> = rows
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let mut out = format!("{}\n", names.join("\t"));
    for row in &rows.rows {
        let cells = rows.columns.iter().zip(row).map(|(column, value)| {
            result_text(column, value).map_or(String::from("NULL"), |text| {
                let text = String::from_utf8_lossy(&text).replace('\\', "\\\\");
                text.replace('\n', "\\n")
                    .replace('\t', "\\t")
                    .replace('\0', "\\0")
            })
        });
        let _ = writeln!(out, "{}", cells.collect::<Vec<_>>().join("\t"));
    }
    out
}

fn check(file: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/answers")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut session = Session::new(directory.path());
    let mut wrong = String::new();
    for block in text
        .split("\n--\n")
        .filter_map(|block| block.strip_prefix("> "))
    {
        let (statement, expected) = block.split_once('\n').unwrap_or((block, ""));
        let found = session.answer(statement);
        if found.trim_end_matches('\n') != expected.trim_end_matches('\n') {
            let _ = writeln!(
                wrong,
                "> {statement}\nMySQL:\n{expected}\nthe engine:\n{found}"
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn expressions_have_mysqls_values() {
    check("expressions.txt");
}

#[test]
fn queries_give_mysqls_rows() {
    check("queries.txt");
}

#[test]
fn changes_have_mysqls_counts_and_errors() {
    check("changes.txt");
}

#[test]
fn generated_decimals_dates_and_texts_have_mysqls_values() {
    check("values.txt");
}
