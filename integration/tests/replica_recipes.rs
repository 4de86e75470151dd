//! The recipes of docs/RECOVERY.md about replicas, word for word.

use integration::compare::{
    Snapshot, ensure_same, replica_status, until_gtids_executed, until_status,
};
use integration::failure::ensure;
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::recipe::{blocks, is_to_be_filled_in, shell};
use integration::wait::PATIENCE;
use integration::{Peer, RealServer, Result, Weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipe_to_skip_a_transaction_is_followed_word_for_word() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let replica = Weir::following(2, source.port, &[]).await?;
    let mut at_replica = replica.client().await?;
    let statements = [
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT PRIMARY KEY)",
        "CREATE TABLE mysql.v (a INT)",
        "INSERT INTO d.t VALUES (1)",
    ];
    at_source.run(&statements).await?;
    until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
    let filled = format!("REPLICA=mysql://root@127.0.0.1:{}\n", replica.port);
    let directory = tempfile::tempdir()?;
    let mut done = 0;
    for block in blocks("4. Skip one transaction")? {
        if is_to_be_filled_in(&block) {
            continue;
        }
        let text = shell(directory.path(), Peer::MySql97, &format!("{filled}{block}"))?;
        let expected = match done {
            0 => "GTID",
            _ => "the applier runs",
        };
        ensure(text.contains(expected), || format!("{block}\nsays\n{text}"))?;
        done += 1;
    }
    ensure(done == 2, || format!("{done} commands"))?;
    until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await?;
    let count = at_replica
        .value("SELECT COUNT(*) FROM d.t")
        .await?
        .to_string();
    ensure(count == "1", || count.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipe_to_rebuild_a_replica_is_followed_word_for_word() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let statements = [
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT PRIMARY KEY, b VARCHAR(20))",
        "CREATE VIEW d.v AS SELECT id FROM d.t",
        "INSERT INTO d.t VALUES (1, 'one'), (2, 'two')",
    ];
    at_source.run(&statements).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let filled = format!(
        "SOURCE=127.0.0.1\nSOURCEPORT={}\nHOST=127.0.0.1\nPORT={}\nACCOUNT={REPLICATION_USER}\n\
         PASSWORD='{REPLICATION_PASSWORD}'\n",
        source.port, target.port
    );
    let directory = tempfile::tempdir()?;
    let mut done = 0;
    for block in blocks("5. Rebuild a replica")? {
        if is_to_be_filled_in(&block) {
            continue;
        }
        let text = shell(directory.path(), Peer::MySql97, &format!("{filled}{block}"))?;
        match done {
            // What is logged behind the dump, and behind the replay.
            0 | 1 => {
                let sql = format!("INSERT INTO d.t VALUES ({}, 'later')", 10 + done);
                at_source.execute(&sql).await?;
            }
            3 => ensure(text.contains("replica"), || text.clone())?,
            _ => {}
        }
        if done == 1 {
            ensure(text.contains("applied 1 of 1 transactions"), || {
                text.clone()
            })?;
        }
        if done == 2 {
            let mut at_target = target.client().await?;
            until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
        }
        done += 1;
    }
    ensure(done == 4, || format!("{done} commands"))?;
    let mut at_target = target.client().await?;
    at_source
        .execute("INSERT INTO d.t VALUES (20, 'last')")
        .await?;
    until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
    let errno = replica_status(&mut at_target, "Last_SQL_Errno").await?;
    ensure(errno == "0", || errno.clone())?;
    let left = Snapshot::take(&mut at_source, &["d"]).await?;
    let right = Snapshot::take(&mut at_target, &["d"]).await?;
    ensure_same("source", &left, "rebuilt", &right)
}
