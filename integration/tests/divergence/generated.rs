//! Generated columns and defaults by expression have the same values on the primary, on its Weir
//! replica and on a MySQL 9.7 replica, whatever made the rows: INSERT, UPDATE, REPLACE, ALTER TABLE, or
//! recovery after kill -9.

use integration::failure::ensure;
use integration::{Peer, RealServer, Result};

use crate::definitions::Three;

/// Rows first, columns afterwards: the rows that are there must get their values.
const BEFORE_THE_CRASH: &[&str] = &[
    "CREATE DATABASE made",
    "USE made",
    "CREATE TABLE old (id INT AUTO_INCREMENT PRIMARY KEY, a INT, s VARCHAR(20), d DATETIME(3))",
    "INSERT INTO old (a, s, d) VALUES (1, 'eins', '2001-02-03 04:05:06.789'), (NULL, NULL, NULL), (-7, 'Größe', '1999-12-31 23:59:59')",
    "ALTER TABLE old ADD b BIGINT AS (a + 1)",
    "ALTER TABLE old ADD c VARCHAR(60) AS (CONCAT(s, '-', a)) STORED, ADD e INT AS (LENGTH(s)) VIRTUAL FIRST",
    "ALTER TABLE old MODIFY b BIGINT AS (a * 3)",
    "ALTER TABLE old ADD f INT AS (b + 1) STORED UNIQUE",
    "ALTER TABLE old MODIFY a BIGINT",
    "ALTER TABLE old ADD y INT AS (YEAR(d)), ADD KEY (y)",
    "INSERT INTO old (a, s) VALUES (100, 'hundert')",
    "INSERT INTO old (id, a, b, s) VALUES (50, 5, DEFAULT, 'fünf')",
    "UPDATE old SET a = a + 10 WHERE id <= 2",
    "UPDATE old SET s = 'neu', b = DEFAULT WHERE id = 3",
    "DELETE FROM old WHERE b = 33",
    "CREATE TABLE plain (a INT, b INT AS (a * a) STORED, c INT AS (b - a), t VARCHAR(9) DEFAULT (UPPER('x')), u INT DEFAULT (a + 1))",
    "INSERT INTO plain (a) VALUES (2), (3), (NULL)",
    "INSERT INTO plain SET a = 4, u = 9",
    "REPLACE INTO plain (a, b) VALUES (5, DEFAULT)",
    "INSERT INTO plain (a) SELECT a + 100 FROM plain WHERE a < 4",
    "ALTER TABLE plain ADD v INT DEFAULT (a * 2), ADD w VARCHAR(30) DEFAULT (CONCAT('w', 1 + 1))",
    "UPDATE plain SET a = 7, u = DEFAULT WHERE c = 2",
    "DELETE FROM plain WHERE c IS NULL",
    "CREATE TABLE keyed (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b INT AS (a % 10) VIRTUAL, n INT, UNIQUE (b))",
    "INSERT INTO keyed (a, n) VALUES (1, 1), (2, 2)",
    "INSERT INTO keyed (a, n) VALUES (11, 3) ON DUPLICATE KEY UPDATE a = 33, n = n + 10",
    "REPLACE INTO keyed (a, n) VALUES (12, 4)",
    "INSERT IGNORE INTO keyed (a, n) VALUES (42, 5)",
    "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,STRICT_TRANS_TABLES'",
    "CREATE TABLE quoted (\"a b\" VARCHAR(9), \"c\" VARCHAR(30) AS (\"a b\" || 'x'), \"d\" VARCHAR(9) DEFAULT ('a' || 'b'))",
    "INSERT INTO quoted (\"a b\") VALUES ('q')",
    "SET sql_mode = DEFAULT",
];

const AFTER_THE_CRASH: &[&str] = &[
    "USE made",
    "INSERT INTO quoted (`a b`) VALUES ('r')",
    "UPDATE old SET a = 1000 WHERE f IS NOT NULL AND id = 50",
    "DELETE FROM old WHERE c LIKE 'hundert%'",
    "ALTER TABLE old DROP COLUMN f, MODIFY e INT AS (CHAR_LENGTH(s) * 2)",
    "UPDATE plain SET a = a + 1",
    "DELETE FROM plain WHERE b > 10000",
    "ALTER TABLE plain MODIFY b INT",
    "UPDATE plain SET b = 1 WHERE a < 8",
    "UPDATE keyed SET a = a + 1 ORDER BY a DESC",
    "CREATE TABLE copy LIKE old",
    "INSERT INTO copy (a, s) SELECT a, s FROM old",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_columns_have_the_same_values_everywhere_and_after_kill_9() -> Result {
    let mut three = Three::start(&[]).await?;
    three.run(BEFORE_THE_CRASH).await?;
    three.kill_both().await?;
    three.run(AFTER_THE_CRASH).await?;
    three.ensure_same(&["made"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_give_generated_columns_a_value_get_mysqls_answer() -> Result {
    let weir = integration::Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut on_weir = weir.client().await?;
    let mut on_mysql = mysql.client().await?;
    let mut wrong = Vec::new();
    for statement in [
        "CREATE DATABASE d",
        "USE d",
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b INT AS (a + 1), c INT AS (a * 2) STORED)",
        "CREATE TABLE narrow (a INT, b TINYINT AS (a + 1), c INT AS (10 / a) NOT NULL)",
        "INSERT INTO t (a) VALUES (1)",
        "INSERT INTO t (a, b) VALUES (1, 5)",
        "INSERT INTO t (a, b) VALUES (1, NULL)",
        "INSERT INTO t (a, b) VALUES (1, DEFAULT)",
        "INSERT IGNORE INTO t (a, c) VALUES (1, 5)",
        "INSERT INTO t VALUES (10, 1, DEFAULT, DEFAULT)",
        "INSERT INTO t VALUES (11, 1, DEFAULT, 3)",
        "INSERT INTO t VALUES (11, 1)",
        "INSERT INTO t (a, b) SELECT 1, 2",
        "INSERT INTO t (a, b) SELECT 1, 2 FROM t WHERE a = 77",
        "INSERT INTO t SET a = 3, b = 4",
        "INSERT INTO t SET a = 3, b = DEFAULT",
        "REPLACE INTO t (id, a, b) VALUES (10, 9, 9)",
        "REPLACE INTO t (id, a, b) VALUES (10, 9, DEFAULT)",
        "UPDATE t SET b = 3",
        "UPDATE t SET b = 3 WHERE id = 77",
        "UPDATE t SET b = DEFAULT",
        "UPDATE t SET a = 20, b = DEFAULT, c = DEFAULT WHERE id = 10",
        "INSERT INTO t (id, a) VALUES (10, 1) ON DUPLICATE KEY UPDATE b = 4",
        "INSERT INTO t (id, a) VALUES (10, 1) ON DUPLICATE KEY UPDATE b = DEFAULT, a = 21",
        "SELECT id, a, b, c FROM t ORDER BY id",
        "INSERT INTO narrow (a) VALUES (300)",
        "INSERT INTO narrow (a) VALUES (0)",
        "INSERT INTO narrow (a) VALUES (NULL)",
        "INSERT INTO narrow (a) VALUES (5)",
        "UPDATE narrow SET a = 0",
        "SELECT a, b, c FROM narrow",
    ] {
        let expected = on_mysql.answer(statement).await?;
        let seen = on_weir.answer(statement).await?;
        if expected != seen {
            wrong.push(format!("{statement}\n  MySQL: {expected}\n  Weir:  {seen}"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}
