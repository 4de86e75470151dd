//! `weir replica` stores what a real MariaDB 11.8 has in each of its collations and charsets.

use integration::failure::ensure;
use integration::mariadb::{create_account, until_executed};
use integration::wait::PATIENCE;
use integration::{Peer, RealServer, Result, Weir};

use super::{first, same};

/// Columns of one table, each in a collation of its own and with a unique key.
const COLUMNS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_collation_of_mariadb_keeps_unique_keys_and_finds_its_rows() -> Result {
    let source = RealServer::start(Peer::MariaDb118, 1, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source).await?;
    let replica = Weir::following(2, source.port, &[]).await?;
    let listed = "SELECT CONCAT('CHARACTER SET ', CHARACTER_SET_NAME, ' COLLATE ', FULL_COLLATION_NAME) \
                  FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY \
                  WHERE CHARACTER_SET_NAME <> 'binary' AND FULL_COLLATION_NAME NOT LIKE '%0900%' ORDER BY 1";
    let collations = first(&at_source.rows(listed).await?);
    ensure(collations.len() >= 1200, || format!("{}", collations.len()))?;
    at_source
        .run(&["CREATE DATABASE shop", "USE shop", "SET sql_mode = ''"])
        .await?;
    let tables: Vec<_> = collations.chunks(COLUMNS).collect();
    for (number, some) in tables.iter().enumerate() {
        let columns: Vec<String> = (0..)
            .zip(*some)
            .map(|(at, collation): (usize, _)| {
                format!("c{at} VARCHAR(9) {collation}, UNIQUE KEY (c{at})")
            })
            .collect();
        let row = |text: &str| vec![format!("'{text}'"); some.len()].join(", ");
        let (first, second, third) = (row("a "), row("xyzá"), row("wж"));
        at_source
            .run(&[
                format!("CREATE TABLE t{number} ({})", columns.join(", ")),
                format!("INSERT INTO t{number} VALUES ({first}), ({second}), ({third})"),
                format!("UPDATE t{number} SET c0 = CONCAT(c0, 'q') WHERE c0 LIKE 'x%'"),
                format!("DELETE FROM t{number} WHERE c0 LIKE 'w%'"),
            ])
            .await?;
    }
    let charsets = "SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS ORDER BY 1";
    let charsets = first(&at_source.rows(charsets).await?);
    for charset in &charsets {
        at_source
            .run(&[
                // What the name of a charset means by itself is in the log.
                format!("CREATE TABLE d_{charset} (a VARCHAR(9)) CHARACTER SET {charset}"),
                format!("ALTER TABLE d_{charset} ADD b TEXT, ADD c CHAR(9) CHARACTER SET {charset} BINARY"),
                format!("INSERT INTO d_{charset} VALUES ('a', 'b ', 'c')"),
            ])
            .await?;
    }
    at_source
        .run(&["CREATE TABLE named (a VARCHAR(9) CHARACTER SET ucs2 COLLATE uca1400_swedish_as_ci, b TEXT COLLATE uca1400_nopad_ai_cs)"])
        .await?;
    let mut at_replica = replica.client().await?;
    let executed = until_executed(&mut at_source, &mut at_replica, PATIENCE).await;
    executed.map_err(|failure| replica.explain(failure))?;
    for (number, some) in tables.iter().enumerate() {
        let columns: Vec<String> = (0..some.len())
            .map(|at| format!("HEX(c{at}), c{at}"))
            .collect();
        let query = format!(
            "SELECT {} FROM shop.t{number} ORDER BY HEX(c0)",
            columns.join(", ")
        );
        same(&mut at_source, &mut at_replica, &query).await?;
    }
    for charset in &charsets {
        let query = format!("SELECT HEX(a), HEX(b), HEX(c) FROM shop.d_{charset}");
        same(&mut at_source, &mut at_replica, &query).await?;
    }
    let declared = "SELECT TABLE_NAME, COLUMN_NAME, CHARACTER_SET_NAME, REPLACE(COLLATION_NAME, '_croatian_mysql561_', '_croatian_') \
                    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' ORDER BY 1, 2";
    same(&mut at_source, &mut at_replica, declared).await
}
