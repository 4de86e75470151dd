//! What ordinary clients and replicas send first: they get in, and get what MySQL 9.7 answers.

use std::process::Command;
use std::time::Duration;

use integration::failure::ensure;
use integration::peers::Peer;
use integration::sql::ClientOptions;
use integration::wire::{Wire, error_code, login};
use integration::{Client, RealServer, Result, Weir, wait};

/// The flag of query attributes.
const ATTRIBUTES: u32 = 1 << 27;

async fn both() -> Result<(Weir, RealServer)> {
    let node = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    Ok((node, mysql))
}

/// The answers of both to the same statements, which must be the same.
async fn compare(node: &Weir, mysql: &RealServer, statements: &[&str]) -> Result {
    let mut own = Client::connect(&ClientOptions::root(node.port)).await?;
    let mut theirs = Client::connect(&ClientOptions::root(mysql.port)).await?;
    for statement in statements {
        let (seen, expected) = (
            own.answer(statement).await?,
            theirs.answer(statement).await?,
        );
        ensure(seen == expected, || {
            format!("{statement}\n  Weir:  {seen}\n  MySQL: {expected}")
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_variables_that_clients_set_first_can_be_set_as_in_mysql() -> Result {
    let (node, mysql) = both().await?;
    let statements = [
        "SET character_set_results = NULL",
        "SELECT @@character_set_results IS NULL",
        "SET character_set_client = NULL",
        "SET lc_messages = 'en_US'",
        "SET SESSION sort_buffer_size = 1000000, join_buffer_size = 500000",
        "SELECT @@sort_buffer_size, @@join_buffer_size",
        "SET SESSION read_buffer_size = 500000",
        "SELECT @@read_buffer_size",
        "SET SESSION max_heap_table_size = 500001",
        "SELECT @@max_heap_table_size",
        "SET GLOBAL innodb_stats_persistent = ON",
        "SET SESSION session_track_gtids = 'OWN_GTID'",
        "SET GLOBAL max_connections = 100",
        "SELECT @@GLOBAL.max_connections",
        "SET GLOBAL net_write_timeout = 30",
        "SELECT @@GLOBAL.rpl_semi_sync_source_enabled",
        "SELECT @@GLOBAL.rpl_semi_sync_master_enabled",
    ];
    compare(&node, &mysql, &statements).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_of_limit_and_set_are_taken_as_in_mysql() -> Result {
    let (node, mysql) = both().await?;
    let mut said = Vec::new();
    for port in [node.port, mysql.port] {
        let mut client = Client::connect(&ClientOptions::root(port)).await?;
        let mut lines = Vec::new();
        let limit = "SELECT 7 LIMIT ?";
        let values: [mysql_async::Value; 8] = [
            1.into(),
            0.into(),
            "1".into(),
            "1.7".into(),
            "x".into(),
            1.0_f64.into(),
            (-1).into(),
            mysql_async::Value::NULL,
        ];
        for value in values {
            let shown = format!("{value:?}");
            let params = mysql_async::Params::Positional(vec![value]);
            lines.push(match client.prepared(limit, params).await {
                Ok(rows) => format!("{shown}: {rows:?}"),
                Err(failure) => format!("{shown}: {failure}"),
            });
        }
        client
            .prepared("SET @x = ?, @y = ? + 1", (5, 6).into())
            .await?;
        lines.push(format!("{:?}", client.rows("SELECT @x, @y").await?));
        said.push(lines.join("\n"));
    }
    ensure(said.first() == said.last(), || said.join("\n--- MySQL\n"))
}

/// The first bytes of what executing with two parameters comes to, for a client that negotiated
/// query attributes, counts its parameters and says nothing of attributes.
fn execute_with_count(port: u16) -> Result<(Option<u16>, Vec<u8>)> {
    let mut wire = Wire::connect(port)?;
    let mut payload = login("root", &[], "caching_sha2_password", None);
    let flags = payload.first_chunk().copied().map_or(0, u32::from_le_bytes) | ATTRIBUTES;
    payload.splice(..4, flags.to_le_bytes());
    wire.send(&payload)?;
    let mut answer = wire.read()?;
    if answer.first() == Some(&0xfe) {
        wire.send(&[])?;
        answer = wire.read()?;
    }
    ensure(answer.first() == Some(&0), || format!("{answer:02x?}"))?;
    wire.command(b"\x16SELECT ?, ?")?;
    let prepared = wire.read()?;
    let id = prepared.get(1..5).unwrap_or_default().to_vec();
    // Two parameters and two columns, each list with its end.
    for _ in 0..6 {
        wire.read()?;
    }
    let execute = [
        &[0x17][..],
        &id,
        &[0, 1, 0, 0, 0],
        // Count, no NULL, types follow: each with an empty name.
        &[2, 0, 1, 0x03, 0, 0, 0xfd, 0, 0],
        &[7, 0, 0, 0, 1, b'a'],
    ];
    wire.command(&execute.concat())?;
    let first = wire.read()?;
    Ok((
        error_code(&first),
        first.get(..1).unwrap_or_default().to_vec(),
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_query_attributes_counts_the_parameters_of_a_statement() -> Result {
    let (node, mysql) = both().await?;
    let (own, theirs) = (
        execute_with_count(node.port)?,
        execute_with_count(mysql.port)?,
    );
    ensure(own == theirs && own == (None, vec![2]), || {
        format!("Weir {own:02x?}, MySQL {theirs:02x?}")
    })
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure(output.status.success(), || {
        format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))
    })?;
    Ok(text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_clients_speak_the_compressed_protocol() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let port = node.port.to_string();
    let long = "CREATE DATABASE IF NOT EXISTS d; SELECT LENGTH(REPEAT('xyz', 1000000)), \
                LENGTH(REPEAT('ab', 3)); SELECT REPEAT('x', 3000000)";
    let expected = 3_000_000;
    for algorithm in ["zlib", "zstd"] {
        for tls in ["DISABLED", "REQUIRED"] {
            let mut mysql = Peer::MySql97.cli()?;
            mysql.args(["--no-defaults", "-h127.0.0.1", "-P", &port, "-uroot", "-N"]);
            mysql.arg(format!("--compression-algorithms={algorithm}"));
            mysql.arg(format!("--ssl-mode={tls}"));
            mysql.args(["--get-server-public-key", "-e", long]);
            let text = output(&mut mysql)?;
            let found = text.lines().map(str::len).max().unwrap_or(0);
            ensure(found == expected, || {
                format!("{algorithm}, {tls}: {found} bytes")
            })?;
        }
    }
    let mut mariadb = Peer::MariaDb1011.cli()?;
    mariadb.args([
        "--no-defaults",
        "-h127.0.0.1",
        "-P",
        &port,
        "-uroot",
        "-N",
        "--compress",
    ]);
    let text = output(mariadb.args(["--skip-ssl", "-e", long]))?;
    let found = text.lines().map(str::len).max().unwrap_or(0);
    ensure(found == expected, || format!("MariaDB: {found} bytes"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mariadb_11_8_client_takes_the_certificate_with_a_password() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    root.execute("CREATE USER app@'%' IDENTIFIED BY 'pw'")
        .await?;
    let mut mariadb = Peer::MariaDb118.cli()?;
    mariadb.args(["--no-defaults", "-h127.0.0.1", "-P", &node.port.to_string()]);
    mariadb.args(["-uapp", "-ppw", "-N", "-e", "SHOW STATUS LIKE 'Ssl_cipher'"]);
    let text = output(&mut mariadb)?;
    ensure(text.contains("TLS_"), || text)
}

/// A dump of the first file from its start, whose name ends as given.
fn dump(port: u16, ending: &[u8]) -> Result<Wire> {
    let mut wire = Wire::login(port, "root", None)?;
    ensure(wire.query("SET @source_binlog_checksum = 'CRC32'")?, || {
        "refused".to_owned()
    })?;
    let name = [b"binlog.000001", ending].concat();
    wire.command(&[&[0x12, 4, 0, 0, 0, 0, 0, 9, 0, 0, 0][..], &name].concat())?;
    Ok(wire)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_is_served_whose_file_name_ends_in_nul() -> Result {
    let (node, mysql) = both().await?;
    for port in [node.port, mysql.port] {
        let first = dump(port, b"\0")?.read()?;
        ensure(first.first() == Some(&0), || {
            format!("{:?}", error_code(&first))
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_client_that_stops_reading_is_dropped_and_costs_little_memory() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    root.run(&[
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT)",
        "SET GLOBAL net_write_timeout = 1",
    ])
    .await?;
    for _ in 0..24 {
        root.execute("INSERT INTO d.t (v) VALUES (REPEAT('x', 2000000))")
            .await?;
    }
    let before = node.process().map(|process| process.resident_bytes());
    let before = before.transpose()?.unwrap_or(0);
    let stalled: Vec<Wire> = (0..8)
        .map(|_| dump(node.port, b""))
        .collect::<Result<_>>()?;
    let dumps =
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'";
    let mut largest = 0;
    let mut seen = false;
    let started = std::time::Instant::now();
    loop {
        let count = root.value(dumps).await?.to_string();
        let resident = node.process().map(|process| process.resident_bytes());
        largest = largest.max(resident.transpose()?.unwrap_or(0));
        seen |= count != "0";
        if seen && count == "0" {
            break;
        }
        ensure(started.elapsed() < wait::PATIENCE, || {
            format!("{count} dumps are left")
        })?;
        wait::let_run(Duration::from_millis(25)).await;
    }
    drop(stalled);
    ensure(largest < before + (96 << 20), || {
        format!("{before} bytes became {largest}")
    })
}
