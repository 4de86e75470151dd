//! Definitions that are kept without their effect, and what clients are refused because of them.

use binlog::event::StatusVariables;

use super::{DdlOutcome, DdlStatement};
use crate::database::{Database, EngineOptions, EnginePosition};
use crate::execute::Writer;
use crate::session::SessionContext;
use sql::{ParseOptions, parse};

struct Bench {
    _directory: tempfile::TempDir,
    database: Database,
    writer: Writer,
}

impl Bench {
    fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        let writer = Writer::open(&database).unwrap();
        let mut bench = Bench {
            _directory: directory,
            database,
            writer,
        };
        bench.logged("9.7.0", "CREATE DATABASE d");
        bench
    }

    /// A statement from the log of a server of this version.
    fn logged(&mut self, version: &str, sql: &str) -> DdlOutcome {
        self.writer.begin_group().unwrap();
        let status = StatusVariables::default();
        let statement = DdlStatement::new("d", sql.as_bytes(), &status, 0, version);
        let outcome = self.writer.apply_ddl(&statement).unwrap();
        let position = EnginePosition::default();
        self.writer.commit_group(&position).unwrap();
        outcome
    }

    /// The error of a client's statement, 0 for none.
    fn client(&mut self, sql: &str) -> u16 {
        let statement = parse(sql.as_bytes(), &ParseOptions::default()).unwrap();
        let mut session = SessionContext::new(1);
        session.database = Some("d".to_owned());
        self.writer.begin_group().unwrap();
        let result = self
            .writer
            .execute(&statement.statement, &[], &mut session, &mut Vec::new());
        self.writer.rollback_group().unwrap();
        result.err().map_or(0, |error| error.code)
    }

    fn shown(&self, table: &str) -> String {
        let catalog = self.database.catalog();
        let table = catalog.table("d", table).unwrap();
        table.show_create(1, &|_, text| text.to_owned())
    }
}

#[test]
fn a_client_writes_to_no_table_whose_definition_asks_for_more_than_is_done() {
    let mut bench = Bench::new();
    for sql in [
        "CREATE TABLE p (id INT PRIMARY KEY)",
        "CREATE TABLE c (id INT, FOREIGN KEY (id) REFERENCES p (id) ON DELETE CASCADE)",
        "CREATE TABLE k (a INT, CHECK (a > 1))",
        "CREATE TABLE l (a INT, CHECK (a > 1) NOT ENFORCED)",
    ] {
        bench.logged("9.7.0", sql);
    }
    for (sql, code) in [
        ("INSERT INTO p VALUES (1)", 1235),
        ("DELETE FROM p", 1235),
        ("UPDATE c SET id = 1", 1235),
        ("INSERT INTO k VALUES (1)", 1235),
        ("INSERT INTO l VALUES (1)", 0),
        ("ALTER TABLE c ADD COLUMN z INT", 1235),
        ("ALTER TABLE p ADD COLUMN z INT", 1235),
        ("ALTER TABLE c DROP FOREIGN KEY c_ibfk_1", 0),
        ("CREATE TABLE m LIKE k", 1235),
        ("DROP TABLE p", 3730),
        ("TRUNCATE TABLE p", 3730),
        ("DROP TABLE c, p", 0),
        ("DROP DATABASE d", 0),
        ("CREATE TABLE n (a INT, CHECK (a > 1))", 1235),
        ("CREATE TABLE n (a INT REFERENCES p (id))", 1235),
    ] {
        assert_eq!(bench.client(sql), code, "{sql}");
    }
}

#[test]
fn what_has_no_effect_is_named_where_its_server_gives_it_one() {
    let mut bench = Bench::new();
    let (both, check) = (
        vec!["CHECK not enforced", "FOREIGN KEY not enforced"],
        vec!["CHECK not enforced"],
    );
    for (version, constructs) in [
        ("9.7.0", both.clone()),
        ("8.4.6", check),
        ("8.0.15", Vec::new()),
        ("5.6.24-log", Vec::new()),
        ("10.11.14-MariaDB-log", both),
    ] {
        let sql = "CREATE TABLE t (a INT CHECK (a > 1) REFERENCES p (id))";
        let outcome = bench.logged(version, sql);
        let expected = match constructs.is_empty() {
            true => DdlOutcome::Done,
            false => DdlOutcome::Unenforced { constructs },
        };
        assert_eq!(outcome, expected, "{version}");
        let shown = bench.shown("t");
        let has_check = !matches!(version, "8.0.15" | "5.6.24-log");
        assert_eq!(shown.contains("CHECK"), has_check, "{version}: {shown}");
        bench.logged(version, "DROP TABLE t");
    }
}

#[test]
fn an_expression_that_is_not_known_is_kept_as_it_was_written() {
    let mut bench = Bench::new();
    bench.logged("9.7.0", "CREATE TABLE t (a INT, CHECK (no_such(a) > 1))");
    let shown = bench.shown("t");
    assert!(shown.contains("(no_such(a) > 1)"), "{shown}");
}

#[test]
fn a_table_whose_engine_keeps_no_foreign_keys_has_none_however_it_gets_them() {
    let mut bench = Bench::new();
    for sql in [
        "CREATE TABLE p (id INT PRIMARY KEY)",
        "CREATE TABLE m (id INT) ENGINE=MyISAM",
        "ALTER TABLE m ADD FOREIGN KEY (id) REFERENCES p (id) ON DELETE CASCADE",
        "CREATE TABLE l LIKE m",
        "ALTER TABLE l ADD CONSTRAINT x FOREIGN KEY (id) REFERENCES p (id) ON DELETE CASCADE",
    ] {
        bench.logged("9.7.0", sql);
    }
    for table in ["m", "l"] {
        assert!(!bench.shown(table).contains("FOREIGN KEY"), "{table}");
    }
    bench.logged("9.7.0", "ALTER TABLE m ENGINE=InnoDB");
    bench.logged(
        "9.7.0",
        "ALTER TABLE m ADD FOREIGN KEY (id) REFERENCES p (id) ON DELETE CASCADE",
    );
    assert!(bench.shown("m").contains("FOREIGN KEY"));
}

#[test]
fn a_foreign_key_that_would_cascade_from_a_table_elsewhere_is_refused() {
    let mut bench = Bench::new();
    bench.logged("9.7.0", "CREATE TABLE here (id INT PRIMARY KEY)");
    let create = |parent: &str, action: &str| {
        format!("CREATE TABLE c (id INT, FOREIGN KEY (id) REFERENCES {parent} (id) {action})")
    };
    for (parent, action, code) in [
        ("elsewhere.here", "ON DELETE CASCADE", 1824),
        ("ignored", "ON UPDATE SET NULL", 1824),
        ("Here", "ON DELETE CASCADE", 1824),
        ("ignored", "ON DELETE RESTRICT", 0),
        ("here", "ON DELETE CASCADE", 0),
        ("c", "ON DELETE CASCADE", 0),
    ] {
        bench.writer.begin_group().unwrap();
        let status = StatusVariables::default();
        let sql = create(parent, action);
        let statement = DdlStatement::new("d", sql.as_bytes(), &status, 0, "9.7.0");
        let applied = bench.writer.apply_ddl(&statement);
        let found = applied.map_or_else(|error| error.code(), |_| 0);
        bench.writer.rollback_group().unwrap();
        assert_eq!(found, code, "{sql}");
    }
}
