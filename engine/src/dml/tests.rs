//! What statements count, store and refuse, as MySQL 9.7 does.

use std::sync::Arc;

use crate::database::{Database, EngineOptions, EnginePosition};
use crate::execute::Writer;
use crate::outcome::Outcome;
use crate::rows::RowChange;
use crate::select::result_text;
use crate::session::SessionContext;
use sql::error::SqlError;
use sql::{ParseOptions, parse_first};

/// A database with one writer that runs statements and shows what they answer.
struct Fixture {
    _directory: tempfile::TempDir,
    database: Database,
    writer: Writer,
    session: SessionContext,
    changes: Vec<RowChange>,
}

impl Fixture {
    fn new(setup: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("engine.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        let writer = Writer::open(&database).unwrap();
        let mut session = SessionContext::new(1);
        session.now_micros = 1_700_000_000_000_000;
        let changes = Vec::new();
        let mut fixture = Self {
            _directory: directory,
            database,
            writer,
            session,
            changes,
        };
        fixture.run("CREATE DATABASE d").unwrap();
        fixture.session.database = Some("d".to_owned());
        for sql in setup {
            fixture.run(sql).unwrap();
        }
        fixture.changes.clear();
        fixture
    }

    fn run(&mut self, sql: &str) -> Result<Outcome, SqlError> {
        let options = ParseOptions {
            sql_mode: self.session.sql_mode,
            ..ParseOptions::default()
        };
        let (parsed, _) = parse_first(sql.as_bytes(), &options)?;
        self.session.warnings.clear();
        self.writer.begin_group().unwrap();
        let result =
            self.writer
                .execute(&parsed.statement, &[], &mut self.session, &mut self.changes);
        self.writer
            .commit_group(&EnginePosition::default())
            .unwrap();
        result
    }

    /// Affected rows, insert id and info.
    fn ok(&mut self, sql: &str) -> (u64, u64, String) {
        match self
            .run(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
        {
            Outcome::Ok {
                affected,
                last_insert_id,
                info,
                ..
            } => (affected, last_insert_id, info),
            Outcome::Rows(_) => panic!("{sql} gave rows"),
        }
    }

    fn error(&mut self, sql: &str) -> (u16, String) {
        let error = self.run(sql).unwrap_err();
        (error.code, error.message)
    }

    /// Rows of a SELECT, cells joined by `|`.
    fn rows(&mut self, sql: &str) -> Vec<String> {
        let (parsed, _) = parse_first(sql.as_bytes(), &ParseOptions::default()).unwrap();
        let mut reader = self.database.reader().unwrap();
        let result = reader.query(&parsed, &[], &mut self.session).unwrap();
        let line = |row: &Vec<binlog::value::Value<'static>>| {
            let cells = result.columns.iter().zip(row).map(|(column, value)| {
                let text = result_text(column, value);
                text.map_or("NULL".to_owned(), |text| String::from_utf8(text).unwrap())
            });
            cells.collect::<Vec<_>>().join("|")
        };
        result.rows.iter().map(line).collect()
    }

    /// Inserts, updates and deletes listed since the last call.
    fn taken(&mut self) -> (usize, usize, usize) {
        let changes = std::mem::take(&mut self.changes);
        let count = |before, after| {
            changes
                .iter()
                .filter(|c| (c.before.is_some(), c.after.is_some()) == (before, after))
                .count()
        };
        (count(false, true), count(true, true), count(true, false))
    }
}

const T: &str =
    "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, k INT UNIQUE, v VARCHAR(10) DEFAULT 'x')";

#[test]
fn an_insert_counts_generates_ids_and_fills_in_defaults() {
    let mut f = Fixture::new(&[T]);
    assert_eq!(f.ok("INSERT INTO t (k) VALUES (10)"), (1, 1, String::new()));
    let info = "Records: 2  Duplicates: 0  Warnings: 0".to_owned();
    assert_eq!(
        f.ok("INSERT INTO t VALUES (0, 20, 'a'), (NULL, 5+25, CONCAT('b','c'))"),
        (2, 2, info)
    );
    assert_eq!(
        f.ok("INSERT INTO t SET id = 9, v = DEFAULT"),
        (1, 9, String::new())
    );
    assert_eq!(
        f.rows("SELECT * FROM t ORDER BY id"),
        ["1|10|x", "2|20|a", "3|30|bc", "9|NULL|x"]
    );
    assert_eq!(f.session.last_insert_id, 2);
    assert_eq!(f.taken(), (4, 0, 0));
}

#[test]
fn a_failing_statement_leaves_nothing_behind() {
    let mut f = Fixture::new(&[T, "INSERT INTO t VALUES (1,1,'a')"]);
    let duplicate = (1062, "Duplicate entry '1' for key 't.k'".to_owned());
    assert_eq!(
        f.error("INSERT INTO t VALUES (2,2,'b'), (3,1,'c')"),
        duplicate
    );
    assert_eq!(f.rows("SELECT id FROM t"), ["1"]);
    assert_eq!(f.taken(), (0, 0, 0));
    assert_eq!(f.error("INSERT INTO t (id, nothing) VALUES (1,2)").0, 1054);
    assert_eq!(f.error("INSERT INTO t (id, id) VALUES (1,2)").0, 1110);
    assert_eq!(f.error("INSERT INTO t (id) VALUES (1,2)").0, 1136);
    assert_eq!(f.error("INSERT INTO missing VALUES (1)").0, 1146);
    assert_eq!(
        f.error("INSERT INTO t (v) VALUES ('much too long for it')")
            .0,
        1406
    );
}

#[test]
fn duplicates_are_ignored_replaced_or_updated_with_mysqls_counts() {
    let mut f = Fixture::new(&[T, "INSERT INTO t VALUES (1,1,'a'),(2,2,'b')"]);
    assert_eq!(f.ok("INSERT IGNORE INTO t VALUES (1,9,'z'),(5,5,'e')").0, 1);
    assert_eq!(f.session.warnings.len(), 1);
    assert_eq!(f.taken(), (1, 0, 0));
    // Conflicts with row 1 by its primary key and with row 2 by the unique key.
    assert_eq!(f.ok("REPLACE INTO t VALUES (1,2,'r')").0, 3);
    assert_eq!(f.taken(), (1, 0, 2));
    assert_eq!(f.ok("REPLACE INTO t VALUES (1,2,'r')").0, 1);
    assert_eq!(f.taken(), (0, 0, 0));
    let odku = "INSERT INTO t VALUES (1,7,'n') ON DUPLICATE KEY UPDATE k = k + VALUES(k), v = 'u'";
    assert_eq!(f.ok(odku).0, 2);
    assert_eq!(f.taken(), (0, 1, 0));
    assert_eq!(
        f.ok("INSERT INTO t VALUES (1,7,'n') AS new ON DUPLICATE KEY UPDATE v = 'u'")
            .0,
        0
    );
    assert_eq!(
        f.ok("INSERT INTO t VALUES (8,8,'n') AS n ON DUPLICATE KEY UPDATE v = n.v")
            .0,
        1
    );
    assert_eq!(
        f.rows("SELECT * FROM t ORDER BY id"),
        ["1|9|u", "5|5|e", "8|8|n"]
    );
}

#[test]
fn an_update_sees_what_it_assigned_before_and_counts_what_it_changed() {
    let mut f = Fixture::new(&[T, "INSERT INTO t VALUES (1,1,'a'),(2,2,'b'),(3,3,'c')"]);
    let info = "Rows matched: 2  Changed: 1  Warnings: 0".to_owned();
    assert_eq!(f.ok("UPDATE t SET v = 'b' WHERE id < 3"), (1, 0, info));
    assert_eq!(f.taken(), (0, 1, 0));
    f.ok("UPDATE t SET k = k + 10, v = k WHERE id = 3");
    assert_eq!(f.rows("SELECT * FROM t WHERE id = 3"), ["3|13|13"]);
    f.ok("UPDATE t SET id = id + 1 ORDER BY id DESC");
    assert_eq!(f.rows("SELECT id FROM t ORDER BY id"), ["2", "3", "4"]);
    assert_eq!(f.error("UPDATE t SET id = id + 1 ORDER BY id").0, 1062);
    f.ok("UPDATE t SET v = (SELECT MAX(id) FROM t) ORDER BY id LIMIT 1");
    assert_eq!(f.rows("SELECT v FROM t ORDER BY id"), ["4", "b", "13"]);
    assert_eq!(f.error("UPDATE t SET nothing = 1").0, 1054);
    assert_eq!(f.error("UPDATE t, t AS u SET t.v = 1").0, 1235);
}

#[test]
fn a_delete_takes_just_the_rows_its_order_and_limit_give() {
    let mut f = Fixture::new(&[T, "INSERT INTO t VALUES (1,1,'a'),(2,2,'b'),(3,3,'c')"]);
    assert_eq!(f.ok("DELETE FROM t ORDER BY id DESC LIMIT 1").0, 1);
    assert_eq!(f.rows("SELECT id FROM t ORDER BY id"), ["1", "2"]);
    assert_eq!(f.ok("DELETE FROM t WHERE v LIKE 'A'").0, 1);
    assert_eq!(f.ok("DELETE FROM t").0, 1);
    assert_eq!(f.taken(), (0, 0, 3));
}

#[test]
fn rows_come_from_a_query() {
    let setup = [
        T,
        "CREATE TABLE s LIKE t",
        "INSERT INTO t VALUES (1,1,'a'),(2,2,'b')",
    ];
    let mut f = Fixture::new(&setup);
    let info = "Records: 2  Duplicates: 0  Warnings: 0".to_owned();
    assert_eq!(
        f.ok("INSERT INTO s SELECT id + 10, k, v FROM t"),
        (2, 12, info)
    );
    assert_eq!(f.rows("SELECT * FROM s ORDER BY id"), ["11|1|a", "12|2|b"]);
    assert_eq!(f.error("INSERT INTO s SELECT id FROM t").0, 1136);
}

#[test]
fn a_time_column_is_touched_only_when_another_column_really_changes() {
    let table = "CREATE TABLE c (id INT PRIMARY KEY, v INT, at TIMESTAMP DEFAULT \
                 CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)";
    let mut f = Fixture::new(&[table, "INSERT INTO c (id, v) VALUES (1, 1)"]);
    f.session.now_micros += 1_000_000_000;
    f.ok("UPDATE c SET v = 1");
    let before = f.rows("SELECT at FROM c");
    f.ok("UPDATE c SET v = 2");
    let after = f.rows("SELECT at FROM c");
    assert_eq!(before, ["2023-11-14 22:13:20"]);
    assert_eq!(after, ["2023-11-14 22:30:00"]);
    let arc: &Arc<_> = &f.database.catalog();
    assert!(arc.table("d", "c").is_ok());
}

/// The statement with parameters of these bytes.
fn run_with(f: &mut Fixture, sql: &str, parameters: &[&'static [u8]]) -> Result<Outcome, SqlError> {
    use binlog::value::Value;
    let (parsed, _) = parse_first(sql.as_bytes(), &ParseOptions::default())?;
    let parameters: Vec<Value<'static>> = parameters
        .iter()
        .map(|bytes| Value::Bytes((*bytes).into()))
        .collect();
    f.writer.begin_group().unwrap();
    let statement = &parsed.statement;
    let session = &mut f.session;
    let result = f
        .writer
        .execute(statement, &parameters, session, &mut f.changes);
    f.writer.commit_group(&EnginePosition::default()).unwrap();
    result
}

// As MySQL 9.7 answers parameters of its BLOB and VARCHAR types.
#[test]
fn bytes_of_parameters_that_are_no_text_stay_as_they_are_on_every_way() {
    let bytes: &[u8] = b"\xff\0";
    let mut f = Fixture::new(&[
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, b BLOB, v VARCHAR(9))",
        "CREATE TABLE s (a VARCHAR(9), b BLOB)",
        "INSERT INTO s VALUES ('x', 'y')",
    ]);
    for (sql, count) in [
        ("INSERT INTO t (b) VALUES (?)", 1),
        ("INSERT INTO t (b) SELECT ?", 1),
        ("INSERT INTO t (b) SELECT ? UNION ALL SELECT ?", 2),
        ("INSERT INTO t (b) SELECT CONCAT(?, a) FROM s", 1),
        ("INSERT INTO t (b) SELECT CONCAT(?, b) FROM s", 1),
        ("INSERT INTO t (b) SELECT MAX(CONCAT(?, a)) FROM s", 1),
        (
            "INSERT INTO t (b) SELECT SUBSTRING(CONCAT(?, a), 1, 1) FROM s",
            1,
        ),
        ("INSERT INTO t (b) SELECT REVERSE(CONCAT(?, a)) FROM s", 1),
        (
            "INSERT INTO t (b) SELECT INSERT(CONCAT(?, b), 2, 1, 'z') FROM s",
            1,
        ),
    ] {
        run_with(&mut f, sql, &vec![bytes; count]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    assert_eq!(
        f.rows("SELECT HEX(b) FROM t ORDER BY id"),
        [
            "FF00", "FF00", "FF00", "FF00", "FF0078", "FF0079", "FF0078", "FF", "7800FF", "FF7A79"
        ]
    );
    for sql in [
        "INSERT INTO t (v) VALUES (?)",
        "INSERT INTO t (v) SELECT ?",
        "INSERT INTO t (v) SELECT CONCAT(?, a) FROM s",
    ] {
        let error = run_with(&mut f, sql, &[bytes]).expect_err(sql);
        assert_eq!(error.code, 1366, "{sql}: {error}");
    }
    let (parsed, _) = parse_first(b"SELECT ?", &ParseOptions::default()).unwrap();
    let mut reader = f.database.reader().unwrap();
    let parameter = binlog::value::Value::Bytes(bytes.into());
    let result = reader.query(&parsed, std::slice::from_ref(&parameter), &mut f.session);
    assert_eq!(result.unwrap().rows, [[parameter]]);
}

/// A session of a client that speaks latin1.
fn speak_latin1(f: &mut Fixture) {
    f.session.character_set_client = crate::collation::Charset::Latin1;
    f.session.collation_connection = crate::collation::Charset::Latin1.default_collation();
}

fn speak_utf8(f: &mut Fixture) {
    f.session.character_set_client = crate::collation::Charset::Utf8mb4;
    f.session.collation_connection = crate::collation::Charset::Utf8mb4.default_collation();
}

// As MySQL 9.7 fills these tables in, in both directions.
#[test]
fn an_expression_of_the_catalogue_means_the_same_to_clients_of_every_character_set() {
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (a INT, b VARCHAR(9) CHARACTER SET utf8mb4 \
             DEFAULT (CONCAT('\u{e9}')), l VARCHAR(9) AS (CHARSET(CONCAT('\u{e9}'))))"
        )
    };
    let mut f = Fixture::new(&[&table("of_utf8")]);
    speak_latin1(&mut f);
    f.run(&table("of_latin1")).unwrap();
    for name in ["of_utf8", "of_latin1"] {
        f.run(&format!("INSERT INTO {name} (a) VALUES (1)"))
            .unwrap();
    }
    speak_utf8(&mut f);
    for name in ["of_utf8", "of_latin1"] {
        f.run(&format!("INSERT INTO {name} (a) VALUES (2)"))
            .unwrap();
    }
    let rows =
        |f: &mut Fixture, name| f.rows(&format!("SELECT a, HEX(b), l FROM {name} ORDER BY a"));
    assert_eq!(
        rows(&mut f, "of_utf8"),
        ["1|C3A9|utf8mb4", "2|C3A9|utf8mb4"]
    );
    assert_eq!(
        rows(&mut f, "of_latin1"),
        ["1|C3A9|latin1", "2|C3A9|latin1"]
    );
}

#[test]
fn rows_that_are_listed_are_counted_and_can_be_killed() {
    let mut fixture = Fixture::new(&["CREATE TABLE listed (a INT, b INT, c INT, d INT)"]);
    let many = format!(
        "INSERT INTO listed (a) VALUES (1){}",
        ",(1)".repeat(999_999)
    );
    assert_eq!(fixture.run(&many).unwrap_err().code, 3170);
    assert!(fixture.changes.is_empty());
    fixture.session.interrupt.set();
    let error = fixture
        .run("INSERT INTO listed (a) VALUES (1), (2)")
        .unwrap_err();
    assert_eq!(error.code, 1317);
}
