//! Relay log, positions and the applier over crashes, and what a replica says of itself.

use std::path::PathBuf;
use std::time::Duration;

use integration::compare::{Snapshot, ensure_same, until_same};
use integration::failure::ensure;
use integration::process::free_port;
use integration::real_replica::{REPLICATION_USER, Start, binlog_end, create_account};
use integration::wait::{self, PATIENCE};
use integration::{Client, Failure, Peer, RealServer, Result, Weir};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const STATUS: &str = "SHOW REPLICA STATUS";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_executed_position_follows_an_idle_source_as_on_mysql_97() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    mysql.follow(source.port, &Start::AutoPosition).await?;
    let weir = Weir::following(3, source.port, &[]).await?;
    let mut replicas = [mysql.client().await?, weir.client().await?];
    on_source
        .run(&["CREATE DATABASE d", "CREATE TABLE d.t (a INT)"])
        .await?;
    let end = binlog_end(&mut on_source).await?;
    for replica in &mut replicas {
        until_executed(replica, &end).await?;
        replica.run(&["STOP REPLICA", "START REPLICA"]).await?;
        until_executed(replica, &end).await?;
    }
    on_source.execute("FLUSH BINARY LOGS").await?;
    let flushed = binlog_end(&mut on_source).await?;
    assert_ne!(flushed.0, end.0);
    for replica in &mut replicas {
        until_executed(replica, &flushed).await?;
    }
    Ok(())
}

async fn until_executed(replica: &mut Client, end: &(String, u64)) -> Result {
    let started = std::time::Instant::now();
    loop {
        let file = replica.column(STATUS, "Relay_Source_Log_File").await?;
        let position = replica.column(STATUS, "Exec_Source_Log_Pos").await?;
        let (file, position) = (file.unwrap_or_default(), position.unwrap_or_default());
        if (file.as_str(), position.as_str()) == (end.0.as_str(), end.1.to_string().as_str()) {
            return Ok(());
        }
        ensure(started.elapsed() < Duration::from_secs(20), || {
            format!("{file}:{position} is shown where {end:?} is executed")
        })?;
        wait::let_run(Duration::from_millis(25)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_log_that_lost_its_applied_tail_repeats_nothing() -> Result {
    let (source, mut replica) = by_position().await?;
    let mut on_source = source.client().await?;
    for number in 0..41 {
        on_source
            .execute(&format!("INSERT INTO d.t VALUES ({number})"))
            .await?;
    }
    let mut on_replica = replica.client().await?;
    let databases = ["d"];
    until_same(
        "source",
        &mut on_source,
        "replica",
        &mut on_replica,
        &databases,
        PATIENCE,
    )
    .await?;
    replica.kill()?;
    cut(&relay_log(&replica)?, 1_500)?;
    replica.launch().await?;
    on_source.execute("CREATE TABLE d.last (a INT)").await?;
    let mut on_replica = replica.client().await?;
    wait::until("the last table arrives", PATIENCE, || async {
        let mut client = replica.client().await?;
        let tables = client.rows("SHOW TABLES FROM d").await?.len();
        Ok(if tables == 2 { Ok(()) } else { Err(tables) })
    })
    .await?;
    let left = Snapshot::take(&mut on_source, &databases).await?;
    let right = Snapshot::take(&mut on_replica, &databases).await?;
    ensure_same("source", &left, "replica", &right)
}

/// A MySQL source with a table, and its replica: without GTIDs and keys nothing but the positions keeps
/// rows from being applied twice.
async fn by_position() -> Result<(RealServer, Weir)> {
    let options = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    let source = RealServer::start(Peer::MySql97, 1, &options).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    let replica = Weir::replica(
        2,
        &[
            "source-host=127.0.0.1",
            &format!("source-port={}", source.port),
            &format!("source-user={REPLICATION_USER}"),
            "source-password=re-Pl1cate",
            "source-auto-position=0",
            "source-log-file=binlog.000001",
            "source-log-pos=4",
            "source-connect-retry=1",
        ],
    )
    .await?;
    on_source
        .run(&["CREATE DATABASE d", "CREATE TABLE d.t (a INT)"])
        .await?;
    Ok((source, replica))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_source_that_cannot_be_saved_leaves_the_positions() -> Result {
    let (source, replica) = by_position().await?;
    let mut on_source = source.client().await?;
    on_source.execute("INSERT INTO d.t VALUES (1), (2)").await?;
    let end = binlog_end(&mut on_source).await?;
    let mut on_replica = replica.client().await?;
    until_executed(&mut on_replica, &end).await?;
    on_replica.execute("STOP REPLICA").await?;
    // Nothing can be put in the place of a directory.
    let file = replica.data().join("source-info.json");
    std::fs::create_dir(&file)?;
    let change =
        "CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE = 'binlog.000001', SOURCE_LOG_POS = 4";
    let changed = on_replica.attempt(change).await?;
    ensure(changed.is_err(), || "it was saved".to_owned())?;
    std::fs::remove_dir(&file)?;
    on_replica.execute("START REPLICA").await?;
    on_source.execute("INSERT INTO d.t VALUES (3)").await?;
    let end = binlog_end(&mut on_source).await?;
    until_executed(&mut on_replica, &end).await?;
    let left = Snapshot::take(&mut on_source, &["d"]).await?;
    let right = Snapshot::take(&mut on_replica, &["d"]).await?;
    ensure_same("source", &left, "replica", &right)
}

/// The relay log file that is written.
fn relay_log(replica: &Weir) -> Result<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(replica.data())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            let number = name.and_then(|name| name.strip_prefix("relay-bin."));
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .collect();
    files.sort();
    files
        .pop()
        .ok_or_else(|| Failure::new("there is no relay log"))
}

/// Takes the last `bytes` of a file away, as a power loss may.
fn cut(file: &std::path::Path, bytes: u64) -> Result {
    let handle = std::fs::OpenOptions::new().write(true).open(file)?;
    let len = handle.metadata()?.len();
    ensure(len > bytes + 1_000, || format!("{len} bytes are too few"))?;
    Ok(handle.set_len(len - bytes)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_hangs_while_it_is_greeted_is_given_up() -> Result {
    let source = Weir::primary(1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    // The clock is the first thing that a replica asks for.
    let port = between(source.port, b"UNIX_TIMESTAMP", After::Hang).await?;
    let replica = Weir::following(2, port, &["replica-net-timeout=2"]).await?;
    wait::until("the receiver gives up", PATIENCE, || async {
        let mut client = replica.client().await?;
        let code = client.column(STATUS, "Last_IO_Errno").await?;
        Ok(match code.as_deref() {
            Some("2013") => Ok(()),
            other => Err(format!("{other:?}")),
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_fails_after_each_connection_uses_up_the_attempts() -> Result {
    let source = Weir::primary(1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    let port = between(source.port, b"binlog.0000", After::Close).await?;
    let replica = Weir::following(2, port, &["source-retry-count=3"]).await?;
    wait::until("the receiver stops", Duration::from_secs(30), || async {
        let mut client = replica.client().await?;
        let running = client.column(STATUS, "Replica_IO_Running").await?;
        Ok(match running.as_deref() {
            Some("No") => Ok(()),
            other => Err(format!("{other:?}")),
        })
    })
    .await
}

/// What becomes of a connection once it has carried certain bytes.
#[derive(Clone, Copy, PartialEq)]
enum After {
    /// Nothing is carried any more.
    Hang,
    /// It is closed.
    Close,
}

/// A port from which connections lead to the server on `port` until they carry `bytes`.
async fn between(port: u16, bytes: &'static [u8], after: After) -> Result<u16> {
    let own = free_port()?;
    let listener = TcpListener::bind(("127.0.0.1", own)).await?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, port, bytes, after));
        }
    });
    Ok(own)
}

async fn carry(mut client: TcpStream, port: u16, bytes: &[u8], after: After) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let (read, sent) = tokio::select! {
            read = client.read(&mut up) => (read, &up),
            read = server.read(&mut down) => (read, &down),
        };
        let Ok(read @ 1..) = read else { return };
        let carried = sent.get(..read).unwrap_or_default();
        let is_seen = carried.windows(bytes.len()).any(|window| window == bytes);
        let is_up = std::ptr::eq(sent, &up);
        if is_seen && after == After::Hang {
            return std::future::pending().await;
        }
        let written = match is_up {
            true => server.write_all(carried).await,
            false => client.write_all(carried).await,
        };
        if written.is_err() || is_seen {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_source_is_lag_within_seconds_and_an_idle_one_is_none() -> Result {
    let mut source = Weir::primary(1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    on_source.execute("CREATE DATABASE d").await?;
    let replica = Weir::following(2, source.port, &[]).await?;
    until_lag(&replica, "0", |lag| lag == Some(0.0)).await?;
    let frozen = source.process().ok_or_else(|| Failure::new("no process"))?;
    frozen.signal("STOP")?;
    let seen = until_lag(&replica, "more than 1 s", |lag| lag > Some(1.0)).await;
    frozen.signal("CONT")?;
    seen?;
    until_lag(&replica, "0 again", |lag| lag == Some(0.0)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_behind_a_quiet_time_is_as_old_as_its_commit() -> Result {
    let quiet = Duration::from_secs(5);
    let source = Weir::primary(1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    on_source.execute("CREATE DATABASE d").await?;
    let replica = Weir::following(2, source.port, &[]).await?;
    let end = binlog_end(&mut on_source).await?;
    let mut on_replica = replica.client().await?;
    until_executed(&mut on_replica, &end).await?;
    wait::let_run(quiet).await;
    on_replica.execute("STOP REPLICA SQL_THREAD").await?;
    on_source.execute("CREATE DATABASE e").await?;
    let committed = std::time::Instant::now();
    let of = |name: &str| format!("SHOW GLOBAL STATUS LIKE 'Weir_lag_apply_{name}'");
    let waiting = of("transactions");
    wait::until("it has arrived", PATIENCE, || async {
        let mut client = replica.client().await?;
        let count = client.column(&waiting, "Value").await?;
        Ok(match count.as_deref() {
            Some("1") => Ok(()),
            other => Err(format!("{other:?}")),
        })
    })
    .await?;
    let lag = on_replica.column(&of("seconds"), "Value").await?;
    let lag: f64 = lag.unwrap_or_default().parse()?;
    // The clock of a commit counts whole seconds at the least.
    let most = committed.elapsed().as_secs_f64() + 1.5;
    ensure(lag <= most, || format!("{lag} s, and it is {most} s old"))
}

async fn until_lag(replica: &Weir, what: &str, is: impl Fn(Option<f64>) -> bool) -> Result {
    let is = &is;
    let what = format!("the lag becomes {what}");
    wait::until(&what, Duration::from_secs(12), || async move {
        let mut client = replica.client().await?;
        let query = "SHOW GLOBAL STATUS LIKE 'Weir_lag_apply_seconds'";
        let seen = client.column(query, "Value").await?;
        let lag = seen.as_deref().and_then(|text| text.parse().ok());
        Ok(if is(lag) {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_whose_log_was_reset_is_noticed() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    on_source.execute("CREATE DATABASE d").await?;
    let replica = Weir::following(2, source.port, &[]).await?;
    let end = binlog_end(&mut on_source).await?;
    until_executed(&mut replica.client().await?, &end).await?;
    on_source.execute("RESET BINARY LOGS AND GTIDS").await?;
    wait::until("the reset is noticed", Duration::from_secs(40), || async {
        let mut client = replica.client().await?;
        let running = client.column(STATUS, "Replica_IO_Running").await?;
        let code = client.column(STATUS, "Last_IO_Errno").await?;
        let is_noticed = running.as_deref() == Some("No") && code.as_deref() == Some("1236");
        Ok(match is_noticed {
            true => Ok(()),
            false => Err(format!("{running:?} {code:?}")),
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_says_what_it_does_and_what_it_does_not_do() -> Result {
    let source = Weir::primary(1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    on_source.execute("CREATE DATABASE d").await?;
    let mut replica = Weir::following(2, source.port, &["log-error-verbosity=3"]).await?;
    let mut on_replica = replica.client().await?;
    let end = binlog_end(&mut on_source).await?;
    until_executed(&mut on_replica, &end).await?;

    // Its fence is what it shows, and cannot be opened.
    for name in ["super_read_only", "read_only"] {
        let refused = on_replica
            .attempt(&format!("SET GLOBAL {name} = OFF"))
            .await?;
        let refused = refused.expect_err("the fence was opened");
        assert_eq!(refused.code, 1235, "{}", refused.message);
        let shown = on_replica.value(&format!("SELECT @@GLOBAL.{name}")).await?;
        assert_eq!(shown.to_string(), "1");
    }

    // A transaction that is declared executed is not lost without a trace.
    let uuid = on_source.value("SELECT @@GLOBAL.server_uuid").await?;
    let skipped = format!("{uuid}:1000");
    on_replica
        .run(&[
            "STOP REPLICA",
            &format!("SET GLOBAL gtid_purged = '+{skipped}'"),
            "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = 'wrong'",
            "START REPLICA",
        ])
        .await?;
    wait::until("the login is refused", PATIENCE, || async {
        let mut client = replica.client().await?;
        let code = client.column(STATUS, "Last_IO_Errno").await?;
        Ok(match code.as_deref() {
            Some("1045") => Ok(()),
            other => Err(format!("{other:?}")),
        })
    })
    .await?;
    let error = on_replica.column(STATUS, "Last_IO_Error").await?;
    let error = error.unwrap_or_default();
    assert!(
        error.starts_with("Error connecting to source 'repl@127.0.0.1:"),
        "{error}"
    );
    assert_eq!(error.matches("Access denied").count(), 1, "{error}");
    replica.kill()?;
    replica.launch().await?;
    let log = replica.process().map(|process| process.log_tail());
    let log = log.unwrap_or_default();
    for part in [
        "connected to the source",
        "the receiver was stopped",
        "the applier was stopped",
        skipped.as_str(),
        "the source was changed",
        "the receiver starts",
        "the applier starts",
        "was not let in by its source",
        "the relay log was recovered",
    ] {
        assert!(log.contains(part), "'{part}' is missing in:\n{log}");
    }
    for part in ["lost its source", "Some(", "swordfish", "wrong"] {
        assert!(!log.contains(part), "'{part}' is in:\n{log}");
    }
    Ok(())
}
