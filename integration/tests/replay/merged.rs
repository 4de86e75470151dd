//! A restore merges rows and applies over several connections: what comes of it must be the source.

use integration::chance::{Chance, announce};
use integration::compare::{Snapshot, ensure_same, ensure_same_checksums};
use integration::cutting::CuttingWay;
use integration::failure::{Failure, ensure};
use integration::{Client, Peer, RealServer, Result};

use super::run::{command, is_complete, replay, url_of};

/// Tables whose rows are told apart in every way, and must each end as on the source.
const TABLES: &[&str] = &[
    "CREATE DATABASE shop",
    "CREATE TABLE shop.numbers (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40))",
    "CREATE TABLE shop.pairs (a INT, b BIGINT UNSIGNED, v VARCHAR(40), PRIMARY KEY (b, a))",
    "CREATE TABLE shop.signs (id BINARY(4) PRIMARY KEY, v DECIMAL(12,3))",
    "CREATE TABLE shop.moments (at DATETIME(3) PRIMARY KEY, v JSON)",
    "CREATE TABLE shop.names (name VARCHAR(20) PRIMARY KEY, v INT)",
    "CREATE TABLE shop.once (id INT PRIMARY KEY, u INT, UNIQUE KEY (u))",
    "CREATE TABLE shop.nokey (v INT, w VARCHAR(20))",
    "CREATE TABLE shop.parents (id INT PRIMARY KEY)",
    "CREATE TABLE shop.children (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES shop.parents (id))",
    "CREATE TABLE shop.counted (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
];

/// Changes of them, of which many undo each other; the last one is a definition.
async fn change(client: &mut Client, round: u64, chance: &mut Chance) -> Result {
    for _ in 0..20 {
        let (n, m) = (chance.below(60), chance.below(60));
        let text = "x".repeat(usize::try_from(chance.below(20))?);
        let name = ["anna", "ANNA", "Änna", "otto"].map(str::to_owned);
        let name = name
            .get(usize::try_from(n % 4)?)
            .cloned()
            .unwrap_or_default();
        client
            .run(&[
                &format!("INSERT INTO shop.numbers (v) VALUES ('{text}'), ('{n}')"),
                &format!("UPDATE shop.numbers SET v = CONCAT(v, '+') WHERE id % 7 = {}", n % 7),
                &format!("REPLACE INTO shop.pairs VALUES ({n}, {m}, '{text}')"),
                &format!("UPDATE IGNORE shop.pairs SET a = {m} WHERE a = {n}"),
                &format!("REPLACE INTO shop.signs VALUES (CONCAT('a', {}), {m}.5)", n % 9),
                &format!("REPLACE INTO shop.moments VALUES ('2026-11-30 00:00:{:02}.{m}', JSON_OBJECT('n', {n}))", n),
                &format!("REPLACE INTO shop.names VALUES ('{name}', {m})"),
                &format!("REPLACE INTO shop.once VALUES ({n}, {m})"),
                &format!("INSERT INTO shop.nokey VALUES ({}, '{text}')", n % 5),
                &format!("UPDATE shop.nokey SET w = '{m}' WHERE v = {} LIMIT 1", m % 5),
                &format!("INSERT IGNORE INTO shop.parents VALUES ({n})"),
                &format!("INSERT IGNORE INTO shop.children VALUES ({m}, {n})"),
                &format!("DELETE IGNORE FROM shop.parents WHERE id = {m}"),
                &format!("DELETE FROM shop.numbers WHERE id % 11 = {}", m % 11),
                "INSERT INTO shop.counted (v) VALUES (1), (2)",
                "DELETE FROM shop.counted ORDER BY id DESC LIMIT 2",
            ])
            .await?;
    }
    // Every key moves, to that of another row among others.
    client
        .run(&[
            "UPDATE shop.numbers SET id = id + 1 ORDER BY id DESC",
            &format!("CREATE TABLE shop.round{round} (id INT PRIMARY KEY)"),
        ])
        .await
}

async fn written(peer: Peer, rounds: u64, chance: &mut Chance) -> Result<RealServer> {
    let source = RealServer::start(peer, 1, &[]).await?;
    let mut client = source.client().await?;
    client.run(TABLES).await?;
    for round in 0..rounds {
        change(&mut client, round, chance).await?;
    }
    Ok(source)
}

async fn ensure_equal(source: &RealServer, target: &RealServer, how: &str) -> Result {
    let (mut left, mut right) = (source.client().await?, target.client().await?);
    ensure_same(
        "source",
        &Snapshot::take(&mut left, &["shop"]).await?,
        how,
        &Snapshot::take(&mut right, &["shop"]).await?,
    )?;
    ensure_same_checksums(&mut left, &mut right, &["shop"])
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merged_rows_over_any_number_of_connections_are_those_of_the_source() -> Result {
    let mut chance = Chance::from_environment();
    for peer in [Peer::MySql97, Peer::MariaDb1011, Peer::MariaDb118] {
        let source = written(peer, 3, &mut chance).await?;
        for lanes in ["1", "2", "7"] {
            let target = RealServer::start(peer, 2, &[]).await?;
            let arguments = ["--mode", "restore", "--parallel", lanes];
            let report = replay(&url_of(&target), &source.binlogs()?, &arguments)?;
            ensure(is_complete(&report), || report.to_string())?;
            ensure_equal(&source, &target, lanes).await?;
            // What is inserted next is as it would be on a replica, also where the last rows are gone.
            let next = "INSERT INTO shop.counted (v) VALUES (3)";
            target.client().await?.execute(next).await?;
            let last = "SELECT MAX(id) FROM shop.counted";
            let id: u64 = target
                .client()
                .await?
                .value(last)
                .await?
                .to_string()
                .parse()?;
            ensure(id > 3 * 20 * 2, || {
                format!("{peer:?}: the next row is {id}")
            })?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_lost_at_their_commits_lose_and_repeat_nothing() -> Result {
    let mut chance = Chance::from_environment();
    for (peer, options) in [
        // What is encrypted cannot be cut at a place.
        (Peer::MySql97, ["--tls-version="].as_slice()),
        (Peer::MariaDb118, ["--skip-ssl"].as_slice()),
    ] {
        let source = written(peer, 12, &mut chance).await?;
        let mut cuts = 0;
        for lanes in ["3", "4"] {
            let target = RealServer::start(peer, 2, options).await?;
            let way = CuttingWay::open(target.port, 12, 12, &mut chance)?;
            let url = format!("mysql://root@127.0.0.1:{}", way.port);
            let arguments = [
                "--mode",
                "restore",
                "--parallel",
                lanes,
                "--allow",
                "writers",
            ];
            // It may give up when it is cut again and again, and then goes on by another start.
            for _ in 0..10 {
                let output = command(&url, &source.binlogs()?, &arguments)?.output()?;
                if output.status.success() {
                    break;
                }
            }
            let report = replay(&url_of(&target), &source.binlogs()?, &arguments)?;
            ensure(is_complete(&report), || report.to_string())?;
            ensure_equal(&source, &target, &format!("{peer:?} over {lanes}")).await?;
            cuts += way.cuts();
        }
        ensure(cuts >= 10, || format!("only {cuts} connections were cut"))?;
        announce(&format!("{peer:?}: {cuts} connections cut at their COMMIT"));
    }
    Ok(())
}

/// A target whose connections stand at different places, if they do.
async fn broken_off(source: &RealServer, chance: &mut Chance) -> Result<Option<RealServer>> {
    let target = RealServer::start(Peer::MySql97, 2, &["--tls-version="]).await?;
    let way = CuttingWay::open(target.port, 1, 25, chance)?;
    let url = format!("mysql://root@127.0.0.1:{}", way.port);
    let arguments = ["--mode", "restore", "--allow", "writers"];
    let mut running = command(&url, &source.binlogs()?, &arguments)?
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()?;
    while way.cuts() == 0 && running.try_wait()?.is_none() {
        integration::wait::let_run(std::time::Duration::from_millis(1)).await;
    }
    running.kill()?;
    running.wait()?;
    let places = "SELECT COUNT(DISTINCT mysql_executed) FROM weir_recovery.progress";
    let places = target.client().await?.value(places).await;
    let is_uneven = places.is_ok_and(|places| places.to_string() != "1");
    Ok(is_uneven.then_some(target))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_inside_a_commit_takes_nothing_but_the_rest_of_it() -> Result {
    let mut chance = Chance::from_environment();
    let source = written(Peer::MySql97, 12, &mut chance).await?;
    let mut found = None;
    for _ in 0..30 {
        found = broken_off(&source, &mut chance).await?;
        if found.is_some() {
            break;
        }
    }
    let target = found.ok_or_else(|| Failure::new("no connection was ever ahead"))?;
    let (url, files) = (url_of(&target), source.binlogs()?);
    let mut client = target.client().await?;
    let before = Snapshot::take(&mut client, &["shop", "weir_recovery"]).await?;
    for (arguments, words) in [
        (["--mode", "live"], "--mode restore has to finish it first"),
        (
            ["--mode", "replication"],
            "--mode restore has to finish it first",
        ),
        (
            ["--database", "shop"],
            "with the same --database, --table and --rewrite-db",
        ),
        (
            ["--stop-before", "binlog.000001:4"],
            "the logs and the stop have to reach that",
        ),
    ] {
        let all = [&arguments[..], &["--allow", "writers", "--allow", "gap"]].concat();
        let output = command(&url, &files, &all)?.output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure(
            output.status.code() == Some(2) && said.contains(words),
            || format!("{arguments:?}: {} {said}", output.status),
        )?;
        announce(said.lines().last().unwrap_or_default());
    }
    let after = Snapshot::take(&mut client, &["shop", "weir_recovery"]).await?;
    ensure_same("before", &before, "after refusals", &after)?;
    // Without a mode it is the one that was begun, whoever is connected.
    let report = replay(&url, &files, &["--allow", "writers"])?;
    ensure(is_complete(&report), || report.to_string())?;
    ensure_equal(&source, &target, "finished").await
}
