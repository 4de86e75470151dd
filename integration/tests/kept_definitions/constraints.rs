//! FOREIGN KEY and CHECK of a MySQL 9.7.

use integration::failure::ensure;
use integration::{Peer, Result};

use crate::follow::Follow;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_keys_are_shown_as_the_source_shows_them() -> Result {
    let mut both = Follow::start(Peer::MySql97, &[]).await?;
    both.run(&[
        "CREATE TABLE p (id INT PRIMARY KEY, a VARCHAR(20), b INT, UNIQUE (a), KEY (b, id))",
        "CREATE TABLE c1 (id INT PRIMARY KEY, pid INT, a VARCHAR(20), FOREIGN KEY (pid) REFERENCES p (id) \
         ON DELETE CASCADE ON UPDATE CASCADE, FOREIGN KEY (a) REFERENCES p (a) ON DELETE SET NULL ON UPDATE RESTRICT)",
        "CREATE TABLE c2 (id INT PRIMARY KEY, pid INT, q INT, x INT, CONSTRAINT cc FOREIGN KEY idx (pid) \
         REFERENCES p (id) ON DELETE NO ACTION, FOREIGN KEY idx2 (q) REFERENCES p (id), KEY k (x), \
         CONSTRAINT zz FOREIGN KEY (x) REFERENCES d.p (id), KEY y (q, x))",
    ]).await?;
    both.same_definitions().await?;
    both.run(&["ALTER TABLE c2 ADD KEY pq (pid, q)"]).await?;
    both.same_definitions().await?;
    both.run(&[
        "ALTER TABLE c2 DROP FOREIGN KEY cc, ADD FOREIGN KEY (x) REFERENCES p (id)",
        "ALTER TABLE c2 ADD FOREIGN KEY (q) REFERENCES p (id)",
        "ALTER TABLE c2 RENAME TO c3",
        "RENAME TABLE p TO pp",
        "ALTER TABLE pp CHANGE id id2 INT NOT NULL",
    ])
    .await?;
    both.same_definitions().await?;
    both.run(&[
        "ALTER TABLE c3 DROP FOREIGN KEY c3_ibfk_1, ADD FOREIGN KEY (q) REFERENCES pp (id2)",
        "CREATE TABLE c4 (id INT REFERENCES pp (id2), n INT REFERENCES pp (id2) ON DELETE CASCADE)",
        "CREATE TABLE s (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES s (id) ON DELETE CASCADE)",
        "ALTER TABLE c4 ADD COLUMN w INT, ADD CONSTRAINT c4_ibfk_7 FOREIGN KEY (w) REFERENCES s (id), \
         ADD FOREIGN KEY (id) REFERENCES s (id)",
        "CREATE TABLE c5 LIKE c4",
        "SET foreign_key_checks = 0",
        "CREATE TABLE c6 (id INT, FOREIGN KEY (id) REFERENCES nowhere (x))",
        "DROP TABLE pp",
        "CREATE TABLE pp (id2 INT PRIMARY KEY, a VARCHAR(20) UNIQUE)",
        "CREATE TABLE nowhere (y INT, x INT PRIMARY KEY)",
        "ALTER TABLE nowhere CHANGE x z INT",
        "CREATE DATABASE e",
        "RENAME TABLE c6 TO e.c6",
        "ALTER TABLE s CHANGE id self INT",
        "RENAME TABLE s TO t",
        "CREATE TABLE n (z INT, CONSTRAINT N_ibfk_3x FOREIGN KEY (z) REFERENCES pp (id2), CONSTRAINT Zy \
         FOREIGN KEY (z) REFERENCES pp (id2), CONSTRAINT ab FOREIGN KEY (z) REFERENCES pp (id2))",
        "ALTER TABLE n ADD COLUMN m INT, ADD FOREIGN KEY j (m) REFERENCES pp (id2)",
        "ALTER TABLE n DROP FOREIGN KEY ab, DROP CONSTRAINT Zy",
        "ALTER TABLE n DROP FOREIGN KEY N_ibfk_3x, DROP COLUMN z",
        "CREATE TABLE two (a INT, b INT, KEY (b, a), UNIQUE KEY (a, b))",
        "CREATE TABLE of_two (c INT, d INT, FOREIGN KEY (d, c) REFERENCES two (a, b) ON UPDATE SET NULL)",
        "ALTER TABLE of_two RENAME COLUMN c TO cc, RENAME INDEX d TO dd",
        "SET foreign_key_checks = 1",
    ]).await?;
    both.same_definitions().await?;
    for table in [
        "TABLE_CONSTRAINTS",
        "KEY_COLUMN_USAGE",
        "REFERENTIAL_CONSTRAINTS",
    ] {
        let query = format!(
            "SELECT * FROM information_schema.{table} WHERE CONSTRAINT_SCHEMA IN ('d', 'e') \
             ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME"
        );
        let query = match table {
            "KEY_COLUMN_USAGE" => format!("{query}, ORDINAL_POSITION"),
            _ => query,
        };
        both.same_answer(&query).await?;
    }
    both.replica.stop()?;
    both.replica.launch().await?;
    both.at_replica = both.replica.client().await?;
    both.arrive().await?;
    both.same_definitions().await?;
    both.run(&[
        "SET foreign_key_checks = 0",
        "DROP DATABASE d",
        "CREATE DATABASE d",
        "CREATE TABLE d.mark (n INT)",
    ])
    .await?;
    both.same_definitions().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_are_shown_as_the_source_shows_them() -> Result {
    let mut both = Follow::start(Peer::MySql97, &[]).await?;
    both.run(&[
        "CREATE TABLE a (a INT CHECK (a > 0), b INT CONSTRAINT nb CHECK (b <> 3) NOT ENFORCED, c VARCHAR(10), \
         CHECK (a < b), CONSTRAINT zz CHECK (c IN ('x', 'y\"') AND LENGTH(c) < 5), \
         CONSTRAINT CHECK (a + b < 1000 OR c LIKE 'é%'))",
        "ALTER TABLE a ADD CHECK (b IS NOT NULL), ADD CONSTRAINT named CHECK (c IS NULL OR c REGEXP '^a')",
    ]).await?;
    both.same_definitions().await?;
    both.run(&[
        "ALTER TABLE a DROP CONSTRAINT nb, ALTER CHECK a_chk_1 NOT ENFORCED",
        "ALTER TABLE a ADD COLUMN d INT CHECK (d BETWEEN 1 AND 2)",
        "ALTER TABLE a DROP CHECK a_chk_2",
        "ALTER TABLE a ADD CHECK (d < 3)",
        "ALTER TABLE a RENAME TO b",
        "CREATE TABLE k LIKE b",
        "ALTER TABLE b DROP COLUMN d",
        "ALTER TABLE b DROP CHECK b_chk_4, ADD CHECK (a <> 9)",
        "ALTER TABLE b MODIFY a INT CHECK (a > 5)",
        "CREATE TABLE m (j JSON CHECK (JSON_VALID(j)), t DATETIME(3), CHECK (t > '2020-01-01' AND YEAR(t) < 2100), \
         n DECIMAL(10,2) CHECK (n * 2 >= -1.5), s SET('a','b') CHECK (s <> 'a'), CHECK (j->'$.a' > 1 OR s = 2), \
         CONSTRAINT `w``w` CHECK (CASE WHEN n > 1 THEN 1 ELSE 2 END = 2), CHECK (COALESCE(n, 0) <=> 0))",
        "INSERT INTO m VALUES ('{\"a\": 2}', '2024-01-01', 0, 'b')",
    ]).await?;
    both.same_definitions().await?;
    both.same_rows().await?;
    // MySQL shows what is beyond ASCII there as if it were latin1.
    both.same_answer(
        "SELECT CONSTRAINT_SCHEMA, CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS \
         WHERE CONSTRAINT_SCHEMA = 'd' AND CONSTRAINT_NAME NOT IN ('b_chk_3', 'k_chk_2') ORDER BY CONSTRAINT_NAME",
    ).await?;
    let status = "SHOW GLOBAL STATUS LIKE 'Weir_not_kept'";
    let named = both
        .at_replica
        .column(status, "Value")
        .await?
        .unwrap_or_default();
    ensure(named.contains("CHECK not enforced: "), || named)
}
