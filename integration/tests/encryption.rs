//! Encrypted logs in running nodes, and in the hands of a real server.

use std::path::Path;
use std::time::Duration;

use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::failure::ensure;
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::sql::Cell;
use integration::{Client, Peer, RealServer, Result, Weir, peers};

/// What every row holds and no file may show.
const MARK: &str = "not-for-readers-of-disks";

fn text(cell: &Cell) -> String {
    cell.to_string()
}

/// SHOW BINARY LOGS: name, size, whether encrypted.
async fn binary_logs(client: &mut Client) -> Result<Vec<(String, String, String)>> {
    let rows = client.rows("SHOW BINARY LOGS").await?;
    let fields = |row: &Vec<Cell>| {
        let field = |at: usize| row.get(at).map(text).unwrap_or_default();
        (field(0), field(1), field(2))
    };
    Ok(rows.iter().map(fields).collect())
}

async fn encryption_column(client: &mut Client) -> Result<String> {
    let logs = binary_logs(client).await?;
    let column: Vec<&str> = logs
        .iter()
        .map(|(.., encrypted)| encrypted.as_str())
        .collect();
    Ok(column.join(" "))
}

fn ensure_equal(what: &str, found: &str, expected: &str) -> Result {
    ensure(found == expected, || {
        format!("{what}: '{found}', expected '{expected}'")
    })
}

/// No encrypted file of `directory` whose name contains `base` shows a row; how many there are.
fn ensure_hidden(directory: &Path, base: &str) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let bytes = std::fs::read(&path)?;
        let is_log = path.to_string_lossy().contains(base) && bytes.starts_with(b"\xfdbin");
        if is_log {
            let mark = MARK.as_bytes();
            let is_shown = bytes.windows(mark.len()).any(|part| part == mark);
            ensure(!is_shown, || format!("{} shows a row", path.display()))?;
            count += 1;
        }
    }
    Ok(count)
}

/// Two encrypted files under a second master key, one plain, and a last encrypted one.
async fn write_logs(client: &mut Client) -> Result {
    let insert = |id: u32| format!("INSERT INTO d.t VALUES ({id}, '{MARK}')");
    client
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, note VARCHAR(100))",
            &insert(1),
            "ALTER INSTANCE ROTATE BINLOG MASTER KEY",
            &insert(2),
            "SET GLOBAL binlog_encryption = OFF",
            "INSERT INTO d.t VALUES (3, 'plain')",
            "SET GLOBAL binlog_encryption = ON",
            &insert(4),
        ])
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_serves_the_encrypted_binlog_that_weir_wrote() -> Result {
    let mut weir = Weir::primary(1, &["binlog_encryption=ON", "keyring_file_data=keyring"]).await?;
    let mut client = weir.client().await?;
    write_logs(&mut client).await?;
    let ours = binary_logs(&mut client).await?;
    let column = encryption_column(&mut client).await?;
    // The first file is that of --initialize, the second that of the start.
    ensure(column.ends_with("Yes Yes No Yes"), || column.clone())?;
    let (last, ..) = ours.last().cloned().unwrap_or_default();
    let (third, ..) = ours.get(ours.len() - 3).cloned().unwrap_or_default();
    let events = client
        .rows(&format!("SHOW BINLOG EVENTS IN '{third}'"))
        .await?;
    drop(client);
    weir.stop()?;
    ensure(ensure_hidden(&weir.data(), "binlog.")? >= 3, || {
        "encrypted files".to_owned()
    })?;

    let mut server = RealServer::prepare(Peer::MySql97, 5, &[])?;
    server.use_keyring(&weir.data().join("keyring"))?;
    for path in weir.binlogs()? {
        let name = path.file_name().unwrap_or_default();
        std::fs::copy(&path, server.data().join(name))?;
    }
    std::fs::copy(
        weir.data().join("binlog.index"),
        server.data().join("binlog.index"),
    )?;
    server.launch().await?;
    let mut on_mysql = server.client().await?;
    let theirs = binary_logs(&mut on_mysql).await?;
    for (name, _, encrypted) in &ours {
        let same = theirs
            .iter()
            .any(|(there, _, is)| there == name && is == encrypted);
        ensure(same, || format!("{name} {encrypted}: {theirs:?}"))?;
    }
    let seen = on_mysql
        .rows(&format!("SHOW BINLOG EVENTS IN '{third}'"))
        .await?;
    let places = |rows: &[Vec<Cell>]| -> Vec<String> {
        let field = |row: &Vec<Cell>, at| row.get(at).map(text).unwrap_or_default();
        rows.iter()
            .map(|row| format!("{} {} {}", field(row, 1), field(row, 2), field(row, 4)))
            .collect()
    };
    ensure_equal(
        "events",
        &places(&seen).join(", "),
        &places(&events).join(", "),
    )?;

    // What a replica of that server would get: the clear events, checksums verified.
    let mut reader = Peer::MySql97.program("mysqlbinlog")?;
    let charsets = peers::folder("mysql-9.7")?.join("root/usr/share/mysql/charsets");
    let output = reader
        .args([
            "--no-defaults",
            "--read-from-remote-server",
            "--to-last-log",
            "-v",
        ])
        .args([
            "--verify-binlog-checksum",
            "--host=127.0.0.1",
            "--user=root",
        ])
        .arg(format!("--character-sets-dir={}", charsets.display()))
        .arg(format!("--port={}", server.port))
        .arg(
            ours.first()
                .map(|(name, ..)| name.as_str())
                .unwrap_or_default(),
        )
        .output()?;
    let listing = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    ensure(output.status.success(), || complaints.to_string())?;
    ensure_equal("rows", &listing.matches(MARK).count().to_string(), "3")?;
    ensure(listing.contains("'plain'"), || "the plain file".to_owned())?;
    ensure(theirs.iter().any(|(name, ..)| *name == last), || {
        last.clone()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_nodes_replicate_rotate_keys_and_survive_kills() -> Result {
    let encrypted = ["binlog_encryption=ON", "keyring_file_data=keyring"];
    let mut primary = Weir::primary(1, &encrypted).await?;
    let mut on_primary = primary.client().await?;
    create_account(&mut on_primary, Peer::MySql97).await?;
    let mut lines = vec![
        "source-host=127.0.0.1".to_owned(),
        format!("source-port={}", primary.port),
        format!("source-user={REPLICATION_USER}"),
        format!("source-password={REPLICATION_PASSWORD}"),
        "source-auto-position=1".to_owned(),
        "source-connect-retry=1".to_owned(),
        "relay_log_purge=OFF".to_owned(),
    ];
    lines.extend(encrypted.map(str::to_owned));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut replica = Weir::replica(2, &lines).await?;
    write_logs(&mut on_primary).await?;
    replica
        .client()
        .await?
        .run(&["ALTER INSTANCE ROTATE BINLOG MASTER KEY"])
        .await?;
    for round in 0..3_u32 {
        let id = 100 + round;
        on_primary
            .run(&[format!("INSERT INTO d.t VALUES ({id}, '{MARK}')")])
            .await?;
        primary.kill()?;
        replica.kill()?;
        primary.launch().await?;
        replica.launch().await?;
        on_primary = primary.client().await?;
        if round == 1 {
            on_primary
                .run(&["ALTER INSTANCE ROTATE BINLOG MASTER KEY"])
                .await?;
        }
    }
    let mut on_replica = replica.client().await?;
    until_gtids_executed(&mut on_primary, &mut on_replica, Duration::from_secs(60))
        .await
        .map_err(|failure| replica.explain(failure))?;
    let here = Snapshot::take(&mut on_primary, &["d"]).await?;
    let there = Snapshot::take(&mut on_replica, &["d"]).await?;
    ensure_equal("rows", &here.rows().to_string(), "7")?;
    ensure_same("primary", &here, "replica", &there)?;
    ensure(ensure_hidden(&primary.data(), "binlog.")? >= 5, || {
        "binlogs".to_owned()
    })?;
    ensure(ensure_hidden(&replica.data(), "relay-bin.")? >= 3, || {
        "relay logs".to_owned()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_those_of_mysql() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let server = RealServer::start(Peer::MySql97, 5, &[]).await?;
    for statement in [
        "ALTER INSTANCE ROTATE BINLOG MASTER KEY",
        "SET GLOBAL binlog_encryption = ON",
        "SET GLOBAL binlog_encryption = OFF",
        "SET GLOBAL binlog_encryption = 'x'",
        "SET SESSION binlog_encryption = ON",
        "SELECT @@binlog_encryption",
    ] {
        let ours = weir.client().await?.answer(statement).await?;
        let theirs = server.client().await?.answer(statement).await?;
        ensure_equal(statement, &ours, &theirs)?;
    }
    let column = encryption_column(&mut weir.client().await?).await?;
    ensure(!column.contains("Yes"), || column.clone())
}
