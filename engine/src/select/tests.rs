use crate::error::sqlite_failed;
use std::sync::Arc;

use binlog::value::Value;

use crate::database::{Database, EngineOptions, EnginePosition};
use crate::execute::Writer;
use crate::expr::bind::Binder;
use crate::expr::env::Env;
use crate::outcome::{Outcome, ResultColumn, ResultSet};
use crate::select::{VirtualTable, VirtualTables, result_text};
use crate::session::SessionContext;
use sql::ast::Query;
use sql::error::SqlError;
use sql::{ParseOptions, Statement, parse};

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
        fixture.write("CREATE DATABASE d").unwrap();
        for statement in statements {
            fixture.write(statement).unwrap();
        }
        fixture
    }

    fn write(&mut self, text: &str) -> Result<Outcome, SqlError> {
        let parsed = parse(text.as_bytes(), &ParseOptions::default())?;
        let mut writer = Writer::open(&self.database)?;
        writer.begin_group()?;
        let mut changes = Vec::new();
        let result = writer.execute(&parsed.statement, &[], &mut self.session, &mut changes);
        writer.commit_group(&EnginePosition::default())?;
        result
    }

    fn query(&mut self, text: &str, params: &[Value<'static>]) -> Result<ResultSet, SqlError> {
        let parsed = parse(text.as_bytes(), &ParseOptions::default())?;
        self.database
            .reader()?
            .query(&parsed, params, &mut self.session)
    }

    fn rows(&mut self, text: &str) -> Vec<String> {
        let result = self.query(text, &[]).unwrap();
        let columns = &result.columns;
        let text = |row: &Vec<Value<'static>>| {
            let cells = columns.iter().zip(row).map(|(column, value)| {
                result_text(column, value).map_or(String::from("NULL"), |text| {
                    String::from_utf8(text).unwrap()
                })
            });
            cells.collect::<Vec<_>>().join(" ")
        };
        result.rows.iter().map(text).collect()
    }

    /// What SQLite says about how it will run a SELECT.
    fn plan(&mut self, text: &str) -> String {
        let parsed = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
        let Statement::Query(Query::Select(query)) = &parsed.statement else {
            panic!("no SELECT")
        };
        let session = &self.session;
        let mut reader = self.database.reader().unwrap();
        reader
            .read(|connection, catalog| {
                let env = Env::of_session(session);
                let mut binder = Binder::new(catalog, session, &[], text, env);
                let bound = binder.query(query, None)?;
                let explain = format!("EXPLAIN QUERY PLAN {}", bound.sql);
                let mut statement = connection.prepare(&explain).map_err(sqlite_failed)?;
                let mut steps = statement.raw_query();
                let mut plan = Vec::new();
                while let Some(step) = steps.next().map_err(sqlite_failed)? {
                    plan.push(step.get::<_, String>(3).map_err(sqlite_failed)?);
                }
                Ok::<_, SqlError>(plan.join("; "))
            })
            .unwrap()
    }
}

const SBTEST: &str = "CREATE TABLE sbtest1 (id INT NOT NULL AUTO_INCREMENT, k INT NOT NULL DEFAULT 0, \
                      c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '', \
                      PRIMARY KEY (id), KEY k_1 (k))";

#[test]
fn the_statements_of_sysbench_use_indexes() {
    let mut fixture = Fixture::new(&[SBTEST]);
    for statement in [
        "SELECT c FROM sbtest1 WHERE id=5",
        "SELECT c FROM sbtest1 WHERE id BETWEEN 5 AND 104",
        "SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN 5 AND 104",
        "SELECT c FROM sbtest1 WHERE id BETWEEN 5 AND 104 ORDER BY c",
        "SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 5 AND 104 ORDER BY c",
        "SELECT id, k FROM sbtest1 WHERE k IN (1, 2, 3)",
        "SELECT id FROM sbtest1 WHERE id = '5'",
        "SELECT COUNT(*) FROM sbtest1 WHERE k > 7.5",
    ] {
        let plan = fixture.plan(statement);
        assert!(
            plan.contains("SEARCH") && !plan.contains("SCAN"),
            "{statement}: {plan}"
        );
    }
    let plan = fixture.plan("SELECT id FROM sbtest1 ORDER BY id LIMIT 3");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn every_type_is_found_by_its_index() {
    let mut fixture = Fixture::new(&["CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), \
        b VARBINARY(20), m DECIMAL(10,2), w DECIMAL(30,5), d DATE, n DATETIME(3), s TIMESTAMP NULL, \
        h TIME, e ENUM('a','b'), u BIGINT UNSIGNED, f DOUBLE, KEY(v), KEY(b), KEY(m), KEY(w), KEY(d), \
        KEY(n), KEY(s), KEY(h), KEY(e), KEY(u), KEY(f))"]);
    for condition in [
        "v = 'x'",
        "v > 'x'",
        "v IN ('x','y')",
        "v <=> 'x'",
        "b = 'x'",
        "m = 1.5",
        "m >= 1.505",
        "m = '1.5'",
        "w = 1.5",
        "d = '2024-01-05'",
        "d > 20240105",
        "n BETWEEN '2024-01-05' AND '2024-02-05'",
        "s < '2024-01-05 10:00:00'",
        "h = '10:00:00'",
        "e = 'b'",
        "e = 2",
        "u = 18446744073709551615",
        "f < 1.5",
        "5 > u",
        "v IS NULL",
    ] {
        let plan = fixture.plan(&format!("SELECT * FROM t WHERE {condition}"));
        assert!(plan.contains("SEARCH"), "{condition}: {plan}");
    }
    let join = fixture.plan("SELECT * FROM t x JOIN t y ON y.v = x.v AND y.id > 0");
    assert!(join.contains("SEARCH"), "{join}");
}

#[test]
fn parameters_are_found_by_indexes_too_and_keep_their_types() {
    let mut fixture = Fixture::new(&[
        SBTEST,
        "INSERT INTO sbtest1 (k, c) VALUES (7, 'x'), (8, 'y')",
    ]);
    let params = [Value::Int(8), Value::Bytes(b"Y".as_slice().into())];
    let result = fixture.query(
        "SELECT id, ? FROM sbtest1 WHERE k = ?1 AND c = ?",
        &params[..1],
    );
    assert!(result.is_err());
    let params = [params[1].clone(), params[0].clone()];
    let result = fixture
        .query("SELECT id FROM sbtest1 WHERE c = ? AND k = ?", &params)
        .unwrap();
    assert_eq!(result.rows, [[Value::Int(2)]]);
}

#[test]
fn columns_are_described_as_mysql_describes_them() {
    let mut fixture = Fixture::new(&[
        "CREATE TABLE customers (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
        email VARCHAR(190) NOT NULL, name VARCHAR(100), balance DECIMAL(12,2) NOT NULL DEFAULT 0.00, \
        status ENUM('new','ok','bad') DEFAULT 'new', tags SET('a','b','c'), doc JSON, UNIQUE KEY (email), KEY (status))",
    ]);
    let result = fixture.query("SELECT * FROM customers", &[]).unwrap();
    let shape = |column: &ResultColumn| {
        (
            column.name.clone(),
            column.type_code,
            column.length,
            column.flags,
            column.decimals,
        )
    };
    let found: Vec<_> = result.columns.iter().map(shape).collect();
    let name = String::from;
    assert_eq!(
        found,
        [
            (name("id"), 8, 20, 0x4223, 0),
            (name("email"), 253, 760, 0x5005, 0),
            (name("name"), 253, 400, 0, 0),
            (name("balance"), 246, 14, 0x0001, 2),
            (name("status"), 254, 12, 0x4108, 0),
            (name("tags"), 254, 20, 0x0800, 0),
            (name("doc"), 245, u32::MAX, 0x0090, 0),
        ]
    );
    let result = fixture
        .query(
            "SELECT 1, 1.5, 'a', NULL, NOW(), 1=1, 1+1, 1/3, COUNT(*) FROM customers",
            &[],
        )
        .unwrap();
    let found: Vec<_> = result
        .columns
        .iter()
        .map(shape)
        .map(|s| (s.1, s.2, s.3, s.4))
        .collect();
    assert_eq!(
        found,
        [
            (8, 2, 0x81, 0),
            (246, 4, 0x81, 1),
            (253, 4, 0x01, 31),
            (6, 0, 0x80, 0),
            (12, 19, 0x81, 0),
            (8, 1, 0x81, 0),
            (8, 3, 0x81, 0),
            (246, 7, 0x80, 4),
            (8, 21, 0x81, 0),
        ]
    );
}

#[derive(Debug)]
struct Made;

impl VirtualTables for Made {
    fn has_database(&self, database: &str) -> bool {
        database.eq_ignore_ascii_case("information_schema")
    }

    fn table(&self, _: &str, name: &str) -> Option<VirtualTable> {
        name.eq_ignore_ascii_case("tables").then(|| VirtualTable {
            columns: vec![
                ResultColumn::text("TABLE_NAME", &crate::collation::UTF8MB3_GENERAL_CI, 64),
                ResultColumn::integer("TABLE_ROWS"),
            ],
            rows: vec![
                vec![Value::Bytes(b"t".as_slice().into()), Value::UInt(3)],
                vec![Value::Bytes(b"u".as_slice().into()), Value::Null],
            ],
        })
    }

    fn check_read(&self, _: &str, _: &str) -> Result<(), SqlError> {
        Ok(())
    }
}

#[test]
fn made_up_tables_are_joined_like_others() {
    let mut fixture = Fixture::new(&[
        "CREATE TABLE x (n VARCHAR(10))",
        "INSERT INTO x VALUES ('T')",
    ]);
    fixture.session.virtual_tables = Arc::new(Made);
    let sql = "SELECT t.table_name, t.table_rows + 1 FROM information_schema.tables t JOIN x ON x.n = t.table_name";
    assert_eq!(fixture.rows(sql), ["t 4"]);
    assert_eq!(
        fixture.rows("SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES"),
        ["2"]
    );
    let error = fixture
        .query("SELECT * FROM information_schema.nope", &[])
        .unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (1109, "Unknown table 'nope' in information_schema")
    );
}

#[test]
fn a_statement_that_fails_says_so_with_mysqls_error() {
    let mut fixture = Fixture::new(&[
        "CREATE TABLE t (a INT, b INT)",
        "INSERT INTO t VALUES (1,1),(2,2)",
    ]);
    for (sql, code) in [
        ("SELECT x FROM t", 1054),
        ("SELECT t.x FROM t", 1054),
        ("SELECT a FROM t, t u", 1052),
        ("SELECT a FROM t, t", 1066),
        ("SELECT * FROM nope", 1146),
        ("SELECT nope(1)", 1305),
        ("SELECT (SELECT a FROM t)", 1242),
        ("SELECT (SELECT a, b FROM t)", 1241),
        ("SELECT a, COUNT(*) FROM t", 1140),
        ("SELECT a, COUNT(*) FROM t GROUP BY b", 1055),
        ("SELECT a FROM t WHERE SUM(a) > 1", 1111),
        ("SELECT 1 UNION SELECT 1, 2", 1222),
        ("SELECT ROW_NUMBER() OVER () FROM t", 1235),
        ("SELECT @@nope", 1193),
    ] {
        assert_eq!(fixture.query(sql, &[]).unwrap_err().code, code, "{sql}");
    }
}
