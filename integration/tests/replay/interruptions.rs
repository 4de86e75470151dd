//! A replay that cannot go on: a damaged log, Ctrl-C, connections that are lost. It says where it
//! ended and how to go on, and what follows repeats nothing.

use std::path::PathBuf;

use integration::chance::{Chance, announce};
use integration::compare::{Snapshot, ensure_same};
use integration::failure::{Failure, ensure};
use integration::wait::{self, PATIENCE};
use integration::workload::Scope;
use integration::{Client, Peer, RealServer, Result};

use super::run::{
    DATABASES, Running, end_sessions, is_complete, replay, sysbench, url_of, written,
};

/// A damaged log ends in front of the transaction that is damaged, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_is_replayed_up_to_the_damage_and_the_whole_one_goes_on() -> Result {
    let source = written(Peer::MySql97, &[], Scope::MySql).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let files = source.binlogs()?;
    let directory = tempfile::tempdir()?;
    let (first, second) = match files.as_slice() {
        [first, second, ..] => (first.clone(), second.clone()),
        _ => return Err(Failure::new("two log files are needed")),
    };
    let damaged = directory
        .path()
        .join(second.file_name().unwrap_or_default());
    let bytes = std::fs::read(&second)?;
    let mut flipped = bytes.clone();
    if let Some(byte) = flipped.get_mut(bytes.len() / 2) {
        *byte ^= 0x40;
    }
    let torn = bytes
        .get(..bytes.len() * 3 / 4)
        .unwrap_or_default()
        .to_vec();
    for content in [flipped, torn] {
        std::fs::write(&damaged, content)?;
        let logs = [first.clone(), damaged.clone()];
        let ended = Running::start(&url_of(&target), &logs, &["--mode", "live"])?.end()?;
        announce(ended.errors.trim());
        let field = |name: &str| ended.report.pointer(name).cloned().unwrap_or_default();
        ensure(
            ended.status.code() == Some(1)
                && ended.errors.contains("end in front of")
                && !is_complete(&ended.report)
                && field("/stopped_at/reason") == "damaged_log"
                && field("/wanted_rows") == field("/applied_rows")
                && field("/wanted_transactions") == field("/applied_transactions"),
            || ended.text(),
        )?;
    }
    let report = replay(&url_of(&target), &files, &["--mode", "live"])?;
    ensure(is_complete(&report), || report.to_string())?;
    let left = Snapshot::take(&mut source.client().await?, &["types", "other"]).await?;
    let right = Snapshot::take(&mut target.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "target", &right)
}

/// Definitions behind the rows of a long log.
const DEFINITIONS: u64 = 100;

/// A log that takes a replay a second or more.
async fn long_log(peer: Peer) -> Result<RealServer> {
    let scope = super::run::scope_of(peer);
    let source = written(peer, &[], scope).await?;
    sysbench(&source, 2).await?;
    let mut client = source.client().await?;
    // Rows alone are merged by a restore, and there in no time; definitions take theirs.
    for number in 0..DEFINITIONS {
        let table = format!("CREATE TABLE other.later{number} (id INT PRIMARY KEY)");
        client.execute(&table).await?;
    }
    Ok(source)
}

/// Waits until the target has more transactions than `than` of the source's.
async fn until_moving(running: &mut Running, client: &mut Client, than: u64) -> Result<u64> {
    let limit = std::time::Instant::now() + PATIENCE;
    loop {
        let count = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA IN \
                     ('types', 'other', 'sbtest')";
        let count = client.value(count).await?.to_string().parse()?;
        if count > than || running.is_over()? {
            return Ok(count);
        }
        ensure(std::time::Instant::now() < limit, || {
            "the replay does not move".to_owned()
        })?;
        wait::let_run(std::time::Duration::from_millis(5)).await;
    }
}

async fn ensure_equal(source: &RealServer, target: &RealServer, how: &str) -> Result {
    let left = Snapshot::take(&mut source.client().await?, &DATABASES).await?;
    let right = Snapshot::take(&mut target.client().await?, &DATABASES).await?;
    ensure_same("source", &left, how, &right)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_ends_behind_a_transaction_and_tells_how_to_go_on() -> Result {
    for (peer, mode) in [
        (Peer::MySql97, "live"),
        (Peer::MySql97, "restore"),
        (Peer::MariaDb118, "live"),
    ] {
        let source = long_log(peer).await?;
        let target = RealServer::start(peer, 2, &[]).await?;
        let files = source.binlogs()?;
        let arguments = ["--mode", mode, "--allow", "writers"];
        let mut at_target = target.client().await?;
        let (mut interrupted, mut there) = (0, 0);
        for more in [2, 5] {
            let mut running = Running::start(&url_of(&target), &files, &arguments)?;
            there = until_moving(&mut running, &mut at_target, there + more).await?;
            if running.is_over()? {
                break;
            }
            running.signal("-INT")?;
            let ended = running.end()?;
            if interrupted == 0 {
                announce(ended.errors.trim());
            }
            let reason = ended.report.pointer("/stopped_at/reason");
            ensure(
                ended.status.code() == Some(1)
                    && reason == Some(&"interrupted".into())
                    && ended.errors.contains("ends behind this transaction")
                    && ended
                        .errors
                        .contains("the same command goes on where this one ended"),
                || ended.text(),
            )?;
            interrupted += 1;
        }
        ensure(interrupted > 0, || "nothing was interrupted".to_owned())?;
        let report = replay(&url_of(&target), &files, &arguments)?;
        ensure(is_complete(&report), || report.to_string())?;
        ensure_equal(&source, &target, mode).await?;
    }
    Ok(())
}

/// The server ends the session again and again, then is killed and comes back: one command lives
/// through it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_taken_up_again_by_itself() -> Result {
    let mut chance = Chance::from_environment();
    for (peer, mode) in [
        (Peer::MySql97, "live"),
        (Peer::MySql97, "restore"),
        (Peer::MariaDb118, "live"),
    ] {
        let source = long_log(peer).await?;
        let mut target = RealServer::start(peer, 2, &[]).await?;
        let files = source.binlogs()?;
        let arguments = ["--mode", mode, "--allow", "writers"];
        let mut running = Running::start(&url_of(&target), &files, &arguments)?;
        // Before anything moves a lost connection ends it.
        until_moving(&mut running, &mut target.client().await?, 0).await?;
        let mut lost = 0;
        for _ in 0..6 {
            wait::let_run(chance.millis(20, 120)).await;
            lost += end_sessions(&target).await?;
        }
        if !running.is_over()? {
            target.kill()?;
            target.launch().await?;
        }
        let ended = running.end()?;
        announce(&format!(
            "{peer:?} {mode}: {lost} sessions ended; {}",
            ended.errors.trim()
        ));
        ensure(
            lost > 0
                && ended.status.success()
                && is_complete(&ended.report)
                && ended.errors.contains("tried again in"),
            || ended.text(),
        )?;
        ensure_equal(&source, &target, mode).await?;
    }
    Ok(())
}

/// A log that comes from a server which goes away: nothing is taken for its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_goes_away_is_not_the_end_of_its_log() -> Result {
    let mut source = long_log(Peer::MySql97).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let from = [PathBuf::from(url_of(&source))];
    let mut at_target = target.client().await?;
    let mut running = Running::start(&url_of(&target), &from, &["--mode", "live"])?;
    until_moving(&mut running, &mut at_target, 4).await?;
    let was_running = !running.is_over()?;
    source.kill()?;
    source.launch().await?;
    let ended = running.end()?;
    announce(ended.errors.trim());
    ensure(
        was_running && ended.status.success() && is_complete(&ended.report),
        || ended.text(),
    )?;
    ensure_equal(&source, &target, "from a server").await
}
