//! Either side is killed again and again: the replay goes on and repeats nothing.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same};
use integration::failure::{Failure, ensure};
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
    let wanted = setting("WEIR_REPLAY_KILLS", 4);
    let (mut all, mut servers) = (Kills::default(), 0);
    while all.done < wanted {
        let mut target = RealServer::start(peer, 2, &[]).await?;
        let what = format!("{peer:?} {mode}, {killed:?} killed");
        let left_over = wanted - all.done;
        let kills = into(&source, &mut target, mode, killed, left_over, &mut chance).await;
        let kills = kills.map_err(|failure| failure.during(&what))?;
        all.done += kills.done;
        all.moved += kills.moved;
        servers += 1;
        let right = Snapshot::take(&mut target.client().await?, &DATABASES).await?;
        ensure_same("source", &left, &what, &right)?;
        ensure_executed(&source, &target).await?;
    }
    announce(&format!(
        "{peer:?} {mode}: {} kills of {killed:?} over {servers} servers, {} of them behind new \
         transactions, {} rows equal",
        all.done,
        all.moved,
        left.rows()
    ));
    Ok(())
}

/// What the kills of one server came to.
#[derive(Default)]
struct Kills {
    done: u64,
    /// Starts that found more on the target than the one before.
    moved: u64,
}

/// Replays into one server to the end, killing while it applies.
async fn into(
    source: &RealServer,
    target: &mut RealServer,
    mode: &str,
    killed: Killed,
    kills_max: u64,
    chance: &mut Chance,
) -> Result<Kills> {
    let files = source.binlogs()?;
    let arguments = ["--mode", mode, "--allow", "writers"];
    let mut kills = Kills::default();
    let mut last = 0;
    while kills.done < kills_max {
        let mut running = command(&url_of(target), &files, &arguments)?
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let there = passed_over(&mut running)?;
        kills.moved += u64::from(there > last);
        last = there;
        let ended = wait::blocking_until(chance.millis(1, 250), || Ok(running.try_wait()?))?;
        if ended.is_some() {
            break;
        }
        if killed == Killed::Server {
            target.kill()?;
        }
        running.kill()?;
        running.wait()?;
        kills.done += 1;
        if killed == Killed::Server {
            target.launch().await?;
        }
    }
    let report = replay(&url_of(target), &files, &arguments)?;
    ensure(is_complete(&report), || format!("{mode}: {report}"))?;
    Ok(kills)
}

/// Waits until the plan is told, behind which it is carried out, and gives how many transactions the
/// target has of it.
fn passed_over(running: &mut Child) -> Result<u64> {
    let out = running.stdout.take();
    let out = out.ok_or_else(|| Failure::new("no output"))?;
    let mut out = BufReader::new(out);
    let (mut line, mut there) = (String::new(), 0);
    while out.read_line(&mut line)? > 0 && !line.starts_with("ends at ") {
        if let Some((_, rest)) = line.rsplit_once("; ")
            && let Some(number) = rest.split(" transactions passed over").next()
            && rest.contains("passed over")
        {
            there = number.parse()?;
        }
        line.clear();
    }
    // What it says behind has room in the pipe.
    running.stdout = Some(out.into_inner());
    Ok(there)
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

/// MariaDB makes a directory, and then writes the database's character set into it: a server that is
/// killed between the two has a database of its own character set. What the row of a replay says then
/// is put there by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_made_by_half_is_made_anew() -> Result {
    let peer = Peer::MariaDb118;
    let source = RealServer::start(peer, 1, &[]).await?;
    let create = "CREATE DATABASE other DEFAULT CHARACTER SET latin1";
    source
        .client()
        .await?
        .run(&[
            create,
            "CREATE TABLE other.latin (id INT PRIMARY KEY, v VARCHAR(30))",
            "INSERT INTO other.latin VALUES (1, 'gr\u{fc}\u{df}e')",
        ])
        .await?;
    let files = source.binlogs()?;
    for mode in ["restore", "live"] {
        let target = RealServer::start(peer, 2, &[]).await?;
        let mut client = target.client().await?;
        let begun = format!("0-1-1 {create}");
        client
            .run(&[
                "SET sql_log_bin = 0",
                "CREATE DATABASE weir_recovery",
                "CREATE TABLE weir_recovery.progress (channel VARCHAR(64) CHARACTER SET utf8 COLLATE \
                 utf8_bin NOT NULL PRIMARY KEY, mysql_executed LONGTEXT CHARACTER SET ascii NOT NULL, \
                 mariadb_executed TEXT CHARACTER SET ascii NOT NULL, source_file VARBINARY(1024), \
                 source_offset BIGINT UNSIGNED, relay_file VARBINARY(1024), relay_offset BIGINT \
                 UNSIGNED, statement LONGBLOB, shape LONGBLOB)",
                &format!(
                    "INSERT INTO weir_recovery.progress VALUES ('replay', '', '', NULL, NULL, NULL, \
                     NULL, '{begun}', '`other` none\\n')"
                ),
                "CREATE DATABASE other CHARACTER SET utf8mb4",
            ])
            .await?;
        client.close().await?;
        let report = replay(
            &url_of(&target),
            &files,
            &["--mode", mode, "--allow", "writers"],
        )?;
        ensure(is_complete(&report), || format!("{mode}: {report}"))?;
        let left = Snapshot::take(&mut source.client().await?, &["other"]).await?;
        let right = Snapshot::take(&mut target.client().await?, &["other"]).await?;
        ensure_same("source", &left, mode, &right)?;
    }
    Ok(())
}
