//! What one session can do to the others, and what ends it: KILL, time-outs, limits.

use std::time::{Duration, Instant};

use integration::failure::ensure;
use integration::peers::Peer;
use integration::sql::{ClientOptions, ServerError};
use integration::wire::Wire;
use integration::{Client, RealServer, Result, Weir, wait};

/// A statement on a connection of its own: its connection's number, and what it will come to.
async fn begun(
    node: &Weir,
    before: &[&str],
    statement: &'static str,
) -> Result<(
    u64,
    tokio::task::JoinHandle<Result<std::result::Result<u64, ServerError>>>,
)> {
    let mut client = node.client().await?;
    let id = client.value("SELECT CONNECTION_ID()").await?.to_string();
    client.run(before).await?;
    let running = tokio::spawn(async move { client.attempt(statement).await });
    let id: u64 = id.parse()?;
    let seen = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id} AND INFO IS NOT NULL"
    );
    wait::until("the statement runs", wait::PATIENCE, || async {
        let count = node.client().await?.value(&seen).await?.to_string();
        Ok(if count == "1" { Ok(()) } else { Err(count) })
    })
    .await?;
    Ok((id, running))
}

/// Kills it and expects its end within two seconds, with error 1317 or without an answer.
async fn killed(
    root: &mut Client,
    kill: &str,
    (id, running): (
        u64,
        tokio::task::JoinHandle<Result<std::result::Result<u64, ServerError>>>,
    ),
) -> Result {
    let started = Instant::now();
    root.execute(&format!("{kill} {id}")).await?;
    let ended = tokio::time::timeout(Duration::from_secs(5), running).await;
    let ended =
        ended.map_err(|_| integration::Failure::new(format!("{kill} did not reach it")))??;
    ensure(started.elapsed() < Duration::from_secs(2), || {
        format!("{kill} took {:?}", started.elapsed())
    })?;
    match ended {
        Ok(Err(error)) => ensure(error.code == 1317, || format!("{error:?}")),
        // The connection was closed.
        Err(_) if kill == "KILL" => Ok(()),
        other => Err(integration::Failure::new(format!("{kill}: {other:?}"))),
    }
}

const ENDLESS: &str = "INSERT INTO d.t (v) SELECT a.v + b.v + c.v + d.v + e.v \
                       FROM d.n a, d.n b, d.n c, d.n d, d.n e";

async fn with_tables(lines: &[&str]) -> Result<(Weir, Client)> {
    let node = Weir::primary(1, lines).await?;
    let mut root = node.client().await?;
    root.run(&[
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
        "CREATE TABLE d.n (v INT PRIMARY KEY)",
    ])
    .await?;
    let numbers: Vec<String> = (0..400).map(|number| format!("({number})")).collect();
    root.execute(&format!("INSERT INTO d.n VALUES {}", numbers.join(",")))
        .await?;
    Ok((node, root))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_reaches_a_statement_that_sleeps_reads_writes_or_waits() -> Result {
    let (node, mut root) = with_tables(&[]).await?;
    let count = "SELECT COUNT(*) FROM d.t";
    for kill in ["KILL QUERY", "KILL"] {
        let sleeper = begun(&node, &[], "SELECT SLEEP(1000)").await?;
        killed(&mut root, kill, sleeper).await?;
        let reading = "SELECT COUNT(*) FROM d.n a, d.n b, d.n c, d.n d, d.n e";
        let reader = begun(&node, &[], reading).await?;
        killed(&mut root, kill, reader).await?;
        let writer = begun(&node, &[], ENDLESS).await?;
        killed(&mut root, kill, writer).await?;
        let mut holder = node.client().await?;
        holder
            .run(&["BEGIN", "INSERT INTO d.t (v) VALUES (1)"])
            .await?;
        let waiter = begun(&node, &[], "INSERT INTO d.t (v) VALUES (2)").await?;
        killed(&mut root, kill, waiter).await?;
        holder.execute("ROLLBACK").await?;
        let rows = root.value(count).await?.to_string();
        ensure(rows == "0", || {
            format!("{rows} rows of killed statements after {kill}")
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_reaches_a_statement_that_waits_behind_a_running_one() -> Result {
    let (node, mut root) = with_tables(&[]).await?;
    let writer = begun(&node, &[], ENDLESS).await?;
    let waiter = begun(&node, &[], "INSERT INTO d.t (v) VALUES (2)").await?;
    killed(&mut root, "KILL QUERY", waiter).await?;
    let impatient = begun(
        &node,
        &["SET innodb_lock_wait_timeout = 1"],
        "INSERT INTO d.t (v) VALUES (3)",
    )
    .await?;
    let waited = tokio::time::timeout(Duration::from_secs(10), impatient.1).await???;
    ensure(
        waited.as_ref().is_err_and(|error| error.code == 1205),
        || format!("{waited:?}"),
    )?;
    killed(&mut root, "KILL QUERY", writer).await?;
    let rows = root.value("SELECT COUNT(*) FROM d.t").await?.to_string();
    ensure(rows == "0", || format!("{rows} rows"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sleepers_hold_up_neither_readers_nor_the_writer() -> Result {
    let (node, mut root) = with_tables(&[]).await?;
    let mut sleepers = Vec::new();
    for _ in 0..40 {
        let mut wire = Wire::login(node.port, "root", Some("d"))?;
        wire.command(b"\x03SELECT SLEEP(1000) FROM n LIMIT 1")?;
        sleepers.push(wire);
    }
    let refused = root
        .attempt("INSERT INTO d.t (v) VALUES (SLEEP(1000))")
        .await?;
    ensure(
        refused.as_ref().is_err_and(|error| error.code == 1235),
        || format!("{refused:?}"),
    )?;
    let started = Instant::now();
    root.value("SELECT COUNT(*) FROM d.n").await?;
    root.execute("INSERT INTO d.t (v) VALUES (1)").await?;
    ensure(started.elapsed() < Duration::from_secs(2), || {
        format!("answered after {:?}", started.elapsed())
    })?;
    // Clients that leave take their statements with them.
    drop(sleepers);
    until_alone(&node).await
}

/// Waits until nobody is connected but the one who looks.
async fn until_alone(node: &Weir) -> Result {
    let others = "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
                  WHERE ID <> CONNECTION_ID() AND INFO IS NOT NULL";
    wait::until("the others are gone", wait::PATIENCE, || async {
        let count = node.client().await?.value(others).await?.to_string();
        Ok(if count == "0" { Ok(()) } else { Err(count) })
    })
    .await
}

/// What PREPARE beyond the limit comes to.
async fn prepared(port: u16) -> Result<String> {
    let mut client = Client::connect(&ClientOptions::root(port)).await?;
    client
        .execute("SET GLOBAL max_prepared_stmt_count = 3")
        .await?;
    for name in ["a", "b", "c"] {
        client
            .execute(&format!("PREPARE {name} FROM 'SELECT 1'"))
            .await?;
    }
    let mut said = vec![client.answer("PREPARE d FROM 'SELECT 2'").await?];
    let mut wire = Wire::login(port, "root", None)?;
    wire.command(b"\x16SELECT 3")?;
    said.push(wire.error()?.to_string());
    said.push(client.answer("PREPARE c FROM 'SELECT 4'").await?);
    client.execute("DEALLOCATE PREPARE a").await?;
    said.push(client.answer("PREPARE d FROM 'SELECT 5'").await?);
    Ok(said.join("\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prepared_statements_are_limited_as_in_mysql() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let (own, theirs) = (prepared(node.port).await?, prepared(mysql.port).await?);
    ensure(own == theirs, || format!("Weir:\n{own}\nMySQL:\n{theirs}"))?;
    ensure(own.contains("1461"), || own)?;
    // What a session has prepared goes with it.
    wait::until("the count is free again", wait::PATIENCE, || async {
        let prepared = node
            .client()
            .await?
            .attempt("PREPARE a FROM 'SELECT 1'")
            .await?;
        Ok(prepared.map(drop).map_err(|error| error.message))
    })
    .await
}

/// 300 rows of a million bytes.
const LARGE: &str = "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 300) \
                     SELECT n, REPEAT('x', 1000000) FROM r";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_result_is_not_held_in_memory() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut wire = Wire::login(node.port, "root", None)?;
    wire.command(&[b"\x03", LARGE.as_bytes()].concat())?;
    let (mut rows, mut largest) = (0, 0);
    loop {
        let payload = wire.read()?;
        match payload.first() {
            Some(0xfe) if payload.len() < 9 && rows > 0 => break,
            Some(0xff) => return Err(integration::Failure::new(format!("{payload:?}"))),
            _ if payload.len() > 1_000_000 => rows += 1,
            _ => {}
        }
        let resident = node.process().map(|process| process.resident_bytes());
        largest = largest.max(resident.transpose()?.unwrap_or(0));
    }
    ensure(rows == 300, || format!("{rows} rows"))?;
    ensure(largest < 128 << 20, || format!("{largest} bytes resident"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_its_result_is_dropped_after_net_write_timeout() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut wire = Wire::login(node.port, "root", None)?;
    ensure(wire.query("SET net_write_timeout = 1")?, || {
        "refused".to_owned()
    })?;
    wire.command(&[b"\x03", LARGE.as_bytes()].concat())?;
    until_alone(&node).await?;
    let resident = node.process().map(|process| process.resident_bytes());
    let resident = resident.transpose()?.unwrap_or(0);
    ensure(resident < 128 << 20, || {
        format!("{resident} bytes resident")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_stops_in_its_middle_ends_after_net_read_timeout() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut wire = Wire::login(node.port, "root", None)?;
    ensure(wire.query("SET net_read_timeout = 1")?, || {
        "refused".to_owned()
    })?;
    wire.raw(&[100, 0, 0, 0, 3, b'S'])?;
    let started = Instant::now();
    wire.drained()?;
    ensure(started.elapsed() < Duration::from_secs(10), || {
        format!("ended after {:?}", started.elapsed())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_transaction_that_only_reads_does_not_last() -> Result {
    let (node, mut root) = with_tables(&["idle_transaction_timeout=1"]).await?;
    let mut reader = node.client().await?;
    reader
        .run(&[
            "START TRANSACTION WITH CONSISTENT SNAPSHOT",
            "DO (SELECT COUNT(*) FROM d.n)",
        ])
        .await?;
    let others = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()";
    wait::until("the reader is gone", wait::PATIENCE, || async {
        let count = node.client().await?.value(others).await?.to_string();
        // The one that was opened at the start, which holds nothing.
        Ok(if count == "1" { Ok(()) } else { Err(count) })
    })
    .await?;
    root.execute("DO 1").await.map(drop)?;
    ensure(reader.execute("DO 1").await.is_err(), || {
        "it is still there".to_owned()
    })?;
    Ok(())
}

/// Nobody waits that long for it: what acts is what is shown.
#[test]
fn a_session_that_idles_in_a_transaction_is_closed_if_nothing_is_set() -> Result {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("my.cnf");
    std::fs::write(&file, "[mysqld]\nserver-id=1\n")?;
    for role in ["primary", "replica"] {
        let shown = std::process::Command::new(integration::weir::binary()?)
            .args(["config", "show", "--json", "--role", role])
            .arg(&file)
            .output()?;
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout)?;
        let option = &shown["options"]["idle_transaction_timeout"];
        ensure(option["origin"] == "default", || option.to_string())?;
        let seconds: u64 = option["value"].as_str().unwrap_or_default().parse()?;
        ensure(seconds > 0, || format!("{role}: {option}"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_user_changes_the_process_list() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    root.execute("CREATE USER app@'%'").await?;
    let mut wire = Wire::login(node.port, "root", None)?;
    wire.command(b"\x11app\0\0\0\x2d\0caching_sha2_password\0")?;
    let mut answer = wire.read()?;
    if answer.first() == Some(&0xfe) {
        wire.send(&[])?;
        answer = wire.read()?;
    }
    ensure(answer.first() == Some(&0), || format!("{answer:02x?}"))?;
    let users = root
        .rows("SELECT USER FROM information_schema.PROCESSLIST ORDER BY USER")
        .await?;
    ensure(format!("{users:?}") == "[[app], [root]]", || {
        format!("{users:?}")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_and_their_errors_are_counted() -> Result {
    let port = integration::process::free_port()?;
    let line = format!("metrics_port={port}");
    let node = Weir::primary(1, &[&line]).await?;
    let mut root = node.client().await?;
    let before = metrics(port)?;
    for _ in 0..5 {
        root.value("SELECT 1").await?;
    }
    let failed = root.attempt("SELECT * FROM nowhere.nothing").await?;
    ensure(failed.is_err(), || "it exists".to_owned())?;
    let after = metrics(port)?;
    let grown = |name: &str| value(&after, name) - value(&before, name);
    ensure(grown("weir_statements_total") >= 6, || after.clone())?;
    ensure(grown("weir_statement_errors_total") == 1, || after.clone())
}

/// Connections that say nothing to the HTTP port.
const SILENT: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_to_the_http_port_take_no_descriptors_from_clients() -> Result {
    let port = integration::process::free_port()?;
    let mut node = Weir::primary(1, &[&format!("metrics_port={port}")]).await?;
    let silent: std::io::Result<Vec<_>> = (0..SILENT)
        .map(|_| std::net::TcpStream::connect(("127.0.0.1", port)))
        .collect();
    let silent = silent?;
    // It is asked behind all of them, so it is answered when they are gone.
    let text = tokio::task::spawn_blocking(move || metrics(port)).await;
    let text = text.map_err(|error| integration::Failure::new(error.to_string()))??;
    ensure(text.contains("weir_"), || text)?;
    node.client().await?.value("SELECT 1").await?;
    let process = node.process();
    let open = process.map(|process| process.descriptors()).transpose()?;
    drop(silent);
    ensure(open.is_some_and(|open| open < SILENT), || {
        format!("{open:?} descriptors")
    })
}

fn metrics(port: u16) -> Result<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn value(metrics: &str, name: &str) -> i64 {
    let line = metrics.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or(-1)
}
