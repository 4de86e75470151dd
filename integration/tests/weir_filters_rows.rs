//! `replicate_row_filter`: of a table only rows of which a condition is true, judged by what the source's own
//! WHERE gives, in the embedded engine and on servers.

use integration::compare::{replica_status, until_gtids_executed, until_status};
use integration::failure::ensure;
use integration::postgres::Postgres;
use integration::process::free_port;
use integration::real_replica::create_account;
use integration::sql::Client;
use integration::wait::PATIENCE;
use integration::{Peer, RealServer, Result, Weir, mariadb, metrics, weir};

/// The condition that all nodes have, with commas, a collation and NULL in it.
const CONDITION: &str = "region IN ('eu', 'ch') AND NOT id % 5 = 0";

/// Rows that come, go, cross the condition in both ways, and are none of its business.
const CHANGES: [&str; 12] = [
    "CREATE DATABASE d",
    "CREATE TABLE d.t (id INT UNSIGNED PRIMARY KEY, region VARCHAR(10), n DECIMAL(6,2), x BLOB)",
    "CREATE TABLE d.other (id INT PRIMARY KEY, region VARCHAR(10))",
    "INSERT INTO d.t VALUES (1, 'eu', 1.5, 'a'), (2, 'us', 2, NULL), (3, 'EU', NULL, 'c'), (4, NULL, 4, 'd'), \
     (5, 'eu', 5, 'e'), (6, 'ch', 6, 'f'), (7, 'us', 7, 'g')",
    "INSERT INTO d.other VALUES (1, 'us'), (2, 'eu')",
    "UPDATE d.t SET n = 9 WHERE id IN (1, 2, 3)",
    "UPDATE d.t SET region = CASE id WHEN 1 THEN 'us' WHEN 2 THEN 'eu' WHEN 4 THEN 'Ch' ELSE region END",
    "UPDATE d.t SET id = id + 100, n = n * 2 WHERE id IN (3, 5, 6)",
    "UPDATE d.t SET id = id - 1 WHERE id = 105",
    "DELETE FROM d.t WHERE id IN (2, 7)",
    "INSERT INTO d.t VALUES (8, 'eu', 8, 'h'), (9, 'us', 9, 'i'), (10, 'eu', 10, 'j')",
    "DELETE FROM d.t WHERE id IN (8, 9)",
];

fn option() -> String {
    format!("replicate_row_filter='d.t: {CONDITION}'")
}

async fn rows(client: &mut Client, condition: &str) -> Result<String> {
    let sql = format!("SELECT id, region, n, HEX(x) FROM d.t WHERE {condition} ORDER BY id");
    let other = "SELECT id, region FROM d.other ORDER BY id";
    let (rows, other) = (client.rows(&sql).await?, client.rows(other).await?);
    Ok(format!("{rows:?} {other:?}"))
}

/// A MySQL source whose log names columns, or leaves that to the target.
async fn of_mysql(metadata: &str, target: Option<Peer>) -> Result {
    let options = [&format!("--binlog-row-metadata={metadata}")[..]];
    let source = RealServer::start(Peer::MySql97, 1, &options).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let server = match target {
        Some(peer) => Some(RealServer::start(peer, 2, &[]).await?),
        None => None,
    };
    let metrics_port = free_port()?;
    let mut lines = vec![option(), format!("metrics_port={metrics_port}")];
    if let Some(server) = &server {
        lines.push(format!("target=mysql://root@127.0.0.1:{}", server.port));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let replica = Weir::following(9, source.port, &lines).await?;
    at_source.run(&CHANGES).await?;
    let mut at_replica = replica.client().await?;
    let executed = until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await;
    executed.map_err(|failure| replica.explain(failure))?;
    let expected = rows(&mut at_source, CONDITION).await?;
    let found = match &server {
        Some(server) => rows(&mut server.client().await?, "1 = 1").await?,
        None => rows(&mut at_replica, "1 = 1").await?,
    };
    ensure(found == expected, || {
        format!("{found} instead of {expected}")
    })?;
    let left_out = metrics::metric(metrics_port, "weir_rows_left_out_total").await?;
    ensure(left_out > 0.0, || left_out.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_condition_arrive_in_the_engine() -> Result {
    of_mysql("FULL", None).await?;
    of_mysql("MINIMAL", None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_condition_arrive_on_a_mysql_server() -> Result {
    of_mysql("MINIMAL", Some(Peer::MySql97)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_condition_arrive_on_a_mariadb_server() -> Result {
    of_mysql("MINIMAL", Some(Peer::MariaDb118)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_mariadb_source_are_filtered() -> Result {
    let options = ["--log-bin-compress=ON", "--log-bin-compress-min-len=10"];
    let source = RealServer::start(Peer::MariaDb118, 1, &options).await?;
    let mut at_source = source.client().await?;
    mariadb::create_account(&mut at_source).await?;
    let target = RealServer::start(Peer::MariaDb118, 2, &[]).await?;
    let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
    let option = option();
    let in_engine = Weir::following(8, source.port, &[&option]).await?;
    let to_server = Weir::following(9, source.port, &[&option, &to]).await?;
    at_source.run(&CHANGES).await?;
    let expected = rows(&mut at_source, CONDITION).await?;
    for (replica, client) in [
        (&in_engine, in_engine.client().await?),
        (&to_server, target.client().await?),
    ] {
        let mut client = client;
        let mut at_replica = replica.client().await?;
        let executed = mariadb::until_executed(&mut at_source, &mut at_replica, PATIENCE).await;
        executed.map_err(|failure| replica.explain(failure))?;
        let found = rows(&mut client, "1 = 1").await?;
        ensure(found == expected, || {
            format!("{found} instead of {expected}")
        })?;
    }
    Ok(())
}

/// The rows are divided before the target sees them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_condition_arrive_in_postgresql() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let target = Postgres::start(&[]).await?;
    let lines = [option(), target.target()];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let replica = Weir::following(9, source.port, &lines).await?;
    at_source.run(&CHANGES).await?;
    let mut at_replica = replica.client().await?;
    let executed = until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await;
    executed.map_err(|failure| replica.explain(failure))?;
    let cells = "CONCAT_WS('|', id, region, COALESCE(n, 'NULL'), COALESCE(LOWER(HEX(x)), 'NULL'))";
    let sql = format!("SELECT {cells} FROM d.t WHERE {CONDITION} ORDER BY id");
    let rows = at_source.rows(&sql).await?;
    let expected: Vec<String> = rows.iter().flatten().map(ToString::to_string).collect();
    let found = target.query(
        "SELECT CONCAT_WS('|', id, region, COALESCE(n::text, 'NULL'), COALESCE(encode(x, 'hex'), 'NULL')) \
         FROM d.t ORDER BY id",
    )?;
    ensure(!expected.is_empty() && found == expected.join("\n"), || {
        format!("{found} instead of {expected:?}")
    })
}

/// Images without a column of the condition, statements, and columns that are not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_condition_cannot_decide_stops_by_name() -> Result {
    for (condition, setting, statement, words) in [
        (
            "region = 'eu'",
            "SET binlog_row_image = 'MINIMAL'",
            "UPDATE d.t SET n = 5 WHERE id = 1",
            "without the column 'region'",
        ),
        (
            "id < 50",
            "SET binlog_row_image = 'MINIMAL'",
            "UPDATE d.t SET id = 20 WHERE id = 70",
            "comes in by an update",
        ),
        (
            "country = 'eu'",
            "SET @a = 1",
            "DELETE FROM d.t WHERE id = 1",
            "Unknown column 'country'",
        ),
        (
            "x = 'a'",
            "SET binlog_format = 'STATEMENT'",
            "DELETE FROM d.t WHERE id = 1",
            "d.t of replicate_row_filter",
        ),
    ] {
        let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
        let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
        let mut at_source = source.client().await?;
        create_account(&mut at_source, Peer::MySql97).await?;
        let option = format!("replicate_row_filter=d.t: {condition}");
        let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
        let replica = Weir::following(9, source.port, &[&option, &to]).await?;
        at_source.run(&CHANGES[..2]).await?;
        at_source
            .run(&[
                "SET sql_log_bin = 0",
                "INSERT INTO d.t VALUES (1, 'eu', 1, 'a'), (70, 'us', 1, 'b')",
                "SET sql_log_bin = 1",
            ])
            .await?;
        at_source.run(&[setting, statement]).await?;
        let mut at_replica = replica.client().await?;
        until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
        let error = replica_status(&mut at_replica, "Last_SQL_Error").await?;
        ensure(error.contains(words) && error.contains("d.t"), || {
            error.clone()
        })?;
    }
    Ok(())
}

#[test]
fn what_is_not_of_the_row_alone_is_refused_at_the_start() -> Result {
    let directory = tempfile::tempdir()?;
    for (condition, words) in [
        ("id > RAND()", "disallowed function: rand"),
        ("id IN (SELECT 1)", "disallowed function"),
        ("id >", "syntax"),
    ] {
        let mut command = std::process::Command::new(weir::binary()?);
        command.args([
            "replica",
            "--no-defaults",
            "--initialize-insecure",
            "--server-id=9",
        ]);
        command.arg(format!(
            "--datadir={}",
            directory.path().join("data").display()
        ));
        command.arg(format!("--replicate-row-filter=d.t: {condition}"));
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure(!output.status.success() && text.contains(words), || {
            text.clone()
        })?;
    }
    Ok(())
}
