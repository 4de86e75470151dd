//! Row images against stored rows: what is found, what is refused, what is completed.

use binlog::event::{ChecksumAlgorithm, EventType, StatusVariables};
use binlog::row::{RowsEncoder, RowsFlags, RowsKind};
use binlog::value::Value;

mod mariadb;

use super::*;
use crate::database::{Database, EngineOptions, EnginePosition};
use crate::execute::Writer;
use crate::image::table_map;
use crate::rows::stored_row;

struct Bench {
    _directory: tempfile::TempDir,
    database: Database,
    writer: Writer,
}

impl Bench {
    fn new(statements: &[&str]) -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        let writer = Writer::open(&database).unwrap();
        let mut bench = Bench {
            _directory: directory,
            database,
            writer,
        };
        bench.ddl("CREATE DATABASE d").unwrap();
        for statement in statements {
            bench.ddl(statement).unwrap();
        }
        bench
    }

    fn ddl(&mut self, sql: &str) -> Result<DdlOutcome, ApplyError> {
        self.writer.begin_group().unwrap();
        let status = StatusVariables::default();
        let statement = DdlStatement::new("d", sql.as_bytes(), &status, 0, "9.7.0");
        let result = self.writer.apply_ddl(&statement);
        self.commit();
        result
    }

    fn commit(&mut self) {
        self.writer
            .commit_group(&EnginePosition::default())
            .unwrap();
    }

    fn map(&self) -> TableMap<'static> {
        table_map(self.database.catalog().table("d", "t").unwrap(), 7)
    }

    /// Applies one row of an event whose table map is `map`.
    fn apply(
        &mut self,
        map: &TableMap<'_>,
        kind: RowsKind,
        before: &[Value<'_>],
        after: &[Value<'_>],
        check: RowCheck,
    ) -> Result<u64, ApplyError> {
        let mut encoder = RowsEncoder::new(kind, map, RowsFlags(0)).unwrap();
        encoder.push(before, after).unwrap();
        let body = encoder.finish(true).unwrap();
        let event_type = match kind {
            RowsKind::Write => EventType::WRITE_ROWS,
            RowsKind::Update => EventType::UPDATE_ROWS,
            RowsKind::Delete => EventType::DELETE_ROWS,
        };
        let reader = codec::Reader::new(&body);
        let event = RowsEvent::decode(event_type, reader, ChecksumAlgorithm::None).unwrap();
        self.writer.begin_group().unwrap();
        let result = self.writer.apply_rows("d", map, &event, check);
        self.commit();
        result.map(|applied| applied.count)
    }

    fn rows(&self) -> Vec<Vec<Value<'static>>> {
        let catalog = self.database.catalog();
        let table = catalog.table("d", "t").unwrap();
        let names: Vec<String> = table.columns.iter().map(|c| c.sqlite_name()).collect();
        let sql = format!(
            "SELECT rowid,{} FROM {} ORDER BY rowid",
            names.join(","),
            table.sqlite_name()
        );
        let mut statement = self.writer.connection().prepare(&sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            found.push(stored_row(table, row).unwrap().values);
        }
        found
    }
}

fn int(value: i64) -> Value<'static> {
    Value::Int(value)
}

#[test]
fn a_row_is_found_by_its_key_and_its_other_columns_are_not_compared() {
    let mut bench = Bench::new(&["CREATE TABLE t (id INT PRIMARY KEY, a INT)"]);
    let map = bench.map();
    let first = [int(1), int(10)];
    bench
        .apply(&map, RowsKind::Write, &[], &first, RowCheck::Key)
        .unwrap();
    let (before, after) = ([int(1), int(99)], [int(1), int(11)]);
    bench
        .apply(&map, RowsKind::Update, &before, &after, RowCheck::Key)
        .unwrap();
    assert_eq!(bench.rows(), [[int(1), int(11)]]);
}

#[test]
fn a_before_image_that_differs_is_damage_when_every_column_counts() {
    let mut bench = Bench::new(&["CREATE TABLE t (id INT PRIMARY KEY, a INT)"]);
    let map = bench.map();
    let first = [int(1), int(10)];
    bench
        .apply(&map, RowsKind::Write, &[], &first, RowCheck::BeforeImage)
        .unwrap();
    let error = bench
        .apply(
            &map,
            RowsKind::Delete,
            &[int(1), int(99)],
            &[],
            RowCheck::BeforeImage,
        )
        .unwrap_err();
    match error {
        ApplyError::BeforeImage { table, column } => {
            assert_eq!((table.as_str(), column.as_str()), ("d.t", "a"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.rows(), [[int(1), int(10)]]);
}

#[test]
fn a_row_that_is_missing_or_there_already_is_mysqls_conflict() {
    let mut bench = Bench::new(&["CREATE TABLE t (id INT PRIMARY KEY, a INT)"]);
    let map = bench.map();
    let row = [int(1), int(10)];
    let missing = bench.apply(&map, RowsKind::Delete, &row, &[], RowCheck::Key);
    assert_eq!(missing.unwrap_err().code(), 1032);
    bench
        .apply(&map, RowsKind::Write, &[], &row, RowCheck::Key)
        .unwrap();
    let twice = bench.apply(&map, RowsKind::Write, &[], &row, RowCheck::Key);
    assert_eq!(twice.unwrap_err().code(), 1062);
    assert_eq!(bench.rows().len(), 1);
}

#[test]
fn generated_columns_that_an_image_leaves_out_are_computed() {
    let mut bench = Bench::new(&["CREATE TABLE t (id INT PRIMARY KEY, a INT)"]);
    // A source whose table lacks the column.
    let map = bench.map();
    bench
        .ddl("ALTER TABLE t ADD g INT AS (a + 1), ADD h INT AS (g * 2) STORED")
        .unwrap();
    let first = [int(1), int(10)];
    bench
        .apply(&map, RowsKind::Write, &[], &first, RowCheck::Key)
        .unwrap();
    assert_eq!(bench.rows(), [[int(1), int(10), int(11), int(22)]]);
    let after = [int(1), int(20)];
    bench
        .apply(&map, RowsKind::Update, &first, &after, RowCheck::Key)
        .unwrap();
    assert_eq!(bench.rows(), [[int(1), int(20), int(21), int(42)]]);
}

#[test]
fn generated_columns_in_an_image_are_taken_as_they_were_logged() {
    let mut bench = Bench::new(&["CREATE TABLE t (id INT PRIMARY KEY, g INT AS (id + 1))"]);
    let map = bench.map();
    let logged = [int(1), int(77)];
    bench
        .apply(&map, RowsKind::Write, &[], &logged, RowCheck::Key)
        .unwrap();
    assert_eq!(bench.rows(), [[int(1), int(77)]]);
}

#[test]
fn columns_added_to_rows_that_are_there_get_their_computed_values() {
    let mut bench = Bench::new(&["CREATE TABLE t (id INT PRIMARY KEY, a INT)"]);
    let map = bench.map();
    for (id, a) in [(1, 10), (2, 20)] {
        bench
            .apply(
                &map,
                RowsKind::Write,
                &[],
                &[int(id), int(a)],
                RowCheck::Key,
            )
            .unwrap();
    }
    bench
        .ddl("ALTER TABLE t ADD v INT AS (a + id), ADD e INT DEFAULT (a * 2)")
        .unwrap();
    assert_eq!(
        bench.rows(),
        [
            [int(1), int(10), int(11), int(20)],
            [int(2), int(20), int(22), int(40)]
        ]
    );
    bench.ddl("ALTER TABLE t MODIFY v INT AS (a * 3)").unwrap();
    let third: Vec<Value<'static>> = bench.rows().iter().map(|row| row[2].clone()).collect();
    assert_eq!(third, [int(30), int(60)]);
}

#[test]
fn a_log_may_say_what_this_server_would_refuse_of_a_client() {
    let mut bench = Bench::new(&[]);
    for statement in [
        "CREATE TABLE t (a INT) ENGINE=MyISAM",
        "CREATE TABLE u (a INT) TABLESPACE=ts STATS_SAMPLE_PAGES=0",
        "ALTER TABLE t ADD b INT DEFAULT (RAND()), ALGORITHM=INSTANT, LOCK=NONE",
    ] {
        assert_eq!(
            bench.ddl(statement).unwrap(),
            DdlOutcome::Done,
            "{statement}"
        );
    }
    let account = bench.ddl("CREATE USER u").unwrap();
    assert!(matches!(account, DdlOutcome::NotKept { .. }));
    let rows = bench.ddl("INSERT INTO t VALUES (1)").unwrap_err();
    assert_eq!(rows.code(), 1235);
}

#[test]
fn what_concerns_nothing_kept_is_named_and_what_has_no_arm_is_refused() {
    let mut bench = Bench::new(&["CREATE TABLE t (a INT)"]);
    for (statement, expected) in [
        (
            "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `v` AS select 1",
            "CREATE VIEW",
        ),
        ("ALTER VIEW v AS SELECT 2", "ALTER VIEW"),
        ("CREATE TABLE IF NOT EXISTS v (a INT)", unkept::CREATE_VIEW),
        ("RENAME TABLE v TO w", unkept::RENAME_VIEW),
        ("RENAME TABLE t TO x, w TO t, x TO y", unkept::RENAME_VIEW),
        ("RENAME TABLE t TO v, y TO t", unkept::RENAME_VIEW),
        ("DROP VIEW v", "DROP VIEW"),
        (
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; SET @b = 2; END",
            "CREATE TRIGGER",
        ),
        ("DROP TRIGGER g", "DROP TRIGGER"),
        ("ALTER EVENT e DO BEGIN DO 1; DO 2; END", "ALTER EVENT"),
        (
            "CREATE AGGREGATE FUNCTION f RETURNS STRING SONAME 'f.so'",
            "CREATE FUNCTION",
        ),
        ("CREATE ROLE 'r'@'%'", "CREATE ROLE"),
        ("GRANT `r`@`%` TO `u`@`%`", "GRANT role"),
        ("GRANT PROXY ON 'a'@'%' TO 'b'@'%'", "GRANT PROXY"),
        (
            "CREATE USER a@'%' IDENTIFIED VIA ed25519 USING 'hash' OR parsec AS 'other'",
            "IDENTIFIED VIA",
        ),
        (
            "ALTER USER a@'%' IDENTIFIED WITH ed25519 USING PASSWORD('secret')",
            "IDENTIFIED VIA",
        ),
        (
            "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h')",
            "CREATE SERVER",
        ),
        (
            "CREATE LOGFILE GROUP g ADD UNDOFILE 'u' ENGINE=NDB",
            "CREATE LOGFILE GROUP",
        ),
        (
            "CREATE UNDO TABLESPACE u ADD DATAFILE 'u.ibu'",
            "CREATE TABLESPACE",
        ),
        ("INSTALL PLUGIN p SONAME 'p.so'", "INSTALL PLUGIN"),
        ("UNINSTALL COMPONENT 'file://c'", "UNINSTALL COMPONENT"),
        (
            "CREATE OR REPLACE SPATIAL REFERENCE SYSTEM 4120 NAME 'n' DEFINITION 'd'",
            "CREATE SPATIAL REFERENCE SYSTEM",
        ),
        (
            "ANALYZE TABLE t DROP HISTOGRAM ON a",
            "ANALYZE TABLE ... HISTOGRAM",
        ),
        ("TRUNCATE TABLE mysql.time_zone", system::DEFINITION),
    ] {
        let outcome = bench.ddl(statement).unwrap();
        let construct = expected;
        assert_eq!(outcome, DdlOutcome::NotKept { construct }, "{statement}");
    }
    assert!(bench.database.catalog().table("d", "t").is_ok());
    for (statement, code) in [
        ("RENAME TABLE v TO z", 1146),
        ("CREATE VIEW", 1235),
        ("CREATE TRIGGER (", 1235),
        ("CREATE SEQUENCE s", 1235),
        ("ALTER INSTANCE RELOAD TLS", 1235),
        ("ANALYZE TABLE t PERSISTENT FOR ALL", 1235),
        ("TRUNCATE TABLE mysql.heartbeat", 3552),
    ] {
        let refused = bench.ddl(statement).unwrap_err();
        assert_eq!(refused.code(), code, "{statement}: {refused}");
    }
}

#[test]
fn a_dropped_database_takes_the_names_of_its_views_along() {
    let mut bench = Bench::new(&["CREATE DATABASE e"]);
    bench.ddl("CREATE VIEW e.v AS SELECT 1").unwrap();
    bench.ddl("DROP DATABASE e").unwrap();
    bench.ddl("CREATE DATABASE e").unwrap();
    let renamed = bench.ddl("RENAME TABLE e.v TO e.w").unwrap_err();
    assert_eq!(renamed.code(), 1146);
}

// MySQL 9.7 stores the same bytes: the text of a latin1 client, and that of a client in utf8mb4.
#[test]
fn strings_in_logged_definitions_are_read_as_their_client_wrote_them() {
    use crate::session::SessionContext;
    let mut bench = Bench::new(&[]);
    for (table, sql, client) in [
        (
            "a",
            b"CREATE TABLE a (b VARCHAR(9) DEFAULT (CONCAT('\xe9')))".as_slice(),
            8,
        ),
        (
            "b",
            b"CREATE TABLE b (b VARCHAR(9) DEFAULT (CONCAT(_latin1'\xe9')))",
            8,
        ),
        (
            "c",
            b"CREATE TABLE c (b VARCHAR(9) DEFAULT (CONCAT(_latin1'\xc3\xa9')))",
            255,
        ),
    ] {
        let mut statement = DdlStatement::new("d", sql, &StatusVariables::default(), 0, "9.7.0");
        (statement.client, statement.connection) = (Some(client), Some(client));
        bench.writer.begin_group().unwrap();
        bench.writer.apply_ddl(&statement).unwrap();
        let insert = format!("INSERT INTO {table} () VALUES ()");
        let parsed = sql::parse(insert.as_bytes(), &sql::ParseOptions::default()).unwrap();
        let mut session = SessionContext::new(1);
        session.database = Some("d".to_owned());
        let mut changes = Vec::new();
        bench
            .writer
            .execute(&parsed.statement, &[], &mut session, &mut changes)
            .unwrap();
        bench.commit();
        let expected: &[u8] = match table {
            "c" => "\u{c3}\u{a9}".as_bytes(),
            _ => "\u{e9}".as_bytes(),
        };
        let stored = changes[0].after.as_ref().unwrap();
        assert_eq!(stored[..], [Value::Bytes(expected.into())], "{table}");
    }
}

#[test]
fn logged_conversions_to_the_default_take_the_collation_that_the_event_says() {
    let mut bench = Bench::new(&[
        "CREATE DATABASE a CHARACTER SET latin1",
        "CREATE TABLE t (v VARCHAR(9))",
    ]);
    let sql = b"ALTER TABLE d.t CONVERT TO CHARACTER SET DEFAULT";
    for (said, expected) in [(None, "latin1_swedish_ci"), (Some(46), "utf8mb4_bin")] {
        let mut statement = DdlStatement::new("a", sql, &StatusVariables::default(), 0, "9.7.0");
        statement.default_database = said;
        bench.writer.begin_group().unwrap();
        bench.writer.apply_ddl(&statement).unwrap();
        bench.commit();
        let catalog = bench.database.catalog();
        assert_eq!(catalog.table("d", "t").unwrap().collation.name, expected);
    }
}

#[test]
fn a_name_that_a_table_has_is_that_of_no_view() {
    let mut bench = Bench::new(&["CREATE TABLE t (a INT)"]);
    let passed_over = |outcome: DdlOutcome| matches!(outcome, DdlOutcome::NotKept { .. });
    // A table has the name: nothing was made.
    assert!(passed_over(
        bench
            .ddl("CREATE VIEW IF NOT EXISTS t AS SELECT 1")
            .unwrap()
    ));
    bench.ddl("DROP TABLE t").unwrap();
    let made = bench.ddl("CREATE TABLE IF NOT EXISTS t (b INT)").unwrap();
    assert_eq!(made, DdlOutcome::Done);
    // Nobody said here that the view is gone; a table of the name says so.
    assert!(passed_over(bench.ddl("CREATE VIEW v AS SELECT 1").unwrap()));
    bench.ddl("CREATE TABLE v (a INT)").unwrap();
    bench.ddl("DROP TABLE v").unwrap();
    let made = bench.ddl("CREATE TABLE IF NOT EXISTS v (b INT)").unwrap();
    assert_eq!(made, DdlOutcome::Done);
}
