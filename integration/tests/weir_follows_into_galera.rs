//! `weir replica` into a Galera cluster.

use integration::compare::{Snapshot, ensure_same};
use integration::{Galera, Result};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_killed_comes_back_with_what_it_missed() -> Result {
    let mut cluster = Galera::start(3, &[]).await?;
    let mut first = cluster.client(0).await?;
    let table = "CREATE TABLE kept.a (id INT PRIMARY KEY, v INT) ENGINE=InnoDB";
    let row = "INSERT INTO kept.a VALUES (1, 1)";
    first.run(&["CREATE DATABASE kept", table, row]).await?;
    cluster.node(1)?.kill()?;
    cluster.until_missed(1).await?;
    first.execute("UPDATE kept.a SET v = 2").await?;
    cluster.rejoin(1).await?;
    cluster.until_level().await?;
    let left = Snapshot::take(&mut first, &["kept"]).await?;
    let right = Snapshot::take(&mut cluster.client(1).await?, &["kept"]).await?;
    ensure_same("node 0", &left, "node 1", &right)
}
