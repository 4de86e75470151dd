//! Clients whose connections are in other character sets, of a primary and of a MySQL 9.7.

use integration::failure::ensure;
use integration::{Peer, RealServer, Result, Weir};

use super::same;

/// A character set, a text in it, and bytes that are none.
const CONNECTIONS: [(&str, &[u8], &[u8]); 11] = [
    ("sjis", b"\x95\x5c\x81\x5f\\n\x83\x5c \xb1", b"\x95"),
    ("cp932", b"\x87\x90\x95\x5c\xfa\x5c\\'", b"\x81"),
    ("ujis", b"\xa1\xc0\x8f\xb0\xa1\x8e\xb6", b"\x8f\xb0"),
    ("eucjpms", b"\xa1\xc0\xad\xf0", b"\xa1"),
    ("gbk", b"\x95\x5c\xd6\xd0\\\\", b"\xd6"),
    ("gb18030", b"\x95\x5c\x94\x39\xfc\x36", b"\x81"),
    ("big5", b"\xb3\x5c\xa4\xa4", b"\xb3"),
    ("euckr", b"\xb0\xa1a", b"\xb0"),
    ("latin2", b"\xe8\xf5\xb1", b""),
    ("cp1251", b"\xc6\xf3\xea", b"\x98"),
    ("armscii8", b"\xb2\xff\xb3", b""),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_write_and_read_in_their_charset_is_what_mysql_takes_and_gives() -> Result {
    let server = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let weir = Weir::primary(2, &[]).await?;
    let (mut theirs, mut ours) = (server.client().await?, weir.client().await?);
    for (charset, text, invalid) in CONNECTIONS {
        let quoted = [b"'", text, b"'"].concat();
        let table = format!("t_{charset}");
        for client in [&mut theirs, &mut ours] {
            let start = ["CREATE DATABASE IF NOT EXISTS shop", "USE shop"];
            client.run(&start).await?;
            client.run(&[format!("SET NAMES {charset}")]).await?;
            let create =
                format!("CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(20) DEFAULT ");
            let create = [create.as_bytes(), &quoted, b" COMMENT ", &quoted, b")"].concat();
            client.execute_bytes(&create).await?;
            let insert = format!("INSERT INTO {table} VALUES (1, DEFAULT), (2, ");
            let insert = [insert.as_bytes(), &quoted, b"), (3, _binary'a')"].concat();
            client.execute_bytes(&insert).await?;
            let update = format!("UPDATE {table} SET id = 4 WHERE v = ");
            client
                .execute_bytes(&[update.as_bytes(), &quoted, b" AND id = 2"].concat())
                .await?;
        }
        let wrong = [b"SELECT '", invalid, b"'"].concat();
        let refused = ours.attempt_bytes(&wrong).await?;
        ensure(
            invalid.is_empty() || refused.is_err_and(|error| error.code == 1300),
            || format!("{charset} takes bytes that are no text"),
        )?;
        for query in [
            format!(
                "SELECT id, HEX(v), v, LENGTH(v), CONVERT(v USING utf8mb4) FROM {table} ORDER BY id"
            ),
            format!("SHOW CREATE TABLE {table}"),
            "SELECT @@character_set_client, @@character_set_results, @@collation_connection"
                .to_owned(),
        ] {
            same(&mut theirs, &mut ours, &query).await?;
        }
        for client in [&mut theirs, &mut ours] {
            client.run(&["SET NAMES utf8mb4"]).await?;
        }
        same(
            &mut theirs,
            &mut ours,
            &format!("SELECT id, HEX(v), v FROM {table} ORDER BY id"),
        )
        .await?;
        same(
            &mut theirs,
            &mut ours,
            &format!("SHOW CREATE TABLE {table}"),
        )
        .await?;
    }
    for name in ["ucs2", "utf16", "utf16le", "utf32"] {
        let refused = ours.attempt(&format!("SET NAMES {name}")).await?;
        ensure(refused.is_err_and(|error| error.code == 1231), || {
            name.to_owned()
        })?;
    }
    Ok(())
}
