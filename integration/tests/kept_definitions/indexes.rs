//! FULLTEXT, SPATIAL and functional keys of a MySQL 9.7.

use integration::failure::ensure;
use integration::{Peer, Result};

use crate::follow::Follow;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_not_built_are_shown_as_the_source_shows_them() -> Result {
    let mut both = Follow::start(Peer::MySql97, &[]).await?;
    both.run(&[
        "CREATE TABLE a (id INT PRIMARY KEY, t TEXT, v VARCHAR(100), j JSON, g GEOMETRY NOT NULL SRID 4326, \
         p POINT NOT NULL, FULLTEXT KEY (t), FULLTEXT ft2 (v, t) WITH PARSER ngram COMMENT 'x', SPATIAL INDEX (g), \
         SPATIAL KEY sp (p) INVISIBLE, KEY ((LOWER(v))), UNIQUE KEY uf ((CAST(j->'$.a' AS UNSIGNED)), id DESC), \
         KEY mix (id DESC, (v LIKE 'x%')), UNIQUE ((id + 1)), INDEX i8 (v(5) DESC))",
        "CREATE TABLE fd (FTS_DOC_ID BIGINT UNSIGNED NOT NULL, a TEXT, UNIQUE KEY FTS_DOC_ID_INDEX (FTS_DOC_ID), \
         FULLTEXT (a))",
        "CREATE TABLE mv (j JSON, KEY mv ((CAST(j->'$.z' AS UNSIGNED ARRAY))), KEY m2 ((CAST(j AS CHAR(10) ARRAY)), \
         (CAST(j->'$.b' AS DATE))), x INT AS (j->'$.c') VIRTUAL, KEY (x))",
        "CREATE TABLE hh (a INT, KEY USING HASH (a), KEY b USING BTREE (a), FULLTEXT c (v), v TEXT, \
         KEY pre (v(3) DESC, a) INVISIBLE)",
        "INSERT INTO a VALUES (1, 'some words', 'x', '{\"a\": 1}', ST_GeomFromText('POINT(1 2)', 4326), POINT(3, 4)), \
         (2, NULL, 'two', NULL, ST_GeomFromText('LINESTRING(0 0, 1 1)', 4326), POINT(5, 6))",
        "INSERT INTO mv (j) VALUES ('[\"1\", \"2\"]')",
        "UPDATE a SET v = 'other', id = id + 10 WHERE id = 1",
    ]).await?;
    both.same_definitions().await?;
    both.same_rows().await?;
    both.run(&["ALTER TABLE a ADD KEY ((ABS(id))), ADD FULLTEXT (v)"])
        .await?;
    both.same_definitions().await?;
    both.run(&[
        "CREATE FULLTEXT INDEX f9 ON a (v) WITH PARSER ngram",
        "CREATE SPATIAL INDEX s9 ON a (p)",
        "CREATE INDEX ff ON a ((id * 2))",
        "ALTER TABLE a DROP KEY functional_index, RENAME INDEX uf TO uf2, ALTER INDEX ff INVISIBLE, DROP INDEX ft2, \
         ADD FULLTEXT INDEX (t, v), MODIFY v VARCHAR(200) NOT NULL",
    ]).await?;
    both.same_definitions().await?;
    both.run(&[
        "ALTER TABLE a ADD KEY zz ((MOD(id, 3))) COMMENT 'q' INVISIBLE, ADD UNIQUE KEY (v), CHANGE t tt MEDIUMTEXT",
        "CREATE TABLE b LIKE a",
        "ALTER TABLE b RENAME COLUMN p TO pp",
    ]).await?;
    both.same_definitions().await?;
    for query in [
        "SELECT TABLE_NAME, NON_UNIQUE, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, COLLATION, SUB_PART, NULLABLE, INDEX_TYPE, \
         INDEX_COMMENT, IS_VISIBLE, EXPRESSION FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'd' \
         ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
        "SELECT * FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = 'd' ORDER BY TABLE_NAME, CONSTRAINT_NAME",
        "SELECT * FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'd' ORDER BY TABLE_NAME, CONSTRAINT_NAME",
        "SHOW COLUMNS FROM d.a",
    ] {
        both.same_answer(query).await?;
    }
    both.run(&[
        "ALTER TABLE b DROP COLUMN pp",
        "ALTER TABLE b DROP KEY uf2, DROP KEY t, FORCE",
        "DROP INDEX f9 ON b",
        "INSERT INTO b SELECT id, tt, v, j, g FROM a",
    ])
    .await?;
    both.same_definitions().await?;
    both.same_rows().await?;
    let status = "SHOW GLOBAL STATUS LIKE 'Weir_not_kept'";
    let named = both
        .at_replica
        .column(status, "Value")
        .await?
        .unwrap_or_default();
    for kind in [
        "FULLTEXT index not built: ",
        "SPATIAL index not built: ",
        "UNIQUE functional index not enforced: ",
        "functional index not built: ",
    ] {
        ensure(named.contains(kind), || named.clone())?;
    }
    Ok(())
}
