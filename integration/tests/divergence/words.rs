//! What `weir status` and `/health` say about nodes: never more than is known, never less.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use integration::failure::ensure;
use integration::process::free_port;
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::wait::{self, PATIENCE};
use integration::{Peer, RealServer, Result, Weir, weir};
use serde_json::Value;

/// Exit code and standard output of `weir status` with these arguments.
fn status(arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let output = Command::new(weir::binary()?)
        .arg("status")
        .args(arguments)
        .env_remove("WEIR_PASSWORD")
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((output.status.code(), text))
}

fn url(user: &str, port: u16) -> String {
    format!("mysql://{user}@127.0.0.1:{port}")
}

/// What one JSON look says of every server.
fn looks(urls: &[&str]) -> Result<(Option<i32>, Vec<Value>)> {
    let arguments: Vec<&str> = ["--once", "--json"].iter().chain(urls).copied().collect();
    let (code, text) = status(&arguments)?;
    let look: Value = serde_json::from_str(&text)?;
    let servers = look.get("servers").and_then(Value::as_array).cloned();
    Ok((code, servers.unwrap_or_default()))
}

/// A replica of the server at `port`.
async fn replica_of(port: u16, lines: &[&str]) -> Result<Weir> {
    let source = [
        "source-host=127.0.0.1".to_owned(),
        format!("source-port={port}"),
        format!("source-user={REPLICATION_USER}"),
        format!("source-password={REPLICATION_PASSWORD}"),
        "source-connect-retry=1".to_owned(),
        "gtid_mode=ON".to_owned(),
        "enforce_gtid_consistency=ON".to_owned(),
    ];
    let lines: Vec<&str> = source
        .iter()
        .map(String::as_str)
        .chain(lines.iter().copied())
        .collect();
    Weir::replica(2, &lines).await
}

async fn until_healthy(replica: &Weir) -> Result {
    let target = url("root", replica.port);
    wait::until("status ends with 0", PATIENCE, || {
        let found = status(&["--once", &target]);
        async move {
            found.map(|(code, text)| match code {
                Some(0) => Ok(()),
                _ => Err(text),
            })
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_may_not_see_replication_is_told_its_missing_privilege() -> Result {
    let primary = Weir::primary(1, &[]).await?;
    let real = RealServer::start(Peer::MySql97, 3, &[]).await?;
    let maria = RealServer::start(Peer::MariaDb118, 4, &[]).await?;
    for (mut client, port, wanted) in [
        (primary.client().await?, primary.port, "REPLICATION CLIENT"),
        (real.client().await?, real.port, "REPLICATION CLIENT"),
        (maria.client().await?, maria.port, "SLAVE MONITOR"),
    ] {
        client.run(&["CREATE USER looker@'%'"]).await?;
        let target = url("looker", port);
        let (code, found) = looks(&[&target])?;
        let look = found.first().cloned().unwrap_or_default();
        ensure(code == Some(1), || format!("ended with {code:?}: {look}"))?;
        ensure(look["role"].is_null() && look["replica"].is_null(), || {
            look.to_string()
        })?;
        ensure(look["behind_transactions"].is_null(), || look.to_string())?;
        let missing = look["missing_privilege"].as_str().unwrap_or_default();
        ensure(missing.contains(wanted), || look.to_string())?;
        let (code, table) = status(&["--once", &target])?;
        ensure(code == Some(1), || table.clone())?;
        ensure(
            table.contains("role unknown") && table.contains(wanted),
            || table.clone(),
        )?;
        ensure(!table.contains("primary"), || table.clone())?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_counts_what_the_own_source_has_more_and_a_stopped_applier_is_a_failure() -> Result {
    let primary = Weir::primary(1, &[]).await?;
    let mut on_primary = primary.client().await?;
    create_account(&mut on_primary, Peer::MySql97).await?;
    let stranger = RealServer::start(
        Peer::MySql97,
        3,
        &["--gtid-mode=ON", "--enforce-gtid-consistency=ON"],
    )
    .await?;
    let mut on_stranger = stranger.client().await?;
    on_stranger
        .run(&[
            "CREATE DATABASE a",
            "CREATE DATABASE b",
            "CREATE DATABASE c",
        ])
        .await?;
    let replica = replica_of(primary.port, &[]).await?;
    until_healthy(&replica).await?;
    let (source, target, other) = (
        url("root", primary.port),
        url("root", replica.port),
        url("root", stranger.port),
    );
    // What the replica was sent before it knew of its source has no lag.
    on_primary.execute("CREATE DATABASE w").await?;
    wait::until("--check with a limit is content", PATIENCE, || {
        let found = status(&["--check", "--max-lag", "30s", &source, &target, &other]);
        async move {
            found.map(|(code, text)| match (code, text.as_str()) {
                (Some(0), "ok: 3 servers\n") => Ok(()),
                _ => Err(text),
            })
        }
    })
    .await?;

    replica
        .client()
        .await?
        .execute("STOP REPLICA SQL_THREAD")
        .await?;
    on_primary
        .run(&["CREATE DATABASE x", "CREATE DATABASE y"])
        .await?;
    let (code, found) = looks(&[&source, &target, &other])?;
    let behind: Vec<&Value> = found
        .iter()
        .map(|look| &look["behind_transactions"])
        .collect();
    let expected = [&Value::Null, &Value::from(2), &Value::Null];
    ensure(behind == expected, || format!("{behind:?}"))?;
    ensure(code == Some(1), || format!("ended with {code:?}"))?;
    let (code, text) = status(&["--check", &target])?;
    ensure(
        code == Some(1) && text.contains("the applier is stopped"),
        || text.clone(),
    )?;
    // Without its source beside it, nobody knows.
    let (_, found) = looks(&[&target, &other])?;
    ensure(
        found
            .iter()
            .all(|look| look["behind_transactions"].is_null()),
        || format!("{found:?}"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_not_200_while_the_source_refuses_connections() -> Result {
    let mut primary = Weir::primary(1, &[]).await?;
    create_account(&mut primary.client().await?, Peer::MySql97).await?;
    let port = free_port()?;
    let replica = replica_of(primary.port, &[&format!("metrics_port={port}")]).await?;
    until_healthy(&replica).await?;
    let (head, body) = health(port)?;
    ensure(head.contains("200"), || format!("{head}\n{body}"))?;
    primary.kill()?;
    let (_, body) = until_health(port, "503").await?;
    ensure(body.contains("not connected to its source"), || {
        body.clone()
    })?;
    primary.launch().await?;
    until_health(port, "200").await.map(drop)
}

async fn until_health(port: u16, code: &str) -> Result<(String, String)> {
    wait::until(
        &format!("/health answers {code}"),
        PATIENCE,
        || async move {
            let answer = health(port)?;
            Ok(match answer.0.contains(code) {
                true => Ok(answer),
                false => Err(answer.1),
            })
        },
    )
    .await
}

/// Status line and body of `/health`.
fn health(port: u16) -> Result<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok((
        head.lines().next().unwrap_or_default().to_owned(),
        body.to_owned(),
    ))
}
