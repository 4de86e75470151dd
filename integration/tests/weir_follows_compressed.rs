//! `weir replica` follows a MySQL 9.7 that logs whole transactions compressed and changes of JSON
//! values in place of the values.

use std::collections::BTreeSet;

use binlog::event::EventType;
use binlog::limits::Limits;
use binlog::log::{LogFileName, LogReader, OsStorage, ReadOptions};
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use integration::chance::Chance;
use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::failure::ensure;
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::wait::{self, PATIENCE};
use integration::workload::{self, Scope};
use integration::{Failure, Peer, RealServer, Result, Weir};

const OPTIONS: [&str; 2] = [
    "--binlog-transaction-compression=ON",
    "--binlog-row-value-options=PARTIAL_JSON",
];

const DATABASES: [&str; 3] = ["types", "other", "json"];

/// One statement per line. Those that change documents by functions are logged as changes.
const JSON: &str = r#"CREATE DATABASE json
CREATE TABLE json.one (id INT PRIMARY KEY, doc JSON, note VARCHAR(20))
CREATE TABLE json.two (id INT PRIMARY KEY, a JSON, b JSON, n INT)
CREATE TABLE json.keyless (id INT, doc JSON)
INSERT INTO json.one VALUES (1, '{"a": 1, "b": [1, 2, {"c": "ü"}], "long": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}', 'one'), (2, '{"a": 1, "b": [1, 2, {"c": "d"}], "long": "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"}', 'two'), (3, NULL, 'three'), (4, '[]', NULL)
INSERT INTO json.two VALUES (1, '{"x": {"y": 1.5}, "pad": "pppppppppppppppppppppppppppp"}', '[1, 2, 3, "pppppppppppppppppppppppp"]', 1), (2, '{"x": {"y": 1.5}, "pad": "pppppppppppppppppppppppppppp"}', '[1, 2, 3, "pppppppppppppppppppppppp"]', 2)
INSERT INTO json.keyless VALUES (1, '{"a": 1, "pad": "pppppppppppppppppppppppppppp"}'), (1, '{"a": 1, "pad": "pppppppppppppppppppppppppppp"}')
UPDATE json.one SET doc = JSON_SET(doc, '$.a', 2)
UPDATE json.one SET doc = JSON_REPLACE(doc, '$.b[2].c', 'a longer text than before', '$.a', NULL), note = 'changed' WHERE id = 1
UPDATE json.one SET doc = JSON_REMOVE(doc, '$.b[0]'), id = id + 10 WHERE id = 2
UPDATE json.one SET doc = JSON_SET(doc, '$.new', CAST('{"deep": [true, false, null]}' AS JSON)) WHERE id IN (1, 12)
UPDATE json.one SET doc = JSON_SET(JSON_REMOVE(doc, '$.new.deep[1]'), '$.new.deep[9]', 1.25) WHERE id = 12
UPDATE json.two SET a = JSON_SET(a, '$.x.y', 2.5e10), b = JSON_SET(b, '$[3]', 'q'), n = n + 1
UPDATE json.two SET a = JSON_SET(a, '$.x.y', CAST('2024-02-29 12:00:00.5' AS DATETIME(6))) WHERE id = 1
UPDATE json.two SET a = '{"whole": true}', b = JSON_SET(b, '$[0]', 'r') WHERE id = 2
UPDATE json.two SET b = JSON_SET(b, '$[0]', 7), n = n
UPDATE json.keyless SET doc = JSON_SET(doc, '$.a', 2) LIMIT 1
BEGIN
UPDATE json.one SET doc = JSON_SET(doc, '$.a', 5) WHERE id = 1
UPDATE json.one SET doc = JSON_SET(doc, '$.a', 6, '$.b[1]', 'again') WHERE id = 1
DELETE FROM json.one WHERE id = 4
UPDATE json.two SET n = 100 WHERE id = 1
COMMIT"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_transactions_and_changes_of_json_values_arrive() -> Result {
    follow(&[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_arrive_with_minimal_images() -> Result {
    follow(&["--binlog-row-image=MINIMAL"]).await
}

async fn follow(more: &[&str]) -> Result {
    let options = [&OPTIONS[..], more].concat();
    let source = RealServer::start(Peer::MySql97, 1, &options).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    on_source.run(&workload::load(Scope::MySql)).await?;
    let mut replica = Weir::replica(
        2,
        &[
            "source-host=127.0.0.1",
            &format!("source-port={}", source.port),
            &format!("source-user={REPLICATION_USER}"),
            &format!("source-password={REPLICATION_PASSWORD}"),
            "source-auto-position=1",
            "source-connect-retry=1",
        ],
    )
    .await?;
    on_source.run(&workload::change(Scope::MySql)).await?;
    on_source.run(&JSON.lines().collect::<Vec<_>>()).await?;
    // More in one payload than is held whole: it is read in pieces, and begun anew by each kill.
    let bytes = vec!["RANDOM_BYTES(1024)"; 18].join(", ");
    on_source
        .run(&[
            "CREATE TABLE json.large (id INT PRIMARY KEY, bytes BLOB)".to_owned(),
            format!(
                "INSERT INTO json.large WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL \
                 SELECT i + 1 FROM n WHERE i < 1000) SELECT i, CONCAT({bytes}) FROM n"
            ),
        ])
        .await?;
    let mut chance = Chance::from_environment();
    for _ in 0..3 {
        wait::let_run(chance.millis(50, 900)).await;
        replica.kill()?;
        replica.launch().await?;
    }
    let mut on_replica = replica.client().await?;
    let arrived = until_gtids_executed(&mut on_source, &mut on_replica, PATIENCE).await;
    if let Err(failure) = arrived {
        let status = on_replica
            .column("SHOW REPLICA STATUS", "Last_Error")
            .await?;
        return Err(replica.explain(failure.during(status.unwrap_or_default())));
    }
    let left = Snapshot::take(&mut on_source, &DATABASES).await?;
    let right = Snapshot::take(&mut on_replica, &DATABASES).await?;
    ensure_same("source", &left, "weir replica", &right)?;
    ensure(left.rows() > 1_000, || "there is too little".to_owned())?;
    for kind in [
        EventType::TRANSACTION_PAYLOAD,
        EventType::PARTIAL_UPDATE_ROWS,
    ] {
        ensure(kinds(&source)?.contains(&kind.0), || {
            format!("the source wrote no {kind}")
        })?;
    }
    replica.stop()
}

/// Codes of the events that the source wrote, those inside payloads too.
fn kinds(source: &RealServer) -> Result<BTreeSet<u8>> {
    let mut kinds = BTreeSet::new();
    let storage = OsStorage::new(source.data());
    for path in source.binlogs()? {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.and_then(LogFileName::parse);
        let name = name.ok_or_else(|| Failure::new(path.display().to_string()))?;
        let log = LogReader::open_with(&storage, &name, &ReadOptions::default())?;
        let mut reader = TransactionReader::new(EventStream::new(log, Limits::default()));
        while let Some(step) = reader.next()? {
            kinds.insert(step.raw.header.event_type.0);
        }
    }
    Ok(kinds)
}
