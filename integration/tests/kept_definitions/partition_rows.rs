//! Clauses that take rows of partitions away.

use integration::compare::until_status;
use integration::{Peer, Result};

use crate::follow::Follow;

const TABLES: [&str; 13] = [
    "CREATE TABLE r (id INT, d DATE) PARTITION BY RANGE (YEAR(d)) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 \
     VALUES LESS THAN (2010), PARTITION p2 VALUES LESS THAN MAXVALUE)",
    "CREATE TABLE rc (s VARCHAR(10), n INT) PARTITION BY RANGE COLUMNS (s, n) (PARTITION p0 VALUES LESS THAN ('b', 5), \
     PARTITION p1 VALUES LESS THAN ('É', MAXVALUE), PARTITION p2 VALUES LESS THAN (MAXVALUE, 3))",
    "CREATE TABLE rd (a DATETIME(2), b BINARY(2)) PARTITION BY RANGE COLUMNS (a, b) (PARTITION p0 VALUES LESS THAN \
     ('2020-01-01 10:00:00.5', x'00ff'), PARTITION p1 VALUES LESS THAN ('2021-1-1', x'0100'), PARTITION p2 VALUES LESS THAN \
     (MAXVALUE, MAXVALUE))",
    "CREATE TABLE l (id INT, x INT) PARTITION BY LIST (id + x) (PARTITION a VALUES IN (1, 2, NULL), PARTITION b VALUES IN \
     (-3, 4), PARTITION c VALUES IN (5, 6))",
    "CREATE TABLE lc (x VARCHAR(5) COLLATE utf8mb4_bin, n INT) PARTITION BY LIST COLUMNS (x, n) (PARTITION a VALUES IN (('a', \
     1), ('A', NULL)), PARTITION b VALUES IN (('A', 1), (NULL, 3), ('a', 2)))",
    "CREATE TABLE ln (x VARCHAR(5)) PARTITION BY LIST COLUMNS (x) (PARTITION a VALUES IN ('a', NULL), PARTITION b VALUES IN \
     ('b'), PARTITION c VALUES IN ('c'))",
    "CREATE TABLE h (id INT) PARTITION BY HASH (id) PARTITIONS 3",
    "CREATE TABLE hu (id BIGINT UNSIGNED) PARTITION BY HASH (id) PARTITIONS 5",
    "CREATE TABLE lh (id INT) PARTITION BY LINEAR HASH (id) PARTITIONS 5",
    "CREATE TABLE s (id INT, d DATE) PARTITION BY RANGE (TO_DAYS(d)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION \
     p0 VALUES LESS THAN (730000), PARTITION p1 VALUES LESS THAN (738000), PARTITION p2 VALUES LESS THAN MAXVALUE)",
    "CREATE TABLE u (id INT, t TIMESTAMP) PARTITION BY RANGE (UNIX_TIMESTAMP(t)) (PARTITION p0 VALUES LESS THAN \
     (UNIX_TIMESTAMP('2020-01-01 00:00:00')), PARTITION p1 VALUES LESS THAN (UNIX_TIMESTAMP('2021-01-01 00:00:00')))",
    "CREATE TABLE big (a BIGINT UNSIGNED, b INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (9223372036854775808), \
     PARTITION p1 VALUES LESS THAN MAXVALUE)",
    "CREATE TABLE e (id INT AUTO_INCREMENT, v VARCHAR(20), PRIMARY KEY (id)) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS \
     THAN (10), PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN MAXVALUE)",
];

const ROWS: [&str; 13] = [
    "INSERT INTO r VALUES (1, NULL), (2, '1999-12-31'), (3, '2000-01-01'), (4, '2009-01-01'), (5, '2010-01-01'), (6, '2024-02-29')",
    "INSERT INTO rc VALUES (NULL, 9), ('a', 100), ('B', NULL), ('b', 4), ('B', 5), ('e', 9), ('f', 1), ('z', NULL)",
    "INSERT INTO rd VALUES (NULL, NULL), ('2020-01-01 10:00:00.49', 'zz'), ('2020-01-01 10:00:00.5', x'00fe'), \
     ('2020-01-01 10:00:00.5', x'00ff'), ('2021-01-01', x'00'), ('2021-01-01', x'01'), ('2022-01-01', x'ffff')",
    "INSERT INTO l VALUES (1, NULL), (NULL, NULL), (1, 0), (1, 1), (-3, 0), (2, 2), (5, 0), (0, 6)",
    "INSERT INTO lc VALUES ('a', 1), ('A', NULL), ('A', 1), (NULL, 3), ('a', 2)",
    "INSERT INTO ln VALUES ('a'), (NULL), ('B'), ('C'), ('A')",
    "INSERT INTO h VALUES (NULL), (0), (1), (2), (-1), (-2), (-7), (7), (2147483647), (-2147483648)",
    "INSERT INTO hu VALUES (NULL), (18446744073709551615), (18446744073709551614), (9223372036854775808), (0), (4), (7)",
    "INSERT INTO lh VALUES (NULL), (-1), (-2), (-3), (0), (1), (2), (3), (4), (5), (6), (7), (8), (12), (13)",
    "INSERT INTO s VALUES (1, NULL), (2, '1990-01-01'), (3, '2020-01-01'), (4, '2019-12-31'), (5, '2020-08-01'), (6, '2024-01-01')",
    "INSERT INTO u VALUES (1, '2019-12-31 23:59:59'), (2, '2020-01-01 00:00:00'), (3, '2020-12-31 23:59:59'), (4, NULL)",
    "INSERT INTO big VALUES (NULL, 1), (9223372036854775807, 2), (9223372036854775808, 3), (18446744073709551615, 4)",
    "INSERT INTO e VALUES (1, 'one'), (9, 'nine'), (10, 'ten'), (19, 'nineteen'), (20, 'twenty'), (30, 'thirty')",
];

const CHANGES: [&str; 37] = [
    "SET time_zone = '+05:00'",
    "ALTER TABLE r TRUNCATE PARTITION p1",
    "ALTER TABLE r DROP PARTITION p0",
    "ALTER TABLE rc TRUNCATE PARTITION p1",
    "ALTER TABLE rc TRUNCATE PARTITION P0",
    "ALTER TABLE rd TRUNCATE PARTITION p0",
    "ALTER TABLE rd DROP PARTITION p1",
    "ALTER TABLE l DROP PARTITION b",
    "ALTER TABLE l TRUNCATE PARTITION a",
    "ALTER TABLE lc TRUNCATE PARTITION a",
    "ALTER TABLE lc DROP PARTITION b",
    "ALTER TABLE ln DROP PARTITION c",
    "ALTER TABLE ln TRUNCATE PARTITION a",
    "ALTER TABLE h TRUNCATE PARTITION p2",
    "ALTER TABLE h TRUNCATE PARTITION p0",
    "ALTER TABLE hu TRUNCATE PARTITION p0, p3",
    "ALTER TABLE hu COALESCE PARTITION 2",
    "ALTER TABLE hu TRUNCATE PARTITION p2",
    "ALTER TABLE lh TRUNCATE PARTITION p3",
    "ALTER TABLE lh TRUNCATE PARTITION p4, p0",
    "ALTER TABLE s TRUNCATE PARTITION p1",
    "ALTER TABLE s DROP PARTITION p0",
    "ALTER TABLE u DROP PARTITION p0",
    "ALTER TABLE big TRUNCATE PARTITION p1",
    "ALTER TABLE big DROP PARTITION p0",
    "CREATE TABLE x LIKE e",
    "ALTER TABLE x REMOVE PARTITIONING",
    "INSERT INTO x VALUES (11, 'eleven'), (12, 'twelve')",
    "ALTER TABLE e EXCHANGE PARTITION p1 WITH TABLE x",
    "ALTER TABLE e EXCHANGE PARTITION p0 WITH TABLE x WITHOUT VALIDATION",
    "INSERT INTO x VALUES (5, 'five')",
    "INSERT INTO e VALUES (15, 'fifteen')",
    "ALTER TABLE e TRUNCATE PARTITION p1",
    "ALTER TABLE e TRUNCATE PARTITION ALL",
    "INSERT INTO e (v) VALUES ('first')",
    "ALTER TABLE e ADD COLUMN w INT",
    "DROP TABLE x",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_partitions_go_where_they_go_at_a_mysql() -> Result {
    follows(Peer::MySql97).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_partitions_go_where_they_go_at_a_mariadb() -> Result {
    follows(Peer::MariaDb118).await
}

async fn follows(peer: Peer) -> Result {
    let mut both = Follow::start(peer, &[]).await?;
    both.run(&TABLES).await?;
    both.run(&ROWS).await?;
    both.same_rows().await?;
    for change in CHANGES {
        // The row that has no place without validation has to leave first.
        if change.ends_with("WITHOUT VALIDATION") {
            both.run(&["DELETE FROM x", "INSERT INTO x VALUES (7, 'seven')"])
                .await?;
        }
        both.run(&[change]).await?;
        let same = both.same_rows().await;
        same.map_err(|failure| failure.during(change))?;
        if peer == Peer::MySql97 {
            let same = both.same_definitions().await;
            same.map_err(|failure| failure.during(change))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_whose_partition_is_not_known_stop_the_applier() -> Result {
    let key = [
        "CREATE TABLE k (id INT PRIMARY KEY) PARTITION BY KEY (id) PARTITIONS 3",
        "INSERT INTO k VALUES (1), (2), (3)",
    ];
    let unvalidated = [
        "CREATE TABLE k (id INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))",
        "CREATE TABLE x (id INT)",
        "INSERT INTO x VALUES (50)",
    ];
    for (statements, last) in [
        (&key[..], "ALTER TABLE k TRUNCATE PARTITION p1"),
        (
            &unvalidated[..],
            "ALTER TABLE k EXCHANGE PARTITION p0 WITH TABLE x WITHOUT VALIDATION",
        ),
    ] {
        let mut both = Follow::start(Peer::MySql97, &[]).await?;
        both.run(statements).await?;
        both.at_source.execute(last).await?;
        until_status(&mut both.at_replica, "Last_SQL_Errno", "1235").await?;
    }
    Ok(())
}
