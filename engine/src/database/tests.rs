//! Groups, savepoints, positions and counters over restarts.

use super::*;
use crate::execute::Writer;
use crate::outcome::Outcome;
use crate::session::SessionContext;
use sql::error::SqlError;
use sql::{ParseOptions, parse};

struct Bench {
    directory: tempfile::TempDir,
    database: Database,
    writer: Writer,
    session: SessionContext,
}

impl Bench {
    fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let (database, writer) = open(directory.path());
        let mut session = SessionContext::new(1);
        session.database = Some("d".to_owned());
        let mut bench = Bench {
            directory,
            database,
            writer,
            session,
        };
        bench.commit(&[
            "CREATE DATABASE d",
            "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT)",
        ]);
        bench
    }

    /// Another process opens the file.
    fn reopen(self) -> Bench {
        let Bench {
            directory,
            database,
            writer,
            session,
        } = self;
        drop((writer, database));
        let (database, writer) = open(directory.path());
        Bench {
            directory,
            database,
            writer,
            session,
        }
    }

    fn run(&mut self, sql: &str) -> Result<Outcome, SqlError> {
        let parsed = parse(sql.as_bytes(), &ParseOptions::default())?;
        let session = &mut self.session;
        self.writer
            .execute(&parsed.statement, &[], session, &mut Vec::new())
    }

    /// Runs statements as one group.
    fn commit(&mut self, statements: &[&str]) {
        self.writer.begin_group().unwrap();
        for statement in statements {
            self.run(statement).unwrap();
        }
        self.writer.commit_group(&position(1)).unwrap();
    }

    fn ids(&self) -> Vec<i64> {
        let catalog = self.writer.catalog();
        let name = catalog.table("d", "t").unwrap().sqlite_name();
        let sql = format!("SELECT rowid FROM {name} ORDER BY 1");
        let mut statement = self.writer.connection().prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

fn open(directory: &Path) -> (Database, Writer) {
    let path = directory.join("weir.db");
    let database = Database::open(&path, EngineOptions::default()).unwrap();
    let writer = Writer::open(&database).unwrap();
    (database, writer)
}

fn position(offset: u64) -> EnginePosition {
    EnginePosition {
        file: "binlog.000001".to_owned(),
        offset,
        gtid_executed: String::new(),
    }
}

#[test]
fn a_statement_that_fails_leaves_nothing_and_the_group_goes_on() {
    let mut bench = Bench::new();
    bench.writer.begin_group().unwrap();
    bench.run("INSERT INTO t (id, a) VALUES (1, 1)").unwrap();
    let error = bench
        .run("INSERT INTO t (id, a) VALUES (2, 2), (1, 3)")
        .unwrap_err();
    assert_eq!(error.code, 1062);
    assert_eq!(bench.ids(), [1]);
    bench.run("INSERT INTO t (id, a) VALUES (5, 5)").unwrap();
    bench.writer.commit_group(&position(2)).unwrap();
    assert_eq!(bench.reopen().ids(), [1, 5]);
}

#[test]
fn savepoints_of_one_name_shadow_each_other_and_undo_what_came_after() {
    let mut bench = Bench::new();
    bench.writer.begin_group().unwrap();
    bench.run("INSERT INTO t (id) VALUES (1)").unwrap();
    bench.writer.savepoint("s").unwrap();
    bench.run("INSERT INTO t (id) VALUES (2)").unwrap();
    bench.writer.savepoint("S").unwrap();
    bench.run("INSERT INTO t (id) VALUES (3)").unwrap();
    bench.writer.rollback_to("s").unwrap();
    assert_eq!(bench.ids(), [1, 2], "the newest of a name counts");
    bench.writer.release("s").unwrap();
    bench.writer.rollback_to("s").unwrap();
    assert_eq!(bench.ids(), [1], "then the older one");
    bench.writer.release("s").unwrap();
    assert!(bench.writer.rollback_to("s").is_err());
    bench.writer.commit_group(&position(2)).unwrap();
    assert_eq!(bench.ids(), [1]);
}

#[test]
fn the_catalogue_follows_a_rollback_to_a_savepoint() {
    let mut bench = Bench::new();
    bench.writer.begin_group().unwrap();
    bench.writer.savepoint("s").unwrap();
    bench.run("CREATE TABLE other (a INT)").unwrap();
    assert!(bench.writer.catalog().find_table("d", "other").is_some());
    bench.writer.rollback_to("s").unwrap();
    assert!(bench.writer.catalog().find_table("d", "other").is_none());
    bench.run("CREATE TABLE other (b INT)").unwrap();
    bench.writer.commit_group(&position(2)).unwrap();
    assert!(bench.database.catalog().find_table("d", "other").is_some());
}

#[test]
fn the_position_is_that_of_the_last_committed_group() {
    let mut bench = Bench::new();
    assert_eq!(bench.database.position().unwrap(), position(1));
    bench.writer.begin_group().unwrap();
    bench.run("INSERT INTO t (id) VALUES (1)").unwrap();
    bench.writer.commit_group(&position(77)).unwrap();
    bench.writer.begin_group().unwrap();
    bench.run("INSERT INTO t (id) VALUES (2)").unwrap();
    bench.writer.rollback_group().unwrap();
    let bench = bench.reopen();
    assert_eq!(bench.database.position().unwrap(), position(77));
    assert_eq!(bench.ids(), [1]);
}

#[test]
fn ids_run_ahead_of_rows_that_are_undone_but_not_of_ddl_that_is() {
    let mut bench = Bench::new();
    bench.commit(&["INSERT INTO t (a) VALUES (1), (2), (3)"]);
    bench.writer.begin_group().unwrap();
    bench.run("INSERT INTO t (a) VALUES (4)").unwrap();
    bench.writer.rollback_group().unwrap();
    // An id is handed out once, whatever became of its row.
    bench.commit(&["INSERT INTO t (a) VALUES (5)"]);
    assert_eq!(bench.ids(), [1, 2, 3, 5]);
    for statement in [
        "TRUNCATE TABLE t",
        "DROP TABLE t",
        "DROP DATABASE d",
        "RENAME TABLE t TO other",
        "ALTER TABLE t ADD c INT",
        "ALTER TABLE t AUTO_INCREMENT=100",
    ] {
        bench.writer.begin_group().unwrap();
        bench.run(statement).unwrap();
        bench.writer.rollback_group().unwrap();
    }
    bench.commit(&["INSERT INTO t (a) VALUES (6)"]);
    assert_eq!(bench.ids(), [1, 2, 3, 5, 6]);
    let mut bench = bench.reopen();
    bench.commit(&["INSERT INTO t (a) VALUES (7)"]);
    assert_eq!(bench.ids(), [1, 2, 3, 5, 6, 7]);
}

#[test]
fn ids_survive_ddl_that_fails() {
    let mut bench = Bench::new();
    bench.commit(&[
        "INSERT INTO t (a) VALUES (1), (2), (2)",
        "CREATE TABLE taken (a INT)",
    ]);
    bench.commit(&["DELETE FROM t WHERE id = 3"]);
    for (statement, code) in [
        ("ALTER TABLE t ADD c INT, RENAME TO taken", 1050),
        ("ALTER TABLE t ADD c INT NOT NULL DEFAULT 'x'", 1067),
        (
            "ALTER TABLE t MODIFY a TINYINT UNSIGNED, ADD c INT AS (a - 2), ADD UNIQUE (missing)",
            1072,
        ),
        ("RENAME TABLE t TO free, taken TO free", 1050),
    ] {
        bench.writer.begin_group().unwrap();
        let error = bench.run(statement).unwrap_err();
        assert_eq!(error.code, code, "{statement}: {}", error.message);
        bench.writer.rollback_group().unwrap();
    }
    bench.commit(&["INSERT INTO t (a) VALUES (4)"]);
    assert_eq!(bench.ids(), [1, 2, 4]);
}

#[test]
fn only_one_writer_exists_and_readers_see_committed_groups() {
    let mut bench = Bench::new();
    assert!(Writer::open(&bench.database).is_err());
    bench.writer.begin_group().unwrap();
    bench.run("CREATE TABLE other (a INT)").unwrap();
    assert!(bench.database.catalog().find_table("d", "other").is_none());
    bench.writer.commit_group(&position(2)).unwrap();
    assert!(bench.database.catalog().find_table("d", "other").is_some());
    assert!(bench.writer.begin_group().is_ok());
    assert!(
        bench.writer.begin_group().is_err(),
        "a group within a group"
    );
}
