//! Power loss, checkpoints and the order of log and engine.

use integration::real_replica::binlog_end;
use integration::{Failure, Result, Weir};

use super::fleet::Fleet;

/// What a power loss makes of a node with sync_binlog=0 whose machine had written the engine's pages
/// back and the log's not: the log ends earlier than the engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_lost_its_tail_costs_the_tail_and_not_the_node() -> Result {
    let mut fleet = Fleet::start(&["sync_binlog=0"]).await?;
    let mut client = fleet.primary.client().await?;
    client
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(100))",
        ])
        .await?;
    fleet.ensure_alike(&["d"]).await?;
    // The replicas must not have what the primary is about to lose.
    fleet.mysql.client().await?.execute("STOP REPLICA").await?;
    fleet.weir.client().await?.execute("STOP REPLICA").await?;
    let (file, kept) = binlog_end(&mut client).await?;
    // No checkpoint carries the engine past this: it is at work no sooner than every 200 ms.
    for id in 0..20 {
        client
            .execute(&format!("INSERT INTO d.t VALUES ({id}, 'lost or not')"))
            .await?;
    }
    fleet.primary.kill()?;
    let log = std::fs::OpenOptions::new()
        .write(true)
        .open(fleet.primary.data().join(&file))?;
    let kept = kept.max(checkpointed(&fleet.primary, &file)?);
    let is_cut = log.metadata()?.len() > kept;
    log.set_len(kept)?;
    drop(log);
    fleet.primary.launch().await?;
    let mut client = fleet.primary.client().await?;
    let count: u64 = client
        .value("SELECT COUNT(*) FROM d.t")
        .await?
        .to_string()
        .parse()?;
    assert_eq!(count < 20, is_cut, "{count} rows are there");
    client
        .execute("INSERT INTO d.t VALUES (1000, 'after')")
        .await?;
    fleet.mysql.client().await?.execute("START REPLICA").await?;
    fleet.weir.client().await?.execute("START REPLICA").await?;
    fleet.ensure_alike(&["d"]).await?;
    fleet.replay_the_log(&["d"]).await
}

/// The place in a log file up to which a checkpoint may have moved frames into the engine's file.
///
/// It is read from the note beside that file: the file alone is no database while frames are moved.
fn checkpointed(node: &Weir, file: &str) -> Result<u64> {
    let note = std::fs::read_to_string(node.data().join("weir.db.settled"))?;
    let mut lines = note.lines().skip(1);
    let (offset, name) = (lines.next().unwrap_or_default(), lines.next());
    if name != Some(file) {
        return Ok(0);
    }
    offset
        .parse()
        .map_err(|_| Failure::new(format!("{note:?} names no place in the log")))
}

/// A node that says that it loses nothing is not taken back: its log was cut by somebody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_synced_and_is_cut_is_refused() -> Result {
    let mut node = Weir::primary(1, &["sync_binlog=1"]).await?;
    let mut client = node.client().await?;
    client.execute("CREATE DATABASE d").await?;
    let (file, kept) = binlog_end(&mut client).await?;
    client
        .execute("CREATE TABLE d.t (id INT PRIMARY KEY)")
        .await?;
    node.kill()?;
    let log = std::fs::OpenOptions::new()
        .write(true)
        .open(node.data().join(&file))?;
    log.set_len(kept)?;
    let refused = node.launch().await.err().map(|failure| failure.to_string());
    let refused = refused.unwrap_or_default();
    assert!(refused.contains("the log was cut"), "{refused}");
    Ok(())
}
