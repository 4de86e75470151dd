//! DDL against MySQL's answers: definitions, texts and errors.

use super::*;
use crate::catalog::TableId;
use crate::database::{Database, EngineOptions, EnginePosition};
use crate::error::sqlite_failed;
use crate::execute::Writer;
use sql::{ParseOptions, parse};

struct Bench {
    _directory: tempfile::TempDir,
    database: Database,
    writer: Writer,
    session: SessionContext,
}

impl Bench {
    fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let database =
            Database::open(&directory.path().join("weir.db"), EngineOptions::default()).unwrap();
        let writer = Writer::open(&database).unwrap();
        let mut session = SessionContext::new(1);
        session.database = Some("d".to_owned());
        let mut bench = Bench {
            _directory: directory,
            database,
            writer,
            session,
        };
        bench.run("CREATE DATABASE d").unwrap();
        bench
    }

    fn run(&mut self, sql: &str) -> Result<Outcome, SqlError> {
        let parsed = parse(sql.as_bytes(), &ParseOptions::default())?;
        self.session.warnings.clear();
        self.writer.begin_group().unwrap();
        let result =
            self.writer
                .execute(&parsed.statement, &[], &mut self.session, &mut Vec::new());
        self.writer
            .commit_group(&EnginePosition::default())
            .unwrap();
        result
    }

    fn check_error(&mut self, sql: &str, code: u16, message: &str) {
        let error = self.run(sql).expect_err(sql);
        assert_eq!(
            (error.code, error.message.as_str()),
            (code, message),
            "{sql}"
        );
    }

    fn table(&self, name: &str) -> Arc<Table> {
        Arc::clone(self.database.catalog().table("d", name).unwrap())
    }

    fn show(&self, name: &str) -> String {
        self.table(name).show_create(
            self.writer.next_auto_increment(self.table(name).id),
            &|_, text| text.to_owned(),
        )
    }

    fn insert(
        &mut self,
        name: &str,
        given: Vec<Option<crate::value::datum::Datum>>,
    ) -> Result<(), SqlError> {
        use crate::rows::{Coercion, NullPolicy};
        let table = self.table(name);
        self.writer.begin_group().unwrap();
        let mut coercion = Coercion::new(&self.session, false, NullPolicy::Error);
        let mut rows = self.writer.rows(&table)?;
        let result = rows
            .new_row(
                given
                    .into_iter()
                    .map(|value| value.map(Into::into))
                    .collect(),
                &mut coercion,
                &mut self.session,
                |_, _| Ok(()),
            )
            .and_then(|row| rows.insert(row.values, &mut Vec::new()));
        self.writer
            .commit_group(&EnginePosition::default())
            .unwrap();
        result.map(|_| ())
    }
}

#[test]
fn show_create_table_prints_what_mysql_prints() {
    let mut bench = Bench::new();
    bench
        .run(
            "CREATE TABLE t (id INT UNSIGNED AUTO_INCREMENT, a VARCHAR(20) NOT NULL DEFAULT 'x', \
             b DECIMAL(10,2) DEFAULT 1.5, c ENUM('p','q') CHARACTER SET latin1, d DATETIME(3) \
             DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), e TIMESTAMP NULL, f TEXT, \
             g BOOL, h BIT(5) DEFAULT b'101', i INT(5) ZEROFILL, j CHAR(3) COLLATE utf8mb4_bin \
             COMMENT 'it''s', k BINARY(4) DEFAULT 'a', l JSON, \
             m INT INVISIBLE, n POINT, o VARCHAR(3) CHARACTER SET utf8mb3, q FLOAT(7,3), r YEAR(4) \
             DEFAULT 2020, s TIME DEFAULT '1:2:3', u SET('x','y') DEFAULT 'x,y', v VARBINARY(4) \
             DEFAULT x'ff00', w DATE DEFAULT '2020-1-2', x DOUBLE DEFAULT 1e10, PRIMARY KEY (id), KEY (f(10)), UNIQUE u (a, b), \
             INDEX (b DESC)) COMMENT 'hello' ROW_FORMAT=DYNAMIC",
        )
        .unwrap();
    let expected = "CREATE TABLE `t` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `a` varchar(20) NOT NULL DEFAULT 'x',
  `b` decimal(10,2) DEFAULT '1.50',
  `c` enum('p','q') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `d` datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `e` timestamp NULL DEFAULT NULL,
  `f` text,
  `g` tinyint(1) DEFAULT NULL,
  `h` bit(5) DEFAULT b'101',
  `i` int(5) unsigned zerofill DEFAULT NULL,
  `j` char(3) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'it''s',
  `k` binary(4) DEFAULT 'a\\0\\0\\0',
  `l` json DEFAULT NULL,
  `m` int DEFAULT NULL /*!80023 INVISIBLE */,
  `n` point DEFAULT NULL,
  `o` varchar(3) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `q` float(7,3) DEFAULT NULL,
  `r` year DEFAULT '2020',
  `s` time DEFAULT '01:02:03',
  `u` set('x','y') DEFAULT 'x,y',
  `v` varbinary(4) DEFAULT 0xFF00,
  `w` date DEFAULT '2020-01-02',
  `x` double DEFAULT '10000000000',
  PRIMARY KEY (`id`),
  UNIQUE KEY `u` (`a`,`b`),
  KEY `f` (`f`(10)),
  KEY `b` (`b` DESC)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci ROW_FORMAT=DYNAMIC COMMENT='hello'";
    assert_eq!(bench.show("t"), expected);
    bench.run("CREATE TABLE copied LIKE t").unwrap();
    assert_eq!(
        bench.show("copied"),
        expected.replacen("`t`", "`copied`", 1)
    );
}

#[test]
fn errors_are_mysqls() {
    let mut bench = Bench::new();
    bench
        .run("CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(10), KEY kb (b))")
        .unwrap();
    let check =
        |bench: &mut Bench, sql: &str, code, message: &str| bench.check_error(sql, code, message);
    check(
        &mut bench,
        "CREATE DATABASE d",
        1007,
        "Can't create database 'd'; database exists",
    );
    check(
        &mut bench,
        "DROP DATABASE x",
        1008,
        "Can't drop database 'x'; database doesn't exist",
    );
    check(
        &mut bench,
        "CREATE TABLE t (a INT)",
        1050,
        "Table 't' already exists",
    );
    check(
        &mut bench,
        "DROP TABLE t, u, v",
        1051,
        "Unknown table 'd.u,d.v'",
    );
    check(
        &mut bench,
        "CREATE TABLE u (a INT, A INT)",
        1060,
        "Duplicate column name 'A'",
    );
    check(
        &mut bench,
        "CREATE INDEX kb ON t (a)",
        1061,
        "Duplicate key name 'kb'",
    );
    check(
        &mut bench,
        "CREATE TABLE u (a INT DEFAULT 'x')",
        1067,
        "Invalid default value for 'a'",
    );
    check(
        &mut bench,
        "CREATE TABLE u (a INT PRIMARY KEY, b INT PRIMARY KEY)",
        1068,
        "Multiple primary key defined",
    );
    check(
        &mut bench,
        "CREATE TABLE u (a VARCHAR(1000), KEY (a))",
        1071,
        "Specified key was too long; max key length is 3072 bytes",
    );
    check(
        &mut bench,
        "CREATE INDEX k ON t (z)",
        1072,
        "Key column 'z' doesn't exist in table",
    );
    check(
        &mut bench,
        "CREATE TABLE u (a INT AUTO_INCREMENT)",
        1075,
        "Incorrect table definition; there can be only one auto column and it must be defined as a key",
    );
    check(
        &mut bench,
        "DROP INDEX z ON t",
        1091,
        "Can't DROP 'z'; check that column/key exists",
    );
    check(
        &mut bench,
        "CREATE TABLE u (a TEXT DEFAULT 'x')",
        1101,
        "BLOB, TEXT, GEOMETRY or JSON column 'a' can't have a default value",
    );
    check(
        &mut bench,
        "TRUNCATE TABLE u",
        1146,
        "Table 'd.u' doesn't exist",
    );
    check(
        &mut bench,
        "CREATE TABLE x.u (a INT)",
        1049,
        "Unknown database 'x'",
    );
    check(
        &mut bench,
        "CREATE TABLE u (a TEXT, KEY (a))",
        1170,
        "BLOB/TEXT column 'a' used in key specification without a key length",
    );
    check(
        &mut bench,
        "CREATE TABLE u (a INT REFERENCES t (a))",
        1235,
        "This version of MySQL doesn't yet support 'FOREIGN KEY'",
    );
    check(
        &mut bench,
        "CREATE TABLE u (a VARCHAR(20000))",
        1074,
        "Column length too big for column 'a' (max = 16383); use BLOB or TEXT instead",
    );
}

#[test]
fn the_srid_of_a_column_is_kept_shown_and_held() {
    let mut bench = Bench::new();
    bench
        .run("CREATE TABLE g (a POINT SRID 4326, b GEOMETRY NOT NULL SRID 0, c POINT)")
        .unwrap();
    assert_eq!(
        bench.show("g"),
        "CREATE TABLE `g` (\n  `a` point /*!80003 SRID 4326 */ DEFAULT NULL,\n  \
         `b` geometry NOT NULL /*!80003 SRID 0 */,\n  `c` point DEFAULT NULL\n) \
         ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"
    );
    let point = |srid: &str| format!("x'{srid}0101000000{}'", "0".repeat(32));
    let (none, wgs) = (point("00000000"), point("E6100000"));
    bench
        .run(&format!("INSERT INTO g VALUES ({wgs}, {none}, {wgs})"))
        .unwrap();
    bench.check_error(
        &format!("INSERT INTO g VALUES ({none}, {none}, {none})"),
        3643,
        "The SRID of the geometry does not match the SRID of the column 'a'. The SRID of the \
         geometry is 0, but the SRID of the column is 4326. Consider changing the SRID of the \
         geometry or the SRID property of the column.",
    );
    let mismatch = bench
        .run("ALTER TABLE g MODIFY c POINT SRID 0")
        .unwrap_err();
    assert_eq!(mismatch.code, 3643);
    bench.run("ALTER TABLE g MODIFY c POINT SRID 4326").unwrap();
    bench.check_error(
        "CREATE TABLE h (a INT SRID 0)",
        1221,
        "Incorrect usage of SRID and non-geometry column",
    );
    let unknown = "CREATE TABLE h (a POINT SRID 3068)";
    assert_eq!(bench.run(unknown).unwrap_err().code, 1235);
    bench.session.applies_log = true;
    bench.run(unknown).unwrap();
}

#[test]
fn a_log_adds_virtual_columns_that_the_rows_do_not_fit() {
    let mut bench = Bench::new();
    bench.run("CREATE TABLE v (a VARCHAR(20), b INT)").unwrap();
    bench
        .run("INSERT INTO v VALUES (NULL, NULL), ('abc', 1)")
        .unwrap();
    let long = "ALTER TABLE v ADD y VARCHAR(3) AS (CONCAT(a, 'xyz')) VIRTUAL";
    let null = "ALTER TABLE v ADD z INT AS (b) VIRTUAL NOT NULL";
    assert_eq!(bench.run(long).unwrap_err().code, 1406);
    assert_eq!(bench.run(null).unwrap_err().code, 1048);
    bench.session.applies_log = true;
    bench.run(long).unwrap();
    bench.run(null).unwrap();
}

#[test]
fn a_failed_statement_leaves_the_catalogue_as_it_was() {
    let mut bench = Bench::new();
    bench.run("CREATE TABLE t (a INT)").unwrap();
    let before = bench.database.catalog();
    bench.run("RENAME TABLE t TO u, missing TO v").unwrap_err();
    assert_eq!(bench.database.catalog(), before);
}

#[test]
fn the_catalogue_survives_reopening() {
    let mut bench = Bench::new();
    bench
        .run("CREATE TABLE t (a INT AUTO_INCREMENT PRIMARY KEY, b ENUM('x')) AUTO_INCREMENT=7")
        .unwrap();
    let Bench {
        _directory: directory,
        database,
        writer,
        ..
    } = bench;
    let before = database.catalog();
    let path = directory.path().join("weir.db");
    drop((writer, database));
    let database = Database::open(&path, EngineOptions::default()).unwrap();
    assert_eq!(database.catalog(), before);
    let id = database.catalog().table("d", "t").unwrap().id;
    assert_eq!(Writer::open(&database).unwrap().next_auto_increment(id), 7);
}

#[test]
fn alter_keeps_rows_and_checks_them() {
    use crate::value::datum::Datum::{self, Int, Null};
    let mut bench = Bench::new();
    bench
        .run("CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(10))")
        .unwrap();
    for (a, b) in [
        (1, Datum::text("10")),
        (2, Datum::text("x")),
        (3, Datum::text("x")),
        (4, Null),
    ] {
        bench.insert("t", vec![Some(Int(a)), Some(b)]).unwrap();
    }
    bench.check_error(
        "ALTER TABLE t ADD UNIQUE u (b)",
        1062,
        "Duplicate entry 'x' for key 't.u'",
    );
    bench.check_error(
        "ALTER TABLE t MODIFY b INT",
        1366,
        "Incorrect integer value: 'x' for column 'b' at row 2",
    );
    bench.check_error(
        "ALTER TABLE t MODIFY b VARCHAR(10) NOT NULL",
        1138,
        "Invalid use of NULL value",
    );
    let old: TableId = bench.table("t").id;
    bench
        .run("ALTER TABLE t RENAME COLUMN b TO bb, ADD KEY (bb), COMMENT 'c'")
        .unwrap();
    assert_eq!(bench.table("t").id, old, "names and keys need no rebuild");
    bench
        .run("ALTER TABLE t ADD COLUMN z INT NOT NULL DEFAULT 5 FIRST, MODIFY a BIGINT")
        .unwrap();
    let table = bench.table("t");
    assert_ne!(table.id, old);
    let rows = bench.writer.rows(&table).unwrap();
    let row = rows.row(crate::rows::RowId(1)).unwrap().unwrap();
    use binlog::value::Value;
    let text = |text: &'static str| Value::Bytes(text.as_bytes().into());
    assert_eq!(row.values, vec![Value::Int(5), Value::Int(1), text("10")]);
    bench
        .run("ALTER TABLE t DROP COLUMN z, RENAME TO s")
        .unwrap();
    let expected = "CREATE TABLE `s` (
  `a` bigint NOT NULL,
  `bb` varchar(10) DEFAULT NULL,
  PRIMARY KEY (`a`),
  KEY `bb` (`bb`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='c'";
    assert_eq!(bench.show("s"), expected);
    assert!(bench.table("s").columns.len() == 2);
}

#[test]
fn truncate_starts_counting_again() {
    let mut bench = Bench::new();
    bench
        .run("CREATE TABLE t (a INT AUTO_INCREMENT PRIMARY KEY)")
        .unwrap();
    bench.insert("t", vec![None]).unwrap();
    assert_eq!(bench.writer.next_auto_increment(bench.table("t").id), 2);
    bench.run("TRUNCATE t").unwrap();
    assert_eq!(bench.writer.next_auto_increment(bench.table("t").id), 1);
    bench.insert("t", vec![None]).unwrap();
}

#[test]
fn a_reader_sees_rows_and_catalogue_of_one_moment() {
    let mut bench = Bench::new();
    bench.run("CREATE TABLE t (a INT)").unwrap();
    let mut reader = bench.database.reader().unwrap();
    reader.begin_snapshot().unwrap();
    bench.run("DROP TABLE t").unwrap();
    let seen = reader.read(|connection, catalog| {
        let table = catalog.table("d", "t")?;
        let sql = format!("SELECT count(*) FROM {}", table.sqlite_name());
        let count = connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
        count.map_err(sqlite_failed)
    });
    assert_eq!(seen, Ok(0));
    reader.end_snapshot().unwrap();
    let error = reader
        .read(|_, catalog| catalog.table("d", "t").map(Arc::clone))
        .unwrap_err();
    assert_eq!(error.code, 1146);
}

#[test]
fn alter_without_strict_mode_fills_null() {
    use crate::value::datum::Datum::{Int, Null};
    use binlog::value::Value;
    let mut bench = Bench::new();
    bench
        .run("CREATE TABLE t (a INT PRIMARY KEY, b INT)")
        .unwrap();
    bench.insert("t", vec![Some(Int(1)), Some(Null)]).unwrap();
    bench.session.sql_mode = sql::SqlMode::default();
    bench
        .run("ALTER TABLE t MODIFY b BIGINT UNSIGNED NOT NULL DEFAULT 3")
        .unwrap();
    assert_eq!(bench.session.warnings.len(), 1);
    let table = bench.table("t");
    let rows = bench.writer.rows(&table).unwrap();
    let row = rows.row(crate::rows::RowId(1)).unwrap().unwrap();
    assert_eq!(row.values, vec![Value::Int(1), Value::UInt(0)]);
}

// MySQL 9.7 shows the same members.
#[test]
fn members_in_hexadecimal_are_bytes_of_their_columns_character_set() {
    let mut bench = Bench::new();
    bench
        .run(
            "CREATE TABLE t (a ENUM(0xC3A9) CHARACTER SET latin1, b SET(x'C3A9', 0xFF) CHARACTER SET \
             latin1, c ENUM(0xC3A9))",
        )
        .unwrap();
    let shown = bench.show("t");
    for column in [
        "`a` enum('\u{c3}\u{a9}')",
        "`b` set('\u{c3}\u{a9}','\u{ff}')",
        "`c` enum('\u{e9}')",
    ] {
        assert!(shown.contains(column), "{shown}");
    }
    for member in [
        "ENUM(0x61FF)",
        "SET(0x61FF)",
        "ENUM(0xC3A9) CHARACTER SET ascii",
    ] {
        let error = bench
            .run(&format!("CREATE TABLE u (a {member})"))
            .expect_err(member);
        assert_eq!(error.code, 1235, "{member}: {error}");
    }
}

// MySQL 9.7 takes the collation of the default database, not that of the table's.
#[test]
fn the_default_character_set_of_convert_is_that_of_the_sessions_database() {
    let mut bench = Bench::new();
    bench.run("CREATE DATABASE a CHARACTER SET latin1").unwrap();
    bench.run("CREATE TABLE t (v VARCHAR(9))").unwrap();
    bench.session.database = Some("a".to_owned());
    bench
        .run("ALTER TABLE d.t CONVERT TO CHARACTER SET DEFAULT")
        .unwrap();
    assert_eq!(bench.table("t").collation.name, "latin1_swedish_ci");
    bench.check_error(
        "ALTER TABLE d.t CONVERT TO CHARACTER SET DEFAULT COLLATE utf8mb4_bin",
        1253,
        "COLLATION 'utf8mb4_bin' is not valid for CHARACTER SET 'latin1'",
    );
    bench.session.database = None;
    bench
        .run("ALTER TABLE d.t CONVERT TO CHARACTER SET DEFAULT")
        .unwrap();
    assert_eq!(bench.table("t").collation.name, "utf8mb4_0900_ai_ci");
}

#[test]
fn long_lists_of_tables_and_columns_take_linear_time() {
    let mut bench = Bench::new();
    bench.run("CREATE TABLE t (a INT)").unwrap();
    let begun = std::time::Instant::now();
    let list = |of: &dyn Fn(usize) -> String| (0..20_000).map(of).collect::<Vec<_>>().join(",");
    let names = list(&|at| format!("x{at}"));
    let error = bench.run(&format!("DROP TABLE {names}")).unwrap_err();
    assert_eq!(error.code, 1051);
    let error = bench.run(&format!("DROP TABLE {names},x7")).unwrap_err();
    assert_eq!(error.code, 1066);
    let first = list(&|at| format!("ADD x{at} INT FIRST")).replace(",ADD", ",\nADD");
    let shorter = first.lines().take(15_000).collect::<Vec<_>>().join(" ");
    let shorter = shorter.trim_end_matches(',');
    bench.check_error(
        &format!("ALTER TABLE t {shorter}"),
        1117,
        "Too many columns",
    );
    let columns = list(&|at| format!("x{at} INT"));
    bench.check_error(
        &format!("CREATE TABLE u ({columns})"),
        1117,
        "Too many columns",
    );
    let dropped = list(&|at| format!("DROP x{at}"));
    let error = bench.run(&format!("ALTER TABLE t {dropped}")).unwrap_err();
    assert_eq!(error.code, 1091);
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
}

#[test]
fn a_statement_with_a_long_list_can_be_killed() {
    let mut bench = Bench::new();
    bench.session.interrupt.set();
    let error = bench.run("DROP TABLE x, y").unwrap_err();
    assert_eq!(error.code, 1317);
    let error = bench.run("CREATE TABLE t (a INT, b INT)").unwrap_err();
    assert_eq!(error.code, 1317);
}
