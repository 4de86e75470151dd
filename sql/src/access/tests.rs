//! What statements are said to touch.

use crate::{ParseOptions, parse};

/// `right db.table`, comma-separated, in the order of the walk.
fn access(text: &str) -> String {
    let parsed = parse(text.as_bytes(), &ParseOptions::default())
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    match parsed.statement.access() {
        Ok(found) => {
            let one = |access: crate::Access| {
                let table = access.table;
                let database = table.database.map(|name| name + ".").unwrap_or_default();
                format!("{:?} {database}{}", access.right, table.name)
            };
            found.into_iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Err(error) => format!("{} {}", error.code, error.message),
    }
}

#[test]
fn every_table_is_found_wherever_it_stands() {
    for (text, expected) in [
        ("SELECT 1", ""),
        ("SELECT 1 FROM dual", ""),
        ("SELECT 1 FROM (SELECT 1) x, v.s", "Select v.s"),
        ("SET @x = (SELECT a FROM v.s)", "Select v.s"),
        ("SET @a = 1, @x = 1 + (SELECT a FROM v.s)", "Select v.s"),
        ("DO 1, (SELECT a FROM v.s)", "Select v.s"),
        (
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM v.s) THEN 1 END",
            "Select v.s",
        ),
        (
            "SELECT a FROM t ORDER BY (SELECT 1 FROM v.s)",
            "Select t, Select v.s",
        ),
        (
            "SELECT SUM((SELECT 1 FROM v.s)) OVER () FROM t",
            "Select t, Select v.s",
        ),
        (
            "SELECT 1 UNION SELECT a FROM v.s UNION TABLE t",
            "Select v.s, Select t",
        ),
        ("TABLE v.s", "Select v.s"),
        ("VALUES ROW((SELECT a FROM v.s))", "Select v.s"),
        (
            "SELECT * FROM t JOIN u ON t.a = (SELECT 1 FROM v.s)",
            "Select t, Select u, Select v.s",
        ),
        ("SHOW TABLES WHERE (SELECT 1 FROM v.s)", "Select v.s"),
        ("EXPLAIN SELECT * FROM v.s", "Select v.s"),
        ("SELECT a FROM t FOR UPDATE", "Select t, LockRows t"),
        ("SELECT a FROM t FOR SHARE", "Select t"),
        ("PURGE BINARY LOGS BEFORE (SELECT a FROM v.s)", "Select v.s"),
    ] {
        assert_eq!(access(text), expected, "{text}");
    }
}

#[test]
fn a_common_table_expression_is_no_table_where_it_is_in_scope() {
    for (text, expected) in [
        ("WITH c AS (SELECT 1) SELECT * FROM c", ""),
        ("WITH c AS (SELECT * FROM c) SELECT * FROM c", "Select c"),
        (
            "WITH RECURSIVE c AS (SELECT 1 UNION ALL SELECT 1 FROM c) SELECT * FROM C",
            "",
        ),
        (
            "WITH c AS (SELECT 1), d AS (SELECT * FROM c) SELECT * FROM d",
            "",
        ),
        (
            "WITH d AS (SELECT * FROM c), c AS (SELECT 1) SELECT * FROM d",
            "Select c",
        ),
        (
            "SELECT (WITH c AS (SELECT 1) SELECT * FROM c) FROM c",
            "Select c",
        ),
        ("WITH c AS (SELECT 1) SELECT * FROM db.c", "Select db.c"),
    ] {
        assert_eq!(access(text), expected, "{text}");
    }
}

#[test]
fn writes_need_what_they_do_and_what_they_read() {
    for (text, expected) in [
        ("INSERT INTO t VALUES (1)", "Insert t"),
        (
            "INSERT INTO t (a, b) VALUES (1, a + 1)",
            "Insert t, Select t",
        ),
        ("INSERT INTO t SELECT a FROM v.s", "Insert t, Select v.s"),
        (
            "INSERT INTO t SET a = (SELECT a FROM v.s)",
            "Insert t, Select v.s, Select t",
        ),
        (
            "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2",
            "Insert t, Update t",
        ),
        (
            "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = a + 1",
            "Insert t, Update t, Select t",
        ),
        ("REPLACE INTO t VALUES (1)", "Insert t, Delete t"),
        ("UPDATE t SET a = 1", "Update t"),
        ("UPDATE t SET a = 1 WHERE b = 1", "Update t, Select t"),
        ("UPDATE t SET a = CURRENT_DATE LIMIT 1", "Update t"),
        (
            "UPDATE t, u SET t.a = u.a",
            "Select t, Select u, Update t, Update u",
        ),
        ("DELETE FROM t", "Delete t"),
        ("DELETE FROM t WHERE a = 1", "Delete t, Select t"),
        (
            "DELETE t FROM t JOIN u",
            "Select t, Select u, Delete t, Delete u",
        ),
    ] {
        assert_eq!(access(text), expected, "{text}");
    }
}

#[test]
fn ddl_needs_the_privileges_of_both_names() {
    for (text, expected) in [
        ("CREATE TABLE t (a INT)", "Create t"),
        ("CREATE TABLE t LIKE v.s", "Create t, Select v.s"),
        (
            "CREATE TABLE t (a INT) SELECT a FROM v.s",
            "Create t, Insert t, Select v.s",
        ),
        (
            "CREATE TABLE d.t (a INT REFERENCES p (a))",
            "Create d.t, References d.p",
        ),
        (
            "CREATE TABLE t (a INT DEFAULT ((SELECT a FROM v.s)))",
            "Create t, Select v.s",
        ),
        (
            "CREATE TABLE t (a INT, CHECK (a IN (SELECT a FROM v.s)))",
            "Create t, Select v.s",
        ),
        ("ALTER TABLE t ADD b INT", "Alter t"),
        (
            "ALTER TABLE t RENAME o.t",
            "Alter t, Drop t, Create o.t, Insert o.t",
        ),
        ("DROP TABLE a, v.b", "Drop a, Drop v.b"),
        ("TRUNCATE t", "Drop t"),
        ("CREATE INDEX i ON t (a)", "Index t"),
        ("RENAME TABLE a TO b", "Alter a, Drop a, Create b, Insert b"),
        ("LOCK TABLES t READ", "Select t, LockTables t"),
        ("ANALYZE TABLE t", "Select t, Insert t"),
        ("CHECKSUM TABLE t", "Select t"),
    ] {
        assert_eq!(access(text), expected, "{text}");
    }
}

#[test]
fn a_node_without_an_arm_is_refused_by_name() {
    for (text, construct) in [
        ("SELECT * FROM t PIVOT (SUM(a) FOR b IN ('x'))", "PIVOT"),
        ("SELECT * FROM t, LATERAL (SELECT 1) x", "LATERAL"),
        ("SELECT TOP 1 a FROM t", "TOP"),
        ("SELECT DISTINCT ON (a) a FROM t", "DISTINCT ON"),
        ("SELECT a ILIKE 'b' FROM t", "ILIKE"),
    ] {
        let Ok(parsed) = parse(text.as_bytes(), &ParseOptions::default()) else {
            continue;
        };
        let error = parsed.statement.access().expect_err(text);
        assert_eq!(error.code, 1235, "{text}");
        assert!(
            error.message.contains(construct),
            "{text}: {}",
            error.message
        );
    }
}
