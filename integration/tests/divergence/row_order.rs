//! Rows that get ids get them in MySQL's order: that of the key by which the table lies.

use integration::failure::ensure;
use integration::{Client, Peer, RealServer, Result, Weir};

use super::definitions::Three;

/// Tables of each kind of key with rows that came in another order, and what gives them ids.
const IDS: &[&str] = &[
    "CREATE DATABASE ids",
    "USE ids",
    "CREATE TABLE a (a INT, b INT, PRIMARY KEY (b, a))",
    "INSERT INTO a VALUES (1, 3), (3, 1), (2, 2)",
    "ALTER TABLE a DROP PRIMARY KEY, ADD id INT AUTO_INCREMENT PRIMARY KEY FIRST",
    "CREATE TABLE b (a VARCHAR(10), b INT, PRIMARY KEY (a DESC))",
    "INSERT INTO b VALUES ('b', 1), ('A', 2), ('a2', 3), ('Z', 4), ('ö', 5), ('_', 6)",
    "ALTER TABLE b ADD id INT AUTO_INCREMENT UNIQUE",
    "CREATE TABLE c (a INT PRIMARY KEY, b INT)",
    "INSERT INTO c VALUES (3, 1), (-2, 2), (2, 3)",
    "ALTER TABLE c ADD id INT AUTO_INCREMENT UNIQUE",
    "CREATE TABLE d (a INT NULL UNIQUE, b INT NOT NULL, c INT NOT NULL, UNIQUE k2 (c), UNIQUE k1 (b))",
    "INSERT INTO d VALUES (1, 3, 1), (3, 1, 2), (2, 2, 3)",
    "ALTER TABLE d ADD id INT AUTO_INCREMENT PRIMARY KEY",
    "CREATE TABLE e (a CHAR(5) NOT NULL, b INT, UNIQUE (a(2)))",
    "INSERT INTO e VALUES ('zz', 1), ('aa', 2), ('mm', 3)",
    "ALTER TABLE e ADD id INT AUTO_INCREMENT PRIMARY KEY",
    "CREATE TABLE f (a INT NOT NULL, v INT AS (10 - a) VIRTUAL NOT NULL, UNIQUE (v))",
    "INSERT INTO f (a) VALUES (1), (3), (2)",
    "ALTER TABLE f ADD id INT AUTO_INCREMENT UNIQUE",
    "CREATE TABLE g (a BIGINT UNSIGNED, b DECIMAL(5,2), PRIMARY KEY (a, b))",
    "INSERT INTO g VALUES (18446744073709551615, 1), (1, -1), (9223372036854775808, 10), (1, -9)",
    "ALTER TABLE g ADD id INT AUTO_INCREMENT UNIQUE",
    "CREATE TABLE h (a TIME, b ENUM('x','y','a'), c DOUBLE, PRIMARY KEY (b, a, c))",
    "INSERT INTO h VALUES ('-10:00:00', 'y', 1), ('-1:00:00', 'y', 1e10), ('100:00:00', 'a', 0), ('9:00:00', 'x', -1)",
    "ALTER TABLE h ADD id INT AUTO_INCREMENT UNIQUE",
    "CREATE TABLE i (a VARCHAR(5) CHARACTER SET latin1 COLLATE latin1_bin PRIMARY KEY)",
    "INSERT INTO i VALUES ('z'), ('ä'), ('€'), ('a'), ('š')",
    "ALTER TABLE i ADD id INT AUTO_INCREMENT UNIQUE",
    // Rows keep the order of a key that is gone.
    "CREATE TABLE j (a INT NOT NULL UNIQUE, b INT)",
    "INSERT INTO j VALUES (3, 1), (1, 2), (2, 3)",
    "ALTER TABLE j DROP KEY a",
    "ALTER TABLE j ADD id INT AUTO_INCREMENT UNIQUE",
    "CREATE TABLE k (a INT, b INT)",
    "INSERT INTO k VALUES (1, 3), (2, 1), (3, 2), (4, 1), (5, NULL)",
    "ALTER TABLE k ORDER BY b, a DESC",
    "ALTER TABLE k ADD id INT AUTO_INCREMENT UNIQUE",
    // A column that is gone counts no further.
    "CREATE TABLE l (a VARCHAR(3) PRIMARY KEY)",
    "INSERT INTO l VALUES ('c'), ('a'), ('b')",
    "ALTER TABLE l ADD id INT AUTO_INCREMENT UNIQUE",
    "ALTER TABLE l DROP COLUMN id",
    "ALTER TABLE l ADD id INT AUTO_INCREMENT UNIQUE",
    // NULL and 0 become ids where a column begins to count.
    "CREATE TABLE m (a INT PRIMARY KEY, b INT)",
    "INSERT INTO m VALUES (3, NULL), (1, 0), (2, 7)",
    "ALTER TABLE m MODIFY b INT AUTO_INCREMENT, ADD KEY (b)",
    "CREATE TABLE n (a BIGINT PRIMARY KEY, b INT)",
    "INSERT INTO n VALUES (-9223372036854775808, 1), (5, 2)",
    "ALTER TABLE n ADD c INT",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_get_their_ids_in_the_order_of_the_clustered_key() -> Result {
    let mut three = Three::start(&[]).await?;
    three.run(IDS).await?;
    three.ensure_same(&["ids"]).await?;
    three.kill_both().await?;
    let statements = [
        "USE ids",
        "DELETE FROM a WHERE id = 1",
        "UPDATE b SET b = 9 WHERE id = 2",
        "DELETE FROM m WHERE b = 1",
    ];
    three.run(&statements).await?;
    three.ensure_same(&["ids"]).await
}

/// What both servers answer to each statement, counts of rows and warnings with it.
pub(super) async fn ensure_alike(statements: &[&str]) -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let (mut on_weir, mut on_mysql): (Client, Client) =
        (weir.client().await?, mysql.client().await?);
    let mut wrong = Vec::new();
    for statement in statements {
        let expected = on_mysql.answer(statement).await?;
        let seen = on_weir.answer(statement).await?;
        // MySQL warns of modes that are to become one.
        if expected != seen && !statement.starts_with("SET ") {
            wrong.push(format!("{statement}\n  MySQL: {expected}\n  Weir:  {seen}"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_copied_when_mysql_copies_them_and_their_dates_looked_at() -> Result {
    ensure_alike(&[
        "CREATE DATABASE copied",
        "USE copied",
        "SET sql_mode = ''",
        "CREATE TABLE a (id INT PRIMARY KEY, d DATE, x INT)",
        "INSERT INTO a VALUES (1, '2020-00-00', 5)",
        "CREATE TABLE b (id INT PRIMARY KEY, d DATETIME(3), x INT)",
        "INSERT INTO b VALUES (1, '2020-00-00', 5)",
        "CREATE TABLE c (id INT PRIMARY KEY, d TIMESTAMP(2), x INT)",
        "INSERT INTO c VALUES (1, '0000-00-00', 5)",
        "CREATE TABLE d (id INT PRIMARY KEY, d DATE, x INT)",
        "INSERT INTO d VALUES (1, '0000-00-00', 5)",
        "CREATE TABLE e (id INT PRIMARY KEY, e ENUM('a','b'), s SET('a','b'))",
        "INSERT INTO e VALUES (1, 'zz', 'zz'), (2, 'a', 'a')",
        "SET sql_mode = DEFAULT",
        "ALTER TABLE a FORCE, ALGORITHM=COPY",
        "ALTER TABLE a MODIFY x BIGINT",
        "ALTER TABLE b ENGINE=InnoDB, ALGORITHM=COPY",
        "ALTER TABLE c FORCE, ALGORITHM=COPY",
        "ALTER TABLE d RENAME COLUMN x TO y, ALGORITHM=COPY",
        "ALTER TABLE d ORDER BY x",
        "ALTER TABLE d ADD g INT DEFAULT (1 + 1)",
        "ALTER TABLE d FORCE",
        "ALTER TABLE d ADD h INT DEFAULT (1 + 1), ALGORITHM=INPLACE",
        "SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'",
        "ALTER TABLE a FORCE, ALGORITHM=COPY",
        "ALTER TABLE d FORCE, ALGORITHM=COPY",
        "SET sql_mode = 'NO_ZERO_IN_DATE,NO_ZERO_DATE'",
        "ALTER TABLE a FORCE, ALGORITHM=COPY",
        "SHOW WARNINGS",
        "SELECT * FROM a",
        "ALTER TABLE b FORCE, ALGORITHM=COPY",
        "SELECT * FROM b",
        "SET sql_mode = DEFAULT",
        "ALTER TABLE e MODIFY e ENUM('a','b','c')",
        "ALTER TABLE e MODIFY e ENUM('c','a','b')",
        "SHOW WARNINGS",
        "SELECT * FROM e",
        "CREATE TABLE f (a INT NOT NULL, b INT NOT NULL, UNIQUE k1 (a), UNIQUE k2 (b))",
        "ALTER TABLE f DROP KEY k1, ALGORITHM=INPLACE",
        "ALTER TABLE f DROP KEY k2, ALGORITHM=INPLACE",
        "ALTER TABLE f MODIFY b INT AUTO_INCREMENT, ADD KEY (b), ALGORITHM=INPLACE",
        "CREATE TABLE g (a INT, b INT)",
        "INSERT INTO g VALUES (NULL, 1), (1, 2)",
        "ALTER TABLE g MODIFY a INT AUTO_INCREMENT PRIMARY KEY",
        "ALTER TABLE g ADD PRIMARY KEY (b), ORDER BY a",
        "SHOW WARNINGS",
    ])
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defaults_that_mysql_cannot_compute_are_refused_and_the_others_have_its_digits() -> Result {
    ensure_alike(&[
        "CREATE DATABASE computed",
        "USE computed",
        "CREATE TABLE t (a INT)",
        "INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD b VARCHAR(50) DEFAULT (STR_TO_DATE('01', '%d'))",
        "ALTER TABLE t ADD b VARCHAR(50) DEFAULT (STR_TO_DATE('0000-00-00', '%Y-%m-%d'))",
        "ALTER TABLE t ADD b VARCHAR(50) DEFAULT (LOG(0))",
        "ALTER TABLE t ADD b VARCHAR(50) DEFAULT (LAST_DAY('2020-00-00'))",
        "ALTER TABLE t ADD c VARCHAR(50) DEFAULT (TIMESTAMP('2020-01-01'))",
        "ALTER TABLE t ADD d VARCHAR(50) DEFAULT (TIMESTAMP('2020-01-01 10:00:00.25'))",
        "ALTER TABLE t ADD e VARCHAR(50) DEFAULT (TIMEDIFF('10:00:00.5', '1:00:00'))",
        "ALTER TABLE t ADD f VARCHAR(50) AS (TIMESTAMP(CONCAT('2020-01-01 10:00:00.5', a))) STORED",
        "SELECT * FROM t",
        "SHOW CREATE TABLE t",
        "SELECT STR_TO_DATE('01', '%d'), STR_TO_DATE('2020', '%Y'), STR_TO_DATE('10', '%H')",
        "SHOW WARNINGS",
        "INSERT INTO t (a) VALUES (INET_ATON('x'))",
        "INSERT INTO t (a) VALUES (INET6_ATON('x'))",
    ])
    .await
}
