//! The DDL of MariaDB, as its logs hold it.

use super::*;

impl Bench {
    fn mariadb(&mut self, sql: &str) -> Result<DdlOutcome, ApplyError> {
        let status = StatusVariables::default();
        let statement = DdlStatement::new("d", sql.as_bytes(), &status, 0, "11.8.9-MariaDB");
        self.writer.begin_group().unwrap();
        let result = self.writer.apply_ddl(&statement);
        self.commit();
        result
    }

    fn shown(&self) -> String {
        let catalog = self.database.catalog();
        let table = catalog.table("d", "t").unwrap();
        table.show_create(1, &|_, text| text.to_owned())
    }
}

#[test]
fn types_of_mariadb_keep_their_names_and_its_json_is_text() {
    let mut bench = Bench::new(&[]);
    let sql =
        "CREATE TABLE t (u UUID PRIMARY KEY DEFAULT UUID(), i4 INET4, i6 INET6 NOT NULL, j JSON)";
    assert_eq!(bench.mariadb(sql).unwrap(), DdlOutcome::Done);
    let shown = bench.shown();
    for line in [
        "`u` uuid NOT NULL DEFAULT (uuid())",
        "`i4` inet4 DEFAULT NULL",
        "`i6` inet6 NOT NULL",
        "`j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    bench
        .mariadb("ALTER TABLE t CONVERT TO CHARACTER SET latin1, MODIFY i4 VARCHAR(20)")
        .unwrap();
    assert!(bench.shown().contains("`u` uuid"));
    // MariaDB makes other bytes of them.
    for sql in [
        "ALTER TABLE t MODIFY u BINARY(16)",
        "ALTER TABLE t MODIFY i6 UUID NOT NULL",
        "ALTER TABLE t MODIFY i4 INET4",
    ] {
        assert_eq!(bench.mariadb(sql).unwrap_err().code(), 1235, "{sql}");
    }
}

#[test]
fn conditional_clauses_do_what_is_left_to_do() {
    let mut bench = Bench::new(&["CREATE TABLE t (a INT, KEY k (a))"]);
    for sql in [
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a TEXT, ADD COLUMN IF NOT EXISTS (b INT, b TEXT)",
        "ALTER TABLE t DROP COLUMN IF EXISTS z, DROP INDEX IF EXISTS z, MODIFY COLUMN IF EXISTS z INT",
        "ALTER TABLE t ADD INDEX IF NOT EXISTS k (b), RENAME INDEX IF EXISTS z TO y",
        "ALTER TABLE IF EXISTS nowhere ADD COLUMN a INT",
        "CREATE INDEX IF NOT EXISTS k ON t (b)",
        "CREATE OR REPLACE INDEX k ON t (b, a)",
        "DROP INDEX IF EXISTS z ON t",
        "ALTER TABLE t ALTER INDEX k IGNORED",
    ] {
        assert_eq!(bench.mariadb(sql).unwrap(), DdlOutcome::Done, "{sql}");
    }
    let shown = bench.shown();
    assert!(shown.contains("`a` int DEFAULT NULL,\n  `b` int DEFAULT NULL,"));
    assert!(shown.contains("KEY `k` (`b`,`a`) /*!80000 INVISIBLE */"));
    bench
        .mariadb("CREATE OR REPLACE TABLE t (c INT) PAGE_CHECKSUM=1")
        .unwrap();
    assert!(!bench.shown().contains("`a`"));
}

#[test]
fn sequences_are_passed_over_by_name_with_what_is_said_of_them() {
    let mut bench = Bench::new(&["CREATE TABLE k (a INT)"]);
    let renamed = "RENAME TABLE of a sequence";
    for (sql, construct) in [
        ("CREATE SEQUENCE s", "CREATE SEQUENCE"),
        ("ALTER SEQUENCE s RESTART", "ALTER SEQUENCE"),
        ("RENAME TABLE k TO l, s TO r", renamed),
        (
            "CREATE TABLE IF NOT EXISTS r (z INT)",
            "CREATE TABLE IF NOT EXISTS of a sequence's name",
        ),
        ("DROP TABLE r, l", "DROP TABLE of a sequence"),
        ("CREATE SEQUENCE s", "CREATE SEQUENCE"),
        ("DROP SEQUENCE s", "DROP SEQUENCE"),
        ("DROP PACKAGE BODY p", "DROP PACKAGE BODY"),
    ] {
        let outcome = bench.mariadb(sql).unwrap();
        assert_eq!(outcome, DdlOutcome::NotKept { construct }, "{sql}");
        if construct == renamed {
            assert!(bench.writer.has_sequence("d", "r").unwrap());
        }
    }
    assert!(!bench.writer.has_sequence("d", "r").unwrap());
    assert!(bench.database.catalog().table("d", "l").is_err());
    for sql in [
        "CREATE TABLE t (a INT DEFAULT NEXT VALUE FOR r)",
        "ALTER TABLE t ALTER a SET DEFAULT (NEXTVAL(r) + 1)",
    ] {
        let constructs = vec!["DEFAULT of a sequence"];
        let outcome = bench.mariadb(sql).unwrap();
        assert_eq!(outcome, DdlOutcome::Unenforced { constructs }, "{sql}");
    }
    assert!(bench.shown().contains("`a` int\n"), "{}", bench.shown());
    assert_eq!(bench.mariadb("DROP TABLE s").unwrap_err().code(), 1051);
}
