//! What is counted for who watches: dump sessions, and failures of every stage.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use integration::process::free_port;
use integration::wait::{self, PATIENCE};
use integration::{Result, Weir};

use super::fleet::replica_of;

/// The value of a sample.
fn sample(port: u16, name: &str) -> Result<Option<f64>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(line.and_then(|value| value.parse().ok()))
}

async fn until(port: u16, name: &str, is: impl Fn(f64) -> bool) -> Result {
    let is = &is;
    wait::until(name, PATIENCE, || async move {
        let seen = sample(port, name)?;
        Ok(if seen.is_some_and(is) {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        })
    })
    .await
}

const RECEIVE: &str = "weir_errors_total{stage=\"receive\"}";
const APPLY: &str = "weir_errors_total{stage=\"apply\"}";
const SKIPPED: &str = "weir_transactions_skipped_total";
const FLUSH: &str = "weir_errors_total{stage=\"flush\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dump_sessions_and_failures_of_every_stage_are_counted() -> Result {
    let (of_primary, of_replica) = (free_port()?, free_port()?);
    let mut primary = Weir::primary(1, &[&format!("metrics_port={of_primary}")]).await?;
    let mut source = primary.client().await?;
    integration::real_replica::create_account(&mut source, integration::Peer::MySql97).await?;
    source
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, v INT)",
        ])
        .await?;
    until(of_primary, "weir_dump_sessions", |count| count == 0.0).await?;
    let line = format!("metrics_port={of_replica}");
    let replica = replica_of(&primary, 2, &[&line]).await?;
    until(of_primary, "weir_dump_sessions", |count| count == 1.0).await?;
    let one_more = replica_of(&primary, 3, &[]).await?;
    until(of_primary, "weir_dump_sessions", |count| count == 2.0).await?;
    drop(one_more);
    until(of_primary, "weir_dump_sessions", |count| count == 1.0).await?;

    // A row that no replica's table has.
    until(of_replica, APPLY, |count| count == 0.0).await?;
    source
        .run(&[
            "SET SESSION sql_log_bin = 0",
            "INSERT INTO d.t VALUES (1, 1)",
            "SET SESSION sql_log_bin = 1",
            "UPDATE d.t SET v = 2",
        ])
        .await?;
    until(of_replica, APPLY, |count| count > 0.0).await?;

    // One that is declared executed is not applied, and is counted.
    assert_eq!(sample(of_replica, SKIPPED)?, Some(0.0));
    let executed = source.value("SELECT @@GLOBAL.gtid_executed").await?;
    let (uuid, last) = (executed.to_string(), executed.to_string());
    let uuid = uuid.split(':').next().unwrap_or_default();
    let last = last.rsplit(['-', ':']).next().unwrap_or_default();
    let skip = format!("SET GLOBAL gtid_purged = '+{uuid}:{last}'");
    let mut on_replica = replica.client().await?;
    on_replica
        .run(&["STOP REPLICA", &skip, "START REPLICA"])
        .await?;
    until(of_replica, SKIPPED, |count| count == 1.0).await?;

    let before = sample(of_replica, RECEIVE)?.unwrap_or_default();
    primary.kill()?;
    until(of_replica, RECEIVE, |count| count > before).await?;

    // What stands in the reserve's place leaves the log no room.
    let reserve = primary.data().join("weir.reserve");
    std::fs::remove_file(&reserve)?;
    std::fs::create_dir(&reserve)?;
    primary.launch().await?;
    until(of_primary, FLUSH, |count| count == 0.0).await?;
    let refused = primary
        .client()
        .await?
        .attempt("INSERT INTO d.t VALUES (2, 2)")
        .await?;
    assert_eq!(refused.map_err(|error| error.code), Err(1021));
    until(of_primary, FLUSH, |count| count > 0.0).await
}
