//! What is written to each source, and what it and a target hold.

use std::fmt::Write as _;

use integration::chance::setting;
use integration::compare::Snapshot;
use integration::failure::ensure;
use integration::mariadb::OWN;
use integration::postgres_rows::compare_without;
use integration::sql::Cell;
use integration::workload::{self, Scope};
use integration::{Client, Peer, Postgres, RealServer, Result};

use sha2::{Digest as _, Sha256};

use super::sources::Source;

/// The databases that are compared row by row.
const DATABASES: [&str; 5] = ["types", "other", "matrix", "steady", "own"];

/// Foreign keys that change children by themselves, XA, files, and updates without a key.
const MORE: [&str; 34] = [
    "CREATE DATABASE matrix",
    "USE matrix",
    "CREATE TABLE marks (id INT PRIMARY KEY)",
    "CREATE TABLE big (id INT PRIMARY KEY, pad LONGTEXT)",
    "CREATE TABLE parent (id INT PRIMARY KEY, note VARCHAR(10))",
    "CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) \
     ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE grandchild (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES child (id) \
     ON DELETE CASCADE)",
    "CREATE TABLE orphan (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) \
     ON DELETE SET NULL ON UPDATE CASCADE)",
    "INSERT INTO parent VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')",
    "INSERT INTO child VALUES (1, 1), (2, 2), (3, 2), (4, 3), (5, NULL)",
    "INSERT INTO grandchild VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
    "INSERT INTO orphan VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
    "UPDATE parent SET id = 30 WHERE id = 3",
    "DELETE FROM parent WHERE id = 2",
    "BEGIN",
    "DELETE FROM parent WHERE id = 1",
    "INSERT INTO parent VALUES (1, 'again')",
    "INSERT INTO child VALUES (1, 1)",
    "COMMIT",
    "CREATE TABLE nokey (a INT, b VARCHAR(20), c DOUBLE)",
    "INSERT INTO nokey VALUES (1, 'x', 1.5), (1, 'x', 1.5), (1, NULL, 0.1), (2, 'y', NULL), (NULL, NULL, NULL)",
    "UPDATE nokey SET b = 'z', c = c + 1 WHERE a = 1 LIMIT 2",
    "DELETE FROM nokey WHERE a = 1 LIMIT 1",
    "ALTER TABLE nokey ADD COLUMN d INT NOT NULL DEFAULT 7 AFTER a, MODIFY b VARCHAR(300)",
    "UPDATE nokey SET d = d + 1, b = REPEAT('w', 290) WHERE a IS NULL OR a = 2",
    "XA START 'one'",
    "INSERT INTO nokey VALUES (9, 9, 'xa', 9)",
    "XA END 'one'",
    "XA PREPARE 'one'",
    "XA COMMIT 'one'",
    "XA START 'two'",
    "INSERT INTO nokey VALUES (10, 10, 'xa at once', 10)",
    "XA END 'two'",
    "XA COMMIT 'two' ONE PHASE",
];

/// MySQL's own: documents that are changed in part among them.
const OWN_OF_MYSQL: [&str; 6] = [
    "CREATE DATABASE own",
    "CREATE TABLE own.documents (id INT PRIMARY KEY, j JSON, t VARCHAR(10))",
    "INSERT INTO own.documents VALUES (1, '{\"a\": 1, \"pad\": \"pppppppppppppppppppppppp\"}', 'x'), \
     (2, '[1, 2.5, null, {\"x\": \"ü\"}]', 'y'), (3, NULL, NULL)",
    "UPDATE own.documents SET j = JSON_SET(j, '$.a', 2), t = 'z' WHERE id = 1",
    "CREATE TABLE own.vectors (id INT PRIMARY KEY, v VECTOR(3))",
    "INSERT INTO own.vectors VALUES (1, x'0000803F0000004000004040'), (2, NULL)",
];

/// What every server in the matrix has.
pub(crate) async fn all_types(source: &Source, server: &RealServer) -> Result {
    let mut client = server.client().await?;
    client.execute(source.session).await?;
    client.run(&workload::load(Scope::WithMariaDb)).await?;
    client.execute("FLUSH BINARY LOGS").await?;
    client.run(&workload::change(Scope::WithMariaDb)).await?;
    client.run(&MORE).await?;
    load_data(&mut client, server).await?;
    large(&mut client).await
}

/// A file, which a log of rows has as rows.
async fn load_data(client: &mut Client, server: &RealServer) -> Result {
    let file = server.data().join("loaded.csv");
    let lines: String = (0..500)
        .map(|id| format!("{id},\"line, {id}\"\n"))
        .collect();
    std::fs::write(&file, lines)?;
    let load = format!(
        "LOAD DATA INFILE '{}' INTO TABLE matrix.loaded FIELDS TERMINATED BY ',' ENCLOSED BY '\"' (id, v) \
         SET doubled = id * 2",
        file.display()
    );
    let table = "CREATE TABLE matrix.loaded (id INT PRIMARY KEY, v VARCHAR(30), doubled INT)";
    client.run(&[table, &load]).await
}

/// The size of the large transaction.
pub(crate) fn large_mib() -> u64 {
    setting("WEIR_MATRIX_MIB", 24)
}

/// One transaction of many rows of a MiB.
async fn large(client: &mut Client) -> Result {
    let size = large_mib();
    client.execute("BEGIN").await?;
    for id in 0..size {
        let insert = format!("INSERT INTO matrix.big VALUES ({id}, REPEAT(SHA2({id}, 512), 8192))");
        client.execute(&insert).await?;
    }
    client
        .execute("UPDATE matrix.big SET pad = CONCAT('changed', pad) WHERE id % 8 = 0")
        .await?;
    client.execute("COMMIT").await.map(drop)
}

/// What only the source's vendor has.
pub(crate) async fn own_types(source: &Source, server: &RealServer) -> Result {
    let mut client = server.client().await?;
    client.execute(source.session).await?;
    match source.peer {
        Peer::MySql97 => client.run(&OWN_OF_MYSQL).await,
        Peer::MySql56 => Ok(()),
        Peer::MariaDb1011 | Peer::MariaDb118 => client.run(&OWN).await,
    }
}

/// All rows of a server; of the long ones what is computed of them.
pub(crate) struct Held {
    /// Tables.
    pub(crate) rows: Snapshot,
    /// The long ones.
    pub(crate) big: String,
}

/// What a server holds.
pub(crate) async fn held(client: &mut Client) -> Result<Held> {
    let mut big = client
        .value("SELECT COUNT(*) FROM matrix.big")
        .await?
        .to_string();
    // One by one: nobody has to have many of them in memory.
    for id in 0..large_mib() {
        let sql = format!("SELECT pad FROM matrix.big WHERE id = {id}");
        write!(big, "\n{id}|")?;
        if let Cell::Bytes(bytes) = client.value(&sql).await? {
            let sum = Sha256::digest(bytes);
            sum.iter().try_for_each(|byte| write!(big, "{byte:02x}"))?;
        }
    }
    let rows = Snapshot::take_tables_without(client, &DATABASES, "big").await?;
    Ok(Held { rows, big })
}

/// Fails unless a PostgreSQL holds what the source holds.
pub(crate) async fn compare_with_postgres(
    source: &mut Client,
    expected: &Held,
    target: &Postgres,
) -> Result {
    let found = target.query(
        "SELECT count(*)::text FROM matrix.big UNION ALL (SELECT id || '|' || \
         encode(sha256(convert_to(pad, 'UTF8')), 'hex') FROM matrix.big ORDER BY id)",
    )?;
    ensure(found == expected.big, || {
        format!("large rows: {} and {found}", expected.big)
    })?;
    compare_without(source, target, &DATABASES, "big").await?;
    Ok(())
}
