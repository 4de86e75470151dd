//! Which row changes a statement lists, and what it leaves in the session.

use crate::database::{Database, EngineOptions, EnginePosition};
use crate::execute::Writer;
use crate::outcome::Outcome;
use crate::rows::RowChange;
use crate::session::SessionContext;
use sql::{ParseOptions, parse};

struct Fixture {
    _directory: tempfile::TempDir,
    database: Database,
    session: SessionContext,
}

impl Fixture {
    fn new(statements: &[&str]) -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        let mut session = SessionContext::new(1);
        session.database = Some(String::from("d"));
        let mut fixture = Fixture {
            _directory: directory,
            database,
            session,
        };
        fixture.run("CREATE DATABASE d");
        for statement in statements {
            fixture.run(statement);
        }
        fixture
    }

    fn run(&mut self, text: &str) -> (Outcome, Vec<RowChange>) {
        let parsed = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
        let mut writer = Writer::open(&self.database).unwrap();
        writer.begin_group().unwrap();
        let mut changes = Vec::new();
        let outcome = writer.execute(&parsed.statement, &[], &mut self.session, &mut changes);
        writer.commit_group(&EnginePosition::default()).unwrap();
        (outcome.unwrap(), changes)
    }

    /// What a statement did: `+` inserted, `-` deleted, `~` changed.
    fn marks(&mut self, text: &str) -> String {
        let (_, changes) = self.run(text);
        let mark = |change: &RowChange| match (&change.before, &change.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        changes.iter().map(mark).collect()
    }
}

#[test]
fn the_changes_listed_are_the_rows_that_changed() {
    let mut fixture = Fixture::new(&["CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, v INT)"]);
    assert_eq!(
        fixture.marks("INSERT INTO t VALUES (1,1,1),(2,2,2),(3,3,3)"),
        "+++"
    );
    assert_eq!(fixture.marks("UPDATE t SET v = 2"), "~~");
    assert_eq!(fixture.marks("UPDATE t SET v = v"), "");
    assert_eq!(
        fixture.marks("INSERT IGNORE INTO t VALUES (1,9,9),(4,4,4)"),
        "+"
    );
    assert_eq!(fixture.marks("REPLACE INTO t VALUES (1,2,5)"), "--+");
    assert_eq!(fixture.marks("REPLACE INTO t VALUES (1,2,5)"), "");
    assert_eq!(
        fixture.marks("INSERT INTO t VALUES (1,7,7) ON DUPLICATE KEY UPDATE v = v + 1"),
        "~"
    );
    assert_eq!(
        fixture.marks("INSERT INTO t VALUES (1,7,7) ON DUPLICATE KEY UPDATE v = v"),
        ""
    );
    assert_eq!(
        fixture.marks("DELETE FROM t WHERE id > 1 ORDER BY id LIMIT 1"),
        "-"
    );
}

#[test]
fn assignments_see_what_stands_to_their_left() {
    let mut fixture = Fixture::new(&[
        "CREATE TABLE t (a INT, b INT)",
        "INSERT INTO t VALUES (1, 10)",
    ]);
    let (_, changes) = fixture.run("UPDATE t SET a = a + 1, b = a * 100");
    let after = changes[0].after.clone().unwrap();
    assert_eq!(format!("{after:?}"), "[Int(2), Int(200)]");
}

#[test]
fn generated_ids_are_told_once_per_statement() {
    let mut fixture = Fixture::new(&["CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)"]);
    let id = |outcome: &Outcome| match outcome {
        Outcome::Ok { last_insert_id, .. } => *last_insert_id,
        Outcome::Rows(_) => 0,
    };
    assert_eq!(
        id(&fixture.run("INSERT INTO t (v) VALUES (1),(2),(3)").0),
        1
    );
    assert_eq!(fixture.session.last_insert_id, 1);
    assert_eq!(id(&fixture.run("INSERT INTO t (id, v) VALUES (0, 4)").0), 4);
    assert_eq!(
        id(&fixture.run("INSERT INTO t (id, v) VALUES (100, 5)").0),
        100
    );
    assert_eq!(fixture.session.last_insert_id, 4);
    assert_eq!(id(&fixture.run("INSERT INTO t (v) VALUES (6)").0), 101);
    fixture.run("UPDATE t SET id = LAST_INSERT_ID(500) WHERE id = 101");
    assert_eq!(fixture.session.last_insert_id, 500);
}

#[test]
fn rows_found_with_the_client_flag_are_the_matched_ones() {
    let mut fixture = Fixture::new(&["CREATE TABLE t (v INT)", "INSERT INTO t VALUES (1),(2)"]);
    let (outcome, _) = fixture.run("UPDATE t SET v = 1");
    assert!(matches!(outcome, Outcome::Ok { affected: 1, .. }));
    fixture.session.client_found_rows = true;
    let (outcome, _) = fixture.run("UPDATE t SET v = 1");
    let Outcome::Ok { affected, info, .. } = outcome else {
        panic!("rows")
    };
    assert_eq!(
        (affected, info.as_str()),
        (2, "Rows matched: 2  Changed: 0  Warnings: 0")
    );
}

#[test]
fn defaults_that_are_expressions_are_evaluated_for_each_row() {
    let mut fixture = Fixture::new(&["CREATE TABLE t (v INT, u VARCHAR(36) DEFAULT (UUID()))"]);
    let (_, changes) = fixture.run("INSERT INTO t (v) VALUES (1),(2)");
    let value = |index: usize| format!("{:?}", changes[index].after.as_ref().unwrap()[1]);
    assert_ne!(value(0), value(1));
}

#[test]
fn a_statement_that_panics_is_undone_and_the_others_of_its_group_stay() {
    let mut fixture = Fixture::new(&["CREATE TABLE t (id INT PRIMARY KEY, v INT)"]);
    let mut writer = Writer::open(&fixture.database).unwrap();
    writer.begin_group().unwrap();
    let mut changes = Vec::new();
    let mut run = |text: &str| {
        let parsed = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
        writer.execute(&parsed.statement, &[], &mut fixture.session, &mut changes)
    };
    run("INSERT INTO t VALUES (1, 1)").unwrap();
    let error = run("INSERT INTO t VALUES (2, 2), (3, panics(3))").unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (1105, "Unknown error: as it was told")
    );
    for text in [
        "UPDATE t SET v = panics(v)",
        "DELETE FROM t WHERE panics(v)",
        "INSERT INTO t SELECT id + 1, panics(v) FROM t",
    ] {
        let error = run(text).unwrap_err();
        assert!(matches!(error.code, 1030 | 1105), "{text}: {error}");
    }
    run("INSERT INTO t VALUES (4, 4)").unwrap();
    assert_eq!(changes.len(), 2);
    writer.commit_group(&EnginePosition::default()).unwrap();
    drop(writer);
    assert_eq!(fixture.marks("UPDATE t SET v = id + 1"), "~~");
}
