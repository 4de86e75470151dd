//! CONVERT TO CHARACTER SET gives the definitions that MySQL gives, and the same rows everywhere.

use integration::Result;

use super::definitions::Three;
use super::row_order::ensure_alike;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn converted_tables_are_defined_as_mysql_defines_them() -> Result {
    ensure_alike(&[
        "CREATE DATABASE converted",
        "USE converted",
        "CREATE TABLE a (a VARCHAR(10) CHARACTER SET binary, e ENUM('a','b') CHARACTER SET binary, e2 SET('a','b') CHARACTER SET latin1, e3 ENUM('a','b'), v VARCHAR(5) CHARACTER SET latin1, t TEXT CHARACTER SET latin1, c CHAR(3))",
        "ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4",
        "SHOW CREATE TABLE a",
        "ALTER TABLE a CONVERT TO CHARACTER SET ascii",
        "SHOW CREATE TABLE a",
        "CREATE TABLE b (a VARCHAR(10) COLLATE utf8mb4_bin, e ENUM('a','b') COLLATE utf8mb4_bin, e2 SET('a','b') CHARACTER SET latin1, e3 ENUM('a','b'), v VARCHAR(5) DEFAULT 'abc', t TEXT CHARACTER SET latin1, c CHAR(3), j JSON, mt MEDIUMTEXT, vb VARBINARY(5), b BLOB, bi BINARY(4), tt TINYTEXT, KEY (a(3)))",
        "CREATE TABLE c LIKE b",
        "CREATE TABLE d LIKE b",
        "ALTER TABLE b CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "SHOW CREATE TABLE b",
        "ALTER TABLE c CONVERT TO CHARACTER SET binary",
        "SHOW CREATE TABLE c",
        "ALTER TABLE d CONVERT TO CHARACTER SET latin1",
        "SHOW CREATE TABLE d",
        "ALTER TABLE d ADD n VARCHAR(5), CONVERT TO CHARACTER SET utf8mb4",
        "SHOW CREATE TABLE d",
        "CREATE TABLE e (a INT) CHARACTER SET binary",
        "ALTER TABLE e ADD e ENUM('a','b'), ADD v VARCHAR(5), ADD c CHAR(3), ADD t TEXT",
        "ALTER TABLE e CONVERT TO CHARACTER SET utf8mb4",
        "SHOW CREATE TABLE e",
    ])
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn converted_rows_are_the_same_everywhere() -> Result {
    let mut three = Three::start(&[]).await?;
    let statements = [
        "CREATE DATABASE converted",
        "USE converted",
        "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(10), c CHAR(5), t TEXT CHARACTER SET latin1, e ENUM('a','b') CHARACTER SET binary)",
        "INSERT INTO a VALUES (1, 'abc', 'x', 'words', 'b'), (2, NULL, '', '', 'a')",
        "ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4",
        "INSERT INTO a VALUES (3, '日', 'é', '€', 'b')",
        "UPDATE a SET t = CONCAT(t, 'ü') WHERE id = 1",
        "CREATE TABLE b LIKE a",
        "INSERT INTO b SELECT * FROM a",
        "ALTER TABLE b CONVERT TO CHARACTER SET binary",
        "DELETE FROM b WHERE v = 'abc'",
    ];
    three.run(&statements).await?;
    three.ensure_same(&["converted"]).await
}
