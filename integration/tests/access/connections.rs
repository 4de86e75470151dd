//! What connections are told and how long they last: GTIDs in answers, dumps of accounts that are
//! gone, peers that are silent.

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use integration::failure::ensure;
use integration::wire::{Wire, login};
use integration::{Client, Failure, Peer, RealServer, Result, Weir, wait};

/// The flag of session tracking.
const SESSION_TRACK: u32 = 1 << 23;

/// Statements, and what of the answers is compared.
const TRACKED: [&str; 24] = [
    "SET SESSION session_track_gtids = OWN_GTID",
    "INSERT INTO mine.t VALUES (1)",
    "BEGIN",
    "INSERT INTO mine.t VALUES (2)",
    "COMMIT",
    "BEGIN",
    "COMMIT",
    "UPDATE mine.t SET a = 1 WHERE a = 99",
    "DO 1",
    "CREATE TABLE mine.u (a INT)",
    "SET autocommit = 0",
    "INSERT INTO mine.t VALUES (7)",
    "DROP TABLE mine.u",
    "INSERT INTO mine.t VALUES (8)",
    "SET autocommit = 1",
    "SET SESSION session_track_gtids = ALL_GTIDS",
    "DO 1",
    "BEGIN",
    "INSERT INTO mine.t VALUES (9)",
    "SET SESSION session_track_gtids = OFF",
    "COMMIT",
    "INSERT INTO mine.t VALUES (10)",
    "SET SESSION session_track_gtids = OFF",
    "INSERT INTO mine.t VALUES (11)",
];

fn tracking(port: u16) -> Result<Wire> {
    let mut wire = Wire::connect(port)?;
    let mut payload = login("root", &[], "caching_sha2_password", None);
    let flags = payload.first_chunk().copied().map_or(0, u32::from_le_bytes) | SESSION_TRACK;
    payload.splice(..4, flags.to_le_bytes());
    wire.send(&payload)?;
    let mut answer = wire.read()?;
    if answer.first() == Some(&0xfe) {
        wire.send(&[])?;
        answer = wire.read()?;
    }
    ensure(answer.first() == Some(&0), || format!("{answer:02x?}"))?;
    Ok(wire)
}

/// The GTIDs in an OK packet, with the server's own UUID named so.
fn gtids(packet: &[u8], uuid: &str) -> String {
    let text = String::from_utf8_lossy(packet).replace(uuid, "own");
    match text.find("own:") {
        Some(at) => text
            .get(at..)
            .unwrap_or_default()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || ":-,".contains(*c))
            .collect(),
        None => String::new(),
    }
}

async fn tracked(port: u16, mut root: Client) -> Result<Vec<String>> {
    root.run(&["CREATE DATABASE mine", "CREATE TABLE mine.t (a INT)"])
        .await?;
    let uuid = root.value("SELECT @@server_uuid").await?.to_string();
    let uuid = uuid.trim_matches('\'').to_owned();
    let mut wire = tracking(port)?;
    let mut lines = Vec::new();
    for statement in TRACKED {
        wire.command(&[b"\x03", statement.as_bytes()].concat())?;
        let answer = wire.read()?;
        let line = match integration::wire::error_code(&answer) {
            Some(code) => format!("{statement}: {code}"),
            // MySQL answers it by the value from before.
            None if statement.starts_with("SET SESSION") => statement.to_owned(),
            None => format!("{statement}: {}", gtids(&answer, &uuid)),
        };
        lines.push(line);
    }
    Ok(lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_asks_is_told_the_gtids_that_mysql_97_tells() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let seen = tracked(weir.port, weir.client().await?).await?;
    let expected = tracked(mysql.port, mysql.client().await?).await?;
    ensure(expected.iter().any(|line| line.contains("own:1")), || {
        expected.join("\n")
    })?;
    ensure(seen == expected, || {
        format!(
            "Weir:\n{}\nMySQL:\n{}",
            seen.join("\n"),
            expected.join("\n")
        )
    })
}

/// Begins a dump as `app`, and reads until the events of what is there have come.
fn dump(port: u16, file: &str) -> Result<Wire> {
    let mut wire = Wire::login(port, "dumper", None)?;
    ensure(wire.query("SET @source_binlog_checksum = 'CRC32'")?, || {
        "SET is refused".to_owned()
    })?;
    let head = [0x12, 4, 0, 0, 0, 0, 0, 0x55, 3, 0, 0];
    wire.command(&[&head[..], file.as_bytes()].concat())?;
    Ok(wire)
}

/// Reads events until one holds `mark`.
fn read_until(wire: &mut Wire, mark: &str) -> Result {
    loop {
        let packet = wire.read()?;
        if let Some(code) = integration::wire::error_code(&packet) {
            return Err(Failure::new(format!("the dump ended with {code}")));
        }
        if String::from_utf8_lossy(&packet).contains(mark) {
            return Ok(());
        }
    }
}

/// Whether the dump goes on after each of what may happen to its account.
async fn dumps_go_on(port: u16, mut root: Client) -> Result {
    root.execute("CREATE DATABASE mine").await?;
    let file = root.rows("SHOW BINARY LOGS").await?;
    let file = file.last().and_then(|row| row.first());
    let file = file.map(ToString::to_string).unwrap_or_default();
    let file = file.trim_matches('\'').to_owned();
    for (number, end) in [
        "REVOKE REPLICATION SLAVE ON *.* FROM dumper",
        "ALTER USER dumper ACCOUNT LOCK",
        "DROP USER dumper",
    ]
    .iter()
    .enumerate()
    {
        root.execute("DROP USER IF EXISTS dumper").await?;
        root.execute("CREATE USER dumper").await?;
        root.execute("GRANT REPLICATION SLAVE ON *.* TO dumper")
            .await?;
        let mut wire = dump(port, &file)?;
        read_until(&mut wire, "CREATE DATABASE mine")?;
        root.execute(end).await?;
        root.execute(&format!("CREATE TABLE mine.after{number} (a INT)"))
            .await?;
        read_until(&mut wire, &format!("after{number}")).map_err(|e| e.during(*end))?;
        // KILL ends it at once.
        let rows = root.rows("SHOW PROCESSLIST").await?;
        let is_dump = |row: &&Vec<_>| {
            row.iter()
                .any(|cell: &integration::sql::Cell| cell.to_string().contains("Binlog Dump"))
        };
        let id = rows.iter().find(is_dump).and_then(|row| row.first());
        let id = id.map(ToString::to_string).unwrap_or_default();
        root.execute(&format!("KILL {id}")).await?;
        wire.drained()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_goes_on_until_it_is_killed_whatever_becomes_of_its_account() -> Result {
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    dumps_go_on(mysql.port, mysql.client().await?).await?;
    let weir = Weir::primary(1, &[]).await?;
    dumps_go_on(weir.port, weir.client().await?)
        .await
        .map_err(|failure| weir.explain(failure))
}

/// In how many seconds the server's side of a connection asks whether its peer is there, by the
/// kernel's list of sockets.
fn keep_alive_in(server: u16, client: u16) -> Result<Option<u64>> {
    /// The timer that runs on a socket with nothing to send: keep-alive.
    const KEEP_ALIVE: &str = "02";
    const TICKS_PER_SECOND: u64 = 100;
    let ports = format!(":{server:04X} ");
    let peer = format!(":{client:04X} ");
    for list in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in std::fs::read_to_string(list)?.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, remote, _, _, timer, ..] = fields.as_slice() else {
                continue;
            };
            let is_it =
                format!("{local} ").ends_with(&ports) && format!("{remote} ").ends_with(&peer);
            if is_it && let Some((KEEP_ALIVE, ticks)) = timer.split_once(':') {
                let ticks = u64::from_str_radix(ticks, 16)
                    .map_err(|error| Failure::new(error.to_string()))?;
                return Ok(Some(ticks / TICKS_PER_SECOND));
            }
        }
    }
    Ok(None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_peer_is_asked_whether_it_is_there() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, weir.port))?;
    stream.read_exact(&mut [0; 4])?;
    let port = stream.local_addr()?.port();
    // A delayed acknowledgement uses the same timer for a moment.
    let asks = || async {
        let found = keep_alive_in(weir.port, port)?.filter(|seconds| *seconds > 5);
        Ok(found.ok_or("no timer"))
    };
    let seconds = wait::until("keep-alive", Duration::from_secs(10), asks).await?;
    ensure(seconds <= 60, || format!("asked after {seconds} s"))
}
