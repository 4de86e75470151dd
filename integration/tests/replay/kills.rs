//! Either side is killed again and again: the replay goes on and repeats nothing.

use std::process::Stdio;

use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same};
use integration::failure::ensure;
use integration::wait;
use integration::{Peer, RealServer, Result};

use super::run::{DATABASES, command, is_complete, replay, scope_of, sysbench, url_of, written};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_weir_lose_nothing_and_repeat_nothing() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        for mode in ["live", "restore"] {
            kills(peer, mode, Killed::Weir).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_the_server_lose_nothing_and_repeat_nothing() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        for mode in ["live", "restore"] {
            kills(peer, mode, Killed::Server).await?;
        }
    }
    Ok(())
}

/// Who is killed; with the server the replay too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Weir,
    Server,
}

/// Replays the whole log while one side is killed again and again, into one new server after the other
/// until there were enough kills.
async fn kills(peer: Peer, mode: &str, killed: Killed) -> Result {
    let source = written(peer, &[], scope_of(peer)).await?;
    sysbench(&source, 2).await?;
    let left = Snapshot::take(&mut source.client().await?, &DATABASES).await?;
    let mut chance = Chance::from_environment();
    let (wanted, mut done, mut servers) = (setting("WEIR_REPLAY_KILLS", 4), 0, 0);
    while done < wanted {
        let mut target = RealServer::start(peer, 2, &[]).await?;
        let what = format!("{peer:?} {mode}, {killed:?} killed");
        done += into(
            &source,
            &mut target,
            mode,
            killed,
            wanted - done,
            &mut chance,
        )
        .await
        .map_err(|failure| failure.during(&what))?;
        servers += 1;
        let right = Snapshot::take(&mut target.client().await?, &DATABASES).await?;
        ensure_same("source", &left, &what, &right)?;
        ensure_executed(&source, &target).await?;
    }
    announce(&format!(
        "{peer:?} {mode}: {done} kills of {killed:?} over {servers} servers, {} rows equal",
        left.rows()
    ));
    Ok(())
}

/// Replays into one server to the end, and gives how often somebody was killed.
async fn into(
    source: &RealServer,
    target: &mut RealServer,
    mode: &str,
    killed: Killed,
    kills_max: u64,
    chance: &mut Chance,
) -> Result<u64> {
    let files = source.binlogs()?;
    let arguments = ["--mode", mode, "--allow", "writers"];
    let mut done = 0;
    while done < kills_max {
        let mut running = command(&url_of(target), &files, &arguments)?
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let ended = wait::blocking_until(chance.millis(20, 400), || Ok(running.try_wait()?))?;
        if ended.is_some() {
            break;
        }
        if killed == Killed::Server {
            target.kill()?;
        }
        running.kill()?;
        running.wait()?;
        done += 1;
        if killed == Killed::Server {
            target.launch().await?;
        }
    }
    let report = replay(&url_of(target), &files, &arguments)?;
    ensure(is_complete(&report), || format!("{mode}: {report}"))?;
    Ok(done)
}

async fn ensure_executed(source: &RealServer, target: &RealServer) -> Result {
    if source.peer.is_mariadb() {
        return Ok(());
    }
    let executed = "SELECT @@GLOBAL.gtid_executed";
    let here = source.client().await?.value(executed).await?;
    let subset = format!("SELECT GTID_SUBSET('{here}', @@GLOBAL.gtid_executed)");
    let has_all = target.client().await?.value(&subset).await?;
    ensure(has_all.to_string() == "1", || {
        format!("{here:?} is not executed")
    })
}
